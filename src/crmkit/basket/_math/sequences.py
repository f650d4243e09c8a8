"""What customers buy later after what: projections on arrays.

A pattern is held as its projections: the lines at which it can end, per customer. Growing it by one
item looks at the lines that follow these ends, for many patterns at once.

References
----------
.. [1] Pei, J. et al. (2004). Mining sequential patterns by pattern-growth: the PrefixSpan approach.
   *IEEE Transactions on Knowledge and Data Engineering* 16(11), 1424-1440.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from crmkit._arrays import distinct, ranges, starts

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


@dataclass(frozen=True, slots=True)
class Ends:
    """Where patterns can end: pattern number and line, sorted, and where the pattern began.

    Without a largest gap only the earliest end per customer is kept, because whatever follows a
    later one follows it too.
    """

    pattern: Ints
    line: Ints


def first_ends(lines: Histories, allowed: Bools, max_gap: int | None) -> Ends:
    """Return the ends of the patterns of one item; `allowed` tells which lines may start one."""
    ok = allowed & (lines.previous < 0) if max_gap is None else allowed
    line = np.flatnonzero(ok)
    line = line[np.argsort(lines.item[line], kind="stable")]
    return Ends(lines.item[line], line)


@dataclass(frozen=True, slots=True)
class Grown:
    """Patterns grown by one item, for a range of patterns.

    Attributes
    ----------
    key : int64 array, shape (g,)
        pattern * n_items + item of each grown pattern, ascending.
    count : int64 array, shape (g,)
        Customers.
    own : int64 array, shape (h,)
        The grown pattern, as a place in `key`, of each possible end; ascending.
    line, start : int64 arrays, shape (h,)
        The end, and the end of the shorter pattern it follows first. Ascending within `own`.
    first : bool array, shape (h,)
        Whether this is the customer's first end.
    every_key, every_count : int64 arrays
        As `key` and `count`, but of all grown patterns, the rare ones too, if asked for.
    """

    key: Ints
    count: Ints
    own: Ints
    line: Ints
    start: Ints
    first: Bools
    every_key: Ints
    every_count: Ints


def extend(
    lines: Histories,
    ends: Ends,
    *,
    min_count: int,
    min_gap: int,
    max_gap: int | None,
    every: bool = False,
) -> Iterator[Grown]:
    """Grow patterns by one item, some patterns at a time, and keep what is frequent."""
    low, high = lines.after(ends.line, min_gap, max_gap)
    for rows in _pieces(ends, high - low, lines.n_items):
        base = int(ends.pattern[rows[0]])
        number, line = ranges(low[rows], (high - low)[rows])
        row = rows[number]
        grown = (ends.pattern[row] - base) * lines.n_items + lines.item[line]
        ways = Candidates(row, line, grown)
        if max_gap is None:  # one end per customer: the first purchase in the window
            ways = ways.where(lines.previous[line] < low[row])
        size = (int(ends.pattern[rows[-1]]) - base + 1) * lines.n_items
        bound = np.bincount(ways.grown, minlength=size)  # ends, which are at least the customers
        least = 1 if every and max_gap is not None else min_count
        ways = ways.where((bound >= least)[ways.grown]).sorted(len(lines.item))
        if max_gap is not None:  # windows overlap: take each end once, from its earliest start
            ways = ways.where(starts(ways.grown, ways.line))
        first = starts(ways.grown, lines.customer[ways.line])
        count = np.bincount(ways.grown[first], minlength=size)
        frequent = (count >= min_count)[ways.grown]
        key = np.flatnonzero(count >= min_count)
        kept = ways.where(frequent)
        all_counts = bound if max_gap is None else count
        seen = np.flatnonzero(all_counts) if every else key
        yield Grown(
            key=key + base * lines.n_items,
            count=count[key],
            own=np.searchsorted(key, kept.grown),
            line=kept.line,
            start=ends.line[kept.row],
            first=first[frequent],
            every_key=seen + base * lines.n_items,
            every_count=all_counts[seen],
        )


@dataclass(frozen=True, slots=True)
class Candidates:
    """Ways to grow a pattern, shape (c,) each.

    ``row`` the end grown from, ``line`` the purchase that follows it, ``grown`` the code of the
    grown pattern.
    """

    row: Ints
    line: Ints
    grown: Ints

    def where(self, keep: Bools) -> Candidates:
        """Return the ways to keep."""
        return Candidates(self.row[keep], self.line[keep], self.grown[keep])

    def sorted(self, n_lines: int) -> Candidates:
        """Return the ways by grown pattern, and within one by purchase."""
        order = np.argsort(self.grown * n_lines + self.line, kind="stable")
        return Candidates(self.row[order], self.line[order], self.grown[order])


def _pieces(ends: Ends, width: Ints, n_items: int) -> Iterator[Ints]:
    """Cut the ends into runs of whole patterns with a bounded number of ways to grow."""
    begins = np.flatnonzero(starts(ends.pattern))
    stops = np.append(begins[1:], len(ends.pattern))
    ways_before = np.append(0, np.cumsum(width))
    most = max(CELLS // max(n_items, 1), 1)  # patterns at a time
    at = 0
    while at < len(begins):
        limit = ways_before[begins[at]] + CELLS
        to = int(np.searchsorted(ways_before[stops], limit, side="right"))
        to = max(min(to, at + most), at + 1)
        yield np.arange(begins[at], stops[to - 1])
        at = to
