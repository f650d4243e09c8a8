"""Who stands behind itemsets: the customers of the baskets that hold them.

Baskets are numbered by customer, so that those of one are neighbours wherever baskets ascend: in
the lists of an item's occurrences, and in the bits of a bitset.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from crmkit._arrays import starts
from crmkit.basket._math.incidence import by_column

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from crmkit._typing import Bools, Ints
    from crmkit.basket._math.incidence import Baskets, Indices

    Words = NDArray[np.uint64]

ALL = np.uint64(2**64 - 1)
TOP = np.uint64(2**63)


def count_customers(occurrences: Iterable[tuple[Indices, Indices]], n: int) -> Ints:
    """Count the customers of n itemsets, from the itemset and customer of each time in a basket.

    They may come in pieces, in which the customers of an itemset ascend, as from piece to piece.
    """
    customers, last = np.zeros(n, dtype=np.int64), np.full(n, -1)
    for row, owner in occurrences:
        start, place = by_column(row, n)
        who = owner[place]
        new = starts(who)
        some = np.flatnonzero(np.diff(start))
        new[start[some]] = who[start[some]] != last[some]
        last[some] = who[start[some + 1] - 1]
        customers += np.diff(np.append(0, np.cumsum(new))[start])
    return customers


@dataclass(frozen=True, slots=True)
class Runs:
    """Runs of bits of one customer, for some ways of numbering baskets, in words of bitsets.

    Attributes
    ----------
    inner : uint64 array, shape (m, n_words)
        Bits after which one of the same customer comes in their word.
    n_inner : int64 array, shape (m,)
    bottom : uint64 array, shape (m, n_words)
        Bits of a customer whose first bit is in an earlier word.
    """

    inner: Words
    n_inner: Ints
    bottom: Words

    def customers(self, words: Words, numbering: Ints) -> Ints:
        """Count the customers of bitsets, shape (n, n_words); numbering has shape (n,).

        To the set bits of a run without its last one a one in each of these is added: the carry
        reaches the last bit if any of them is set, and never goes beyond it.
        """
        inner = self.inner.take(numbering, axis=0)
        any_of = words & inner
        any_of += inner
        any_of |= words
        seen = any_of[:, :-1] >= TOP  # the last run of each word
        any_of |= inner
        count = np.bitwise_count(any_of).sum(axis=1, dtype=np.int64) - self.n_inner[numbering]
        bottom = self.bottom.take(numbering, axis=0)
        self._look_back(seen, bottom[:, 1:-1] == ALL)
        bottom &= words
        count -= np.count_nonzero(seen & (bottom[:, 1:] != 0), axis=1)
        return count

    @staticmethod
    def _look_back(seen: Bools, whole: Bools) -> None:
        """Let who was seen before words of nobody else be seen after them, too."""
        step = 1
        while whole.any():
            seen[:, step:] |= whole[:, step - 1 :] & seen[:, :-step]
            whole[:, step:] &= whole[:, :-step].copy()
            whole[:, :step] = False
            step *= 2


def runs_of(baskets: Baskets, low: int, high: int, n_words: int) -> Runs | None:
    """Return the runs among the occurrences of each item from `low` to `high` - 1."""
    if baskets.owner is None:
        return None
    edge = baskets.start[low : high + 1]
    owner, n = baskets.owner[edge[0] : edge[-1]], np.diff(edge)
    row = np.repeat(np.arange(high - low), n)
    number = np.arange(len(owner)) - np.repeat(edge[:-1] - edge[0], n)
    new = starts(row, owner)
    begin = number[np.flatnonzero(new)[np.cumsum(new) - 1]]
    here = number < 64 * n_words  # items without itemsets to grow may be in more baskets
    inner = np.append(~new[1:], False) & (number % 64 != 63) & here
    early = (begin < number // 64 * 64) & here
    masks = np.zeros((2, high - low, n_words), dtype=np.uint64)
    for mask, some in zip(masks, (inner, early), strict=True):
        set_bits(mask, row[some], number[some])
    return Runs(masks[0], np.bincount(row[inner], minlength=high - low), masks[1])


def set_bits(bits: Words, row: Indices, bit: Indices) -> None:
    """Set bits of rows of words, each of them once, so that adding is or-ing, and far faster."""
    word = row.astype(np.int64) * bits.shape[1] + (bit >> 6)
    np.add.at(bits.reshape(-1), word, np.uint64(1) << (bit & 63).astype(np.uint64))
