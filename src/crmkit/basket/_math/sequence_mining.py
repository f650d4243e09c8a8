"""Frequent sequences by prefix projection, many prefixes at once.

A prefix is held as its projection: per customer the purchases with which it can end. It grows only
by items that can follow its last one, and, without a largest gap, only where these can follow the
prefix without its last item, too. Which purchases an item can follow is looked up in a table of
bits, one for each purchase of the first item of each frequent pair.

References
----------
.. [1] Pei, J. et al. (2004). Mining sequential patterns by pattern-growth: the PrefixSpan approach.
   *IEEE Transactions on Knowledge and Data Engineering* 16(11), 1424-1440.
.. [2] Ayres, J. et al. (2002). Sequential pattern mining using a bitmap representation. *KDD 2002*,
   429-435. Candidates from the siblings of a prefix.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from crmkit._arrays import ranges
from crmkit.basket._math.collector import Collector
from crmkit.basket._math.sequences import first_lines, pairs_in_order
from crmkit.basket._math.spans import spans

if TYPE_CHECKING:
    from collections.abc import Callable

    from crmkit._typing import Bools, Ints
    from crmkit.basket._math.sequences import Histories
    from crmkit.basket._math.steps import Steps


CELLS = 1 << 20  # ends looked at together
TABLE_CELLS = 1 << 28  # purchases of first items of pairs, up to which the table is made


@dataclass(frozen=True, slots=True)
class _Prefixes:
    """Prefixes of one length with their projections and the pairs by which they may grow.

    ``items`` has shape (n, k). ``end`` are the places in the sorted purchases at which prefix i can
    end, from ``n_ends[:i].sum()`` on, ``pair`` the numbers of the pairs from
    ``n_pairs[:i].sum()`` on; both ascend within a prefix.
    """

    items: Ints
    n_ends: Ints
    end: Ints
    n_pairs: Ints
    pair: Ints

    def cut(self) -> tuple[_Prefixes, _Prefixes]:
        """Split off as many prefixes as can grow at once, one at least."""
        work = np.cumsum(self.n_ends * self.n_pairs)
        n = max(int(np.searchsorted(work, CELLS, side="right")), 1)
        a, b = int(self.n_ends[:n].sum()), int(self.n_pairs[:n].sum())
        head = self.items[:n], self.n_ends[:n], self.end[:a], self.n_pairs[:n], self.pair[:b]
        rest = self.items[n:], self.n_ends[n:], self.end[a:], self.n_pairs[n:], self.pair[b:]
        return _Prefixes(*head), _Prefixes(*rest)


def mine_sequences(
    lines: Histories,
    steps: Steps,
    *,
    min_count: int,
    max_length: int | None,
    cap: int | None = None,
    step: Callable[[int], object] | None = None,
) -> Collector:
    """Find all sequences of items that enough customers bought in this order.

    Parameters
    ----------
    lines : Histories
    steps : Steps
        Of these, with the gaps.
    min_count : int
    max_length : int, optional
    cap : int, optional
        Sequences to hold at most; the threshold rises as far as that takes.
    step : callable, optional
        Called with the number of first items done.

    Returns
    -------
    Collector
        The sequences, complete from its ``min_count`` on.
    """
    found = Collector(min_count, None, cap, 1)
    single = np.bincount(lines.item[lines.previous < 0], minlength=lines.n_items)
    frequent = np.flatnonzero(single >= min_count)
    found.add(frequent[:, None], single[frequent])
    if max_length != 1 and len(frequent):
        begins = first_lines(lines, (single >= min_count)[lines.item], steps.max_gap)
        none = np.zeros(0, dtype=np.int64)
        grown = pairs_in_order(
            lines, begins, min_count=min_count, min_gap=steps.min_gap, max_gap=steps.max_gap
        )
        parts = [(none, none), *((more.key, more.count) for more in grown)]
        pairs, counts = (np.concatenate(part) for part in zip(*parts, strict=True))
        if max_length == 2:
            found.add(np.column_stack(np.divmod(pairs, lines.n_items)), counts)
        else:
            search = _Search(steps, pairs, max_length, found)
            for item in frequent.tolist():
                search.run(item)
                if step is not None:
                    step(1)
    found.tighten()
    return found


class _Search:
    """Grow prefixes depth first, a bounded number at once."""

    def __init__(self, steps: Steps, pairs: Ints, max_length: int | None, found: Collector) -> None:
        self.steps = steps
        self.max_length = max_length
        self.found = found
        # frequent pairs by first item, then by second
        self.first, self.second = np.divmod(pairs, steps.n_items)
        self.pair_begin = np.searchsorted(self.first, np.arange(steps.n_items + 1))
        self.table, self.offset = self._tabulate()

    def _tabulate(self) -> tuple[Bools | None, Ints]:
        """Tell for each pair which purchases of its first item the second can follow.

        The bit of pair p and purchase i is at ``offset[p] + i``.
        """
        begin = self.steps.begin[self.first]
        n = self.steps.begin[self.first + 1] - begin
        offset = np.cumsum(n) - n - begin
        if n.sum() > TABLE_CELLS:
            return None, offset
        table = np.zeros(int(n.sum()), dtype=bool)
        for pair, (at, low, size) in enumerate(
            zip((offset + begin).tolist(), begin, n, strict=True)
        ):
            places = np.arange(low, low + size)
            item = np.broadcast_to(self.second[pair], size)
            table[at : at + size] = self.steps.next(item, places)[1]
        return table, offset

    def run(self, item: int) -> None:
        """Find all frequent sequences that begin with an item."""
        end = self.steps.first_ends(item)
        pair = np.arange(self.pair_begin[item], self.pair_begin[item + 1])
        sizes = np.array([len(end)]), np.array([len(pair)])
        stack = [_Prefixes(np.array([[item]]), sizes[0], end, sizes[1], pair)] if len(pair) else []
        while stack:
            head, rest = stack.pop().cut()
            if len(rest.items):
                stack.append(rest)
            grown = self._grow(head)
            if grown is not None:
                stack.append(grown)

    def _grow(self, prefixes: _Prefixes) -> _Prefixes | None:
        """Note the frequent sequences of one item more; return those that may grow further."""
        length = prefixes.items.shape[1] + 1
        owner = np.repeat(np.arange(len(prefixes.items)), prefixes.n_pairs)
        begin = np.cumsum(prefixes.n_ends) - prefixes.n_ends
        kept, counts, n_ends, ends = [], [], [], []
        for at, to in spans(prefixes.n_ends[owner], CELLS):
            pair, here = prefixes.pair[at:to], owner[at:to]
            number, place = ranges(begin[here], prefixes.n_ends[here])
            end = prefixes.end[place]
            if self.table is None:
                inside = self.steps.next(self.second[pair][number], end)[1]
            else:
                inside = self.table[self.offset[pair][number] + end]
            number, end = number[inside], end[inside]
            count = self.steps.customers(number, end, to - at)
            frequent = count >= self.found.min_count
            kept.append(at + np.flatnonzero(frequent))
            counts.append(count[frequent])
            if length != self.max_length:
                inside = frequent[number]
                number, end = self.steps.next_ends(number[inside], end[inside], self.second[pair])
                n_ends.append(np.bincount(number, minlength=to - at)[frequent])
                ends.append(end)
        chosen = np.concatenate(kept)
        parent, pair = owner[chosen], prefixes.pair[chosen]
        items = np.column_stack((prefixes.items[parent], self.second[pair]))
        self.found.add(items, np.concatenate(counts))
        if length == self.max_length:
            return None
        return self._candidates(items, parent, np.concatenate(n_ends), np.concatenate(ends))

    def _candidates(self, items: Ints, parent: Ints, n_ends: Ints, end: Ints) -> _Prefixes | None:
        """Keep the prefixes that may grow, with the pairs by which they may."""
        last = items[:, -1]
        low = self.pair_begin[last]
        child, pair = ranges(low, self.pair_begin[last + 1] - low)
        if self.steps.max_gap is None and len(pair):
            # without its last item but one the longer sequence is a sibling, and as frequent
            sibling = parent * self.steps.n_items + last
            wanted = parent[child] * self.steps.n_items + self.second[pair]
            place = np.minimum(np.searchsorted(sibling, wanted), len(sibling) - 1)
            inside = sibling[place] == wanted
            child, pair = child[inside], pair[inside]
        n_pairs = np.bincount(child, minlength=len(items))
        grows = n_pairs > 0
        if not grows.any():
            return None
        end = end[np.repeat(grows, n_ends)]
        return _Prefixes(items[grows], n_ends[grows], end, n_pairs[grows], pair)
