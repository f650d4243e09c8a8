"""What is known of items at a date, and how habits and links become chances."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from crmkit._arrays import distinct, order_by
from crmkit.basket._math import balance, habits, links, recommend

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from crmkit._typing import Bools, Floats, Ints
    from crmkit.basket._math.habits import Habits

    Part = tuple[Ints, Ints, Floats]  # customer, item, chance


MOST_LINEAR = 6000  # items; the linear model is cubic in them
MOST_LEARNED = 20_000  # customers whose later purchases balance what is known
POPULARITY = (0.03, 0.1, 0.3, 1.0, 3.0)  # weights beside the links, of which one is chosen
# Where a log is too short to learn from: between those of the groceries of Complete Journey and
# of the gifts of Online Retail.
REPEAT_WEIGHTS = np.array([-1.0, 0.75, 0.1, 0.35, 0.35, 0.0, -0.2, 0.25, 0.3])
NEW_WEIGHTS = np.array([-1.2, 1.0, -0.1, 0.1])


@dataclass(frozen=True, slots=True)
class Items:
    """What is known of m items: popularity and repeat rate of each, links between them."""

    popularity: Floats
    repeat_rate: Floats
    item: Ints
    neighbour: Ints
    strength: Floats
    links: str = ""


@dataclass(frozen=True, slots=True)
class Balance:
    """Weights that turn features into chances, and of popularity beside links."""

    repeat: Floats
    new: Floats
    popularity: float
    customers: int


def owned_matrix(found: Habits, weight: Floats, size: tuple[int, int]) -> Any:
    """Return a weight per (customer, owned item); none decays to a missing entry."""
    return recommend.as_sparse(found.customer, found.item, np.maximum(weight, 1e-300), size)


def learn_items(
    found: Habits, as_of: int, horizon: int, size: tuple[int, int], least: int, n_neighbours: int
) -> Items:
    """Learn popularity, rhythm and links from all habits; `least` customers link an item."""
    n_items = size[1]
    recent = recommend.decay(as_of - found.last, horizon)
    customers = max(int((found.visits > 0).sum()), 1)
    often = np.flatnonzero(np.bincount(found.item, minlength=n_items) >= least)
    owned = owned_matrix(found, np.ones(len(found.item)), size)[:, often]
    kind = "linear" if len(often) <= MOST_LINEAR else "cosine"
    learn = links.linear_links if kind == "linear" else links.cosine_links
    item, neighbour, strength = learn(owned, n_neighbours) if len(often) else recommend.NOTHING
    return Items(
        popularity=np.bincount(found.item, weights=recent, minlength=n_items) / customers,
        repeat_rate=habits.rhythm(found.repeats, found.chances),
        item=often[item],
        neighbour=often[neighbour],
        strength=strength,
        links=kind,
    )


def new_scores(
    found: Habits,
    items: Items,
    weights: Floats,
    popularity: float,
    n_items: int,
    *,
    allowed: Bools | None = None,
    stop: tuple[Ints, Ints] = recommend.NOTHING[:2],
    step: Callable[[int], object] | None = None,
) -> Part:
    """Return each customer's best items that it does not own, by links and popularity."""
    m = len(items.popularity)
    size = (len(found.visits), m)
    blocked = np.concatenate([found.customer * m + found.item, stop[0] * m + stop[1]])
    row, column = np.divmod(distinct(blocked), m)
    parts = recommend.best_items(
        owned_matrix(found, weights, size),
        recommend.as_sparse(items.item, items.neighbour, items.strength, (m, m)),
        popularity * items.popularity,
        np.ones(m, dtype=bool) if allowed is None else allowed,
        recommend.as_sparse(row, column, np.ones(len(row)), size),
        n_items,
        step=step,
    )
    customer, item, score = (
        np.concatenate(part) for part in zip(recommend.NOTHING, *parts, strict=True)
    )
    return customer, item, score


def repeat_chances(found: Habits, items: Items, as_of: int, weights: Floats) -> Floats:
    """Return the chance that each owned item comes again."""
    told = habits.repeat_features(found, as_of, items.repeat_rate, items.popularity)
    return balance.chances(told, weights)


def new_chances(found: Habits, offers: Part, weights: Floats) -> Part:
    """Turn scores of new items into chances that they come."""
    customer, item, score = offers
    told = habits.new_features(score, customer, found.visits, found.recent_visits)
    return customer, item, balance.chances(told, weights)


def learn_balance(
    found: Habits, items: Items, as_of: int, half_life: float | None, later: Ints, n_items: int = 10
) -> Balance:
    """Learn from what was bought later (keys customer * m + item) how to weigh what was known."""
    m = len(items.popularity)
    known = np.flatnonzero(found.visits)
    if len(known) > MOST_LEARNED:  # every so-manieth, by facts that do not depend on ids
        lines = np.bincount(found.customer, weights=found.count, minlength=len(found.visits))
        known = known[order_by(lines[known].astype(np.int64), found.visits[known])]
        known = known[np.linspace(0, len(known) - 1, MOST_LEARNED).astype(np.int64)]
    some = part_of(found, known)
    rows = np.full(len(found.visits), -1)
    rows[known] = np.arange(len(known))
    row = rows[later // m]
    later = np.sort(row[row >= 0] * m + later[row >= 0] % m)
    again = among(some.customer * m + some.item, later)
    told = habits.repeat_features(some, as_of, items.repeat_rate, items.popularity)
    repeat = balance.fit_chances(told, again, REPEAT_WEIGHTS)
    weights = recommend.decay(as_of - some.last, half_life)
    best, new, chosen = -1.0, NEW_WEIGHTS, POPULARITY[len(POPULARITY) // 2]
    for popularity in POPULARITY if len(later) else ():
        customer, item, score = new_scores(some, items, weights, popularity, n_items)
        rank = np.arange(len(customer)) - np.searchsorted(customer, customer) + 1
        hit = among(customer * m + item, later)
        gain = float((1 / np.log2(rank[hit] + 1)).sum())
        if gain > best:
            told = habits.new_features(score, customer, some.visits, some.recent_visits)
            best, chosen, kept = gain, popularity, (told, hit)
    if best >= 0:
        learned = balance.fit_chances(*kept, NEW_WEIGHTS)
        # few purchases can make a better score look worse: then they teach nothing
        new = learned if learned[1] > 0 else NEW_WEIGHTS
    return Balance(repeat, new, chosen, len(known))


def among(keys: Ints, wanted: Ints) -> Bools:
    """Tell which keys are among sorted ones."""
    if not len(wanted):
        return np.zeros(len(keys), dtype=bool)
    place = np.minimum(np.searchsorted(wanted, keys), len(wanted) - 1)
    found: Bools = wanted[place] == keys
    return found


def part_of(found: Habits, customers: Ints) -> Habits:
    """Return the habits of some customers, in ascending order of their codes in `customers`."""
    customers.sort()
    rows = np.full(len(found.visits), -1)
    rows[customers] = np.arange(len(customers))
    row = rows[found.customer]
    kept = row >= 0
    return habits.Habits(
        row[kept], found.item[kept], found.last[kept], found.count[kept], found.recent[kept],
        found.since[kept], found.visits[customers], found.recent_visits[customers],
        found.repeats, found.chances,
    )  # fmt: skip


def check_items(items: pd.DataFrame, neighbours: pd.DataFrame, weights: pd.DataFrame) -> None:
    """Raise ValueError unless items, neighbours and weights go together, with fitting numbers."""
    known = set(items["item"])
    ends = set(neighbours["item"]) | set(neighbours["neighbour"])
    for table, column, low, high in (
        (items, "popularity", 0, np.inf),
        (items, "repeat_rate", 1e-12, 1 - 1e-12),
        (neighbours, "strength", 0, np.inf),
        (weights, "weight", -np.inf, np.inf),
    ):
        numbers = table[column].to_numpy()
        right = numbers.dtype.kind == "f" and np.isfinite(numbers).all()
        if not right or not ((numbers >= low) & (numbers <= high)).all():
            raise ValueError(f"its column {column!r} holds numbers that cannot be")
    if len(known) < len(items) or items["item"].isna().any() or not ends <= known:
        raise ValueError("its items and their neighbours do not go together")
    if weights["feature"].tolist() != FEATURES:
        raise ValueError("its weights are of other features")


FEATURES = ["constant", *habits.REPEAT, "constant", *habits.NEW]
