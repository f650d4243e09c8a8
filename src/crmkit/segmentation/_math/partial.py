"""Whether one value foretells another among customers who are equal in a third."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from crmkit._arrays import share_below

if TYPE_CHECKING:
    from crmkit._typing import Bools, Floats, Ints


__all__ = ["Estimate", "equal_groups", "partial_rank_correlation", "top_gain"]

_FEWEST = 10  # customers beyond one a group, of whom anything can be told
_ALIKE = 20  # customers who count as equal: enough for a mean, few enough to be alike
_LEAST_OWN = 0.01  # share of a value's variance without which it has nothing of its own to say


@dataclass(frozen=True, slots=True)
class Estimate:
    """An estimate and the limits of its interval; missing where nothing can be told."""

    value: float
    low: float
    high: float


_UNKNOWN = Estimate(np.nan, np.nan, np.nan)


def equal_groups(z: Floats) -> Ints:
    """Return groups of about 20 neighbours in rank, shape (n,); equal values share a group."""
    below, n = share_below(z)
    group = below * max(n // _ALIKE, 1) // max(n, 1)
    return np.unique(group, return_inverse=True)[1].astype(np.int64)


def partial_rank_correlation(
    x: Floats, y: Floats, group: Ints, confidence_level: float
) -> Estimate | None:
    """Return the correlation of the ranks of `x` and `y` within groups; None where `x` has none.

    All have shape (n,). With ranks r and s less their group's means, the estimate is the
    correlation of r and s. Taking the groups' means away, and not a straight line, leaves nothing
    of whatever function of the third value `x` may be.

    The standard error is that of the influence function: with F_n(i) the mean over j of
    (1[x_j > x_i] + 1[x_j = x_i] / 2) s_j, which is what customer i moves by standing in the ranks
    of all others, the covariance has influence r_i s_i + F_n(i) + (the same for y), each variance
    r_i^2 + 2 (the same with r); the correlation follows by the delta method, on Fisher's scale
    (Hoeffding 1948, Ann. Math. Stat. 19, 293, for sums over ranks; Bonett and Wright 2000,
    Psychometrika 65, 23, for the scale). Degrees of freedom are customers less groups.
    """
    n, k = x.size, int(group.max()) + 1
    of_x, of_y = _Ranks(x), _Ranks(y)
    r, s = (_less_mean(ranks.share, group) for ranks in (of_x, of_y))
    var_r, var_s = float(r @ r) / n, float(s @ s) / n
    if n - k < _FEWEST:
        return _UNKNOWN
    if var_r <= _LEAST_OWN * float(np.var(of_x.share)):
        return None
    if var_s == 0:
        return _UNKNOWN
    covariance = float(r @ s) / n
    estimate = covariance / np.sqrt(var_r * var_s)
    if abs(estimate) > 1 - 1e-12:
        return Estimate(float(estimate), float(estimate), float(estimate))
    influence = (r * s + of_x.above(s) + of_y.above(r) - 3 * covariance) / np.sqrt(var_r * var_s)
    for own, ranks, variance in ((r, of_x, var_r), (s, of_y, var_s)):
        influence -= estimate / 2 * (own**2 + 2 * ranks.above(own) - 3 * variance) / variance
    error = np.sqrt(float(influence @ influence) / n / (n - k))
    half = special.stdtrit(n - k, 0.5 + confidence_level / 2) * error / (1 - estimate**2)
    low, high = np.tanh(np.arctanh(estimate) + np.array([-half, half]))
    return Estimate(float(estimate), float(low), float(high))


def top_gain(x: Floats, y: Floats, group: Ints, confidence_level: float) -> Estimate:
    """Return how much larger `y` is in the top tenth by `x` than in others of their groups.

    The mean over the top tenth of y less the mean of the others of the group, which is a weighted
    sum of all y; its error is that of the residuals. Who is equal to the last of the tenth
    belongs to it; who is alone in a group compares with nobody and is left out.
    """
    n = x.size
    above, _ = share_below(-x)
    size = np.bincount(group)[group]
    top: Bools = (above * 10 < n) & (size > 1)
    chosen = int(np.count_nonzero(top))
    if not chosen or n - int(group.max()) - 1 < _FEWEST:
        return _UNKNOWN
    others = np.maximum(size - 1, 1)
    tops = np.bincount(group, weights=top)[group]
    weight = top - (tops - top) / others
    residual = _less_mean(y, group)
    gain = float(weight @ y) / chosen
    square = float(np.sum(weight**2 * residual**2 * size / others))
    half = special.stdtrit(n - int(group.max()) - 1, 0.5 + confidence_level / 2) * np.sqrt(square)
    return Estimate(gain, gain - half / chosen, gain + half / chosen)


def _less_mean(values: Floats, group: Ints) -> Floats:
    """Return values less the mean of their group."""
    mean = np.bincount(group, weights=values) / np.bincount(group)
    return np.asarray(values - mean[group])


class _Ranks:
    """The ranks of values as shares of all rows, equal ones alike, and sums over what is above."""

    def __init__(self, values: Floats) -> None:
        _, self._code, count = np.unique(values, return_inverse=True, return_counts=True)
        self.share = (np.cumsum(count) - count / 2)[self._code] / values.size

    def above(self, weight: Floats) -> Floats:
        """Return the mean over all rows of a weight that counts above a row, half where equal."""
        total = np.bincount(self._code, weights=weight)
        above = np.cumsum(total[::-1])[::-1] - total / 2
        return np.asarray(above[self._code] / self._code.size)
