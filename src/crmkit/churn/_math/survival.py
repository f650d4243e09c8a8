"""Survival without a model: Kaplan-Meier, the log-rank test, survival given tenure so far."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from crmkit._arrays import normal_quantile, starts

if TYPE_CHECKING:
    from crmkit._typing import Bools, Floats, Ints


__all__ = [
    "LogRank",
    "SurvivalCurve",
    "conditional_survival",
    "curve_interval",
    "kaplan_meier",
    "loglog_interval",
    "logrank",
]

# The log-rank covariance needs one row per event time and one column per group at a time.
_CELLS_AT_ONCE = 4_000_000


@dataclass(frozen=True, slots=True)
class SurvivalCurve:
    """A Kaplan-Meier curve; every array has shape (m,), one entry per distinct time.

    The first time is 0. ``greenwood`` is the variance of log survival.
    """

    time: Floats
    at_risk: Ints
    events: Ints
    censored: Ints
    survival: Floats
    greenwood: Floats


def kaplan_meier(duration: Floats, event: Bools) -> SurvivalCurve:
    """Estimate survival by the product limit (Kaplan and Meier 1958, eq. 2b).

    S(t) is the product over times up to t of 1 - d / n, with d events among n at risk; a customer
    censored at t is still at risk at t. The variance of log S is Greenwood's sum of
    d / (n (n - d)) (1926). `duration` and `event` have shape (n,), n at least 1.
    """
    time, leaving, events = _totals_per_time(duration, event)
    if time[0] > 0:
        time = np.r_[0.0, time]
        leaving, events = np.r_[0, leaving], np.r_[0, events]
    at_risk = duration.size - np.r_[0, np.cumsum(leaving)[:-1]]
    survivors = at_risk - events
    survival = np.cumprod(survivors / np.maximum(at_risk, 1))
    with np.errstate(divide="ignore"):
        greenwood = np.cumsum(np.where(events > 0, events / (at_risk * survivors.astype(float)), 0))
    return SurvivalCurve(time, at_risk, events, leaving - events, survival, greenwood)


def _totals_per_time(duration: Floats, event: Bools) -> tuple[Floats, Ints, Ints]:
    """Return distinct times, how many leave observation at each, and how many by an event.

    Whole numbers on a short scale, as days and months are, are counted without sorting.
    """
    if duration.max() < max(4 * duration.size, 1000):
        whole = duration.astype(np.int64)
        if np.array_equal(whole, duration):
            leaving = np.bincount(whole)
            events = np.bincount(whole[event], minlength=leaving.size)
            used = np.flatnonzero(leaving)
            return used.astype(np.float64), leaving[used], events[used]
    order = np.argsort(duration)
    ordered = duration[order]
    point = np.flatnonzero(starts(ordered))
    leaving = np.diff(np.r_[point, ordered.size])
    events = np.add.reduceat(event[order].astype(np.int64), point)
    return ordered[point], leaving, events


def loglog_interval(
    survival: Floats, variance: Floats, confidence_level: float
) -> tuple[Floats, Floats]:
    """Return the interval for survival on the scale of log(-log S), all of shape (m,).

    S ** exp(+-z sqrt(V) / log S), V the variance of log S, stays within 0 and 1 (Kalbfleisch and
    Prentice 2002, sec. 1.4). It is (1, 1) where nobody has left, and says nothing, (0, 1), where
    nobody stayed. NaN stays NaN.
    """
    inside = (survival > 0) & (survival < 1)
    s = np.where(inside, survival, 0.5)
    width = np.where(inside, normal_quantile(confidence_level) * np.sqrt(variance), 0.0)
    width = width / np.log(s)
    low = np.where(inside, s ** np.exp(-width), survival)
    high = np.where(inside, s ** np.exp(width), np.where(survival <= 0, 1.0, survival))
    return low, high


def curve_interval(curve: SurvivalCurve, confidence_level: float) -> tuple[Floats, Floats]:
    """Return the curve's log-log interval; where nobody is left it keeps its last upper limit."""
    low, high = loglog_interval(curve.survival, curve.greenwood, confidence_level)
    left = np.flatnonzero(curve.survival > 0)
    if left.size:
        high[left[-1] + 1 :] = high[left[-1]]
    return low, high


@dataclass(frozen=True, slots=True)
class LogRank:
    """Observed and expected events per group, shape (k,), and the test over all groups."""

    observed: Floats
    expected: Floats
    statistic: float
    degrees_of_freedom: int
    p_value: float


def logrank(duration: Floats, event: Bools, group: Ints, n_groups: int) -> LogRank:
    """Test whether groups share one survival curve (Mantel 1966; Peto and Peto 1972).

    At each event time the d events are expected in proportion to the numbers at risk; their
    covariance is hypergeometric. The statistic is chi-squared with k - 1 degrees of freedom.
    `duration`, `event` and `group` have shape (n,); codes run from 0 to `n_groups` - 1.
    """
    time, deaths = np.unique(duration[event], return_counts=True)
    by_group = [np.sort(duration[group == code]) for code in range(n_groups)]
    observed = np.bincount(group[event], minlength=n_groups).astype(np.float64)
    expected = np.zeros(n_groups)
    covariance = np.zeros((n_groups, n_groups))
    step = max(_CELLS_AT_ONCE // n_groups, 1)
    for start in range(0, time.size, step):
        at = time[start : start + step]
        d = deaths[start : start + step]
        risk = np.column_stack([x.size - np.searchsorted(x, at, side="left") for x in by_group])
        n = risk.sum(axis=1)
        share = risk / n[:, None]
        expected += d @ share
        weight = np.where(n > 1, d * (n - d) / np.maximum(n - 1, 1), 0.0)
        covariance += np.diag(weight @ share) - (share * weight[:, None]).T @ share
    difference = (observed - expected)[:-1]
    solution = np.linalg.pinv(covariance[:-1, :-1], hermitian=True) @ difference
    statistic = float(difference @ solution)
    return LogRank(
        observed=observed,
        expected=expected,
        statistic=statistic,
        degrees_of_freedom=n_groups - 1,
        p_value=float(special.chdtrc(n_groups - 1, statistic)),
    )


def conditional_survival(
    time: Floats, survival: Floats, greenwood: Floats, *, tenure: Floats, horizon: float
) -> tuple[Floats, Floats]:
    """Return S(tenure + horizon) / S(tenure) and the variance of its logarithm, shape (n,).

    The curve's arrays have shape (m,), time ascending from 0. Greenwood's increments are
    independent, so the variance is the difference of the two sums. NaN where the curve says
    nothing: at tenures that nobody survived, and beyond the last time unless nobody was left.
    """
    if time[0] > 0:
        time, survival, greenwood = np.r_[0.0, time], np.r_[1.0, survival], np.r_[0.0, greenwood]
    now = np.searchsorted(time, tenure, side="right") - 1
    then = np.searchsorted(time, tenure + horizon, side="right") - 1
    known = (survival[now] > 0) & ((tenure + horizon <= time[-1]) | (survival[-1] == 0))
    ratio = np.divide(survival[then], survival[now], out=np.full(tenure.shape, np.nan), where=known)
    variance = np.zeros(tenure.shape)
    stays = known & (survival[then] > 0)
    variance[stays] = greenwood[then[stays]] - greenwood[now[stays]]
    return ratio, variance
