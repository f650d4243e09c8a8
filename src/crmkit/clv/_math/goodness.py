"""Whether counts are those expected, where the parameters were estimated."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import special

if TYPE_CHECKING:
    from crmkit._typing import Floats

__all__ = ["cumulative_p_value"]

# Fewer expected on a side of a cut make no normal number.
_LEAST = 5.0


def cumulative_p_value(actual: Floats, expected: Floats, covariance: Floats) -> float:
    """Return the p-value of ordered counts (k,) whose covariance (k, k) is known.

    The statistic is the cumulative chi-square: over the cuts between cells, the sum of how far too
    many are below, squared and over its binomial variance. Cells that deviate alike add up in it,
    which they do not in Pearson's (Nair 1987). It is a weighted sum of chi-squares and has the
    distribution of one with the same mean and variance (Satterthwaite 1946; for counts Rao and
    Scott 1981). The weights are what differs from the textbook: who is counted is not alike, and
    the parameters were estimated. NaN where every cut has few on a side.
    """
    below = np.cumsum(expected)
    total, below = below[-1], below[:-1]
    cuts = np.minimum(below, total - below) >= _LEAST
    if not cuts.any():
        return float("nan")
    sums = np.tri(expected.size - 1, expected.size)[cuts]
    scale = np.sqrt(total / (below * (total - below))[cuts])
    gap = sums @ (actual - expected) * scale
    spread = sums @ covariance @ sums.T * np.outer(scale, scale)
    weights = np.maximum(np.linalg.eigvalsh(spread), 0.0)
    if not weights.sum() > 0.0:
        return float("nan")
    factor = float(weights @ weights / weights.sum())
    freedom = float(weights.sum() ** 2 / (weights @ weights))
    return float(special.chdtrc(freedom, gap @ gap / factor))
