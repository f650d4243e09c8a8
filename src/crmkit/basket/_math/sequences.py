"""What customers buy later after what: prefix projection on arrays.

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

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    IntArray = NDArray[np.int64]

CELLS = 1 << 20


@dataclass(frozen=True, slots=True)
class Histories:
    """Distinct lines (customer, day, item), sorted in this order; arrays of shape (n,).

    Days count from ``first_day``. ``previous`` is the line of the customer's last earlier purchase
    of the same item, -1 without one. ``key`` is customer * span + day. ``item_key`` is the sorted
    (item * n_customers + customer) * span + day.
    """

    customer: IntArray
    day: IntArray
    item: IntArray
    previous: IntArray
    key: IntArray
    item_key: IntArray
    span: int
    first_day: int
    n_customers: int
    n_items: int

    def after(self, line: IntArray, min_gap: int, max_gap: int | None) -> tuple[IntArray, IntArray]:
        """Return where the lines begin and end that follow each line within the gaps."""
        base = self.customer[line] * self.span
        low = np.minimum(self.day[line] + min_gap, self.span)
        high = self.span if max_gap is None else np.minimum(self.day[line] + max_gap + 1, self.span)
        return np.searchsorted(self.key, base + low), np.searchsorted(self.key, base + high)


def histories(
    customer: IntArray, day: IntArray, item: IntArray, *, n_customers: int, n_items: int
) -> Histories:
    """Sort lines, shape (n,), and drop repeats; days count from the first."""
    first_day = int(day.min()) if len(day) else 0
    day = day - first_day
    span = int(day.max()) + 1 if len(day) else 1
    order = np.lexsort((item, day, customer))
    customer, day, item = customer[order], day[order], item[order]
    change = (customer[1:] != customer[:-1]) | (day[1:] != day[:-1]) | (item[1:] != item[:-1])
    keep = np.flatnonzero(np.append(True, change)[: len(day)])
    customer, day, item = customer[keep], day[keep], item[keep]
    by_item = np.lexsort((day, item, customer))
    same = (item[by_item[1:]] == item[by_item[:-1]]) & (
        customer[by_item[1:]] == customer[by_item[:-1]]
    )
    previous = np.full(len(item), -1, dtype=np.int64)
    previous[by_item[1:][same]] = by_item[:-1][same]
    key = customer * span + day
    item_key = np.sort((item * n_customers + customer) * span + day)
    return Histories(
        *(customer, day, item, previous, key, item_key),
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

    pattern: IntArray
    line: IntArray


def first_ends(lines: Histories, allowed: NDArray[np.bool_], max_gap: int | None) -> Ends:
    """Return the ends of the patterns of one item; `allowed` tells which lines may start one."""
    ok = allowed & (lines.previous < 0) if max_gap is None else allowed
    line = np.flatnonzero(ok)
    line = line[np.argsort(lines.item[line], kind="stable")]
    return Ends(lines.item[line], line)


def extend(
    lines: Histories, ends: Ends, min_gap: int, max_gap: int | None
) -> Iterator[tuple[IntArray, IntArray, IntArray]]:
    """Grow patterns by one item, some patterns at a time.

    Yields
    ------
    pattern, line : int64 arrays, shape (h,)
        The grown pattern is `pattern` and the item of `line`, one of its possible ends.
    start : int64 array, shape (h,)
        The end of `pattern` it grew from (the first one, with a largest gap).
    """
    low, high = lines.after(ends.line, min_gap, max_gap)
    begin_of = np.flatnonzero(np.append(True, ends.pattern[1:] != ends.pattern[:-1]))
    stops = np.append(begin_of[1:], len(ends.pattern))
    total = np.append(0, np.cumsum(high - low))
    at = 0
    while at < len(begin_of) and len(ends.pattern):
        limit = total[begin_of[at]] + CELLS
        to = max(int(np.searchsorted(total[stops], limit, side="right")), at + 1)
        rows = np.arange(begin_of[at], stops[to - 1])
        at = to
        n = high[rows] - low[rows]
        row = np.repeat(rows, n)
        line = low[row] + np.arange(len(row)) - np.repeat(np.cumsum(n) - n, n)
        if max_gap is None:
            first = lines.previous[line] < low[row]
            row, line = row[first], line[first]
        else:
            key = ends.pattern[row] * len(lines.item) + line
            _, first = np.unique(key, return_index=True)
            row, line = row[first], line[first]
        yield ends.pattern[row], line, ends.line[row]


def count_customers(
    lines: Histories, pattern: IntArray, line: IntArray
) -> tuple[IntArray, IntArray]:
    """Return distinct keys pattern * n_items + item and the customers who have them."""
    key = pattern * lines.n_items + lines.item[line]
    order = np.lexsort((lines.customer[line], key))
    key, customer = key[order], lines.customer[line][order]
    new = np.append(True, (key[1:] != key[:-1]) | (customer[1:] != customer[:-1]))[: len(key)]
    return np.unique(key[new], return_counts=True)


def mine_sequences(
    lines: Histories,
    *,
    min_count: int,
    max_length: int | None,
    min_gap: int,
    max_gap: int | None,
    cap: int,
) -> tuple[list[IntArray], list[IntArray]] | None:
    """Find all sequences of items that enough customers bought in this order.

    Returns
    -------
    sequences, counts : lists of int64 arrays
        Shapes (n_k, k) and (n_k,) for k = 1, 2, ...; None if there are more than `cap`.
    """
    sequences: list[list[IntArray]] = [[]]
    counts: list[list[IntArray]] = [[]]
    ends = first_ends(lines, np.ones(len(lines.item), dtype=bool), max_gap)
    single = np.bincount(lines.item[lines.previous < 0], minlength=lines.n_items)
    frequent = np.flatnonzero(single >= min_count)
    sequences[0].append(frequent[:, None])
    counts[0].append(single[frequent])
    keep = (single >= min_count)[ends.pattern]
    number = np.cumsum(single >= min_count) - 1
    found = len(frequent)
    stack = [(Ends(number[ends.pattern[keep]], ends.line[keep]), frequent[:, None])]
    while stack:
        ends, prefixes = stack.pop()
        length = prefixes.shape[1] + 1
        if max_length is not None and length > max_length:
            continue
        for pattern, line, _ in extend(lines, ends, min_gap, max_gap):
            key, count = count_customers(lines, pattern, line)
            key, count = key[count >= min_count], count[count >= min_count]
            if not len(key):
                continue
            found += len(key)
            if found > cap:
                return None
            grown = np.column_stack((prefixes[key // lines.n_items], key % lines.n_items))
            while len(sequences) < length:
                sequences.append([])
                counts.append([])
            sequences[length - 1].append(grown)
            counts[length - 1].append(count)
            own = pattern * lines.n_items + lines.item[line]
            place = np.minimum(np.searchsorted(key, own), len(key) - 1)
            inside = key[place] == own
            order = np.lexsort((line[inside], place[inside]))
            stack.append((Ends(place[inside][order], line[inside][order]), grown))
    return (
        [np.concatenate(part) for part in sequences if part],
        [np.concatenate(part) for part in counts if part],
    )
