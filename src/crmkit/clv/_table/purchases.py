"""The tables the purchase models learn from: repeat purchases up to a day, and after it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._checks import check_flag
from crmkit._frames import ACCOUNT
from crmkit._log import PurchaseDays, purchase_days, read_log
from crmkit._periods import day_text
from crmkit.clv._table.days import check_refunds, holdout_days, read_until
from crmkit.clv._table.kept import kept_columns, margin_columns
from crmkit.errors import EmptyLogError, InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from crmkit._frames import Log
    from crmkit._log import Money, PurchaseLog
    from crmkit._typing import KeepDropOrRaise

__all__ = ["holdout_table", "purchase_table"]

_PIECE = 100_000  # rows


def purchase_table(
    transactions: Any,
    *,
    as_of: Any = None,
    refunds: KeepDropOrRaise = "keep",
    regularity: bool = False,
    heavy_tails: bool = False,
    margins: bool = False,
) -> pd.DataFrame:
    """Summarise each customer's repeat purchases, the table all purchase models learn from.

    All rows of a customer on one calendar day are one purchase. The first purchase day opens
    the relationship; every later one is a repeat purchase.

    Parameters
    ----------
    transactions : DataFrame
        One row per order line with ``customer_id``, ``date`` and, for money, ``amount``.
    as_of : date-like, optional
        Last day observed, inclusive. The default is the last date in the log.
    refunds : {"keep", "drop", "raise"}
        What to do with negative amounts. ``"keep"`` subtracts a refund from the purchase of the
        same day or, on a day without a purchase, from the last purchase day before it.
        ``"drop"`` ignores refunds. ``"raise"`` refuses them. Under every policy a day with
        nothing but refunds is no purchase, and a customer with nothing but refunds is left out.
    regularity : bool
        Add ``sum_log_gaps``, which the models of regular purchases (:class:`BGCNBD`,
        :class:`MBGCNBD`) learn from.
    heavy_tails : bool
        Add ``log_amount_mean`` and ``log_amount_std``, which :class:`LognormalSpend` learns from.
    margins : bool
        Add ``margin``, ``margin_std`` and ``margin_orders`` from the column ``cost`` of the log
        (direct cost of the row; of a refund what came back, negative), which the models of spend
        learn from. An order that loses money is an order still.

    Returns
    -------
    pandas.DataFrame
        One row per customer, sorted by ``customer_id``:

        * ``customer_id`` - as given.
        * ``frequency`` (int) - repeat purchase days: purchase days after the first one.
        * ``recency`` (float) - days from the first to the last purchase; 0 without a repeat.
        * ``T`` (float) - days from the first purchase to `as_of`.
        * ``monetary_value`` (float) - mean amount per repeat purchase day; 0 without a repeat.
          Absent where the log has no ``amount``.
        * ``first_amount`` (float) - amount of the first purchase day. Absent where the log has no
          ``amount``.
        * ``kept_purchases`` (int) - purchase days of which money is left after refunds, the first
          one counted; what a refund takes beyond its purchase counts against the ones before, and
          0 where refunds took more than all of them. Absent where the log has no ``amount``.
        * ``sum_log_gaps`` (float) - sum of the natural logarithms of the days between one
          purchase day and the next; 0 without a repeat. Optional.
        * ``log_amount_mean`` (float) - mean natural logarithm of the amounts that are left; 0
          where none is. Optional.
        * ``log_amount_std`` (float) - their standard deviation around it, over all of them; 0
          where fewer than two are left. Optional.
        * ``margin`` (float) - share of the amounts that was earned, costs taken off; negative
          where they were higher, missing where nothing is left of the amounts. Optional.
        * ``margin_std`` (float) - standard deviation of the margins of the purchase days, which
          weigh as much as their amounts; 0 of a single one. Optional.
        * ``margin_orders`` (float) - how many purchase days of one amount would tell as much of the
          margin; the fewer than all, the more one outweighs the others. Optional.

    Raises
    ------
    MissingColumnsError
        If ``customer_id`` or ``date`` is missing.
    InputError
        If no purchase falls on or before `as_of`.

    See Also
    --------
    holdout_table : The same with what happened afterwards.
    crmkit.as_transactions : Rename, type and check a raw log; counts what it drops.

    Notes
    -----
    ``recency`` is measured from the first purchase, as in [1]_: a large value means that the
    customer was seen late in the relationship. In RFM tables the word means the opposite.

    References
    ----------
    .. [1] Fader, P. S., Hardie, B. G. S. and Lee, K. L. (2005). "Counting your customers" the
       easy way. Marketing Science 24(2), 275-284.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit import clv
    >>> log = pd.DataFrame({
    ...     "customer_id": ["ann", "ann", "ann", "bob"],
    ...     "date": pd.to_datetime(["2024-01-01", "2024-01-21", "2024-01-21", "2024-01-11"]),
    ...     "amount": [10.0, 20.0, 15.0, 5.0],
    ... })
    >>> table = clv.purchase_table(log, as_of="2024-01-31")
    >>> table[["customer_id", "frequency", "recency", "T", "monetary_value", "first_amount"]]
      customer_id  frequency  recency     T  monetary_value  first_amount
    0         ann          1     20.0  30.0            35.0          10.0
    1         bob          0      0.0  20.0             0.0           5.0
    """
    costs = check_flag(margins, "margins")
    needs = ("amount", "cost") if costs else ()
    log = read_log(transactions, needs=needs, as_of=as_of)
    as_of = log.rows.as_of
    heavy = check_flag(heavy_tails, "heavy_tails")
    if heavy and not log.rows.has("amount"):
        raise InputError("`heavy_tails` needs a log with the column 'amount'.")
    check_refunds(log, refunds, since=None, until=as_of)
    parts = []
    for rows in _pieces(log.rows):
        days = _days(log, rows, refunds, until=as_of)
        part = _summary(days, as_of, regularity=regularity, heavy_tails=heavy)
        if costs:
            cost = _days(log, rows, refunds, until=as_of, money="cost").amount
            assert cost is not None
            part |= margin_columns(days, cost)
        parts.append(part)
    return _table(log, parts, as_of)


def holdout_table(
    transactions: Any,
    *,
    as_of: Any,
    horizon_days: int | None = None,
    observed_until: Any = None,
    refunds: KeepDropOrRaise = "keep",
) -> pd.DataFrame:
    """Split the log at `as_of`: what a model may learn from, and what it should have foreseen.

    Customers whose first purchase lies after `as_of` are not in the table: no model of the
    past could know them.

    Parameters
    ----------
    transactions : DataFrame
        One row per order line with ``customer_id``, ``date`` and, for money, ``amount``.
    as_of : date-like
        Last day observed, inclusive: the end of the calibration period.
    horizon_days : int, optional
        Days after `as_of` that make the hold-out period, ``as_of + 1`` to ``as_of +
        horizon_days``. Default: up to the last day the log covers.
    observed_until : date-like, optional
        Last day the log covers, inclusive, where that is not the day of its last row: a complete
        log with a quiet end, such as that of a small segment, or one with a stray later date.
    refunds : {"keep", "drop", "raise"}
        As in :func:`purchase_table`, for each of the two periods on its own, so that a later
        refund cannot change what was known at `as_of`.

    Returns
    -------
    pandas.DataFrame
        One row per customer, sorted by ``customer_id``:

        * ``customer_id`` - as given.
        * ``frequency`` (int) - repeat purchase days up to `as_of`.
        * ``recency`` (float) - days from the first to the last purchase up to `as_of`.
        * ``T`` (float) - days from the first purchase to `as_of`.
        * ``monetary_value``, ``first_amount``, ``kept_purchases`` - up to `as_of`, as in
          :func:`purchase_table`. Absent where the log has no ``amount``.
        * ``holdout_days`` (int) - length of the hold-out period.
        * ``holdout_frequency`` (int) - purchase days in the hold-out period.
        * ``holdout_monetary_value`` (float) - mean amount per purchase day in the hold-out
          period; 0 without one. Absent where the log has no ``amount``.

    Raises
    ------
    MissingColumnsError
        If ``customer_id`` or ``date`` is missing.
    InputError
        If no purchase falls on or before `as_of`, or the log ends before the hold-out period.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit import clv
    >>> log = pd.DataFrame({
    ...     "customer_id": ["ann", "ann", "ann", "bob"],
    ...     "date": pd.to_datetime(["2024-01-01", "2024-01-21", "2024-02-20", "2024-01-11"]),
    ... })
    >>> split = clv.holdout_table(log, as_of="2024-01-31", horizon_days=20)
    >>> split[["customer_id", "frequency", "T", "holdout_frequency"]]
      customer_id  frequency     T  holdout_frequency
    0         ann          1  30.0                  1
    1         bob          0  20.0                  0
    """
    log = read_until(transactions, observed_until)
    split, end = holdout_days(
        log.rows, as_of=as_of, horizon_days=horizon_days, observed_until=observed_until
    )
    check_refunds(log, refunds, since=None, until=end)
    parts = []
    for rows in _pieces(log.rows):
        later = _days(log, rows, refunds, since=split + 1, until=end)
        part = _summary(_days(log, rows, refunds, until=split), split)
        part["holdout_days"] = np.full(part["code"].size, end - split)
        # Who of those who buy later is known already, and where.
        codes = later.customer[later.first]
        row = np.searchsorted(part["code"], codes)
        here = row < part["code"].size
        here[here] = part["code"][row[here]] == codes[here]
        part["holdout_frequency"] = np.zeros(part["code"].size, dtype=np.int64)
        part["holdout_frequency"][row[here]] = later.count[here]
        if later.amount is not None:
            part["holdout_monetary_value"] = np.zeros(part["code"].size)
            part["holdout_monetary_value"][row[here]] = later.mean()[here]
        parts.append(part)
    return _table(log, parts, split)


def _pieces(log: Log) -> Iterator[NDArray[Any]]:
    """Return the rows of some customers at a time: sorting a piece needs little memory.

    Pieces are in the order of the customers and hold about as many rows each.
    """
    piece_of = np.cumsum(np.bincount(log.customer, minlength=log.n_customers)) // _PIECE
    n_pieces = int(piece_of[-1]) + 1
    # Of few pieces numpy sorts by their digits, in time that grows with the rows only.
    piece = piece_of.astype(np.min_scalar_type(n_pieces))[log.customer]
    rows = np.argsort(piece, kind="stable")
    yield from np.split(rows, np.cumsum(np.bincount(piece, minlength=n_pieces))[:-1])


def _days(
    purchases: PurchaseLog,
    rows: NDArray[Any],
    refunds: str,
    *,
    until: int,
    since: int | None = None,
    money: Money = "amount",
) -> PurchaseDays:
    """Reduce these rows as far as they fall on some days, with the amounts or costs of each."""
    log, bought = purchases.rows, purchases.bought
    day = log.day[rows]
    seen = day <= until
    if since is not None:
        seen &= day >= since
    if not seen.all():
        rows, day = rows[seen], day[seen]
    return purchase_days(
        log.customer[rows],
        day,
        getattr(log, money)[rows] if log.has(money) else None,
        None if bought is None else bought[rows],
        book=refunds == "keep",
    )


def _summary(
    days: PurchaseDays, as_of: int, *, regularity: bool = False, heavy_tails: bool = False
) -> dict[str, NDArray[Any]]:
    """Return the columns of the purchase table, with the customers' codes."""
    first = days.day[days.first]
    columns: dict[str, NDArray[Any]] = {
        "code": days.customer[days.first],
        "frequency": days.count - 1,
        "recency": (days.day[days.last] - first).astype(np.float64),
        "T": (as_of - first).astype(np.float64),
    }
    if days.amount is not None:
        columns["monetary_value"] = days.repeat_mean()
        columns["first_amount"] = days.amount[days.first]
        kept = kept_columns(days, logs=heavy_tails)
        columns["kept_purchases"] = kept.pop("kept_purchases")
    if check_flag(regularity, "regularity"):
        columns["sum_log_gaps"] = days.sum_log_gaps()
    if heavy_tails:
        columns |= kept
    return columns


def _table(log: PurchaseLog, parts: list[dict[str, NDArray[Any]]], as_of: int) -> pd.DataFrame:
    """Put the pieces together."""
    code = np.concatenate([part.pop("code") for part in parts])
    if not code.size:
        raise EmptyLogError(
            f"`transactions` has no purchase on or before {day_text(as_of)}: "
            "every row lies later or is a refund.",
            {ACCOUNT: log.account},
        )
    columns: dict[str, Any] = {"customer_id": log.rows.customer_ids[code]}
    for name in list(parts[0]):
        columns[name] = np.concatenate([part.pop(name) for part in parts])
    return log.noted(pd.DataFrame(columns, copy=False))
