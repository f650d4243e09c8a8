"""When simulated customers buy: the purchase processes, drawn for all customers at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from crmkit._arrays import distinct, ranges

if TYPE_CHECKING:
    from crmkit._typing import Bools, Floats, Ints

__all__ = ["Histories", "draw_histories", "order_days"]


@dataclass(frozen=True, slots=True)
class Histories:
    """What happened to each customer after the first purchase; arrays of shape (n_customers,)."""

    rate: Floats
    dropout: Floats
    alive: Bools
    customer: Ints  # of each repeat purchase, shape (n_repeats,)
    age: Ints  # days after the first purchase, shape (n_repeats,)


def draw_histories(
    rng: np.random.Generator,
    purchase_model: str,
    parameters: dict[str, float],
    *,
    last: Ints,
) -> Histories:
    """Draw rates, lifetimes and repeat purchases up to `last` days after the first one."""
    n = len(last)
    rate = rng.gamma(parameters["r"], 1 / parameters["alpha"], n)
    if purchase_model == "bgnbd":
        dropout = rng.beta(parameters["a"], parameters["b"], n)
        observed = last.astype(np.float64)
        kept = rng.geometric(np.maximum(dropout, 1e-12))  # leaves after this many repeats
        count = rng.poisson(rate * observed)
        alive = count < kept
    else:
        dropout = rng.gamma(parameters["s"], 1 / parameters["beta"], n)
        lifetime = rng.exponential(1 / np.maximum(dropout, 1e-300))
        alive = lifetime > last
        observed = np.minimum(lifetime, last)
        count = rng.poisson(rate * observed)
        kept = count
    customer, rank = ranges(0, count)
    share = np.sort(customer + rng.uniform(size=len(customer))) - customer  # by customer, in time
    time = share * observed[customer]
    stays = rank < kept[customer]
    age = np.ceil(time[stays]).astype(np.int64)
    return Histories(rate, dropout, alive, customer[stays], np.maximum(age, 1))


def order_days(first: Ints, history: Histories) -> tuple[Ints, Ints]:
    """Return customer and day of every order, by day; purchases of one day are one order."""
    n = len(first)
    customer = np.concatenate([np.arange(n), history.customer])
    day = np.concatenate([first, first[history.customer] + history.age])
    day, customer = np.divmod(distinct(day * n + customer), n)
    return customer, day
