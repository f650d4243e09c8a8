"""Numerics that two or more rooms share. Arrays in, arrays out; no tables."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from scipy import special

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import ArrayLike, NDArray

    from crmkit._typing import Bools, Floats, Ints


__all__ = [
    "Adjustment",
    "GainsCurve",
    "adjust_p_values",
    "distinct",
    "gains_curve",
    "group_rank",
    "mean_interval",
    "normal_quantile",
    "order_by",
    "pieces",
    "ranges",
    "rank_bins",
    "share_below",
    "starts",
    "wilson_interval",
]

_MOST = 2**62  # packed keys
# What fits a cache, and is given anew without asking the system for memory.
_PIECE = 1 << 16


Adjustment = Literal["bh", "by", "holm", "bonferroni"]


def normal_quantile(confidence_level: float) -> float:
    """Return z such that a standard normal lies within plus or minus z with that probability."""
    return float(special.ndtri(0.5 + confidence_level / 2))


def wilson_interval(
    successes: ArrayLike, n: ArrayLike, confidence_level: float = 0.95
) -> tuple[Floats, Floats]:
    """Return Wilson's score interval for a proportion (Wilson 1927, J. Am. Stat. Assoc. 22, 209).

    Both arrays have shape (m,); where `n` is 0 nothing is known and the interval is (0, 1).
    """
    k = np.asarray(successes, dtype=np.float64)
    n = np.asarray(n, dtype=np.float64)
    z = normal_quantile(confidence_level)
    safe = np.maximum(n, 1.0)
    p = k / safe
    centre = (p + z**2 / (2 * safe)) / (1 + z**2 / safe)
    half = z / (1 + z**2 / safe) * np.sqrt(p * (1 - p) / safe + z**2 / (4 * safe**2))
    low = np.where(k == 0, 0.0, np.maximum(centre - half, 0.0))
    high = np.where(k == n, 1.0, np.minimum(centre + half, 1.0))
    return np.where(n == 0, 0.0, low), np.where(n == 0, 1.0, high)


def mean_interval(
    total: ArrayLike, total_of_squares: ArrayLike, n: ArrayLike, confidence_level: float = 0.95
) -> tuple[Floats, Floats, Floats, Floats]:
    """Return mean, standard error and Student's interval from sums, each of shape (m,).

    With fewer than two values the spread is unknown: the error and the limits are NaN.
    """
    n = np.asarray(n, dtype=np.float64)
    total = np.asarray(total, dtype=np.float64)
    mean = np.divide(total, n, out=np.full(n.shape, np.nan), where=n > 0)
    square = np.asarray(total_of_squares, dtype=np.float64)
    spread = np.maximum(square - total * np.nan_to_num(mean), 0.0)
    variance = np.divide(spread, n - 1, out=np.full(n.shape, np.nan), where=n > 1)
    error = np.sqrt(variance / np.maximum(n, 1))
    t = special.stdtrit(np.maximum(n - 1, 1), 0.5 + confidence_level / 2)
    return mean, error, mean - t * error, mean + t * error


def adjust_p_values(p_values: ArrayLike, method: Adjustment = "bh", *, n_more: int = 0) -> Floats:
    """Adjust p-values, shape (m,), for the number of tests; NaN stays NaN and is not counted.

    `n_more` further tests are counted as if their p-values were 1.

    ``bonferroni`` and ``holm`` (Holm 1979) bound the chance of any false finding, ``bh``
    (Benjamini and Hochberg 1995) and ``by`` (Benjamini and Yekutieli 2001) the expected share
    of false findings, the latter under any dependence.
    """
    p = np.asarray(p_values, dtype=np.float64)
    adjusted = np.full(p.shape, np.nan)
    known = np.flatnonzero(~np.isnan(p))
    if known.size == 0:
        return adjusted
    order = known[np.argsort(p[known], kind="stable")]
    rank = np.arange(1, known.size + 1)
    m = known.size + n_more
    if method == "bonferroni":
        value = p[order] * m
    elif method == "holm":
        value = np.maximum.accumulate(p[order] * (m - rank + 1))
    else:
        harmonic = float(np.sum(1 / np.arange(1, m + 1))) if method == "by" else 1.0
        value = np.minimum.accumulate((p[order] * m * harmonic / rank)[::-1])[::-1]
    adjusted[order] = np.minimum(value, 1.0)
    return adjusted


def pieces(n: int, size: int = _PIECE) -> Iterator[slice]:
    """Cut n rows into pieces, so that what is worked out on the way is small."""
    return (slice(start, start + size) for start in range(0, n, size))


def starts(*keys: NDArray[Any]) -> Bools:
    """Tell which rows, sorted by the keys, differ from the row before; the first one does."""
    new = np.ones(keys[0].size, dtype=bool)
    np.not_equal(keys[0][1:], keys[0][:-1], out=new[1:])
    for key in keys[1:]:
        new[1:] |= key[1:] != key[:-1]
    return new


def distinct(keys: Ints) -> Ints:
    """Return the distinct keys, sorted; for many keys faster than a hash table."""
    keys = np.sort(keys)
    return keys[starts(keys)]


def order_by(*keys: Ints) -> Ints:
    """Return the order of rows by the first key, then the second and so on; keys have shape (n,).

    Keys are packed into one integer where their ranges allow; one sort of 64-bit integers costs a
    fraction of a sort by several keys. Rows equal in all keys come in any order.
    """
    if not keys[0].size:
        return np.empty(0, dtype=np.int64)
    lows = [int(key.min()) for key in keys]
    spans = [int(key.max()) - low + 1 for key, low in zip(keys, lows, strict=True)]
    if math.prod(spans) >= _MOST:
        return np.asarray(np.lexsort(keys[::-1]), dtype=np.int64)
    packed = np.zeros(keys[0].size, dtype=np.int64)
    for key, low, span in zip(keys, lows, spans, strict=True):
        packed *= span
        packed += key - low
    return np.asarray(np.argsort(packed), dtype=np.int64)


def ranges(begin: Ints | int, length: Ints) -> tuple[Ints, Ints]:
    """Write ranges end to end, shape (``length.sum()``,): the number of each entry's range, and it.

    Range i is ``begin[i], begin[i] + 1, ...``, `length` of them.
    """
    number = np.repeat(np.arange(len(length)), length)
    return number, np.arange(len(number)) + np.repeat(begin - np.cumsum(length) + length, length)


def share_below(values: ArrayLike) -> tuple[Ints, int]:
    """Return, per value of shape (n,), how many values are strictly smaller, and n."""
    values = np.asarray(values)
    ordered = np.sort(values)
    return np.searchsorted(ordered, values, side="left").astype(np.int64), values.size


def rank_bins(values: ArrayLike, n_bins: int) -> Ints:
    """Return bin 0 .. n_bins - 1 per value: floor(n_bins x share strictly below).

    Equal values always share a bin, whatever their order, and units do not matter. A value held
    by many leaves the bins above it empty instead of splitting equals by chance.
    """
    below, n = share_below(values)
    return below * n_bins // max(n, 1)


def group_rank(codes: Ints, values: ArrayLike) -> Ints:
    """Return, per row, how many values of the same group are strictly smaller."""
    values = np.asarray(values)
    order = np.lexsort((values, codes))
    group, value = codes[order], values[order]
    n = order.size
    new_group = starts(group)
    new_value = new_group | starts(value)
    position = np.arange(n)
    first_of_group = np.maximum.accumulate(np.where(new_group, position, 0))
    first_of_value = np.maximum.accumulate(np.where(new_value, position, 0))
    below = np.empty(n, dtype=np.int64)
    below[order] = first_of_value - first_of_group
    return below


@dataclass(frozen=True, slots=True)
class GainsCurve:
    """Customers and outcome totals from the best score downwards, one point per distinct score.

    ``score``, ``customers``, ``outcome`` and ``outcome_square`` have shape (m,), m the number of
    distinct scores, each the total of that score alone (not cumulated), best score first.
    """

    score: Floats
    customers: Floats
    outcome: Floats
    outcome_square: Floats


def gains_curve(score: ArrayLike, outcome: ArrayLike) -> GainsCurve:
    """Reduce scored customers, shape (n,), to one row per distinct score, best first.

    Rows of equal score cannot be told apart by it, so nothing that follows can depend on their
    order.
    """
    score = np.asarray(score, dtype=np.float64)
    outcome = np.asarray(outcome, dtype=np.float64)
    distinct, codes = np.unique(-score, return_inverse=True)
    m = distinct.size
    return GainsCurve(
        score=-distinct,
        customers=np.bincount(codes, minlength=m).astype(np.float64),
        outcome=np.bincount(codes, weights=outcome, minlength=m).astype(np.float64),
        outcome_square=np.bincount(codes, weights=outcome**2, minlength=m).astype(np.float64),
    )
