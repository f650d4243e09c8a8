"""Money per customer: sums that do not depend on order, shared costs, curves and tiers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from crmkit._arrays import share_below

if TYPE_CHECKING:
    from crmkit._typing import Floats, Ints


__all__ = ["WhaleCurve", "decimal_sums", "share_cost", "value_tiers", "whale_curve"]

_CHUNK = 1 << 20
# Below 2**50 a decimal times its power of ten rounds to the right whole number.
_EXACT = 2.0**50
_MOST_DECIMALS = 22


def decimal_sums(codes: Ints, values: Floats, n_groups: int) -> Floats:
    """Return the sum of `values` per group, shape (n_groups,), whatever the order of the rows.

    Adding floats in another order can change the last digit, and with it which customers are
    equal. Here every value becomes a whole number of the smallest decimal unit with which the
    largest group still adds up exactly in a float (cents and finer below 1e13), so 0.1 + 0.2 is
    0.3. Rows are taken in pieces to keep temporaries small.
    """
    if not values.size:
        return np.zeros(n_groups)
    largest = max(abs(float(values.min())), abs(float(values.max())))
    most_rows = int(np.bincount(codes).max())
    room = _EXACT / max(largest * most_rows, 1e-290)
    decimals = int(min(np.floor(np.log10(room)), _MOST_DECIMALS))
    scale = 10.0**decimals if decimals >= 0 else 1.0
    total = np.zeros(n_groups)
    for start in range(0, values.size, _CHUNK):
        units = values[start : start + _CHUNK] * scale
        np.rint(units, out=units)
        total += np.bincount(codes[start : start + _CHUNK], weights=units, minlength=n_groups)
    return total / scale


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
