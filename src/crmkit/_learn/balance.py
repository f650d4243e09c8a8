"""Whether arms are alike: standardised differences and their tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import special

if TYPE_CHECKING:
    from crmkit._typing import Bools, Floats, Ints


__all__ = ["largest_imbalance", "standardised_differences"]


def standardised_differences(matrix: Floats, treated: Bools) -> tuple[Floats, Floats]:
    """Return per column of (n, p) the standardised difference of means and its p-value, (p,) each.

    Difference / root of the mean of the two variances (Rosenbaum and Rubin 1985, Am. Stat. 39,
    33), and the two-sided z-test of equal means with unequal variances.
    """
    one, other = matrix[treated], matrix[~treated]
    gap = one.mean(axis=0) - other.mean(axis=0)
    v1, v0 = one.var(axis=0), other.var(axis=0)
    spread = np.sqrt((v1 + v0) / 2)
    error = np.sqrt(v1 / max(len(one), 1) + v0 / max(len(other), 1))
    tiny = 1e-12 * (np.abs(one).max(initial=0.0) + np.abs(other).max(initial=0.0))
    varies = spread > tiny
    difference = np.divide(gap, spread, out=np.zeros_like(gap), where=varies)
    z = np.divide(gap, error, out=np.zeros_like(gap), where=varies)
    return difference, np.asarray(special.chdtrc(1, z**2))


def largest_imbalance(matrix: Floats, arm: Ints) -> tuple[float, float, int]:
    """Return the largest difference of any treatment to control, its p-value and its column.

    The p-value is multiplied by the number of comparisons (Bonferroni).
    """
    best = (0.0, 1.0, 0)
    k = int(arm.max())
    for a in range(1, k + 1):
        rows = (arm == 0) | (arm == a)
        difference, p = standardised_differences(matrix[rows], arm[rows] == a)
        at = int(np.argmax(np.abs(difference)))
        size = float(abs(difference[at]))
        if size > best[0]:
            best = (size, min(float(p[at]) * difference.size * k, 1.0), at)
    return best
