"""Sums of positive terms in logarithms, with first and second derivatives."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from crmkit._typing import Floats

__all__ = ["mixture", "shares_of"]


def shares_of(log: Floats) -> tuple[Floats, Floats]:
    """Return each term's share of the sum, shape (n, c), and the log of the sum, (n,)."""
    top = log.max(axis=1)
    shares = np.exp(log - top[:, None])
    total = shares.sum(axis=1)
    shares /= total[:, None]
    return shares, top + np.log(total)


def mixture(
    log: Floats,
    scores: Sequence[Floats],
    curvatures: Mapping[tuple[int, int], Floats],
) -> tuple[Floats, dict[int, Floats], dict[tuple[int, int], Floats]]:
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
