"""Choose whom to contact: the best use of a budget and a capacity, and a bound on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from crmkit._typing import Bools, Floats, Ints


__all__ = ["Selection", "gain_bound", "select"]

_STEPS = 60
# Offers for which the whole-number programme is solved exactly, where the list falls short of its
# bound by more than this share.
_EXACT = 4000
_GAP = 1e-3
_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Selection:
    """Who is contacted, and with what.

    ``contact`` and ``control`` (n,) never overlap; ``offer`` (n,) is each customer's best offer;
    ``rank`` (n,) counts from 1 over customers worth a contact and is 0 for the others. No choice
    among those not held out gains more than ``bound``.
    """

    contact: Bools
    control: Bools
    offer: Ints
    rank: Ints
    bound: float


def select(
    gain: Floats, cost: Floats, *, budget: float, capacity: float, hold_out: Bools, tie: Ints
) -> Selection:
    """Select customers by gain less the shadow price of the budget times cost.

    `gain` and `cost` have shape (n, k), one column per offer, -inf where an offer is not open.
    The Lagrangian dual of the relaxed programme, max sum gain x s.t. sum cost x <= budget and
    sum x <= capacity, is minimised over the budget's price by bisection, the capacity's price
    being the gain of the last customer that fits (Dantzig 1957; Fisher 1981). Customers are taken
    in that order, passing over whom the rest of the budget does not pay for. Where that falls
    short of the bound, as with few and unequal costs, those whom the prices leave undecided are
    chosen exactly by branch and bound. Customers in `hold_out` (n,) use neither budget nor
    capacity: those worth no less than the last one taken are the control group. `tie` (n,) is a
    random order that decides between equals.
    """
    n = gain.shape[0]
    free = ~hold_out
    room = min(capacity, float(n))
    wanted = np.where(gain > 0, gain, -np.inf)
    price, bound = _price(wanted[free], cost[free], budget, room)
    net, offer = _best(wanted, cost, price)
    at = np.arange(n)
    order = tie[np.argsort(-net[tie], kind="stable")]
    worth = np.isfinite(net)
    order = order[: int(worth.sum())]
    listed = order[free[order]]
    contact = np.zeros(n, dtype=bool)
    contact[_fitting(listed, cost[at, offer], budget, room)] = True
    total = float(gain[at, offer][contact].sum())
    if bound - total > _GAP * bound:
        better = _exact(wanted, cost, net, listed, price, bound, total, budget, room)
        if better is not None:
            contact, offer = better[0], np.where(better[0], better[1], offer)
    full = contact.sum() < listed.size
    least = net[contact].min() if contact.any() else np.inf
    control = hold_out & worth & ((net >= least) | (not full))
    rank = np.zeros(n, dtype=np.int64)
    rank[order] = at[: order.size] + 1
    return Selection(contact, control, offer, rank, bound)


def _fitting(listed: Ints, cost: Floats, budget: float, room: float) -> Ints:
    """Return those of a list, best first, who fit one after another."""
    taken, left = [], budget * (1 + 1e-12)
    while listed.size and room > 0:
        listed = listed[cost[listed] <= left]
        spent = np.cumsum(cost[listed])
        fits = (spent <= left) & (np.arange(1, listed.size + 1) <= room)
        end = listed.size if fits.all() else int(np.argmin(fits))
        if end:
            taken.append(listed[:end])
            left, room = left - spent[end - 1], room - end
        listed = listed[end + 1 :]
    return np.concatenate(taken) if taken else listed[:0]


def _exact(
    gain: Floats, cost: Floats, net: Floats, listed: Ints, price: float, bound: float,
    total: float, budget: float, room: float,
) -> tuple[Bools, Ints] | None:  # fmt: skip
    """Return who is contacted and with what in the best choice, if it can be found in time.

    An offer whose net gain is further below the marginal one than bound and list are apart is in
    no better choice, and far enough above it in all of them.
    """
    from scipy.optimize import Bounds, LinearConstraint, milp
    from scipy.sparse import csr_array

    margin = max(float(net[listed[int(room) - 1]]), 0.0) if room < listed.size else 0.0
    slack = bound - total
    who, what = np.nonzero(gain[listed] - price * cost[listed] >= margin - slack)
    if not 0 < who.size <= _EXACT:
        return None
    row = np.unique(who, return_inverse=True)[1]
    person, value = listed[who], gain[listed[who], what]
    ones, place = np.ones(who.size), np.arange(who.size)
    rows = [csr_array((ones, (row, place))), csr_array(ones[None])]
    limits = [np.ones(int(row.max()) + 1), np.array([room])]
    if np.isfinite(budget):
        rows.append(csr_array(cost[person, what][None]))
        limits.append(np.array([budget]))
    constraints = [
        LinearConstraint(part, -np.inf, limit) for part, limit in zip(rows, limits, strict=True)
    ]
    found = milp(
        -value, constraints=constraints, integrality=np.ones(who.size, dtype=np.int64),
        bounds=Bounds(0, 1),
        options={"time_limit": _SECONDS, "mip_rel_gap": 1e-6},
    )  # fmt: skip
    if found.x is None or -found.fun <= total:
        return None
    chosen = found.x > 0.5
    if cost[person[chosen], what[chosen]].sum() > budget * (1 + 1e-9):
        return None
    contact = np.zeros(len(gain), dtype=bool)
    offer = np.zeros(len(gain), dtype=np.int64)
    contact[person[chosen]], offer[person[chosen]] = True, what[chosen]
    return contact, offer


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
