"""What a customer's orders up to a day say about that customer; nothing later has any say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from crmkit.churn._math.ordering import order_by

if TYPE_CHECKING:
    from crmkit._typing import Bools, Floats, Ints


__all__ = ["OrderDays", "bought_between", "first_days", "order_days", "snapshot"]


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
    customer: Ints, day: Ints, order: Ints, amount: Floats | None, discount: Floats | None
) -> OrderDays:
    """Reduce log rows, arrays of shape (n,), to order days.

    Each row of the result depends on log rows of its own day and earlier ones only, so that it
    can be cut at any day without a look ahead.
    """
    by_order = order_by(order, day)
    order, day, customer = order[by_order], day[by_order], customer[by_order]
    cuts = np.flatnonzero(np.r_[True, (order[1:] != order[:-1]) | (day[1:] != day[:-1])])

    def total(values: Floats | None) -> Floats | None:
        return None if values is None else np.add.reduceat(values[by_order], cuts)

    refund = None if amount is None else total(np.maximum(-amount, 0.0))
    purchase = np.ones(cuts.size, dtype=bool)
    if amount is not None:
        purchase = np.add.reduceat((amount[by_order] >= 0).astype(np.int64), cuts) > 0
    order, day, customer = order[cuts], day[cuts], customer[cuts]
    starts = np.zeros(cuts.size, dtype=bool)
    bought = np.flatnonzero(purchase)
    starts[bought] = np.r_[True, order[bought][1:] != order[bought][:-1]][: bought.size]

    by_day = order_by(customer, day, order)
    customer, day, purchase = customer[by_day], day[by_day], purchase[by_day]
    bought = np.flatnonzero(purchase)
    who, when = customer[bought], day[bought]
    same = who[1:] == who[:-1]
    new_day = np.zeros(cuts.size, dtype=bool)
    new_day[bought] = np.r_[True, ~same | (when[1:] != when[:-1])][: bought.size]
    gap = np.zeros(cuts.size)
    gap[bought[1:]] = np.where(same, when[1:] - when[:-1], 0)

    def sort(values: Floats | None) -> Floats | None:
        return None if values is None else values[by_day]

    return OrderDays(
        customer=customer,
        day=day,
        purchase=purchase,
        starts=starts[by_day],
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
    customer, product, day = customer[order], product[order], day[order]
    changes = (customer[1:] != customer[:-1]) | (product[1:] != product[:-1])
    first = np.r_[True, changes][: customer.size]
    return customer[first], day[first]


def bought_between(orders: OrderDays, n_customers: int, after: int, until: int) -> Bools:
    """Tell who bought on days after `after` up to and including `until`, shape (n_customers,)."""
    rows = orders.purchase & (orders.day > after) & (orders.day <= until)
    return np.bincount(orders.customer[rows], minlength=n_customers) > 0


def snapshot(
    orders: OrderDays,
    pairs: tuple[Ints, Ints] | None,
    n_customers: int,
    as_of: int,
    recent_days: int,
) -> dict[str, Floats | Ints]:
    """Return features by name, each of shape (n_customers,), from days up to `as_of` only.

    Customers without a purchase by then have 0 ``orders``; their other features mean nothing.
    """
    rows = slice(None) if orders.day.max(initial=as_of) <= as_of else orders.day <= as_of
    who, day = orders.customer[rows], orders.day[rows]
    purchase, starts, new_day = orders.purchase[rows], orders.starts[rows], orders.new_day[rows]
    recent = day > as_of - recent_days
    previous = ~recent & (day > as_of - 2 * recent_days)

    def count(mask: Bools) -> Ints:
        return np.bincount(who[mask], minlength=n_customers).astype(np.int64)

    def total(values: Floats, mask: Bools | slice = slice(None)) -> Floats:
        weights = values[rows][mask]
        return np.bincount(who[mask], weights=weights, minlength=n_customers).astype(np.float64)

    # Rows are sorted by customer and day, so the last write of a customer is the latest day.
    last, first = np.full(n_customers, as_of), np.full(n_customers, as_of)
    last[who[purchase]] = day[purchase]
    first[who[purchase][::-1]] = day[purchase][::-1]
    days = count(new_day)
    gaps = np.maximum(days - 1, 0)
    mean_gap = _ratio((last - first).astype(np.float64), gaps)
    gap_square = _ratio(total(orders.gap**2), gaps)
    spread = np.sqrt(np.maximum(gap_square - mean_gap**2, 0.0))
    recent_orders, previous_orders = count(starts & recent), count(starts & previous)
    n_orders = count(starts)
    features: dict[str, Floats | Ints] = {
        "recency_days": as_of - last,
        "tenure_days": as_of - first,
        "orders": n_orders,
        "purchase_days": days,
        "recent_orders": recent_orders,
        "previous_orders": previous_orders,
        "order_trend": _trend(recent_orders, previous_orders),
        "mean_gap_days": mean_gap,
        "gap_variation": _ratio(spread, mean_gap),
        "gap_ratio": _ratio((as_of - last).astype(np.float64), mean_gap),
    }
    if orders.amount is not None and orders.refund is not None:
        amount, refund = total(orders.amount), total(orders.refund)
        recent_amount = total(orders.amount, recent)
        features |= {
            "total_amount": amount,
            "mean_order_amount": _ratio(amount, n_orders),
            "recent_amount": recent_amount,
            "amount_trend": _trend(recent_amount, total(orders.amount, previous)),
            "refund_share": _share(refund, amount + refund),
        }
    if orders.discount is not None:
        discount = total(orders.discount)
        paid = total(orders.amount) if orders.amount is not None else np.zeros(n_customers)
        gross = discount + np.maximum(paid, 0.0)
        features["discount_share"] = _share(discount, gross)
    if pairs is not None:
        buyer, since = pairs
        known = since <= as_of
        fresh = known & (since > as_of - recent_days)
        features["products"] = np.bincount(buyer[known], minlength=n_customers)
        features["new_products"] = np.bincount(buyer[fresh], minlength=n_customers)
    return features


def _ratio(part: Floats, whole: Floats | Ints) -> Floats:
    """Return part / whole, NaN where whole is 0."""
    whole = whole.astype(np.float64)
    return np.divide(part, whole, out=np.full(part.shape, np.nan), where=whole > 0)


def _share(part: Floats, whole: Floats) -> Floats:
    """Return part / whole within 0 and 1, 0 where there is no whole."""
    share = np.divide(part, whole, out=np.zeros(part.shape), where=whole > 0)
    return np.clip(share, 0.0, 1.0)


def _trend(recent: Floats | Ints, previous: Floats | Ints) -> Floats:
    """Return (recent - previous) / (|recent| + |previous|), from -1 to 1; 0 where both are 0."""
    recent, previous = recent.astype(np.float64), previous.astype(np.float64)
    size = np.abs(recent) + np.abs(previous)
    return np.divide(recent - previous, size, out=np.zeros(recent.shape), where=size > 0)
