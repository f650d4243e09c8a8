"""Intervals and tests of skewed amounts, at a cost that does not grow with the customers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from crmkit._arrays import starts

if TYPE_CHECKING:
    from crmkit._typing import Floats


__all__ = ["resampled_moments", "studentised_difference"]

_CELLS = 2000
# Of the draws the outermost are too few to tell how often a difference further out comes.
_OUTERMOST = 10


def studentised_difference(
    treated: Floats, control: Floats, level: float, *, n_draws: int, rng: np.random.Generator
) -> tuple[float, float, float, float, float]:
    """Return the difference of means, its error, limits and p-value; (n1,) and (n0,) amounts.

    The bootstrap-t with the distribution that Welch's ratio has where both arms are drawn from all
    amounts together: what a small control group cannot show of the tail, the treated do. As a test
    it is the studentised permutation test, right in any size where the arms are alike and in large
    ones whatever their spread (Chung and Romano 2013, Annals of Statistics 41, 484, theorem 2.2);
    its limits are those of Efron and Tibshirani (1993, eq. 12.20). Beyond the outermost ten draws
    the distribution goes on like a normal one that meets it there.
    """
    arms = (treated.mean(), treated.var(ddof=1), treated.size)
    others = (control.mean(), control.var(ddof=1), control.size)
    difference, error = float(arms[0] - others[0]), _error(arms, others)
    if error == 0:
        return difference, 0.0, difference, difference, float(difference == 0)
    together = np.concatenate([treated, control])
    together -= together.mean()
    drawn = [resampled_moments(together, n, n_draws, rng) for n in (treated.size, control.size)]
    (mean1, spread1), (mean0, spread0) = drawn
    apart = mean1 - mean0
    errors = np.sqrt(spread1 / treated.size + spread0 / control.size)
    # A draw of nobody who buys shows no difference and no error.
    with np.errstate(divide="ignore"):
        ratio = np.sort(np.divide(apart, errors, out=np.zeros(n_draws), where=apart != 0))
    tail = (1 - level) / 2
    low = difference - _quantile(ratio, 1 - tail) * error
    high = difference - _quantile(ratio, tail) * error
    z = difference / error
    p = 2 * min(_share_below(ratio, z), _share_below(-ratio[::-1], -z))
    return difference, error, low, high, min(p, 1.0)


def _error(one: tuple[float, float, int], two: tuple[float, float, int]) -> float:
    """Return Welch's error of the difference of two means, from mean, variance and number."""
    return float(np.sqrt(one[1] / one[2] + two[1] / two[2]))


def _edge(ratio: Floats) -> tuple[float, float, float]:
    """Return the share of draws below the edge of the lower tail, that edge, and its scale."""
    place = min(_OUTERMOST, ratio.size // 4)
    share = place / (ratio.size + 1)
    at = float(ratio[place - 1])
    return share, at, max(at / float(special.ndtri(share)), 1.0)


def _quantile(ratio: Floats, share: float) -> float:
    """Return a quantile of sorted draws, beyond the edge that of a normal which meets it."""
    if share > 0.5:
        return -_quantile(-ratio[::-1], 1 - share)
    outer, at, scale = _edge(ratio)
    if share >= outer:
        return float(np.quantile(ratio, share, method="weibull"))
    return at + scale * float(special.ndtri(share) - special.ndtri(outer))


def _share_below(ratio: Floats, value: float) -> float:
    """Return the share of a distribution at or below a value, from its sorted draws."""
    outer, at, scale = _edge(ratio)
    if value >= at:
        return (int(np.searchsorted(ratio, value, side="right")) + 1) / (ratio.size + 1)
    return float(special.ndtr(special.ndtri(outer) + (value - at) / scale))


def resampled_moments(
    values: Floats, size: int, n_draws: int, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Return means and variances of `n_draws` resamples of a size from values (n,), (n_draws,).

    A resample is a multinomial draw over the distinct values, of which zero is usually by far
    the commonest. Of more than 2,000 the largest thousand, which carry a skewed mean, stay as
    they are and the others are pooled to cells with a mean and a spread.
    """
    distinct, count = np.unique(values, return_counts=True)
    if distinct.size <= _CELLS:
        cells, often = distinct, count.astype(np.float64)
        spread = np.zeros(cells.size)
    else:
        keep = _CELLS // 2
        low, low_count = distinct[:-keep], count[:-keep].astype(np.float64)
        before = np.cumsum(low_count) - low_count
        cell = np.floor(before * keep / low_count.sum()).astype(np.int64)
        begin = np.flatnonzero(starts(cell))
        pooled = np.add.reduceat(low_count, begin)
        mean = np.add.reduceat(low_count * low, begin) / pooled
        square = np.add.reduceat(low_count * low**2, begin) / pooled
        cells = np.r_[mean, distinct[-keep:]]
        often = np.r_[pooled, count[-keep:]]
        spread = np.r_[np.sqrt(np.maximum(square - mean**2, 0.0)), np.zeros(keep)]
    means, variances = np.empty(n_draws), np.empty(n_draws)
    for start in range(0, n_draws, 250):
        stop = min(start + 250, n_draws)
        drawn = rng.multinomial(size, often / values.size, size=stop - start).astype(np.float64)
        total = drawn @ cells
        if spread.any():
            total += np.sqrt(drawn @ spread**2) * rng.standard_normal(stop - start)
        mean = means[start:stop] = total / size
        square = drawn @ (cells**2 + spread**2) / size
        variances[start:stop] = np.maximum(square - mean**2, 0.0) * size / (size - 1)
    return means, variances
