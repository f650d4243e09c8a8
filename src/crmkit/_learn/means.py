"""Fit the mean of an outcome by any scikit-learn estimator, or by a linear one that JSON holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from scipy import special

from crmkit._estimator import json_part
from crmkit._learn.classifier import default_classifier, seeded
from crmkit._learn.trees import TreeStyle, fit_trees
from crmkit.errors import InputError

if TYPE_CHECKING:
    from crmkit._typing import Floats


__all__ = ["MeanModel", "MixedMean", "fit_mean"]


class MeanModel(Protocol):
    """What predicts a mean outcome, shape (n,), from features (n, p)."""

    def mean(self, matrix: Floats) -> Floats:
        """Return the mean outcome per row."""


@json_part
@dataclass(frozen=True, slots=True)
class LinearMean:
    """A linear or logistic mean: ``intercept`` + x ``coefficient`` (p,), on its link's scale."""

    coefficient: Floats
    intercept: float
    logistic: bool

    def mean(self, matrix: Floats) -> Floats:
        """Return the mean outcome per row."""
        eta = matrix @ self.coefficient + self.intercept
        return np.asarray(special.expit(eta) if self.logistic else eta)


@json_part
@dataclass(frozen=True, slots=True)
class MixedMean:
    """A weighted mean of means."""

    parts: list[MeanModel]
    weights: list[float]

    def mean(self, matrix: Floats) -> Floats:
        """Return the mean outcome per row."""
        total = np.zeros(len(matrix))
        for part, weight in zip(self.parts, self.weights, strict=True):
            total += weight * part.mean(matrix)
        return total


@dataclass(frozen=True, slots=True)
class EstimatorMean:
    """A mean by a fitted scikit-learn classifier or regressor."""

    fitted: Any
    classes: bool

    def mean(self, matrix: Floats) -> Floats:
        """Return the mean outcome per row."""
        if self.classes:
            return np.asarray(self.fitted.predict_proba(matrix)[:, 1], dtype=np.float64)
        return np.asarray(self.fitted.predict(matrix), dtype=np.float64)


def fit_mean(
    matrix: Floats,
    outcome: Floats,
    *,
    estimator: Any = None,
    binary: bool,
    random_state: int | None = None,
) -> MeanModel:
    """Fit the mean of `outcome` (n,) on features (n, p).

    Without an estimator a ridge-penalised logistic regression learns outcomes of 0 and 1, and
    a ridge regression anything else. A classifier is asked for the probability of 1; a style of
    trees grows these.
    """
    if binary and outcome.min() == outcome.max():
        # Nothing to learn: everybody had the same outcome.
        return LinearMean(np.zeros(matrix.shape[1]), float(outcome[0]), logistic=False)
    if isinstance(estimator, TreeStyle):
        return fit_trees(matrix, outcome, estimator, random_state)
    if estimator is None:
        return _linear(matrix, outcome, binary=binary, random_state=random_state)
    from sklearn.base import is_classifier

    fresh = seeded(estimator, random_state)
    classes = bool(is_classifier(fresh))
    if classes and not binary:
        raise InputError(
            f"`estimator` is a classifier ({type(estimator).__name__}), but amounts and effects "
            "need a regressor."
        )
    fresh.fit(matrix, outcome.astype(np.int64) if classes else outcome)
    return EstimatorMean(fresh, classes)


def _linear(
    matrix: Floats, outcome: Floats, *, binary: bool, random_state: int | None
) -> LinearMean:
    """Fit the default learner."""
    if binary:
        fitted = default_classifier(random_state).fit(matrix, outcome.astype(np.int64))
        return LinearMean(np.asarray(fitted.coef_[0]), float(fitted.intercept_[0]), logistic=True)
    # Ridge with penalty 1 in closed form, the constant left free.
    centre, mean = matrix.mean(axis=0), float(outcome.mean())
    x = matrix - centre
    gram = x.T @ x + np.eye(x.shape[1])
    coefficient = np.linalg.solve(gram, x.T @ (outcome - mean))
    return LinearMean(coefficient, mean - float(centre @ coefficient), logistic=False)
