"""Turn scores of an effect into effects that hold on average, with an interval."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from crmkit._estimator import json_part

if TYPE_CHECKING:
    from crmkit._typing import Floats


__all__ = ["EffectLine", "effect_line"]


@json_part
@dataclass(frozen=True, slots=True)
class EffectLine:
    """The best linear predictor of the effect from its score: average + slope (score - centre).

    ``variances`` are those of average and slope and their covariance. ``raw_slope`` is the slope
    as estimated; ``slope`` is never negative.
    """

    centre: float
    average: float
    slope: float
    raw_slope: float
    variances: tuple[float, float, float]

    def at(self, score: Floats) -> tuple[Floats, Floats]:
        """Return effects and their standard errors at scores of shape (n,)."""
        away = score - self.centre
        of_average, of_slope, between = self.variances
        variance = of_average + 2 * away * between + away**2 * of_slope
        return self.average + self.slope * away, np.sqrt(np.maximum(variance, 0.0))


def effect_line(score: Floats, robust: Floats) -> EffectLine:
    """Regress doubly robust scores on out-of-fold effect scores, (n,) each, with robust errors.

    Chernozhukov et al. (2018), Generic machine learning inference, eq. 2.1: the slope is 0 where
    the score tells nothing and 1 where it is right as it stands. Huber and White errors.
    """
    n = score.size
    centre, average = float(score.mean()), float(robust.mean())
    away = score - centre
    spread = float(away @ away)
    # A score without spread, up to rounding, has no slope.
    flat = spread <= n * (1e-12 * max(abs(centre), 1e-300)) ** 2
    raw = 0.0 if flat else float(away @ (robust - average) / spread)
    residual = robust - average - raw * away
    weight = residual**2 * n / max(n - 2, 1)
    of_average = float(weight.sum()) / n**2
    of_slope = 0.0 if flat else float(weight @ away**2) / spread**2
    between = 0.0 if flat else float(weight @ away) / (n * spread)
    return EffectLine(centre, average, max(raw, 0.0), raw, (of_average, of_slope, between))
