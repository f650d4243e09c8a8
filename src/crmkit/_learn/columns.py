"""What a learner did with each column of its table, and which column looks like a leak."""

from __future__ import annotations

import sys
import warnings
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pandas as pd

from crmkit._checks import Problems
from crmkit._frames import sorted_codes
from crmkit._kinds import column_kind
from crmkit._learn.alone import Judge, cells_of_numbers
from crmkit._learn.terms import read_numbers
from crmkit.errors import LeakWarning

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crmkit._typing import Floats, Ints


__all__ = ["best_alone", "column_table", "judged_columns", "late_columns"]

_SHOWN = 3
# That all of a cell were in one arm is no chance from here on, all cells of all columns counted.
_CHANCE = 1e-3


class Term(Protocol):
    """How a column enters a matrix."""

    @property
    def column(self) -> str:
        """Name of the table's column."""

    def told(self) -> dict[str, Any]:
        """Say what is done to the column: its transformation and, where known, more."""


_UNUSED = {"dates": "not used: dates", "nothing": "not used: empty"}


def column_table(frame: pd.DataFrame, chosen: Sequence[str], terms: Sequence[Term]) -> pd.DataFrame:
    """Return one row per column that was looked at.

    Columns: column, kind, used, transformation, low, high, missing_share, levels, pooled.
    """
    by_column = {term.column: term for term in terms}
    rows = []
    for column in chosen:
        kind = column_kind(frame[column])
        row: dict[str, Any] = {
            "column": column,
            "kind": kind.removesuffix("s"),
            "used": column in by_column,
            "transformation": _UNUSED.get(kind, "not used: never varies"),
            "low": np.nan,
            "high": np.nan,
            "missing_share": float(frame[column].isna().mean()),
            "levels": "",
            "pooled": 0,
        }
        rows.append(row | (by_column[column].told() if column in by_column else {}))
    return pd.DataFrame(rows)


def judged_columns(
    frame: pd.DataFrame,
    chosen: Sequence[str],
    terms: Sequence[Term],
    result: Floats,
    outcome: str,
    *,
    certain_is_suspect: bool,
    warn: bool,
    late: Sequence[str] = (),
    name: str = "customers",
) -> pd.DataFrame:
    """Return the table of columns with how well each alone tells the result, (n,) of 0 and 1.

    Columns: those of ``column_table``, alone_auc, rows_certain, likely_leak. A leak ranks the
    result almost perfectly or makes the rarer one certain: by being known at all, which nothing
    honest does, or, if `certain_is_suspect`, by a value. Columns that were left out as `late` are
    leaks too.
    """
    table = column_table(frame, chosen, terms)
    groups = sorted_codes(frame["customer_id"])[0]
    keys = [groups]
    if "as_of" in frame.columns:
        keys.insert(0, sorted_codes(frame["as_of"])[0])
    judge = Judge.of(result, groups, np.lexsort(tuple(keys)))
    area = np.full(len(table), np.nan)
    certain = np.zeros(len(table), dtype=np.int64)
    leak = np.zeros(len(table), dtype=bool)
    if judge is not None:
        for at, column in enumerate(table["column"]):
            cells, values = _cells(frame[column].iloc[judge.rows], column)
            area[at] = judge.area(cells, values)
            sure = judge.certain(np.minimum(cells, 0)) & (cells >= 0)
            if certain_is_suspect:
                sure |= judge.certain(cells)
            certain[at] = int(sure.sum())
            leak[at] = certain[at] > 0 or judge.almost_perfect(area[at], len(table))
    out = table["column"].isin(late).to_numpy()
    leak |= out
    table = table.assign(alone_auc=area, rows_certain=certain, likely_leak=leak)
    table.loc[out, "transformation"] = "not used: known only afterwards"
    if warn:
        _warn(table[leak], outcome, name, left_out=bool(out.any()))
    return table


def late_columns(
    frame: pd.DataFrame, chosen: Sequence[str], result: Floats, arm: Ints | None
) -> list[str]:
    """Return the columns that became known only after the contact, for all one can tell.

    They hold the result, (n,) of 0 and 1, itself; or, where arms (n,) were drawn at random, some
    of their values occur in one arm alone, as that a message was opened.
    """
    judged = judged_columns(frame, chosen, (), result, "", certain_is_suspect=True, warn=False)
    late = judged["likely_leak"].to_numpy(copy=True)
    if arm is not None:
        for at, column in enumerate(chosen):
            cells = _cells(frame[column], column)[0] + 1
            known = np.minimum(cells, 1)
            late[at] |= min(_one_arm(cells, arm), _one_arm(known, arm)) < _CHANCE / len(chosen)
    return list(judged.loc[late, "column"])


def _one_arm(cells: Ints, arm: Ints) -> float:
    """Return the chance that rows drawn at random would leave some cell to one arm alone."""
    share, n = np.bincount(arm) / arm.size, np.bincount(cells)
    counts = np.bincount(cells * share.size + arm, minlength=n.size * share.size)
    alone = (counts.reshape(n.size, -1) == n[:, None]) & (n[:, None] > 0)
    chance = np.where(alone, share ** n[:, None], 1.0)
    return float(min(chance.min() * n.size, 1.0))


def _cells(series: pd.Series[Any], column: str) -> tuple[Ints, Floats | None]:
    """Return a cell per row, -1 where missing, and what orders them: numbers, days or nothing."""
    kind = column_kind(series)
    if kind in ("numbers", "flags"):
        values = read_numbers(series, Problems("customers"), column)
    elif kind == "dates":
        codes, _ = sorted_codes(series)
        values = np.where(codes < 0, np.nan, codes.astype(np.float64))
    else:
        codes, _ = pd.factorize(series)
        return np.asarray(codes, dtype=np.int64), None
    return cells_of_numbers(values), values


def best_alone(columns: pd.DataFrame) -> str | None:
    """Return the used column that alone ranks best; equal ones are settled by name."""
    known = columns[columns["used"] & columns["alone_auc"].notna()]
    ranked = known.sort_values(["alone_auc", "column"], ascending=[False, True])
    return None if ranked.empty else str(ranked["column"].iloc[0])


def _warn(leaks: pd.DataFrame, outcome: str, name: str, *, left_out: bool) -> None:
    """Warn of columns that seem to hold the outcome itself."""
    if leaks.empty:
        return
    parts = zip(leaks["column"], leaks["alone_auc"], leaks["rows_certain"], strict=True)
    shown = [
        f"{column!r} (area under the curve {area:.3f}"
        + (f", certain in {rows:,} rows)" if rows else ")")
        for column, area, rows in list(parts)[:_SHOWN]
    ]
    more = f" and {len(leaks) - _SHOWN} more" if len(leaks) > _SHOWN else ""
    why = f"What alone tells {outcome!r} so well was hardly known before it."
    do = "Leave out what became known only afterwards, or name what to learn from with `columns`"
    if left_out:
        why = f"What alone tells {outcome!r} so well, or occurs in one arm only, came afterwards."
        do = "They were left out. To learn from one all the same, name what to use with `columns`"
    warnings.warn(
        f"`{name}`: likely leak(s) {', '.join(shown)}{more}. {why} {do}, and nothing is said.",
        LeakWarning,
        stacklevel=_levels_to_user(),
    )


def _levels_to_user() -> int:
    """Return how many calls, seen from a caller in here, the code that called crmkit is away."""
    level, frame = 1, sys._getframe(1)
    while frame.f_back is not None and _is_ours(frame.f_globals):
        level, frame = level + 1, frame.f_back
    return level


def _is_ours(space: dict[str, Any]) -> bool:
    """Tell whether names are those of a module of crmkit."""
    return str(space.get("__name__", "")).startswith("crmkit.")
