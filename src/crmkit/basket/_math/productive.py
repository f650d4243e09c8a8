"""Rules that say more than every simpler one, given the sizes of baskets.

Of the baskets with an antecedent A, chance given sizes lets S hold the consequent c: the sum of
their chances to. A rule's lift given sizes is the count of baskets with both over S. If the rule
says nothing beyond a simpler one, B -> c with B a part of A, the lift of both is the same; of the
baskets with B and c then as many hold A as their chances tell, lift(B -> c) S on average.

References
----------
.. [1] Webb, G. I. (2007). Discovering significant patterns. *Machine Learning* 68(1), 1-33.
   Productive rules: each improves on every more general one.
.. [2] Hajek, J. (1964). Asymptotic theory of rejective sampling with varying probabilities from a
   finite population. *Annals of Mathematical Statistics* 35(4), 1491-1523.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from crmkit._arrays import starts

if TYPE_CHECKING:
    from crmkit._typing import Bools, Floats, Ints
    from crmkit.basket._math.sizes import SizeModel


CELLS = 1 << 20  # chances held at once


def chance_beside(model: SizeModel, held: Ints, more: Ints) -> Floats:
    """Return the chance that baskets with some items hold others as well, by their size.

    One item after the other, each by Hajek's joint probability [2]_: p (1 - (1 - p) h / d), h the
    sum of 1 - p over the items held, d that of p (1 - p) over all; none where there is no room.

    Parameters
    ----------
    model : SizeModel
    held : int64 array, shape (m, k)
        Item codes.
    more : int64 array, shape (m, j)

    Returns
    -------
    float array, shape (m, sizes)
    """
    free = np.zeros((len(held), len(model.sizes)))
    for item in held.T:
        free += 1 - model.p[model.row[item]]
    chance = np.ones_like(free)
    for number, item in enumerate(more.T):
        p = model.p[model.row[item]]
        room = model.sizes > held.shape[1] + number
        chance *= np.where(room, p * np.maximum(1 - (1 - p) * free / model.spread, 0), 0.0)
        free += 1 - p
    return chance


def expected_by_chance(
    model: SizeModel, levels: list[Ints], parts: list[Ints], by_size: list[Ints]
) -> list[Floats]:
    """Return, per itemset and column, the baskets chance gives to the rule with it as consequent.

    Parameters
    ----------
    model : SizeModel
    levels : list of int64 arrays, shape (n_k, k)
        Item codes per length k from 1 on.
    parts : list of int64 arrays, shape (n_k, k)
        The place in the level below of each itemset without that column.
    by_size : list of int64 arrays, shape (n_k, sizes)
        Baskets with each itemset, by their size.

    Returns
    -------
    list of float arrays, shape (n_k, k)
        Of single items what they are in.
    """
    expected = [by_size[0].sum(axis=1, keepdims=True).astype(np.float64)] if levels else []
    for k in range(2, len(levels) + 1):
        rows = levels[k - 1]
        level = np.empty(rows.shape)
        step = max(CELLS // max(len(model.sizes), 1), 1)
        for start in range(0, len(rows), step):
            some = rows[start : start + step]
            for column in range(k):
                chance = chance_beside(model, np.delete(some, column, axis=1), some[:, [column]])
                part = by_size[k - 2][parts[k - 1][start : start + step, column]]
                level[start : start + step, column] = (part * chance).sum(axis=1)
        expected.append(np.maximum(level, 1e-300))
    return expected


def best_simpler(lifts: list[Floats], parts: list[Ints]) -> list[Floats]:
    """Return the highest lift of all simpler rules with the same consequent, 1 for none at all.

    Parameters
    ----------
    lifts : list of float arrays, shape (n_k, k)
        Per length k from 1 on, the lift of the rule whose consequent is that column of the itemset.
    parts : list of int64 arrays, shape (n_k, k)
        The place in the level below of each itemset without that column.
    """
    best = [np.ones_like(level) for level in lifts]
    for k in range(3, len(lifts) + 1):
        for column in range(k):
            for without in range(k):
                if without != column:
                    row, at = parts[k - 1][:, without], column - (without < column)
                    for simpler in (lifts[k - 2], best[k - 2]):
                        best[k - 1][:, column] = np.maximum(
                            best[k - 1][:, column], simpler[row, at]
                        )
    return best


def concentration(rule: Ints, customer: Ints, chance: Floats, both: Bools, n: int) -> Floats:
    """Return how many times as variable as independent baskets those of n rules are, shape (n,).

    Parameters
    ----------
    rule, customer : int64 arrays, shape (h,)
        Of each basket with a rule's antecedent, by rule and customer.
    chance : float array, shape (h,)
        Its chance to hold the consequent.
    both : bool array, shape (h,)
        Whether it does.
    n : int
    """
    count = np.bincount(rule, both, minlength=n)
    total = np.maximum(np.bincount(rule, chance, minlength=n), 1e-300)
    off = both - (count / total)[rule] * chance
    new = starts(rule, customer)
    of_customer = np.bincount(np.cumsum(new) - 1, off)
    excess = np.bincount(rule[new], of_customer**2, minlength=n)
    excess -= np.bincount(rule, off**2, minlength=n)
    return 1 + np.maximum(excess, 0) / np.maximum(count, 1)
