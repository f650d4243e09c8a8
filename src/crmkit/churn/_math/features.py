"""What a customer's orders up to a day say about that customer; nothing later has any say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from crmkit._log import OrderDays
    from crmkit._typing import Bools, Floats, Ints


__all__ = ["snapshot"]


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
