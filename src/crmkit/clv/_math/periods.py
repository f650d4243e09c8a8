"""Survival over whole periods when each ends with probability theta ~ Beta(a, b)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from crmkit.clv._math.special import beta_rule, log_rising

if TYPE_CHECKING:
    from crmkit._typing import Floats

__all__ = ["renewals", "survival_ratio"]


def survival_ratio(a: Floats, b: Floats, periods: float) -> Floats:
    """``E[(1 - theta)^m] = B(a, b + m) / B(a, b)``, shape (n,)."""
    if np.isinf(periods):
        return np.zeros_like(a)
    result: Floats = np.exp(log_rising(b, periods)[0] - log_rising(a + b, periods)[0])
    return result


def renewals(a: Floats, b: Floats, periods: float, rate: float) -> Floats:
    """Return expected periods survived, ``sum_j E[(1 - theta)^j] exp(-rate j)``, j = 1, ..., m.

    A geometric series inside the expectation: ``q (1 - q^m) / (1 - q)``.
    """
    m = np.floor(periods + 1e-9)
    if np.isinf(m) and rate == 0.0:
        return np.where(a > 1.0, b / np.where(a > 1.0, a - 1.0, 1.0), np.inf)
    theta, kept, weight = beta_rule(a, b)
    left = -np.expm1(-rate) * kept + theta  # 1 - q without cancellation
    with np.errstate(divide="ignore"):
        # ln(1 - theta) of a theta that 1 - theta no longer shows, and of a theta near one.
        log_q = np.where(theta < 0.5, np.log1p(-theta), np.log(kept)) - rate
    sure = left == 0.0
    series = np.exp(log_q) * (-np.expm1(m * log_q)) / np.where(sure, 1.0, left)
    series = np.where(sure, m, series)
    result: Floats = np.einsum("ij,ij->i", weight, series)
    return result
