"""Where itemsets occur: the baskets that hold all items of a set, and what was paid there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from crmkit._arrays import ranges, starts
from crmkit.basket._math.incidence import by_column
from crmkit.basket._math.spans import spans

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from crmkit._typing import Bools, Floats, Ints


CELLS = 1 << 20
BITS = 1 << 30  # of baskets by frequent items, in which it is looked up who holds what


@dataclass(frozen=True, slots=True)
class Cover:
    """Distinct incidences, findable by item and by (basket, item).

    Attributes
    ----------
    key : int64 array, shape (n,)
        item * `n_baskets` + basket, ascending.
    start : int64 array, shape (n_items + 1,)
        Where each item's incidences begin.
    entry : int64 array, shape (n_lines,)
        The incidence of every line that was given.
    n_baskets : int
    row : int64 array, shape (n_items,)
        The row of `bits` of each item, -1 of those without one.
    bits : uint8 array
        The baskets of the most frequent items, eight to a byte.
    """

    key: Ints
    start: Ints
    entry: Ints
    n_baskets: int
    row: Ints
    bits: NDArray[np.uint8]

    def total(self, weights: Floats) -> Floats:
        """Add a weight per line to a weight per incidence, shape (n,)."""
        added = np.bincount(self.entry, weights=weights, minlength=len(self.key))
        return added.astype(np.float64, copy=False)

    def place(self, item: Ints, basket: Ints) -> tuple[Ints, Bools]:
        """Return the incidences of items in baskets, and which of them there are."""
        wanted = item * self.n_baskets + basket
        place = np.minimum(np.searchsorted(self.key, wanted), len(self.key) - 1)
        return place, self.key[place] == wanted

    def holds(self, item: Ints, basket: Ints) -> Bools:
        """Tell which baskets hold the items."""
        row = self.row[item]
        byte = self.bits[row, basket >> 3]
        hit = (byte >> (basket & 7).astype(np.uint8) & 1).astype(bool)
        rare = np.flatnonzero(row < 0)
        hit[rare] = self.place(item[rare], basket[rare])[1]
        return hit

    def baskets(self, sets: Ints) -> Iterator[tuple[Ints, Ints]]:
        """Find the baskets of itemsets of one length, given as rows of item codes, shape (m, k).

        Starts from the baskets of each set's rarest item and looks the others up, rare ones first.
        Yields arrays of shape (h,): set `number` is in `basket`, once per hit, in this order.
        """
        count = np.diff(self.start)
        by_count = np.take_along_axis(sets, np.argsort(count[sets], axis=1, kind="stable"), axis=1)
        first = by_count[:, 0]
        for begin, end in spans(count[first], CELLS):
            some = first[begin:end]
            number, entry = ranges(self.start[some], count[some])
            basket = self.key[entry] - some[number] * self.n_baskets
            for item in by_count[begin:end].T[1:]:
                hit = self.holds(item[number], basket)
                number, basket = number[hit], basket[hit]
            yield number + begin, basket

    def find(self, sets: Ints) -> Iterator[tuple[Ints, Ints, Ints]]:
        """Find as `baskets` does, with the incidence of each item every time, shape (h, k)."""
        for number, basket in self.baskets(sets):
            entry = [self.place(item[number], basket)[0] for item in sets.T]
            yield number, basket, np.column_stack(entry)


def cover_of(basket: Ints, item: Ints, *, n_baskets: int, n_items: int) -> Cover:
    """Index lines of (basket, item), shape (n_lines,)."""
    order = by_column(basket, n_baskets)[1]
    order = order[by_column(item[order], n_items)[1]]
    key = (item * n_baskets + basket)[order]
    new = starts(key)
    entry = np.empty(len(key), dtype=np.int64)
    entry[order] = np.cumsum(new) - 1
    key = key[new]
    start = np.searchsorted(key, np.arange(n_items + 1) * n_baskets)
    width = -(-n_baskets // 8)
    most = max(BITS // (8 * max(width, 1)), 1)
    frequent = np.argsort(np.diff(start), kind="stable")[::-1][:most]
    row = np.full(n_items, -1)
    row[frequent] = np.arange(len(frequent))
    bits = np.zeros((len(frequent), width), dtype=np.uint8)
    held, at = np.divmod(key, max(n_baskets, 1))
    held = row[held]
    held, at = held[held >= 0], at[held >= 0]
    np.add.at(bits, (held, at >> 3), np.uint8(1) << (at & 7).astype(np.uint8))  # each bit once
    return Cover(key, start, entry, n_baskets, row, bits)
