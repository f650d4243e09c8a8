"""What becomes of every row of a log on its way into a purchase table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._checks import Problems, check_choice, number_array
from crmkit._frames import to_pandas
from crmkit._log import read_rows
from crmkit._typing import KeepDropOrRaise
from crmkit.errors import InputError

if TYPE_CHECKING:
    from crmkit._frames import Log
    from crmkit._typing import Bools, Floats


__all__ = ["log_audit"]

_KNOWN = ("customer_id", "date", "amount", "order_id", "product", "quantity", "cost")
_REFUSED = "refused; drop them with as_transactions"
_OUT = "left out"


def log_audit(
    transactions: Any, *, as_of: Any = None, refunds: KeepDropOrRaise = "keep"
) -> pd.DataFrame:
    """Account for every row of the log: what :func:`purchase_table` uses, merges and leaves out.

    Read it before a purchase table whose numbers surprise. It counts what the table refuses,
    too, so that it can say what is wrong with a raw log.

    Parameters
    ----------
    transactions : DataFrame
        One row per order line with ``customer_id``, ``date`` and, for money, ``amount``.
    as_of : date-like, optional
        Last day observed, inclusive. The default is the last date in the log.
    refunds : {"keep", "drop", "raise"}
        As in :func:`purchase_table`.

    Returns
    -------
    pandas.DataFrame
        One row per finding, always the same ones in the same order:

        * ``finding`` (str) - ``"rows"`` in the log; then where they go: ``"missing_customer"``,
          ``"missing_date"``, ``"missing_amount"``, ``"after_as_of"``, ``"purchase_days"`` (the
          first row of each), ``"same_day_rows"`` (the other rows of a purchase day),
          ``"refunds_same_day"``, ``"refunds_later_day"``, ``"refunds_without_purchase"``; these
          add up to the rows. Besides, ``"repeated_rows"`` (equal to an earlier one in all columns
          crmkit knows), ``"customers"`` up to `as_of`, ``"customers_without_purchase"`` among
          them, and ``"repeat_purchase_days"``.
        * ``count`` (int) - rows, days or customers.
        * ``amount`` (float) - net amount of them; that of all rows of a purchase day but refunds
          is with ``"purchase_days"``. Absent where the log has no ``amount``.
        * ``handling`` (str) - what is done with them.

    Raises
    ------
    MissingColumnsError
        If ``customer_id`` or ``date`` is missing.
    InputError
        If no usable row falls on or before `as_of`, or an amount is infinite or text.

    See Also
    --------
    crmkit.as_transactions : Drops or refuses missing values, refunds and repeated rows.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit import clv
    >>> log = pd.DataFrame({
    ...     "customer_id": ["ann", "ann", "ann", "bob", None],
    ...     "date": pd.to_datetime(
    ...         ["2024-01-01", "2024-01-21", "2024-01-21", "2024-01-11", "2024-01-12"]
    ...     ),
    ...     "amount": [10.0, 20.0, 15.0, -5.0, 8.0],
    ... })
    >>> found = clv.log_audit(log).set_index("finding")
    >>> found.loc[["rows", "missing_customer", "purchase_days", "same_day_rows"], "count"].tolist()
    [5, 1, 2, 1]
    >>> found.loc["refunds_without_purchase", "handling"]
    'left out'
    """
    frame = to_pandas(transactions, "transactions", needs=("customer_id", "date"), optional=_KNOWN)
    if frame.empty:
        raise InputError("`transactions` has no rows.")
    money = "amount" in frame.columns
    problems = Problems("transactions")
    amount = np.zeros(len(frame))
    if money:
        amount = number_array(frame["amount"], problems, "amount", allow_missing=True)
    problems.raise_if_any()
    check_choice(refunds, "refunds", KeepDropOrRaise)
    found: list[tuple[str, int, float, str]] = [("rows", len(frame), np.nansum(amount), "")]
    whole = np.ones(len(frame), dtype=bool)
    for name, column in (("customer", "customer_id"), ("date", "date"), ("amount", "amount")):
        absent = np.zeros(len(frame), dtype=bool)
        if column in frame.columns:
            absent = frame[column].isna().to_numpy() & whole
        whole &= ~absent
        found.append((f"missing_{name}", absent.sum(), np.nansum(amount[absent]), _REFUSED))
    if not whole.any():
        raise InputError("`transactions`: every row lacks a customer, a date or an amount.")
    log, bought = read_rows(frame[whole], as_of=as_of)
    used = log.amount if money else np.zeros(log.day.size)
    late = 0.0
    if money and log.rows_after_as_of:
        every, _ = read_rows(frame[whole])
        late = every.amount[every.day > log.as_of].sum()
    found.append(("after_as_of", log.rows_after_as_of, late, _OUT))
    found += _fates(log, bought, used, refunds)
    repeated = frame[[column for column in _KNOWN if column in frame.columns]][whole].duplicated()
    again = repeated.to_numpy()
    kept = "kept; drop them with as_transactions"
    found.insert(-3, ("repeated_rows", again.sum(), amount[whole][again].sum(), kept))
    table = pd.DataFrame(found, columns=["finding", "count", "amount", "handling"])
    table = table.astype({"count": "int64"})
    return table if money else table.drop(columns="amount")


def _fates(
    log: Log, buys: Bools | None, amount: Floats, refunds: str
) -> list[tuple[str, int, float, str]]:
    """Tell what becomes of the rows up to `as_of`, and of the customers."""
    origin = int(log.day.min())
    key = log.customer * (log.as_of - origin + 1) + (log.day - origin)
    days, row_day = np.unique(key, return_inverse=True)
    owner = days // (log.as_of - origin + 1)
    refund = np.zeros(amount.size, dtype=bool) if buys is None else ~buys
    bought = np.bincount(row_day[~refund], minlength=days.size) > 0
    # Days are sorted by customer and date: has the customer bought on a day up to this one?
    purchases = np.cumsum(bought)
    first = np.searchsorted(owner, owner)
    known = purchases > np.concatenate([[0], purchases])[first]
    same, later = refund & bought[row_day], refund & ~bought[row_day] & known[row_day]
    never = refund & ~known[row_day]
    booked = {
        "keep": ("subtracted from that day", "subtracted from the purchase day before", _OUT),
        "drop": ("ignored",) * 3,
        "raise": ("refused",) * 3,
    }[refunds]
    buyers = np.unique(owner[bought])
    outside = np.isin(log.customer, buyers, invert=True)
    plus = amount[~refund]
    n_days = int(bought.sum())
    n_lost = log.n_customers - buyers.size
    parts = zip(("same_day", "later_day", "without_purchase"), (same, later, never), strict=True)
    return [
        ("purchase_days", n_days, plus.sum(), "a purchase each"),
        ("same_day_rows", plus.size - n_days, 0.0, "merged into the purchase of the day"),
        *(
            (f"refunds_{name}", int(rows.sum()), amount[rows].sum(), effect)
            for (name, rows), effect in zip(parts, booked, strict=True)
        ),
        ("customers", log.n_customers, amount.sum(), ""),
        ("customers_without_purchase", n_lost, amount[outside].sum(), _OUT),
        ("repeat_purchase_days", n_days - buyers.size, 0.0, "counted as frequency"),
    ]
