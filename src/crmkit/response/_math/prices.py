"""What a unit of budget and a place of an offer are worth: prices that bound every choice."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from crmkit._typing import Floats, Ints

__all__ = ["Limits", "Prices", "best_option", "shadow_prices"]

_STEPS = 60
_CYCLES = 12
# Of more customers than this a sample tells where the prices are.
_SAMPLE = 20_000
_ENOUGH = 1e-5


@dataclass(frozen=True, slots=True)
class Limits:
    """What contacts may cost and how many there may be, in all and of each offer.

    ``offer`` (k,) is the offer of each way to contact somebody, ``each`` (m,) the most contacts
    with each offer, infinite where there is no limit.
    """

    budget: float
    capacity: float
    offer: Ints
    each: Floats

    def share(self, part: float) -> Limits:
        """Return the limits of a part of the customers."""
        return replace(
            self, budget=self.budget * part, capacity=self.capacity * part, each=self.each * part
        )


@dataclass(frozen=True, slots=True)
class Prices:
    """The price of ``budget`` and of each of the ``offers`` (m,), and the least ``bound`` met."""

    budget: float
    offers: Floats
    bound: float


def best_option(net: Floats) -> tuple[Floats, Ints]:
    """Return each customer's best net gain and where it is, (n,) each."""
    if net.shape[1] == 1:
        return net[:, 0], np.zeros(net.shape[0], dtype=np.int64)
    option = np.argmax(net, axis=1).astype(np.int64)
    return np.take_along_axis(net, option[:, None], axis=1)[:, 0], option


def shadow_prices(gain: Floats, cost: Floats, limits: Limits) -> Prices:
    """Minimise the Lagrangian dual of the relaxed programme; rows in an order of chance.

    Of gains and costs (n, k), -inf where a way is not open. The budget's price is found by
    bisection, an offer's price, the others as they are, as the advantage of the last customer who
    gets it, and the capacity's price is the net gain of the last customer who fits. The dual is a
    bound at any prices, found or not (Fisher 1981).
    """
    n = len(gain)
    start = Prices(0.0, np.zeros(limits.each.size), np.inf)
    if n > 2 * _SAMPLE:
        part = slice(0, _SAMPLE)
        start = shadow_prices(gain[part], cost[part], limits.share(_SAMPLE / n))
    scarce = np.flatnonzero(np.isfinite(limits.each)).tolist()
    offers, bound = start.offers.copy(), np.inf
    price = start.budget
    for _ in range(_CYCLES):
        before = offers.copy()
        left = gain - offers[limits.offer] if scarce else gain
        fixed = float(offers[scarce] @ limits.each[scarce])
        price, value = _budget_price(left, cost, limits, price)
        bound, last = min(bound, fixed + value), bound
        enough = _ENOUGH if n > _SAMPLE else 1e-6
        if not scarce or last - bound <= enough * abs(bound) < np.inf:
            break
        for offer in scarce:
            offers[offer] = _offer_price(gain, cost, price, offers, offer, limits)
        if np.allclose(before, offers, rtol=1e-9, atol=0):
            break
    return Prices(price, offers, bound)


def _offer_price(
    gain: Floats, cost: Floats, price: float, offers: Floats, offer: int, limits: Limits
) -> float:
    """Return the advantage, over all else, of the first customer who does not get an offer."""
    net = gain - price * cost - offers[limits.offer]
    own = limits.offer == offer
    place = _last_place(best_option(net)[0], limits.capacity)
    others = net[:, ~own].max(axis=1, initial=-np.inf)
    advantage = net[:, own].max(axis=1) + offers[offer] - np.maximum(others, place)
    full = int(limits.each[offer])
    if full >= advantage.size:
        return 0.0
    at = advantage.size - full - 1
    return max(float(np.partition(advantage, at)[at]), 0.0)


def _last_place(net: Floats, capacity: float) -> float:
    """Return the net gain of the first customer who does not fit into the capacity, at least 0."""
    if capacity >= net.size:
        return 0.0
    at = net.size - int(capacity) - 1
    return max(float(np.partition(net, at)[at]), 0.0)


def _budget_price(gain: Floats, cost: Floats, limits: Limits, near: float) -> tuple[float, float]:
    """Return the budget's price and the smallest dual value met on the way."""
    # Not far from where a sample has it, if it can be told that it is there.
    bound, low, high = np.inf, 0.0, np.inf
    for guess in (near * 0.99, near * 1.01) if near else ():
        spent, value = _dual(gain, cost, guess, limits)
        bound = min(bound, value)
        low, high = (guess, high) if spent > limits.budget else (low, min(guess, high))
    if not low:
        spent, value = _dual(gain, cost, 0.0, limits)
        bound = min(bound, value)
        if spent <= limits.budget:
            return 0.0, bound
    if np.isinf(high):
        with np.errstate(divide="ignore", invalid="ignore"):
            per_cost = gain / cost
        high = float(np.max(per_cost, where=np.isfinite(per_cost), initial=0.0))
    enough = _ENOUGH if len(gain) > _SAMPLE else 1e-12
    for _ in range(_STEPS):
        if high - low <= enough * high:
            break
        middle = (low + high) / 2
        spent, value = _dual(gain, cost, middle, limits)
        bound = min(bound, value)
        low, high = (middle, high) if spent > limits.budget else (low, middle)
    return high, bound


def _dual(gain: Floats, cost: Floats, price: float, limits: Limits) -> tuple[float, float]:
    """Return what the best customers at a price would cost, and the dual's value there."""
    net, option = best_option(gain - price * cost if price else gain)
    chosen = np.flatnonzero(net > 0)
    room = min(limits.capacity, float(len(gain)))
    if chosen.size > room:
        ascending = np.argpartition(net[chosen], chosen.size - max(int(room), 1))
        chosen = chosen[ascending[chosen.size - int(room) :]]
    spent = float(cost[chosen, option[chosen]].sum())
    return spent, (price * limits.budget if price else 0.0) + float(net[chosen].sum())
