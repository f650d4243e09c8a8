"""What a customer's purchases tell about buying the same item again.

Beside how often and how recently the item was bought, both relative to all shopping days of the
customer [1]_ [2]_, the rhythm of the item over all customers counts: milk comes again, a lamp not.

References
----------
.. [1] Hu, H., He, X., Gao, J. and Zhang, Z.-L. (2020). Modeling personalized item frequency
   information for next-basket recommendation. *SIGIR 43*, 1071-1080.
.. [2] Li, M., Jullien, S., Ariannezhad, M. and de Rijke, M. (2023). A next basket recommendation
   reality check. *ACM Transactions on Information Systems* 41(4), 116.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from crmkit._arrays import distinct, starts

if TYPE_CHECKING:
    from crmkit._typing import Floats, Ints

FEW = 10  # purchases of the average item that each item's rhythm begins with


@dataclass(frozen=True, slots=True)
class Habits:
    """Every item that a customer bought, with the days on which that was.

    ``customer``, ``item``, ``last`` (day), ``count`` (of days), ``recent`` (count, each day
    weighing 2^(-age / horizon)), ``since`` (shopping days of the customer after the last one), of
    shape (cells,), by customer and item. ``visits`` and ``recent_visits``, shape (n_customers,),
    are the same of all shopping days. ``repeats`` and ``chances``, shape (n_items,): of the
    days on which somebody bought the item, how many lie a whole horizon back, and how many of
    these the same customer followed by another within the horizon.
    """

    customer: Ints
    item: Ints
    last: Ints
    count: Ints
    recent: Floats
    since: Ints
    visits: Ints
    recent_visits: Floats
    repeats: Ints
    chances: Ints


def find_habits(
    customer: Ints, item: Ints, day: Ints, as_of: int, horizon: int, size: tuple[int, int]
) -> Habits:
    """Count purchases by customer and item; lines are of shape (n,), `size` is (customers, items).

    A line without an item (-1) is a shopping day all the same.
    """
    n_customers, n_items = size
    first = int(day.min(initial=as_of))
    span = as_of - first + 1
    visit = distinct(customer * span + (day - first))
    who, age = visit // span, span - 1 - visit % span
    known = item >= 0
    bought = (customer[known] * n_items + item[known]) * span + (day[known] - first)
    cell, when = np.divmod(distinct(bought), span)
    new = starts(cell)
    number = np.cumsum(new) - 1
    end = np.append(new[1:], True)[: len(cell)]
    owner, what = np.divmod(cell[new], n_items)
    visits = np.bincount(who, minlength=n_customers)
    # visits are sorted: those of a customer up to a day are a difference of two places
    until = np.searchsorted(visit, owner * span + when[end], side="right")
    gap = np.full(len(cell), span + horizon)
    gap[:-1][~new[1:]] = np.diff(when)[~new[1:]]
    old = when < span - horizon
    each = what[number] if len(number) else what
    weight = np.exp2((when - span + 1) / horizon)
    recent: Floats = np.bincount(number, weights=weight, minlength=len(owner)).astype(float)
    weight = np.exp2(-age / horizon)
    recent_visits: Floats = np.bincount(who, weights=weight, minlength=n_customers).astype(float)
    return Habits(
        customer=owner,
        item=what,
        last=when[end] + first,
        count=np.bincount(number, minlength=len(owner)),
        recent=recent,
        since=np.cumsum(visits)[owner] - until,
        visits=visits,
        recent_visits=recent_visits,
        repeats=np.bincount(each[old & (gap <= horizon)], minlength=n_items),
        chances=np.bincount(each[old], minlength=n_items),
    )


def rhythm(repeats: Ints, chances: Ints) -> Floats:
    """Return the chance that an item comes again within the horizon, shape (m,), in (0, 1).

    Items seen seldom are drawn towards the average of all.
    """
    mean = (repeats.sum() + 1) / (chances.sum() + 10)
    share: Floats = (repeats + FEW * mean) / (chances + FEW)
    return share


def repeat_features(habits: Habits, as_of: int, rate: Floats, popularity: Floats) -> Floats:
    """Return what tells whether an owned item comes again, shape (cells, 8), see REPEAT."""
    owner, item = habits.customer, habits.item
    return np.column_stack(
        [
            np.log(habits.count),
            np.log(habits.visits[owner]),
            np.log(habits.recent + 0.02),
            np.log(habits.recent_visits[owner] + 0.05),
            np.log1p(as_of - habits.last),
            np.log1p(habits.since),
            np.log(rate / (1 - rate))[item],
            np.log(popularity + 1e-4)[item],
        ]
    )


def new_features(score: Floats, customer: Ints, visits: Ints, recent_visits: Floats) -> Floats:
    """Return what tells whether a new item comes, shape (offers, 3), see NEW."""
    return np.column_stack(
        [
            np.log(np.maximum(score, 1e-6)),
            np.log1p(visits[customer]),
            np.log(recent_visits[customer] + 0.05),
        ]
    )


# Names of the features, in order.
REPEAT = (
    "days with the item",
    "shopping days",
    "recent days with the item",
    "recent shopping days",
    "days since the item",
    "shopping days since the item",
    "repeat rate of the item",
    "popularity of the item",
)
NEW = ("links and popularity", "shopping days", "recent shopping days")
