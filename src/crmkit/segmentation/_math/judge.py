"""How good a segment is: effect sizes, separation, stability, drift."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from crmkit._typing import Bools, Floats, Ints


__all__ = ["best_jaccard", "cohens_h", "homogeneity", "likeness", "population_stability"]


def homogeneity(matrix: Floats, codes: Ints) -> Floats:
    """Return per group how much of the variance grouping takes away, shape (k,).

    1 - (mean square distance to the group's mean) / (mean square distance to the overall mean),
    over the columns of `matrix`, shape (n, p). Weighted by size the groups' values average to
    eta squared, SS_between / SS_total. 0 where nothing varies.
    """
    n = np.bincount(codes)
    centred = matrix - matrix.mean(axis=0)
    total = float(np.mean(np.sum(centred**2, axis=1)))
    if total == 0:
        return np.zeros(n.size)
    within = np.zeros(n.size)
    for column in centred.T:
        mean = np.bincount(codes, weights=column) / np.maximum(n, 1)
        within += np.bincount(codes, weights=(column - mean[codes]) ** 2)
    return 1 - within / np.maximum(n, 1) / total


def likeness(matrix: Floats, member: Bools) -> Floats:
    """Return how much more like members than like others each row is, shape (n,).

    The log ratio of two normal densities with mean and covariance of the members and of the
    others (quadratic discriminant), so that a group in the middle of the others shows too. A
    little of the common variance is added to each covariance, which may be singular.
    """
    ridge = 0.01 * np.diag(np.maximum(matrix.var(axis=0), 1e-12))
    ratio = np.zeros(len(matrix))
    for rows, sign in ((member, 1.0), (~member, -1.0)):
        own = matrix[rows]
        mean = own.mean(axis=0)
        covariance = (own - mean).T @ (own - mean) / len(own) + ridge
        lower = np.linalg.cholesky(covariance)
        z = np.linalg.solve(lower, (matrix - mean).T)
        log_determinant = 2 * float(np.sum(np.log(np.diag(lower))))
        ratio -= sign * 0.5 * (np.sum(z**2, axis=0) + log_determinant)
    return ratio


def best_jaccard(first: Ints, second: Ints, n_first: int) -> Floats:
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
