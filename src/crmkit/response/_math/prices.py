"""What a unit of budget and a place of an offer are worth: prices that bound every choice."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from crmkit._typing import Bools, Floats, Ints

__all__ = ["Limits", "Prices", "best_contacts", "best_option", "shadow_prices"]

_STEPS = 60
_CYCLES = 12
# Of more customers than this a sample tells where the prices are.
_SAMPLE = 20_000
_ENOUGH = 1e-5


@dataclass(frozen=True, slots=True)
class Limits:
    """What contacts may cost and how many there may be: in all, of each offer, of each customer.

    ``offer`` (k,) is the offer of each way to contact somebody, ``each`` (m,) the most contacts
    with each offer, infinite where there is no limit. ``room`` (n, g) is how many contacts a
    customer may get by the ways of each of g groups, ``group`` (g, k) which ways these are, all
    of them in the first; without them it is one contact each.
    """

    budget: float
    capacity: float
    offer: Ints
    each: Floats
    room: Ints | None = None
    group: Bools | None = None

    def of(self, rows: Ints, share: float = 1.0) -> Limits:
        """Return the limits of some customers, with a share of what there is for all."""
        room = None if self.room is None else self.room[rows]
        money, places, each = self.budget * share, self.capacity * share, self.each * share
        return replace(self, budget=money, capacity=places, each=each, room=room)


@dataclass(frozen=True, slots=True)
class Prices:
    """The price of ``budget`` and of each of the ``offers`` (m,), and the least ``bound`` met."""

    budget: float
    offers: Floats
    bound: float


def best_option(net: Floats) -> tuple[Floats, Ints]:
    """Return each customer's best net gain and where it is, (n,) each."""
    best, option = net[:, 0].copy(), np.zeros(net.shape[0], dtype=np.int64)
    for column in range(1, net.shape[1]):
        option[net[:, column] > best] = column
        np.maximum(best, net[:, column], out=best)
    return best, option


def best_contacts(net: Floats, limits: Limits, least: float) -> tuple[Ints, Ints, Floats]:
    """Return the best contacts that customers may get and whose net gain is above `least`.

    Who, which way, and its net gain, (c,) each. The best of a customer's ways first, as long as
    its groups have room: as these lie within one another, no other choice gains more (Edmonds
    1971, Mathematical Programming 1, 127).
    """
    value, option = best_option(net)
    who = np.flatnonzero(value > least)
    if limits.room is None or limits.group is None:
        return who, option[who], value[who]
    rest, room, row = net[who], limits.room[who], who
    found = []
    while row.size:
        full = (room < 1) @ limits.group
        rest = np.where(full, -np.inf, rest)
        value, option = best_option(rest)
        more = np.flatnonzero(value > least)
        rest, room, row = rest[more], room[more], row[more]
        value, option = value[more], option[more]
        found.append((row, option, value))
        rest[np.arange(row.size), option] = -np.inf
        room = room - limits.group[:, option].T
    if not found:
        return who, option[who], value[who]
    row, option, value = (np.concatenate(part) for part in zip(*found, strict=True))
    return row, option, value


def shadow_prices(gain: Floats, cost: Floats, limits: Limits, chance: Ints) -> Prices:
    """Minimise the Lagrangian dual of the relaxed programme.

    Of gains and costs (n, k), -inf where a way is not open; `chance` (n,) is a random order of the
    customers. The budget's price is found by halving and false position, an offer's price, the
    others as they are, as the advantage of the last customer who gets it, and the capacity's price
    is the net gain of the last contact that fits. The dual is a bound at any prices, found or not
    (Fisher 1981).
    """
    n = len(gain)
    start = Prices(0.0, np.zeros(limits.each.size), np.inf)
    if n > 2 * _SAMPLE:
        part = chance[:_SAMPLE]
        share = _SAMPLE / n
        start = shadow_prices(gain[part], cost[part], limits.of(part, share), np.arange(_SAMPLE))
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
    place = _last_place(best_contacts(net, limits, 0.0)[2], limits.capacity)
    others = np.where(own, -np.inf, net)
    instead = best_option(others)[0]
    if limits.room is not None:
        # What the offer displaces is the last of a customer's contacts.
        most = np.clip(limits.room[:, 0], 1, net.shape[1])
        instead = -np.sort(-others, axis=1)[np.arange(len(net)), most - 1]
    advantage = net[:, own].max(axis=1) + offers[offer] - np.maximum(instead, place)
    full = int(limits.each[offer])
    if full >= advantage.size:
        return 0.0
    at = advantage.size - full - 1
    return max(float(np.partition(advantage, at)[at]), 0.0)


def _last_place(net: Floats, capacity: float) -> float:
    """Return the net gain of the first contact that does not fit into the capacity, at least 0."""
    if capacity >= net.size:
        return 0.0
    at = net.size - int(capacity) - 1
    return max(float(np.partition(net, at)[at]), 0.0)


def _budget_price(gain: Floats, cost: Floats, limits: Limits, near: float) -> tuple[float, float]:
    """Return the budget's price with the least dual value met, and that value.

    The dual is convex in the price, and the money left at a price is its slope there. It lies
    above its tangents on both sides of the least, so where these meet is the next to try, and how
    deep they meet is the most that is left to find (Kelley 1960, J. Soc. Ind. Appl. Math. 8, 703).
    """
    enough = _ENOUGH if len(gain) > _SAMPLE else 1e-12
    guesses = [near * 0.99, near * 1.01] if near else []
    low = high = None  # price, value and slope below the least and above it
    best, bound = 0.0, np.inf
    for step in range(_STEPS):
        if guesses:
            price = guesses.pop(0)
        elif low is None:
            price = 0.0
        elif high is None:
            price = _highest_price(gain, cost)
        else:
            rise = high[2] * high[0] - low[2] * low[0]
            price = (low[1] - high[1] + rise) / (high[2] - low[2])
            left = bound - low[1] - low[2] * (price - low[0])
            if left <= enough * bound or not low[0] < price < high[0]:
                break
            if step % 3 == 0:
                price = (low[0] + high[0]) / 2
        spent, value = _dual(gain, cost, price, limits)
        if value < bound:
            best, bound = price, value
        if spent > limits.budget:
            low = price, value, limits.budget - spent
        else:
            high, guesses = (price, value, limits.budget - spent), []
            if price == 0:
                break
    return best, bound


def _highest_price(gain: Floats, cost: Floats) -> float:
    """Return a price of the budget at which nothing that costs anything is worth it."""
    with np.errstate(divide="ignore", invalid="ignore"):
        per_cost = gain / cost
    return float(np.max(per_cost, where=np.isfinite(per_cost), initial=0.0))


def _dual(gain: Floats, cost: Floats, price: float, limits: Limits) -> tuple[float, float]:
    """Return what the best contacts at a price would cost, and the dual's value there."""
    who, option, net = best_contacts(gain - price * cost if price else gain, limits, 0.0)
    room = min(limits.capacity, float(net.size))
    if net.size > room:
        chosen = np.argpartition(net, net.size - max(int(room), 1))[net.size - int(room) :]
        who, option, net = who[chosen], option[chosen], net[chosen]
    spent = float(cost[who, option].sum())
    return spent, (price * limits.budget if price else 0.0) + float(net.sum())
