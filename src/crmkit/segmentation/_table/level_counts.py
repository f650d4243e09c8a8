"""In how many orders a customer has each level of a column, and the shares to expect."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._checks import Problems, number_array
from crmkit._frames import sorted_codes, to_pandas
from crmkit._learn.levels import MISSING, OTHER
from crmkit._log import distinct_pairs
from crmkit.errors import InputError

if TYPE_CHECKING:
    from crmkit._frames import Log
    from crmkit._typing import Floats, Ints
    from crmkit.segmentation._math import Shrunk

__all__ = ["Kept", "Levels", "Variable", "as_levels", "count", "keep", "reach", "read_base"]


@dataclass(frozen=True, slots=True)
class Variable:
    """One thing preferred: its levels, and in how many orders each customer has each of them."""

    name: str
    levels: list[str]
    counts: Floats
    shrunk: Shrunk


@dataclass(frozen=True, slots=True)
class Levels:
    """The level of each row as a code, -1 where missing; the levels as text, and as they were."""

    codes: Ints
    texts: list[str]
    values: list[Any]


@dataclass(frozen=True, slots=True)
class Kept:
    """The levels kept apart: their names, those of which are `own`, and where the others go.

    ``other`` and ``missing`` are places among the names, -1 for nowhere. The base and its weight
    are None where they are to be learned.
    """

    name: str
    own: list[str]
    names: list[str]
    other: int
    missing: int
    base: Floats | None = None
    weight: float | None = None

    def place(self, levels: Levels) -> Ints:
        """Return the place of each row's level among the names."""
        at = {text: place for place, text in reversed(list(enumerate(self.own)))}
        into = [*(at.get(text, self.other) for text in levels.texts), self.missing]
        return np.array(into, dtype=np.int64)[levels.codes]


def as_levels(codes: Ints, values: list[Any], texts: list[str]) -> Levels:
    """Make one level of those with equal text."""
    first = dict(zip(reversed(texts), reversed(values), strict=True))
    place = {text: at for at, text in enumerate(dict.fromkeys(texts))}
    codes = np.append(np.array([place[text] for text in texts], dtype=np.int64), -1)[codes]
    return Levels(codes, list(place), [first[text] for text in place])


def reach(name: str, levels: Levels, log: Log) -> pd.DataFrame:
    """Return by how many customers each level was bought; a row without one if any is missing."""
    known = levels.codes >= 0
    k = len(levels.texts)
    _, number, _ = distinct_pairs(
        log.customer[known], levels.codes[known], shape=(log.n_customers, max(k, 1))
    )
    some = [] if known.all() else [None]
    columns = {
        "value": [*levels.values, *some],
        "level": [*levels.texts, *some],
        "customers": [*np.bincount(number, minlength=k).tolist(), *(0 for _ in some)],
    }
    return pd.DataFrame({"variable": name, **columns}).astype({"value": object, "level": object})


def keep(name: str, reached: pd.DataFrame, max_levels: float, base: pd.DataFrame | None) -> Kept:
    """Choose the levels that most customers have, the others as one, and missing as the last.

    A `base` says itself which.
    """
    if base is not None:
        own = base[base["variable"] == name]
        if own.empty:
            raise InputError(
                f"`base` lacks the variable {name!r}. Pass `detail` of the same columns."
            )
        wanted = own["level"].tolist()
        other = wanted.index(OTHER) if OTHER in wanted else -1
        missing = wanted.index(MISSING) if MISSING in wanted else other
        weight = float(own["base_orders"].iloc[0])
        return Kept(name, wanted, wanted, other, missing, own["base"].to_numpy(float), weight)
    code, _ = sorted_codes(reached["value"])
    known = reached.iloc[np.argsort(code, kind="stable")[np.count_nonzero(code < 0) :]]
    customers = known.groupby("level", sort=False)["customers"].sum()
    levels, other = customers.index.tolist(), -1
    if len(levels) > max_levels:
        first = sorted(levels, key=lambda level: (-customers[level], level))
        levels = sorted(first[: int(max_levels) - 1], key=levels.index)
        other = len(levels)
    names = [*levels, *([OTHER] if other >= 0 else [])]
    if not (code < 0).any():
        return Kept(name, levels, names, other, -1)
    return Kept(name, levels, [*names, MISSING], other, len(names))


def count(log: Log, codes: Ints, k: int) -> Floats:
    """Return in how many orders each customer has each of k levels, shape (n, k)."""
    rows = codes >= 0
    order, place = np.unique(log.order[rows], return_inverse=True)
    n = log.n_customers
    found, level, _ = distinct_pairs(place, codes[rows], shape=(order.size, k))
    who = order[found] // log.order_span
    return np.bincount(who * k + level, minlength=n * k).reshape(n, k).astype(np.float64)


def read_base(base: Any) -> pd.DataFrame:
    """Return levels and shares to keep, one row per variable and level, in their order."""
    needs = ["variable", "level", "base", "base_orders"]
    frame = to_pandas(base, "base", needs=needs, optional=())
    frame = frame.set_axis(pd.RangeIndex(len(frame)), axis=0)
    problems = Problems("base")
    if frame.empty:
        problems.add("it has no rows.")
    for column in ("base", "base_orders"):
        frame[column] = number_array(frame[column], problems, column, low=0)
    problems.raise_if_any()
    frame[["variable", "level"]] = frame[["variable", "level"]].astype(object).astype(str)
    frame = frame.drop_duplicates(ignore_index=True)
    problems.rows(
        frame.duplicated(["variable", "level"]).to_numpy(),
        "a level has several shares",
        do="Pass the table of one day.",
    )
    problems.raise_if_any()
    return frame
