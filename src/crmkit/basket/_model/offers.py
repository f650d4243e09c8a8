"""Offers from histories, stock and wishes."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._arguments import check_list
from crmkit._checks import check_flag
from crmkit._frames import read_customers, rows_of
from crmkit._log import read_log
from crmkit.basket._math import recommend

if TYPE_CHECKING:
    from collections.abc import Iterable

    from crmkit._typing import Bools, Ints
    from crmkit.basket._model.strengths import ItemStrengths


def places(
    values: Any, items: pd.Index[Any], name: str, account: dict[str, Any], key: str | None = None
) -> Ints:
    """Return the place among the model's items of each value; unknown ones (-1) are counted."""
    return rows_of(
        values,
        items,
        name=name,
        other="model",
        account=account,
        key=key,
        what="item",
        allow_none=name != "stock",
    )


def allowed_items(
    items: pd.Index[Any],
    exclude: Iterable[Any] | None,
    stock: Iterable[Any] | None,
    account: dict[str, Any],
) -> Bools:
    """Tell which items may be offered; some that the model does not know are no slip here."""
    allowed = np.ones(len(items), dtype=bool)
    for values, name, inside in ((stock, "stock", True), (exclude, "exclude", False)):
        if values is not None:
            place = places(check_list(values, name, "items"), items, name, account)
            allowed &= np.isin(np.arange(len(items)), place, invert=not inside)
    return allowed


def unwanted_cells(
    unwanted: Any, customer_ids: pd.Index[Any], items: pd.Index[Any], account: dict[str, Any]
) -> tuple[Ints, Ints]:
    """Return customers and items of what is not wanted, as far as both are known."""
    if unwanted is None:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    table = read_customers(
        unwanted, needs=("item",), name="unwanted", unique=False, allow_empty=True
    )
    customer = rows_of(
        table["customer_id"], customer_ids, name="unwanted", other="transactions", account=account
    )
    item = places(table["item"], items, "unwanted", account, "unwanted_items_unmatched")
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
    account = history.account
    size = (log.n_customers, len(items))
    known_products = places(log.product_ids, items, "transactions", account, "products_unmatched")
    column = np.append(known_products, -1)[log.product]
    inside = column >= 0
    lines = log.customer[inside], column[inside], log.day[inside]
    customer, column, day = recommend.last_days(*lines)
    # a weight that decayed to nothing must not become a missing entry
    weight = np.maximum(recommend.decay(log.as_of - day, strengths.half_life_days), 1e-300)
    first = items.get_indexer(pd.Index(strengths.neighbours["item"]))
    second = items.get_indexer(pd.Index(strengths.neighbours["neighbour"]))
    strength = strengths.neighbours["strength"].to_numpy(dtype=np.float64)
    stop_customer, stop_column = unwanted_cells(unwanted, log.customer_ids, items, account)
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
        allowed_items(items, exclude, stock, account),
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
