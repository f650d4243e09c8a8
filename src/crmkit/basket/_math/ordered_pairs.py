"""Pairs of items in order: who bought the one after the other, who the other way round."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from crmkit._arrays import ranges, starts
from crmkit.basket._math.sequences import first_lines, pairs_in_order

if TYPE_CHECKING:
    from crmkit._typing import Bools, Floats, Ints
    from crmkit.basket._math.sequences import Followed, Histories


@dataclass(frozen=True, slots=True)
class OrderedPairs:
    """Ordered pairs of items and their customers; every array of shape (p,).

    ``count`` bought `first` and later `second`, ``count_first`` bought `first` at all,
    ``count_reverse`` bought `second` and later `first`; ``only_forth`` and ``only_back`` bought
    them in one of the two orders only. ``median_gap`` is in days.
    """

    first: Ints
    second: Ints
    count: Ints
    count_first: Ints
    count_reverse: Ints
    only_forth: Ints
    only_back: Ints
    median_gap: Floats


def ordered_pairs(
    lines: Histories, *, min_count: int, min_gap: int, max_gap: int | None, last_day: int
) -> OrderedPairs:
    """Count customers per ordered pair.

    With a largest gap only purchases whose whole window ends by `last_day` can come first.

    Parameters
    ----------
    lines : Histories
    min_count : int
        Pairs of fewer customers are left out.
    min_gap : int
        In days.
    max_gap : int, optional
    last_day : int
        Day number of the end of the log.

    Returns
    -------
    OrderedPairs
    """
    latest, begins = begin_lines(lines, max_gap, last_day)
    count_first = customers_first(lines, begins)
    parts: list[tuple[Ints, Ints, Ints, Ints, Floats]] = []
    keys, counts = [], []
    for more in pairs_in_order(
        lines, begins, min_count=min_count, min_gap=min_gap, max_gap=max_gap, every=True
    ):
        keys.append(more.every_key)
        counts.append(more.every_count)
        both, own, gap = _both_ways(lines, more, min_gap, max_gap, latest)
        first, second = np.divmod(more.key, lines.n_items)
        median = medians(own, gap, np.ones_like(own), len(first))
        parts.append((first, second, more.count, both, median))
    if not parts:
        none = np.zeros(0, dtype=np.int64)
        return OrderedPairs(*(none,) * 7, median_gap=np.zeros(0))
    first, second, count, both, median = (np.concatenate(p) for p in zip(*parts, strict=True))
    # first items come in ascending order, and so do the keys; the opposite order may be a rare one
    key, every = np.concatenate(keys), np.concatenate(counts)
    wanted = second * lines.n_items + first
    place = np.minimum(np.searchsorted(key, wanted), len(key) - 1)
    reverse = np.where(key[place] == wanted, every[place], 0)
    return OrderedPairs(
        first=first,
        second=second,
        count=count,
        count_first=count_first[first],
        count_reverse=reverse,
        only_forth=count - both,
        only_back=reverse - both,
        median_gap=median,
    )


@dataclass(frozen=True, slots=True)
class OrderSums:
    """What tells of ordered pairs, all of it sums over customers.

    ``key`` is first * n_items + second of each of p pairs, ``count`` and ``both`` their customers,
    all and those who bought both ways, shapes (p,). ``of``, ``gap`` and ``n_gaps`` are places in
    ``key``, gaps in days and how many customers waited as long, shapes (g,). ``ever`` and
    ``first`` are the customers of each item, all and those with whom a pair may begin.
    """

    key: Ints
    count: Ints
    both: Ints
    of: Ints
    gap: Ints
    n_gaps: Ints
    ever: Ints
    first: Ints


def count_in_order(
    lines: Histories, given: Ints, *, min_gap: int, max_gap: int | None, last_day: int
) -> OrderSums:
    """Count the customers of given pairs, sorted keys, and how long they waited.

    Other arguments as in `ordered_pairs`.
    """
    latest, begins = begin_lines(lines, max_gap, last_day)
    none = np.zeros(0, dtype=np.int64)
    told, n = [(none,) * 6], 0
    for more in pairs_in_order(
        lines, begins, min_count=1, min_gap=min_gap, max_gap=max_gap, given=given
    ):
        both, own, gap = _both_ways(lines, more, min_gap, max_gap, latest)
        cell, n_gaps = np.unique(own * lines.span + gap, return_counts=True)
        of, gap = np.divmod(cell, lines.span)
        told.append((more.key, more.count, both, of + n, gap, n_gaps.astype(np.int64)))
        n += len(more.key)
    key, count, both, of, gap, n_gaps = (np.concatenate(part) for part in zip(*told, strict=True))
    ever = np.bincount(lines.item[lines.previous < 0], minlength=lines.n_items)
    first = customers_first(lines, begins)
    return OrderSums(key, count, both, of, gap, n_gaps, ever, first)


def begin_lines(lines: Histories, max_gap: int | None, last_day: int) -> tuple[int, Ints]:
    """Return the last day on which a pair may begin, and the lines with which one may."""
    latest = lines.span if max_gap is None else last_day - lines.first_day - max_gap
    return latest, first_lines(lines, lines.day <= latest, max_gap)


def customers_first(lines: Histories, begins: Ints) -> Ints:
    """Return with how many customers a pair may begin with each item."""
    new = starts(lines.item[begins], lines.customer[begins])
    return np.bincount(lines.item[begins[new]], minlength=lines.n_items)


def _both_ways(
    lines: Histories, more: Followed, min_gap: int, max_gap: int | None, latest: int
) -> tuple[Ints, Ints, Ints]:
    """Return the customers of each pair who bought both ways, and each customer's pair and gap."""
    own, line = more.own[more.first], more.line[more.first]
    first, second = np.divmod(more.key, lines.n_items)
    customer = lines.customer[line]
    back = _follows(lines, second[own], first[own], customer, min_gap, max_gap, latest)
    both = np.bincount(own, weights=back, minlength=len(first)).astype(np.int64)
    return both, own, lines.day[line] - lines.day[more.start[more.first]]


def _follows(
    lines: Histories,
    first: Ints,
    second: Ints,
    customer: Ints,
    min_gap: int,
    max_gap: int | None,
    latest: int,
) -> Bools:
    """Tell whether the customer bought `second` after `first` within the gaps; shape (h,)."""
    base = (first * lines.n_customers + customer) * lines.span
    low = np.searchsorted(lines.item_key, base)
    high = np.searchsorted(lines.item_key, base + min(max(latest + 1, 0), lines.span))
    if max_gap is None:
        high = np.minimum(low + 1, high)  # what follows a later purchase follows the first one too
    row, place = ranges(low, high - low)
    day = lines.item_key[place] % lines.span
    target = (second[row] * lines.n_customers + customer[row]) * lines.span
    end = lines.span if max_gap is None else np.minimum(day + max_gap + 1, lines.span)
    begin = np.minimum(day + min_gap, lines.span)
    hit = np.searchsorted(lines.item_key, target + begin) < np.searchsorted(
        lines.item_key, target + end
    )
    found = np.zeros(len(first), dtype=bool)
    found[row[hit]] = True
    return found


def medians(group: Ints, value: Ints, number: Ints, n_groups: int) -> Floats:
    """Return the median of each group's values, of which there are so many of each."""
    order = np.lexsort((value, group))
    value, upto = value[order], np.cumsum(number[order])
    count = np.bincount(group, number, minlength=n_groups).astype(np.int64)
    begin = np.cumsum(count) - count
    low, high = (
        value[np.searchsorted(upto, begin + middle, side="right")]
        for middle in ((count - 1) // 2, count // 2)
    )
    middle: Floats = (low + high) / 2
    return middle


def sign_test(forth: Ints, back: Ints) -> Floats:
    """Return the exact one-sided p-value that at least `forth` of forth + back fall one way."""
    n = forth + back
    k = np.maximum(forth, 1)
    return np.where(forth == 0, 1.0, special.betainc(k, n - k + 1, 0.5)).astype(np.float64)
