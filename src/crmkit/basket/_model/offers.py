"""Offers from histories, stock and wishes."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._checks import check_flag
from crmkit._frames import read_customers
from crmkit._log import read_log
from crmkit.basket._math import recommend
from crmkit.basket._table.baskets import item_list, sorted_items

if TYPE_CHECKING:
    from collections.abc import Iterable

    from crmkit._typing import Bools, Ints
    from crmkit.basket._model.strengths import ItemStrengths


def places(items: list[Any], place: dict[Any, int]) -> Ints:
    """Return the place of each item, -1 for an unknown one."""
    return np.fromiter((place.get(item, -1) for item in items), dtype=np.int64, count=len(items))


def allowed_items(
    items: pd.Index[Any], exclude: Iterable[Any] | None, stock: Iterable[Any] | None
) -> Bools:
    """Tell which items may be offered; items the model does not know are no slip here."""
    allowed = np.ones(len(items), dtype=bool)
    if stock is not None:
        allowed &= items.isin(item_list(stock, "stock"))
    if exclude is not None:
        allowed &= ~items.isin(item_list(exclude, "exclude"))
    return allowed


def unwanted_cells(
    unwanted: Any, customer_ids: pd.Index[Any], place: dict[Any, int]
) -> tuple[Ints, Ints]:
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


def make_offers(
    strengths: ItemStrengths,
    transactions: Any,
    *,
    n_items: int,
    exclude_owned: bool,
    exclude: Iterable[Any] | None,
    stock: Iterable[Any] | None,
    unwanted: Any,
    as_of: Any,
    progress: bool,
) -> pd.DataFrame:
    """Rank the next items of every customer in a log by what a fitted model knows."""
    history = read_log(transactions, needs=("product",), as_of=as_of)
    log = history.purchases
    # columns by falling popularity, so that ties go to the more popular item
    known = strengths.items["popularity"].to_numpy()
    by_popularity = np.argsort(-known, kind="stable")
    items = pd.Index(strengths.items["item"]).take(by_popularity)
    place = {item: code for code, item in enumerate(items.tolist())}
    size = (log.n_customers, len(items))
    column = np.append(places(log.product_ids.tolist(), place), -1)[log.product]
    inside = column >= 0
    lines = log.customer[inside], column[inside], log.day[inside]
    customer, column, day = recommend.last_days(*lines)
    # a weight that decayed to nothing must not become a missing entry
    weight = np.maximum(recommend.decay(log.as_of - day, strengths.half_life_days), 1e-300)
    first = places(strengths.neighbours["item"].tolist(), place)
    second = places(strengths.neighbours["neighbour"].tolist(), place)
    strength = strengths.neighbours["strength"].to_numpy(dtype=np.float64)
    stop_customer, stop_column = unwanted_cells(unwanted, log.customer_ids, place)
    again = None
    if check_flag(exclude_owned, "exclude_owned"):
        stop_customer = np.append(stop_customer, customer)
        stop_column = np.append(stop_column, column)
    elif strengths.by_history:  # popularity alone knows no customer
        share = recommend.share_of_days(*lines, log.as_of, strengths.half_life_days)
        again = recommend.as_sparse(customer, column, share, size)
    find = partial(
        recommend.best_items,
        recommend.as_sparse(customer, column, weight, size),
        recommend.as_sparse(first, second, strength, (len(items), len(items))),
        strengths.popularity * known[by_popularity],
        allowed_items(items, exclude, stock),
        recommend.as_sparse(stop_customer, stop_column, np.ones(len(stop_column)), size),
        n_items,
        again=again,
    )
    if check_flag(progress, "progress"):
        from tqdm.auto import tqdm

        with tqdm(total=log.n_customers, unit="customers") as bar:
            parts = list(find(step=bar.update))
    else:
        parts = list(find())
    customer, column, score = (np.concatenate(part) for part in zip(*parts, strict=True))
    rank = np.arange(len(customer)) - np.searchsorted(customer, customer) + 1
    turn = np.empty(log.n_customers, dtype=np.int64)
    turn[pd.unique(history.rows.customer)] = np.arange(log.n_customers)
    order = np.argsort(turn[customer], kind="stable")
    table = pd.DataFrame(
        {
            "customer_id": log.customer_ids[customer[order]],
            "item": items[column[order]],
            "score": score[order],
            "rank": rank[order],
        }
    )
    return history.noted(table)
