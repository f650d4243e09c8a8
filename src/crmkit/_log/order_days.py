"""From rows to orders by day, in an order that can be cut at any day."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from crmkit._arrays import order_by, starts

if TYPE_CHECKING:
    from crmkit._typing import Bools, Floats, Ints


__all__ = ["OrderDays", "bought_between", "first_days", "order_days"]


@dataclass(frozen=True, slots=True)
class OrderDays:
    """A log reduced to one row per order and day, sorted by customer and day; shapes (m,).

    ``purchase`` marks rows that bought something (not only a refund), ``starts`` the first
    purchase day of each order, ``new_day`` the first row of each purchase day of a customer and
    ``gap`` the days since the one before it (0 for the first). ``amount`` (net), ``refund`` (as
    a positive number) and ``discount`` are sums, or None where the log had no such column.
    """

    customer: Ints
    day: Ints
    purchase: Bools
    starts: Bools
    new_day: Bools
    gap: Floats
    amount: Floats | None
    refund: Floats | None
    discount: Floats | None


def order_days(
    customer: Ints,
    day: Ints,
    order: Ints,
    amount: Floats | None = None,
    bought: Bools | None = None,
    *,
    discount: Floats | None = None,
) -> OrderDays:
    """Reduce log rows, arrays of shape (n,), to order days.

    Rows that are not `bought` are refunds. Each row of the result depends on log rows of its own
    day and earlier ones only, so that it can be cut at any day without a look ahead.
    """
    by_order = order_by(order, day)
    order, day, customer = order[by_order], day[by_order], customer[by_order]
    cuts = np.flatnonzero(starts(order, day))

    def total(values: Floats | None) -> Floats | None:
        return None if values is None else np.add.reduceat(values[by_order], cuts)

    refund = None if amount is None else total(np.maximum(-amount, 0.0))
    purchase = np.ones(cuts.size, dtype=bool)
    if bought is not None:
        purchase = np.logical_or.reduceat(bought[by_order], cuts)
    order, day, customer = order[cuts], day[cuts], customer[cuts]
    begins = np.zeros(cuts.size, dtype=bool)
    begins[purchase] = starts(order[purchase])

    by_day = order_by(customer, day, order)
    customer, day, purchase = customer[by_day], day[by_day], purchase[by_day]
    who, when = customer[purchase], day[purchase]
    new_day, gap = np.zeros(cuts.size, dtype=bool), np.zeros(cuts.size)
    new_day[purchase] = starts(who, when)
    since = np.diff(when, prepend=0)
    gap[purchase] = np.where(starts(who), 0, since)

    def sort(values: Floats | None) -> Floats | None:
        return None if values is None else values[by_day]

    return OrderDays(
        customer=customer,
        day=day,
        purchase=purchase,
        starts=begins[by_day],
        new_day=new_day,
        gap=gap,
        amount=sort(total(amount)),
        refund=sort(refund),
        discount=sort(total(discount)),
    )


def first_days(customer: Ints, product: Ints, day: Ints) -> tuple[Ints, Ints]:
    """Return customer and first day of each distinct customer and product pair; product >= 0."""
    known = product >= 0
    customer, product, day = customer[known], product[known], day[known]
    order = order_by(customer, product, day)
    first = order[starts(customer[order], product[order])]
    return customer[first], day[first]


def bought_between(orders: OrderDays, n_customers: int, after: int, until: int) -> Bools:
    """Tell who bought on days after `after` up to and including `until`, shape (n_customers,)."""
    rows = orders.purchase & (orders.day > after) & (orders.day <= until)
    return np.bincount(orders.customer[rows], minlength=n_customers) > 0
