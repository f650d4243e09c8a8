"""The criteria of a segment and of a partition, each with its limits; no rule is applied here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from crmkit._arrays import mean_interval, share_below, wilson_interval
from crmkit._checks import Problems, listed, number_array
from crmkit._frames import read_consent, read_customers, to_pandas
from crmkit._learn import FeatureEncoder, area_under_curve, row_fingerprints
from crmkit.segmentation._math import (
    adjusted_rand,
    against_the_rest,
    deal_folds,
    explained_interval,
    log_densities,
    population_stability,
    robust_unit,
    scatter,
    share_of_total,
    squash,
    within_interval,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from crmkit._typing import Bools, Floats, Ints

    # By criterion: measured, lower and upper limit, one per segment or one for all.
    Measured = dict[str, tuple[Any, Any, Any]]


__all__ = ["drift", "existence", "money", "reach", "sizes", "stable", "tells_later"]

_FOLDS = 5
_DRAWS = 400


def sizes(codes: Ints, confidence_level: float) -> Measured:
    """Return how many customers each segment has, and what share, as another base would show."""
    n = np.bincount(codes).astype(np.float64)
    low, high = wilson_interval(n, np.full(n.size, n.sum()), confidence_level)
    return {
        "size": (n, low * n.sum(), high * n.sum()),
        "share_of_customers": (n / n.sum(), low, high),
    }


def money(values: Floats, codes: Ints, confidence_level: float) -> Measured:
    """Return the criteria that speak of money."""
    overall = float(values.mean())
    centred, n = values - overall, np.bincount(codes)
    total = np.bincount(codes, weights=centred)
    square = np.bincount(codes, weights=centred**2)
    mean, _, low, high = mean_interval(total, square, n, confidence_level)
    found: Measured = {"profitable": (overall + mean, overall + low, overall + high)}
    if values.sum() > 0:
        found["share_of_value"] = share_of_total(values, codes, confidence_level)
    return found


def reach(
    frame: pd.DataFrame, column: str | None, codes: Ints, confidence_level: float
) -> tuple[Measured, Measured]:
    """Return the share of each segment that can be reached, and how many; missing is not."""
    flag = np.ones(len(frame))
    if column is not None:
        problems = Problems("customers")
        flag = np.nan_to_num(read_consent(frame[column], problems, column))
        problems.raise_if_any()
    n, everyone = np.bincount(codes), len(frame)
    reached = np.bincount(codes, weights=flag)
    low, high = wilson_interval(reached, np.full(n.size, everyone), confidence_level)
    counted: Measured = {"reached": (reached, low * everyone, high * everyone)}
    if column is None:
        return {}, counted
    return {"reachable": (reached / n, *wilson_interval(reached, n, confidence_level))}, counted


def existence(
    frame: pd.DataFrame,
    codes: Ints,
    columns: Sequence[str] | None,
    exclude: list[str],
    confidence_level: float,
) -> tuple[Measured, Measured, list[str]]:
    """Return whether segments are alike within and unlike without, of each, of all; and by what.

    Only customers who had no part in describing the segments are judged.
    """
    left_out = [*exclude, "segment"] if columns is None else []
    encoder = FeatureEncoder(columns=columns, exclude=left_out).fit(frame)
    matrix = encoder.transform(frame)
    order = np.argsort(row_fingerprints(None, matrix), kind="stable")
    matrix = squash(matrix, *robust_unit(matrix))
    spread = matrix.std(axis=0)
    matrix /= np.where(spread > 0, spread, 1.0)
    folds = deal_folds(order, codes, _FOLDS)
    own, every = scatter(matrix, codes, folds)
    each: Measured = {"homogeneous": within_interval(own, every, codes, confidence_level)}
    whole: Measured = {"eta_squared": explained_interval(own, every, confidence_level)}
    if codes.max() > 0:
        densities = log_densities(matrix, codes, folds)
        odds = against_the_rest(densities)
        area = np.array([_area(odds[:, k], codes == k, folds) for k in range(odds.shape[1])])
        n = np.bincount(codes)
        fewer = np.minimum(n, len(codes) - n)
        low, high = wilson_interval(np.nan_to_num(area) * fewer, fewer, confidence_level)
        known = np.isfinite(area)
        each["distinct"] = (area, np.where(known, low, np.nan), np.where(known, high, np.nan))
        whole["agreement"] = _agreement(codes, densities.argmax(axis=1), confidence_level)
    return each, whole, encoder.used_columns


def _area(odds: Floats, member: Bools, folds: Ints) -> float:
    """Return the chance that a member outranks another, both of one fold; NaN if none has both."""
    parts = []
    for fold in range(int(folds.max()) + 1):
        here = (folds == fold) & np.isfinite(odds)
        pairs = int(np.sum(member[here])) * int(np.sum(~member[here]))
        if pairs:
            parts.append((area_under_curve(odds[here], member[here]), pairs))
    if not parts:
        return float("nan")
    area, pairs_of = np.array(parts).T
    return float(area @ pairs_of / pairs_of.sum())


def _agreement(codes: Ints, found: Ints, confidence_level: float) -> tuple[float, float, float]:
    """Return the adjusted Rand index of segments and what columns tell, over resampled customers.

    The draws are the same every time: the result depends on the table alone.
    """
    k = int(codes.max()) + 1
    table = np.bincount(codes * k + found, minlength=k * k)
    rng = np.random.default_rng(0)
    drawn = rng.multinomial(len(codes), table / len(codes), _DRAWS).reshape(-1, k, k)
    tail = (1 - confidence_level) / 2
    low, high = np.quantile(adjusted_rand(drawn), [tail, 1 - tail])
    return float(adjusted_rand(table.reshape(k, k))), float(low), float(high)


def tells_later(values: Floats, codes: Ints, confidence_level: float) -> Measured:
    """Return how much of the ranks of a later value segments tell of unseen customers."""
    ranks = (share_below(values)[0] - share_below(-values)[0]).astype(np.float64)
    order = np.argsort(row_fingerprints(None, np.column_stack([ranks, codes])), kind="stable")
    folds = deal_folds(order, codes, _FOLDS)
    own, every = scatter(ranks[:, None] / len(ranks), codes, folds)
    return {"later_value": explained_interval(own, every, confidence_level)}


def stable(stability: Any, names: list[str]) -> Measured:
    """Return the Jaccard overlap of each segment, with limits where they are given."""
    limits = ["conf_low", "conf_high"]
    table = to_pandas(stability, "stability", needs=["segment", "jaccard"], optional=limits)
    problems = Problems("stability")
    lacking = sorted(set(names) - set(table["segment"].astype(str)))
    if lacking:
        problems.add(f"it lacks the segment(s) {listed(lacking)}.")
    held = [column if column in table.columns else "jaccard" for column in limits]
    read = [
        number_array(table[name], problems, name, allow_missing=name != "jaccard")
        for name in ("jaccard", *held)
    ]
    problems.raise_if_any()
    row = {name: at for at, name in enumerate(table["segment"].astype(str))}
    at = [row[name] for name in names]
    return {"stable": (read[0][at], read[1][at], read[2][at])}


def drift(
    previous: Any, names: list[str], n: Floats, confidence_level: float
) -> tuple[Measured, Measured]:
    """Return the population stability index of each segment against the rest, and of all.

    What earlier customers were in segments that no longer exist counts as one class more.
    """
    table = read_customers(previous, needs=["segment"], optional=(), name="previous")
    earlier = table["segment"].astype(str).value_counts()
    before = np.array([earlier.get(name, 0) for name in names], dtype=np.float64)
    pairs = [
        population_stability(
            np.array([one, earlier.sum() - one]), np.array([now, n.sum() - now]), confidence_level
        )
        for one, now in zip(before, n, strict=True)
    ]
    if vanished := float(earlier.sum()) - before.sum():
        before, n = np.append(before, vanished), np.append(n, 0.0)
    measured, low, high = np.array(pairs).T
    whole: Measured = {"drift": population_stability(before, n, confidence_level)}
    return {"drift": (measured, low, high)}, whole
