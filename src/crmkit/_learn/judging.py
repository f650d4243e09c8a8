"""The usual figures that judge scores against outcomes, exact under ties."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import special

from crmkit._arrays import gains_curve, rank_bins

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from crmkit._arrays import GainsCurve
    from crmkit._typing import Floats


__all__ = [
    "area_influence",
    "area_interval",
    "area_under_curve",
    "average_precision",
    "brier_score",
    "calibration_error",
    "figures",
    "gini",
    "lift_at",
]


def area_under_curve(score: ArrayLike, outcome: ArrayLike) -> float:
    """Return the chance that a customer with the outcome outranks one without, ties half.

    NaN where all outcomes are equal: there is nothing to rank.
    """
    curve = gains_curve(score, outcome)
    others = curve.customers - curve.outcome
    worse = others.sum() - np.cumsum(others)
    pairs = curve.outcome.sum() * others.sum()
    return float(np.sum(curve.outcome * (worse + others / 2)) / pairs) if pairs else float("nan")


def area_influence(score: ArrayLike, outcome: ArrayLike) -> Floats:
    """Return what each customer adds to the error of the area under the curve, shape (n,).

    The placement of each among the others, less the area, over the number of its kind: the sum of
    squares is the variance of DeLong, DeLong and Clarke-Pearson (1988), Biometrics 44, 837-845,
    and differences of two scores' are those of the paired difference. NaN where all outcomes are
    equal.
    """
    outcome = np.asarray(outcome, dtype=np.float64)
    _, code = np.unique(np.asarray(score, dtype=np.float64), return_inverse=True)
    positive = np.bincount(code, weights=outcome)
    other = np.bincount(code, weights=1 - outcome)
    if not positive.sum() or not other.sum():
        return np.full(outcome.size, np.nan)
    above = (np.cumsum(other) - other / 2) / other.sum()
    below = 1 - (np.cumsum(positive) - positive / 2) / positive.sum()
    area = float(np.sum(positive * above) / positive.sum())
    yes, no = (above - area) / positive.sum(), (below - area) / other.sum()
    return np.where(outcome > 0, yes[code], no[code])


def area_interval(
    score: ArrayLike, outcome: ArrayLike, confidence_level: float
) -> tuple[float, float, float, float]:
    """Return the area under the curve, its standard error and its limits.

    DeLong's variance, with Welch's degrees of freedom on the scale of log odds, so that few
    customers of one kind and areas near 1 are allowed for. Perfect order of m pairs of a kind has
    no variance: the area is then at least (alpha / 2)^(1/m). NaN without two of each kind.
    """
    outcome = np.asarray(outcome, dtype=np.float64)
    area, square = area_under_curve(score, outcome), area_influence(score, outcome) ** 2
    n = np.array([np.count_nonzero(outcome <= 0), np.count_nonzero(outcome > 0)], dtype=np.float64)
    if n.min() < 2:
        return area, float("nan"), float("nan"), float("nan")
    parts = np.array([square[outcome <= 0].sum(), square[outcome > 0].sum()]) * n / (n - 1)
    error = float(np.sqrt(parts.sum()))
    if error == 0 or area in (0.0, 1.0):
        far = ((1 - confidence_level) / 2) ** (1 / n.min())
        return area, error, min(area, far), max(area, 1 - far)
    freedom = parts.sum() ** 2 / np.sum(parts**2 / (n - 1))
    reach = special.stdtrit(freedom, (1 + confidence_level) / 2) * error / (area * (1 - area))
    low, high = special.expit(special.logit(area) + np.array([-reach, reach]))
    return area, error, float(low), float(high)


def average_precision(score: ArrayLike, outcome: ArrayLike) -> float:
    """Return the mean over customers with the outcome of the precision at their own score."""
    curve = gains_curve(score, outcome)
    total = curve.outcome.sum()
    precision = np.cumsum(curve.outcome) / np.cumsum(curve.customers)
    return float(np.sum(curve.outcome * precision) / total) if total else float("nan")


def lift_at(score: ArrayLike, outcome: ArrayLike, *, share: float = 0.1) -> float:
    """Return the lift of the best `share` of customers; equals on the edge count in proportion."""
    curve = gains_curve(score, outcome)
    n, total = curve.customers.sum(), curve.outcome.sum()
    reached = np.interp(
        share * n, np.r_[0.0, np.cumsum(curve.customers)], np.r_[0.0, np.cumsum(curve.outcome)]
    )
    return float(reached / total / share) if total else float("nan")


def gini(score: ArrayLike, outcome: ArrayLike) -> float:
    """Return the Gini coefficient of outcomes in the order of the score over that in their own.

    1 is a perfect order, 0 luck (Wang, Liu and Miao 2019, arXiv:1912.07753, section 4.2). NaN
    where all outcomes are equal or they add up to nothing: there is nothing to find.
    """
    found, best = _area(gains_curve(score, outcome)), _area(gains_curve(outcome, outcome))
    return found / best if best > 0.0 else float("nan")


def _area(curve: GainsCurve) -> float:
    """Return the area between the cumulative shares of outcomes and of customers."""
    total = curve.outcome.sum()
    if not total > 0.0:
        return float("nan")
    reached = np.cumsum(curve.outcome) - curve.outcome / 2
    return float(curve.customers @ reached / curve.customers.sum() / total - 0.5)


def brier_score(predicted: ArrayLike, outcome: ArrayLike) -> float:
    """Return the mean squared difference of probability and outcome (Brier 1950)."""
    gap = np.asarray(predicted, dtype=np.float64) - np.asarray(outcome, dtype=np.float64)
    return float(np.mean(gap**2))


def calibration_error(predicted: ArrayLike, outcome: ArrayLike, *, n_bins: int = 10) -> float:
    """Return the mean absolute gap of predicted and observed rate over bins of equal numbers."""
    predicted = np.asarray(predicted, dtype=np.float64)
    bins = rank_bins(predicted, n_bins)
    gap = np.bincount(bins, weights=np.asarray(outcome, np.float64) - predicted)
    return float(np.abs(gap).sum() / predicted.size)


def figures(scores: Floats, outcome: Floats, *, rate: str = "rate") -> dict[str, Any]:
    """Return the figures that judge probabilities, shape (n,), against outcomes, shape (n,)."""
    return {
        "customers": len(outcome),
        rate: float(outcome.mean()),
        "p_mean": float(scores.mean()),
        "auc": area_under_curve(scores, outcome),
        "average_precision": average_precision(scores, outcome),
        "brier": brier_score(scores, outcome),
        "calibration_error": calibration_error(scores, outcome),
        "top_decile_lift": lift_at(scores, outcome),
    }
