"""What customers buy later after what: their histories, and pairs of items in order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from crmkit._arrays import distinct, ranges, starts
from crmkit.basket._math.spans import spans

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crmkit._typing import Bools, Ints


CELLS = 1 << 20


@dataclass(frozen=True, slots=True)
class Histories:
    """Distinct lines (customer, day, item), sorted in this order; arrays of shape (n,).

    Days count from ``first_day``. ``previous`` is the line of the customer's last earlier purchase
    of the same item, -1 without one. ``key`` is customer * span + day. ``item_key`` is the sorted
    (item * n_customers + customer) * span + day.
    """

    customer: Ints
    day: Ints
    item: Ints
    previous: Ints
    key: Ints
    item_key: Ints
    span: int
    first_day: int
    n_customers: int
    n_items: int

    def after(self, line: Ints, min_gap: int, max_gap: int | None) -> tuple[Ints, Ints]:
        """Return where the lines begin and end that follow each line within the gaps."""
        base = self.customer[line] * self.span
        low = np.minimum(self.day[line] + min_gap, self.span)
        high = self.span if max_gap is None else np.minimum(self.day[line] + max_gap + 1, self.span)
        return np.searchsorted(self.key, base + low), np.searchsorted(self.key, base + high)


def histories(
    customer: Ints, day: Ints, item: Ints, *, n_customers: int, n_items: int
) -> Histories:
    """Sort lines, shape (n,), and drop repeats; days count from the first."""
    first_day = int(day.min()) if len(day) else 0
    day = day - first_day
    span = int(day.max()) + 1 if len(day) else 1
    cell, item = np.divmod(distinct((customer * span + day) * n_items + item), max(n_items, 1))
    customer, day = np.divmod(cell, span)
    # lines ascend by day already
    by_item = np.argsort(customer * n_items + item, kind="stable")
    same = (item[by_item[1:]] == item[by_item[:-1]]) & (
        customer[by_item[1:]] == customer[by_item[:-1]]
    )
    previous = np.full(len(item), -1, dtype=np.int64)
    previous[by_item[1:][same]] = by_item[:-1][same]
    item_key = np.sort((item * n_customers + customer) * span + day)
    return Histories(
        *(customer, day, item, previous, cell, item_key),
        span=span,
        first_day=first_day,
        n_customers=n_customers,
        n_items=n_items,
    )


def first_lines(lines: Histories, allowed: Bools, max_gap: int | None) -> Ints:
    """Return the lines that a pair of items may begin with, by item; all must be `allowed`.

    Without a largest gap only the first of each customer, because whatever follows a later one
    follows it too.
    """
    line = np.flatnonzero(allowed & (lines.previous < 0) if max_gap is None else allowed)
    return line[np.argsort(lines.item[line], kind="stable")]


@dataclass(frozen=True, slots=True)
class Followed:
    """Pairs of items in order, for a range of first items.

    Attributes
    ----------
    key : int64 array, shape (g,)
        first * n_items + second of each pair, ascending.
    count : int64 array, shape (g,)
        Customers.
    own : int64 array, shape (h,)
        The pair, as a place in `key`, of each possible end; ascending.
    line, start : int64 arrays, shape (h,)
        The end, and the line it follows first. Ascending within `own`.
    first : bool array, shape (h,)
        Whether this is the customer's first end.
    every_key, every_count : int64 arrays
        As `key` and `count`, but of all pairs, the rare ones too, if asked for.
    """

    key: Ints
    count: Ints
    own: Ints
    line: Ints
    start: Ints
    first: Bools
    every_key: Ints
    every_count: Ints


def pairs_in_order(
    lines: Histories,
    begins: Ints,
    *,
    min_count: int,
    min_gap: int,
    max_gap: int | None,
    every: bool = False,
    given: Ints | None = None,
) -> Iterator[Followed]:
    """Find the items that follow the lines of `first_lines`, some first items at a time.

    Of `given` pairs, sorted keys as in `Followed`, no others are looked at.
    """
    low, high = lines.after(begins, min_gap, max_gap)
    for at, to in _pieces(lines.item[begins], high - low, lines.n_items):
        base, last = int(lines.item[begins[at]]), int(lines.item[begins[to - 1]])
        number, line = ranges(low[at:to], (high - low)[at:to])
        row = number + at
        pair = (lines.item[begins[row]] - base) * lines.n_items + lines.item[line]
        ways = Candidates(row, line, pair)
        if max_gap is None:  # one end per customer: the first purchase in the window
            ways = ways.where(lines.previous[line] < low[row])
        size = (last - base + 1) * lines.n_items
        bound = np.bincount(ways.pair, minlength=size)  # ends, which are at least the customers
        least = 1 if every and max_gap is not None else min_count
        may = bound >= least
        if given is not None:
            edge = np.array([0, size]) + base * lines.n_items
            some = given[slice(*np.searchsorted(given, edge).tolist())] - edge[0]
            may &= np.isin(np.arange(size), some)
        ways = ways.where(may[ways.pair]).sorted(len(lines.item))
        if max_gap is not None:  # windows overlap: take each end once, from its earliest start
            ways = ways.where(starts(ways.pair, ways.line))
        first = starts(ways.pair, lines.customer[ways.line])
        count = np.bincount(ways.pair[first], minlength=size)
        frequent = (count >= min_count)[ways.pair]
        key = np.flatnonzero(count >= min_count)
        kept = ways.where(frequent)
        all_counts = bound if max_gap is None else count
        seen = np.flatnonzero(all_counts) if every else key
        yield Followed(
            key=key + base * lines.n_items,
            count=count[key],
            own=np.searchsorted(key, kept.pair),
            line=kept.line,
            start=begins[kept.row],
            first=first[frequent],
            every_key=seen + base * lines.n_items,
            every_count=all_counts[seen],
        )


@dataclass(frozen=True, slots=True)
class Candidates:
    """Purchases in order, shape (c,) each: the place of the first, the second, and their pair."""

    row: Ints
    line: Ints
    pair: Ints

    def where(self, keep: Bools) -> Candidates:
        """Return the ways to keep."""
        return Candidates(self.row[keep], self.line[keep], self.pair[keep])

    def sorted(self, n_lines: int) -> Candidates:
        """Return the ways by pair, and within one by the second purchase."""
        order = np.argsort(self.pair * n_lines + self.line, kind="stable")
        return Candidates(self.row[order], self.line[order], self.pair[order])


def _pieces(item: Ints, width: Ints, n_items: int) -> Iterator[tuple[int, int]]:
    """Cut sorted items into runs of whole ones with a bounded number of lines that follow."""
    begin = np.flatnonzero(starts(item))
    edge = np.append(begin, len(item))
    if len(begin):
        # a pair of each first item with any other has a cell of its own
        for at, to in spans(np.add.reduceat(width, begin) + n_items, CELLS):
            yield int(edge[at]), int(edge[to])
