"""Frequent itemsets: counted in lists of baskets while these are thin, then joined as bitsets.

Itemsets grow by one item at a time, from prefix classes: those that differ in their last item only.
A class is searched in one of two ways, whichever takes less work. As lists [2]_, its baskets hold
numbers of itemsets in place of items, and two that meet in a basket are counted as pairs of items
are. As bitsets [1]_, an itemset is the set of those baskets of its prefix that contain it, and two
are joined by intersecting these. Items are ranked by ascending count, so that a prefix has few
baskets. Everything happens for many itemsets at once and in bounded temporary memory.

References
----------
.. [1] Zaki, M. J. (2000). Scalable algorithms for association mining. *IEEE Transactions on
   Knowledge and Data Engineering* 12(3), 372-390.
.. [2] Han, J., Pei, J. and Yin, Y. (2000). Mining frequent patterns without candidate generation.
   *SIGMOD 2000*, 1-12. Conditional databases.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from crmkit._arrays import ranges
from crmkit.basket._math.collector import Collector, Itemsets
from crmkit.basket._math.customers import Runs, count_customers, runs_of, set_bits
from crmkit.basket._math.incidence import Baskets, index_entries, sort_baskets
from crmkit.basket._math.prefixes import Prefixed, class_ends, meetings, set_free
from crmkit.basket._math.spans import spans

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from crmkit._typing import Bools, Ints
    from crmkit.basket._math.incidence import Indices

    Codes = NDArray[np.signedinteger]
    WordArray = NDArray[np.uint64]

CELLS = 1 << 20  # entries of one temporary array: 8 MB of int64
SMALL = 64  # words: up to 4,096 baskets, bitsets of all of them save what shorter ones cost to make


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
        customers = None
        if baskets.owner is not None:
            one_each = np.repeat(np.arange(n_items), np.diff(baskets.start))
            customers = count_customers([(one_each, baskets.owner)], n_items)
        found.add(np.arange(n_items, dtype=np.int32)[:, None], baskets.count, customers=customers)
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
        """Search from single items on, the most frequent first items first."""
        n = self.n_items
        items = np.arange(n, dtype=np.int32)[:, None]
        rows = Prefixed(items, items[:, :0], self.baskets.count, np.full(n, n), np.zeros(n, int))
        n_baskets = len(self.baskets.begin) - 1
        n_words = (n_baskets + 63) // 64
        root = np.zeros(n, dtype=np.int64), np.full(n, n_baskets)
        small = n_words <= SMALL and self.baskets.owner is None and not self.found.limit
        if small and not rows.prefers_lists(*root, n_words):
            bits = np.zeros((n, n_words), dtype=np.uint64)
            set_bits(bits, self.baskets.item, self.baskets.basket)
            self._grow(rows, bits, None)
            return
        for low, high in self.baskets.blocks(CELLS):
            self._search(self.baskets, rows, low, high)

    def _search(self, baskets: Baskets, rows: Prefixed, low: int, high: int) -> None:
        """Count what the rows `low` to `high` - 1 meet in their baskets, and grow what is frequent.

        The items of `baskets` are numbers of rows.
        """
        if rows.count[low:high].max() < self.found.min_count:
            return
        later = rows.end[low:high] - np.arange(low + 1, high + 1)  # rows that each may meet
        cell = np.cumsum(later) - later
        base = cell - np.arange(low + 1, high + 1)
        n_cells = int(later.sum())
        chunks = list(baskets.chunks(low, high, CELLS))
        followers = baskets.followers(*chunks[0], low, base)
        counts = np.bincount(followers[0], minlength=n_cells)
        for chunk in chunks[1:]:
            followers = baskets.followers(*chunk, low, base)
            counts += np.bincount(followers[0], minlength=n_cells)
        cells = np.flatnonzero(counts >= self.found.min_count)
        edge = np.append(np.searchsorted(cells, cell), len(cells))
        first = np.repeat(np.arange(low, high), np.diff(edge))
        second = cells - base[first - low]
        if len(self.apart):
            allowed = ~self._is_apart(rows.items[first, -1], rows.items[second, -1])
            cells, first, second = cells[allowed], first[allowed], second[allowed]
        if not len(cells):
            return
        items = np.column_stack((rows.items[first], rows.items[second, -1]))
        count = counts[cells]
        row_of = np.full(n_cells, -1, dtype=np.int32)

        def met(by: str) -> Iterator[tuple[Codes, Indices, int]]:
            once = len(chunks) == 1
            again = [followers] if once else (baskets.followers(*c, low, base) for c in chunks)
            return meetings(again, (baskets.after[a:b] for a, b in chunks), row_of, by)

        customers = None
        if baskets.owner is not None:
            row_of[cells] = np.arange(len(cells))
            owners = (baskets.owner[start:stop] for start, stop in chunks)
            who = ((m[0], owner[m[1]]) for m, owner in zip(met("chunk"), owners, strict=True))
            customers = count_customers(who, len(cells))
            row_of[cells] = -1
        parents = first, rows.count[first]
        joins, free = self._add(items, rows.free[first], count, customers, *parents)
        if items.shape[1] >= self.found.max_length:
            return
        joins &= np.bincount(first[joins] - low, minlength=high - low)[first - low] > 1
        if not joins.any():
            return
        first, cells = first[joins], cells[joins]
        grown = Prefixed(items[joins], free[joins], count[joins], class_ends(first), first - low)
        row_of[cells] = np.arange(len(cells))
        n_words = (int(rows.count[first].max()) + 63) // 64
        if grown.prefers_lists(first, rows.count[first], n_words):
            lists = [(row, np.bincount(at, minlength=n)) for row, at, n in met("chunk")]
            row, n_each = (np.concatenate(part) for part in zip(*lists, strict=True))
            owner = baskets.owner
            owner = None if owner is None else owner[chunks[0][0] : chunks[-1][1]]
            self._search_lists(row, n_each, owner, grown)
            return
        bits = np.zeros((len(cells), n_words), dtype=np.uint64)
        for row, at, _ in met("item"):
            set_bits(bits, row, at)
        self._grow(grown, bits, runs_of(baskets, low, high, n_words))

    def _search_lists(
        self, row: Codes, n_each: Ints, owner: Indices | None, rows: Prefixed
    ) -> None:
        """Search baskets of rows, given end to end with the number of entries of each."""
        begin = np.append(0, np.cumsum(n_each[n_each > 1])).astype(row.dtype)
        row = row[np.repeat(n_each > 1, n_each)]  # what is alone in its basket meets nothing
        count = np.bincount(row, minlength=len(rows.count))
        owner = None if owner is None else owner[n_each > 1]
        baskets = index_entries(row, begin, count, count, owner)
        work = np.add.reduceat(np.append(baskets.after, 0), baskets.start[:-1], dtype=np.int64)
        work[count == 0] = 0
        later = rows.end - np.arange(len(rows.end))
        for low, high in spans(work + later, CELLS):
            self._search(baskets, rows, low, high)

    def _add(
        self,
        items: Codes,
        free: Codes,
        count: Ints,
        customers: Ints | None,
        parent: Codes,
        parent_count: Ints,
    ) -> tuple[Bools, Codes]:
        """Keep what was found by adding an item to each parent; tell which are to be joined.

        An item in all baskets of the parent is in all baskets of the parent's other children as
        well. It need not be joined with them: it becomes a free item of theirs.
        """
        joins = count < parent_count
        joins |= ~self.joins_all[items[:, -1]]
        if items.shape[1] < self.found.max_length and not joins.all():
            joins, free = set_free(joins, free, items[:, -1], parent)
        self.found.add(items, count, free, customers)
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

    def _grow(self, rows: Prefixed, bits: WordArray, runs: Runs | None) -> None:
        """Join the rows of each class pairwise and go on with what stays frequent."""
        n_words = bits.shape[1]
        budget = max(CELLS // n_words, 1)
        # float32 adds whole numbers exactly below 2^24 and its product with ones is the fastest sum
        ones = np.ones(n_words, dtype=np.float32 if n_words * 64 < 1 << 24 else np.float64)
        for left, right in self._candidates(rows.items[:, -1], rows.end, budget):
            pieces: list[tuple[Ints, Ints, Ints, WordArray]] = []
            for start in range(0, len(left), budget):
                some_left, some_right = left[start : start + budget], right[start : start + budget]
                words = bits.take(some_left, axis=0)  # for short rows twice as fast as by brackets
                words &= bits.take(some_right, axis=0)
                bits_set = np.bitwise_count(words).astype(ones.dtype)
                with np.errstate(all="ignore"):  # libraries may warn of what they pad rows with
                    counts = bits_set @ ones
                keep = np.flatnonzero(counts >= self.found.min_count)
                pieces.append(
                    (
                        some_left[keep],
                        some_right[keep],
                        counts[keep].astype(np.int64),
                        words.take(keep, axis=0),
                    )
                )
            if not pieces:
                continue
            parent, other, count, words = (
                np.concatenate(part) if len(pieces) > 1 else part[0]
                for part in zip(*pieces, strict=True)
            )
            if not len(parent):
                continue
            items = np.column_stack((rows.items[parent], rows.items[other, -1]))
            numbering = rows.numbering[parent]
            customers = None if runs is None else runs.customers(words, numbering)
            parents = parent, rows.count[parent]
            joins, free = self._add(items, rows.free[parent], count, customers, *parents)
            if items.shape[1] < self.found.max_length and np.count_nonzero(joins) > 1:
                if not joins.all():
                    items, free, count = items[joins], free[joins], count[joins]
                    words, parent, numbering = words[joins], parent[joins], numbering[joins]
                children = Prefixed(items, free, count, class_ends(parent), numbering)
                self._grow(children, words, runs)
