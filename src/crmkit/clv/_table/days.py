"""From log rows to purchase days: the one reduction all tables of this room start from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from crmkit._checks import check_choice
from crmkit.errors import InputError

if TYPE_CHECKING:
    from crmkit._typing import Bools, Floats, Ints

__all__ = ["PurchaseDays", "check_refunds", "purchase_days"]

REFUND_POLICIES = ("keep", "drop", "raise")


@dataclass(frozen=True, slots=True)
class PurchaseDays:
    """Distinct purchase days, sorted by customer and day; m days of n customers.

    ``customer`` and ``day`` have shape (m,), ``amount`` (m,) or None; ``first`` has shape (n,)
    and holds the position of each customer's first day.
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

    def repeat_mean(self) -> Floats:
        """Mean amount per repeat purchase day, 0 where there is none; shape (n,)."""
        if self.amount is None:
            raise InputError("`transactions` has no `amount`.")
        repeat = self.amount.copy()
        repeat[self.first] = 0.0
        total = np.add.reduceat(repeat, self.first) if self.first.size else repeat
        return total / np.maximum(self.count - 1, 1)

    def sum_log_gaps(self) -> Floats:
        """Sum of the logs of the days between purchase days, shape (n,)."""
        gap = np.diff(self.day, prepend=0)
        gap[self.first] = 1
        total: Floats = np.add.reduceat(np.log(gap), self.first)
        return total

    def mean(self) -> Floats:
        """Mean amount per purchase day; shape (n,)."""
        if self.amount is None:
            raise InputError("`transactions` has no `amount`.")
        total = np.add.reduceat(self.amount, self.first) if self.first.size else self.amount
        return total / np.maximum(self.count, 1)


def check_refunds(refunds: str, amount: Floats | None) -> str:
    """Check the policy, and under ``"raise"`` that there is nothing to refund."""
    check_choice(refunds, "refunds", REFUND_POLICIES)
    if refunds == "raise" and amount is not None:
        negative = int((amount < 0.0).sum())
        if negative:
            raise InputError(
                f"`transactions`: {negative:,} of {amount.size:,} rows have a negative `amount` "
                '(refunds). Choose refunds="keep" to book them against the purchase before, or '
                '"drop" to ignore them.'
            )
    return refunds


def purchase_days(
    customer: Ints,
    day: Ints,
    amount: Floats | None,
    *,
    refunds: str = "keep",
) -> PurchaseDays:
    """Merge all rows of a customer on one day into one purchase day.

    A day with nothing but negative amounts is a refund, not a purchase. Under ``"keep"`` its
    amount is booked on the last purchase day before it; a refund without a purchase before it
    belongs to a purchase outside the log and is left out.
    """
    check_refunds(refunds, amount)
    if amount is not None and refunds == "drop":
        keep = amount >= 0.0
        if not keep.all():
            customer, day, amount = customer[keep], day[keep], amount[keep]
    if customer.size == 0:
        empty = np.empty(0, dtype=np.int64)
        return PurchaseDays(empty, empty, None if amount is None else amount[:0], empty)
    origin = int(day.min())
    span = int(day.max()) - origin + 1
    key = customer * span + (day - origin)
    if amount is None:
        key.sort()
        start = _starts(key)
        total = None
    else:
        order = np.argsort(key)
        key, ordered = key[order], amount[order]
        start = _starts(key)
        total = np.add.reduceat(ordered, start)
        if (ordered < 0.0).any():
            bought = np.logical_or.reduceat(ordered >= 0.0, start)
            start, total = _book_refunds(key[start] // span, start, total, bought)
    key = key[start]
    customer = key // span
    return PurchaseDays(customer, key - customer * span + origin, total, _starts(customer))


def _starts(values: Ints) -> Ints:
    """Positions where a sorted array takes a new value."""
    new = np.empty(values.size, dtype=bool)
    new[:1] = True
    np.not_equal(values[1:], values[:-1], out=new[1:])
    return np.flatnonzero(new)


def _book_refunds(
    customer: Ints,
    start: Ints,
    total: Floats,
    bought: Bools,
) -> tuple[Ints, Floats]:
    """Add refund-only days to the purchase day before them; all of shape (days,)."""
    purchase = np.flatnonzero(bought)
    target = np.cumsum(bought) - 1
    refund = np.flatnonzero(~bought & (target >= 0))
    refund = refund[customer[purchase[target[refund]]] == customer[refund]]
    booked = np.bincount(target[refund], weights=total[refund], minlength=purchase.size)
    return start[purchase], total[purchase] + booked
