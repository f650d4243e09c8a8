"""Exact hypergeometric tails for many 2 x 2 tables at once.

X is the number of baskets with both sides of a rule when n_a of n baskets hold the one and n_c the
other, and chance alone decides which: the null model of Fisher's exact test.

References
----------
.. [1] Loader, C. (2000). *Fast and accurate computation of binomial probabilities*. Bell Labs.
   Saddle-point form of the binomial, accurate where differences of log-gammas are not.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from crmkit._typing import Floats


CELLS = 1 << 14  # terms computed at once

# log(k!) minus Stirling's formula, for k = 1 .. 15 (at 0 the value is never used)
_SMALL = np.array(
    [0.0]
    + [
        math.log(math.factorial(k)) - 0.5 * math.log(2 * math.pi * k) - k * (math.log(k) - 1)
        for k in range(1, 16)
    ]
)


def _stirling_error(k: Floats) -> Floats:
    """Return log(k!) - log(sqrt(2 pi k) (k / e)^k), equation (2) of [1]_."""
    large = np.maximum(k, 16.0)
    inverse = 1 / (large * large)
    series = (
        1 / 12 - (1 / 360 - (1 / 1260 - (1 / 1680 - inverse / 1188) * inverse) * inverse) * inverse
    ) / large
    return np.where(k < 16, _SMALL[np.minimum(k, 15).astype(np.int64)], series)


def _deviance(x: Floats, mean: Floats) -> Floats:
    """Return x log(x / mean) + mean - x without cancellation, equation (3) of [1]_."""
    relative = (x - mean) / (x + mean)
    square = relative * relative
    series = np.zeros_like(square)
    for j in range(10, 0, -1):
        series = (series + 1 / (2 * j + 1)) * square
    near = (x - mean) * relative + 2 * x * relative * series
    far = special.xlogy(x, x / mean) + mean - x
    return np.where(np.abs(relative) < 0.1, near, far)


def _log_binomial(x: Floats, n: Floats, p: Floats, q: Floats) -> Floats:
    """Return the log probability of x successes in n trials; p + q = 1, both given exactly."""
    with np.errstate(all="ignore"):  # the edges x = 0 and x = n are replaced below
        value: Floats = (
            _stirling_error(n)
            - _stirling_error(x)
            - _stirling_error(n - x)
            - _deviance(x, n * p)
            - _deviance(n - x, n * q)
            + 0.5 * np.log(n / (2 * np.pi * x * (n - x)))
        )
    for edge, chance, other in ((x == n, p, q), (x == 0, q, p)):
        rows = np.flatnonzero(edge)
        value[rows] = np.where(
            other[rows] < 0.1,
            special.xlog1py(n[rows], -other[rows]),
            special.xlogy(n[rows], chance[rows]),
        )
    return value


def log_probability(x: ArrayLike, n: ArrayLike, n_a: ArrayLike, n_c: ArrayLike) -> Floats:
    """Return log P(X = x), all shapes (m,), for max(0, n_a + n_c - n) <= x <= min(n_a, n_c).

    Written as a ratio of three binomials with p = n_a / n, section 4 of [1]_.
    """
    x, n, n_a, n_c = (np.asarray(value, dtype=np.float64) for value in (x, n, n_a, n_c))
    p, q = n_a / n, (n - n_a) / n
    certain = (n_a == 0) | (n_a == n) | (n_c == 0) | (n_c == n)
    safe_p, safe_q = np.where(certain, 0.5, p), np.where(certain, 0.5, q)
    value = (
        _log_binomial(x, n_c, safe_p, safe_q)
        + _log_binomial(n_a - x, n - n_c, safe_p, safe_q)
        - _log_binomial(n_a, n, safe_p, safe_q)
    )
    return np.where(certain, 0.0, value)


def upper_tail(x: ArrayLike, n: ArrayLike, n_a: ArrayLike, n_c: ArrayLike) -> Floats:
    """Return P(X >= x), all shapes (m,): the one-sided p-value of Fisher's exact test."""
    x, n, n_a, n_c = np.broadcast_arrays(
        *(np.asarray(value, dtype=np.float64) for value in (x, n, n_a, n_c))
    )
    lowest = np.maximum(n_a + n_c - n, 0)
    highest = np.minimum(n_a, n_c)
    tail = np.where(x <= lowest, 1.0, 0.0)
    above = (x > lowest) & (x <= highest) & (x * n >= n_a * n_c)
    below = (x > lowest) & (x <= highest) & ~above
    if above.any():
        tail[above] = _sum(x[above], n[above], n_a[above], n_c[above], upward=True)
    if below.any():
        lower = _sum(x[below] - 1, n[below], n_a[below], n_c[below], upward=False)
        tail[below] = 1 - lower
    return np.clip(tail, 0.0, 1.0)


def _sum(x: Floats, n: Floats, n_a: Floats, n_c: Floats, *, upward: bool) -> Floats:
    """Add the probabilities from x away from the mean until the rest cannot be seen."""
    total = np.exp(log_probability(x, n, n_a, n_c))
    rest = n - n_a - n_c
    alive = np.flatnonzero(total > 0)
    x, n_a, n_c, rest, so_far = (value[alive] for value in (x, n_a, n_c, rest, total))
    term = so_far
    while alive.size:
        # many terms of few rows, or few terms of many rows, at once: shape (terms, rows)
        step = np.arange(min(max(CELLS // alive.size, 4), 64))[:, None]
        if upward:
            at = x + step
            ratio: Floats = (n_a - at) * (n_c - at) / ((at + 1) * (rest + at + 1))
            x = at[-1] + 1
        else:
            at = x - step
            ratio = at * (rest + at) / ((n_a - at + 1) * (n_c - at + 1))
            x = at[-1] - 1
        last = ratio[-1].copy()
        ratio[0] *= term
        terms = np.cumprod(ratio, axis=0)
        term = terms[-1].copy()
        terms[0] += so_far
        so_far = terms.sum(axis=0)
        total[alive] = so_far
        # ratios fall along the tail, so what is left is below term * ratio / (1 - ratio)
        going = np.flatnonzero(term * last > (1 - last) * so_far * 1e-17)
        alive = alive[going]
        x, n_a, n_c, rest, term, so_far = (
            value[going] for value in (x, n_a, n_c, rest, term, so_far)
        )
    return total


def quantile(level: float, n: ArrayLike, n_a: ArrayLike, n_c: ArrayLike) -> Floats:
    """Return the smallest x with P(X <= x) >= `level`, all shapes (m,)."""
    n, n_a, n_c = np.broadcast_arrays(
        *(np.asarray(value, dtype=np.float64) for value in (n, n_a, n_c))
    )
    lowest = np.maximum(n_a + n_c - n, 0)
    highest = np.minimum(n_a, n_c)
    mean = n_a * n_c / n
    variance = mean * (n - n_a) / n * (n - n_c) / np.maximum(n - 1, 1)
    # Cornish and Fisher's expansion to the skewness is seldom off by more than one
    z = float(special.ndtri(level))
    skew = (n - 2 * n_a) * (n - 2 * n_c) / (n * np.maximum(n - 2, 1))
    guess = np.round(mean + z * np.sqrt(variance) + (z * z - 1) / 6 * skew)
    x = np.clip(guess, lowest, highest)
    beyond = upper_tail(x + 1, n, n_a, n_c)  # P(X > x)
    allowed = (1 - level) * (1 + 1e-11)  # a tail that equals the level but for rounding is allowed
    while True:
        low = np.flatnonzero((beyond > allowed) & (x < highest))
        if not low.size:
            break
        x[low] += 1
        beyond[low] -= np.exp(log_probability(x[low], n[low], n_a[low], n_c[low]))
    moving = np.flatnonzero(x > lowest)
    while moving.size:
        here = log_probability(x[moving], n[moving], n_a[moving], n_c[moving])
        beyond[moving] += np.exp(here)  # P(X > x - 1)
        moving = moving[beyond[moving] <= allowed]
        x[moving] -= 1
        moving = moving[x[moving] > lowest[moving]]
    return x
