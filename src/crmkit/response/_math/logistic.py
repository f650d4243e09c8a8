"""Logistic regression with standard errors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

if TYPE_CHECKING:
    from crmkit._typing import Floats, Ints


__all__ = [
    "LogisticFit",
    "Profile",
    "clustered_covariance",
    "dependent_columns",
    "fit_logistic",
    "fit_penalised",
]

_STEPS = 50
_NEAR = 1e-9
# How far to look for a limit, in standard errors; further off there is none.
_FAR = 1000.0


@dataclass(frozen=True, slots=True)
class LogisticFit:
    """A fit: ``coefficient`` (p,), ``covariance`` (p, p), column 0 the constant.

    ``log_likelihood`` is that which was maximised, penalised or not; ``separated`` tells that the
    data let a coefficient grow without end.
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
    Where the likelihood has no maximum the steps never end: outcomes are separated (Albert and
    Anderson 1984). How far a predictor goes says nothing of that.
    """
    return _in_given_units(matrix, _Search(_standardised(matrix), outcome, penalised=False))


def fit_penalised(matrix: Floats, outcome: Floats) -> LogisticFit:
    """Fit with Firth's penalty, half the logarithm of the determinant of the information.

    It takes the first-order bias out and always has a maximum: Firth (1993), Biometrika 80, 27-38;
    Heinze and Schemper (2002), Statistics in Medicine 21, 2409-2419, equation 1.
    """
    return _in_given_units(matrix, _Search(_standardised(matrix), outcome, penalised=True))


def clustered_covariance(
    fit: LogisticFit, matrix: Floats, outcome: Floats, cluster: Ints
) -> Floats:
    """Return the covariance of a fit whose rows hang together by `cluster` (n,), codes from 0.

    What each cluster adds to the score stands for its rows (Liang and Zeger 1986, Biometrika 73,
    13-22), times g / (g - 1) for g clusters. A fit's own covariance is the inverse of its
    information.
    """
    design = np.column_stack([np.ones(len(matrix)), matrix])
    pull = (outcome - special.expit(design @ fit.coefficient))[:, None] * design
    sums = np.column_stack([np.bincount(cluster, weights=column) for column in pull.T])
    half = sums @ fit.covariance
    return np.asarray(half.T @ half * len(sums) / (len(sums) - 1))


class Profile:
    """The penalised likelihood as one coefficient after another is held, around its maximum."""

    def __init__(self, matrix: Floats, outcome: Floats) -> None:
        self.best = _Search(_standardised(matrix), outcome, penalised=True)
        self.outcome, self.spread = outcome, matrix.std(axis=0)

    def limits(self, column: int, level: float) -> tuple[float, float, float]:
        """Return limits of one coefficient, and the p-value that it is 0.

        `column` counts from 0 in the matrix. A limit that lies a thousand standard errors off is
        infinite (Heinze and Schemper 2002, section 2.2).
        """
        from scipy.optimize import brentq

        best, spread, place = self.best, float(self.spread[column]) or 1.0, column + 1
        middle = float(best.beta[place])
        error = float(np.sqrt(best.covariance[place, place]))
        allowed = special.chdtri(1, 1 - level) / 2

        def short(value: float) -> float:
            held = _Search(
                best.design, self.outcome, penalised=True, start=best.beta, hold=(place, value)
            )
            return float(best.value - held.value - allowed)

        limits = []
        for side in (-1.0, 1.0):
            reach = error
            while short(middle + side * reach) < 0 and reach < _FAR * error:
                reach *= 2
            found = side * np.inf
            if reach < _FAR * error:
                low, high = sorted((middle, middle + side * reach))
                found = float(brentq(short, low, high, xtol=1e-6))
            limits.append(found / spread)
        return limits[0], limits[1], float(special.chdtrc(1, max(2 * (short(0.0) + allowed), 0.0)))


def _standardised(matrix: Floats) -> Floats:
    """Return a constant and the columns with mean 0 and spread 1."""
    spread = matrix.std(axis=0)
    unit = (matrix - matrix.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    return np.column_stack([np.ones(len(matrix)), unit])


def _in_given_units(matrix: Floats, found: _Search) -> LogisticFit:
    """Return a fit of standardised columns in their units.

    b = beta / spread, b0 = beta0 - sum beta centre / spread.
    """
    spread = matrix.std(axis=0)
    spread = np.where(spread > 0, spread, 1.0)
    back = np.diag(np.r_[1.0, 1 / spread])
    back[0, 1:] = -matrix.mean(axis=0) / spread
    covariance = back @ found.covariance @ back.T
    return LogisticFit(back @ found.beta, covariance, found.value, not found.settled)


class _Search:
    """Newton's search for the largest likelihood, with one coefficient held if asked.

    ``settled`` tells whether it came to rest at ``beta`` (p,), with its ``value``.
    """

    def __init__(
        self,
        design: Floats,
        outcome: Floats,
        *,
        penalised: bool,
        start: Floats | None = None,
        hold: tuple[int, float] | None = None,
    ) -> None:
        self.design, self.outcome, self.penalised = design, outcome, penalised
        beta = np.zeros(design.shape[1]) if start is None else start.copy()
        if start is None:
            beta[0] = special.logit(outcome.mean())
        free = np.arange(beta.size)
        if hold is not None:
            free = np.delete(free, hold[0])
            beta[hold[0]] = hold[1]
        self.settled = False
        self.value, score, information = self._at(beta)
        for _ in range(_STEPS):
            try:
                step = np.asarray(
                    np.linalg.solve(information[np.ix_(free, free)], score[free]), dtype=np.float64
                )
            except np.linalg.LinAlgError:
                break
            if np.abs(step).max() < _NEAR * (1 + np.abs(beta).max()):
                beta[free] += step
                self.value, _, information = self._at(beta)
                self.settled = True
                break
            better = self._better(beta, free, step)
            if better is None:
                # No step of any length is uphill: rounding is all that is left.
                self.settled = np.abs(step).max() < 1e-4 * (1 + np.abs(beta).max())
                break
            beta, (self.value, score, information) = better
        self.beta = beta
        self.covariance = np.linalg.pinv(information)

    def _better(
        self, beta: Floats, free: Ints, step: Floats
    ) -> tuple[Floats, tuple[float, Floats, Floats]] | None:
        """Return the first halving of a step that goes uphill, with what holds there."""
        for _ in range(40):
            moved = beta.copy()
            moved[free] += step
            found = self._at(moved)
            if found[0] >= self.value:
                return moved, found
            step = step / 2
        return None

    def _at(self, beta: Floats) -> tuple[float, Floats, Floats]:
        """Return likelihood, score (p,) and information (p, p)."""
        eta = self.design @ beta
        p = special.expit(eta)
        weight = p * (1 - p)
        information = self.design.T @ (self.design * weight[:, None])
        value = float(np.sum(self.outcome * eta - np.logaddexp(0.0, eta)))
        rest = self.outcome - p
        if self.penalised:
            sign, size = np.linalg.slogdet(information)
            value += size / 2 if sign > 0 else -np.inf
            inverse = np.linalg.pinv(information)
            leverage = weight * np.einsum("ij,jk,ik->i", self.design, inverse, self.design)
            rest = rest + leverage * (0.5 - p)
        return value, self.design.T @ rest, information
