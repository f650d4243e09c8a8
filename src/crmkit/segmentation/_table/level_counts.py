"""In how many orders a customer has each level of a column, and the shares to expect."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._checks import Problems, number_array
from crmkit._frames import to_pandas
from crmkit._learn.levels import MISSING, OTHER
from crmkit._log import distinct_pairs
from crmkit.errors import InputError
from crmkit.segmentation._math import shrink_shares

if TYPE_CHECKING:
    from crmkit._frames import Log
    from crmkit._typing import Floats, Ints
    from crmkit.segmentation._math import Shrunk

__all__ = ["Variable", "counted", "pooled", "read_base"]


@dataclass(frozen=True, slots=True)
class Variable:
    """One thing preferred: its levels, and in how many orders each customer has each of them."""

    name: str
    levels: list[str]
    counts: Floats
    shrunk: Shrunk


def pooled(codes: Ints, names: list[str], log: Log, max_levels: float) -> tuple[Ints, list[str]]:
    """Return the levels that most customers have, the others as one, and missing as the last."""
    place = {name: at for at, name in enumerate(dict.fromkeys(names))}  # of equal text one
    codes = np.append(np.array([place[name] for name in names], dtype=np.int64), -1)[codes]
    levels = list(place)
    if len(levels) > max_levels:
        known = codes >= 0
        _, number, _ = distinct_pairs(
            log.customer[known], codes[known], shape=(log.n_customers, len(levels))
        )
        reach = np.bincount(number, minlength=len(levels))
        first = sorted(range(len(levels)), key=lambda at: (-reach[at], levels[at]))
        kept = sorted(first[: int(max_levels) - 1])
        into = np.full(len(levels) + 1, len(kept))
        into[kept], into[-1] = np.arange(len(kept)), -1
        codes, levels = into[codes], [*(levels[at] for at in kept), OTHER]
    if (codes < 0).any():
        codes, levels = np.where(codes < 0, len(levels), codes), [*levels, MISSING]
    return codes, levels


def counted(
    log: Log,
    name: str,
    codes: Ints,
    levels: list[str],
    kept: pd.DataFrame | None,
    account: dict[str, Any],
) -> Variable:
    """Count orders by customer and level, and draw the shares towards those of all."""
    base = weight = None
    if kept is not None:
        own = kept[kept["variable"] == name]
        if own.empty:
            raise InputError(
                f"`base` lacks the variable {name!r}. Pass `detail` of the same columns."
            )
        wanted = own["level"].tolist()
        other = wanted.index(OTHER) if OTHER in wanted else -1
        into = [wanted.index(level) if level in wanted else other for level in levels]
        codes, levels = np.array(into, dtype=np.int64)[codes], wanted
        base, weight = own["base"].to_numpy(float), float(own["base_orders"].iloc[0])
        account[f"{name}_rows_of_new_levels"] = int((codes < 0).sum())
    rows = codes >= 0
    order, place = np.unique(log.order[rows], return_inverse=True)
    k, n = len(levels), log.n_customers
    found, level, _ = distinct_pairs(place, codes[rows], shape=(order.size, k))
    who = order[found] // log.order_span
    counts = np.bincount(who * k + level, minlength=n * k).reshape(n, k).astype(np.float64)
    return Variable(name, levels, counts, shrink_shares(counts, base, weight))


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
