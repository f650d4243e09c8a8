"""Why a customer loses money, and which change of one thing breaks even."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain, combinations, islice
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from crmkit._typing import Bools, Floats, Ints


__all__ = ["Losses", "columns_within", "explain_losses"]

_ROUNDING = 1e-9
_CLOSE = 1e-6  # single precision, and what a text file keeps
_MOST_SETS = 50_000
_FEW = 50


@dataclass(frozen=True, slots=True)
class Losses:
    """Per loss, shape (m,): the cause, and the lever with the change it takes.

    Both are numbers of components; the change is missing where no one alone does. ``cost`` and
    ``excess`` are those of the cause; ``unpaid`` tells where it is the cost of winning a customer
    whose orders earn something.
    """

    cause: Ints
    cost: Floats
    excess: Floats
    unpaid: Bools
    lever: Ints
    change: Floats


def explain_losses(
    loss: Floats, effect: Floats, base: Floats, usual: Floats, orders: Floats, revenue: Floats,
    *, price: int, won: int,
) -> Losses:  # fmt: skip
    """Name the cause and the lever of each loss, shape (m,), above 0.

    `effect` is the money that each component takes, shape (m, k), `usual` what it takes per money
    of `base` on average, shape (k,). The cause is the component most above that. The lever is the
    first, from the most above it downwards, that can break even alone: a cost, or refunds, that
    fall by at most all they are; `price` that rises for who has `revenue`; in place of the cost of
    winning the customer, component `won` (-1: none), more `orders` of the kind there are. Where
    none can, it is that of the cause.
    """
    excess = effect - np.maximum(base, 0.0)[:, None] * usual
    size = np.abs(effect).max(axis=1, initial=0.0) + loss
    # Where rounding alone tells two apart, the one that takes more money is named.
    excess = np.where(np.abs(excess) <= _ROUNDING * size[:, None], 0.0, excess)
    with np.errstate(divide="ignore", invalid="ignore"):
        change = -loss[:, None] / effect
        able = effect >= loss[:, None] * (1 - _ROUNDING)
        change[:, price] = loss / revenue
        able[:, price] = revenue > 0
        unpaid = np.zeros(loss.size, dtype=bool)
        if won >= 0:
            earned = effect[:, won] - loss  # by the orders, before the cost of winning them
            unpaid = earned >= -_ROUNDING * size
            able[:, won] = (earned > _ROUNDING * size) & (orders > 0)
            change[:, won] = loss / earned
    cause = _largest(excess, effect, np.ones_like(able))
    lever = np.where(able.any(axis=1), _largest(excess, effect, able), cause)
    at = np.arange(loss.size)
    return Losses(
        cause=cause,
        cost=effect[at, cause],
        excess=excess[at, cause],
        unpaid=unpaid & (cause == won),
        lever=lever,
        change=np.where(able[at, lever], change[at, lever], np.nan),
    )


def _largest(excess: Floats, effect: Floats, among: Bools) -> Ints:
    """Return the component with the largest excess, of equal ones that of the largest effect."""
    excess = np.where(among, excess, -np.inf)
    best = excess.max(axis=1, keepdims=True, initial=-np.inf)
    near = excess >= best - _ROUNDING * np.abs(best)
    return np.where(near & among, effect, -np.inf).argmax(axis=1).astype(np.int64)


def columns_within(total: Floats, columns: Floats, first: list[list[int]]) -> list[int] | None:
    """Return which columns, shape (n, k), add up to a total, shape (n,): as many as there can be.

    The sets in `first` are tried before others. None if no set does, or if there are too many to
    try. Numbers that were all rounded to cents may miss the total by as much as that makes.
    """
    k = columns.shape[1]
    numbers = np.column_stack([columns, total])
    cents = np.all(np.abs(np.rint(numbers * 100) - numbers * 100) < 1e-6, axis=0)
    close = _CLOSE * np.abs(numbers).sum(axis=1)
    few = slice(_FEW)  # most sets fail in the first rows
    every = (list(kept) for size in range(k, -1, -1) for kept in combinations(range(k), size))
    for kept in islice(chain(first, every), _MOST_SETS):
        slack = 0.005 * (len(kept) + 4) if cents[[*kept, k]].all() else 0.0
        for rows in (few, slice(None)):
            off = np.abs(columns[rows][:, kept].sum(axis=1) - total[rows])
            if not np.all(off <= slack + close[rows]):
                break
        else:
            return kept
    return None
