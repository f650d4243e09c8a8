"""Purchases that follow one another within gaps, and customers with given sequences of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from crmkit._arrays import ranges, starts
from crmkit.basket._math.spans import spans

if TYPE_CHECKING:
    from collections.abc import Callable

    from crmkit._typing import Bools, Floats, Ints
    from crmkit.basket._math.sequences import Histories


CELLS = 1 << 20  # ends looked at together


class Steps:
    """Purchases by item, customer and day, and what can follow them within the gaps."""

    def __init__(self, lines: Histories, min_gap: int, max_gap: int | None) -> None:
        self.min_gap = min_gap
        self.max_gap = max_gap
        self.span = lines.span
        self.n_items = lines.n_items
        self.n_customers = lines.n_customers
        self.key = np.append(lines.item_key, np.iinfo(np.int64).max)  # and one beyond them all
        cell, self.day = np.divmod(lines.item_key, lines.span)
        self.item, self.customer = np.divmod(cell, lines.n_customers)
        self.begin = np.searchsorted(self.item, np.arange(lines.n_items + 1))

    def first_ends(self, item: int) -> Ints:
        """Return the purchases of an item with which a sequence can begin.

        Without a largest gap only the first one of each customer, because whatever follows a later
        one follows it too.
        """
        end = np.arange(self.begin[item], self.begin[item + 1])
        return end if self.max_gap is not None else end[starts(self.customer[end])]

    def next(self, item: Ints, end: Ints) -> tuple[Ints, Bools]:
        """Return where the purchases of an item begin that follow an end, and if one does."""
        base = (item * self.n_customers + self.customer[end]) * self.span
        day = self.day[end]
        low = np.searchsorted(self.key, base + np.minimum(day + self.min_gap, self.span))
        to = self.span if self.max_gap is None else np.minimum(day + self.max_gap + 1, self.span)
        return low, self.key[low] < base + to

    def next_ends(self, number: Ints, end: Ints, second: Ints) -> tuple[Ints, Ints]:
        """Return the purchases that follow the ends, all of which are followed by some.

        Without a largest gap only the first one of each customer, as in `first_ends`.
        """
        item = second[number]
        low, _ = self.next(item, end)
        if self.max_gap is None:
            return number, low
        base = (item * self.n_customers + self.customer[end]) * self.span
        to = np.minimum(self.day[end] + self.max_gap + 1, self.span)
        high = np.searchsorted(self.key, base + to)
        # windows of one customer overlap, and both their edges ascend: take each purchase once
        customer = self.customer[end]
        same = (number[1:] == number[:-1]) & (customer[1:] == customer[:-1])
        low[1:] = np.where(same, np.maximum(low[1:], high[:-1]), low[1:])
        row, place = ranges(low, np.maximum(high - low, 0))
        return number[row], place

    def customers(self, number: Ints, end: Ints, size: int) -> Ints:
        """Count the customers of each number; ends ascend within a number."""
        if self.max_gap is not None:
            number = number[starts(number, self.customer[end])]
        return np.bincount(number, minlength=size)

    def count(self, rows: Ints) -> Ints:
        """Count the customers of given sequences, shape (m, k), one by one."""
        firsts = {item: self.first_ends(item) for item in np.unique(rows[:, 0]).tolist()}
        n_ends = np.array([len(firsts[item]) for item in rows[:, 0].tolist()], dtype=np.int64)
        counts = [np.zeros(0, dtype=np.int64)]
        for at, to in spans(n_ends, CELLS):
            some = rows[at:to]
            number = np.repeat(np.arange(to - at), n_ends[at:to])
            end = np.concatenate([firsts[item] for item in some[:, 0].tolist()])
            for column in some.T[1:]:
                inside = self.next(column[number], end)[1]
                number, end = self.next_ends(number[inside], end[inside], column)
            counts.append(self.customers(number, end, to - at))
        return np.concatenate(counts)


def turned(rows: Ints) -> list[Ints]:
    """Return sequences, shape (m, k), in all orders that their steps may be read in.

    Once round from any step on, forwards and backwards: of up to three steps all orders there are.
    """
    return [
        np.roll(way, by, axis=1) for way in (rows, rows[:, ::-1]) for by in range(rows.shape[1])
    ]


def expected_by_order(rows: Ints, count: Ints, count_others: Callable[[Ints], Ints]) -> Floats:
    """Return the mean count over the orders of each sequence's steps, shape (m,); see `turned`.

    If the order means nothing, each of them is as frequent. Of two steps it is what the rules
    expect.

    Parameters
    ----------
    rows : int64 array, shape (m, k)
        Sequences.
    count : int64 array, shape (m,)
    count_others : callable
        Counts sequences that are none of these.
    """
    m, k = rows.shape
    every = np.concatenate([rows, *turned(rows)])
    code = np.zeros(len(every), dtype=np.int64)
    for column in every.T:
        code = np.unique(code * (every.max(initial=0) + 1) + column, return_inverse=True)[1]
    first = np.full(int(code.max(initial=-1)) + 1, -1, dtype=np.int64)
    first[code[::-1]] = np.arange(len(every))[::-1]
    rare = first >= m  # not among the sequences: they have to be counted
    known = np.zeros(len(first), dtype=np.int64)
    known[~rare] = count[first[~rare]]
    known[rare] = count_others(every[first[rare]])
    expected: Floats = known[code[m:]].reshape(2 * k, m).mean(axis=0)
    return expected
