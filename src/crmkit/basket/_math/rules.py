"""Rules from itemsets: every split into antecedent and consequent that is confident enough."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from math import comb
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

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
    parts = without_one(levels[:longest], index)
    tables = [
        _Level(
            first=int(index.first[number]),
            count=counts[index.first[number] : index.first[number + 1]],
            parts=parts[number],
            in_left=np.logical_and.reduce(in_antecedent[levels[number]], axis=1),
            in_right=np.logical_and.reduce(in_consequent[levels[number]], axis=1),
        )
        for number in range(longest)
    ]
    found = [_nothing()]
    for size in range(1, most + 1):
        general = (tables[size - 1].count / n_baskets)[:, None]  # rules without any condition
        longest_confident = 0
        for length in range(size + 1, longest + 1):
            if max_antecedent is not None and length - size > max_antecedent:
                break
            splits = _splits(length, size)
            highest = np.empty((len(tables[length - 1].count), len(splits.right)))
            for rows in _pieces(*highest.shape):
                block = _split_rows(tables[:length], rows, splits, general, min_confidence)
                highest[rows] = block.highest
                found.append(block.rules)
                if block.any_confident:
                    longest_confident = length
            general = highest
        if max_antecedent is None:
            # moving an item from the antecedent to the consequent can only lower the confidence
            # (Agrawal and Srikant 1994)
            longest = longest_confident
    columns = zip(*found, strict=True)
    antecedent, consequent, union, best = (np.concatenate(column) for column in columns)
    n_tested = sum(
        _n_allowed(rows, max_antecedent, most, in_antecedent, in_consequent) for rows in levels
    )
    return Rules(antecedent, consequent, union, best, n_tested)


@dataclass(frozen=True, slots=True)
class _Level:
    """The n itemsets of one length k, numbered from ``first``.

    ``count`` (n,) their baskets; ``parts`` (n, k) the place in the level below of each without
    one item; ``in_left`` and ``in_right`` (n,) whether all items are allowed on that side.
    """

    first: int
    count: Ints
    parts: Ints
    in_left: Bools
    in_right: Bools


# Numbers of antecedent, consequent and union, and the best confidence of more general rules.
_Found = tuple["Ints", "Ints", "Ints", "Floats"]


@dataclass(frozen=True, slots=True)
class _Block:
    """What splitting some itemsets found.

    ``highest`` has, per itemset and split, the best confidence of the rule and of all more
    general ones; ``any_confident`` tells whether any rule is confident, allowed or not.
    """

    rules: _Found
    highest: Floats
    any_confident: bool


def _nothing() -> _Found:
    """Return no rules."""
    none = np.zeros(0, dtype=np.int64)
    return none, none, none, np.zeros(0)


def _pieces(n: int, width: int) -> Iterator[Ints]:
    """Cut n rows of that width into runs whose cells fit the cache."""
    step = max(CELLS // width, 1)
    for start in range(0, n, step):
        yield np.arange(start, min(start + step, n))


def _split_rows(
    levels: list[_Level], rows: Ints, splits: _Splits, general: Floats, min_confidence: float
) -> _Block:
    """Split the itemsets at `rows` of the last level in all the ways of `splits`."""
    size = splits.right.shape[1]
    whole, left, right = levels[-1], levels[len(levels) - size - 1], levels[size - 1]
    antecedent = _remove(levels, rows[:, None], splits.right)
    both, alone = whole.count[rows, None], left.count[antecedent]
    best = _best_of_parts(general, whole.parts[rows], splits)
    row, split = np.nonzero(both >= min_confidence * alone * (1 - 1e-12))
    in_left = antecedent[row, split]
    in_right = _remove(levels, rows[row], splits.left[split])
    allowed = left.in_left[in_left] & right.in_right[in_right]
    rules = (
        left.first + in_left[allowed],
        right.first + in_right[allowed],
        whole.first + rows[row[allowed]],
        best[row[allowed], split[allowed]],
    )
    return _Block(rules, np.maximum(best, both / alone), bool(row.size))


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
    chosen = _as_bits(right)
    others = np.nonzero((chosen[:, None] >> np.arange(length) & 1) == 0)[1]
    left = others.reshape(-1, length - size)
    number = np.zeros(1 << (length - 1), dtype=np.int64)
    shorter = _as_bits(np.array(list(combinations(range(length - 1), size))))
    number[shorter] = np.arange(len(shorter))
    # Without one column of the left, the columns above it move down by one place.
    below = chosen[:, None] & ((1 << left) - 1)
    above = chosen[:, None] >> (left + 1) << left
    return _Splits(right, left, number[below | above])


def _as_bits(columns: Ints) -> Ints:
    """Write each set of columns, shape (c, size), as a whole number with those bits."""
    return np.asarray((1 << columns).sum(axis=1))


def without_one(levels: tuple[Ints, ...], index: ItemsetIndex) -> list[Ints]:
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


def _remove(levels: list[_Level], rows: Ints, columns: Ints) -> Ints:
    """Return the places of the last level's itemsets without some columns, ascending on axis 1."""
    for number in range(columns.shape[1]):
        rows = levels[-1 - number].parts[rows, columns[:, number] - number]
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
