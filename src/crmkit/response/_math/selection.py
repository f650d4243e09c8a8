"""Choose whom to contact, with what and how: the best use of budget and places, and a bound."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from crmkit.response._math.prices import Limits, best_contacts, best_option, shadow_prices

if TYPE_CHECKING:
    from crmkit._typing import Bools, Floats, Ints


__all__ = ["Selection", "gain_bound", "select"]

# Ways of contact for which the whole-number programme is solved exactly, where the list falls short
# of its bound by more than this share.
_EXACT = 4000
_GAP = 1e-3
_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Selection:
    """Who is contacted, and how.

    ``who`` and ``way`` (c,) are the customer and the column of each contact, ``control`` (n,) who
    is held out; ``option`` (n,) is each customer's best column; ``rank`` (n,) counts from 1 over
    customers worth a contact and is 0 for the others. No choice among those not held out gains
    more than ``bound``.
    """

    who: Ints
    way: Ints
    control: Bools
    option: Ints
    rank: Ints
    bound: float


def select(gain: Floats, cost: Floats, *, limits: Limits, hold_out: Bools, tie: Ints) -> Selection:
    """Select customers by gain less the shadow prices of what they use.

    `gain` and `cost` have shape (n, k), one column per offer and channel, -inf where one is not
    open. Contacts are taken in the order of what they gain above the prices of budget, offers and
    places (Dantzig 1957; Fisher 1981), passing over what the rest of the budget does not pay for
    and what is full. Where that falls short of the bound, as with few and unequal costs, those whom
    the prices leave undecided are chosen exactly by branch and bound. Customers in `hold_out` (n,)
    use neither budget nor places: those worth no less than the last one taken are the control
    group. `tie` (n,) is a random order that decides between equals.
    """
    # Columns in one piece each: they are gone through one by one.
    cost = np.asfortranarray(cost)
    wanted = np.asfortranarray(np.where(gain > 0, gain, -np.inf))
    free = np.where(hold_out[:, None], -np.inf, wanted) if hold_out.any() else wanted
    prices = shadow_prices(free, cost, limits, tie[~hold_out[tie]])
    priced = wanted - prices.budget * cost - prices.offers[limits.offer]
    net, option = best_option(priced)
    order = tie[np.argsort(-net[tie], kind="stable")]
    order = order[: int(np.isfinite(net).sum())]
    rank = np.zeros(len(gain), dtype=np.int64)
    rank[order] = np.arange(1, order.size + 1)
    listed = order[~hold_out[order]]
    who, way = _filled(priced[listed], cost[listed], limits.of(listed))
    who = listed[who]
    total = float(wanted[who, way].sum())
    if prices.bound - total > _GAP * prices.bound:
        better = _exact(wanted, cost, priced, listed, prices.bound - total, total, limits)
        who, way = (who, way) if better is None else better
    contact = np.zeros(len(gain), dtype=bool)
    contact[who] = True
    # The best of a customer's contacts is its option; it comes last, so that it stays.
    first = np.argsort(priced[who, way], kind="stable")
    option[who[first]] = way[first]
    full = contact.sum() < listed.size
    worth = priced[np.arange(len(gain)), option]
    least = worth[contact].min() if contact.any() else np.inf
    control = hold_out & np.isfinite(net) & ((net >= least) | (not full))
    return Selection(who, way, control, option, rank, prices.bound)


def _filled(priced: Floats, cost: Floats, limits: Limits) -> tuple[Ints, Ints]:
    """Return who of a list, best first, gets what; whose best offer is full gets another one."""
    left, room, each = limits.budget * (1 + 1e-12), limits.capacity, limits.each.copy()
    own_room = limits.room
    found = [np.zeros((2, 0), dtype=np.int64)]
    while room >= 1:
        if (each < 1).any():
            priced = np.where(each[limits.offer] < 1, -np.inf, priced)
        who, way, net = best_contacts(priced, replace(limits, room=own_room), -np.inf)
        best_first = np.argsort(-net, kind="stable")
        offer = limits.offer[way[best_first]]
        place = np.empty(offer.size)
        for one in range(each.size):
            place[offer == one] = np.arange(1, np.count_nonzero(offer == one) + 1)
        fits = place <= each[offer]
        inside = best_first[fits]
        taken = inside[_fitting(cost[who[inside], way[inside]], left, room)]
        found.append(np.stack([who[taken], way[taken]]))
        left -= float(cost[who[taken], way[taken]].sum())
        room -= taken.size
        each -= np.bincount(limits.offer[way[taken]], minlength=each.size)
        if fits.all() or not (each < 1).any():
            break
        # What was inside is settled, taken or not; what else there is for its customer stays.
        priced[who[inside], way[inside]] = -np.inf
        if own_room is None or limits.group is None:
            priced[who[inside]] = -np.inf
        else:
            own_room = own_room.copy()
            np.subtract.at(own_room, who[taken], limits.group[:, way[taken]].T)
    who, way = np.concatenate(found, axis=1)
    return who, way


def _fitting(cost: Floats, left: float, room: float) -> Ints:
    """Return the places in a list, best first, of those who fit one after another."""
    places, taken = np.arange(cost.size), []
    while places.size and room >= 1:
        places = places[cost[places] <= left]
        spent = np.cumsum(cost[places])
        fits = (spent <= left) & (np.arange(1, places.size + 1) <= room)
        end = places.size if fits.all() else int(np.argmin(fits))
        if end:
            taken.append(places[:end])
            left, room = left - spent[end - 1], room - end
        places = places[end + 1 :]
    return np.concatenate(taken) if taken else places[:0]


def _exact(
    gain: Floats, cost: Floats, priced: Floats, listed: Ints, slack: float, total: float,
    limits: Limits,
) -> tuple[Ints, Ints] | None:  # fmt: skip
    """Return who is contacted and how in the best choice, if it can be found in time.

    What is further below the price of a place than bound and list are apart is in no better choice.
    """
    from scipy.optimize import Bounds, LinearConstraint, milp
    from scipy.sparse import csr_array

    net = np.sort(best_contacts(priced[listed], limits.of(listed), -np.inf)[2])
    crowded = limits.capacity < net.size
    margin = max(float(net[-max(int(limits.capacity), 1)]), 0.0) if crowded else 0.0
    who, way = np.nonzero(priced[listed] >= margin - slack * (1 + 1e-9))
    if not 0 < who.size <= _EXACT:
        return None
    who = listed[who]
    group = np.ones((1, gain.shape[1]), dtype=bool) if limits.group is None else limits.group
    room = np.ones((len(gain), 1), dtype=np.int64) if limits.room is None else limits.room
    people, row = np.unique(who, return_inverse=True)
    ones, place = np.ones(who.size), np.arange(who.size)
    rows = [csr_array(ones[None])]
    most = [np.array([min(limits.capacity, who.size)])]
    for one, ways in enumerate(group):
        inside = (ways[way].astype(np.float64), (row, place))
        rows.append(csr_array(inside, shape=(people.size, who.size)))
        most.append(room[people, one].astype(np.float64))
    if np.isfinite(limits.budget):
        rows.append(csr_array(cost[who, way][None]))
        most.append(np.array([limits.budget]))
    for offer in np.flatnonzero(np.isfinite(limits.each)):
        rows.append(csr_array((limits.offer[way] == offer).astype(np.float64)[None]))
        most.append(limits.each[[offer]])
    constraints = [
        LinearConstraint(part, -np.inf, limit) for part, limit in zip(rows, most, strict=True)
    ]
    found = milp(
        -gain[who, way], constraints=constraints, bounds=Bounds(0, 1),
        integrality=np.ones(who.size, dtype=np.int64),
        options={"time_limit": _SECONDS, "mip_rel_gap": 1e-6},
    )  # fmt: skip
    if found.x is None or -found.fun <= total:
        return None
    who, way = who[found.x > 0.5], way[found.x > 0.5]
    return None if cost[who, way].sum() > limits.budget * (1 + 1e-9) else (who, way)


def gain_bound(gain: Floats, cost: Floats, *, budget: float, capacity: float) -> float:
    """Return the relaxed programme's bound on the total gain of customers, (n,) each."""
    limits = Limits(budget, capacity, np.zeros(1, dtype=np.int64), np.array([np.inf]))
    return shadow_prices(gain[:, None], cost[:, None], limits, np.arange(gain.size)).bound
