"""Judge scores against outcomes: gains, calibration and the usual figures; ties cost nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from crmkit._arrays import gains_curve, rank_bins, wilson_interval
from crmkit._checks import Problems, number_array, require_columns
from crmkit._learn.encoder import column_kind
from crmkit.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from crmkit._typing import Floats


__all__ = [
    "area_under_curve",
    "average_precision",
    "binary_outcome",
    "brier_score",
    "calibration_error",
    "calibration_frame",
    "gains_frame",
    "lift_at",
    "matched_scores",
]


def binary_outcome(customers: pd.DataFrame, outcome: str, *, name: str = "customers") -> Floats:
    """Return column `outcome` as 0.0 and 1.0, shape (n,), or say why it cannot be one."""
    require_columns(customers.columns, [outcome], name)
    problems = Problems(name)
    if column_kind(customers[outcome]) == "levels":
        words = sorted({str(value) for value in customers[outcome].dropna().unique()})[:3]
        problems.add(
            f"column {outcome!r} must be 0 or 1 (or False and True); it holds words, such as "
            f"{words}. Compare it with the word that counts as the outcome first, for example "
            f"{name}[{outcome!r}] == 'Yes'."
        )
        problems.raise_if_any()
    values = number_array(customers[outcome], problems, outcome)
    finite = np.isfinite(values)
    other = finite & (values != 0) & (values != 1)
    problems.rows(
        other,
        f"column {outcome!r} must be 0 or 1 (or False and True) but is not",
        do="Compare it with the level that counts as the outcome first.",
        values=values.tolist(),
    )
    problems.raise_if_any()
    return values


def matched_scores(
    customers: pd.DataFrame,
    scores: pd.DataFrame,
    score: str,
    *,
    keys: tuple[str, ...] = ("customer_id",),
) -> Floats:
    """Return column `score` in the row order of `customers`; each row needs exactly one score."""
    require_columns(customers.columns, keys, "customers")
    require_columns(scores.columns, [*keys, score], "scores")
    problems = Problems("scores")
    values = number_array(scores[score], problems, score)
    index = pd.MultiIndex.from_frame(scores[list(keys)])
    problems.rows(
        np.asarray(index.duplicated()),
        f"{' and '.join(keys)} occur twice",
        do="Keep one score per row of `customers`.",
    )
    problems.raise_if_any()
    at = index.get_indexer(pd.MultiIndex.from_frame(customers[list(keys)]))
    problems = Problems("customers")
    problems.rows(at < 0, "no score found", do="Score the same customers that are judged.")
    problems.raise_if_any()
    return values[at]


def gains_frame(
    score: ArrayLike,
    outcome: ArrayLike,
    *,
    n_bins: int = 10,
    confidence_level: float = 0.95,
    labels: tuple[str, str, str] = ("decile", "positives", "rate"),
) -> pd.DataFrame:
    """Table outcomes by bins of the score, best first; `labels` name bin, count and rate.

    A bin is 1 + floor(n_bins x share of customers scored strictly higher), so equal scores stay
    together and a bin that nobody falls in is left out.

    Columns: <bin>, customers, <count>, <rate>, conf_low, conf_high (Wilson), lift, score_low,
    score_high, cumulative_share_customers, cumulative_share_<count>, cumulative_lift, ks.
    """
    score = np.asarray(score, dtype=np.float64)
    outcome = np.asarray(outcome, dtype=np.float64)
    if not score.size or outcome.sum() == 0:
        raise InputError("Gains need at least one customer with the outcome; there is none.")
    bins = rank_bins(-score, n_bins)
    present, codes = np.unique(bins, return_inverse=True)
    customers = np.bincount(codes).astype(np.int64)
    positives = np.bincount(codes, weights=outcome)
    low, high = wilson_interval(positives, customers, confidence_level)
    order = np.lexsort((score, codes))
    last = np.cumsum(customers) - 1
    base = outcome.mean()
    share_customers = np.cumsum(customers) / score.size
    share_positives = np.cumsum(positives) / outcome.sum()
    share_others = np.cumsum(customers - positives) / max(score.size - outcome.sum(), 1.0)
    bin_name, count_name, rate_name = labels
    return pd.DataFrame(
        {
            bin_name: present + 1,
            "customers": customers,
            count_name: positives.astype(np.int64),
            rate_name: positives / customers,
            "conf_low": low,
            "conf_high": high,
            "lift": positives / customers / base,
            "score_low": score[order[last - customers + 1]],
            "score_high": score[order[last]],
            "cumulative_share_customers": share_customers,
            f"cumulative_share_{count_name}": share_positives,
            "cumulative_lift": share_positives / share_customers,
            "ks": share_positives - share_others,
        }
    )


def calibration_frame(
    predicted: ArrayLike,
    outcome: ArrayLike,
    *,
    n_bins: int = 10,
    confidence_level: float = 0.95,
    labels: tuple[str, str] = ("p_predicted", "rate"),
) -> pd.DataFrame:
    """Compare predicted probabilities with observed rates in bins of equal numbers.

    Columns: bin, customers, <predicted>, <rate>, conf_low, conf_high (Wilson), difference.
    """
    predicted = np.asarray(predicted, dtype=np.float64)
    outcome = np.asarray(outcome, dtype=np.float64)
    present, codes = np.unique(rank_bins(predicted, n_bins), return_inverse=True)
    customers = np.bincount(codes)
    positives = np.bincount(codes, weights=outcome)
    expected = np.bincount(codes, weights=predicted) / customers
    low, high = wilson_interval(positives, customers, confidence_level)
    return pd.DataFrame(
        {
            "bin": present + 1,
            "customers": customers,
            labels[0]: expected,
            labels[1]: positives / customers,
            "conf_low": low,
            "conf_high": high,
            "difference": positives / customers - expected,
        }
    )


def area_under_curve(score: ArrayLike, outcome: ArrayLike) -> float:
    """Return the chance that a customer with the outcome outranks one without, ties half.

    NaN where all outcomes are equal: there is nothing to rank.
    """
    curve = gains_curve(score, outcome)
    others = curve.customers - curve.outcome
    worse = others.sum() - np.cumsum(others)
    pairs = curve.outcome.sum() * others.sum()
    return float(np.sum(curve.outcome * (worse + others / 2)) / pairs) if pairs else float("nan")


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


def brier_score(predicted: ArrayLike, outcome: ArrayLike) -> float:
    """Return the mean squared difference of probability and outcome (Brier 1950)."""
    gap = np.asarray(predicted, dtype=np.float64) - np.asarray(outcome, dtype=np.float64)
    return float(np.mean(gap**2))


def calibration_error(predicted: ArrayLike, outcome: ArrayLike, *, n_bins: int = 10) -> float:
    """Return the mean absolute gap of predicted and observed rate over bins of equal numbers."""
    table = calibration_frame(predicted, outcome, n_bins=n_bins)
    return float(np.average(table["difference"].abs(), weights=table["customers"]))
