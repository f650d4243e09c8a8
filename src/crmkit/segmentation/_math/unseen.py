"""What segments show of customers who had no part in describing them (cross-fitting).

Each fold is judged by what the other folds say of the segments, so that random segments show
nothing. All functions take a matrix, (n, p), a segment per row from 0 to k - 1, and a fold.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import special

if TYPE_CHECKING:
    from crmkit._typing import Floats, Ints


__all__ = ["against_the_rest", "deal_folds", "log_densities", "scatter"]


def deal_folds(order: Ints, codes: Ints, n_folds: int) -> Ints:
    """Deal the rows of each segment out to the folds in turn, in the given `order` of rows."""
    order = order[np.argsort(codes[order], kind="stable")]
    folds = np.empty(len(codes), dtype=np.int64)
    folds[order] = np.arange(len(codes)) % n_folds
    return folds


def scatter(matrix: Floats, codes: Ints, folds: Ints) -> tuple[Floats, Floats]:
    """Return each row's square distance from the mean of its segment, and from that of all, (n,).

    Means are those of the other folds; so are the weights of the columns: how much of the
    variance of each the segments explain (epsilon squared, Kelley 1935). NaN where the other
    folds hold no customer of the segment.
    """
    k = int(codes.max()) + 1
    own, every = np.empty(len(codes)), np.empty(len(codes))
    for fold in range(int(folds.max()) + 1):
        held = folds == fold
        seen, segment = matrix[~held], codes[~held]
        n = np.bincount(segment, minlength=k)
        total = np.stack([np.bincount(segment, weights=x, minlength=k) for x in seen.T], axis=1)
        mean = total / np.where(n > 0, n, np.nan)[:, None]
        overall = seen.mean(axis=0)
        within = np.sum((seen - mean[segment]) ** 2, axis=0) / max(len(seen) - k, 1)
        spread = np.sum((seen - overall) ** 2, axis=0) / max(len(seen) - 1, 1)
        explained = np.maximum(1 - within / np.where(spread > 0, spread, np.inf), 0.0)
        explained[spread == 0] = 0.0
        weight = explained / explained.sum() if explained.any() else np.full(len(spread), 1.0)
        own[held] = (matrix[held] - mean[codes[held]]) ** 2 @ weight
        every[held] = (matrix[held] - overall) ** 2 @ weight
    return own, every


def log_densities(matrix: Floats, codes: Ints, folds: Ints) -> Floats:
    """Return ln(share x normal density) of each segment at each row, by the other folds, (n, k).

    Mean and covariance are the segment's own. The fewer its customers for the number of columns,
    the more its covariance is drawn to the one that all segments share (Friedman 1989), and a
    little of the columns' variance is added. A segment absent from the other folds has -inf.
    """
    k, p = int(codes.max()) + 1, matrix.shape[1]
    result = np.full((len(codes), k), -np.inf)
    ridge = 0.01 * np.diag(np.maximum(matrix.var(axis=0), 1e-12))
    for fold in range(int(folds.max()) + 1):
        held = folds == fold
        groups = [matrix[~held & (codes == segment)] for segment in range(k)]
        scatters = [(own - own.mean(axis=0)).T @ (own - own.mean(axis=0)) if len(own) else 0.0
                    for own in groups]  # fmt: skip
        shared = sum(scatters) / max((~held).sum() - k, 1)
        for segment, own in enumerate(groups):
            if not len(own):
                continue
            covariance = (scatters[segment] + 2 * p * shared) / (len(own) + 2 * p) + ridge
            lower = np.linalg.cholesky(covariance)
            z = (matrix[held] - own.mean(axis=0)) @ np.linalg.inv(lower).T
            log_determinant = 2 * float(np.sum(np.log(np.diag(lower))))
            square = np.einsum("ij,ij->i", z, z)
            share = len(own) / (~held).sum()
            result[held, segment] = np.log(share) - 0.5 * (square + log_determinant)
    return result


def against_the_rest(log_density: Floats) -> Floats:
    """Return the log odds of each segment against all others together, (n, k), from densities."""
    odds = np.empty_like(log_density)
    for segment in range(log_density.shape[1]):
        rest = np.delete(log_density, segment, axis=1)
        odds[:, segment] = log_density[:, segment] - special.logsumexp(rest, axis=1)
    return odds
