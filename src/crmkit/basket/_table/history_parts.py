"""What customers buy later after what, of a log in parts of whole customers.

What enough of all customers bought in this order, as many of the customers of some part did, at the
same share; it is found there, and counted in all parts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._arrays import distinct
from crmkit._checks import check_number, check_optional
from crmkit._log import read_log
from crmkit.basket._math.sequence_mining import mine_sequences
from crmkit.basket._math.sequences import histories
from crmkit.basket._math.steps import Steps, turned
from crmkit.basket._table.baskets import (
    add_by_item,
    codes_among,
    item_mask,
    minimum_count,
    object_column,
    same_share,
)
from crmkit.basket._table.histories import check_gaps
from crmkit.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from crmkit._log import PurchaseLog
    from crmkit._typing import Ints
    from crmkit.basket._math.sequences import Histories


@dataclass(frozen=True, slots=True)
class Buyers:
    """Items that at least `min_count` of `n_customers` bought, sorted."""

    items: pd.Index[Any]
    n_customers: int
    min_count: int

    def least(self, n_customers: int) -> int:
        """Return the count that is the same share of so many customers of a part."""
        return same_share(self.min_count, self.n_customers, n_customers)


def count_buyers(transactions: Any, *, as_of: Any) -> pd.DataFrame:
    """Count the customers of a part, in a row without an item, and those of each."""
    log = read_log(transactions, needs=("product",), as_of=as_of).purchases
    known = log.product >= 0
    pairs = distinct(log.product[known] * log.n_customers + log.customer[known])
    number = np.bincount(pairs // log.n_customers, minlength=len(log.product_ids))
    return pd.DataFrame(
        {
            "item": object_column([None, *log.product_ids]),
            "customers": np.r_[log.n_customers, number],
        }
    )


def add_buyers(
    counted: pd.DataFrame,
    *,
    min_support: float | None,
    include: Iterable[Any] | None,
    exclude: Iterable[Any] | None,
    default: float = 0.01,
) -> Buyers:
    """Return the items that enough of all customers bought."""
    _, items, number = add_by_item(counted, "customers")  # the last is that of all customers
    least = minimum_count(min_support, int(number[-1]), default)
    kept = item_mask(items, include, exclude) & (number[:-1] >= least)
    return Buyers(items[kept].infer_objects(copy=False), int(number[-1]), least)


def read_part(transactions: Any, as_of: Any, buyers: Buyers) -> tuple[PurchaseLog, Histories]:
    """Read a part, and who bought which of the items on which day, by their codes among all."""
    history = read_log(transactions, needs=("product",), as_of=as_of)
    log = history.purchases
    item = codes_among(buyers.items, log.product_ids, log.product)
    known = item >= 0
    lines = histories(
        *(log.customer[known], log.day[known], item[known]),
        n_customers=log.n_customers,
        n_items=len(buyers.items),
    )
    return history, lines


def find_sequences(
    transactions: Any,
    *,
    max_length: int | None,
    min_gap_days: int,
    max_gap_days: int | None,
    max_sequences: int,
    as_of: Any,
    buyers: Buyers,
) -> pd.DataFrame:
    """Return the sequences that are as frequent in a part as they have to be among all."""
    cap = check_number(max_sequences, "max_sequences")
    history, lines = read_part(transactions, as_of, buyers)
    n_customers = history.purchases.n_customers
    least = buyers.least(n_customers)
    found = mine_sequences(
        *(lines, Steps(lines, *check_gaps(min_gap_days, max_gap_days))),
        min_count=least,
        max_length=check_optional(max_length, "max_length"),
        cap=cap,
    )
    if found.capped:
        raise InputError(
            f"`min_support` of {buyers.min_count:,} customers is one of {least:,} in a part of "
            f"{n_customers:,}, in which more than `max_sequences` = {cap:,} sequences are "
            "candidates. Raise `rows_per_part` or `min_support`, or limit `max_length`."
        )
    levels = [pd.DataFrame(rows) for level in found.levels for rows, _ in level]
    return pd.concat(levels, ignore_index=True) if levels else pd.DataFrame({0: []})


def to_count(found: pd.DataFrame) -> tuple[Ints, ...]:
    """Return the sequences of all parts and their other orders, per length, each once."""
    rows = found.fillna(-1).astype(np.int64).drop_duplicates().to_numpy()
    length = (rows >= 0).sum(axis=1)
    return tuple(
        np.unique(np.concatenate(turned(rows[length == k, :k])), axis=0)
        for k in range(1, int(length.max(initial=0)) + 1)
    )


def count_sequences(
    transactions: Any,
    *,
    min_gap_days: int,
    max_gap_days: int | None,
    as_of: Any,
    buyers: Buyers,
    sequences: tuple[Ints, ...],
) -> pd.DataFrame:
    """Count the customers of a part with each sequence."""
    history, lines = read_part(transactions, as_of, buyers)
    steps = Steps(lines, *check_gaps(min_gap_days, max_gap_days))
    counts = [steps.count(rows) for rows in sequences]
    table = pd.DataFrame(
        {
            "length": np.repeat(np.arange(len(counts)) + 1, [len(count) for count in counts]),
            "row": np.concatenate([np.zeros(0, np.int64), *(np.arange(len(c)) for c in counts)]),
            "count": np.concatenate([np.zeros(0, np.int64), *counts]),
        }
    )
    return history.noted(table[table["count"] > 0].reset_index(drop=True))


def add_sequences(counted: pd.DataFrame, sequences: tuple[Ints, ...]) -> list[Ints]:
    """Return in how many of all customers' histories each sequence is, per length."""
    counts = []
    for length, rows in enumerate(sequences, 1):
        mine = counted[counted["length"] == length]
        count = np.zeros(len(rows), dtype=np.int64)
        np.add.at(count, mine["row"].to_numpy(), mine["count"].to_numpy())
        counts.append(count)
    return counts
