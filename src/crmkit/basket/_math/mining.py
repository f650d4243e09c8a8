"""Frequent itemsets: blockwise pair counts, then bitsets joined breadth-first in prefix classes.

The search is vertical [1]_: an itemset is held as the set of baskets that contain it, and two
itemsets that differ in their last item only are joined by intersecting these sets. Items are ranked
by ascending count, so that the sets live on the few baskets of the rarest item. Everything happens
for many itemsets at once and in bounded temporary memory.

References
----------
.. [1] Zaki, M. J. (2000). Scalable algorithms for association mining. *IEEE Transactions on
   Knowledge and Data Engineering* 12(3), 372-390.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from crmkit.basket._math.incidence import Baskets, sort_baskets

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    IntArray = NDArray[np.int64]
    WordArray = NDArray[np.uint64]

CELLS = 1 << 20  # entries of one temporary array: 8 MB of int64
PAIR_FILTER_CELLS = 1 << 25  # bools; larger problems share cells, which only weakens the filter


@dataclass(frozen=True, slots=True)
class Itemsets:
    """Itemsets by length.

    Attributes
    ----------
    items : tuple of int64 arrays
        One array of shape (n_k, k) per length k = 1, 2, ...; each row ascends.
    counts : tuple of int64 arrays
        Baskets that contain the itemset, shape (n_k,) per length.
    n_baskets : int
    min_count : int
        The count from which on the itemsets are complete.
    capped : bool
        Whether the threshold had to rise above the one asked for, to keep to the cap.
    """

    items: tuple[IntArray, ...]
    counts: tuple[IntArray, ...]
    n_baskets: int
    min_count: int
    capped: bool


class _Collector:
    """Keep what is found; raise the threshold where `limit` or `cap` would be passed."""

    def __init__(self, min_count: int, limit: int | None, cap: int | None, min_length: int) -> None:
        self.min_count = min_count
        self.limit = limit
        self.cap = cap
        self.room = 2 * min(limit or cap or 0, cap or limit or 0) + 1000
        self.min_length = min_length
        self.levels: list[list[tuple[IntArray, IntArray]]] = []
        self.held = 0
        self.capped = False

    def add(self, items: IntArray, counts: IntArray) -> None:
        length = items.shape[1]
        while len(self.levels) < length:
            self.levels.append([])
        self.levels[length - 1].append((items, counts))
        if length >= self.min_length:
            self.held += len(counts)
            if self.held > self.room and (self.limit or self.cap):
                self.tighten()

    def tighten(self) -> None:
        """Raise the threshold: ties with the `limit`-th best itemset stay, at most `cap` stay."""
        if self.limit and self.held > self.limit:
            self._raise_to(self._nth_best(self.limit))
        if self.cap and self.held > self.cap:
            self.capped = True
            self._raise_to(self._nth_best(self.cap + 1) + 1)
        if self.limit and not self.capped:
            self.room = 2 * self.held + 1000  # many ties: look again when there are twice as many
            self.room = min(self.room, 2 * self.cap) if self.cap else self.room

    def _nth_best(self, n: int) -> int:
        """Return the n-th highest count."""
        parts = [c for level in self.levels[self.min_length - 1 :] for _, c in level]
        counts = np.concatenate(parts)
        return int(np.partition(counts, len(counts) - n)[len(counts) - n])

    def _raise_to(self, threshold: int) -> None:
        """Forget what is below a new threshold."""
        if threshold <= self.min_count:
            return
        self.min_count = threshold
        self.levels = [
            [(items[keep], c[keep]) for items, c in level if (keep := c >= threshold).any()]
            for level in self.levels
        ]
        self.held = sum(len(c) for level in self.levels[self.min_length - 1 :] for _, c in level)


def mine_itemsets(
    basket: IntArray,
    item: IntArray,
    *,
    n_baskets: int,
    n_items: int,
    min_count: int,
    max_length: int | None = None,
    limit: int | None = None,
    cap: int | None = None,
    min_length: int = 1,
) -> Itemsets:
    """Find every itemset in at least `min_count` baskets.

    Parameters
    ----------
    basket, item : int64 arrays, shape (n,)
        Codes of the incidences, in any order; repeats count once.
    n_baskets, n_items : int
    min_count : int
        Smallest count, >= 1.
    max_length : int, optional
        Longest itemset; unlimited by default.
    limit : int, optional
        Only the `limit` itemsets with the highest counts, and those tied with the last of them.
    cap : int, optional
        Never more than this many itemsets: the threshold rises during the search until they fit,
        so that memory and time stay bounded, and the result says so.
    min_length : int
        Shorter itemsets do not count against `limit` and `cap` (they are still returned).

    Returns
    -------
    Itemsets
        Item codes as given; rows within a length in no particular order.
    """
    baskets = sort_baskets(basket, item, n_items=n_items, min_count=min_count)
    found = _Collector(min_count, limit, cap, min_length)
    n_items_left = len(baskets.count)
    if n_items_left:
        found.add(np.arange(n_items_left)[:, None], baskets.count)
        found.tighten()
        if max_length is None or max_length >= 2:
            search = _Search(baskets, found, max_length or n_items_left)
            search.run()
    found.tighten()
    items, counts = [], []
    for level in found.levels:
        if not level:
            break
        rows = baskets.code[np.concatenate([r for r, _ in level])]
        rows.sort(axis=1)
        items.append(rows)
        counts.append(np.concatenate([c for _, c in level]))
    return Itemsets(tuple(items), tuple(counts), n_baskets, found.min_count, found.capped)


class _Search:
    """The state of one search: the baskets, what was found, and which pairs are frequent."""

    def __init__(self, baskets: Baskets, found: _Collector, max_length: int) -> None:
        self.baskets = baskets
        self.found = found
        self.max_length = max_length
        n_items = len(baskets.count)
        self.n_items = n_items
        self.frequent_pair = np.zeros(min(n_items * n_items, PAIR_FILTER_CELLS), dtype=bool)

    def run(self) -> None:
        """Search block by block, the most frequent first items first."""
        for low, high in self.baskets.blocks(CELLS):
            if self.baskets.count[high - 1] < self.found.min_count:
                continue
            self._search_block(low, high)

    def _pair_cell(self, first: IntArray, second: IntArray) -> IntArray:
        """Where the filter keeps the pair; distinct pairs may share a cell of a full filter."""
        cell = first * self.n_items + second
        return cell if self.n_items**2 <= PAIR_FILTER_CELLS else cell % PAIR_FILTER_CELLS

    def _search_block(self, low: int, high: int) -> None:
        """Count all pairs whose rarer item has rank `low` to `high` - 1, then grow them."""
        baskets = self.baskets
        width = self.n_items - low  # items after the first have a rank above `low`
        chunks = list(baskets.chunks(low, high, CELLS))
        kept = None  # the expansion of the only chunk, or None: expand again when needed
        counts = np.zeros((high - low) * width, dtype=np.int64)
        for start, stop in chunks:
            kept = baskets.followers(start, stop, low)
            counts += np.bincount(kept[0], minlength=len(counts))
        cells = np.flatnonzero(counts >= self.found.min_count)
        if not len(cells):
            return
        first, second = cells // width, cells % width
        pairs = np.column_stack((first + low, second + low))
        self.frequent_pair[self._pair_cell(pairs[:, 0], pairs[:, 1])] = True
        self.found.add(pairs, counts[cells])
        if self.max_length < 3:
            return
        group_end = _group_ends(first)
        used = np.zeros(len(pairs), dtype=bool)
        for left, right in self._candidates(pairs[:, 1], group_end, CELLS):
            used[left] = True
            used[right] = True
        if not used.any():
            return
        pairs, cells, first = pairs[used], cells[used], first[used]
        row_of = np.full(len(counts), -1, dtype=np.int64)
        row_of[cells] = np.arange(len(cells))
        n_words = (int(baskets.count[low:high].max()) + 63) // 64
        bits = np.zeros(len(cells) * n_words, dtype=np.uint64)
        for start, stop in chunks:
            key, basket_number = (
                kept if len(chunks) == 1 and kept else baskets.followers(start, stop, low)
            )
            row = row_of[key]
            inside = row >= 0
            row, number = row[inside], basket_number[inside]
            # each bit is set once, so adding is the same as or-ing, and far faster
            word = row * n_words + (number >> 6)
            np.add.at(bits, word, np.uint64(1) << (number & 63).astype(np.uint64))
        self._grow(pairs, bits.reshape(len(cells), n_words), _group_ends(first))

    def _candidates(
        self, last: IntArray, group_end: IntArray, budget: int
    ) -> Iterator[tuple[IntArray, IntArray]]:
        """Pairs of rows of one group whose last items are a frequent pair, some rows at a time."""
        for start, stop in _spans(group_end - np.arange(len(last)) - 1, budget):
            rows = np.arange(start, stop)
            n_right = group_end[rows] - rows - 1
            left = np.repeat(rows, n_right)
            right = left + 1 + _ramps(n_right)
            joinable = self.frequent_pair[self._pair_cell(last[left], last[right])]
            yield left[joinable], right[joinable]

    def _grow(self, items: IntArray, bits: WordArray, group_end: IntArray) -> None:
        """Join the rows of each group pairwise and go on with what stays frequent."""
        n_words = bits.shape[1]
        budget = max(CELLS // n_words, 1)
        # float32 adds whole numbers exactly below 2^24 and its product with ones is the fastest sum
        ones = np.ones(n_words, dtype=np.float32 if n_words * 64 < 1 << 24 else np.float64)
        for left, right in self._candidates(items[:, -1], group_end, budget):
            pieces: list[tuple[IntArray, IntArray, IntArray, WordArray]] = []
            for start in range(0, len(left), budget):
                some_left, some_right = left[start : start + budget], right[start : start + budget]
                words = bits[some_left]
                words &= bits[some_right]
                counts = np.bitwise_count(words).astype(ones.dtype) @ ones
                keep = np.flatnonzero(counts >= self.found.min_count)
                pieces.append(
                    (some_left[keep], some_right[keep], counts[keep].astype(np.int64), words[keep])
                )
            if not pieces:
                continue
            parent, other, count, words = (
                np.concatenate(part) if len(pieces) > 1 else part[0]
                for part in zip(*pieces, strict=True)
            )
            if not len(parent):
                continue
            children = np.column_stack((items[parent], items[other, -1]))
            self.found.add(children, count)
            if children.shape[1] < self.max_length and len(parent) > 1:
                self._grow(children, words, _group_ends(parent))


def _group_ends(group: IntArray) -> IntArray:
    """Return, for every row, the end of its run of equal groups; shape (n,)."""
    last = np.flatnonzero(np.append(group[1:] != group[:-1], True))
    return np.repeat(last + 1, np.diff(last, prepend=-1))


def _ramps(lengths: IntArray) -> IntArray:
    """Return 0, 1, ..., length - 1 for each length, end to end."""
    total = int(lengths.sum())
    return np.arange(total) - np.repeat(np.cumsum(lengths) - lengths, lengths)


def _spans(costs: IntArray, budget: int) -> Iterator[tuple[int, int]]:
    """Cut consecutive entries into spans of at most `budget` cost, at least one entry each."""
    total = np.cumsum(costs)
    start, spent = 0, 0
    while start < len(costs):
        stop = max(int(np.searchsorted(total, spent + budget, side="right")), start + 1)
        yield start, stop
        spent = int(total[stop - 1])
        start = stop
