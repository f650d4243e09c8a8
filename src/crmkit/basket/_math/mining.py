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

from crmkit._arrays import ranges, starts
from crmkit.basket._math.collector import Collector, Itemsets
from crmkit.basket._math.incidence import Baskets, sort_baskets
from crmkit.basket._math.spans import spans

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from crmkit._typing import Bools, Ints

    Codes = NDArray[np.signedinteger]
    WordArray = NDArray[np.uint64]

CELLS = 1 << 20  # entries of one temporary array: 8 MB of int64
FREE = 16  # free items of one parent: more are joined like any other


def mine_itemsets(
    basket: Ints,
    item: Ints,
    *,
    n_baskets: int,
    n_items: int,
    min_count: int,
    max_length: int | None = None,
) -> Itemsets:
    """Find every itemset in at least `min_count` baskets: see `sort_baskets`, `search_itemsets`."""
    baskets = sort_baskets(basket, item, n_items=n_items, min_count=min_count)
    return search_itemsets(baskets, n_baskets=n_baskets, min_count=min_count, max_length=max_length)


def search_itemsets(
    baskets: Baskets,
    *,
    n_baskets: int,
    min_count: int,
    max_length: int | None = None,
    limit: int | None = None,
    cap: int | None = None,
    min_length: int = 1,
    apart: Ints | None = None,
) -> Itemsets:
    """Find every itemset in at least `min_count` baskets.

    Parameters
    ----------
    baskets : Baskets
        Without items in fewer baskets.
    n_baskets : int
        All baskets, also those without any of the items.
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
        Item codes as given to `sort_baskets`; rows within a length in no particular order.
    """
    n_items = len(baskets.count)
    longest = n_items if max_length is None else min(max_length, n_items)
    found = Collector(min_count, limit, cap, min_length, longest)
    if n_items:
        found.add(np.arange(n_items, dtype=np.int32)[:, None], baskets.count)
        found.tighten()
    if longest > 1:
        search = _Search(baskets, found)
        if apart is not None and len(apart):
            search.keep_apart(apart)
        search.run()
    found.tighten()
    return found.itemsets(baskets.code, n_baskets)


class _Search:
    """The state of one search: the baskets, what was found, and what must stay apart."""

    def __init__(self, baskets: Baskets, found: Collector) -> None:
        self.baskets = baskets
        self.found = found
        n_items = len(baskets.count)
        self.n_items = n_items
        self.apart = np.zeros(0, dtype=np.int64)  # keys of pairs, sorted
        self.joins_all = np.ones(n_items, dtype=bool)  # may be with any other item

    def keep_apart(self, pairs: Ints) -> None:
        """Allow no itemset that holds both items of one of these pairs of item codes."""
        rank = np.full(max(pairs.max(), self.baskets.code.max()) + 1, -1, dtype=np.int64)
        rank[self.baskets.code] = np.arange(self.n_items)
        ranked = np.sort(rank[pairs], axis=1)
        ranked = ranked[ranked[:, 0] >= 0]
        self.joins_all[ranked] = False
        self.apart = np.unique(ranked[:, 0] * self.n_items + ranked[:, 1])

    def _is_apart(self, first: Codes, second: Codes) -> Bools:
        """Tell which pairs of ranks must not be together."""
        key = first.astype(np.int64) * self.n_items + second
        place = np.minimum(np.searchsorted(self.apart, key), len(self.apart) - 1)
        return self.apart[place] == key

    def run(self) -> None:
        """Search block by block, the most frequent first items first."""
        for low, high in self.baskets.blocks(CELLS):
            if self.baskets.count[low:high].max() >= self.found.min_count:
                self._search_block(low, high)

    def _search_block(self, low: int, high: int) -> None:
        """Count all pairs whose rarer item has rank `low` to `high` - 1, then grow them."""
        baskets = self.baskets
        width = self.n_items - low  # items after the first have a rank above `low`
        chunks = list(baskets.chunks(low, high, CELLS))
        n_cells = (high - low) * width
        key, number = baskets.followers(*chunks[0], low, high)
        counts = np.bincount(key, minlength=n_cells)
        for start, stop in chunks[1:]:
            key, number = baskets.followers(start, stop, low, high)
            counts += np.bincount(key, minlength=n_cells)
        cells = np.flatnonzero(counts >= self.found.min_count)
        first, second = (part.astype(np.int32) + low for part in np.divmod(cells, width))
        if len(self.apart):
            allowed = ~self._is_apart(first, second)
            cells, first, second = cells[allowed], first[allowed], second[allowed]
        if not len(cells):
            return
        pairs, count = np.column_stack((first, second)), counts[cells]
        joins, free = self._add(pairs, pairs[:, :0], count, first, baskets.count[first])
        if self.found.max_length < 3:
            return
        joins &= np.bincount(first[joins] - low, minlength=high - low)[first - low] > 1
        if not joins.any():
            return
        pairs, free, count, cells = pairs[joins], free[joins], count[joins], cells[joins]
        row_of = np.full(len(counts), -1, dtype=np.int32)
        row_of[cells] = np.arange(len(cells))
        n_words = (int(baskets.count[low:high].max()) + 63) // 64
        bits = np.zeros(len(cells) * n_words, dtype=np.uint64)
        for start, stop in chunks:
            if len(chunks) > 1:
                key, number = baskets.followers(start, stop, low, high)
            row = row_of[key]
            inside = np.flatnonzero(row >= 0)
            row = row[inside].astype(np.int64)
            bit = np.repeat(number, baskets.after[start:stop])[inside]
            # each bit is set once, so adding is the same as or-ing, and far faster
            np.add.at(
                bits, row * n_words + (bit >> 6), np.uint64(1) << (bit & 63).astype(np.uint64)
            )
        self._grow(pairs, free, count, bits.reshape(len(cells), n_words), _group_ends(pairs[:, 0]))

    def _add(
        self, items: Codes, free: Codes, count: Ints, parent: Codes, parent_count: Ints
    ) -> tuple[Bools, Codes]:
        """Keep what was found by adding an item to each parent; tell which are to be joined.

        An item in all baskets of the parent is in all baskets of the parent's other children as
        well. It need not be joined with them: it becomes a free item of theirs.
        """
        joins = count < parent_count
        joins |= ~self.joins_all[items[:, -1]]
        if items.shape[1] < self.found.max_length and not joins.all():
            joins, free = _set_free(joins, free, items[:, -1], parent)
        self.found.add(items, count, free)
        return joins, free

    def _candidates(self, last: Codes, group_end: Ints, budget: int) -> Iterator[tuple[Ints, Ints]]:
        """Pairs of rows of one group whose last items may be together, some rows at a time."""
        n_right = group_end - np.arange(len(last)) - 1
        for start, stop in spans(n_right, budget):
            number, right = ranges(np.arange(start, stop) + 1, n_right[start:stop])
            left = start + number
            if len(self.apart):
                allowed = ~self._is_apart(last[left], last[right])
                left, right = left[allowed], right[allowed]
            yield left, right

    def _grow(
        self, items: Codes, free: Codes, count: Ints, bits: WordArray, group_end: Ints
    ) -> None:
        """Join the rows of each group pairwise and go on with what stays frequent."""
        n_words = bits.shape[1]
        budget = max(CELLS // n_words, 1)
        # float32 adds whole numbers exactly below 2^24 and its product with ones is the fastest sum
        ones = np.ones(n_words, dtype=np.float32 if n_words * 64 < 1 << 24 else np.float64)
        for left, right in self._candidates(items[:, -1], group_end, budget):
            pieces: list[tuple[Ints, Ints, Ints, WordArray]] = []
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
            parent, other, counted, words = (
                np.concatenate(part) if len(pieces) > 1 else part[0]
                for part in zip(*pieces, strict=True)
            )
            if not len(parent):
                continue
            children = np.column_stack((items[parent], items[other, -1]))
            joins, choice = self._add(children, free[parent], counted, parent, count[parent])
            if children.shape[1] < self.found.max_length and np.count_nonzero(joins) > 1:
                if not joins.all():
                    children, choice, counted = children[joins], choice[joins], counted[joins]
                    words, parent = words[joins], parent[joins]
                self._grow(children, choice, counted, words, _group_ends(parent))


def _set_free(joins: Bools, free: Codes, item: Codes, parent: Codes) -> tuple[Bools, Codes]:
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


def _group_ends(group: Codes) -> Ints:
    """Return, for every row, the end of its run of equal groups; shape (n,)."""
    last = np.flatnonzero(np.append(group[1:] != group[:-1], True))
    return np.repeat(last + 1, np.diff(last, prepend=-1))
