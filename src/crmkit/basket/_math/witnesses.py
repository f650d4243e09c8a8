"""Who stands behind a pair: the customers whose baskets hold both items, and what they prove.

Baskets of one customer are alike, so that a pair in ten baskets of one customer proves less than
one in the baskets of ten. By chance given sizes `e` baskets would hold a pair; how many do varies
more than independent baskets would let it, by a factor of

    1 + t_i t_j e w,

where t_i is the variance between customers of the share of item i, over the square of its mean,
and w the chance that two of the pairs of items that chance makes are of one customer, in
different baskets. It holds if customers differ in what they like, and like one item independently
of the other. The baskets that are seen to hold the pair may be more concentrated still: x_c of x
are of customer c, where w_c x are expected. For the upper tail the larger of both factors counts.

References
----------
.. [1] Rao, J. N. K. and Scott, A. J. (1992). A simple method for the analysis of clustered binary
   data. *Biometrics* 48(2), 577-585.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from crmkit._arrays import starts
from crmkit.basket._math.incidence import sort_baskets

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crmkit._typing import Floats, Ints
    from crmkit.basket._math.incidence import Baskets
    from crmkit.basket._math.sizes import SizeModel


CELLS = 1 << 20


@dataclass(frozen=True, slots=True)
class Weights:
    """Where chance makes pairs of items, by the sizes of baskets.

    Attributes
    ----------
    customer : int64 array, shape (n_baskets,)
    basket : float array, shape (n_baskets,)
        Each basket's share in all pairs.
    whole : float array, shape (n_customers,)
        Each customer's.
    together : float
        The chance that two pairs are of one customer, in different baskets.
    """

    customer: Ints
    basket: Floats
    whole: Floats
    together: float


def weights(customer: Ints, size: Ints) -> Weights:
    """Return the shares in all pairs, from a customer and a size per basket."""
    pairs = size.astype(np.float64) * (size - 1)
    basket: Floats = pairs / max(float(pairs.sum()), 1.0)
    whole = np.bincount(customer, basket).astype(np.float64, copy=False)
    return Weights(customer, basket, whole, max(float(whole @ whole - basket @ basket), 0.0))


@dataclass(frozen=True, slots=True)
class Witnesses:
    """Baskets and customers of pairs, and how concentrated these are; each of shape (m,)."""

    count: Ints
    customers: Ints
    spread: Floats


def witnesses(basket: Ints, item: Ints, chance: Weights, pairs: Ints, *, n_items: int) -> Witnesses:
    """Count the baskets and customers of given pairs of items.

    Parameters
    ----------
    basket, item : int64 arrays, shape (n,)
        Lines; they may repeat.
    chance : Weights
    pairs : int64 array, shape (m, 2)
        Item codes, no pair twice.
    """
    n = len(pairs)
    count, customers = np.zeros(n, np.int64), np.zeros(n, np.int64)
    square, mixed = np.zeros(n), np.zeros(n)
    looked_at = np.zeros(n_items, dtype=bool)
    looked_at[pairs] = True
    inside = looked_at[item]
    baskets = sort_baskets(basket[inside], item[inside], n_items=n_items)
    rank = np.zeros(n_items, dtype=np.int64)
    rank[baskets.code] = np.arange(len(baskets.code))
    ranked = np.sort(rank[pairs], axis=1)
    by_first = np.argsort(ranked[:, 0], kind="stable")
    edges = np.searchsorted(ranked[by_first, 0], np.arange(len(baskets.code) + 1))
    beyond = chance.whole[chance.customer] - chance.basket
    for low, high in baskets.blocks(CELLS):
        rows = by_first[edges[low] : edges[high]]
        if not rows.size:
            continue
        keys = []
        for row, at in _occurrences(baskets, ranked[rows], low, high):
            keys.append(row * len(chance.whole) + chance.customer[at])
            count[rows] += np.bincount(row, minlength=len(rows))
            mixed[rows] += np.bincount(row, beyond[at], minlength=len(rows))
        key = np.sort(np.concatenate(keys))
        first = np.flatnonzero(starts(key))
        times, row = np.diff(np.append(first, len(key))), key[first] // len(chance.whole)
        customers[rows] = np.bincount(row, minlength=len(rows))
        square[rows] = np.bincount(row, times * (times - 1.0), minlength=len(rows))
    excess = square - 2 * count * mixed + (count * 1.0) ** 2 * chance.together
    return Witnesses(count, customers, 1 + np.maximum(excess, 0) / np.maximum(count, 1))


def _occurrences(baskets: Baskets, pairs: Ints, low: int, high: int) -> Iterator[tuple[Ints, Ints]]:
    """Yield the pairs, as rows of ranks, that occur in a block, and the basket of each time."""
    width = len(baskets.count) - low
    row_of = np.full((high - low) * width, -1, dtype=np.int64)
    row_of[(pairs[:, 0] - low) * width + pairs[:, 1] - low] = np.arange(len(pairs))
    of_entry = baskets.basket
    base = np.arange(high - low) * width - low
    for start, stop in baskets.chunks(low, high, CELLS):
        key, _ = baskets.followers(start, stop, low, base)
        row = row_of[key]
        inside = np.flatnonzero(row >= 0)
        at = np.repeat(of_entry[baskets.by_item[start:stop]], baskets.after[start:stop])
        yield row[inside], at[inside]


def tastes(basket: Ints, item: Ints, customer: Ints, model: SizeModel, items: Ints) -> Floats:
    """Return the variance of an item's share between customers, over its squared mean, per item.

    By the products, over pairs of baskets of one customer, of what an item is there beyond its
    chance; 0 where that is less than nothing, and where no customer has two baskets.

    Parameters
    ----------
    basket, item : int64 arrays, shape (n,)
        Lines; they may repeat.
    customer : int64 array, shape (n_baskets,)
    model : SizeModel
    items : int64 array, shape (k,)
        The items asked for; 0 is returned for all others. Shape of the result: (n_items,).
    """
    place = np.full(len(model.row), -1, dtype=np.int64)
    place[items] = np.arange(len(items))
    asked = place[item] >= 0
    one = np.ones(np.count_nonzero(asked))
    shape = (len(items), len(customer))
    holds = sparse.csr_array((one, (place[item[asked]], basket[asked])), shape=shape)
    holds.sum_duplicates()
    holds.data[:] = 1
    filled = np.flatnonzero(model.filled)
    one = np.ones(len(filled))
    who = sparse.csr_array((one, (filled, customer[filled])), (len(customer), customer.max() + 1))
    size = sparse.csr_array(
        (one, (filled, model.column[filled])), (len(customer), len(model.sizes))
    )
    bought, sizes = holds @ who, (who.T @ size).tocsr()
    row = model.row[items]
    p = model.p[row]
    # of squares of sums per customer, and of the squares that are of one basket
    of_class = np.einsum("cs,cs->c", model.p @ (sizes.T @ sizes).toarray(), model.p)
    alone = model.p**2 @ model.n_of_size
    beyond: Floats = np.asarray(bought.multiply(bought).sum(axis=1)).ravel()
    beyond -= 2 * np.einsum("is,is->i", (bought @ sizes).toarray(), p) - of_class[row]
    beyond -= np.einsum("is,is->i", (holds @ size).toarray(), 1 - 2 * p) + alone[row]
    under = np.maximum((of_class - alone)[row], 1e-300)
    taste = np.zeros(len(model.row))
    taste[items] = np.where(under > 1e-12 * of_class[row], np.maximum(beyond, 0) / under, 0.0)
    return taste
