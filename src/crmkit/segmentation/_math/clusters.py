"""Which cluster each customer belongs to, in bounded memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from crmkit._arrays import pieces

if TYPE_CHECKING:
    from crmkit._typing import Floats, Ints


__all__ = ["mixture_membership", "nearest_centre"]


def nearest_centre(matrix: Floats, centres: Floats) -> tuple[Ints, Floats]:
    """Return the nearest of `centres`, (k, p), for each row of `matrix`, (n, p), and how far."""
    codes = np.empty(len(matrix), dtype=np.int64)
    distance = np.empty(len(matrix))
    for rows in pieces(len(matrix)):
        square = np.stack([np.sum((matrix[rows] - centre) ** 2, axis=1) for centre in centres])
        codes[rows] = square.argmin(axis=0)
        distance[rows] = np.sqrt(square.min(axis=0))
    return codes, distance


def mixture_membership(
    matrix: Floats, weights: Floats, means: Floats, precisions: Floats
) -> tuple[Ints, Floats]:
    """Return the likeliest component of a normal mixture for each row, and its probability.

    `weights` has shape (k,), `means` (k, p); `precisions` (k, p, p) are Cholesky factors L of the
    precision matrices, so that the square distance is the square norm of (x - mean) L.
    """
    codes = np.empty(len(matrix), dtype=np.int64)
    chance = np.empty(len(matrix))
    log_scale = np.log(weights) + np.sum(np.log(np.diagonal(precisions, axis1=1, axis2=2)), axis=1)
    for rows in pieces(len(matrix)):
        log_density = np.stack(
            [
                scale - 0.5 * np.sum(((matrix[rows] - mean) @ factor) ** 2, axis=1)
                for scale, mean, factor in zip(log_scale, means, precisions, strict=True)
            ]
        )
        codes[rows] = log_density.argmax(axis=0)
        top = log_density.max(axis=0)
        chance[rows] = 1 / np.sum(np.exp(log_density - top), axis=0)
    return codes, chance
