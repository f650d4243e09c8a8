"""How long customers were watched, how it ended, and how many each row stands for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from crmkit._arrays import starts

if TYPE_CHECKING:
    from crmkit._typing import Bools, Floats


__all__ = ["Tenures"]


@dataclass(frozen=True)
class Tenures:
    """Tenures of customers, shape (n,), n at least 1.

    A customer is at risk at t where ``entry`` < t <= ``time``, or t <= ``time`` if watched from
    the beginning: entry 0, as all are where ``entry`` is None. Without ``weight`` each row stands
    for one customer.
    """

    time: Floats
    left: Bools
    entry: Floats | None = None
    weight: Floats | None = None

    def at(self, rows: Any) -> Tenures:
        """Return some of them."""
        return replace(self.watched(rows), left=self.left[rows])

    def watched(self, rows: Any) -> Tenures:
        """Return when some of them were watched, and not how it ended."""
        entry = None if self.entry is None else self.entry[rows]
        weight = None if self.weight is None else self.weight[rows]
        return Tenures(self.time[rows], self.left[:0], entry, weight)

    @cached_property
    def counts(self) -> bool:
        """Whether weights are whole numbers, so that they count customers."""
        return self.weight is None or bool((self.weight == np.rint(self.weight)).all())

    @cached_property
    def size(self) -> float:
        """How many customers the rows stand for."""
        return self.time.size if self.weight is None else float(self.weight.sum())

    def totals(self) -> tuple[Floats, Any, Any]:
        """Return distinct times, how many leave observation at each, and how many by an event.

        Whole numbers on a short scale, as days and months are, are counted without sorting.
        """
        time, left, weight = self.time, self.left, self.weight
        if time.max() < max(4 * time.size, 1000):
            whole = time.astype(np.int64)
            if np.array_equal(whole, time):
                number = np.bincount(whole)
                used = np.flatnonzero(number)
                leaving = number if weight is None else np.bincount(whole, weight)
                of_event = None if weight is None else weight[left]
                events = np.bincount(whole[left], of_event, minlength=number.size)
                return used.astype(np.float64), leaving[used], events[used]
        order = np.argsort(time)
        ordered = time[order]
        point = np.flatnonzero(starts(ordered))
        if weight is None:
            leaving = np.diff(np.r_[point, ordered.size])
            events = np.add.reduceat(left[order].astype(np.int64), point)
        else:
            leaving = np.add.reduceat(weight[order], point)
            events = np.add.reduceat((weight * left)[order], point)
        return ordered[point], leaving, events

    def waiting(self, time: Floats) -> Any:
        """Return how many come under observation only at or after each time, shape (m,)."""
        if self.entry is None:
            return np.zeros(time.size, dtype=np.int64)
        late = self.entry > 0
        return _at_or_after(self.entry[late], None if self.weight is None else self.weight[late])(
            time
        )

    def at_risk(self, time: Floats) -> Any:
        """Return how many are at risk at each time, shape (m,)."""
        return _at_or_after(self.time, self.weight)(time) - self.waiting(time)


def _at_or_after(value: Floats, weight: Floats | None) -> Any:
    """Return what counts, for each of some times, the values at or after it."""
    if weight is None:
        ordered = np.sort(value)
        return lambda time: ordered.size - np.searchsorted(ordered, time, side="left")
    order = np.argsort(value, kind="stable")
    ordered, rest = value[order], np.r_[np.cumsum(weight[order][::-1])[::-1], 0.0]
    return lambda time: rest[np.searchsorted(ordered, time, side="left")]
