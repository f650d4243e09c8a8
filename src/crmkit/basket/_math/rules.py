"""Rules from itemsets: every split into antecedent and consequent that is confident enough."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from crmkit.basket._math.itemset_index import ItemsetIndex

    IntArray = NDArray[np.int64]
    FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Rules:
    """Rules as numbers of itemsets, each array of shape (m,).

    Attributes
    ----------
    antecedent, consequent, union : int64 arrays
        Itemset numbers.
    n_tested : int
        Rules that the limits allow, whatever their confidence.
    """

    antecedent: IntArray
    consequent: IntArray
    union: IntArray
    n_tested: int


class MissingParts(Exception):  # noqa: N818 - caught by the caller, who words the error
    """A part of an itemset is not among the itemsets; `args[0]` is the itemset's number."""


def split_itemsets(
    levels: tuple[IntArray, ...],
    counts: IntArray,
    index: ItemsetIndex,
    *,
    min_confidence: float,
    max_antecedent: int | None,
    max_consequent: int | None,
    in_antecedent: NDArray[np.bool_] | None = None,
    in_consequent: NDArray[np.bool_] | None = None,
) -> Rules:
    """Split every itemset into antecedent and consequent in all allowed ways.

    Moving an item from the antecedent to the consequent can only lower the confidence
    (Agrawal and Srikant 1994), so a split is tried only where all its smaller ones passed.

    Parameters
    ----------
    levels : tuple of int64 arrays
        Item codes, shape (n_k, k) per length.
    counts : int64 array
        Counts of all itemsets, by number.
    index : ItemsetIndex
    min_confidence : float
    max_antecedent, max_consequent : int, optional
        Longest sides.
    in_antecedent, in_consequent : bool arrays, shape (n_items,), optional
        Items allowed on each side.

    Returns
    -------
    Rules

    Raises
    ------
    MissingParts
        If a part of an itemset is not itself among the itemsets.
    """
    found: list[tuple[IntArray, IntArray, IntArray]] = []
    n_tested = 0
    for length in range(2, len(levels) + 1):
        rows = levels[length - 1]
        if not len(rows):
            continue
        keys = index.item_key[rows]
        whole = keys.sum(axis=1, dtype=np.uint64)
        numbers = np.arange(index.first[length - 1], index.first[length])
        passed: dict[tuple[int, ...], NDArray[np.bool_]] = {}
        longest = min(length - 1, max_consequent or length)
        if max_antecedent is not None and length - longest > max_antecedent:
            continue
        for size in range(1, longest + 1):
            current: dict[tuple[int, ...], NDArray[np.bool_]] = {}
            long_antecedent = max_antecedent is not None and length - size > max_antecedent
            for columns in combinations(range(length), size):
                allowed = _allowed(rows, columns, in_antecedent, in_consequent)
                if not long_antecedent:
                    n_tested += int(np.count_nonzero(allowed))
                smaller = [passed[part] for part in combinations(columns, size - 1) if part]
                some = np.flatnonzero(np.logical_and.reduce(smaller)) if smaller else None
                here = slice(None) if some is None else some
                key = keys[here][:, columns].sum(axis=1, dtype=np.uint64)
                antecedent = index.find(whole[here] - key)
                _check(antecedent, numbers[here])
                good = counts[numbers[here]] >= min_confidence * counts[antecedent] * (1 - 1e-12)
                mark = np.zeros(len(rows), dtype=bool)
                mark[np.arange(len(rows))[here][good]] = True
                current[columns] = mark
                take = good & allowed[here]
                if long_antecedent or not take.any():
                    continue
                consequent = index.find(key[take])
                _check(consequent, numbers[here][take])
                found.append((antecedent[take], consequent, numbers[here][take]))
            passed = current
    none = np.zeros(0, dtype=np.int64)
    return Rules(
        antecedent=np.concatenate([none, *(rule[0] for rule in found)]),
        consequent=np.concatenate([none, *(rule[1] for rule in found)]),
        union=np.concatenate([none, *(rule[2] for rule in found)]),
        n_tested=n_tested,
    )


def _allowed(
    rows: IntArray,
    columns: tuple[int, ...],
    in_antecedent: NDArray[np.bool_] | None,
    in_consequent: NDArray[np.bool_] | None,
) -> NDArray[np.bool_]:
    """Tell where each side of the split holds only allowed items; shape (n,)."""
    ok = np.ones(len(rows), dtype=bool)
    if in_consequent is not None:
        ok &= in_consequent[rows[:, columns]].all(axis=1)
    if in_antecedent is not None:
        others = [column for column in range(rows.shape[1]) if column not in columns]
        ok &= in_antecedent[rows[:, others]].all(axis=1)
    return ok


def _check(part: IntArray, numbers: IntArray) -> None:
    """Raise MissingParts for the first itemset whose part was not found."""
    missing = part < 0
    if missing.any():
        raise MissingParts(int(numbers[np.argmax(missing)]))


def best_general_confidence(
    levels: tuple[IntArray, ...],
    counts: IntArray,
    index: ItemsetIndex,
    n_baskets: int,
    rules: Rules,
) -> FloatArray:
    """Return the highest confidence among all more general rules with the same consequent.

    More general is any rule whose antecedent is a proper part, the empty one included, as in the
    improvement of Bayardo, Agrawal and Gunopulos (2000); shape (m,).
    """
    best = counts[rules.consequent] / n_baskets
    level_of = np.searchsorted(index.first, rules.antecedent, side="right")
    keys_by_number = np.empty(len(index.number), dtype=np.uint64)
    keys_by_number[index.number] = index.sorted_keys
    for length in range(2, len(levels) + 1):
        here = np.flatnonzero(level_of == length)
        if not len(here):
            continue
        # many rules share an antecedent: look its parts up once
        antecedents, which = np.unique(rules.antecedent[here], return_inverse=True)
        rows = levels[length - 1][antecedents - index.first[length - 1]]
        keys = index.item_key[rows]
        target = keys_by_number[rules.consequent[here]]
        highest = best[here]
        for size in range(1, length):
            for columns in combinations(range(length), size):
                part = keys[:, columns].sum(axis=1, dtype=np.uint64)
                general = counts[index.find(part)]
                union = counts[index.find(part[which] + target)]
                highest = np.maximum(highest, union / general[which])
        best[here] = highest
    return best
