"""What contracts [start, until) of customers say together: renewals, and how ends are written."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from crmkit._arrays import order_by
from crmkit._periods import months_later

if TYPE_CHECKING:
    from crmkit._typing import Bools, Ints


__all__ = [
    "NEVER",
    "bridged",
    "last_days_served",
    "next_start",
    "without_contract",
]

NEVER = 2**31  # a day after all others
_SPAN = 2 * NEVER  # a customer and a day packed into one number


def next_start(customer: Ints, start: Ints, who: Ints, day: Ints) -> Ints:
    """Return the first `start` of the same customer on or after a day, `NEVER` if there is none.

    `customer` and `start` have shape (n,); `who` and `day`, and the result, (m,).
    """
    order = order_by(customer, start)
    key = customer[order] * _SPAN + start[order]
    place = np.searchsorted(key, who * _SPAN + day, side="left")
    row = order[np.minimum(place, order.size - 1)]
    known = (place < order.size) & (customer[row] == who)
    return np.where(known, start[row], NEVER)


def bridged(customer: Ints, start: Ints, until: Ints, *, grace: int, as_of: int) -> Ints:
    """Return until when contracts count, late renewals being none.

    A contract that is followed by another of the customer within `grace` days runs until that
    one begins. One that could still be renewed in time after `as_of` counts as running.
    """
    if not grace:
        return until
    following = next_start(customer, start, customer, until)
    late = following - until <= grace
    awaited = ~late & (until <= as_of) & (as_of < until + grace)
    return np.where(late, following, np.where(awaited, as_of + 1, until))


def last_days_served(customer: Ints, start: Ints, end: Ints) -> tuple[int, int, int]:
    """Count contracts whose end looks like the last day served, like the first day not, and all.

    `end` is the day as written, `NEVER` for contracts that do not end, which are not counted. It
    looks like the last day served where the customer's next contract begins on the day after it,
    or where the contract, that day included, runs for whole months; like the first day no longer
    served where the next one begins on that day, or where it runs for whole months without it.
    """
    ended = end < NEVER
    who, begin = customer[ended], start[ended]

    def fits(until: Ints) -> int:
        months = np.maximum(_month(until) - _month(begin), 0)
        whole = (months > 0) & (months_later(begin, months) == until)
        # A contract that ends on the day it begins is no next one of itself.
        follows = (until > begin) & (next_start(customer, start, who, until) == until)
        return int((whole | follows).sum())

    return fits(end[ended] + 1), fits(end[ended]), who.size


def without_contract(
    customer: Ints, start: Ints, until: Ints, who: Ints, begin: Ints, end: Ints
) -> Bools:
    """Tell which stretches [begin, end), shape (m,), have a day after a contract of the customer.

    That is a day on which none of the contracts [start, until), shape (n,), runs although one has
    ended.
    """
    found = np.zeros(who.size, dtype=bool)
    if not customer.size:
        return found
    order = order_by(customer, start)
    code, first, last = customer[order], start[order], until[order]
    # The furthest end so far of the same customer: customers are ranges that do not meet.
    reach = np.maximum.accumulate(code * _SPAN + last) - code * _SPAN
    top = np.searchsorted(code * _SPAN + first, who * _SPAN + end, side="left")
    low = np.searchsorted(code, who, side="left")
    for row in np.flatnonzero(top > low):  # most trials end before any contract
        ends, opens = reach[low[row] : top[row]], first[low[row] + 1 : top[row]]
        gap = np.r_[opens, end[row]] > np.maximum(ends, begin[row])
        found[row] = bool((gap & (ends < end[row])).any())
    return found


def _month(day: Ints) -> Ints:
    """Return the month of each day, a number since January 1970."""
    return day.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
