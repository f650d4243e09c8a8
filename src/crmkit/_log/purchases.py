"""Reading a log as purchases: which rows are one, and who has none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from crmkit._frames import ACCOUNT, read_transactions, sign_column, table_columns, with_account
from crmkit._log.purchase_days import PurchaseDays, purchase_days
from crmkit._periods import day_text
from crmkit.errors import EmptyLogError

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd

    from crmkit._frames import Log
    from crmkit._typing import Bools, Ints


# Columns of a log that are money.
Money = Literal["amount", "cost"]

__all__ = ["Money", "PurchaseLog", "read_log", "read_rows"]


@dataclass(frozen=True, slots=True)
class PurchaseLog:
    """A log of the customers who have a purchase, and which of its rows are purchases.

    ``rows`` holds their refunds too, for sums of money. ``bought`` has an entry per row; it is
    None where every row is a purchase. ``refund_days`` are the days of all refunds among the
    ``n_rows`` rows read, and ``account`` says whom the log left out.
    """

    rows: Log
    bought: Bools | None
    n_rows: int
    refund_days: Ints
    account: dict[str, float]

    @property
    def purchases(self) -> Log:
        """The log of the purchases alone."""
        return self.rows if self.bought is None else self.rows.take(self.bought)

    def days(self, *, money: Money | None = None, book: bool = True) -> PurchaseDays:
        """Return the purchase days, with the `money` of each if the log has it."""
        rows = self.rows
        amount = getattr(rows, money) if money is not None and rows.has(money) else None
        return purchase_days(rows.customer, rows.day, amount, self.bought, book=book)

    def noted(self, table: pd.DataFrame) -> pd.DataFrame:
        """Return a table with the account in its ``attrs``."""
        return with_account(table, self.account)


def read_rows(
    transactions: Any,
    *,
    needs: Iterable[str] = (),
    optional: Iterable[str] = (),
    as_of: Any = None,
    since: Any = None,
    hours: bool = False,
) -> tuple[Log, Bools | None]:
    """Read a log from `since` to `as_of` and tell which rows are purchases; None if all are.

    The others are refunds: they give money back or, in a log without amounts, goods. A row of
    amount 0 is a purchase.
    """
    sign = sign_column(table_columns(transactions, "transactions"))
    signs = () if sign is None else (sign,)
    log = read_transactions(
        transactions,
        needs=needs,
        optional=(*optional, *signs),
        as_of=as_of,
        since=since,
        hours=hours,
    )
    if sign is None:
        return log, None
    values = log.amount if sign == "amount" else log.quantity
    return log, None if values.min() >= 0 else values >= 0


def read_log(
    transactions: Any,
    *,
    needs: Iterable[str] = (),
    optional: Iterable[str] = (),
    as_of: Any = None,
    since: Any = None,
    hours: bool = False,
) -> PurchaseLog:
    """Read a log as `read_rows` does, and leave out who bought nothing.

    Raises
    ------
    InputError
        If every row is a refund, beside what `read_transactions` says.
    """
    log, bought = read_rows(
        transactions, needs=needs, optional=optional, as_of=as_of, since=since, hours=hours
    )
    account: dict[str, float] = {"customers_without_purchase": 0}
    if bought is None:
        return PurchaseLog(log, None, len(log.day), log.day[:0], account)
    n_rows, refund_days = len(log.day), log.day[~bought]
    buys = np.bincount(log.customer[bought], minlength=log.n_customers) > 0
    if not buys.any():
        later = " lies later or" if log.rows_after_as_of else ""
        later = " lies earlier, later or" if log.rows_before_since else later
        account["customers_without_purchase"] = log.n_customers
        if log.has("amount"):
            account["amount_without_purchase"] = float(log.amount.sum())
        raise EmptyLogError(
            f"`transactions` has no purchase on or before {day_text(log.as_of)}: every "
            f"row{later} is a refund.",
            {
                "rows_after_as_of": log.rows_after_as_of,
                "rows_before_since": log.rows_before_since,
                ACCOUNT: account,
            },
        )
    if not buys.all():
        known = buys[log.customer]
        account["customers_without_purchase"] = int((~buys).sum())
        if log.has("amount"):
            account["amount_without_purchase"] = float(log.amount[~known].sum())
        log, bought = log.take(known), bought[known]
    return PurchaseLog(log, bought, n_rows, refund_days, account)
