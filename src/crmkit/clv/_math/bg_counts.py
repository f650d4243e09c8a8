"""How many purchases a beta-geometric customer makes: P(n) and P(at least n).

Given alive in stage j of a gap, N ~ negative binomial stages are completed in t and purchase m is
made if m k - j of them are and the customer survived the m - 1 before. All terms are positive,
where the published sums cancel. Arrays: n customers, m counts.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import special

from crmkit.clv._math.special import log_rising

__all__ = ["at_least", "exactly", "stage_survival"]

FloatArray = NDArray[np.float64]


def stage_survival(shape: FloatArray, odds: FloatArray, stages: FloatArray) -> FloatArray:
    """P(N >= stages) for N ~ NB(shape, odds = t / A), broadcasting; 1 for stages <= 0."""
    share = odds / (1.0 + odds)
    beyond = special.betainc(np.maximum(stages, 1.0), shape, share)
    result: FloatArray = np.where(stages > 0.0, beyond, 1.0)
    return result


def _log_kept(a: FloatArray, b: FloatArray, m: FloatArray) -> FloatArray:
    """``ln E[(1 - p)^m]`` of shape (n, m)."""
    a, b = a[:, None], b[:, None]
    result: FloatArray = log_rising(b, m)[0] - log_rising(a + b, m)[0]
    return result


def at_least(
    days: float,
    counts: FloatArray,
    *,
    stages: FloatArray,
    shape: FloatArray,
    rate: FloatArray,
    a: FloatArray,
    b: FloatArray,
) -> FloatArray:
    """P(at least `counts` purchases in `days` | alive), shape (n, m); `stages` is (k, n)."""
    k = len(stages)
    reached = np.zeros((shape.size, counts.size))
    for j, share in enumerate(stages):
        odds = (days / rate)[:, None]
        reached += share[:, None] * stage_survival(shape[:, None] + j, odds, counts * k - j)
    kept = np.exp(_log_kept(a, b, np.maximum(counts - 1.0, 0.0)))
    return np.where(counts > 0.0, kept * reached, 1.0)


def exactly(
    days: float,
    counts: FloatArray,
    *,
    stages: FloatArray,
    shape: FloatArray,
    rate: FloatArray,
    a: FloatArray,
    b: FloatArray,
) -> FloatArray:
    """P(`counts` purchases in `days` | alive), shape (n, m).

    Either the customer dropped out with the last of them, or is alive in a later stage.
    """
    k = len(stages)
    odds = (days / rate)[:, None]
    log_share, log_rest = np.log(odds / (1.0 + odds)), -np.log1p(odds)
    reached, running = np.zeros((2, shape.size, counts.size))
    for j, share in enumerate(stages):
        n = shape[:, None] + j
        reached += share[:, None] * stage_survival(n, odds, counts * k - j)
        for i in range(k):
            done = counts * k - j + i
            log = log_rising(n, np.maximum(done, 0.0))[0] - special.gammaln(
                np.maximum(done, 0.0) + 1
            )
            log = log + n * log_rest + np.where(done > 0.0, done * log_share, 0.0)
            running += share[:, None] * np.where(done >= 0.0, np.exp(log), 0.0)
    alive = np.exp(_log_kept(a, b, counts)) * running
    before = np.maximum(counts - 1.0, 0.0)
    left = np.exp(_log_kept(a, b, before)) * a[:, None] / (a + b)[:, None]
    left *= (a + b)[:, None] / ((a + b)[:, None] + before)
    return alive + np.where(counts > 0.0, left * reached, 0.0)
