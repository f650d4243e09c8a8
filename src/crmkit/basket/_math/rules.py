"""Rules from itemsets: every split into antecedent and consequent that is confident enough."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from math import comb
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from crmkit._typing import Bools, Floats, Ints
    from crmkit.basket._math.itemset_index import ItemsetIndex


CELLS = 1 << 20  # splits looked at together


@dataclass(frozen=True, slots=True)
class Rules:
    """Rules as numbers of itemsets, each array of shape (m,).

    Attributes
    ----------
    antecedent, consequent, union : int64 arrays
        Itemset numbers.
    general : float64 array
        The highest confidence among all more general rules with the same consequent. More general
        is any rule whose antecedent is a proper part, the empty one included, as in the
        improvement of Bayardo, Agrawal and Gunopulos (2000).
    n_tested : int
        Rules that the limits allow, whatever their confidence.
    """

    antecedent: Ints
    consequent: Ints
    union: Ints
    general: Floats
    n_tested: int


class MissingParts(Exception):  # noqa: N818 - caught by the caller, who words the error
    """A part of an itemset is not among the itemsets; `args[0]` is the itemset's number."""


def split_itemsets(
    levels: tuple[Ints, ...],
    counts: Ints,
    index: ItemsetIndex,
    n_baskets: int,
    *,
    min_confidence: float,
    max_antecedent: int | None,
    max_consequent: int | None,
    in_antecedent: Bools,
    in_consequent: Bools,
) -> Rules:
    """Split every itemset into antecedent and consequent in all allowed ways.

    One size of the consequent after the other; within a size from short itemsets to long ones, so
    that the best of the more general rules is known from the itemsets without one item.

    Parameters
    ----------
    levels : tuple of int64 arrays
        Item codes, shape (n_k, k) per length.
    counts : int64 array
        Counts of all itemsets, by number.
    index : ItemsetIndex
    n_baskets : int
    min_confidence : float
    max_antecedent, max_consequent : int, optional
        Longest sides.
    in_antecedent, in_consequent : bool arrays, shape (n_items,)
        Items allowed on each side.

    Returns
    -------
    Rules

    Raises
    ------
    MissingParts
        If a part of an itemset is not itself among the itemsets.
    """
    longest = len(levels)
    most = min(max_consequent or longest, max(longest - 1, 0))
    if max_antecedent is not None:
        longest = min(longest, max_antecedent + most)
    parts = _without_one(levels[:longest], index)
    count = [counts[a:b] for a, b in zip(index.first[:-1], index.first[1:], strict=True)]
    left = [np.logical_and.reduce(in_antecedent[rows], axis=1) for rows in levels]
    right = [np.logical_and.reduce(in_consequent[rows], axis=1) for rows in levels]
    n_tested = sum(
        _n_allowed(rows, max_antecedent, most, in_antecedent, in_consequent) for rows in levels
    )
    none = np.zeros(0, dtype=np.int64)
    found: list[tuple[Ints, Ints, Ints, Floats]] = [(none, none, none, np.zeros(0))]
    for size in range(1, most + 1):
        general = (count[size - 1] / n_baskets)[:, None]  # rules without any condition
        confident_up_to = 0
        for length in range(size + 1, longest + 1):
            over = length - size  # items in the antecedent
            if max_antecedent is not None and over > max_antecedent:
                break
            splits = _splits(length, size)
            n = len(levels[length - 1])
            highest = np.empty((n, len(splits.right)))
            step = max(CELLS // len(splits.right), 1)
            for start in range(0, n, step):
                rows = np.arange(start, min(start + step, n))
                antecedent = _remove(parts, rows[:, None], length, splits.right)
                both, alone = count[length - 1][rows, None], count[over - 1][antecedent]
                best = _best_of_parts(general, parts[length - 1][rows], splits)
                np.maximum(best, both / alone, out=highest[rows[0] : rows[-1] + 1])
                row, split = np.nonzero(both >= min_confidence * alone * (1 - 1e-12))
                if not len(row):
                    continue
                confident_up_to = length
                lhs = antecedent[row, split]
                rhs = _remove(parts, rows[row], length, splits.left[split])
                ok = left[over - 1][lhs] & right[size - 1][rhs]
                found.append(
                    (
                        index.first[over - 1] + lhs[ok],
                        index.first[size - 1] + rhs[ok],
                        index.first[length - 1] + rows[row[ok]],
                        best[row[ok], split[ok]],
                    )
                )
            general = highest
        if max_antecedent is None:
            # moving an item from the antecedent to the consequent can only lower the confidence
            # (Agrawal and Srikant 1994)
            longest = confident_up_to
    antecedent, consequent, union, best = (np.concatenate(c) for c in zip(*found, strict=True))
    return Rules(antecedent, consequent, union, best, n_tested)


@dataclass(frozen=True, slots=True)
class _Splits:
    """All ways to take `size` of `length` columns as the consequent.

    ``right`` and ``left`` are the columns of the two sides, shapes (c, size) and
    (c, length - size); ``part`` is what the split becomes when that column of ``left`` is left
    out: its number among the splits of one column fewer, shape of ``left``.
    """

    right: Ints
    left: Ints
    part: Ints


def _splits(length: int, size: int) -> _Splits:
    """List the splits in lexicographic order of the consequent."""
    right = np.array(list(combinations(range(length), size)))
    mask = (1 << right).sum(axis=1)
    columns = np.arange(length)
    left = np.nonzero((mask[:, None] >> columns & 1) == 0)[1].reshape(-1, length - size)
    number = np.zeros(1 << (length - 1), dtype=np.int64)
    shorter = np.array(list(combinations(range(length - 1), size)))
    number[(1 << shorter).sum(axis=1)] = np.arange(len(shorter))
    below = mask[:, None] & ((1 << left) - 1)
    part = number[below | (mask[:, None] >> (left + 1) << left)]
    return _Splits(right, left, part)


def _without_one(levels: tuple[Ints, ...], index: ItemsetIndex) -> list[Ints]:
    """Return, per level, the place in the level below of each itemset without one of its items.

    Shapes (n_k, k); a single item has no part.
    """
    parts = [np.zeros((len(rows), 1), dtype=np.int64) for rows in levels[:1]]
    for length, rows in enumerate(levels[1:], start=2):
        keys = index.item_key[rows]
        wanted = keys.sum(axis=1, dtype=np.uint64)[:, None] - keys
        found = index.find(wanted.ravel()).reshape(rows.shape)
        missing = (found < 0).any(axis=1)
        if missing.any():
            raise MissingParts(int(index.first[length - 1] + np.argmax(missing)))
        parts.append(found - index.first[length - 2])
    return parts


def _remove(parts: list[Ints], rows: Ints, length: int, columns: Ints) -> Ints:
    """Return the places of itemsets of one length without some columns, ascending along axis 1."""
    for number in range(columns.shape[1]):
        rows = parts[length - number - 1][rows, columns[:, number] - number]
    return rows


def _best_of_parts(general: Floats, parts: Ints, splits: _Splits) -> Floats:
    """Return the highest confidence of the rules with one item less in the antecedent, or fewer."""
    best = general[parts[:, splits.left[:, 0]], splits.part[:, 0]]
    for column in range(1, splits.left.shape[1]):
        other = general[parts[:, splits.left[:, column]], splits.part[:, column]]
        np.maximum(best, other, out=best)
    return best


def _n_allowed(
    rows: Ints,
    max_antecedent: int | None,
    max_consequent: int,
    in_antecedent: Bools,
    in_consequent: Bools,
) -> int:
    """Count the splits of itemsets of one length, shape (n, k), that the limits allow."""
    length = rows.shape[1]
    smallest = max(1, length - (max_antecedent or length))
    left, right = in_antecedent[rows], in_consequent[rows]
    possible = (left | right).all(axis=1)
    bound = (right & ~left)[possible].sum(axis=1)  # only the consequent may hold them
    free = (right & left)[possible].sum(axis=1)
    kinds = np.bincount(bound * (length + 1) + free)
    total = 0
    for kind in np.flatnonzero(kinds).tolist():
        must, may = divmod(kind, length + 1)
        sizes = range(max(smallest, must), min(length - 1, max_consequent) + 1)
        total += int(kinds[kind]) * sum(comb(may, size - must) for size in sizes)
    return total
