"""Finding itemsets by their items, and what follows from it: closed and maximal itemsets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from crmkit._typing import Bools, Ints

    KeyArray = NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class ItemsetIndex:
    """Numbers of itemsets by key; the key of a set is the sum of its items' keys modulo 2^64.

    The keys of all stored sets are distinct (checked when built), so a stored set is always found
    as itself, and the keys of parts and unions follow by subtraction and addition.

    Attributes
    ----------
    item_key : uint64 array, shape (n_items,)
    sorted_keys : uint64 array, shape (n,)
    number : int64 array, shape (n,)
        Itemset number in the order of `sorted_keys`; numbers run through the levels.
    first : int64 array, shape (n_levels + 1,)
        Number of the first itemset of each level.
    """

    item_key: KeyArray
    sorted_keys: KeyArray
    number: Ints
    first: Ints

    def keys(self, rows: Ints) -> KeyArray:
        """Return the keys of itemsets given as rows of item codes, shape (n, k)."""
        total: KeyArray = self.item_key[rows].sum(axis=1, dtype=np.uint64)
        return total

    def find(self, keys: KeyArray) -> Ints:
        """Return the numbers of the itemsets with these keys, -1 where there is none."""
        if not len(self.sorted_keys):
            return np.full(len(keys), -1, dtype=np.int64)
        place = np.minimum(np.searchsorted(self.sorted_keys, keys), len(self.sorted_keys) - 1)
        return np.where(self.sorted_keys[place] == keys, self.number[place], -1)


def index_itemsets(levels: tuple[Ints, ...], n_items: int) -> ItemsetIndex:
    """Build the index of distinct itemsets, one array of shape (n_k, k) per level."""
    sizes = [len(rows) for rows in levels]
    seed = 0
    while True:
        # a generator of its own with a fixed seed: the keys are a hash, not a sample
        item_key = np.random.default_rng(seed).integers(0, 2**64, n_items, dtype=np.uint64)
        keys = np.concatenate(
            [np.zeros(0, np.uint64), *(item_key[r].sum(axis=1, dtype=np.uint64) for r in levels)]
        )
        number = np.argsort(keys)
        ordered = keys[number]
        if len(keys) < 2 or (ordered[1:] != ordered[:-1]).all():
            first = np.concatenate(([0], np.cumsum(sizes, dtype=np.int64)))
            return ItemsetIndex(item_key, ordered, number, first)
        seed += 1


def lexicographic_order(rows: Ints, n_items: int) -> Ints:
    """Return the order that sorts rows of item codes, shape (n, k), column by column."""
    per_key = max(int(62 // max(np.log2(max(n_items, 2)), 1)), 1)
    order: Ints | None = None
    for end in range(rows.shape[1], 0, -per_key):
        key = np.zeros(len(rows), dtype=np.int64)
        for column in rows.T[max(end - per_key, 0) : end]:
            key = key * n_items + column
        order = counting_order(key, order)
    return np.arange(len(rows)) if order is None else order


def counting_order(key: Ints, before: Ints | None = None) -> Ints:
    """Return the order of whole numbers from 0 on, shape (n,); ties keep the order `before`.

    numpy sorts 16 bits by counting, several times as fast as it sorts 64 bits by comparing.
    """
    order = np.arange(len(key)) if before is None else before
    for shift in range(0, int(key.max(initial=0)).bit_length(), 16):
        digit = (key >> shift).astype(np.uint16)
        order = order[np.argsort(digit[order], kind="stable")]
    return order


def unsurpassed(
    levels: tuple[Ints, ...], counts: tuple[Ints, ...], n_items: int, *, closed: bool
) -> tuple[Bools, ...]:
    """Mark closed itemsets (no superset as frequent) or maximal ones (no frequent superset).

    Every superset holds one with a single item more, so only the next level need be looked at. The
    itemsets must be complete, as `search_itemsets` returns them.

    Returns
    -------
    tuple of bool arrays
        One of shape (n_k,) per level.
    """
    index = index_itemsets(levels, n_items)
    kept = np.ones(int(index.first[-1]), dtype=bool)
    all_counts = np.concatenate([np.zeros(0, np.int64), *counts])
    for rows, count in zip(levels[1:], counts[1:], strict=True):
        whole = index.keys(rows)
        for column in range(rows.shape[1]):
            part = index.find(whole - index.item_key[rows[:, column]])
            surpassed = count == all_counts[part] if closed else np.ones(len(rows), dtype=bool)
            kept[part[surpassed]] = False
    return tuple(kept[a:b] for a, b in zip(index.first[:-1], index.first[1:], strict=True))
