"""Baskets as sorted arrays, and the expansion of each occurrence to the rest of its basket."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from crmkit._arrays import starts
from crmkit.basket._math.spans import spans

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from crmkit._typing import Bools, Ints

    Indices = NDArray[np.integer]  # as narrow as numbers of entries allow: 32 bits below 2^31


@dataclass(frozen=True, slots=True)
class Baskets:
    """Distinct incidences, sorted by basket and, inside it, by the item's rank.

    Attributes
    ----------
    item : int array, shape (n,)
        Rank of the item; ranks ascend with the item's lines (its count, but for repeats), ties by
        code.
    by_item : int array, shape (n,)
        Positions of the entries, sorted by item.
    after : int array, shape (n,)
        Number of entries that follow in the same basket, in the order of `by_item`.
    start : int array, shape (m + 1,)
        Where each item's positions begin in `by_item`.
    code, count : int64 arrays, shape (m,)
        Item code and number of baskets, by rank.
    begin : int array, shape (n_baskets + 1,)
        Where the entries of each basket begin.
    owner : int array, shape (n,), or None
        The customer of each entry's basket, in the order of `by_item`, if customers were given and
        some have several baskets.
    """

    item: Indices
    by_item: Indices
    after: Indices
    start: Indices
    code: Ints
    count: Ints
    begin: Indices
    owner: Indices | None = None

    @property
    def basket(self) -> Ints:
        """The basket of each entry, shape (n,)."""
        return np.repeat(np.arange(len(self.begin) - 1), np.diff(self.begin))

    def rank_of(self, codes: Ints) -> Ints:
        """Return the ranks of item codes; of those that are in no basket anything."""
        rank = np.zeros(max(self.code.max(initial=0), codes.max(initial=0)) + 1, dtype=np.int64)
        rank[self.code] = np.arange(len(self.code))
        return rank[codes]

    def blocks(self, cells: int) -> Iterator[tuple[int, int]]:
        """Cut the ranks into blocks of bounded work, the most frequent items first."""
        n_items = len(self.count)
        cost = np.add.reduceat(self.after, self.start[:-1], dtype=np.int64).tolist()
        count = self.count.tolist()
        high = n_items
        while high > 0:
            low = high - 1
            work = cost[low]
            while (
                low > 0
                and work + cost[low - 1] <= cells
                and (high - low + 1) * (n_items - low + 1) <= cells
                # bitsets of one block are as long as its most frequent item needs
                and count[high - 1] <= max(2 * count[low - 1], 256)
            ):
                low -= 1
                work += cost[low]
            yield low, high
            high = low

    def chunks(self, low: int, high: int, cells: int) -> Iterator[tuple[int, int]]:
        """Cut the occurrences of a block of items into chunks of bounded expansion."""
        start, end = int(self.start[low]), int(self.start[high])
        for first, stop in spans(self.after[start:end], cells):
            yield start + first, start + stop

    def followers(self, start: int, stop: int, low: int, base: Ints) -> tuple[Ints, Indices]:
        """Expand occurrences of the items from `low` on to the items after them in their baskets.

        Parameters
        ----------
        start, stop : int
            Places in `by_item`, of no item beyond those that have a base.
        low : int
        base : int64 array, shape (b,)
            What is added to a following item, by first item.

        Returns
        -------
        key : int64 array
            ``base[first item - low]`` + following item.
        number : int array, shape (stop - start,)
            Number of each occurrence among the baskets of its item; repeat it by `after` to get
            one per key.
        """
        n_after = self.after[start:stop]
        end = np.zeros(len(n_after) + 1, dtype=self.by_item.dtype)
        np.cumsum(n_after, out=end[1:])
        first = self.start[low : low + len(base) + 1]
        edge = np.clip(first, start, stop) - start
        number = np.arange(start, stop, dtype=first.dtype) - np.repeat(first[:-1], np.diff(edge))
        # position + 1, position + 2, ... of every occurrence
        follower = np.repeat(self.by_item[start:stop] + 1 - end[:-1], n_after)
        follower += np.arange(len(follower), dtype=follower.dtype)
        key = np.repeat(base, np.diff(end[edge]))
        key += self.item.take(follower)  # twice as fast as by brackets
        return key, number


def sort_baskets(
    basket: Ints, item: Ints, *, n_items: int, min_count: int = 1, customer: Ints | None = None
) -> Baskets:
    """Drop repeats and rare items, rank the others by count and sort the incidences.

    Sorting means counting: a sparse matrix is turned from rows to columns in linear time.

    Parameters
    ----------
    basket, item : int64 arrays, shape (n,)
    n_items : int
    min_count : int
        Items in fewer baskets are left out.
    customer : int64 array, shape (n_baskets,), optional
        Of each basket, ascending.

    Returns
    -------
    Baskets
    """
    lines = np.bincount(item, minlength=n_items)  # repeats included: a bound of the count
    code = np.flatnonzero(lines >= min_count)
    code = code[np.argsort(lines[code], kind="stable")]
    count = lines[code]
    n_kept = len(code)
    rank = np.full(n_items, n_kept, dtype=np.int32)  # what is left out comes last
    rank[code] = np.arange(n_kept)
    start, line = by_column(rank[item], n_kept + 1)
    start, line = start[:-1], line[: start[-2]]
    n_baskets = int(basket.max()) + 1 if len(basket) else 0
    begin, ranked = by_column(basket[line].astype(line.dtype), n_baskets, start)
    del line
    repeat = np.append(False, ranked[1:] == ranked[:-1])[: len(ranked)]
    repeat[begin[:-1][np.diff(begin) > 0]] = False
    if repeat.any():
        begin, ranked = _keep(~repeat, begin, ranked)
        count = np.bincount(ranked, minlength=n_kept)
        enough = count >= min_count
        begin, ranked = _keep(enough[ranked], begin, ranked)
        ranked = (np.cumsum(enough, dtype=ranked.dtype) - 1)[ranked]
        code, count = code[enough], count[enough]
    if customer is not None and starts(customer).all():  # one basket each
        customer = None
    return index_entries(ranked, begin, code, count, customer)


def index_entries(
    item: Indices, begin: Indices, code: Ints, count: Ints, customer: Indices | None = None
) -> Baskets:
    """Index entries that are sorted by basket and rank; arguments as in `Baskets`."""
    start, by_item = by_column(item, len(code))
    after = np.repeat(begin[1:], np.diff(begin))
    after -= np.arange(1, len(after) + 1, dtype=after.dtype)
    if len(code) <= 1 << 16:
        item = item.astype(np.uint16)  # they are looked up in no order: the cache holds more
    owner = None
    if customer is not None:
        owner = np.repeat(customer[: len(begin) - 1], np.diff(begin))[by_item]
    return Baskets(item, by_item, after[by_item], start, code, count, begin, owner)


def by_column(
    column: Indices, n_columns: int, start: Indices | None = None
) -> tuple[Indices, Indices]:
    """Turn a matrix from rows to columns; rows within a column ascend.

    Row r has its entries from `start` [r] to `start` [r + 1] of `column`, by default one. Returns
    where each column's entries start, shape (n_columns + 1,), and the row of each entry.
    """
    if start is None:
        wide = len(column) >= np.iinfo(np.int32).max
        start = np.arange(len(column) + 1, dtype=np.int64 if wide else np.int32)
    shape = (len(start) - 1, n_columns)
    ones = np.zeros(len(column), dtype=np.int8)
    turned = sparse.csr_array((ones, column, start), shape=shape).tocsc()
    return turned.indptr, turned.indices


def _keep(mask: Bools, begin: Indices, ranked: Indices) -> tuple[Indices, Indices]:
    """Keep some entries of each basket."""
    return np.append(0, np.cumsum(mask, dtype=begin.dtype))[begin], ranked[mask]
