"""Items that are bought on one day as steps of sequences.

Every step of a frequent sequence of itemsets is itself bought by enough customers, so that these
sets can be numbered like items, and sequences of sets are sequences of numbers [1]_.

References
----------
.. [1] Agrawal, R. and Srikant, R. (1995). Mining sequential patterns. *ICDE 1995*, 3-14. The
   transformation phase.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from crmkit._arrays import distinct, starts
from crmkit.basket._math.cover import cover_of
from crmkit.basket._math.incidence import sort_baskets
from crmkit.basket._math.itemset_index import lexicographic_order
from crmkit.basket._math.mining import search_itemsets

if TYPE_CHECKING:
    from crmkit._typing import Ints


def sets_of_a_day(
    customer: Ints, day: Ints, item: Ints, *, n_items: int, min_count: int, longest: int, cap: int
) -> tuple[Ints, Ints, Ints, list[Ints]] | None:
    """Find the sets of two items or more that enough customers bought on one day.

    Parameters
    ----------
    customer, day, item : int64 arrays, shape (n,)
        Lines; they may repeat.
    n_items : int
        Sets are numbered from here on, short ones first.
    min_count : int
        Customers.
    longest : int
        Most items in a set.
    cap : int
        Most sets.

    Returns
    -------
    customer, day, number : int64 arrays, shape (m,)
        Who bought which set on which day.
    sets : list of int64 arrays
        Item codes, shape (n_k, k) for k = 2, 3, ...

    None instead of all if there are more than `cap`.
    """
    first, span = (int(day.min()), int(np.ptp(day)) + 1) if len(day) else (0, 1)
    key = customer * span + (day - first)
    visits = distinct(key)
    visit = np.searchsorted(visits, key)
    who = visits // span
    found = search_itemsets(
        sort_baskets(visit, item, n_items=n_items, min_count=min_count),
        n_baskets=len(visits),
        min_count=min_count,  # days, which are at least the customers
        max_length=longest,
        cap=cap,
        min_length=2,
    )
    if found.capped:
        return None
    cover = cover_of(visit, item, n_baskets=len(visits), n_items=n_items)
    n_singles = n_items
    none = np.zeros(0, dtype=np.int64)
    where, numbers, sets = [none], [none], []
    for level in found.items[1:]:
        rows = level[lexicographic_order(level, n_singles)]
        kept = np.zeros(len(rows), dtype=bool)
        for row, at in cover.baskets(rows):
            new = starts(row, who[at])  # days of a customer are neighbours
            enough = np.bincount(row[new], minlength=len(rows)) >= min_count
            inside = enough[row]
            where.append(at[inside])
            numbers.append((np.cumsum(enough) - 1 + n_items)[row[inside]])
            n_items += int(enough.sum())
            kept |= enough
        sets.append(rows[kept])
    at = np.concatenate(where)
    return who[at], visits[at] % span + first, np.concatenate(numbers), sets
