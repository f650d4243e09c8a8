"""Survival without a model: Kaplan-Meier, and survival given tenure so far."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from crmkit._arrays import normal_quantile
from crmkit.churn._math.few import beta_limits

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
    curve: SurvivalCurve, *, tenure: Floats, horizon: float, confidence_level: float
) -> tuple[Floats, Floats, Floats, Floats]:
    """Return S(tenure + horizon) / S(tenure), its standard error and limits, shapes (n,).

    Greenwood's increments are independent, so the variance of the logarithm is the difference of
    two sums. The limits are for few: see ``beta_limits``. NaN where the curve says nothing: at
    tenures that nobody survived, and beyond the last time unless nobody was left. Limits are NaN,
    too, where weights count no customers and nobody left, so that nothing tells what they are
    worth.
    """
    time, survival = curve.time, curve.survival
    # Positions among the times and, before the first, 0.
    now = np.searchsorted(time, tenure, side="right")
    then = np.searchsorted(time, tenure + horizon, side="right")
    exact = np.isin(tenure + horizon, time)
    kinds, kind = np.unique(np.stack([now, then, exact]), axis=1, return_inverse=True)
    now, then = kinds[0], kinds[1]
    stayed, greenwood = np.r_[1.0, survival], np.r_[0.0, curve.greenwood]
    within = (then < time.size) | (kinds[2] > 0) | (survival[-1] == 0)
    known = (stayed[now] > 0) & within
    chance = np.divide(stayed[then], stayed[now], out=np.full(now.size, np.nan), where=known)
    stays = known & (stayed[then] > 0)
    variance = np.where(stays, np.maximum(greenwood[then] - greenwood[now], 0.0), 0.0)
    scale = _worth(curve)
    at_risk, events, censored = (x * scale for x in (curve.at_risk, curve.events, curve.censored))
    # Of those at risk at the end, who is censored there was seen to stay through it.
    after = np.r_[at_risk[1:], 0.0]
    beyond = np.r_[at_risk[0], np.minimum(at_risk - events - censored, after)][then]
    at_end = np.r_[at_risk[0], at_risk - events][then]
    remaining = np.where(kinds[2] > 0, at_end, beyond)
    low, high = beta_limits(
        at_risk, events, kinds[:2].astype(np.int64), remaining, confidence_level
    )
    if horizon == 0:
        low = high = np.ones(low.size)
    nothing = (~known) | np.isnan(scale)
    low, high = np.where(nothing, np.nan, low), np.where(nothing, np.nan, high)
    error = chance * np.sqrt(variance)
    kind = kind.reshape(-1)
    return chance[kind], error[kind], low[kind], high[kind]


def _worth(curve: SurvivalCurve) -> float:
    """Return how many customers a unit of the curve's weights is worth, by its variance."""
    counted = curve.events / (curve.at_risk * np.maximum(curve.at_risk - curve.events, 1e-300))
    inside = (curve.survival > 0) & (curve.events > 0)
    if not inside.any():
        whole = (np.asarray(curve.at_risk) == np.rint(curve.at_risk)).all()
        return 1.0 if whole else float("nan")
    last = np.flatnonzero(curve.survival > 0)[-1]
    scale = float(np.sum(counted[: last + 1][inside[: last + 1]]) / curve.greenwood[last])
    return 1.0 if abs(scale - 1) < 1e-6 else scale


def time_reached(time: Floats, chance: Floats) -> float:
    """Return the first time at which a falling chance, shape (m,), is at most one half, or NaN."""
    reached = chance <= 0.5 + 1e-12
    return float(time[np.argmax(reached)]) if reached.any() else float("nan")


def restricted_mean(curve: SurvivalCurve, until: float) -> tuple[float, float]:
    """Return the area under a curve until a time, and its error; NaN beyond the last time.

    An increment of the variance of log S at t counts by the squared area that remains after t.
    """
    time, survival = curve.time, curve.survival
    if until > time[-1] and survival[-1] > 0:
        return float("nan"), float("nan")
    inside = time < until
    begin, height = time[inside], survival[inside]
    if not begin.size or begin[0] > 0:
        begin, height = np.r_[0.0, begin], np.r_[1.0, height]
    area = height * np.diff(np.r_[begin, until])
    after = np.cumsum(area[::-1])[::-1]
    steps = np.diff(np.r_[0.0, curve.greenwood[inside]])[-begin.size :]
    steps = np.r_[np.zeros(begin.size - steps.size), steps]
    steps = np.where(height > 0, steps, 0.0)
    return float(area.sum()), float(np.sqrt(np.maximum(np.sum(after**2 * steps), 0.0)))
