"""How good a segment is: effect sizes, separation, stability, drift."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]

__all__ = ["auc", "best_jaccard", "cohens_h", "eta_squared", "population_stability"]


def eta_squared(values: Floats, codes: Integers) -> float:
    """Return the share of variance between groups: SS_between / SS_total, 0 for a constant."""
    n = np.bincount(codes)
    centred = values - values.mean()
    total = float(centred @ centred)
    if total == 0:
        return 0.0
    sums = np.bincount(codes, weights=centred)
    return float(np.sum(sums[n > 0] ** 2 / n[n > 0]) / total)


def auc(score: Floats, member: NDArray[np.bool_]) -> float:
    """Return P(score of a member > score of another), ties counted half (Mann-Whitney U / n m).

    NaN where all or none are members.
    """
    inside = int(np.count_nonzero(member))
    outside = member.size - inside
    if inside == 0 or outside == 0:
        return float("nan")
    ordered = np.sort(score[~member])
    below = np.searchsorted(ordered, score[member], side="left").astype(np.float64)
    not_above = np.searchsorted(ordered, score[member], side="right")
    return float(np.sum((below + not_above) / 2) / (inside * outside))


def best_jaccard(first: Integers, second: Integers, n_first: int) -> Floats:
    """Return for each cluster of `first` its best Jaccard overlap with one of `second`.

    Both label the same customers, shape (n,), from 0. The result has shape (n_first,); a cluster
    without customers has 0 (Hennig 2007, Comput. Stat. Data Anal. 52, 258, section 2).
    """
    n_second = int(second.max()) + 1 if second.size else 1
    both = np.bincount(first * n_second + second, minlength=n_first * n_second)
    both = both.reshape(n_first, n_second).astype(np.float64)
    either = both.sum(axis=1, keepdims=True) + both.sum(axis=0, keepdims=True) - both
    return np.max(both / np.maximum(either, 1.0), axis=1)


def population_stability(before: Floats, after: Floats, *, smoothing: float = 0.5) -> Floats:
    """Return each class's part of the population stability index, shape (k,).

    ``(a - e) ln(a / e)`` with the shares e before and a after, from counts. `smoothing` is added
    to every count, so that an empty class gives a large and not an infinite part.
    """
    expected = (before + smoothing) / np.sum(before + smoothing)
    actual = (after + smoothing) / np.sum(after + smoothing)
    return np.asarray((actual - expected) * np.log(actual / expected))


def cohens_h(p: Floats, q: Floats) -> Floats:
    """Return the difference of two shares on the arcsine scale (Cohen 1988, eq. 6.2.1)."""
    return np.asarray(2 * (np.arcsin(np.sqrt(p)) - np.arcsin(np.sqrt(q))))
