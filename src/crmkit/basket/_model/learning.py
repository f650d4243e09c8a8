"""Learning items and links from a whole log, and their balance from its last days."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._arrays import distinct
from crmkit.basket._math.habits import find_habits
from crmkit.basket._model.strengths import (
    FEATURES,
    NEW_WEIGHTS,
    POPULARITY,
    REPEAT_WEIGHTS,
    Balance,
    Items,
    learn_balance,
    learn_items,
)

if TYPE_CHECKING:
    from crmkit._frames import Log
    from crmkit._typing import Ints


def learn(
    log: Log, horizon: int, half_life: float | None, least: int, n_neighbours: int
) -> tuple[Items, Balance]:
    """Learn how to weigh what was known a horizon before the end, then items from all days."""
    size = (log.n_customers, len(log.product_ids))
    split = log.as_of - horizon
    past = log.day <= split
    found, later = _known(log, past, split, horizon, size)
    weights = Balance(REPEAT_WEIGHTS, NEW_WEIGHTS, POPULARITY[len(POPULARITY) // 2], 0)
    if len(later):
        items = learn_items(found, split, horizon, size, least, n_neighbours)
        weights = learn_balance(found, items, split, half_life, later)
    found, _ = _known(log, np.ones(len(past), dtype=bool), log.as_of, horizon, size)
    return learn_items(found, log.as_of, horizon, size, least, n_neighbours), weights


def as_tables(
    names: pd.Index[Any], items: Items, weights: Balance
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Write items, their neighbours and the balance as the tables of a model."""
    table = pd.DataFrame(
        {"item": names, "popularity": items.popularity, "repeat_rate": items.repeat_rate}
    )
    ends = {"item": names[items.item], "neighbour": names[items.neighbour]}
    kinds = np.repeat(["repeat", "new"], [len(weights.repeat), len(weights.new)])
    balance = pd.DataFrame(
        {
            "items": kinds.tolist(),
            "feature": FEATURES,
            "weight": np.concatenate([weights.repeat, weights.new]),
        }
    )
    return table, pd.DataFrame(ends | {"strength": items.strength}), balance


def _known(
    log: Log, past: Any, split: int, horizon: int, size: tuple[int, int]
) -> tuple[Any, Ints]:
    """Return habits by the past, and what their customers bought after it, as sorted keys."""
    found = find_habits(log.customer[past], log.product[past], log.day[past], split, horizon, size)
    after = ~past & (log.product >= 0)
    after[after] = found.visits[log.customer[after]] > 0
    return found, distinct(log.customer[after] * size[1] + log.product[after])
