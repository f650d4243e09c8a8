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

from typing import TYPE_CHECKING

import numpy as np

from crmkit.basket._math.collector import Collector, Itemsets
from crmkit.basket._math.incidence import Baskets, sort_baskets

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    IntArray = NDArray[np.int64]
    WordArray = NDArray[np.uint64]

CELLS = 1 << 20  # entries of one temporary array: 8 MB of int64
PAIR_FILTER_CELLS = 1 << 25  # bools; larger problems share cells, which only weakens the filter


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
    apart: IntArray | None = None,
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
    apart : int64 array, shape (p, 2), optional
        Pairs of items that no itemset may hold together.

    Returns
    -------
    Itemsets
        Item codes as given; rows within a length in no particular order.
    """
    baskets = sort_baskets(basket, item, n_items=n_items, min_count=min_count)
    found = Collector(min_count, limit, cap, min_length)
    n_items_left = len(baskets.count)
    if n_items_left:
        found.add(np.arange(n_items_left)[:, None], baskets.count)
        found.tighten()
        if max_length is None or max_length >= 2:
            search = _Search(baskets, found, max_length or n_items_left)
            if apart is not None and len(apart):
                search.keep_apart(apart, n_items)
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

    def __init__(self, baskets: Baskets, found: Collector, max_length: int) -> None:
        self.baskets = baskets
        self.found = found
        self.max_length = max_length
        n_items = len(baskets.count)
        self.n_items = n_items
        self.frequent_pair = np.zeros(min(n_items * n_items, PAIR_FILTER_CELLS), dtype=bool)
        self.apart = np.zeros(0, dtype=np.int64)  # keys of pairs, sorted

    def keep_apart(self, pairs: IntArray, n_codes: int) -> None:
        """Allow no itemset that holds both items of one of these pairs of item codes."""
        rank = np.full(n_codes, -1, dtype=np.int64)
        rank[self.baskets.code] = np.arange(self.n_items)
        ranked = np.sort(rank[pairs], axis=1)
        ranked = ranked[ranked[:, 0] >= 0]
        self.apart = np.unique(ranked[:, 0] * self.n_items + ranked[:, 1])

    def _is_apart(self, first: IntArray, second: IntArray) -> NDArray[np.bool_]:
        """Tell which pairs of ranks must not be together."""
        key = first * self.n_items + second
        place = np.minimum(np.searchsorted(self.apart, key), len(self.apart) - 1)
        return self.apart[place] == key

    def run(self) -> None:
        """Search block by block, the most frequent first items first."""
        for low, high in self.baskets.blocks(CELLS):
            if self.baskets.count[low:high].max() < self.found.min_count:
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
        if len(self.apart):
            cells = cells[~self._is_apart(cells // width + low, cells % width + low)]
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
            if len(self.apart):
                joinable &= ~self._is_apart(last[left], last[right])
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
