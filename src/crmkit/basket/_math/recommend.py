"""Scores of next items: what a customer's history points to, through pairs of items."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    IntArray = NDArray[np.int64]
    FloatArray = NDArray[np.float64]

CELLS = 1 << 22  # scores held at once


def decay(age_days: IntArray, half_life_days: float | None) -> FloatArray:
    """Return 2^(-age / half-life), shape (n,); 1 without a half-life."""
    if half_life_days is None:
        return np.ones(len(age_days))
    return np.exp2(-age_days / half_life_days)


def neighbours(
    pairs: IntArray, strength: FloatArray, n_neighbours: int
) -> tuple[IntArray, IntArray, FloatArray]:
    """Keep the strongest neighbours of each item.

    Parameters
    ----------
    pairs : int64 array, shape (p, 2)
        Item and neighbour, one row per direction.
    strength : float array, shape (p,)
    n_neighbours : int

    Returns
    -------
    item, neighbour, strength : arrays
        By item, then by falling strength; ties by neighbour.
    """
    order = np.lexsort((pairs[:, 1], -strength, pairs[:, 0]))
    item = pairs[order, 0]
    first = np.searchsorted(item, item)
    order = order[np.arange(len(item)) - first < n_neighbours]
    return pairs[order, 0], pairs[order, 1], strength[order]


def best_items(
    history: Any,
    weights: Any,
    popularity: FloatArray,
    allowed: NDArray[np.bool_],
    blocked: Any,
    n_items: int,
    *,
    again: Any = None,
    step: Callable[[int], object] | None = None,
) -> Iterator[tuple[IntArray, IntArray, FloatArray]]:
    """Find each customer's best items, some customers at a time.

    The score of item j is sum_i h_i W_ij / sum_i h_i + popularity_j (+ again_j), with h the
    customer's history and W the strengths between items.

    Parameters
    ----------
    history : sparse array, shape (n, m)
        Weight of each item in each customer's history.
    weights : sparse array, shape (m, m)
        Strength from item i to item j.
    popularity : float array, shape (m,)
    allowed : bool array, shape (m,)
        Items that may be offered at all.
    blocked : sparse array, shape (n, m)
        Non-zero where an item must not be offered to a customer.
    n_items : int
        Items per customer, at most.
    again : sparse array, shape (n, m), optional
        Added to the scores.
    step : callable, optional
        Called with the number of customers done.

    Yields
    ------
    customer, item : int64 arrays, shape (h,)
        By customer, then by falling score; ties by item number.
    score : float array, shape (h,)
        Above 0.
    """
    n_customers, n_all = history.shape
    rows = max(CELLS // max(n_all, 1), 1)
    n_items = min(n_items, n_all)
    for start in range(0, n_customers, rows):
        part = history[start : start + rows]
        total = np.asarray(part.sum(axis=1), dtype=np.float64).ravel()
        score = (part @ weights).toarray() / np.where(total > 0, total, 1.0)[:, None]
        score += popularity
        if again is not None:
            score += again[start : start + rows].toarray()
        score[:, ~allowed] = 0.0
        stop = blocked[start : start + rows].tocoo()
        score[stop.row, stop.col] = 0.0
        nth = np.partition(score, n_all - n_items, axis=1)[:, n_all - n_items, None]
        above = score > nth
        # equals at the margin are taken by item number, never by chance
        free = n_items - above.sum(axis=1, keepdims=True)
        equal = score == nth
        chosen = above | (equal & (np.cumsum(equal, axis=1) <= free))
        customer, item = np.nonzero(chosen & (score > 0))
        value = score[customer, item]
        order = np.lexsort((item, -value, customer))
        yield customer[order] + start, item[order], value[order]
        if step is not None:
            step(len(total))


def as_sparse(
    row: IntArray, column: IntArray, value: FloatArray, shape: tuple[int, int]
) -> sparse.csr_array:
    """Build a sparse array; entries of one cell must come once."""
    matrix = sparse.csr_array((value, (row, column)), shape=shape)
    matrix.sort_indices()
    return matrix
