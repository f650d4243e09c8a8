"""What is counted of contacts: how many, with which answers, by customer and channel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from crmkit._arguments import check_columns
from crmkit._checks import Problems, number_array, require_columns
from crmkit._frames import day_numbers, group_codes, parse_day, read_customers
from crmkit._periods import day_text
from crmkit.errors import EmptyLogError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from crmkit._log import PurchaseLog
    from crmkit._typing import Floats, Ints

__all__ = ["RESPONDED", "count_contacts"]

USUAL = ("opened", "clicked", "responded", "complained", "referred")
RESPONDED = "responded"


@dataclass(frozen=True, slots=True)
class Contacts:
    """Contacts of the days asked for: rows of a table, and the day of each, shape (n,)."""

    frame: pd.DataFrame
    day: Ints
    answers: list[str]
    as_of: int
    rows_after_as_of: int
    rows_before_since: int


def count_contacts(
    contacts: Any,
    *,
    answers: Sequence[str] | None,
    since: Any,
    as_of: Any,
    log: PurchaseLog | None = None,
) -> pd.DataFrame:
    """Count contacts and answers by customer and channel; with ``of`` those of which one knows."""
    read = _read_contacts(contacts, answers, since, as_of, log)
    frame = read.frame
    keys = [name for name in ("customer_id", "channel") if name in frame.columns]
    row, table = group_codes(frame, keys)
    n = len(table)
    table["times_contacted"] = np.bincount(row, minlength=n)
    table["contact_recency_days"] = _days_since(row, read.day, read.as_of, n)
    for name in read.answers:
        values = frame[name].to_numpy()
        table[f"yes {name}"] = np.bincount(row[values == 1], minlength=n)
        table[f"of {name}"] = np.bincount(row[~np.isnan(values)], minlength=n)
    if RESPONDED in read.answers:
        yes = frame[RESPONDED].to_numpy() == 1
        table["response_recency_days"] = _days_since(row[yes], read.day[yes], read.as_of, n)
    table.attrs["as_of"] = day_text(read.as_of)
    table.attrs["rows_after_as_of"] = read.rows_after_as_of
    table.attrs["rows_before_since"] = read.rows_before_since
    return table


def _read_contacts(
    contacts: Any, answers: Sequence[str] | None, since: Any, as_of: Any, log: PurchaseLog | None
) -> Contacts:
    """Read the contacts of the days asked for, their answers as 1, 0 and missing."""
    frame = read_customers(contacts, needs=["date"], name="contacts", unique=False)
    if answers is None:
        named = [column for column in USUAL if column in frame.columns]
    else:
        named = check_columns(answers, "answers", empty=True)
        require_columns(frame.columns, named, "contacts")
    problems = Problems("contacts")
    day = day_numbers(frame["date"], problems, "date")
    for column in named:
        values = number_array(frame[column], problems, column, allow_missing=True)
        wrong = np.isfinite(values) & (values != 0) & (values != 1)
        problems.rows(
            wrong,
            f"column {column!r} must be 1 or 0 but is not",
            do="Write what came of each contact as 1, 0 or missing.",
            values=values.tolist() if wrong.any() else None,
        )
        frame[column] = values
    problems.raise_if_any()
    last = max(int(day.max()), -(10**9) if log is None else log.rows.as_of)
    last = last if as_of is None else parse_day(as_of, "as_of")
    first = int(day.min()) if since is None else parse_day(since, "since")
    seen = (day >= first) & (day <= last)
    after, before = int((day > last).sum()), int((day < first).sum())
    if not seen.any():
        raise EmptyLogError(
            f"`contacts` has no row from {day_text(first)} to `as_of` ({day_text(last)}). Choose "
            "other days.",
            {"rows_after_as_of": after, "rows_before_since": before},
        )
    kept = frame[seen].reset_index(drop=True)
    return Contacts(kept, day[seen], named, last, after, before)


def _days_since(who: Ints, day: Ints, as_of: int, n: int) -> Floats:
    """Return the days since each customer's last of some days; missing without one."""
    last = np.full(n, np.iinfo(np.int64).min)
    np.maximum.at(last, who, day)
    return np.where(last > np.iinfo(np.int64).min, (as_of - last).astype(np.float64), np.nan)
