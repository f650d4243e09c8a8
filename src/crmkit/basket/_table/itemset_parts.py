"""Frequent itemsets of a log in parts: candidates of some part, counted in all of them.

An itemset that is frequent among all orders is so, at the same share, in at least one part, so that
what is frequent in none cannot be frequent in all of them [1]_.

References
----------
.. [1] Savasere, A., Omiecinski, E. and Navathe, S. (1995). An efficient algorithm for mining
   association rules in large databases. *VLDB 1995*, 432-444.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._checks import check_number, check_optional
from crmkit._log import distinct_pairs
from crmkit.basket._math.cover import cover_of
from crmkit.basket._math.customers import count_customers
from crmkit.basket._math.incidence import sort_baskets
from crmkit.basket._math.mining import search_itemsets
from crmkit.basket._table.baskets import (
    NAMELESS,
    add_by_item,
    codes_among,
    item_mask,
    minimum_count,
    object_column,
    read_baskets,
    same_share,
)
from crmkit.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from crmkit._typing import Ints
    from crmkit.basket._table.baskets import BasketLog, Unit

__all__ = ["Frequent", "add_items", "candidates", "count_candidates", "count_items", "union"]


@dataclass(frozen=True, slots=True)
class Frequent:
    """Items in at least `min_count` of `n_baskets`, sorted; which of them must stay apart."""

    items: pd.Index[Any]
    n_baskets: int
    min_count: int
    apart: Ints


def count_items(
    transactions: Any, *, unit: Unit, groups: Iterable[str], as_of: Any
) -> pd.DataFrame:
    """Count the orders of a part, in a row without an item, those with each, and what is apart."""
    lines = _read(transactions, unit, groups, as_of)
    n = len(lines.items)
    _, code, _ = distinct_pairs(lines.basket, lines.item, shape=(lines.n_baskets, max(n, 1)))
    names = pd.Series(lines.items, dtype=object)
    first, second = lines.apart.T
    return pd.DataFrame(
        {
            "item": object_column([None, *names, *names.iloc[first]]),
            "beside": object_column([None] * (n + 1) + [*names.iloc[second]]),
            "count": np.r_[lines.n_baskets, np.bincount(code, minlength=n), 0 * first],
        }
    )


def add_items(
    counted: pd.DataFrame, *, min_support: float | None, include: Any, exclude: Any
) -> Frequent:
    """Return the items that are frequent among all orders."""
    code, items, number = add_by_item(counted, "count")  # the last is that of all orders
    beside = items.get_indexer(pd.Index(counted["beside"].dropna(), dtype=object))
    pair = counted["beside"].notna().to_numpy()
    n_baskets = int(number[-1])
    least = minimum_count(min_support, n_baskets)
    kept = item_mask(items, include, exclude) & (number[:-1] >= least)
    place = np.where(kept, np.cumsum(kept) - 1, -1)
    apart = place[np.column_stack([code[pair], beside])]
    return Frequent(items[kept], n_baskets, least, np.unique(apart[(apart >= 0).all(1)], axis=0))


def candidates(
    transactions: Any,
    *,
    unit: Unit,
    groups: Iterable[str],
    max_length: int | None,
    max_itemsets: int,
    as_of: Any,
    frequent: Frequent,
) -> pd.DataFrame:
    """Return the itemsets that are as frequent in a part as they have to be among all orders."""
    basket, item, lines = _known(_read(transactions, unit, groups, as_of), frequent)
    cap = check_number(max_itemsets, "max_itemsets")
    max_length = check_optional(max_length, "max_length")
    least = same_share(frequent.min_count, frequent.n_baskets, lines.n_baskets)
    found = search_itemsets(
        sort_baskets(basket, item, n_items=len(frequent.items), min_count=least),
        n_baskets=lines.n_baskets,
        min_count=least,
        max_length=max_length,
        cap=cap,
        apart=frequent.apart,
    )
    if found.capped:
        raise InputError(
            f"`min_support` of {frequent.min_count:,} orders is one of {least:,} in a part of "
            f"{lines.n_baskets:,}, in which more than `max_itemsets` = {cap:,} itemsets are "
            "candidates. Raise `rows_per_part` or `min_support`, or limit `max_length`."
        )
    return pd.concat([pd.DataFrame(rows) for rows in found.items] or [pd.DataFrame()])


def union(found: pd.DataFrame) -> tuple[Ints, ...]:
    """Return the candidates of all parts, per length."""
    rows = found.fillna(-1).astype(np.int64).drop_duplicates().to_numpy()
    length = (rows >= 0).sum(axis=1)
    return tuple(rows[length == k, :k] for k in range(1, int(length.max(initial=0)) + 1))


def count_candidates(
    transactions: Any,
    *,
    unit: Unit,
    groups: Iterable[str],
    as_of: Any,
    frequent: Frequent,
    itemsets: tuple[Ints, ...],
) -> pd.DataFrame:
    """Count the orders of a part with each candidate, and their customers."""
    basket, item, lines = _known(_read(transactions, unit, groups, as_of), frequent)
    customer = lines.customer_of_basket()
    cover = cover_of(basket, item, n_baskets=lines.n_baskets, n_items=len(frequent.items))
    counted = [pd.DataFrame({"length": [], "row": [], "count": [], "customers": []}, dtype=int)]
    for length, rows in enumerate(itemsets, 1):
        count = np.zeros((2, len(rows)), dtype=np.int64)
        for row, at in cover.baskets(rows):
            count[0] += np.bincount(row, minlength=len(rows))
            count[1] += count_customers([(row, customer[at])], len(rows))
        told = {"length": length, "row": np.arange(len(rows))}
        counted.append(pd.DataFrame({**told, "count": count[0], "customers": count[1]}))
    return pd.concat(counted, ignore_index=True)


def _read(transactions: Any, unit: Unit, groups: Iterable[str], as_of: Any) -> BasketLog:
    """Read a part with all of its items: one that is asked for may occur in others only."""
    return read_baskets(transactions, unit=unit, groups=groups, may_lack=NAMELESS, as_of=as_of)


def _known(lines: BasketLog, frequent: Frequent) -> tuple[Ints, Ints, BasketLog]:
    """Return the lines of frequent items, with the codes that these have among all."""
    item = codes_among(frequent.items, lines.items, lines.item)
    return lines.basket[item >= 0], item[item >= 0], lines
