"""Money per customer: sums that do not depend on order, shared costs, curves and tiers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from crmkit._arrays import order_by, share_below, starts

if TYPE_CHECKING:
    from collections.abc import Callable

    from crmkit._typing import Bools, Floats, Ints


__all__ = [
    "WhaleCurve",
    "decimal_sums",
    "discount_lines",
    "share_cost",
    "value_tiers",
    "whale_curve",
]

_CHUNK = 1 << 20
# Below 2**50 a decimal times its power of ten rounds to the right whole number.
_EXACT = 2.0**50
_MOST_DECIMALS = 22
_ENOUGH_DECIMALS = 4
_HALF = 2.0**26


def decimal_sums(codes: Ints, values: Floats, n_groups: int) -> Floats:
    """Return the sum of `values` per group, shape (n_groups,), whatever the order of the rows.

    Adding floats in another order can change the last digit, and with it which customers are
    equal. Here every value becomes a whole number of the smallest decimal unit with which the
    largest group still adds up exactly in a float, so 0.1 + 0.2 is 0.3. Where that unit would be
    coarser than a hundredth of a cent, because one amount or one group is very large, whole
    units of money and what is left are added up apart, each exactly. Rows are taken in pieces to
    keep temporaries small.
    """
    if not values.size:
        return np.zeros(n_groups)
    largest = max(abs(float(values.min())), abs(float(values.max())))
    most_rows = int(np.bincount(codes).max())
    decimals = _decimals(largest * most_rows, _MOST_DECIMALS)
    if decimals >= _ENOUGH_DECIMALS:
        scale = 10.0**decimals
        (total,) = _sums(codes, values, n_groups, lambda piece: (np.rint(piece * scale),))
        return total / scale
    scale = 10.0 ** _decimals(most_rows, 9)

    def parts(piece: Floats) -> tuple[Floats, ...]:
        whole = np.trunc(piece)
        high = np.trunc(whole / _HALF)
        return high, whole - high * _HALF, np.rint((piece - whole) * scale)

    high, low, left = _sums(codes, values, n_groups, parts)
    # Carried over, equal sums have equal parts, and so one float. Parts of one sign add up to
    # the last digit.
    sign = np.where(_carried(high, low, left, scale)[0] < 0, -1.0, 1.0)
    high, low, left = _carried(sign * high, sign * low, sign * left, scale)
    return sign * (high * _HALF + (low + left / scale))


def _carried(high: Floats, low: Floats, left: Floats, scale: float) -> tuple[Floats, ...]:
    """Return the parts of sums with low and left as small as they can be, and not negative."""
    units = np.floor(left / scale)
    low, left = low + units, left - units * scale
    halves = np.floor(low / _HALF)
    return high + halves, low - halves * _HALF, left


def _decimals(size: float, most: int) -> int:
    """Return how many decimals leave numbers of this size exact."""
    return int(min(np.floor(np.log10(_EXACT / max(size, 1e-290))), most))


def _sums(
    codes: Ints, values: Floats, n_groups: int, parts: Callable[[Floats], tuple[Floats, ...]]
) -> list[Floats]:
    """Return the sum per group of each of the parts into which a piece of values is taken."""
    totals: list[Floats] = []
    for start in range(0, values.size, _CHUNK):
        rows = slice(start, start + _CHUNK)
        found: list[Floats] = [
            np.bincount(codes[rows], weights=part, minlength=n_groups).astype(
                np.float64, copy=False
            )
            for part in parts(values[rows])
        ]
        totals = [a + b for a, b in zip(totals, found, strict=True)] if totals else found
    return totals


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
