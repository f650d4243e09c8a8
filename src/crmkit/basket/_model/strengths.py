"""How strongly one item points to another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from crmkit._arrays import adjust_p_values
from crmkit.basket._math import hypergeometric, recommend

if TYPE_CHECKING:
    import pandas as pd

    from crmkit._typing import Floats, Ints
    from crmkit.basket._math.collector import Itemsets


@dataclass(frozen=True, slots=True)
class ItemStrengths:
    """What a fitted recommender knows of its items.

    ``items`` is a table of ``item`` and ``popularity``, ``neighbours`` one of ``item``,
    ``neighbour`` and ``strength``. ``popularity`` weighs the popularity of all;
    ``by_history`` tells whether a customer's own purchases count at all.
    """

    items: pd.DataFrame
    neighbours: pd.DataFrame
    half_life_days: float | None
    popularity: float
    by_history: bool


MAX_P_ADJUSTED = 0.05  # rules less certain than this do not recommend


def pair_strengths(
    found: Itemsets, n_items: int, *, rules: float, similarity: float, n_neighbours: int
) -> tuple[Ints, Ints, Floats]:
    """Return each item's strongest neighbours: item, neighbour and strength, by item."""
    single = np.zeros(n_items, dtype=np.int64)
    pairs, count = np.zeros((0, 2), dtype=np.int64), np.zeros(0, dtype=np.int64)
    if found.items:
        single[found.items[0][:, 0]] = found.counts[0]
    if len(found.items) > 1:
        pairs, count = found.items[1], found.counts[1]
    a, b = single[pairs[:, 0]], single[pairs[:, 1]]
    p_value = hypergeometric.upper_tail(count, np.full(len(count), found.n_baskets), a, b)
    real = adjust_p_values(p_value) <= MAX_P_ADJUSTED
    cosine = similarity * count / np.sqrt(a * b)
    strength = np.concatenate(
        [cosine + rules * real * count / a, cosine + rules * real * count / b]
    )
    both_ways = np.concatenate([pairs, pairs[:, ::-1]])
    useful = strength > 0
    return recommend.neighbours(both_ways[useful], strength[useful], n_neighbours)


def check_strengths(items: pd.DataFrame, neighbours: pd.DataFrame) -> None:
    """Raise ValueError unless items and neighbours go together, with numbers of 0 or more."""
    known = set(items["item"])
    ends = set(neighbours["item"]) | set(neighbours["neighbour"])
    for table, column in ((items, "popularity"), (neighbours, "strength")):
        numbers = table[column].to_numpy()
        if numbers.dtype.kind != "f" or not ((numbers >= 0) & np.isfinite(numbers)).all():
            raise ValueError(f"its column {column!r} holds no numbers of 0 or more")
    if len(known) < len(items) or items["item"].isna().any() or not ends <= known:
        raise ValueError("its items and their neighbours do not go together")
