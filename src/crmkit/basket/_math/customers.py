"""Who stands behind itemsets: the baskets that hold them, and their customers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from crmkit._arrays import distinct, ranges, starts
from crmkit.basket._math.itemset_index import index_itemsets, lexicographic_order
from crmkit.basket._math.spans import spans

if TYPE_CHECKING:
    from crmkit._typing import Bools, Ints
    from crmkit.basket._math.collector import Itemsets

CELLS = 1 << 20
BITS = 1 << 29  # items times baskets, up to which each item has a bit per basket


def count_customers(
    basket: Ints, item: Ints, customer: Ints, found: Itemsets, *, n_items: int
) -> tuple[Ints, ...]:
    """Count the customers of itemsets, an array of shape (n_k,) per length.

    The baskets of an itemset are looked for among those of the itemset without its most frequent
    item, some itemsets at a time.

    Parameters
    ----------
    basket, item : int64 arrays, shape (n,)
        Lines; they may repeat.
    customer : int64 array, shape (n_baskets,)
        Ascending.
    found : Itemsets
        Complete: with each itemset all its parts.
    n_items : int
    """
    if not found.items or starts(customer).all():  # one basket each
        return found.counts
    return count_itemsets(basket, item, customer, found.items, n_items=n_items)[1]


def count_itemsets(
    basket: Ints, item: Ints, customer: Ints, levels: tuple[Ints, ...], *, n_items: int
) -> tuple[tuple[Ints, ...], tuple[Ints, ...]]:
    """Count the baskets of itemsets by length, which may be in none, and their customers."""
    if not levels:
        return (), ()
    rank = np.full(n_items, -1)
    by_count = levels[0][np.argsort(np.bincount(item, minlength=n_items)[levels[0][:, 0]]), 0]
    rank[by_count] = np.arange(len(by_count))
    count = _Count(rank, basket, item, customer)
    places = count.add_levels(levels)
    singles = np.arange(len(by_count))
    for low, high in spans(np.diff(count.start), CELLS):
        at = np.arange(count.start[low], count.start[high])
        owner = np.repeat(singles[low:high] - low, np.diff(count.start[low : high + 1]))
        count.note(0, singles[low:high], owner, count.basket[at])
    baskets, customers = (
        tuple(number[place] for number, place in zip(numbers, places, strict=True))
        for numbers in (count.baskets, count.customers)
    )
    return baskets, customers


class _Count:
    """Itemsets as rows of ranks, each after the one without its last item, and their customers."""

    def __init__(self, rank: Ints, basket: Ints, item: Ints, customer: Ints) -> None:
        self.customer = customer
        kept = rank[item] >= 0
        self.key = distinct(rank[item[kept]] * len(customer) + basket[kept])
        ranked, self.basket = np.divmod(self.key, len(customer))
        self.n_ranks = int(rank.max()) + 1
        self.start = np.searchsorted(ranked, np.arange(self.n_ranks + 1))
        self.bits = None
        if self.n_ranks * len(customer) <= BITS:
            cells = np.zeros((self.n_ranks, -(-len(customer) // 8)), dtype=np.uint8)
            bit = np.uint8(1) << (self.basket & 7).astype(np.uint8)
            np.add.at(cells, (ranked, self.basket >> 3), bit)  # each bit is set once
            self.bits = cells
        self.rank = rank
        self.customers: list[Ints] = []
        self.baskets: list[Ints] = []
        self.last: list[Ints] = []  # the last item of each row
        self.first_child: list[Ints] = []  # of each row, in the level above

    def add_levels(self, levels: tuple[Ints, ...]) -> list[Ints]:
        """Sort itemsets by ranks and link them; return the place of each as given, per level."""
        ranked = [np.sort(self.rank[rows], axis=1) for rows in levels]
        orders = [lexicographic_order(rows, self.n_ranks) for rows in ranked]
        ranked = [rows[order] for rows, order in zip(ranked, orders, strict=True)]
        index = index_itemsets(tuple(ranked), self.n_ranks)
        for number, rows in enumerate(ranked):
            self.customers.append(np.zeros(len(rows), dtype=np.int64))
            self.baskets.append(np.zeros(len(rows), dtype=np.int64))
            self.last.append(rows[:, -1])
            if number:
                parent = index.find(index.keys(rows[:, :-1])) - index.first[number - 1]
                edges = np.arange(len(ranked[number - 1]) + 1)
                self.first_child.append(np.searchsorted(parent, edges))
        return [np.argsort(order) for order in orders]

    def holds(self, item: Ints, basket: Ints) -> Bools:
        """Tell which baskets hold the items."""
        if self.bits is not None:
            return (self.bits[item, basket >> 3] >> (basket & 7).astype(np.uint8) & 1).astype(bool)
        wanted = item * len(self.customer) + basket
        place = np.minimum(np.searchsorted(self.key, wanted), len(self.key) - 1)
        return self.key[place] == wanted

    def note(self, level: int, rows: Ints, owner: Ints, basket: Ints) -> None:
        """Count the customers of some rows, whose baskets are given by row; then their children."""
        new = starts(owner, self.customer[basket])
        self.customers[level][rows] = np.bincount(owner[new], minlength=len(rows))
        n_hits = np.bincount(owner, minlength=len(rows))
        self.baskets[level][rows] = n_hits
        if level == len(self.last) - 1:
            return
        first = self.first_child[level]
        parent, child = ranges(first[rows], first[rows + 1] - first[rows])
        begin = np.cumsum(n_hits) - n_hits
        for low, high in spans(n_hits[parent], CELLS):
            number, place = ranges(begin[parent[low:high]], n_hits[parent[low:high]])
            inside = basket[place]
            held = self.holds(self.last[level + 1][child[low:high]][number], inside)
            self.note(level + 1, child[low:high], number[held], inside[held])
