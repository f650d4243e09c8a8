"""What makes a log wrong as a whole: a file twice, guests, two currencies, dates far away."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from crmkit._checks import listed, quoted
from crmkit._frames.findings import far_days
from crmkit._periods import day_text
from crmkit._reading.words import is_word
from crmkit.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from crmkit._reading.account import Account
    from crmkit._typing import Bools, Ints

__all__ = ["half_months", "largest", "one_currency", "refuse_far", "refuse_guests", "repeated"]

# A word for nobody is taken for one if its rows are so large a share, in a log of some customers.
_SHARE, _CUSTOMERS = 0.05, 10
_LEAST = 10
# A share of all rows or money that a customer seldom has.
_LARGE = 0.3
# Days missing of a month, in days between sales, from which on it is not whole.
_HALF = 3


def one_currency(
    frame: pd.DataFrame, columns: list[str], signs: dict[str, str], account: Account
) -> str:
    """Return the one currency of a log, "" if none is named; several cannot be added up."""
    for name in columns:
        found = frame[name].dropna().astype(str).str.strip().str.upper()
        counts = found[found != ""].value_counts()
        if len(counts) > 1:
            shown = ", ".join(f"{code} in {rows:,} rows" for code, rows in counts.head(4).items())
            raise InputError(
                f"Column {name!r} of LOG names {len(counts)} currencies ({shown}), which "
                f"cannot be added up. Say which rows count: where='{name}={found.iloc[0]}'."
            )
        if len(counts) == 1:
            code = str(counts.index[0])
            account.note("currency", code, f"column {name!r}", "certain", currency=code)
            return code
    if len(signs) > 1:
        raise InputError(
            f"LOG writes amounts in {len(signs)} currencies: {listed(signs.values())}. They cannot "
            "be added up: convert them first, or take the rows of one of them."
        )
    for code, cell in signs.items():
        account.note("currency", code, f"{quoted(cell)}", "certain", currency=code)
        return code
    return ""


def refuse_guests(counts: pd.Series[Any], customers: int, rows: int) -> None:
    """Ask about an id that stands for all who did not say who they are.

    `counts` holds the rows of the two customers at least who have most, the first one first.
    """
    if customers < _CUSTOMERS:
        return
    top, next_one = counts.index[0], counts.iloc[1]
    share = counts.iloc[0] / rows
    name = str(top).strip()
    if share < _SHARE or counts.iloc[0] < 2 * next_one:
        return
    if is_word(name, "guest"):
        raise InputError(
            f"Customer {quoted(top)} of LOG has {share:.0%} of all rows, "
            f"{counts.iloc[0] / next_one:.0f} times as many as the next: it stands for "
            "all who did not say who they are. Say "
            f"guests='{name}' to leave these rows out, or guests='none' if it is one customer."
        )


def largest(
    found: dict[str, Any],
    of_rows: Callable[[], Any],
    of_money: Callable[[], Any],
    account: Account,
) -> None:
    """Tell of a customer of so many rows or so much money that it may be no customer.

    `found` is what the door says of the log; the functions say which customer has most.
    """
    if found["customers"] < _CUSTOMERS:
        return
    for what, key, top in (
        ("rows", "largest_share_of_rows", of_rows),
        ("money", "largest_share_of_amount", of_money),
    ):
        if found.get(key, 0) > _LARGE:
            account.note(
                "largest customer", f"{quoted(top())} has {found[key]:.0%} of all {what}", "check "
                "whether it is one customer, not a total, a shop or all who are unknown",
                "not known", guests=None,
            )  # fmt: skip
            return


def repeated(frame: pd.DataFrame, duplicates: str | None, account: Account) -> Bools:
    """Return the rows to keep: of a file that holds everything twice, ask; count other repeats."""
    again = frame.duplicated().to_numpy()
    keep = np.ones(len(frame), dtype=bool)
    if duplicates is not None or not again.any():
        return keep
    # If every row has its like, half of them repeat an earlier one: else nothing is counted.
    half = 2 * np.count_nonzero(again) >= len(frame) >= _LEAST
    times, even = _times(frame) if half else (1, False)
    if times > 1 and even:
        raise InputError(
            f"Every row of LOG stands in it {times} times: the same export was added "
            f"{'twice' if times == 2 else 'again'}. Say duplicates='drop' to keep each once, or "
            "duplicates='keep' if all were sold."
        )
    account.note(
        "rows", f"{int(again.sum()):,} repeat an earlier one", "equal in every column that was "
        "read; equal lines can be real, so they were kept", "not known", duplicates=None,
    )  # fmt: skip
    return keep


def _times(frame: pd.DataFrame) -> tuple[int, bool]:
    """Return how often the rarest row is there, and whether all others are so many times that."""
    sizes = frame.groupby(list(frame.columns), dropna=False, sort=False).size().to_numpy()
    times = int(sizes.min())
    return times, bool((sizes % times == 0).all())


def half_months(on: Ints, account: Account) -> None:
    """Tell of a first and a last month that are not whole: they look as if less had been sold.

    `on` holds the days of sale, each once, in their order.

    A month is not whole where many times the usual time between days of sale is missing of it.
    """
    days = on.astype("datetime64[D]")
    months = days.astype("datetime64[M]")
    one_day, one_month = np.timedelta64(1, "D"), np.timedelta64(1, "M")
    if months[-1] - months[0] < 2 * one_month:
        return
    usual = float(np.median(np.diff(days).astype(np.int64)))
    before = int((days[0] - months[0].astype("datetime64[D]")).astype(np.int64))
    after = (months[-1] + one_month).astype("datetime64[D]") - days[-1]
    after = int(after.astype(np.int64)) - 1
    # The beginning is beyond the file; the end is beyond what has been sold so far.
    ends = (("begins", "since", before), ("ends", "as_of", after))
    for (side, name, missing), day, month in zip(ends, days[[0, -1]], months[[0, -1]], strict=True):
        if missing > max(_HALF * usual, 1):
            whole = (month + (name == "since") * one_month).astype("datetime64[D]")
            whole -= (name == "as_of") * one_day
            account.note(
                "half a month", f"the log {side} on {day}", f"{missing} days of {month} are "
                f"missing, so that it looks small; whole months {side[:-1]} on {whole}",
                "not known", **{name: None},
            )  # fmt: skip


def refuse_far(days: Ints, rows_of: Ints, as_of: Any, since: Any) -> None:
    """Ask about single dates far from all others, which are typing errors or placeholders.

    `days` holds every day once, in their order, and `rows_of` how many rows each has.
    """
    found = far_days(days, rows_of)
    if not found["far_rows"]:
        return
    middle = days[np.searchsorted(np.cumsum(rows_of), rows_of.sum() / 2)]
    far = np.array(found["far_dates"], dtype="datetime64[D]").astype(np.int64)
    for say, asked, side in (
        ("as_of", as_of, far[far > middle]),
        ("since", since, far[far < middle]),
    ):
        if asked is not None or not side.size:
            continue
        late = say == "as_of"
        edge = side.min() if late else side.max()
        rows = int(rows_of[days >= edge if late else days <= edge].sum())
        inside = days[days < edge].max() if late else days[days > edge].min()
        outmost = days.max() if late else days.min()
        raise InputError(
            f"LOG has {rows:,} row(s) dated {day_text(int(edge))}"
            f"{'' if rows == 1 else ' or further'}, {found['far_gap_days']:,} days away from all "
            f"others: typing errors, or a date put for none. Say {say}='{day_text(int(inside))}' "
            f"to leave them out, or {say}='{day_text(int(outmost))}' to keep them."
        )
