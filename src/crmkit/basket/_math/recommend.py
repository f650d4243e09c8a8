"""Scores of next items: what a customer's history points to, through pairs of items."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

from crmkit._arrays import distinct, starts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from crmkit._typing import Bools, Floats, Ints


CELLS = 1 << 20  # scores held at once
TINY = np.nextafter(0.0, 1.0)


def decay(age_days: Ints, half_life_days: float | None) -> Floats:
    """Return 2^(-age / half-life), shape (n,); 1 without a half-life."""
    if half_life_days is None:
        return np.ones(len(age_days))
    return np.exp2(-age_days / half_life_days)


def last_days(customer: Ints, item: Ints, day: Ints) -> tuple[Ints, Ints, Ints]:
    """Return each customer's distinct items with the last day of purchase, in sorted order."""
    n_items, (first, span) = int(item.max(initial=0)) + 1, _days(day)
    key = np.sort((customer * n_items + item) * span + (day - first))
    cell, day = np.divmod(key, span)
    last = np.append(starts(cell)[1:], True)[: len(cell)]
    customer, item = np.divmod(cell[last], n_items)
    return customer, item, day[last] + first


def share_of_days(
    customer: Ints, item: Ints, day: Ints, as_of: int, half_life_days: float | None
) -> Floats:
    """Return, per distinct (customer, item) in order, the share of shopping days with the item.

    Recent days count more, as everywhere in the model.
    """
    n_items, (first, span) = int(item.max(initial=0)) + 1, _days(day)
    visit = distinct(customer * span + (day - first))
    weight = decay(as_of - first - visit % span, half_life_days)
    all_days = np.bincount(visit // span, weights=weight)
    cell, day = np.divmod(distinct((customer * n_items + item) * span + (day - first)), span)
    new = starts(cell)
    with_item = np.bincount(np.cumsum(new) - 1, weights=decay(as_of - first - day, half_life_days))
    share: Floats = with_item / np.maximum(all_days[cell[new] // n_items], 1e-300)
    return share


def _days(day: Ints) -> tuple[int, int]:
    """Return the first day and the number of days up to the last one."""
    first = int(day.min()) if len(day) else 0
    return first, int(day.max(initial=first)) - first + 1


def neighbours(pairs: Ints, strength: Floats, n_neighbours: int) -> tuple[Ints, Ints, Floats]:
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
    popularity: Floats,
    allowed: Bools,
    blocked: Any,
    n_items: int,
    *,
    again: Any = None,
    step: Callable[[int], object] | None = None,
) -> Iterator[tuple[Ints, Ints, Floats]]:
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
    # The scores of a customer fall into so many blocks that the n-th best of the blocks' maxima is
    # never above the n-th best score, and near it: items come by popularity, and a block holds
    # every k-th item, so that each has popular ones.
    places = np.flatnonzero(allowed)
    depth = max(min(32, len(places) // (8 * n_items)), 1)
    n_blocks = max(-(-len(places) // depth), 1)
    nth = max(n_blocks - n_items, 0)
    width = depth * n_blocks
    weights, blocked = _columns(weights, places, width), _columns(blocked, places, width)
    again = None if again is None else _columns(again, places, width)
    popularity = np.append(popularity[places], np.zeros(width - len(places)))
    rows = max(CELLS // width, 1)
    for start in range(0, history.shape[0], rows):
        part = history[start : start + rows]
        total = np.asarray(part.sum(axis=1), dtype=np.float64).ravel()
        mean = part @ weights
        mean.data /= np.repeat(total, np.diff(mean.indptr))
        score = mean.toarray()
        score += popularity
        if again is not None:
            score += again[start : start + rows].toarray()
        stop = blocked[start : start + rows].tocoo()
        score[stop.row, stop.col] = 0.0
        maxima = score.reshape(len(total), depth, n_blocks).max(axis=1)
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
            step(len(total))


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
