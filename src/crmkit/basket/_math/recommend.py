"""Scores of next items: what a customer's history points to, through pairs of items."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from crmkit._typing import Bools, Floats, Ints


CELLS = 1 << 20  # scores held at once
MERGED = 1 << 12  # customers whose lists are merged at once
TINY = np.nextafter(0.0, 1.0)
NOTHING = np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0)  # two codes and a score


def decay(age_days: Ints, half_life_days: float | None) -> Floats:
    """Return 2^(-age / half-life), shape (n,); 1 without a half-life."""
    if half_life_days is None:
        return np.ones(len(age_days))
    return np.exp2(-age_days / half_life_days)


def best_items(
    history: Any,
    weights: Any,
    popularity: Floats,
    allowed: Bools,
    blocked: Any,
    n_items: int,
    *,
    step: Callable[[int], object] | None = None,
) -> Iterator[tuple[Ints, Ints, Floats]]:
    """Find each customer's best items, some customers at a time.

    The score of item j is sum_i h_i W_ij + popularity_j, with h the customer's history and W the
    strengths between items.

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
    step : callable, optional
        Called with the number of customers done.

    Yields
    ------
    customer, item : int64 arrays, shape (h,)
        By customer, then by falling score; ties by item number.
    score : float array, shape (h,)
        Above 0.
    """
    # The scores of a customer fall into so many blocks that the n-th best of the blocks' maxima is
    # never above the n-th best score, and near it: items come by popularity, and a block holds
    # every k-th item, so that each has popular ones.
    places = np.flatnonzero(allowed)
    depth = max(min(32, len(places) // (8 * n_items)), 1)
    n_blocks = max(-(-len(places) // depth), 1)
    nth = max(n_blocks - n_items, 0)
    width = depth * n_blocks
    weights, blocked = _columns(weights, places, width), _columns(blocked, places, width)
    popularity = np.append(popularity[places], np.zeros(width - len(places)))
    rows = max(CELLS // width, 1)
    for start in range(0, history.shape[0], rows):
        part = history[start : start + rows]
        score = (part @ weights).toarray()
        score += popularity
        stop = blocked[start : start + rows].tocoo()
        score[stop.row, stop.col] = 0.0
        maxima = score.reshape(len(score), depth, n_blocks).max(axis=1)
        enough = np.maximum(np.partition(maxima, nth, axis=1)[:, nth], TINY)
        cell = np.flatnonzero(score >= enough[:, None])
        customer, item = np.divmod(cell, width)
        value = score.ravel()[cell]
        order = np.lexsort((-value, customer))  # cells ascend: equals stay in the order of items
        customer = customer[order]
        best = np.arange(len(order)) - np.searchsorted(customer, customer) < n_items
        order = order[best]
        yield customer[best] + start, places[item[order]], value[order]
        if step is not None:
            step(len(score))


def _columns(matrix: Any, places: Ints, width: int) -> sparse.csr_array:
    """Keep the columns at `places` of a sparse array and add empty ones up to `width`."""
    if len(places) < matrix.shape[1]:
        matrix = matrix[:, places]
    entries = (matrix.data, matrix.indices, matrix.indptr)
    return sparse.csr_array(entries, shape=(matrix.shape[0], width))


def as_sparse(row: Ints, column: Ints, value: Floats, shape: tuple[int, int]) -> sparse.csr_array:
    """Build a sparse array; entries of one cell must come once."""
    matrix = sparse.csr_array((value, (row, column)), shape=shape)
    matrix.sort_indices()
    return matrix


def merge_best(
    parts: tuple[tuple[Ints, Ints, Floats], ...], n_items: int
) -> tuple[Ints, Ints, Floats, Ints]:
    """Return each customer's best of several lists: customer, item, score and rank from 1.

    By customer, then by falling score; ties by item number. Each list is by customer, and an item
    of a customer in one list only. Some customers are sorted at a time, which stays in the cache.
    """
    n = max((int(part[0][-1]) + 1 for part in parts if len(part[0])), default=0)
    cuts = np.append(np.arange(0, n, MERGED), n)
    ends = [np.searchsorted(part[0], cuts) for part in parts]
    found = [(*NOTHING, np.zeros(0, np.int64))]
    for place in range(len(cuts) - 1):
        some = [
            [column[end[place] : end[place + 1]] for column in part]
            for part, end in zip(parts, ends, strict=True)
        ]
        customer, item, score = (np.concatenate(columns) for columns in zip(*some, strict=True))
        order = np.lexsort((item, -score, customer))
        customer = customer[order]
        rank = np.arange(len(order)) - np.searchsorted(customer, customer) + 1
        kept = rank <= n_items
        order = order[kept]
        found.append((customer[kept], item[order], score[order], rank[kept]))
    customer, item, score, rank = (np.concatenate(column) for column in zip(*found, strict=True))
    return customer, item, score, rank
