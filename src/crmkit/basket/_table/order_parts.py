"""Pairs of items in order, of a log in parts: found in some part, counted in all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._arrays import distinct
from crmkit.basket._math.ordered_pairs import (
    OrderedPairs,
    begin_lines,
    count_in_order,
    medians,
)
from crmkit.basket._math.sequences import pairs_in_order
from crmkit.basket._math.waiting import Spells, Waits, estimate, spells_of_pairs
from crmkit.basket._table.histories import check_gaps
from crmkit.basket._table.history_parts import read_part

if TYPE_CHECKING:
    from crmkit._typing import Ints
    from crmkit.basket._table.history_parts import Buyers

PAIR, GAP, ITEM = range(3)  # what a row of a part tells of


def find_in_order(
    transactions: Any,
    *,
    as_of: Any,
    buyers: Buyers,
    min_gap_days: int = 1,
    max_gap_days: int | None = None,
) -> pd.DataFrame:
    """Return the pairs that are as frequent in a part as they have to be among all."""
    history, lines = read_part(transactions, as_of, buyers)
    log = history.purchases
    min_gap, max_gap = check_gaps(min_gap_days, max_gap_days)
    _, begins = begin_lines(lines, max_gap, log.as_of)
    least = buyers.least(log.n_customers)
    found = pairs_in_order(lines, begins, min_count=least, min_gap=min_gap, max_gap=max_gap)
    keys = [np.zeros(0, dtype=np.int64), *(more.key for more in found)]
    return pd.DataFrame({"key": np.concatenate(keys)})


def both_orders(found: pd.DataFrame, *, buyers: Buyers) -> Ints:
    """Return the keys of the pairs of all parts, and of their opposites, sorted."""
    key, n = found["key"].to_numpy(), max(len(buyers.items), 1)
    first, second = np.divmod(key, n)
    return distinct(np.r_[key, second * n + first])


def count_pairs_in_order(
    transactions: Any,
    *,
    as_of: Any,
    min_gap_days: int,
    max_gap_days: int | None,
    buyers: Buyers,
    pairs: Ints,
) -> pd.DataFrame:
    """Tell of a part's customers with each pair, how long they waited, and those of each item."""
    history, lines = read_part(transactions, as_of, buyers)
    min_gap, max_gap = check_gaps(min_gap_days, max_gap_days)
    sums = count_in_order(
        lines, pairs, min_gap=min_gap, max_gap=max_gap, last_day=history.purchases.as_of
    )
    items = np.flatnonzero(sums.ever)
    told = (
        (PAIR, sums.key, 0, sums.count, sums.both),
        (GAP, sums.key[sums.of], sums.gap, sums.n_gaps, 0),
        (ITEM, items, 0, sums.ever[items], sums.first[items]),
    )
    names = ("kind", "key", "gap", "count", "other")
    parts = [pd.DataFrame(dict(zip(names, one, strict=True))) for one in told]
    return history.noted(pd.concat(parts, ignore_index=True))


def add_in_order(counted: pd.DataFrame, buyers: Buyers, pairs: Ints) -> tuple[OrderedPairs, Ints]:
    """Add up what parts tell of pairs; return those of enough customers, and those of each item."""
    n = len(buyers.items)

    def total(kind: int, name: str) -> Ints:
        mine = counted[counted["kind"] == kind]
        key = mine["key"].to_numpy()
        sums = np.zeros(n if kind == ITEM else len(pairs), dtype=np.int64)
        np.add.at(sums, key if kind == ITEM else np.searchsorted(pairs, key), mine[name].to_numpy())
        return sums

    count, both = total(PAIR, "count"), total(PAIR, "other")
    first, second = np.divmod(pairs, max(n, 1))
    reverse = count[np.searchsorted(pairs, second * n + first)]
    enough = np.flatnonzero(count >= buyers.min_count)
    gaps = counted[counted["kind"] == GAP]
    of = np.searchsorted(pairs, gaps["key"].to_numpy())
    mine = np.isin(of, enough)
    median = medians(
        np.searchsorted(enough, of[mine]),
        gaps["gap"].to_numpy()[mine],
        gaps["count"].to_numpy()[mine],
        len(enough),
    )
    found = OrderedPairs(
        first=first[enough],
        second=second[enough],
        count=count[enough],
        count_first=total(ITEM, "other")[first[enough]],
        count_reverse=reverse[enough],
        only_forth=(count - both)[enough],
        only_back=(reverse - both)[enough],
        median_gap=median,
    )
    return found, total(ITEM, "count")


def count_waits(transactions: Any, *, as_of: Any, buyers: Buyers, pairs: Ints) -> pd.DataFrame:
    """Tell how many of a part's customers waited and were followed for how many days."""
    history, lines = read_part(transactions, as_of, buyers)
    everybody, found = spells_of_pairs(
        lines, min_count=1, last_day=history.purchases.as_of, given=pairs
    )
    n = len(buyers.items)
    told = [_spells(ITEM, everybody, np.arange(n))]
    for first, second, waits, followed in found:
        told += [
            _spells(PAIR, waits, first * n + second),
            _spells(GAP, followed, first * n + second),
        ]
    return history.noted(pd.concat(told, ignore_index=True))


def _spells(kind: int, spells: Spells, key: Ints) -> pd.DataFrame:
    group, days = np.divmod(spells.cell, spells.span)
    return pd.DataFrame({"kind": kind, "key": key[group], "days": days, "count": spells.number})


def add_waits(counted: pd.DataFrame, buyers: Buyers, *, horizon: int) -> Waits:
    """Add up what parts tell of waits, and estimate those of pairs that enough customers bought."""
    span = int(counted["days"].max()) + 2 if len(counted) else 1
    kind, key, days, number = (counted[name].to_numpy() for name in counted)
    events = kind == PAIR
    pairs, of = np.unique(key[events], return_inverse=True)
    total = np.zeros(len(pairs), dtype=np.int64)
    np.add.at(total, of, number[events])
    pairs = pairs[total >= buyers.min_count]

    def spells(of: int) -> Spells:
        mine = kind == of if of == ITEM else (kind == of) & np.isin(key, pairs)
        group = key[mine] if of == ITEM else np.searchsorted(pairs, key[mine])
        return Spells.of(group, days[mine], span, number[mine])

    first, second = np.divmod(pairs, max(len(buyers.items), 1))
    return Waits(*estimate(first, second, spells(PAIR), spells(GAP), spells(ITEM), horizon=horizon))
