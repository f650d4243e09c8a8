"""What a basket is: reading the log into (basket, item) incidences."""

from __future__ import annotations

import gc
import math
from contextlib import contextmanager
from dataclasses import dataclass
from numbers import Integral
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from scipy import sparse

from crmkit._arguments import check_columns, check_list
from crmkit._checks import check_choice, check_number, quoted
from crmkit._frames import rows_of, sorted_codes, table_columns, to_pandas
from crmkit._log import PurchaseLog, read_log
from crmkit.basket._math.incidence import sort_baskets
from crmkit.errors import InputError, MissingColumnsError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from crmkit._frames import Log
    from crmkit._typing import Bools, Ints
    from crmkit.basket._math.incidence import Baskets


Unit = Literal["order", "customer"]
NAMELESS = ("customer_id", "date")  # what anonymous tickets lack
ROWS = 1 << 11  # written at a time, so that what is written stays in the processor's cache


@dataclass(frozen=True, slots=True)
class BasketLog:
    """Lines of baskets: codes of basket and item per line, shape (n,).

    ``items`` are the distinct items, sorted; baskets are numbered by customer. ``n_baskets`` counts
    all baskets of the log, also those that hold none of the items looked at. ``apart`` are pairs of
    item codes that no itemset may hold together, shape (m, 2): an item and the group it belongs to.
    ``row_basket`` is the basket of each row of ``log``, the purchases; of the rows, repeated for
    each column of groups, ``inside`` tells those that became lines, None if all did. ``history`` is
    the log with its refunds.
    """

    basket: Ints
    item: Ints
    items: pd.Index[Any]
    n_baskets: int
    apart: Ints
    inside: Bools | None
    row_basket: Ints
    log: Log
    history: PurchaseLog

    @property
    def line(self) -> Ints:
        """The row of ``log`` that each line came from."""
        rows = np.arange(len(self.item)) if self.inside is None else np.flatnonzero(self.inside)
        return rows % len(self.row_basket)

    def sorted(self, min_count: int = 1, *, known: bool = False) -> Baskets:
        """Sort the baskets' lines, or all lines with a known product, `include` or not."""
        basket, item = self.basket, self.item
        if known and len(item) < np.count_nonzero(inside := self.log.product >= 0):
            basket, item = self.row_basket[inside], self.log.product[inside]
        return sort_baskets(basket, item, n_items=len(self.items), min_count=min_count)

    def customer_of_basket(self) -> Ints:
        """Return the customer of each basket."""
        customer = np.zeros(self.n_baskets, dtype=np.int64)
        customer[self.row_basket] = self.log.customer
        return customer


def read_baskets(
    transactions: Any,
    *,
    unit: Unit = "order",
    include: Iterable[Any] | None = None,
    exclude: Iterable[Any] | None = None,
    groups: Iterable[str] = (),
    needs: Iterable[str] = (),
    optional: Iterable[str] = (),
    may_lack: Iterable[str] = (),
    as_of: Any = None,
) -> BasketLog:
    """Read a log as baskets; lines without a product are no item of any basket, refunds none.

    A log of orders may lack customers, and days where `may_lack` says so: each order is of a
    customer of its own then.
    """
    check_choice(unit, "unit", Unit)
    if unit == "order":
        transactions = _filled(transactions, [c for c in may_lack if c != "date" or as_of is None])
    groups = check_columns(groups, "groups", empty=True, single=False)
    history = read_log(
        transactions,
        needs=("customer_id", "date", "product", *groups, *needs),
        optional=(*optional, *(("order_id",) if unit == "order" else ())),
        as_of=as_of,
    )
    log = history.purchases
    if unit == "customer" or log.order_span == 1:  # one order each
        row_basket, n_baskets = log.customer, log.n_customers
    elif log.order_span * log.n_customers < 4 * len(log.customer):  # no need to hash the keys
        row_basket, orders = sorted_codes(pd.Series(log.order))
        n_baskets = len(orders)
    else:
        codes, distinct = pd.factorize(log.order, sort=True)
        row_basket, n_baskets = codes.astype(np.int64, copy=False), len(distinct)
    basket, item, items = row_basket, log.product, log.product_ids
    apart = np.zeros((0, 2), dtype=np.int64)
    if groups:
        basket, item, items, apart = _with_groups(log, basket, groups)
    wanted = item_mask(items, include, exclude)
    inside: Bools | None = None
    if not wanted.all() or item.min() < 0:
        inside = (item >= 0) & np.append(wanted, False)[item]
        basket, item = basket[inside], item[inside]
    return BasketLog(basket, item, items, n_baskets, apart, inside, row_basket, log, history)


def _filled(transactions: Any, may_lack: list[str]) -> Any:
    """Return a table of numbered orders with the columns that it may lack."""
    if isinstance(transactions, (list, tuple, dict, pd.Series, np.ndarray)) or sparse.issparse(
        transactions
    ):
        raise InputError(
            f"`transactions` must be a table of order lines; got {type(transactions).__name__}. "
            "as_baskets makes one of lists of items, and of a matrix of orders by items."
        )
    present = table_columns(transactions, "transactions")
    if not {"customer_id", "order_id", "date", "product"} & set(present):
        raise MissingColumnsError(
            "`transactions` lacks columns 'customer_id', 'date' and 'product'. Pass a log of order "
            "lines; of a table with one column per item as_baskets makes one."
        )
    lacks = [column for column in may_lack if column not in present]
    if not lacks or "order_id" not in present:
        return transactions
    frame = to_pandas(transactions, "transactions")
    fill: dict[str, Any] = {"customer_id": frame["order_id"], "date": pd.Timestamp(0)}
    return frame.assign(**{column: fill[column] for column in lacks})


def _with_groups(
    log: Log, basket: Ints, groups: list[str]
) -> tuple[Ints, Ints, pd.Index[Any], Ints]:
    """Put the groups of a product into its basket as further items, named column=value."""
    codes = [log.product]
    names = log.product_ids.tolist()
    for column in groups:
        code, values = sorted_codes(log.column(column))
        codes.append(np.where(code < 0, -1, code + len(names)))
        names += [f"{column}={value}" for value in values]
    n_items = len(names)
    pairs = [np.zeros(0, dtype=np.int64)]
    for above in range(1, len(codes)):
        for below in range(above):
            both = (codes[above] >= 0) & (codes[below] >= 0)
            pairs.append(np.unique(codes[below][both] * n_items + codes[above][both]))
    key = np.concatenate(pairs)
    return (
        np.tile(basket, len(codes)),
        np.concatenate(codes),
        pd.Index(object_column(names)),
        np.column_stack(np.divmod(key, n_items)),
    )


def item_mask(
    items: pd.Index[Any], include: Iterable[Any] | None, exclude: Iterable[Any] | None
) -> Bools:
    """Tell which items are looked at; an item that never occurs is likely a slip and raises."""
    mask = np.ones(len(items), dtype=bool)
    for values, name, inside in ((include, "include", True), (exclude, "exclude", False)):
        if values is not None:
            found = find_items(items, values, name)
            chosen = np.zeros(len(items), dtype=bool)
            chosen[found] = True
            mask &= chosen if inside else ~chosen
    return mask


def find_items(items: pd.Index[Any], values: Any, name: str, other: str = "transactions") -> Ints:
    """Return the codes of a list of items, each of which must occur."""
    do = f"Check the spelling; the first items are {quoted(items[:3].tolist())}."
    return rows_of(
        check_list(values, name, "items"), items, name=name, other=other, what="item", do=do
    )


def minimum_count(min_support: float | None, n_baskets: int, default: float = 0.01) -> int:
    """Turn a share (a float up to 1) or a number of baskets (an integer) into a count.

    None is the default share, but at least five: what fewer have in common is mostly chance.
    """
    if min_support is None:
        return max(minimum_count(default, n_baskets), 5)
    if not isinstance(min_support, Integral):
        share = check_number(min_support, "min_support", rule="share_of_baskets")
        # the product of a share and a count is a hair off whole numbers
        return max(math.ceil(share * n_baskets * (1 - 1e-12)), 1)
    count: int = check_number(min_support, "min_support")
    return count


def codes_among(items: pd.Index[Any], own: pd.Index[Any], item: Ints) -> Ints:
    """Return codes of a part's `own` items as those of all `items`, -1 of what is not there."""
    return np.append(items.get_indexer(own).astype(np.int64), -1)[item]


def add_by_item(counted: pd.DataFrame, name: str) -> tuple[Ints, pd.Index[Any], Ints]:
    """Add up what parts count by item: the code of each row, all items sorted, and the sums.

    The last sum is that of the rows without an item.
    """
    code, items = sorted_codes(counted["item"])
    number = np.zeros(len(items) + 1, dtype=np.int64)
    np.add.at(number, code, counted[name].to_numpy())  # -1, of no item, is the last
    return code, items, number


def same_share(count: int, n: int, n_part: int) -> int:
    """Return the least count of `n_part` that is as large a share as `count` is of `n`."""
    return max(-(-count * n_part // n), 1)


@contextmanager
def uncollected() -> Iterator[None]:
    """Make many tuples without Python looking for cycles, of which they have none, meanwhile."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def write_tuples(
    out: NDArray[np.object_], place: Ints, names: NDArray[np.object_], rows: Ints
) -> None:
    """Put rows of item codes, shape (n, k), as tuples of names into these places of a column."""
    with uncollected():
        for start in range(0, len(rows), ROWS):
            some = rows[start : start + ROWS]
            tuples = zip(*(names[column].tolist() for column in some.T), strict=True)
            out[place[start : start + ROWS]] = np.fromiter(tuples, object, count=len(some))


def object_column(values: list[Any]) -> NDArray[np.object_]:
    """Return a list of tuples as one column."""
    return np.fromiter(values, dtype=object, count=len(values))


def sorted_items(values: list[Any]) -> tuple[Ints, pd.Index[Any]]:
    """Return codes and the distinct items in the order that the log's items have."""
    return sorted_codes(pd.Series(values, dtype=object))
