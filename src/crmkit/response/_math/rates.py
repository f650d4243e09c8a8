"""Compare rates and means of groups: tests and intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from crmkit._arrays import wilson_interval

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from crmkit._typing import Floats

    Moments = tuple[ArrayLike, ArrayLike, ArrayLike]

__all__ = [
    "group_against_rest",
    "least_p_value",
    "newcombe_interval",
    "rate_difference",
    "welch_interval",
]

# Below this expected count the chi-squared approximation is not trusted (Cochran 1954).
_COCHRAN = 5.0


def group_against_rest(
    successes: ArrayLike, n: ArrayLike, all_successes: float, all_n: float
) -> Floats:
    """Return two-sided p-values that groups, shape (m,), have the rate of everyone else.

    Pearson's chi-squared with one degree of freedom; where a cell expects fewer than five,
    twice the smaller hypergeometric tail (Fisher's exact test, doubled). A group that is
    everyone has nothing to differ from: its p-value is 1.
    """
    k = np.asarray(successes, dtype=np.float64)
    n = np.asarray(n, dtype=np.float64)
    rate = all_successes / max(all_n, 1.0)
    variance = rate * (1 - rate) * n * (all_n - n) / max(all_n, 1.0)
    excess = k - n * rate
    z2 = np.divide(excess**2, variance, out=np.zeros(k.shape), where=variance > 0)
    p = special.chdtrc(1, z2)
    expected = np.minimum(n, all_n - n) * min(rate, 1 - rate)
    small = np.flatnonzero((variance > 0) & (expected < _COCHRAN))
    if small.size:
        from scipy.stats import hypergeom

        drawn = (all_n, all_successes, n[small])
        tails = np.minimum(hypergeom.cdf(k[small], *drawn), hypergeom.sf(k[small] - 1, *drawn))
        p[small] = np.minimum(2 * tails, 1.0)
    return np.asarray(p, dtype=np.float64)


def least_p_value(n1: float, n0: float) -> float:
    """Return the least two-sided p-value that any permutation test can give two groups.

    Of all ways to deal n1 + n0 customers into groups of these sizes, one is the most extreme on
    either side.
    """
    ways = special.gammaln(n1 + n0 + 1) - special.gammaln(n1 + 1) - special.gammaln(n0 + 1)
    return float(min(2 * np.exp(-ways), 1.0))


def rate_difference(
    k1: ArrayLike, n1: ArrayLike, k0: ArrayLike, n0: ArrayLike
) -> tuple[Floats, Floats]:
    """Return the difference of two rates and its standard error, unpooled, (m,) each."""
    k1, n1, k0, n0 = (np.asarray(a, dtype=np.float64) for a in (k1, n1, k0, n0))
    p1, p0 = k1 / n1, k0 / n0
    return p1 - p0, np.sqrt(p1 * (1 - p1) / n1 + p0 * (1 - p0) / n0)


def newcombe_interval(
    k1: ArrayLike, n1: ArrayLike, k0: ArrayLike, n0: ArrayLike, confidence_level: float = 0.95
) -> tuple[Floats, Floats]:
    """Return Newcombe's hybrid score interval for the difference of two rates, shapes (m,).

    Newcombe (1998), Statistics in Medicine 17, 873, method 10: square-and-add of the two
    Wilson intervals. It stays inside [-1, 1] and holds at rates near 0.
    """
    k1, n1, k0, n0 = (np.asarray(a, dtype=np.float64) for a in (k1, n1, k0, n0))
    low1, high1 = wilson_interval(k1, n1, confidence_level)
    low0, high0 = wilson_interval(k0, n0, confidence_level)
    p1, p0 = k1 / n1, k0 / n0
    difference = p1 - p0
    low = difference - np.sqrt((p1 - low1) ** 2 + (high0 - p0) ** 2)
    high = difference + np.sqrt((high1 - p1) ** 2 + (p0 - low0) ** 2)
    return low, high


def welch_interval(
    treated: Moments, control: Moments, confidence_level: float = 0.95
) -> tuple[Floats, Floats, Floats, Floats, Floats]:
    """Return difference of means, standard error, low and high limit and p-value, (m,) each.

    Both arguments are (mean, variance, n), each of shape (m,). Welch (1947), Biometrika 34, 28:
    unequal variances, Satterthwaite's degrees of freedom. Without any spread the difference is
    taken as exact.
    """
    mean1, variance1, n1 = (np.asarray(part, dtype=np.float64) for part in treated)
    mean0, variance0, n0 = (np.asarray(part, dtype=np.float64) for part in control)
    part1, part0 = variance1 / n1, variance0 / n0
    difference = mean1 - mean0
    error = np.sqrt(part1 + part0)
    spread = part1**2 / np.maximum(n1 - 1, 1) + part0**2 / np.maximum(n0 - 1, 1)
    freedom = np.divide(error**4, spread, out=np.full(error.shape, np.inf), where=spread > 0)
    freedom = np.minimum(freedom, 1e12)
    t = special.stdtrit(freedom, 0.5 + confidence_level / 2)
    ratio = np.divide(difference, error, out=np.zeros(error.shape), where=error > 0)
    p = np.where(error > 0, 2 * special.stdtr(freedom, -np.abs(ratio)), difference == 0)
    return difference, error, difference - t * error, difference + t * error, np.asarray(p)
