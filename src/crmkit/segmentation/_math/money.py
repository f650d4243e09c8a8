"""Money per customer: shared costs, curves and tiers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from crmkit._arrays import order_by, share_below, starts
from crmkit._money import decimal_sums

if TYPE_CHECKING:
    from crmkit._typing import Bools, Floats, Ints


__all__ = [
    "WhaleCurve",
    "discount_lines",
    "share_cost",
    "value_tiers",
    "whale_curve",
]


def discount_lines(
    customer: Ints, order: Ints, day: Ints, amount: Floats, quantity: Floats | None
) -> Bools:
    """Tell which rows of a log, shape (n,), take money off an order instead of giving it back.

    Such a row is negative, stands in an order on a day on which something else was bought in it,
    sends no goods back (`quantity` is not negative) and leaves the order some money on that day;
    where `quantity` is known, to the last cent will do, as a voucher for all of it. `order` holds
    numbers that customers may share.
    """
    less = amount < 0 if quantity is None else (amount < 0) & (quantity >= 0)
    off = np.zeros(amount.size, dtype=bool)
    if not less.any():
        return off
    # Few orders have such a row, so only these are sorted.
    rows = np.flatnonzero(_among(order, order[less]) & (less | (amount >= 0)))
    rows = rows[order_by(customer[rows], order[rows], day[rows])]
    code = np.cumsum(starts(customer[rows], order[rows], day[rows])) - 1
    money = decimal_sums(code, amount[rows], int(code[-1]) + 1)
    left = money > 0 if quantity is None else money >= 0
    off[rows] = less[rows] & left[code]
    return off


def _among(values: Ints, wanted: Ints) -> Bools:
    """Tell which values, shape (n,), are among those wanted, by flags where these take no room."""
    low = int(values.min())
    span = int(values.max()) - low + 1
    if span > 8 * values.size:
        return np.isin(values, wanted)
    flags = np.zeros(span, dtype=bool)
    flags[wanted - low] = True
    return flags[values - low]


def share_cost(cost: float, driver: Floats, capacity: float | None = None) -> Floats:
    """Return the cost each customer causes, shape (n,): ``cost x driver / sum(driver)``.

    With a practical `capacity` the cost is shared over that many driver units instead, and what
    is not used stays with the pool (Kaplan and Anderson 2004). The shares of a used-up pool add
    up to its cost up to float rounding, far below a cent.
    """
    units = float(driver.sum()) if capacity is None else capacity
    if units == 0:
        return np.zeros(driver.shape)
    return cost * (driver / units)


@dataclass(frozen=True, slots=True)
class WhaleCurve:
    """Cumulative profit of the best 0, 1, ... n customers: ``cumulative`` has shape (n + 1,)."""

    profit: Floats
    cumulative: Floats
    peak: float
    customers_at_peak: int


def whale_curve(profit: Floats) -> WhaleCurve:
    """Sort profit, shape (n,), from best to worst and cumulate it.

    The peak is the profit of all customers who earn more than they cost; those who earn exactly
    nothing lie beyond it.
    """
    ordered = -np.sort(-profit)
    cumulative = np.concatenate(([0.0], np.cumsum(ordered)))
    at_peak = int(np.count_nonzero(ordered > 0))
    return WhaleCurve(ordered, cumulative, float(cumulative[at_peak]), at_peak)


def value_tiers(value: Floats, shares: Floats) -> Ints:
    """Return the tier of each value, shape (n,): 0 is the best, ``len(shares)`` the last.

    A customer's tier follows from the share of customers with a strictly larger value, so equal
    values share a tier; `shares` are the sizes of all tiers but the last.
    """
    above, n = share_below(-value)
    upper = np.rint(np.cumsum(shares) * n * 1e9) / 1e9
    return np.searchsorted(upper, above.astype(np.float64), side="right").astype(np.int64)
