"""Counting given itemsets in the log."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._arrays import distinct
from crmkit._frames import rows_of, sorted_codes
from crmkit._money import decimal_sums
from crmkit.basket._math.cover import Cover, cover_of
from crmkit.basket._math.sizes import margins, size_model
from crmkit.basket._report.read import Tuples, read_sides
from crmkit.basket._table.baskets import object_column

if TYPE_CHECKING:
    from crmkit._typing import Floats, Ints
    from crmkit.basket._math.sizes import SizeModel
    from crmkit.basket._table.baskets import BasketLog


# from baskets, shape (h,), and incidences, shape (h, k), of hits to a weight per hit
Weight = Callable[[Any, Any], Any]


def read_sets(table: Any, name: str, items: pd.Index[Any]) -> list[Tuples]:
    """Read the sides of rules, ordered by the length of the tuples and by their items."""
    sets = read_sides(table, name)
    order = order_of(sets, name, items)
    return [[column[row] for row in order] for column in sets]


def order_of(sets: list[Tuples], name: str, items: pd.Index[Any]) -> list[int]:
    """Return the order by the length of the tuples and by their items, which the log must have."""
    place = {item: code for code, item in enumerate(items.tolist())}
    named = {item for column in sets for items in column for item in items}
    do = "Pass the log that the table was made from."
    rows_of(sorted(named, key=repr), items, name=name, other="transactions", what="item", do=do)
    return sorted(
        range(len(sets[0])),
        key=lambda row: [(len(c[row]), [place[item] for item in c[row]]) for c in sets],
    )


def with_items(sums: dict[str, Any], items: pd.Index[Any]) -> pd.DataFrame:
    """Return sums, a row each, and below them the items of a part of the log."""
    n, names = len(next(iter(sums.values()))), items.tolist()
    told: dict[str, Any] = {
        "row": np.r_[np.arange(n), np.full(len(names), -1)],
        "item": object_column([*[None] * n, *names]),
    }
    zeros = np.zeros(len(names), dtype=np.int64)
    return pd.DataFrame(told | {key: np.r_[number, zeros] for key, number in sums.items()})


def over_parts(told: pd.DataFrame) -> tuple[pd.DataFrame, pd.Index[Any]]:
    """Add up the sums of all parts by their rows, and return the items of the whole log."""
    mine = told[told["row"] >= 0].drop(columns="item")
    sums = mine.groupby("row").sum()
    for name in sums.select_dtypes("float"):  # equal money stays equal, whatever the parts
        sums[name] = decimal_sums(mine["row"].to_numpy(), mine[name].to_numpy(), len(sums))
    return sums, sorted_codes(told["item"])[1]


def cover_lines(lines: BasketLog) -> Cover:
    """Index the lines of baskets."""
    return cover_of(lines.basket, lines.item, n_baskets=lines.n_baskets, n_items=len(lines.items))


def size_model_of(lines: BasketLog) -> SizeModel:
    """Fit the chance of each item in each basket, from all that the baskets hold."""
    sizes = {"n_baskets": lines.n_baskets, "n_items": len(lines.items)}
    return size_model(*margins(lines.sorted(known=True), **sizes))


def by_size(cover: Cover, model: SizeModel, rows: Ints) -> Ints:
    """Count the baskets with each itemset by their size, shape (m, sizes)."""
    n_sizes = len(model.sizes)
    count = np.zeros(len(rows) * n_sizes, dtype=np.int64)
    for number, basket in cover.baskets(rows):
        first, last = int(number[0]) if len(number) else 0, int(number[-1]) if len(number) else 0
        cell = (number - first) * n_sizes + model.column[basket]
        count[first * n_sizes : (last + 1) * n_sizes] += np.bincount(
            cell, minlength=(last + 1 - first) * n_sizes
        )
    return count.reshape(len(rows), n_sizes)


def add_up(
    cover: Cover,
    lines: BasketLog,
    sets: Tuples,
    weights: dict[str, Weight],
    *,
    group: Ints | None = None,
    n_groups: int = 1,
    customer: Ints | None = None,
) -> tuple[Ints, dict[str, Floats]]:
    """Count the baskets of each set, and add weights over them.

    An item that no basket holds, such as one of another part of the log, is in none.
    With `group`, a number per basket, counts come per group: shape (m, n_groups). With `customer`,
    one per basket, customers are counted instead of baskets.
    """
    n_customers = 0 if customer is None else int(customer.max(initial=0)) + 1
    place = {item: code for code, item in enumerate(lines.items.tolist())}
    count = np.zeros(len(sets) * n_groups, dtype=np.int64)
    sums = {key: np.zeros(len(sets)) for key in weights}
    length = np.fromiter(map(len, sets), dtype=np.int64, count=len(sets))
    for k in np.unique(length):
        here = np.flatnonzero(length == k)
        rows = np.array([[place.get(item, -1) for item in sets[i]] for i in here], dtype=np.int64)
        held = (rows >= 0).all(axis=1)
        here, rows = here[held], rows[held]
        for number, basket, entry in cover.find(rows):
            cell = here[number] * n_groups + (0 if group is None else group[basket])
            if customer is not None:  # a set's baskets come at once
                cell = distinct(cell * n_customers + customer[basket]) // n_customers
            count += np.bincount(cell, minlength=len(count))
            for key, weight in weights.items():
                sums[key] += decimal_sums(here[number], weight(basket, entry), len(sets))
    return count if group is None else count.reshape(len(sets), n_groups), sums
