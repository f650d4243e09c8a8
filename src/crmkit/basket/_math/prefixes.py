"""Itemsets by prefix class: which may be joined, by lists or by bitsets, and which need no join."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from crmkit._arrays import starts

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from crmkit._typing import Bools, Ints
    from crmkit.basket._math.incidence import Indices

    Codes = NDArray[np.signedinteger]

FREE = 16  # free items of one parent: more are joined like any other
# Work, in nanoseconds on one core of 2025: of two itemsets that may be joined, as lists and as
# bitsets, of a word of their bitsets, and of two that meet in a basket.
LISTED, JOINED, WORD, MET = 2.0, 20.0, 2.5, 25.0
BEGIN = 5e5  # before the first of them meet


@dataclass(frozen=True, slots=True)
class Prefixed:
    """Itemsets of one length, shape (n, k), by prefix class: those that may be joined.

    ``free`` and ``count`` are as in `Found`; ``end`` is where the class of each ends, shape (n,),
    ``numbering`` how the bits of each number baskets.
    """

    items: Codes
    free: Codes
    count: Ints
    end: Ints
    numbering: Ints

    def prefers_lists(self, parent: Ints, parent_count: Ints, n_words: int) -> bool:
        """Tell whether lists take less work than bitsets of so many words.

        Where itemsets are spread by chance, n occurrences in m baskets of the prefix meet in
        n^2 / (2 m) pairs.
        """
        pairs = float((self.end - np.arange(1, len(self.end) + 1)).sum())
        new = np.flatnonzero(starts(parent))
        n = np.add.reduceat(self.count, new).astype(np.float64)
        meet = float((n * n / (2 * parent_count[new])).sum())
        return BEGIN + pairs * LISTED + (meet + n.sum()) * MET < pairs * (JOINED + WORD * n_words)


def meetings(
    followers: Iterable[tuple[Ints, Indices]], after: Iterable[Indices], row_of: Codes, by: str
) -> Iterator[tuple[Codes, Indices, int]]:
    """Yield, basket by basket, the rows that occur, where, and among how many occurrences.

    ``followers`` and ``after`` are as in `Baskets`, ``row_of`` tells the row of a key, or -1. Where
    is the number of the occurrence `by` "item" or by "chunk".
    """
    for (key, number), n_after in zip(followers, after, strict=True):
        row = row_of.take(key)
        inside = np.flatnonzero(row >= 0)
        where = number if by == "item" else np.arange(len(number), dtype=number.dtype)
        yield row[inside], np.repeat(where, n_after)[inside], len(number)


def set_free(joins: Bools, free: Codes, item: Codes, parent: Codes) -> tuple[Bools, Codes]:
    """Make items that need no join free items of their siblings, shape (n, f) -> (n, f + g).

    Each family must be told once: the siblings that are joined get all of a parent's free items,
    a sibling that is free itself those after it. At most `FREE` per parent are set free, which
    bounds the width.
    """
    at = np.flatnonzero(~joins)
    begins = starts(parent[at])
    place = np.arange(len(at)) - np.flatnonzero(begins)[np.cumsum(begins) - 1]
    joins = joins.copy()
    joins[at[place >= FREE]] = True
    at, begins, place = at[place < FREE], begins[place < FREE], place[place < FREE]
    siblings = np.full((np.count_nonzero(begins), int(place.max()) + 1), -1, dtype=free.dtype)
    siblings[np.cumsum(begins) - 1, place] = item[at]
    owner = parent[at][begins]
    row = np.minimum(np.searchsorted(owner, parent), len(owner) - 1)
    more = np.where((owner[row] == parent)[:, None], siblings[row], -1)
    more[at] = np.where(np.arange(more.shape[1]) > place[:, None], more[at], -1)
    return joins, np.hstack((free, more))


def class_ends(group: Codes) -> Ints:
    """Return, for every row, the end of its run of equal groups; shape (n,)."""
    last = np.flatnonzero(np.append(group[1:] != group[:-1], True))
    return np.repeat(last + 1, np.diff(last, prepend=-1))
