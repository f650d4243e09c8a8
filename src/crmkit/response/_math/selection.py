"""Choose whom to contact, with what and how: the best use of budget and places, and a bound."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from crmkit.response._math.prices import Limits, best_option, shadow_prices

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

    ``contact`` and ``control`` (n,) never overlap; ``option`` (n,) is each customer's best column;
    ``rank`` (n,) counts from 1 over customers worth a contact and is 0 for the others. No choice
    among those not held out gains more than ``bound``.
    """

    contact: Bools
    control: Bools
    option: Ints
    rank: Ints
    bound: float


def select(gain: Floats, cost: Floats, *, limits: Limits, hold_out: Bools, tie: Ints) -> Selection:
    """Select customers by gain less the shadow prices of what they use.

    `gain` and `cost` have shape (n, k), one column per offer and channel, -inf where one is not
    open. Customers are taken in the order of what they gain above the prices of budget, offers and
    places (Dantzig 1957; Fisher 1981), passing over whom the rest of the budget does not pay for
    and what is full. Where that falls short of the bound, as with few and unequal costs, those whom
    the prices leave undecided are chosen exactly by branch and bound. Customers in `hold_out` (n,)
    use neither budget nor places: those worth no less than the last one taken are the control
    group. `tie` (n,) is a random order that decides between equals.
    """
    n = gain.shape[0]
    free = ~hold_out
    wanted = np.where(gain > 0, gain, -np.inf)
    by_chance = tie[free[tie]]
    prices = shadow_prices(wanted[by_chance], cost[by_chance], limits)
    priced = wanted - prices.budget * cost - prices.offers[limits.offer]
    net, option = best_option(priced)
    order = tie[np.argsort(-net[tie], kind="stable")]
    order = order[: int(np.isfinite(net).sum())]
    listed = order[free[order]]
    contact = np.zeros(n, dtype=bool)
    for taken, how in _filled(priced, cost, listed, limits):
        contact[taken], option[taken] = True, how
    at = np.arange(n)
    total = float(gain[at, option][contact].sum())
    if prices.bound - total > _GAP * prices.bound:
        better = _exact(wanted, cost, priced, listed, prices.bound - total, total, limits)
        if better is not None:
            contact, option = better[0], np.where(better[0], better[1], option)
    full = contact.sum() < listed.size
    worth = priced[at, option]
    least = worth[contact].min() if contact.any() else np.inf
    control = hold_out & np.isfinite(net) & ((net >= least) | (not full))
    rank = np.zeros(n, dtype=np.int64)
    rank[order] = at[: order.size] + 1
    return Selection(contact, control, option, rank, prices.bound)


def _filled(priced: Floats, cost: Floats, listed: Ints, limits: Limits) -> list[tuple[Ints, Ints]]:
    """Return who of a list, best first, gets what; whose best offer is full gets another one."""
    left, room, each = limits.budget * (1 + 1e-12), limits.capacity, limits.each.copy()
    priced, found = priced[listed], []
    while listed.size and room >= 1:
        priced = np.where(each[limits.offer] < 1, -np.inf, priced)
        net, option = best_option(priced)
        best_first = np.argsort(-net, kind="stable")
        best_first = best_first[np.isfinite(net[best_first])]
        offer = limits.offer[option[best_first]]
        place = np.empty(offer.size)
        for one in range(each.size):
            place[offer == one] = np.arange(1, np.count_nonzero(offer == one) + 1)
        inside = best_first[place <= each[offer]]
        own = cost[listed[inside], option[inside]]
        taken = inside[_fitting(own, left, room)]
        if taken.size:
            found.append((listed[taken], option[taken]))
            left -= float(cost[listed[taken], option[taken]].sum())
            room -= taken.size
            each -= np.bincount(limits.offer[option[taken]], minlength=each.size)
        if not (each < 1).any() or inside.size == best_first.size:
            break
        rest = np.setdiff1d(best_first, inside)
        rest = np.sort(rest)
        listed, priced = listed[rest], priced[rest]
    return found


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
) -> tuple[Bools, Ints] | None:  # fmt: skip
    """Return who is contacted and how in the best choice, if it can be found in time.

    What is further below the price of a place than bound and list are apart is in no better choice.
    """
    from scipy.optimize import Bounds, LinearConstraint, milp
    from scipy.sparse import csr_array

    net = np.sort(priced[listed].max(axis=1))
    crowded = limits.capacity < listed.size
    margin = max(float(net[-max(int(limits.capacity), 1)]), 0.0) if crowded else 0.0
    who, what = np.nonzero(priced[listed] >= margin - slack * (1 + 1e-9))
    if not 0 < who.size <= _EXACT:
        return None
    row = np.unique(who, return_inverse=True)[1]
    person, value = listed[who], gain[listed[who], what]
    ones, place = np.ones(who.size), np.arange(who.size)
    rows = [csr_array((ones, (row, place))), csr_array(ones[None])]
    most = [np.ones(int(row.max()) + 1), np.array([min(limits.capacity, who.size)])]
    if np.isfinite(limits.budget):
        rows.append(csr_array(cost[person, what][None]))
        most.append(np.array([limits.budget]))
    for offer in np.flatnonzero(np.isfinite(limits.each)):
        rows.append(csr_array((limits.offer[what] == offer).astype(np.float64)[None]))
        most.append(limits.each[[offer]])
    constraints = [
        LinearConstraint(part, -np.inf, limit) for part, limit in zip(rows, most, strict=True)
    ]
    found = milp(
        -value, constraints=constraints, integrality=np.ones(who.size, dtype=np.int64),
        bounds=Bounds(0, 1),
        options={"time_limit": _SECONDS, "mip_rel_gap": 1e-6},
    )  # fmt: skip
    if found.x is None or -found.fun <= total:
        return None
    chosen = found.x > 0.5
    if cost[person[chosen], what[chosen]].sum() > limits.budget * (1 + 1e-9):
        return None
    contact = np.zeros(len(gain), dtype=bool)
    option = np.zeros(len(gain), dtype=np.int64)
    contact[person[chosen]], option[person[chosen]] = True, what[chosen]
    return contact, option


def gain_bound(gain: Floats, cost: Floats, *, budget: float, capacity: float) -> float:
    """Return the relaxed programme's bound on the total gain of customers, (n,) each."""
    limits = Limits(budget, capacity, np.zeros(1, dtype=np.int64), np.array([np.inf]))
    return shadow_prices(gain[:, None], cost[:, None], limits).bound
