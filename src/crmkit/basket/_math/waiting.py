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
    begins = first_lines(lines, np.ones(len(lines.item), dtype=bool), None)
    span = last_day - lines.first_day + 2
    followed = last_day - lines.first_day - lines.day[begins]
    customers = np.bincount(lines.item[begins], minlength=lines.n_items)
    begin = np.cumsum(customers) - customers
    censored = np.sort(lines.item[begins] * span + followed)
    parts = []
    for more in pairs_in_order(lines, begins, min_count=min_count, min_gap=1, max_gap=None):
        first, second = np.divmod(more.key, lines.n_items)
        wait = lines.day[more.line] - lines.day[more.start]
        follow = last_day - lines.first_day - lines.day[more.start]
        events = np.sort(more.own * span + wait)
        ends = np.sort(more.own * span + follow)
        at, d = np.unique(events, return_counts=True)
        pair, day = np.divmod(at, span)
        event_begin = np.cumsum(more.count) - more.count
        # at risk: all, less those who bought before and those followed for fewer days in vain
        item = first[pair]
        before = np.searchsorted(events, at) - event_begin[pair]
        short = np.searchsorted(censored, item * span + day) - begin[item]
        short -= np.searchsorted(ends, at) - event_begin[pair]
        n = customers[item] - before - short
        n_pairs = len(first)
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
        parts.append((first, second, customers[first], more.count, survival, variance, median))
    if not parts:
        none = np.zeros(0, dtype=np.int64)
        return Waits(*(none,) * 4, *(np.zeros(0),) * 3)
    return Waits(*(np.concatenate(part) for part in zip(*parts, strict=True)))


def _running(group: Ints, value: Floats) -> Floats:
    """Return running sums that start anew in each run of equal groups."""
    total = np.cumsum(value)
    new = starts(group)
    base = (total - value)[new]
    running: Floats = total - base[np.cumsum(new) - 1]
    return running
