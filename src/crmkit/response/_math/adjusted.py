"""The difference of two means, less what was known before the arms were drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import special

if TYPE_CHECKING:
    from crmkit._typing import Floats

__all__ = ["adjusted_difference"]


def adjusted_difference(
    treated: Floats, before_treated: Floats, control: Floats, before_control: Floats, level: float
) -> tuple[float, float, float, float, float]:
    """Return the adjusted difference, its error, limits and p-value.

    Outcomes have shape (n1,) and (n0,), what was known before (n1, k) and (n0, k). Each arm has a
    regression of its own, read at the mean of all (Lin 2013, section 4), which with one column and
    one slope is CUPED (Deng, Xu, Kohavi and Walker 2013). The residual variances stand in for the
    variances of Welch's test, and slopes that differ add the variance of the common mean.
    """
    everybody = np.vstack([before_treated, before_control])
    centre = everybody.mean(axis=0)
    parts = [
        _at_centre(treated, before_treated - centre),
        _at_centre(control, before_control - centre),
    ]
    (one, slope1, var1, free1), (other, slope0, var0, free0) = parts
    gap = slope1 - slope0
    shared = float(gap @ np.atleast_2d(np.cov(everybody, rowvar=False)) @ gap) / len(everybody)
    difference, variance = one - other, var1 + var0 + shared
    error = float(np.sqrt(variance))
    if error == 0:
        return difference, 0.0, difference, difference, float(difference == 0)
    freedom = (var1 + var0) ** 2 / (var1**2 / free1 + var0**2 / free0)
    reach = float(special.stdtrit(freedom, (1 + level) / 2)) * error
    p = 2 * float(special.stdtr(freedom, -abs(difference) / error))
    return difference, error, difference - reach, difference + reach, p


def _at_centre(outcome: Floats, before: Floats) -> tuple[float, Floats, float, float]:
    """Return a regression's value at 0, its slopes, the variance of the value, and its freedom."""
    design = np.column_stack([np.ones(outcome.size), before])
    found: Floats = np.linalg.lstsq(design, outcome, rcond=None)[0].astype(np.float64)
    rank = np.linalg.matrix_rank(design)
    freedom = float(max(outcome.size - int(rank), 1))
    rest = outcome - design @ found
    # Robust to spread that differs (HC1), as outcomes of money do.
    bread = np.linalg.pinv(design.T @ design)
    row = design @ bread[:, 0]
    variance = float(np.sum((row * rest) ** 2)) * outcome.size / freedom
    return float(found[0]), found[1:], variance, freedom
