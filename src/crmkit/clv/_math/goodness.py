"""Whether counts are those expected, where the parameters were estimated."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import special

if TYPE_CHECKING:
    from crmkit._typing import Floats

__all__ = ["pearson_p_value"]

# Fewer expected in the last cell make no normal number.
_LEAST = 5.0


def pearson_p_value(actual: Floats, expected: Floats, covariance: Floats) -> float:
    """Return the p-value of Pearson's statistic of counts (k,) whose covariance (k, k) is known.

    The statistic is then a weighted sum of chi-squares, which has the distribution of one with the
    same mean and variance (Satterthwaite 1946; for counts Rao and Scott 1981). The weights are what
    differs from the textbook: who is counted is not alike, and the parameters were estimated. Last
    cells in which few are expected are counted together; NaN where one cell is left.
    """
    k = expected.size
    beyond = np.cumsum(expected[::-1])[::-1]
    cells = max(int(np.count_nonzero(beyond >= _LEAST)), 1)
    if cells < 2:
        return float("nan")
    together = (np.minimum(np.arange(k), cells - 1) == np.arange(cells)[:, None]).astype(float)
    gap, mean = together @ (actual - expected), together @ expected
    scale = 1.0 / np.sqrt(np.maximum(mean, 1e-12))
    spread = together @ covariance @ together.T * np.outer(scale, scale)
    weights = np.maximum(np.linalg.eigvalsh(spread), 0.0)
    if not weights.sum() > 0.0:
        return float("nan")
    factor = float(weights @ weights / weights.sum())
    freedom = float(weights.sum() ** 2 / (weights @ weights))
    return float(special.chdtrc(freedom, np.sum((gap * scale) ** 2) / factor))
