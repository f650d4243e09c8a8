"""How many purchases a beta-geometric customer makes: P(n) and P(at least n).

Given alive in stage j of a gap, N ~ negative binomial stages are completed in t and purchase m is
made if m k - j of them are and the customer survived the m - 1 before. All terms are positive,
where the published sums cancel. Arrays: n customers, m counts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from crmkit.clv._math.special import log_rising

if TYPE_CHECKING:
    from crmkit._typing import Floats

__all__ = ["at_least", "exactly", "stage_survival"]


def stage_survival(shape: Floats, odds: Floats, stages: Floats) -> Floats:
    """P(N >= stages) for N ~ NB(shape, odds = t / A), broadcasting; 1 for stages <= 0."""
    share = odds / (1.0 + odds)
    beyond = special.betainc(np.maximum(stages, 1.0), shape, share)
    result: Floats = np.where(stages > 0.0, beyond, 1.0)
    return result


def _log_kept(a: Floats, b: Floats, m: Floats) -> Floats:
    """``ln E[(1 - p)^m]`` of shape (n, m)."""
    a, b = a[:, None], b[:, None]
    result: Floats = log_rising(b, m)[0] - log_rising(a + b, m)[0]
    return result


def at_least(
    days: float,
    counts: Floats,
    *,
    stages: Floats,
    shape: Floats,
    rate: Floats,
    a: Floats,
    b: Floats,
) -> Floats:
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
    counts: Floats,
    *,
    stages: Floats,
    shape: Floats,
    rate: Floats,
    a: Floats,
    b: Floats,
) -> Floats:
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
