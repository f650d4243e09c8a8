"""What a search has found, kept within limits by raising the threshold."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import chain, combinations
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from crmkit._typing import Bools, Floats, Ints

    Codes = NDArray[np.signedinteger]
    Columns = NDArray[np.unsignedinteger]

MANY = 1 << 62


@dataclass(frozen=True, slots=True)
class Itemsets:
    """Itemsets by length.

    Attributes
    ----------
    items : tuple of int64 arrays
        One array of shape (n_k, k) per length k = 1, 2, ...; each row ascends.
    counts : tuple of int64 arrays
        Baskets that contain the itemset, shape (n_k,) per length.
    customers : tuple of int64 arrays
        Customers of these; the same where baskets have no customers or one each.
    n_baskets : int
    min_count : int
        The count from which on the itemsets are complete.
    capped : bool
        Whether the threshold had to rise above the one asked for, to keep to the cap.
    """

    items: tuple[Ints, ...]
    counts: tuple[Ints, ...]
    customers: tuple[Ints, ...]
    n_baskets: int
    min_count: int
    capped: bool


@dataclass(frozen=True, slots=True)
class Found:
    """Families of itemsets that are in the same baskets.

    Attributes
    ----------
    items : int array, shape (n, b)
        Ranks of the items that every itemset of a family holds.
    free : int array, shape (n, f)
        Ranks of the items that each of them may hold or not, -1 where there is none.
    numbers : int64 array, shape (2, n) or (1, n)
        Baskets that hold the items; all of these baskets hold the free ones as well. Then the
        customers of these baskets, where they are others.
    size : float array, shape (n,)
        Itemsets of a family that count against the limits.
    """

    items: Codes
    free: Codes
    numbers: Ints
    size: Floats

    @property
    def count(self) -> Ints:
        """The baskets that hold the items, shape (n,)."""
        return self.numbers[0]

    def take(self, keep: Bools) -> Found:
        """Return some of the families."""
        return Found(self.items[keep], self.free[keep], self.numbers[:, keep], self.size[keep])


class Collector:
    """Keep what is found; raise the threshold where `limit` or `cap` would be passed."""

    def __init__(
        self,
        min_count: int,
        limit: int | None,
        cap: int | None,
        min_length: int,
        max_length: int | None = None,
    ) -> None:
        self.min_count = min_count
        self.limit = limit
        self.cap = cap
        self.room = 2 * min(limit or cap or 0, cap or limit or 0) + 1000
        self.min_length = min_length
        self.max_length = MANY if max_length is None else max_length
        self.parts: list[Found] = []
        self.held = 0
        self.capped = False

    def add(
        self,
        items: Codes,
        count: Ints,
        free: Codes | None = None,
        customers: Ints | None = None,
    ) -> None:
        """Keep families as in `Found`; by default no item is free, each basket one's own."""
        numbers = count[None] if customers is None else np.stack((count, customers))
        free = items[:, :0] if free is None else free
        size = np.array([self._size(items.shape[1], f) for f in range(free.shape[1] + 1)])
        part = Found(items, free, numbers, size[(free >= 0).sum(axis=1)])
        self.parts.append(part)
        self.held += int(part.size.sum())
        if self.held > self.room and (self.limit or self.cap):
            self.tighten()

    def _size(self, n_items: int, n_free: int) -> float:
        """Return how many itemsets of a family count against the limits."""
        shortest = max(self.min_length - n_items, 0)
        longest = min(self.max_length - n_items, n_free)
        return float(min(sum(math.comb(n_free, k) for k in range(shortest, longest + 1)), MANY))

    def tighten(self) -> None:
        """Raise the threshold: ties with the `limit`-th best itemset stay, at most `cap` stay."""
        if self.limit and self.held > self.limit:
            self._raise_to(self._nth_best(self.limit))
        if self.cap and self.held > self.cap:
            self.capped = True
            self._raise_to(self._nth_best(self.cap + 1) + 1)
        if self.limit and not self.capped:
            self.room = 2 * self.held + 1000  # many ties: look again when there are twice as many
            self.room = min(self.room, 2 * self.cap) if self.cap else self.room

    def _nth_best(self, n: int) -> int:
        """Return the n-th highest count."""
        count = np.concatenate([part.count for part in self.parts])
        size = np.concatenate([part.size for part in self.parts])
        at_least = np.cumsum(np.bincount(count, size)[::-1])
        return len(at_least) - 1 - int(np.searchsorted(at_least, n))

    def _raise_to(self, threshold: int) -> None:
        """Forget what is below a new threshold."""
        if threshold <= self.min_count:
            return
        self.min_count = threshold
        self.parts = [
            part.take(keep) for part in self.parts if (keep := part.count >= threshold).any()
        ]
        self.held = int(sum(part.size.sum() for part in self.parts))

    @property
    def levels(self) -> list[list[tuple[Codes, Ints]]]:
        """Return items and counts by length, where no item is free."""
        longest = max((part.items.shape[1] for part in self.parts), default=0)
        levels: list[list[tuple[Codes, Ints]]] = [[] for _ in range(longest)]
        for part in self.parts:
            levels[part.items.shape[1] - 1].append((part.items, part.count))
        return levels

    def itemsets(self, code: Ints, n_baskets: int) -> Itemsets:
        """Write out every itemset, with the codes of the ranks."""
        in_order = np.sort(code)
        place = np.argsort(np.argsort(code)).astype(np.min_scalar_type(len(code)))
        levels: dict[int, list[tuple[Columns, Ints]]] = {}
        for columns, numbers in _members(self.parts, place, self.max_length):
            levels.setdefault(len(columns), []).append((columns, numbers))
        items, counts, customers = [], [], []
        for length in sorted(levels):
            columns, numbers = (
                np.concatenate(p, axis=1) for p in zip(*levels[length], strict=True)
            )
            _sort_columns(columns)
            items.append(in_order[columns].T)
            counts.append(numbers[0])
            customers.append(numbers[-1])
        return Itemsets(
            tuple(items), tuple(counts), tuple(customers), n_baskets, self.min_count, self.capped
        )


def _members(parts: list[Found], place: Columns, longest: int) -> Iterator[tuple[Columns, Ints]]:
    """Yield itemsets of families as columns, shape (k, n), and their numbers, (2 or 1, n)."""
    for n_free, group in _by_free(parts).items():
        families = [(place[part.items.T], place[part.free.T], part.numbers) for part in group]
        for k in range(min(n_free, longest - 1) + 1):
            subsets = chain.from_iterable(combinations(range(n_free), k))
            chosen = np.fromiter(subsets, dtype=np.intp).reshape(math.comb(n_free, k), k)
            for items, free, numbers in families:
                length = len(items) + k
                if length > longest:
                    continue
                columns = np.empty((length, len(chosen), numbers.shape[1]), dtype=place.dtype)
                columns[: len(items)] = items[:, None]
                columns[len(items) :] = free[chosen.T]
                yield columns.reshape(length, -1), np.tile(numbers, len(chosen))


def _by_free(parts: list[Found]) -> dict[int, list[Found]]:
    """Put families with as many items and as many free items together, by the latter number."""
    groups: dict[int, list[Found]] = {}
    for n_items in {part.items.shape[1] for part in parts}:
        same = [part for part in parts if part.items.shape[1] == n_items]
        width = max(part.free.shape[1] for part in same)
        items = np.concatenate([part.items for part in same])
        free = np.full((len(items), width), -1, dtype=items.dtype)
        begin = 0
        for part in same:
            free[begin : begin + len(part.free), : part.free.shape[1]] = part.free
            begin += len(part.free)
        free.sort(axis=1)  # what there is comes last
        together = Found(
            items,
            free,
            np.concatenate([part.numbers for part in same], axis=1),
            np.concatenate([part.size for part in same]),
        )
        n_free = (together.free >= 0).sum(axis=1)
        for n in np.unique(n_free).tolist():
            some = together.take(n_free == n)
            groups.setdefault(n, []).append(replace(some, free=some.free[:, width - n :]))
    return groups


def _sort_columns(columns: Columns) -> None:
    """Sort each set of a (k, n) array along its k items, in place.

    Neighbours are put in order k times, which for many short sets is faster than sorting each.
    """
    for turn in range(len(columns)):
        second = columns[turn % 2 + 1 :: 2]
        first = columns[turn % 2 : len(columns) - 1 : 2]
        low = np.minimum(first, second)
        np.maximum(first, second, out=second)
        first[:] = low
