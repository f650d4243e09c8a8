"""Which pairs of items are looked at: those often together, or expected to be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from crmkit._arrays import distinct, ranges
from crmkit.basket._math.incidence import sort_baskets
from crmkit.basket._math.mining import search_itemsets
from crmkit.errors import InputError

if TYPE_CHECKING:
    from crmkit._typing import Ints
    from crmkit.basket._math.incidence import Baskets
    from crmkit.basket._math.sizes import SizeModel
    from crmkit.basket._table.baskets import BasketLog


def frequent_pairs(
    lines: BasketLog, chosen: Ints | None, least: int, cap: int
) -> tuple[Ints, Ints]:
    """Return the pairs in at least so many baskets, of chosen items if asked, and how many."""
    n_items = len(lines.items)
    if chosen is not None:
        return _beside(sort_baskets(lines.basket, lines.item, n_items=n_items), chosen, least)
    found = search_itemsets(
        sort_baskets(lines.basket, lines.item, n_items=n_items, min_count=least),
        n_baskets=lines.n_baskets,
        min_count=least,
        max_length=2,
        cap=cap,
        min_length=2,
    )
    pairs, count = np.zeros((0, 2), dtype=np.int64), np.zeros(0, dtype=np.int64)
    if len(found.items) > 1:
        pairs, count = found.items[1], found.counts[1]
    if found.capped:
        raise _too_many(f"{found.min_count:,} orders give {len(pairs):,}", least, cap)
    return pairs, count


def _beside(baskets: Baskets, chosen: Ints, least: int) -> tuple[Ints, Ints]:
    """Count what stands beside some items in their baskets."""
    n = len(baskets.code)
    ranks = np.flatnonzero(np.isin(baskets.code, chosen))
    rank, place = ranges(baskets.start[ranks].astype(np.int64), baskets.count[ranks])
    at = baskets.basket[baskets.by_item[place]]
    begin = baskets.begin.astype(np.int64)
    number, entry = ranges(begin[at], np.diff(begin)[at])
    first, other = ranks[rank[number]], baskets.item[entry].astype(np.int64)
    # a pair of two of the chosen is met from both sides
    once = (first < other) | (np.isin(other, ranks, invert=True) & (first != other))
    key, count = np.unique(first[once] * n + other[once], return_counts=True)
    pairs = np.sort(baskets.code[np.column_stack(np.divmod(key, n))], axis=1)
    return pairs[count >= least], count[count >= least]


def likely_pairs(
    model: SizeModel, lines: BasketLog, chosen: Ints | None, least: int, cap: int
) -> Ints:
    """Return the pairs that chance given sizes brings into at least so many baskets."""
    items = distinct(lines.item)
    pairs = model.likely_pairs(items, least, cap)
    if pairs is None:
        raise _too_many("Chance alone gives more", least, cap)
    pairs = pairs[model.expected_together(pairs) >= least]
    return pairs if chosen is None else pairs[np.isin(pairs, chosen).any(axis=1)]


def _too_many(fits: str, least: int, cap: int) -> InputError:
    return InputError(
        f"`min_support` of {least:,} orders gives more than `max_pairs` = {cap:,} pairs; {fits}. "
        "Raise `min_support`, ask for an `item`, or raise `max_pairs` if the memory allows."
    )
