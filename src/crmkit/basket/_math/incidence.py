"""Baskets as sorted arrays, and the expansion of each occurrence to the rest of its basket."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    IntArray = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Baskets:
    """Distinct incidences, sorted by basket and, inside it, by the item's rank.

    Attributes
    ----------
    item : int array, shape (n,)
        Rank of the item; ranks ascend with the item's lines (its count, but for repeats), ties by
        code.
    after : int array, shape (n,)
        Number of entries that follow in the same basket.
    by_item : int array, shape (n,)
        Positions of the entries, sorted by item.
    start : int array, shape (m + 1,)
        Where each item's positions begin in `by_item`.
    code, count : int arrays, shape (m,)
        Item code and number of baskets, by rank.
    """

    item: IntArray
    after: IntArray
    by_item: IntArray
    start: IntArray
    code: IntArray
    count: IntArray

    def blocks(self, cells: int) -> Iterator[tuple[int, int]]:
        """Cut the ranks into blocks of bounded work, the most frequent items first."""
        n_items = len(self.count)
        cost = np.bincount(self.item, weights=self.after, minlength=n_items)
        high = n_items
        while high > 0:
            low = high - 1
            work = cost[low]
            while (
                low > 0
                and work + cost[low - 1] <= cells
                and (high - low + 1) * (n_items - low + 1) <= cells
                # bitsets of one block are as long as its most frequent item needs
                and self.count[high - 1] <= max(2 * self.count[low - 1], 256)
            ):
                low -= 1
                work += cost[low]
            yield low, high
            high = low

    def chunks(self, low: int, high: int, cells: int) -> Iterator[tuple[int, int]]:
        """Cut the occurrences of a block of items into chunks of bounded expansion."""
        start, end = int(self.start[low]), int(self.start[high])
        total = np.cumsum(self.after[self.by_item[start:end]])
        first = 0
        while first < end - start:
            spent = int(total[first - 1]) if first else 0
            stop = max(int(np.searchsorted(total, spent + cells, side="right")), first + 1)
            yield start + first, start + stop
            first = stop

    def followers(self, start: int, stop: int, low: int) -> tuple[IntArray, IntArray]:
        """Expand occurrences to the items after them in their baskets.

        Returns
        -------
        key : int array
            (first item - `low`) * (m - `low`) + (following item - `low`).
        number : int array
            Number of the basket among the baskets of the first item.
        """
        position = self.by_item[start:stop]
        n_after = self.after[position]
        total = int(n_after.sum())
        # position + 1, position + 2, ... of every occurrence
        shift = position + 1 - (np.cumsum(n_after) - n_after)
        follower = np.repeat(shift, n_after) + np.arange(total)
        first = self.item[position]
        width = len(self.count) - low
        key = np.repeat((first - low) * width - low, n_after) + self.item[follower]
        number = np.repeat(np.arange(start, stop) - self.start[first], n_after)
        return key, number


def sort_baskets(basket: IntArray, item: IntArray, *, n_items: int, min_count: int) -> Baskets:
    """Drop repeats and rare items, rank the others by count and sort the incidences.

    Parameters
    ----------
    basket, item : int64 arrays, shape (n,)
    n_items : int
    min_count : int
        Items in fewer baskets are left out.

    Returns
    -------
    Baskets
    """
    lines = np.bincount(item, minlength=n_items)  # repeats included: a bound of the count
    code = np.flatnonzero(lines >= min_count)
    code = code[np.argsort(lines[code], kind="stable")]
    n_kept = len(code)
    rank = np.full(n_items, -1, dtype=np.int64)
    rank[code] = np.arange(n_kept)
    ranked = rank[item]
    if n_kept < n_items:
        inside = ranked >= 0
        basket, ranked = basket[inside], ranked[inside]
    key = basket * n_kept + ranked
    key.sort()
    if len(key):
        key = key[np.append(True, key[1:] != key[:-1])]
    basket, ranked = np.divmod(key, max(n_kept, 1))
    count = np.bincount(ranked, minlength=n_kept)
    enough = count >= min_count
    if not enough.all():
        inside = enough[ranked]
        basket, ranked = basket[inside], (np.cumsum(enough) - 1)[ranked[inside]]
        code, count = code[enough], count[enough]
    last = np.flatnonzero(np.append(basket[1:] != basket[:-1], True)) if len(basket) else basket
    end = np.repeat(last + 1, np.diff(last, prepend=-1))
    small = np.uint16 if len(code) <= 1 << 16 else np.int64  # numpy sorts 16 bits by radix
    return Baskets(
        item=ranked,
        after=end - np.arange(len(ranked)) - 1,
        by_item=np.argsort(ranked.astype(small), kind="stable"),
        start=np.append(0, np.cumsum(count)),
        code=code,
        count=count,
    )
