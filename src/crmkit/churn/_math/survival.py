"""Survival without a model: Kaplan-Meier, and survival given tenure so far."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from crmkit._arrays import normal_quantile

if TYPE_CHECKING:
    from crmkit._typing import Floats
    from crmkit.churn._math.tenures import Tenures


__all__ = [
    "SurvivalCurve",
    "conditional_survival",
    "curve_interval",
    "kaplan_meier",
    "loglog_interval",
]


# Sums of weights that are no larger a part of all are what rounding left.
_NOBODY = 1e-12


@dataclass(frozen=True, slots=True)
class SurvivalCurve:
    """A Kaplan-Meier curve; every array has shape (m,), one entry per distinct time.

    The first time is 0. ``greenwood`` is the variance of log survival.
    """

    time: Floats
    at_risk: Any  # numbers of customers, or sums of their weights
    events: Any
    censored: Any
    survival: Floats
    greenwood: Floats


def kaplan_meier(tenures: Tenures) -> SurvivalCurve:
    """Estimate survival by the product limit (Kaplan and Meier 1958, eq. 2b).

    S(t) is the product over times up to t of 1 - d / n, with d events among n at risk; a customer
    censored at t is still at risk at t. The variance of log S is Greenwood's sum of
    d / (n (n - d)) (1926) or, where weights do not count customers, that of the infinitesimal
    jackknife.
    """
    time, leaving, events = tenures.totals()
    if time[0] > 0:
        time = np.r_[0.0, time]
        leaving, events = np.r_[0, leaving], np.r_[0, events]
    # From the last time backwards, so that who leaves at the end is all who were at risk.
    at_risk: Any = np.cumsum(leaving[::-1])[::-1] - tenures.waiting(time)
    at_risk = np.where(at_risk <= _NOBODY * tenures.size, 0, at_risk)
    survivors: Any = at_risk - events
    survivors = np.where(survivors <= _NOBODY * tenures.size, 0, survivors)
    kept = np.where(at_risk > 0, survivors / np.maximum(at_risk, 1e-300), 1.0)
    survival = np.asarray(np.cumprod(kept), dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        steps = np.where(events > 0, events / (at_risk * survivors.astype(float)), 0.0)
        greenwood = np.cumsum(steps)
        if not tenures.counts:
            greenwood = _jackknife(tenures, time, greenwood, 1.0 / survivors)
    if tenures.weight is not None and tenures.counts:
        at_risk, events, leaving = (x.astype(np.int64) for x in (at_risk, events, leaving))
    return SurvivalCurve(time, at_risk, events, leaving - events, survival, greenwood)


def _jackknife(tenures: Tenures, time: Floats, hazard: Floats, jump: Floats) -> Floats:
    """Return the variance of log S at each time as the sum of squared influences of the rows.

    A row of weight w moves -log S(t) by w times `jump` where it left by t, less w times what
    `hazard`, shape (m,), grew by while the row was at risk (Efron 1981 for weights of one, when
    it is Greenwood's). Rows that ended stay what they are; of the others, sums of w^2, and of it
    with the hazard at the beginning, are enough.
    """
    assert tenures.weight is not None
    m, square = time.size, tenures.weight**2
    entry = np.zeros(tenures.time.size) if tenures.entry is None else tenures.entry
    begin = np.where(entry > 0, np.searchsorted(time, entry, side="right"), 0)
    end = np.searchsorted(time, tenures.time, side="left")
    before = np.r_[0.0, hazard][begin]
    own = np.where(tenures.left, jump[end], 0.0) - (hazard[end] - before)
    total: Floats = np.cumsum(np.bincount(end, square * own**2, minlength=m))
    for power, factor in ((0, hazard**2), (1, -2 * hazard), (2, np.ones(m))):
        value = square * before**power
        here = np.bincount(begin, value, minlength=m)[:m] - np.bincount(end, value, minlength=m)
        total = total + factor * np.cumsum(here)
    return np.asarray(np.maximum(total, 0.0))


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
    """Return the curve's log-log interval, and what is known where that says nothing.

    Where nobody is left it keeps its last upper limit. Before anybody left, n stayed of n: the
    lower limit is that of a share, alpha^(1/n), half of what is as improbable counted (mid-p).
    """
    low, high = loglog_interval(curve.survival, curve.greenwood, confidence_level)
    whole = (curve.survival == 1) & (curve.time > 0)
    low[whole] = (1 - confidence_level) ** (1 / np.maximum(curve.at_risk[whole], 1))
    left = np.flatnonzero(curve.survival > 0)
    if left.size:
        high[left[-1] + 1 :] = high[left[-1]]
    return low, high


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
