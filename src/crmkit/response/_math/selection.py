"""Choose whom to contact: the best use of a budget and a capacity, and a bound on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from crmkit._typing import Bools, Floats, Ints


__all__ = ["Selection", "gain_bound", "select"]

_STEPS = 60


@dataclass(frozen=True, slots=True)
class Selection:
    """Who is contacted, and with what.

    ``contact`` and ``control`` (n,) never overlap; ``offer`` (n,) is each customer's best offer;
    ``rank`` (n,) counts from 1 over customers worth a contact and is 0 for the others.
    """

    contact: Bools
    control: Bools
    offer: Ints
    rank: Ints


def select(
    gain: Floats, cost: Floats, *, budget: float, capacity: float, hold_out: Bools, tie: Ints
) -> Selection:
    """Select customers by gain less the shadow price of the budget times cost.

    `gain` and `cost` have shape (n, k), one column per offer, -inf where an offer is not open.
    The Lagrangian dual of the relaxed programme, max sum gain x s.t. sum cost x <= budget and
    sum x <= capacity, is minimised over the budget's price by bisection, the capacity's price
    being the gain of the last customer that fits (Dantzig 1957; Fisher 1981). Customers are then
    taken in that order until one does not fit. Customers in `hold_out` (n,) use neither budget
    nor capacity: those who rank before the end of the list are its control group. `tie` (n,) is
    a random order that decides between equals.
    """
    n = gain.shape[0]
    free = ~hold_out
    room = min(capacity, float(n))
    wanted = np.where(gain > 0, gain, -np.inf)
    price, _ = _price(wanted[free], cost[free], budget, room)
    net, offer = _best(wanted, cost, price)
    at = np.arange(n)
    order = tie[np.argsort(-net[tie], kind="stable")]
    worth = np.isfinite(net)
    order = order[: int(worth.sum())]
    taken = free[order]
    spent = np.cumsum(np.where(taken, cost[order, offer[order]], 0.0))
    fits = (np.cumsum(taken) <= room) & (spent <= budget * (1 + 1e-12))
    end = order.size if fits.all() else int(np.argmin(fits))
    contact, control = np.zeros(n, dtype=bool), np.zeros(n, dtype=bool)
    inside = order[:end]
    contact[inside] = free[inside]
    control[inside] = hold_out[inside]
    rank = np.zeros(n, dtype=np.int64)
    rank[order] = at[: order.size] + 1
    return Selection(contact, control, offer, rank)


def gain_bound(gain: Floats, cost: Floats, *, budget: float, capacity: float) -> float:
    """Return the relaxed programme's bound on the total gain of customers, (n,) each."""
    room = min(capacity, float(gain.size))
    return _price(gain[:, None], cost[:, None], budget, room)[1]


def _best(gain: Floats, cost: Floats, price: float) -> tuple[Floats, Ints]:
    """Return each customer's best net gain at a price of the budget, and its offer, (n,) each."""
    net = gain if price == 0 else gain - price * cost
    if net.shape[1] == 1:
        return net[:, 0], np.zeros(net.shape[0], dtype=np.int64)
    offer = np.argmax(net, axis=1).astype(np.int64)
    return np.take_along_axis(net, offer[:, None], axis=1)[:, 0], offer


def _price(gain: Floats, cost: Floats, budget: float, room: float) -> tuple[float, float]:
    """Return the budget's shadow price and the smallest dual value met on the way."""
    spent, bound = _dual(gain, cost, 0.0, budget, room)
    if spent <= budget:
        return 0.0, bound
    with np.errstate(divide="ignore", invalid="ignore"):
        per_cost = gain / cost
    low, high = 0.0, float(np.max(per_cost, where=np.isfinite(per_cost), initial=0.0))
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if high - low <= 1e-12 * high:
            break
        spent, value = _dual(gain, cost, middle, budget, room)
        bound = min(bound, value)
        low, high = (middle, high) if spent > budget else (low, middle)
    return high, bound


def _dual(
    gain: Floats, cost: Floats, price: float, budget: float, room: float
) -> tuple[float, float]:
    """Return what the best customers at a price would cost, and the dual's value there."""
    net, offer = _best(gain, cost, price)
    chosen = np.flatnonzero(net > 0)
    if chosen.size > room:
        ascending = np.argpartition(net[chosen], chosen.size - max(int(room), 1))
        chosen = chosen[ascending[chosen.size - int(room) :]]
    spent = float(cost[chosen, offer[chosen]].sum())
    fixed = price * budget if price else 0.0
    return spent, fixed + float(net[chosen].sum())
