"""What a search has found, kept within limits by raising the threshold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    IntArray = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Itemsets:
    """Itemsets by length.

    Attributes
    ----------
    items : tuple of int64 arrays
        One array of shape (n_k, k) per length k = 1, 2, ...; each row ascends.
    counts : tuple of int64 arrays
        Baskets that contain the itemset, shape (n_k,) per length.
    n_baskets : int
    min_count : int
        The count from which on the itemsets are complete.
    capped : bool
        Whether the threshold had to rise above the one asked for, to keep to the cap.
    """

    items: tuple[IntArray, ...]
    counts: tuple[IntArray, ...]
    n_baskets: int
    min_count: int
    capped: bool


class Collector:
    """Keep what is found; raise the threshold where `limit` or `cap` would be passed."""

    def __init__(self, min_count: int, limit: int | None, cap: int | None, min_length: int) -> None:
        self.min_count = min_count
        self.limit = limit
        self.cap = cap
        self.room = 2 * min(limit or cap or 0, cap or limit or 0) + 1000
        self.min_length = min_length
        self.levels: list[list[tuple[IntArray, IntArray]]] = []
        self.held = 0
        self.capped = False

    def add(self, items: IntArray, counts: IntArray) -> None:
        """Keep itemsets of one length, shape (n, k), and their counts."""
        length = items.shape[1]
        while len(self.levels) < length:
            self.levels.append([])
        self.levels[length - 1].append((items, counts))
        if length >= self.min_length:
            self.held += len(counts)
            if self.held > self.room and (self.limit or self.cap):
                self.tighten()

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
        parts = [c for level in self.levels[self.min_length - 1 :] for _, c in level]
        counts = np.concatenate(parts)
        return int(np.partition(counts, len(counts) - n)[len(counts) - n])

    def _raise_to(self, threshold: int) -> None:
        """Forget what is below a new threshold."""
        if threshold <= self.min_count:
            return
        self.min_count = threshold
        self.levels = [
            [(items[keep], c[keep]) for items, c in level if (keep := c >= threshold).any()]
            for level in self.levels
        ]
        self.held = sum(len(c) for level in self.levels[self.min_length - 1 :] for _, c in level)
