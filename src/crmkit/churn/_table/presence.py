"""At which ages each customer was active: counted by the calendar, or from the first day on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from crmkit._arrays import ranges
from crmkit._checks import check_choice, check_number
from crmkit._frames import ACCOUNT, customer_groups, read_period
from crmkit._log import first_and_last, purchase_days, read_log
from crmkit._money import decimal_units
from crmkit._periods import day_text, period_of, periods_since
from crmkit.churn._math.rates import TRIAL, Spells, standing
from crmkit.churn._table.contracts import Contracts, is_contracts, read_contracts
from crmkit.errors import EmptyLogError, InputError

if TYPE_CHECKING:
    import pandas as pd

    from crmkit._log import PurchaseLog
    from crmkit._periods import Calendar, Period
    from crmkit._typing import Bools, Floats, Ints


__all__ = ["Activity", "Ages", "Paid", "Presence", "Spent", "read_presence", "run_length"]

Activity = Literal["exact", "unbounded", "rolling"]
Ages = Literal["calendar", "customer"]


@dataclass(frozen=True, slots=True)
class Spent:
    """What the rows of a log are worth: ``number`` less the customer's ``offset`` is their age."""

    customer: Ints
    number: Ints
    offset: Ints
    amount: Floats
    bought: Bools | None


@dataclass(frozen=True, slots=True)
class Paid:
    """What customers pay for contracts: at each age, (m,), and on their ``first`` day, (n,).

    Money is in whole units, `scale` of which make one.
    """

    value: Ints
    first: Ints
    scale: float


@dataclass(frozen=True, slots=True)
class Presence:
    """At which ages n customers were active: distinct pairs of ``customer`` and ``age``, (m,).

    ``cohort`` is the period in which a customer began, numbered from ``first_number``, and
    ``whole_ages`` how many ages had ended by ``as_of``; both have shape (n,).
    """

    source: PurchaseLog | Contracts
    calendar: Calendar
    customer: Ints
    age: Ints
    cohort: Ints
    first_number: int
    whole_ages: Ints
    as_of: int
    account: dict[str, Any]
    money: Spent | Paid | None

    @property
    def customer_ids(self) -> pd.Index[Any]:
        """The ids of the n customers, sorted."""
        members = self.source if isinstance(self.source, Contracts) else self.source.rows
        return members.customer_ids

    def first_and_last(self) -> tuple[Ints, Ints]:
        """Return each customer's first day and the last one known, (n,)."""
        if isinstance(self.source, Contracts):
            return _first_and_last_under_contract(self.source)
        return first_and_last(self.source.rows, self.source.bought)

    def groups(self, columns: list[str], customers: Any) -> tuple[Ints, pd.DataFrame]:
        """Return each customer's group and the distinct groups."""
        members: Any = self.source
        if not isinstance(self.source, Contracts):
            members = self.source.purchases if columns else self.source.rows
        return customer_groups(members, columns, customers, self.account)


def run_length(activity: Activity, window_periods: int) -> int | None:
    """Return for how many periods one activity counts; None means up to the last activity."""
    check_choice(activity, "activity", Activity)
    length = int(check_number(window_periods, "window_periods"))
    return {"exact": 1, "rolling": length, "unbounded": None}[activity]


def read_presence(
    transactions: Any,
    period: Period,
    as_of: Any,
    needs: list[str],
    *,
    ages: Ages,
    ends: Any,
    grace_days: Any,
) -> Presence:
    """Read a log or contracts and find at which ages each customer was active."""
    grace_days = check_number(grace_days, "grace_days")
    calendar = read_period(period)
    own = check_choice(ages, "ages", Ages) == "customer"
    if own and calendar.first_days:
        raise InputError(
            "`ages` from each customer's first day need a `period` of one length or of months, "
            "such as 'week' or 'month'; the first days given are not."
        )
    if is_contracts(transactions, "transactions"):
        book = read_contracts(
            transactions, as_of=as_of, ends=ends, grace_days=grace_days, needs=needs
        )
        return _of_contracts(book, calendar, own=own)
    if ends is not None or grace_days:
        raise InputError("`ends` and `grace_days` are for contracts; `transactions` has none.")
    return _of_log(read_log(transactions, needs=needs, as_of=as_of), calendar, own=own)


def _of_log(log: PurchaseLog, calendar: Calendar, *, own: bool) -> Presence:
    """Return at which ages customers bought."""
    rows, reach = log.rows, log.rows.as_of + 1
    if own:
        first, _ = first_and_last(rows, log.bought)
        low, cohort, whole = _cohorts(first, reach, calendar, own=True)
        number = periods_since(first[rows.customer], rows.day, calendar)
        offset = np.zeros(rows.n_customers, dtype=np.int64)
        active = purchase_days(rows.customer, number, bought=log.bought)
    else:
        # The first period tells the cohort, without a look at the days of every row.
        begin, end = period_of(np.array([rows.day.min(), reach]), calendar).tolist()
        number = period_of(rows.day, calendar, since=begin)
        active = purchase_days(rows.customer, number, bought=log.bought)
        offset = active.day[active.first]
        earliest = int(offset.min())
        low, cohort, whole = begin + earliest, offset - earliest, (end - begin) - offset
    money = None
    if rows.has("amount"):
        money = Spent(rows.customer, number, offset, rows.amount, log.bought)
    return Presence(
        source=log,
        calendar=calendar,
        customer=active.customer,
        age=active.day - offset[active.customer],
        cohort=cohort,
        first_number=low,
        whole_ages=whole,
        as_of=rows.as_of,
        account=log.account,
        money=money,
    )


def _of_contracts(book: Contracts, calendar: Calendar, *, own: bool) -> Presence:
    """Return at the ends of which ages customers had a contract, and what they paid then."""
    told = book.n_customers
    book = book.take(book.state != TRIAL)
    book.account["customers_only_on_trial"] = told - book.n_customers
    if not book.n_customers:
        raise EmptyLogError(
            f"`transactions` has no customer by {day_text(book.as_of)}: every contract is a trial.",
            {ACCOUNT: book.account},
        )
    who, reach = book.customer, book.as_of + 1
    first, _ = _first_and_last_under_contract(book)
    low, cohort, whole = _cohorts(first, reach - book.grace, calendar, own=own)

    def age(day: Ints) -> Ints:
        if own:
            return periods_since(first[who], day, calendar)
        return period_of(day, calendar, since=low) - cohort[who]

    value, scale = decimal_units(np.zeros(who.size) if book.value is None else book.value)
    spells = Spells(who, age(book.start), age(np.minimum(book.until, reach)) - 1, book.state, value)
    now = standing(spells, n_periods=max(int(whole.max()), 1))
    here = np.flatnonzero(now.here)
    number, pair_age = ranges(now.begin[here], now.end[here] - now.begin[here])
    begins = book.start == first[who]
    first_value = np.zeros(book.n_customers, dtype=np.int64)
    np.add.at(first_value, who[begins], value[begins])
    return Presence(
        source=book,
        calendar=calendar,
        customer=now.customer[here][number],
        age=pair_age,
        cohort=cohort,
        first_number=low,
        whole_ages=whole,
        as_of=book.as_of,
        account=book.account,
        money=None if book.value is None else Paid(now.value[here][number], first_value, scale),
    )


def _first_and_last_under_contract(book: Contracts) -> tuple[Ints, Ints]:
    """Return each customer's first day under contract and the last one that has been seen."""
    reach = book.as_of + 1
    first = np.full(book.n_customers, reach)
    np.minimum.at(first, book.customer, book.start)
    last = np.full(book.n_customers, first.min())
    np.maximum.at(last, book.customer, np.minimum(book.until, reach) - 1)
    return first, last


def _cohorts(first: Ints, reach: int, calendar: Calendar, *, own: bool) -> tuple[int, Ints, Ints]:
    """Return the earliest period, each customer's from it on, and how many ages have ended.

    `reach` is the first day that nobody has seen.
    """
    number = period_of(np.r_[first, reach], calendar)
    low = int(number[:-1].min())
    if own:
        whole = periods_since(first, np.maximum(first, reach), calendar)
    else:
        whole = number[-1] - number[:-1]
    return low, number[:-1] - low, np.maximum(whole, 0)
