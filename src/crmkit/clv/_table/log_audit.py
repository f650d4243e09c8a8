"""What becomes of every row of a log on its way into a purchase table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._checks import Problems, check_choice, number_array
from crmkit._frames import to_pandas
from crmkit._log import read_rows
from crmkit._money import decimal_sums
from crmkit._two_steps import in_one, in_two_steps
from crmkit._typing import KeepDropOrRaise
from crmkit.errors import EmptyLogError, InputError

if TYPE_CHECKING:
    from crmkit._frames import Log
    from crmkit._typing import Bools, Floats


__all__ = ["log_audit"]

_KNOWN = ("customer_id", "date", "amount", "order_id", "product", "quantity", "cost")
_REFUNDS = ("refunds_same_day", "refunds_later_day", "refunds_without_purchase")
_FATES = (
    *("purchase_days", "same_day_rows", *_REFUNDS, "repeated_rows", "customers"),
    *("customers_without_purchase", "repeat_purchase_days"),
)
_OUT = "left out"
_BOOKED = {
    "keep": ("subtracted from that day", "subtracted from the purchase day before", _OUT),
    "drop": ("ignored",) * 3,
    "raise": ("refused",) * 3,
}
_HANDLING = {
    **dict.fromkeys(
        ("missing_customer", "missing_date", "missing_amount"),
        "refused; drop them with as_transactions",
    ),
    "after_as_of": _OUT,
    "purchase_days": "a purchase each",
    "same_day_rows": "merged into the purchase of the day",
    "repeated_rows": "kept; drop them with as_transactions",
    "customers_without_purchase": _OUT,
    "repeat_purchase_days": "counted as frequency",
}
_NOBODY = "nobody"  # why a part has nobody


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
    return in_one(log_audit, locals())


def _found(transactions: Any, *, as_of: Any, refunds: KeepDropOrRaise) -> pd.DataFrame:
    """Count the rows of each finding, and add up their money."""
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
    amount = np.nan_to_num(amount)
    found = [("rows", len(frame), _sum(amount))]
    whole = np.ones(len(frame), dtype=bool)
    for name, column in (("customer", "customer_id"), ("date", "date"), ("amount", "amount")):
        absent = np.zeros(len(frame), dtype=bool)
        if column in frame.columns:
            absent = frame[column].isna().to_numpy() & whole
        whole &= ~absent
        found.append((f"missing_{name}", int(absent.sum()), _sum(amount[absent])))
    n, fates, nobody = 0, dict.fromkeys(_FATES, (0, 0.0)), ""
    late = _sum(amount[whole])
    if whole.any():
        try:
            log, bought = read_rows(frame[whole], as_of=as_of)
        except EmptyLogError as error:  # of a part, which is no fault of the whole
            n, nobody = int(whole.sum()), str(error)
        else:
            n = log.rows_after_as_of
            used = log.amount if money else np.zeros(log.day.size)
            late = _sum(np.r_[amount[whole], -used])
            fates = _fates(log, bought, used)
    repeated = frame[[column for column in _KNOWN if column in frame.columns]][whole].duplicated()
    again = repeated.to_numpy()
    fates["repeated_rows"] = (int(again.sum()), _sum(amount[whole][again]))
    found += [("after_as_of", n, late), *((name, *fates[name]) for name in _FATES)]
    table = pd.DataFrame(found, columns=["finding", "count", "amount"])
    table.attrs[_NOBODY] = nobody
    return table if money else table.drop(columns="amount")


def _told(found: pd.DataFrame, *, refunds: KeepDropOrRaise) -> pd.DataFrame:
    """Add up what was found, and tell how it is handled."""
    names = found["finding"].drop_duplicates().tolist()
    row = found["finding"].map({name: at for at, name in enumerate(names)}).to_numpy()
    count = np.zeros(len(names), dtype=np.int64)
    np.add.at(count, row, found["count"].to_numpy())
    table = pd.DataFrame({"finding": names, "count": count})
    number = dict(zip(names, count.tolist(), strict=True))
    if number["rows"] == sum(number[f"missing_{what}"] for what in ("customer", "date", "amount")):
        raise InputError("`transactions`: every row lacks a customer, a date or an amount.")
    if not number["customers"]:
        raise EmptyLogError(
            found.attrs.get(_NOBODY)
            or "`transactions` has no row on or before `as_of`. Choose a later `as_of`."
        )
    if "amount" in found:
        table["amount"] = decimal_sums(row, found["amount"].to_numpy(), len(names))
    effects = dict(zip(_REFUNDS, _BOOKED[refunds], strict=True))
    table["handling"] = [{**_HANDLING, **effects}.get(name, "") for name in names]
    return table


in_two_steps(log_audit, first=_found, rest=_told, raw=True)


def _sum(amount: Floats) -> float:
    """Return a sum that does not depend on the order of the rows."""
    return float(decimal_sums(np.zeros(amount.size, dtype=np.int64), amount, 1)[0])


def _fates(log: Log, buys: Bools | None, amount: Floats) -> dict[str, tuple[int, float]]:
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
    buyers = np.unique(owner[bought])
    outside = np.isin(log.customer, buyers, invert=True)
    n_days, n_bought = int(bought.sum()), int((~refund).sum())
    return {
        "purchase_days": (n_days, _sum(amount[~refund])),
        "same_day_rows": (n_bought - n_days, 0.0),
        **{
            name: (int(rows.sum()), _sum(amount[rows]))
            for name, rows in zip(_REFUNDS, (same, later, never), strict=True)
        },
        "customers": (log.n_customers, _sum(amount)),
        "customers_without_purchase": (log.n_customers - buyers.size, _sum(amount[outside])),
        "repeat_purchase_days": (n_days - buyers.size, 0.0),
    }
