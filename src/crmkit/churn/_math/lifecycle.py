"""Where each customer stands in the cycle of coming, staying, fading and returning."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from crmkit.churn._math.rhythm import first_and_last, gaps_of

if TYPE_CHECKING:
    from crmkit._typing import Floats, Ints


__all__ = ["NOT_YET", "STATES", "lifecycle_states"]

STATES = ("new", "active", "reactivated", "at_risk", "lapsed")
NOT_YET = len(STATES)


def lifecycle_states(
    customer: Ints, day: Ints, *, as_of: int, at_risk: Floats, lapsed: Floats
) -> Ints:
    """Return each customer's state on day `as_of`, as a position in STATES or NOT_YET.

    `customer` and `day` are distinct pairs, sorted, of any days; later ones are not looked at.
    `at_risk` and `lapsed` hold each customer's two thresholds in days, shape (c,). Silence beyond
    them decides first. Of the others, those who came within the first threshold are new, and
    those who came back within it, after a gap beyond the second, are reactivated.
    """
    seen = day <= as_of
    customer, day = customer[seen], day[seen]
    who, first, last = first_and_last(customer, day)
    silent = as_of - last
    recent = at_risk[who]
    closer, gap = gaps_of(customer, day)
    closing_day = day[1:][customer[1:] == customer[:-1]]
    back = (gap > lapsed[closer]) & (as_of - closing_day <= at_risk[closer])
    returned = np.bincount(closer[back], minlength=at_risk.size)[who] > 0
    state = np.full(at_risk.size, NOT_YET, dtype=np.int64)
    state[who] = np.select(
        [silent > lapsed[who], silent > recent, as_of - first <= recent, returned],
        [4, 3, 0, 2],
        default=1,
    )
    return state
