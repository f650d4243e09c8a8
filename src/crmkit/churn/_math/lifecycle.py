"""Where each customer stands in the cycle of coming, staying, fading and returning."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from crmkit._log import PurchaseDays
    from crmkit._typing import Floats, Ints


__all__ = ["NOT_YET", "STATES", "lifecycle_states"]

STATES = ("new", "active", "reactivated", "at_risk", "lapsed")
NOT_YET = len(STATES)


def lifecycle_states(days: PurchaseDays, *, as_of: int, at_risk: Floats, lapsed: Floats) -> Ints:
    """Return each customer's state on day `as_of`, as a position in STATES or NOT_YET.

    Purchase days after it are not looked at. `at_risk` and `lapsed` hold each customer's two
    thresholds in days, shape (c,). Silence beyond them decides first. Of the others, those who
    came within the first threshold are new, and those who came back within it, after a gap beyond
    the second, are reactivated.
    """
    days = days.until(as_of)
    who, recent = days.customer[days.first], at_risk[days.customer[days.first]]
    silent = as_of - days.day[days.last]
    back = (days.gap > lapsed[days.customer]) & (as_of - days.day <= at_risk[days.customer])
    returned = np.bincount(days.customer[back & days.repeat], minlength=at_risk.size)[who] > 0
    state = np.full(at_risk.size, NOT_YET, dtype=np.int64)
    state[who] = np.select(
        [silent > lapsed[who], silent > recent, as_of - days.day[days.first] <= recent, returned],
        [4, 3, 0, 2],
        default=1,
    )
    return state
