"""Leaving for one of several reasons: the Aalen-Johansen estimator."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from crmkit._typing import Floats
    from crmkit.churn._math.survival import SurvivalCurve


__all__ = ["incidence"]


def incidence(curve: SurvivalCurve, time: Floats, weight: Floats) -> tuple[Floats, Floats, Floats]:
    """Return leavers for one reason, the chance to have left for it, and its error, shapes (m,).

    The chance adds S(t-) d / n over the times of the curve, d the leavers for the reason among
    all, whose tenures and weights are `time` and `weight` (Aalen and Johansen 1978). Its variance
    is that of the delta method (Marubini and Valsecchi 1995, sec. 10.3): with F the chance,

    sum (F(t) - F_i)^2 e_i / (n_i (n_i - e_i)) + S_i^2 d_i (n_i - d_i) / n_i^3
    - 2 (F(t) - F_i) S_i d_i / n_i^2 over the times i up to t, e_i all who leave then.
    """
    place = np.searchsorted(curve.time, time)
    leavers = np.bincount(place, weight, minlength=curve.time.size).astype(np.float64)
    n = np.maximum(curve.at_risk, 1).astype(np.float64)
    before = np.r_[1.0, curve.survival[:-1]]
    chance = np.cumsum(before * leavers / n)
    remaining = n - curve.events
    # Where nobody remains F grows no more, and the first term is nothing.
    step = np.divide(curve.events, n * remaining, out=np.zeros(n.size), where=remaining > 0)
    both = before * leavers / n**2
    own = before**2 * leavers * (n - leavers) / n**3
    variance = chance**2 * np.cumsum(step) - 2 * chance * np.cumsum(chance * step)
    variance += np.cumsum(chance**2 * step) + np.cumsum(own)
    variance -= 2 * (chance * np.cumsum(both) - np.cumsum(chance * both))
    return leavers, chance, np.asarray(np.sqrt(np.maximum(variance, 0.0)))
