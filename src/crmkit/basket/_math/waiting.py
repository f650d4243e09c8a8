"""Days from one item to the next, with customers who have not bought yet taken into account.

References
----------
.. [1] Kaplan, E. L. and Meier, P. (1958). Nonparametric estimation from incomplete observations.
   *Journal of the American Statistical Association* 53(282), 457-481.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from crmkit._arrays import starts
from crmkit.basket._math.sequences import first_lines, pairs_in_order

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crmkit._typing import Floats, Ints
    from crmkit.basket._math.sequences import Histories


@dataclass(frozen=True, slots=True)
class Waits:
    """Waiting times per ordered pair of items; every array of shape (p,).

    ``customers`` bought `first`, ``events`` of them later `second`. ``survival`` is the estimated
    share that has not bought `second` by the horizon and ``variance`` its Greenwood sum,
    sum d / (n (n - d)); ``median`` is NaN where fewer than half are known to buy.
    """

    first: Ints
    second: Ints
    customers: Ints
    events: Ints
    survival: Floats
    variance: Floats
    median: Floats


@dataclass(frozen=True, slots=True)
class Spells:
    """How many customers of a group were seen for so many days.

    ``cell`` is group * span + days, ascending, each once; shapes (n,).
    """

    cell: Ints
    number: Ints
    span: int

    @classmethod
    def of(cls, group: Ints, days: Ints, span: int, number: Ints | None = None) -> Spells:
        """Count the spells of the same group and days, of which there are so many of each."""
        cell, row, counts = np.unique(group * span + days, return_inverse=True, return_counts=True)
        if number is not None:
            counts = np.zeros(len(cell), dtype=np.int64)
            np.add.at(counts, row, number)
        return cls(cell, counts.astype(np.int64, copy=False), span)

    def shorter(self, group: Ints, days: Ints | int) -> Ints:
        """Return how many spells of a group are of fewer days."""
        upto = np.append(0, np.cumsum(self.number))
        ends = np.searchsorted(self.cell, group * self.span + days)
        found: Ints = upto[ends] - upto[np.searchsorted(self.cell, group * self.span)]
        return found


def waiting_times(lines: Histories, *, min_count: int, horizon: int, last_day: int) -> Waits:
    """Estimate the time from the first purchase of an item to the next of another.

    A customer is followed from the first purchase of `first` to `last_day`.

    Parameters
    ----------
    lines : Histories
    min_count : int
        Pairs with fewer events are left out.
    horizon : int
        In days.
    last_day : int
        Day number of the end of the log.

    Returns
    -------
    Waits
    """
    everybody, found = spells_of_pairs(lines, min_count=min_count, last_day=last_day)
    parts = [estimate(*one, everybody, horizon=horizon) for one in found]
    if not parts:
        none = np.zeros(0, dtype=np.int64)
        return Waits(*(none,) * 4, *(np.zeros(0),) * 3)
    return Waits(*(np.concatenate(part) for part in zip(*parts, strict=True)))


def spells_of_pairs(
    lines: Histories, *, min_count: int, last_day: int, given: Ints | None = None
) -> tuple[Spells, Iterator[tuple[Ints, Ints, Spells, Spells]]]:
    """Return how long customers are followed from each item on, and some pairs at a time.

    Of pairs, of `given` keys or all of enough customers, come the first and the second item, and
    by their places the waits for the second and how long those who waited are followed.
    """
    begins = first_lines(lines, np.ones(len(lines.item), dtype=bool), None)
    end = last_day - lines.first_day
    span = end + 2

    def pairs() -> Iterator[tuple[Ints, Ints, Spells, Spells]]:
        for more in pairs_in_order(
            lines, begins, min_count=min_count, min_gap=1, max_gap=None, given=given
        ):
            came, bought = lines.day[more.start], lines.day[more.line]
            first, second = np.divmod(more.key, lines.n_items)
            waits = Spells.of(more.own, bought - came, span)
            yield first, second, waits, Spells.of(more.own, end - came, span)

    return Spells.of(lines.item[begins], end - lines.day[begins], span), pairs()


def estimate(
    first: Ints, second: Ints, waits: Spells, followed: Spells, everybody: Spells, *, horizon: int
) -> tuple[Ints, Ints, Ints, Ints, Floats, Floats, Floats]:
    """Return what `Waits` holds of pairs, from spells by place of the pair and by item."""
    d, span = waits.number, waits.span
    pair, day = np.divmod(waits.cell, span)
    n_pairs = len(first)
    customers = everybody.shorter(first, everybody.span)
    # at risk: all, less those who bought before and those followed for fewer days in vain
    short = everybody.shorter(first[pair], day) - followed.shorter(pair, day)
    n = customers[pair] - waits.shorter(pair, day) - short
    log_step = np.where(d < n, np.log1p(-d / np.maximum(n, d + 1)), -700.0)
    log_survival = _running(pair, log_step)
    in_time = day <= horizon
    last = np.full(n_pairs, -1)
    np.maximum.at(last, pair[in_time], np.flatnonzero(in_time))
    greenwood = _running(pair, np.where(d < n, d / (n * np.maximum(n - d, 1.0)), 0.0))
    survival = np.where(last >= 0, np.exp(log_survival[last]), 1.0)
    variance = np.where(last >= 0, greenwood[last], 0.0)
    half = log_survival <= np.log(0.5) + 1e-12
    median = np.full(n_pairs, np.inf)
    np.minimum.at(median, pair[half], day[half].astype(np.float64))
    median[np.isinf(median)] = np.nan
    events = np.bincount(pair, d, minlength=n_pairs).astype(np.int64)
    return first, second, customers, events, survival, variance, median


def _running(group: Ints, value: Floats) -> Floats:
    """Return running sums that start anew in each run of equal groups."""
    total = np.cumsum(value)
    new = starts(group)
    base = (total - value)[new]
    running: Floats = total - base[np.cumsum(new) - 1]
    return running
