"""Histories, stock and wishes as arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from crmkit._frames import read_customers
from crmkit.basket._table.baskets import item_list, sorted_items

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd
    from numpy.typing import NDArray

    IntArray = NDArray[np.int64]


def last_days(
    customer: IntArray, item: IntArray, day: IntArray
) -> tuple[IntArray, IntArray, IntArray]:
    """Return each customer's distinct items with the last day of purchase, in sorted order."""
    order = np.lexsort((day, item, customer))
    customer, item, day = customer[order], item[order], day[order]
    change = (customer[1:] != customer[:-1]) | (item[1:] != item[:-1])
    last = np.flatnonzero(np.append(change, True)[: len(day)])
    return customer[last], item[last], day[last]


def places(items: list[Any], place: dict[Any, int]) -> IntArray:
    """Return the place of each item, -1 for an unknown one."""
    return np.fromiter((place.get(item, -1) for item in items), dtype=np.int64, count=len(items))


def allowed_items(
    items: pd.Index[Any], exclude: Iterable[Any] | None, stock: Iterable[Any] | None
) -> NDArray[np.bool_]:
    """Tell which items may be offered; items the model does not know are no slip here."""
    allowed = np.ones(len(items), dtype=bool)
    if stock is not None:
        allowed &= items.isin(item_list(stock, "stock"))
    if exclude is not None:
        allowed &= ~items.isin(item_list(exclude, "exclude"))
    return allowed


def unwanted_cells(
    unwanted: Any, customer_ids: pd.Index[Any], place: dict[Any, int]
) -> tuple[IntArray, IntArray]:
    """Return customers and items of what is not wanted, as far as both are known."""
    if unwanted is None:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    table = read_customers(unwanted, needs=("item",), name="unwanted", unique=False)
    code, ids = sorted_items(table["customer_id"].tolist())
    who = {customer: number for number, customer in enumerate(customer_ids.tolist())}
    customer = places(ids.tolist(), who)[code]
    item = places(table["item"].tolist(), place)
    known = (customer >= 0) & (item >= 0)
    return customer[known], item[known]
