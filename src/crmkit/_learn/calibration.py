"""Turn scores into probabilities that hold on average, without changing who ranks above whom."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import special

from crmkit._estimator import json_part

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from crmkit._typing import Floats


__all__ = ["Calibrator"]

_EDGE = 1e-9
_MOST = 0.05


@json_part
@dataclass(frozen=True)
class Calibrator:
    """Maps out-of-fold probabilities to calibrated ones by a strictly increasing function.

    ``sigmoid`` fits logit p = a + b logit s with the smoothed targets of Platt (1999).
    ``isotonic`` joins the centres of the pooled-adjacent-violators blocks by straight lines on
    the logit scale and goes on with slope one beyond the outer ones, so that unlike plain
    isotonic regression it makes no ties. ``none`` leaves scores as they are. Where scores do not
    rise with the outcome at all, every customer gets the base rate.

    Scores of exactly 0 or 1, which forests give, are held at ``edge`` from there: half the least
    distance of the others, half a tree. Held any closer, they alone would steer the line.

    ``fit`` returns a calibrator with ``knots`` and ``edge``, and leaves this one as it is.
    """

    method: str = "sigmoid"
    knots: tuple[list[float], ...] = ()
    edge: float = _EDGE

    def fit(self, score: ArrayLike, outcome: ArrayLike) -> Calibrator:
        """Learn the map from scores and outcomes (0 or 1), both of shape (n,)."""
        if self.method == "none":
            return self
        knots = _sigmoid_knots if self.method == "sigmoid" else _isotonic_knots
        edge = _edge(np.asarray(score, dtype=np.float64))
        found = knots(_logit(score, edge), np.asarray(outcome, dtype=np.float64))
        return replace(self, knots=tuple(found), edge=edge)

    def transform(self, score: ArrayLike) -> Floats:
        """Return calibrated probabilities of shape (n,)."""
        if self.method == "none":
            return np.asarray(score, dtype=np.float64)
        margin = _logit(score, self.edge)
        if self.method == "sigmoid":
            intercept, slope = self.knots[0]
            return np.asarray(special.expit(intercept + slope * margin))
        x, y = (np.asarray(values) for values in self.knots)
        if x.size == 1:
            return np.full(margin.shape, float(special.expit(y[0])))
        beyond = np.minimum(margin - x[0], 0.0) + np.maximum(margin - x[-1], 0.0)
        return np.asarray(special.expit(np.interp(margin, x, y) + beyond))


def _edge(score: Floats) -> float:
    """Return how far from 0 and 1 scores are held: half the least distance that is none."""
    distance = np.minimum(score, 1 - score)
    if not distance.size or distance.min() > 0:
        return _EDGE
    known = distance[distance > 0]
    return float(np.clip(known.min() / 2, _EDGE, _MOST)) if known.size else _MOST


def _logit(score: ArrayLike, edge: float) -> Floats:
    """Return log odds; scores closer than `edge` to 0 or 1 are held there."""
    return np.asarray(special.logit(np.clip(np.asarray(score, np.float64), edge, 1 - edge)))


def _sigmoid_knots(margin: Floats, outcome: Floats) -> list[list[float]]:
    """Fit intercept and slope by Newton's method on the smoothed targets (Platt 1999, eq. 1)."""
    positives = float(outcome.sum())
    negatives = outcome.size - positives
    target = np.where(outcome > 0, (positives + 1) / (positives + 2), 1 / (negatives + 2))
    base = float(special.logit(target.mean()))
    centre = float(margin.mean())
    x = margin - centre
    if not np.any(x):
        return [[base, 0.0]]
    beta = np.array([base, 0.0])
    for _ in range(50):
        p = special.expit(beta[0] + beta[1] * x)
        weight = p * (1 - p)
        gradient = np.array([np.sum(target - p), np.sum((target - p) * x)])
        cross = np.sum(weight * x)
        information = np.array([[np.sum(weight), cross], [cross, np.sum(weight * x**2)]])
        step = np.linalg.solve(information + 1e-9 * np.eye(2), gradient)
        # Bounded steps keep the first moves from a separable start inside the float range.
        step = np.clip(step, -5.0, 5.0)
        beta = beta + step
        if np.max(np.abs(step)) < 1e-10:
            break
    if beta[1] <= 0:
        return [[base, 0.0]]
    return [[float(beta[0] - beta[1] * centre), float(beta[1])]]


def _isotonic_knots(margin: Floats, outcome: Floats) -> list[list[float]]:
    """Return block centres and log odds of the smoothed rates, both strictly increasing."""
    from scipy.optimize import isotonic_regression

    x, codes = np.unique(margin, return_inverse=True)
    weight: Floats = np.bincount(codes).astype(np.float64)
    total: Floats = np.bincount(codes, weights=outcome).astype(np.float64)
    base = float((total.sum() + 1) / (weight.sum() + 2))
    x, total, weight = _pool(x, total, weight, isotonic_regression)
    # One pseudo-customer at the base rate per block keeps rates off 0 and 1; what that puts out
    # of order is pooled again.
    x, total, weight = _pool(x, total + base, weight + 1.0, isotonic_regression)
    rate = special.logit(total / weight)
    rising = np.r_[True, np.diff(rate) > 1e-9]
    return [x[rising].tolist(), rate[rising].tolist()]


def _pool(
    x: Floats, total: Floats, weight: Floats, isotonic_regression: Any
) -> tuple[Floats, Floats, Floats]:
    """Pool adjacent violators: centre, total and weight of each block."""
    block = isotonic_regression(total / weight, weights=weight).blocks[:-1]
    size = np.add.reduceat(weight, block)
    return np.add.reduceat(x * weight, block) / size, np.add.reduceat(total, block), size
