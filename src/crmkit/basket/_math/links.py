"""How strongly one item points to another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import linalg, sparse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from crmkit._typing import Floats, Ints

RIDGE = 500.0  # customers who stand against a link; chosen on splits that no test looks at
CELLS = 1 << 23  # of a matrix of items by items, held at once by the cosine


def linear_links(owned: sparse.csr_array, n_neighbours: int) -> tuple[Ints, Ints, Floats]:
    """Return the links of the linear item model (EASE): item, neighbour, strength, by item.

    Every item is regressed on all others under a ridge penalty, in closed form: with P the inverse
    of X'X + ridge I, the strength from i to j is -P_ij / P_jj [1]_. Of each item the strongest
    positive links are kept.

    Parameters
    ----------
    owned : sparse array, shape (n, m)
        1 where a customer owns an item. Takes m x m numbers of memory, twice.
    n_neighbours : int

    References
    ----------
    .. [1] Steck, H. (2019). Embarrassingly shallow autoencoders for sparse data. *WWW 28*,
       3251-3257, equation 8.
    """
    gram = (owned.T @ owned).toarray(order="F")
    gram[np.diag_indices(len(gram))] += RIDGE
    factor, failed = linalg.lapack.dpotrf(gram, lower=0, overwrite_a=1)
    inverse, failed_too = linalg.lapack.dpotri(factor, lower=0, overwrite_c=1)
    if failed or failed_too:  # never of a sum of squares and a ridge
        raise np.linalg.LinAlgError("the ridge was lost beside the counts of items")
    scale = -1 / np.diag(inverse)

    def rows() -> Iterator[tuple[int, Floats]]:
        for place in range(len(inverse)):  # only the upper triangle is written
            row = np.concatenate([inverse[:place, place], inverse[place, place:]])
            row *= scale
            row[place] = 0.0
            yield place, row[None]

    return _strongest(rows, n_neighbours)


def cosine_links(owned: sparse.csr_array, n_neighbours: int) -> tuple[Ints, Ints, Floats]:
    """Return links by cosine, in which each customer weighs one over the number of items owned.

    Whoever buys everything says little about what belongs together. Takes some items at a time, so
    that the memory does not grow with the square of their number.
    """
    size = np.maximum(np.asarray(owned.sum(axis=1)).ravel(), 1)
    weighed = sparse.csr_array(owned.multiply(1 / np.sqrt(size)[:, None]))
    norm = np.sqrt(np.maximum(np.asarray(weighed.multiply(weighed).sum(axis=0)).ravel(), 1e-300))
    weighed = sparse.csr_array(weighed.multiply(1 / norm[None, :]))
    by_item = sparse.csr_array(weighed.T)
    step = max(CELLS // max(by_item.shape[0], 1), 1)

    def rows() -> Iterator[tuple[int, Floats]]:
        for start in range(0, by_item.shape[0], step):
            block = (by_item[start : start + step] @ weighed).toarray()
            place = np.arange(len(block))
            block[place, place + start] = 0.0
            yield start, block

    return _strongest(rows, n_neighbours)


def _strongest(
    rows: Callable[[], Iterator[tuple[int, Floats]]], n_neighbours: int
) -> tuple[Ints, Ints, Floats]:
    """Keep the strongest positive entries of every row, ties by place."""
    found: list[tuple[Ints, Ints, Floats]] = []
    for start, block in rows():
        kept = min(n_neighbours, block.shape[1])
        least = -np.partition(-block, kept - 1, axis=1)[:, kept - 1]
        row, column = np.nonzero(block >= np.maximum(least, np.nextafter(0.0, 1.0))[:, None])
        value = block[row, column]
        order = np.lexsort((column, -value, row))
        row = row[order]
        best = np.arange(len(row)) - np.searchsorted(row, row) < kept
        order = order[best]
        found.append((row[best] + start, column[order], value[order]))
    item, neighbour, strength = (np.concatenate(part) for part in zip(*found, strict=True))
    return item, neighbour, strength
