"""From rows to purchase days: who bought on which days, and the money of each."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from crmkit._arrays import starts
from crmkit._log.pairs import distinct_pairs

if TYPE_CHECKING:
    from crmkit._typing import Bools, Floats, Ints


__all__ = ["PurchaseDays", "purchase_days"]


@dataclass(frozen=True, slots=True)
class PurchaseDays:
    """Distinct purchase days, sorted by customer and day; m days of n customers.

    ``customer`` and ``day`` have shape (m,), ``amount`` (m,) or None; ``first`` has shape (n,)
    and holds the position of each customer's first day. Days may as well be numbers of periods.
    """

    customer: Ints
    day: Ints
    amount: Floats | None
    first: Ints

    @property
    def count(self) -> Ints:
        """Purchase days per customer, shape (n,)."""
        return np.diff(self.first, append=self.day.size)

    @property
    def last(self) -> Ints:
        """Position of each customer's last day, shape (n,)."""
        return self.first + self.count - 1

    @property
    def repeat(self) -> Bools:
        """Tell which days are not their customer's first, shape (m,)."""
        repeat = np.ones(self.day.size, dtype=bool)
        repeat[self.first] = False
        return repeat

    @property
    def gap(self) -> Ints:
        """Days since the customer's purchase day before, 0 on the first; shape (m,)."""
        gap = np.diff(self.day, prepend=0)
        gap[self.first] = 0
        return gap

    def until(self, day: int) -> PurchaseDays:
        """Return the purchase days up to and including one."""
        seen = self.day <= day
        amount = None if self.amount is None else self.amount[seen]
        return _days(self.customer[seen], self.day[seen], amount)

    def mean(self) -> Floats:
        """Mean amount per purchase day, of a log with amounts; shape (n,)."""
        assert self.amount is not None
        return np.add.reduceat(self.amount, self.first) / np.maximum(self.count, 1)

    def repeat_mean(self) -> Floats:
        """Mean amount per repeat purchase day, 0 where there is none; shape (n,)."""
        assert self.amount is not None
        total: Floats = np.add.reduceat(np.where(self.repeat, self.amount, 0.0), self.first)
        return total / np.maximum(self.count - 1, 1)

    def sum_log_gaps(self) -> Floats:
        """Sum of the logs of the days between purchase days, shape (n,)."""
        total: Floats = np.add.reduceat(np.log(np.maximum(self.gap, 1)), self.first)
        return total


def purchase_days(
    customer: Ints,
    day: Ints,
    amount: Floats | None = None,
    bought: Bools | None = None,
    *,
    book: bool = True,
) -> PurchaseDays:
    """Merge all purchases of a customer on one day into one purchase day; rows have shape (n,).

    Rows that are not `bought` are refunds. To `book` one is to subtract it from the purchase of
    the same day or, on a day without, from the last purchase day before it; a refund without any
    belongs to a purchase outside the log and is left out.
    """
    if bought is None:
        return _merged(customer, day, amount)
    days = _merged(customer[bought], day[bought], None if amount is None else amount[bought])
    if amount is None or not book or not days.day.size or bought.all():
        return days
    back = ~bought
    return replace(days, amount=_net(days, customer[back], day[back], amount[back]))


def _merged(customer: Ints, day: Ints, amount: Floats | None) -> PurchaseDays:
    """Reduce rows to distinct days."""
    if not customer.size:
        return _days(customer, day, amount)
    low = int(day.min())
    shape = (int(customer.max()) + 1, int(day.max()) - low + 1)
    customer, day, amount = distinct_pairs(
        customer, day - low if low else day, shape=shape, weights=amount
    )
    return _days(customer, day + low if low else day, amount)


def _days(customer: Ints, day: Ints, amount: Floats | None) -> PurchaseDays:
    """Find each customer's first of distinct, sorted days."""
    return PurchaseDays(customer, day, amount, np.flatnonzero(starts(customer)))


def _net(days: PurchaseDays, customer: Ints, day: Ints, refund: Floats) -> Floats:
    """Return the amounts less the refunds, shape (r,), each off the last day at or before it."""
    assert days.amount is not None
    low = min(int(days.day.min()), int(day.min()))
    span = max(int(days.day.max()), int(day.max())) - low + 1
    key = days.customer * span + (days.day - low)
    at = np.searchsorted(key, customer * span + (day - low), side="right") - 1
    known = (at >= 0) & (days.customer[at] == customer)
    return days.amount + np.bincount(at[known], weights=refund[known], minlength=key.size)
