"""Logistic regression with standard errors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

if TYPE_CHECKING:
    from crmkit._typing import Floats, Ints


__all__ = ["LogisticFit", "dependent_columns", "fit_logistic"]

_STEPS = 100
# A linear predictor beyond this is a probability of 0 or 1 in all but name.
_SEPARATED = 30.0


@dataclass(frozen=True, slots=True)
class LogisticFit:
    """Maximum likelihood fit: ``coefficient`` (p,), ``covariance`` (p, p), column 0 the constant.

    ``separated`` tells that the data let a coefficient grow without end.
    """

    coefficient: Floats
    covariance: Floats
    log_likelihood: float
    separated: bool


def dependent_columns(matrix: Floats) -> Ints:
    """Return which columns of (n, p) are combinations of those before them."""
    scale = np.sqrt((matrix**2).sum(axis=0))
    unit = matrix / np.where(scale > 0, scale, 1.0)
    diagonal = np.abs(np.diag(np.linalg.qr(unit, mode="r")))
    return np.flatnonzero(diagonal < 1e-8)


def fit_logistic(matrix: Floats, outcome: Floats) -> LogisticFit:
    """Fit P(outcome) = 1 / (1 + exp(-b0 - X b)) by Newton's method.

    `matrix` (n, p) has no constant column; `outcome` is (n,) of 0.0 and 1.0. Columns are
    standardised inside, so that units cannot spoil the inverse of the information matrix
    (Hosmer, Lemeshow and Sturdivant 2013, section 2.3), and results are in the units given.
    """
    centre, spread = matrix.mean(axis=0), matrix.std(axis=0)
    spread = np.where(spread > 0, spread, 1.0)
    design = np.column_stack([np.ones(outcome.size), (matrix - centre) / spread])
    base = outcome.mean()
    beta = np.zeros(design.shape[1])
    beta[0] = special.logit(base)
    likelihood, separated = _log_likelihood(design @ beta, outcome), True
    for _ in range(_STEPS):
        p = special.expit(design @ beta)
        information = design.T @ (design * (p * (1 - p))[:, None])
        step = np.linalg.solve(information, design.T @ (outcome - p))
        size = np.abs(step).max()
        while _log_likelihood(design @ (beta + step), outcome) < likelihood and size > 1e-9:
            step, size = step / 2, size / 2
        beta = beta + step
        eta = design @ beta
        likelihood = _log_likelihood(eta, outcome)
        if size < 1e-11 or np.abs(eta).max() > _SEPARATED:
            separated = size >= 1e-11
            break
    covariance = np.linalg.pinv(information)
    # Back to the given units: b = beta / spread, b0 = beta0 - sum beta centre / spread.
    back = np.diag(np.r_[1.0, 1 / spread])
    back[0, 1:] = -centre / spread
    return LogisticFit(
        back @ beta,
        back @ covariance @ back.T,
        likelihood,
        separated,
    )


def _log_likelihood(eta: Floats, outcome: Floats) -> float:
    """Return sum y eta - log(1 + exp(eta))."""
    return float(np.sum(outcome * eta - np.logaddexp(0.0, eta)))
