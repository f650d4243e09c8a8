"""Groups of customers by when they came and by columns of a customer table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from crmkit._checks import check_number, check_optional
from crmkit._frames import customer_columns, day_column, group_codes, read_by, read_period
from crmkit._log import read_log
from crmkit._periods import period_of, period_start
from crmkit.clv._math.accounting import DAYS_PER_YEAR, discount_factor
from crmkit.clv._table.days import days_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crmkit._log import PurchaseLog
    from crmkit._periods import Calendar, Period
    from crmkit._typing import Floats, Ints, KeepDropOrRaise


__all__ = ["Earnings", "read_earnings"]


@dataclass(frozen=True, slots=True)
class Earnings:
    """What customers earned since their first purchase; n customers, m purchase days, g groups.

    ``ids``, ``first_day`` and ``group`` describe customers, shape (n,); ``customer``, ``age``
    (days since the first purchase) and ``value`` (discounted margin) purchase days, shape (m,);
    ``labels`` holds one row per group.
    """

    ids: pd.Series[Any]
    first_day: Ints
    group: Ints
    customer: Ints
    day: Ints
    age: Ints
    amount: Floats
    value: Floats
    labels: pd.DataFrame
    log: PurchaseLog


def read_earnings(
    transactions: Any,
    *,
    period: Period | None,
    customers: Any,
    by: str | Sequence[str] | None,
    as_of: Any,
    margin: float | None,
    annual_discount_rate: float,
    refunds: KeepDropOrRaise,
) -> Earnings:
    """Reduce the log to purchase days and put each customer into a group."""
    calendar = None if period is None else read_period(period)
    share = check_optional(margin, "margin")
    rate = check_number(annual_discount_rate, "annual_discount_rate")
    costs = () if share is not None else ("cost",)
    log = read_log(transactions, needs=("amount",), optional=costs, as_of=as_of)
    days = days_of(log, refunds)
    ids = pd.Series(log.rows.customer_ids, name="customer_id")
    first_day = days.day[days.first]
    age = days.day - first_day[days.customer]
    columns = read_by(by, reserved=("cohort",))
    group, labels = _groups(ids, first_day, calendar, customers, columns, log.account)
    amount: Any = days.amount
    earned = amount * (1.0 if share is None else share)
    if share is None and log.rows.has("cost"):
        earned = amount - days_of(log, refunds, money="cost").amount
    return Earnings(
        ids=ids,
        first_day=first_day,
        group=group,
        customer=days.customer,
        day=days.day,
        age=age,
        amount=amount,
        value=earned * discount_factor(age / DAYS_PER_YEAR, rate),
        labels=labels,
        log=log,
    )


def _groups(
    ids: pd.Series[Any],
    first_day: Ints,
    period: Calendar | None,
    customers: Any,
    columns: list[str],
    account: dict[str, Any],
) -> tuple[Ints, pd.DataFrame]:
    """Return a group code per customer, shape (n,), and what each group is."""
    frame = pd.DataFrame(index=ids.index)
    if columns:
        frame = customer_columns(ids, customers, columns, account)
    if period is None:
        return group_codes(frame, columns)
    frame.insert(0, "cohort", period_of(first_day, period))
    group, labels = group_codes(frame, ["cohort", *columns])
    return group, labels.assign(
        cohort=day_column(period_start(labels["cohort"].to_numpy(), period))
    )
