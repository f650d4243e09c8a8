"""Sums of positive terms in logarithms, with first and second derivatives."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["mixture", "shares_of"]

FloatArray = NDArray[np.float64]


def shares_of(log: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return each term's share of the sum, shape (n, c), and the log of the sum, (n,)."""
    top = log.max(axis=1)
    shares = np.exp(log - top[:, None])
    total = shares.sum(axis=1)
    shares /= total[:, None]
    return shares, top + np.log(total)


def mixture(
    log: FloatArray,
    scores: Sequence[FloatArray],
    curvatures: Mapping[tuple[int, int], FloatArray],
) -> tuple[FloatArray, dict[int, FloatArray], dict[tuple[int, int], FloatArray]]:
    """Return the log of a sum of terms (n, c) and its derivatives in the parameters.

    `scores` and `curvatures` are the terms' own derivatives. The gradient of the sum is the mean
    score; its Hessian is the mean curvature plus the covariance of the scores.
    """
    shares, value = shares_of(log)
    weighted = [shares * score for score in scores]
    gradient = {j: score.sum(axis=1) for j, score in enumerate(weighted)}
    hessian = {}
    for j in range(len(scores)):
        for k in range(j, len(scores)):
            term = np.einsum("ij,ij->i", weighted[j], scores[k]) - gradient[j] * gradient[k]
            if (j, k) in curvatures:
                term += np.einsum("ij,ij->i", shares, curvatures[j, k])
            hessian[j, k] = term
    return value, gradient, hessian
