"""Offers from histories, stock and wishes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from crmkit._arguments import check_list
from crmkit._checks import check_flag, check_number, check_optional
from crmkit._frames import read_customers, rows_of
from crmkit._log import read_log
from crmkit.basket._math.habits import REPEAT, find_habits
from crmkit.basket._math.recommend import NOTHING, decay, merge_best
from crmkit.basket._model.strengths import (
    Items,
    among,
    new_chances,
    new_scores,
    repeat_chances,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from crmkit._log import PurchaseLog
    from crmkit._typing import Bools, Ints
    from crmkit.basket._model.strengths import Part

Recommender = Literal["model", "favourites", "popularity"]


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


@dataclass(frozen=True, slots=True)
class Offers:
    """What may be offered to the customers of a log: owned items, and the best of the others.

    Items are places in ``items``, by falling popularity, so that ties go to the more popular one.
    """

    history: PurchaseLog
    items: pd.Index[Any]
    repeat: Part
    new: Part


def rank_offers(
    model: Any,
    transactions: Any,
    *,
    n_items: int,
    exclude_owned: bool,
    exclude: Iterable[Any] | None = None,
    stock: Iterable[Any] | None = None,
    unwanted: Any = None,
    as_of: Any = None,
    progress: bool = False,
    judge: Recommender = "model",
) -> Offers:
    """Give every customer of a log the chances of items by a fitted model, or a rival's scores."""
    history = read_log(transactions, needs=("product",), as_of=as_of)
    log = history.purchases
    by_popularity = np.argsort(-model.items_["popularity"].to_numpy(), kind="stable")
    table = model.items_.iloc[by_popularity]
    items, account = pd.Index(table["item"]), history.account
    column = np.append(
        places(log.product_ids, items, "transactions", account, "products_unmatched"), -1
    )
    size = (log.n_customers, len(items))
    horizon = check_number(model.horizon_days, "horizon_days")
    found = find_habits(log.customer, column[log.product], log.day, log.as_of, horizon, size)
    rival = judge != "model"
    near = model.neighbours_.iloc[:0] if rival else model.neighbours_
    known = Items(
        popularity=table["popularity"].to_numpy(),
        repeat_rate=table["repeat_rate"].to_numpy(),
        item=items.get_indexer(pd.Index(near["item"])),
        neighbour=items.get_indexer(pd.Index(near["neighbour"])),
        strength=near["strength"].to_numpy(dtype=np.float64),
    )
    allowed = allowed_items(items, exclude, stock, account)
    stop = unwanted_cells(unwanted, log.customer_ids, items, account)
    half_life = check_optional(model.half_life_days, "half_life_days")
    weights = decay(log.as_of - found.last, half_life)
    popularity = 1.0 if rival else model.popularity_weight_
    find = partial(
        new_scores, found, known, weights, popularity, n_items, allowed=allowed, stop=stop
    )
    if check_flag(progress, "progress"):
        from tqdm.auto import tqdm

        with tqdm(total=log.n_customers, unit="customers") as bar:
            new = find(step=bar.update)
    else:
        new = find()
    if rival:
        often = found.count if judge == "favourites" else 0
        score = often + known.popularity[found.item] / 2
        new = new[0], new[1], new[2] / 2  # below once bought
    else:
        weight = model.balance_["weight"].to_numpy()
        n_repeat = len(REPEAT) + 1
        score = repeat_chances(found, known, log.as_of, weight[:n_repeat])
        new = new_chances(found, new, weight[n_repeat:])
    repeat = found.customer, found.item, score
    if check_flag(exclude_owned, "exclude_owned"):
        repeat = NOTHING
    else:
        stopped = np.sort(stop[0] * len(items) + stop[1])
        free = allowed[found.item] & ~among(found.customer * len(items) + found.item, stopped)
        repeat = repeat[0][free], repeat[1][free], repeat[2][free]
    return Offers(history, items, repeat, new)


def offer_table(offers: Offers, n_items: int) -> pd.DataFrame:
    """Write the best offers of each customer, in the order in which customers first appear."""
    history, log = offers.history, offers.history.purchases
    customer, column, score, rank = merge_best((offers.repeat, offers.new), n_items)
    turn = np.empty(log.n_customers, dtype=np.int64)
    turn[pd.unique(history.rows.customer)] = np.arange(log.n_customers)
    order = np.argsort(turn[customer], kind="stable")
    m = len(offers.items)
    owned = among(customer * m + column, offers.repeat[0] * m + offers.repeat[1])
    table = pd.DataFrame(
        {
            "customer_id": log.customer_ids[customer[order]],
            "item": offers.items[column[order]],
            "score": score[order],
            "rank": rank[order],
            "owned": owned[order],
        }
    )
    return history.noted(table)
