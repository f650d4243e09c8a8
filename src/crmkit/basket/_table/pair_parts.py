"""Pairs of items of a log in parts: what is known of all orders, and what parts tell of pairs.

What chance gives follows from numbers of orders by item and by size, which add up. A pair that is
frequent among all orders is so, at the same share, in some part; who stands behind it and how
customers differ in what they like are sums over customers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._arrays import distinct
from crmkit._checks import check_flag, check_number
from crmkit.basket._math.incidence import sort_baskets
from crmkit.basket._math.sizes import margins, size_model
from crmkit.basket._math.witnesses import (
    TasteSums,
    Witnesses,
    find_pairs,
    pairs_together,
    taste_sums,
    tastes,
    weights,
)
from crmkit.basket._table.baskets import (
    NAMELESS,
    add_by_item,
    codes_among,
    find_items,
    item_mask,
    minimum_count,
    object_column,
    read_baskets,
    same_share,
)
from crmkit.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from crmkit._typing import Floats, Ints
    from crmkit.basket._math.incidence import Baskets
    from crmkit.basket._math.sizes import SizeModel
    from crmkit.basket._table.baskets import BasketLog, Unit

LEAST_EXPECTED = 5  # orders from which on too few of them can be told from chance
PAIR, TASTE, CELL, SIZES = range(4)  # what a row of a part tells of


@dataclass(frozen=True, slots=True)
class Orders:
    """What is known of all orders before pairs are looked at.

    ``count`` is the number of baskets of each item, ``inside`` are the codes of those looked at,
    ``chosen`` of those that were asked for; ``least`` is the fewest baskets of a pair.
    """

    items: pd.Index[Any]
    count: Ints
    inside: Ints
    n_baskets: int
    model: SizeModel
    together: float
    chosen: Ints | None
    least: int


def all_orders(
    items: pd.Index[Any],
    count: Ints,
    inside: Ints,
    n_baskets: int,
    model: SizeModel,
    *,
    together: float,
    named: bool,
    item: Iterable[Any] | None,
    apart: bool,
    min_support: float | None,
) -> Orders:
    """Return what is known of all orders; `named` tells whether `inside` are a list of items."""
    if named and len(inside) == 1:
        raise InputError(
            "`include` holds one item, which makes no pair. Pass it as `item` to see what goes "
            "with it."
        )
    chosen = None if item is None else find_items(items, item, "item")
    default = LEAST_EXPECTED if apart else None
    least = minimum_count(default if min_support is None else min_support, n_baskets)
    return Orders(items, count, inside, n_baskets, model, together, chosen, least)


def likely_pairs(orders: Orders, cap: int) -> Ints:
    """Return the pairs that chance alone brings together often enough."""
    likely = orders.model.likely_pairs(orders.inside, orders.least, cap)
    if likely is None:
        raise _too_many("Chance alone gives more", orders.least, cap)
    likely = likely[orders.model.expected_together(likely) >= orders.least]
    if orders.chosen is not None:
        likely = likely[np.isin(likely, orders.chosen).any(axis=1)]
    return likely


def count_orders(transactions: Any, *, unit: Unit, as_of: Any) -> pd.DataFrame:
    """Count a part's orders by item and by size, and pairs of one customer in different ones."""
    lines, _, customer, size = _read(transactions, unit, as_of)
    items = lines.items
    count = margins(lines.sorted(known=True), n_baskets=lines.n_baskets, n_items=len(items))[0]
    sizes, number = np.unique(size, return_counts=True)
    pairs = size.astype(np.float64) * (size - 1)
    n = len(items)
    return pd.DataFrame(
        {
            "item": object_column([*items, *[None] * (len(sizes) + 1)]),
            "size": np.r_[np.full(n, -1), sizes, -1],
            "count": np.r_[count, number, 0],
            "together": np.r_[
                np.zeros(n + len(sizes)),
                pairs_together(customer, pairs),
            ],
        }
    )


def add_orders(
    counted: pd.DataFrame,
    *,
    min_support: float | None,
    apart: bool,
    include: Any,
    exclude: Any,
    item: Any,
) -> Orders:
    """Return what is known of all orders from what is known of parts."""
    apart = check_flag(apart, "apart")
    _, items, by_item = add_by_item(counted, "count")
    count = by_item[:-1]  # the last is that of sizes
    number, size = counted["count"].to_numpy(), counted["size"].to_numpy()
    sizes, row = np.unique(size[size >= 0], return_inverse=True)
    n_of_size = np.zeros(len(sizes), dtype=np.int64)
    np.add.at(n_of_size, row, number[size >= 0])
    n_pairs = float((sizes.astype(np.float64) * (sizes - 1)) @ n_of_size)
    return all_orders(
        *(
            items.infer_objects(copy=False),
            count,
            np.flatnonzero(item_mask(items, include, exclude) & (count > 0)),
        ),
        *(int(n_of_size.sum()), size_model(count, sizes, n_of_size)),
        together=float(counted["together"].sum()) / max(n_pairs, 1.0) ** 2,
        named=include is not None,
        item=item,
        apart=apart,
        min_support=min_support,
    )


def candidates(
    transactions: Any, *, unit: Unit, as_of: Any, apart: bool, max_pairs: int, orders: Orders
) -> pd.DataFrame:
    """Return the pairs that are as frequent in a part as they have to be among all orders."""
    if apart:  # what chance makes likely is known already
        return pd.DataFrame({"first": np.zeros(0, np.int64), "second": np.zeros(0, np.int64)})
    cap = check_number(max_pairs, "max_pairs")
    lines, item, customer, size = _read(transactions, unit, as_of, orders)
    wanted = orders.inside[orders.count[orders.inside] >= orders.least]
    least = same_share(orders.least, orders.n_baskets, lines.n_baskets)
    pairs, _, found = find_pairs(
        _some(lines, item, wanted, orders),
        weights(np.arange(len(customer)), size),  # who stands behind them is asked later
        least=least,
        cap=cap,
        beside=orders.chosen,
    )
    if found.capped:
        raise InputError(
            f"`min_support` of {orders.least:,} orders is one of {least:,} in a part of "
            f"{lines.n_baskets:,}, in which more than `max_pairs` = {cap:,} pairs are candidates. "
            "Raise `rows_per_part` or `min_support`, or ask for an `item`."
        )
    return pd.DataFrame({"first": pairs[:, 0], "second": pairs[:, 1]})


def union(found: pd.DataFrame, *, apart: bool, max_pairs: int, orders: Orders) -> Ints:
    """Return the pairs to be counted, sorted."""
    if apart:
        pairs = likely_pairs(orders, check_number(max_pairs, "max_pairs"))
    else:
        pairs = found[["first", "second"]].to_numpy()
    n = max(len(orders.items), 1)
    return np.column_stack(np.divmod(distinct(pairs[:, 0] * n + pairs[:, 1]), n))


def count_pairs(
    transactions: Any, *, unit: Unit, as_of: Any, orders: Orders, pairs: Ints
) -> pd.DataFrame:
    """Tell of each pair who stands behind it in a part, and of its items who likes them."""
    lines, item, customer, size = _read(transactions, unit, as_of, orders)
    baskets = _some(lines, item, distinct(pairs.ravel()), orders)
    here = np.isin(pairs, baskets.code).all(axis=1)
    sizes, number = orders.model.sizes, orders.model.n_of_size
    chance = weights(customer, size, float((sizes.astype(np.float64) * (sizes - 1)) @ number))
    found, seen, _ = find_pairs(baskets, chance, given=pairs[here])
    n = len(orders.items)
    row = np.searchsorted(pairs @ [n, 1], found @ [n, 1])
    told: list[tuple[Any, ...]] = [
        (PAIR, row, 0 * row, seen.count, seen.customers, seen.square, seen.mixed)
    ]
    if orders.together and len(baskets.code):
        some = np.sort(baskets.code)
        sums = taste_sums(baskets, customer, size, some, sizes)
        told.append((TASTE, some, 0, 0, 0, sums.square, 0.0))
        for kind, left, right in (
            (CELL, sums.beside, sums.inside),
            (SIZES, sums.sizes, np.zeros_like(sums.sizes)),
        ):
            at, column = np.nonzero(left)
            of = some[at] if kind == CELL else at
            told.append((kind, of, column, 0, 0, left[at, column], right[at, column]))
    names = ("kind", "row", "column", "count", "customers", "left", "right")
    parts = [pd.DataFrame(dict(zip(names, one, strict=True))) for one in told]
    return lines.history.noted(pd.concat(parts, ignore_index=True))


def add_pairs(counted: pd.DataFrame, orders: Orders, pairs: Ints) -> tuple[Witnesses, Floats]:
    """Add up what parts tell: who stands behind each pair, and the tastes for each item."""
    some, n_sizes = distinct(pairs.ravel()), len(orders.model.sizes)
    place = np.zeros(len(orders.items), dtype=np.int64)
    place[some] = np.arange(len(some))

    def total(kind: int, name: str, shape: tuple[int, ...]) -> Floats:
        mine = counted[counted["kind"] == kind]
        row = mine["row"].to_numpy()
        row = place[row] if kind in (TASTE, CELL) else row
        at = row * (shape[1] if len(shape) == 2 else 1) + mine["column"].to_numpy()
        sums = np.bincount(at, weights=mine[name], minlength=int(np.prod(shape)))
        return sums.astype(np.float64).reshape(shape)

    m = (len(pairs),)
    count, customers = (total(PAIR, name, m).astype(np.int64) for name in ("count", "customers"))
    seen = Witnesses(count, customers, total(PAIR, "left", m), total(PAIR, "right", m))
    if not (orders.together and len(pairs)):
        return seen, np.zeros(len(orders.items))
    cells = (len(some), n_sizes)
    sums = TasteSums(
        total(TASTE, "left", cells[:1]),
        total(CELL, "left", cells),
        total(CELL, "right", cells),
        total(SIZES, "left", (n_sizes, n_sizes)),
    )
    return seen, tastes(sums, orders.model, some)


def too_many(fits: int, held: int, least: int, cap: int) -> InputError:
    """Return the error of too many pairs, which says how many orders give few enough."""
    return _too_many(f"{fits:,} orders give {held:,}", least, cap)


def _too_many(fits: str, least: int, cap: int) -> InputError:
    return InputError(
        f"`min_support` of {least:,} orders gives more than `max_pairs` = {cap:,} pairs; {fits}. "
        "Raise `min_support`, ask for an `item`, or raise `max_pairs` if the memory allows."
    )


def _read(
    transactions: Any, unit: Unit, as_of: Any, orders: Orders | None = None
) -> tuple[BasketLog, Ints, Ints, Ints]:
    """Read a part: its lines, their items among all, and the customer and size of each basket."""
    lines = read_baskets(transactions, unit=unit, may_lack=NAMELESS, as_of=as_of)
    n = {"n_baskets": lines.n_baskets, "n_items": len(lines.items)}
    size = margins(lines.sorted(known=True), **n)[1]
    item = lines.item
    if orders is not None:
        item = codes_among(orders.items, lines.items, item)
    return lines, item, lines.customer_of_basket(), size


def _some(lines: BasketLog, item: Ints, wanted: Ints, orders: Orders) -> Baskets:
    """Sort the baskets' lines of some items."""
    looked = np.zeros(len(orders.items) + 1, dtype=bool)
    looked[wanted] = True
    inside = looked[item]
    return sort_baskets(lines.basket[inside], item[inside], n_items=len(orders.items))
