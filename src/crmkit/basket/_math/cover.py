"""Where itemsets occur: the baskets that hold all items of a set, and what was paid there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from crmkit._arrays import ranges
from crmkit.basket._math.spans import spans

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crmkit._typing import Bools, Floats, Ints


CELLS = 1 << 20


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
    """

    key: Ints
    start: Ints
    entry: Ints
    n_baskets: int

    def total(self, weights: Floats) -> Floats:
        """Add a weight per line to a weight per incidence, shape (n,)."""
        added = np.bincount(self.entry, weights=weights, minlength=len(self.key))
        return added.astype(np.float64, copy=False)

    def holds(self, item: int, basket: Ints) -> Bools:
        """Tell which baskets hold an item."""
        wanted = item * self.n_baskets + basket
        place = np.minimum(np.searchsorted(self.key, wanted), len(self.key) - 1)
        return self.key[place] == wanted

    def find(self, sets: Ints) -> Iterator[tuple[Ints, Ints, Ints]]:
        """Find itemsets of one length, given as rows of item codes, shape (m, k).

        Starts from the baskets of each set's rarest item and looks the other items up.

        Yields
        ------
        number, basket : int64 arrays, shape (h,)
            Set `number` is in `basket`, once per hit; sets come in order.
        entry : int64 array, shape (h, k)
            The incidence of each of the set's items, in the columns' order.
        """
        count = np.diff(self.start)
        rarest = np.argmin(count[sets], axis=1)
        first = sets[np.arange(len(sets)), rarest]
        for begin, end in spans(count[first], CELLS):
            yield self._hits(sets, first, begin, end)

    def _hits(self, sets: Ints, first: Ints, begin: int, end: int) -> tuple[Ints, Ints, Ints]:
        """Find the sets from `begin` to `end`."""
        n_hits = self.start[first[begin:end] + 1] - self.start[first[begin:end]]
        number, entry = ranges(self.start[first[begin:end]], n_hits)
        number += begin
        basket = self.key[entry] - first[number] * self.n_baskets
        columns: list[Ints] = []
        for column in range(sets.shape[1]):
            wanted = sets[number, column] * self.n_baskets + basket
            place = np.minimum(np.searchsorted(self.key, wanted), len(self.key) - 1)
            hit = self.key[place] == wanted
            number, basket = number[hit], basket[hit]
            columns = [*(kept[hit] for kept in columns), place[hit]]
        return number, basket, np.column_stack(columns)


def cover_of(basket: Ints, item: Ints, *, n_baskets: int, n_items: int) -> Cover:
    """Index lines of (basket, item), shape (n_lines,)."""
    key, entry = np.unique(item * n_baskets + basket, return_inverse=True)
    count = np.bincount(key // n_baskets, minlength=n_items)
    return Cover(key, np.append(0, np.cumsum(count)), entry, n_baskets)
