"""Money that adds up exactly: amounts as whole numbers of a decimal unit, in any order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from crmkit._typing import Floats, Ints


__all__ = ["decimal_sums", "decimal_units", "one_scale"]

_CHUNK = 1 << 20
# Below 2**50 a decimal times its power of ten rounds to the right whole number.
_EXACT = 2.0**50
_MOST_DECIMALS = 22
_ENOUGH_DECIMALS = 4
_HALF = 2.0**26
_MOST_UNITS = 2.0**61
_BILLIONTHS = 9


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


def decimal_units(values: Floats) -> tuple[Ints, float]:
    """Return values as whole numbers of a decimal unit, and how many units make one.

    The unit is the smallest, down to a billionth, with which all of them add up exactly: sums of
    whole numbers depend on no order, and movements lead from one balance to the next to the cent.
    """
    total, most = float(np.abs(values).sum()), float(np.abs(values).max(initial=0.0))
    room = min(_MOST_UNITS / max(total, 1.0), 2.0**53 / max(most, 1.0))
    scale = 10.0 ** min(max(int(np.floor(np.log10(room))), 0), _BILLIONTHS)
    return np.rint(values * scale).astype(np.int64), scale


def one_scale(units: Ints, scale: Floats) -> tuple[Ints, float]:
    """Return whole units, each `scale` of which make one, in the coarsest of these units."""
    coarsest = float(scale.min())
    if (scale == coarsest).all():
        return units, coarsest
    return np.rint(units * (coarsest / scale)).astype(np.int64), coarsest
