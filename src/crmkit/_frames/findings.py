"""What a raw table holds that a reader should know: counted, never changed."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

from crmkit._checks import quoted
from crmkit._frames.codes import sorted_codes
from crmkit._kinds import is_number

if TYPE_CHECKING:
    import pandas as pd

    from crmkit._typing import Ints

__all__ = ["far_dates", "far_days", "log_findings", "people_findings", "suspicious_ids"]

# Words that stand in a cell where an id is missing, as systems and people write them.
_NO_ID = {
    *("na", "n/a", "#n/a", "nan", "null", "(null)", "none", "nil", "nat", "<na>", "\\n"),
    *("-", "--", "---", ".", "?", "unknown", "undefined", "missing"),
}
_SHOWN = 3
# A group of dates lies far from the rest if it is at most this share of the rows ...
_FEW = 0.01
# ... and the gap to the rest is longer than a year and than so many of the rest's longest gap.
_YEAR, _GAPS = 365, 10
# ... of at least so many rows.
_LEAST = 10


def log_findings(log: pd.DataFrame) -> dict[str, Any]:
    """Return period, customers, the largest one's shares, lone far dates and suspicious ids."""
    days = log["date"].to_numpy().astype("datetime64[D]").astype(np.int64)
    codes, distinct = sorted_codes(log["customer_id"])
    rows = np.bincount(codes)
    found: dict[str, Any] = {
        "first_date": str(np.datetime64(int(days.min()), "D")),
        "last_date": str(np.datetime64(int(days.max()), "D")),
        "customers": len(distinct),
        "largest_share_of_rows": float(rows.max() / len(codes)),
    }
    if "amount" in log.columns:
        spent = np.bincount(codes, weights=log["amount"].to_numpy())
        if (total := spent.sum()) > 0:
            found["largest_share_of_amount"] = float(spent.max() / total)
    return found | far_dates(days) | suspicious_ids(distinct, rows)


def people_findings(customers: pd.DataFrame) -> dict[str, Any]:
    """Return the number of customers and suspicious ids."""
    codes, distinct = sorted_codes(customers["customer_id"])
    return {"customers": len(distinct)} | suspicious_ids(distinct, np.bincount(codes))


def far_dates(days: Ints) -> dict[str, Any]:
    """Return what `far_days` does, of a day for each row."""
    if days.size < _LEAST:
        return {"far_rows": 0}
    start = int(days.min())
    count = np.bincount(days - start)
    distinct = np.flatnonzero(count)
    return far_days(distinct + start, count[distinct])


def far_days(distinct: Ints, count: Ints) -> dict[str, Any]:
    """Return how many rows lie far from all others in time, on which days, and how far.

    Far is a group of at most 1 % of the rows (or one row) at either end, if the gap between it
    and the rest is longer than a year and longer than ten times the longest gap within the rest.
    `distinct` holds each day, in their order, and `count` its rows.
    """
    n_rows = int(count.sum())
    if n_rows < _LEAST:
        return {"far_rows": 0}
    gaps = np.diff(distinct)
    few = max(int(_FEW * n_rows), 1)
    low = int(np.count_nonzero(np.cumsum(count) <= few))
    high = distinct.size - int(np.count_nonzero(np.cumsum(count[::-1]) <= few))
    wide = gaps > max(_YEAR, _GAPS * int(gaps[low : max(high - 1, low)].max(initial=0)))
    before, after = np.flatnonzero(wide[:low]), high - 1 + np.flatnonzero(wide[max(high - 1, 0) :])
    first = int(before[-1]) + 1 if before.size else 0
    last = int(after[0]) + 1 if after.size else distinct.size
    far = np.r_[0:first, last : distinct.size]
    if not far.size:
        return {"far_rows": 0}
    ends = [gaps[edge - 1] for edge in (first, last) if 0 < edge < distinct.size]
    dates = [str(np.datetime64(int(day), "D")) for day in distinct[far]]
    shown = dates if len(dates) <= _SHOWN else [*dates[: _SHOWN - 1], dates[-1]]
    return {"far_rows": int(count[far].sum()), "far_dates": shown, "far_gap_days": int(max(ends))}


def suspicious_ids(distinct: pd.Index[Any], rows: Ints) -> dict[str, Any]:
    """Count ids that may be none, or two ids of one customer; `rows` holds the rows of each.

    Rows whose id is blank or a word for missing; ids with blanks around them, ids that differ
    from another one by such blanks or case only, ids that stand as text and as a number too.
    """
    values = distinct.tolist() if distinct.dtype.kind not in "iufM" else []
    bare = {place: v.strip().casefold() for place, v in enumerate(values) if isinstance(v, str)}
    numbers = {f"{value}".removesuffix(".0") for value in values if is_number(value)}
    times = Counter(bare.values())
    found: list[list[int]] = [[], [], [], [], []]
    blank, word, spaced, alike, both = found
    for place, core in bare.items():
        if not core:
            blank.append(place)
        elif core in _NO_ID:
            word.append(place)
        elif values[place].strip() != values[place]:
            spaced.append(place)
        if times[core] > 1:
            alike.append(place)
        if core in numbers:
            both.append(place)
    examples = list(dict.fromkeys(place for places in found for place in places[:1]))
    return {
        "blank_id_rows": int(rows[blank].sum()),
        "missing_word_id_rows": int(rows[word].sum()),
        "spaced_ids": len(spaced),
        "alike_ids": len(alike),
        "ids_of_two_kinds": len(both),
        "suspicious_ids": [quoted(values[place]) for place in examples],
    }
