"""Growth accounting: who was there, who came, who left and who came back, period by period."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from crmkit._arrays import starts

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from crmkit._typing import Bools, Floats, Ints


__all__ = [
    "PAID",
    "PAUSED",
    "TRIAL",
    "Moves",
    "Spells",
    "Standing",
    "growth_moves",
    "rescale",
    "seen_periods",
    "standing",
    "total",
]

# What a spell is: the customer pays, pauses, or is none yet.
PAID, PAUSED, TRIAL = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Spells:
    """Spells of customers, each over the periods `first` to `last`, both inclusive; shape (n,).

    Spells may overlap and touch; one that no period's end falls into has its last before its
    first. ``state`` is PAID, PAUSED or TRIAL, ``value`` a whole number that the spell is worth in
    every period it covers, ``reason`` the number of why it ended.
    """

    customer: Ints
    first: Ints
    last: Ints
    state: Ints
    value: Ints | None = None
    reason: Ints | None = None

    def take(self, rows: Ints) -> Spells:
        """Return some spells, in another order."""
        value, reason = (one if one is None else one[rows] for one in (self.value, self.reason))
        parts = (self.customer[rows], self.first[rows], self.last[rows], self.state[rows])
        return Spells(*parts, value, reason)


@dataclass(frozen=True, slots=True)
class Standing:
    """Stretches of periods [begin, end) in which a customer stands still; shape (m,).

    Customers are ``here`` when they pay or pause, ``paused`` when all their spells do, in a
    ``trial`` when they are not here. ``value`` is the worth of their spells.
    """

    customer: Ints
    begin: Ints
    end: Ints
    here: Bools
    paused: Bools
    trial: Bools
    value: Ints


@dataclass(frozen=True, slots=True)
class Moves:
    """Stretches in which a customer is not as `span` periods before; shape (m,).

    ``here`` is now, ``there`` was then. ``new`` are those here, not there, who came for the first
    time meanwhile. ``gain`` is the value now less the value then.
    """

    customer: Ints
    begin: Ints
    end: Ints
    here: Bools
    there: Bools
    new: Bools
    paused: Bools
    was_paused: Bools
    gain: Ints
    reason: Ints


def total(
    stretches: Standing | Moves, mask: Bools, group: Ints, shape: tuple[int, int], what: Any = None
) -> Ints:
    """Count stretches, or add up `what` they are worth, per group and period: of that `shape`."""
    n_groups, n_periods = shape
    width = n_periods + 1
    found = np.flatnonzero(mask)
    row = group[stretches.customer[found]] * width
    worth = 1 if what is None else what[found]
    steps = np.zeros(n_groups * width, dtype=np.int64)
    # Whole numbers: they add up exactly, in any order.
    np.add.at(steps, row + stretches.begin[found], worth)
    np.subtract.at(steps, row + stretches.end[found], worth)
    return np.cumsum(steps.reshape(n_groups, width), axis=1)[:, :n_periods]


def seen_periods(start: Ints, until: Ints, ends: Ints) -> tuple[Ints, Ints]:
    """Return the first and the last period at whose end each spell [start, until) is running.

    `start` and `until` have shape (n,), `ends` holds the last day of each period, ascending,
    shape (m,). A spell that no period's end falls into has its last before its first.
    """
    low, high = int(ends[0]), int(ends[-1]) + 1
    # Entry d is the first period that ends on day low + d or later: spells are many, days are few.
    period = np.searchsorted(ends, np.arange(low, high + 1), side="left")
    return period[np.clip(start, low, high) - low], period[np.clip(until, low, high) - low] - 1


def standing(spells: Spells, *, n_periods: int) -> Standing:
    """Say how each customer stands in each period.

    Only the periods in which something changes are looked at: a spell counts from where it begins
    and is taken off again after its end.
    """
    seen = (spells.last >= spells.first) & (spells.first < n_periods)
    customer, state = spells.customer[seen], spells.state[seen]
    after = np.minimum(spells.last[seen] + 1, n_periods)
    key = np.r_[customer, customer] * (n_periods + 1) + np.r_[spells.first[seen], after]
    order = np.argsort(key, kind="stable")
    key = key[order]
    point = np.flatnonzero(starts(key))
    who, at = np.divmod(key[point], n_periods + 1)
    nothing = np.zeros(who.size, dtype=np.int64)

    def running(worth: Ints) -> Ints:
        # Every customer's steps add up to nothing, so one running total serves all customers.
        return np.cumsum(_total_per_point(np.r_[worth, -worth][order], point))

    def count(kind: int) -> Ints:
        chosen = state == kind
        return running(chosen.astype(np.int64)) if chosen.any() else nothing

    paid, paused = count(PAID), count(PAUSED)
    here = paid + paused > 0
    return Standing(
        customer=who,
        begin=at,
        # Behind a customer's last point there is nothing.
        end=np.where(np.r_[starts(who), True][1:], at, np.r_[at, 0][1:]),
        here=here,
        paused=here & (paid == 0),
        trial=(count(TRIAL) > 0) & ~here,
        value=nothing if spells.value is None else running(spells.value[seen]),
    )


def growth_moves(now: Standing, spells: Spells, *, n_periods: int, span: int = 1) -> Moves:
    """Compare every period of every customer with the one `span` periods before it."""
    width = n_periods + 1
    key = now.customer * width + now.begin
    if span == 1:
        # Nothing moves but where something changes, and for one period.
        who, at, end = now.customer, now.begin, np.minimum(now.begin + 1, n_periods)
        place, then = None, np.arange(key.size) - 1
    else:
        later = now.customer * width + np.minimum(now.begin + span, n_periods)
        both = np.sort(np.r_[key, later], kind="stable")
        both = both[starts(both)]
        who, at = np.divmod(both, width)
        place, then = (np.searchsorted(keys, both, side="right") - 1 for keys in (key, later))
        end = np.where(np.r_[starts(who), True][1:], at, np.r_[at, 0][1:])
    current, past = _reader(now, who, place), _reader(now, who, then)
    here, there = current(now.here), past(now.here)
    first = np.full(int(who.max(initial=-1)) + 1, n_periods, dtype=np.int64)
    np.minimum.at(first, now.customer[now.here], now.begin[now.here])
    return Moves(
        customer=who,
        begin=at,
        end=end,
        here=here,
        there=there,
        new=here & ~there & (at < first[who] + span),
        paused=current(now.paused),
        was_paused=past(now.paused),
        gain=current(now.value) - past(now.value),
        reason=_last_reasons(spells, who, at, width),
    )


def _reader(now: Standing, who: Ints, place: Ints | None) -> Callable[[Any], Any]:
    """Return what reads, for each customer, the stretch in a place; before the first is nothing."""
    if place is None:
        return lambda values: values
    row = np.maximum(place, 0)
    known = (place >= 0) & (now.customer[row] == who)
    return lambda values: np.where(known, values[row], values.dtype.type(0))


def _total_per_point(values: Ints, point: NDArray[np.intp]) -> Ints:
    """Add up sorted `values` from each starting `point` to the next."""
    return np.add.reduceat(values, point) if point.size else values[:0]


def _last_reasons(spells: Spells, who: Ints, at: Ints, width: int) -> Ints:
    """Return the reason of the last spell of each customer that had ended by a period; -1 if none.

    Spells come in the order in which they end.
    """
    rows = np.flatnonzero(spells.state != TRIAL)
    if spells.reason is None or not rows.size:
        return np.full(who.size, -1, dtype=np.int64)
    after = np.clip(spells.last[rows] + 1, 0, width - 1)
    key = spells.customer[rows] * width + after
    order = np.argsort(key, kind="stable")
    place = np.searchsorted(key[order], who * width + at, side="right") - 1
    row = rows[order][np.maximum(place, 0)]
    return np.where((place >= 0) & (spells.customer[row] == who), spells.reason[row], -1)


def rescale(rate: Floats, factor: Floats | float) -> Floats:
    """Return the share that is left after `factor` periods when `rate` is left after one.

    Shares compound: ``rate ** factor``. Undefined, and NaN, below zero.
    """
    safe = np.where(rate >= 0, rate, np.nan)
    return np.asarray(safe**factor, dtype=np.float64)
