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
from crmkit.basket._math.collector import MANY, Collector
from crmkit.basket._math.incidence import by_column

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crmkit._typing import Bools, Floats, Ints
    from crmkit.basket._math.incidence import Baskets, Indices
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


def weights(customer: Ints, size: Ints, n_pairs: float | None = None) -> Weights:
    """Return the shares in all pairs, from a customer and a size per basket.

    `n_pairs` is the number of all, each counted in both orders, if these baskets are a part.
    """
    pairs = size.astype(np.float64) * (size - 1)
    n_pairs = max(float(pairs.sum()) if n_pairs is None else n_pairs, 1.0)
    whole = np.bincount(customer, pairs).astype(np.float64, copy=False)
    together = pairs_together(customer, pairs) / n_pairs**2
    return Weights(customer, pairs / n_pairs, whole / n_pairs, together)


def pairs_together(customer: Ints, pairs: Floats) -> float:
    """Return how many times two pairs are of one customer, in different baskets."""
    # nothing of one basket, to the last digit
    own = np.bincount(customer, pairs) ** 2 - np.bincount(customer, pairs**2)
    return float(own.sum())


@dataclass(frozen=True, slots=True)
class Witnesses:
    """Baskets and customers of pairs, all of them sums over customers; each of shape (m,).

    ``square`` is the sum of the squares of each customer's baskets, ``mixed`` that of the shares
    in all pairs that the customers of the baskets have in other baskets.
    """

    count: Ints
    customers: Ints
    square: Floats
    mixed: Floats

    def take(self, some: Ints | Bools) -> Witnesses:
        """Return those of some pairs."""
        return Witnesses(
            self.count[some], self.customers[some], self.square[some], self.mixed[some]
        )

    def spread(self, together: float) -> Floats:
        """Return how concentrated the baskets are on few customers; 1 is as chance has it."""
        excess = self.square - self.count * (1 + 2 * self.mixed - self.count * together)
        spread: Floats = 1 + np.maximum(excess, 0) / np.maximum(self.count, 1)
        return spread


def find_pairs(
    baskets: Baskets,
    chance: Weights,
    *,
    least: int = 1,
    cap: int = MANY,
    beside: Ints | None = None,
    given: Ints | None = None,
) -> tuple[Ints, Witnesses, Collector]:
    """Find the pairs in enough baskets, or count given ones, with the customers behind them.

    Parameters
    ----------
    baskets : Baskets
        Numbered by customer.
    chance : Weights
    least : int
        Fewest baskets of a pair.
    cap : int
        Never more pairs than this: the threshold rises until they fit, and what was found says so.
    beside : int64 array, optional
        Item codes, one of which each pair must hold.
    given : int64 array, shape (m, 2), optional
        Count these pairs of item codes, none twice, and find no others.

    Returns
    -------
    pairs : int64 array, shape (m, 2)
        Item codes, the lower one first.
    witnesses : Witnesses
        Of each pair.
    found : Collector
        Whether there were too many, and how many there are from which count on.
    """
    found = Collector(least, None, cap, 2, 2)
    none = np.zeros(0, dtype=np.int64)
    told = [(np.zeros((0, 2), dtype=np.int64), none, none, np.zeros(0), np.zeros(0))]
    may = np.ones(len(baskets.code), dtype=bool)
    if beside is not None:
        may = np.isin(baskets.code, beside)
    if given is not None:
        given = np.sort(baskets.rank_of(given), axis=1)
        given = given[np.argsort(given[:, 0], kind="stable")]
    at_each = baskets.basket.astype(np.int32)[baskets.by_item]
    for low, high in baskets.blocks(CELLS):
        block = _Block(baskets, low, high)
        if given is not None:
            ranks = given[slice(*np.searchsorted(given[:, 0], [low, high]))]
            count = np.zeros(len(ranks), dtype=np.int64)
        else:
            ranks, count = block.frequent(found.min_count)
            ranks, count = ranks[here := may[ranks].any(axis=1)], count[here]
            found.add(ranks, count)
        if not len(ranks) or found.capped:
            continue
        behind = count, count, count.astype(np.float64), np.zeros(len(ranks))
        if chance.together or given is not None:  # else one basket each
            behind = _behind(*block.occurrences(ranks, at_each), len(ranks), chance)
        told.append((np.sort(baskets.code[ranks], axis=1), *behind))
    found.tighten()
    pairs, *seen = (np.concatenate(part) for part in zip(*told, strict=True))
    return pairs, Witnesses(*seen), found


class _Block:
    """The baskets of items of ranks `low` to `high` - 1, expanded to the items after them there."""

    def __init__(self, baskets: Baskets, low: int, high: int) -> None:
        self.baskets, self.low = baskets, low
        self.width = len(baskets.count) - low
        self.base = np.arange(high - low) * self.width - low
        self.most = int(baskets.count[low:high].max())
        self.chunks = list(baskets.chunks(low, high, CELLS))
        self.only: Ints | None = None  # of one chunk, which is expanded once

    def _keys(self) -> Iterator[Ints]:
        """Yield, by chunk, the pair of each expanded place as a cell: first item x width + item."""
        for chunk in self.chunks:
            key = self.only
            if key is None:
                key, _ = self.baskets.followers(*chunk, self.low, self.base)
            self.only = key if len(self.chunks) == 1 else None
            yield key

    def frequent(self, least: int) -> tuple[Ints, Ints]:
        """Return the pairs of ranks in at least so many baskets, and in how many."""
        counts = np.zeros(len(self.base) * self.width, dtype=np.int64)
        for key in self._keys() if self.most >= least else ():
            counts += np.bincount(key, minlength=len(counts))
        cells = np.flatnonzero(counts >= least)
        return np.column_stack(np.divmod(cells, self.width)) + self.low, counts[cells]

    def occurrences(self, ranks: Ints, at_each: Indices) -> tuple[Ints, Ints]:
        """Return the numbers of given pairs wherever they are, and the basket of each time."""
        row_of = np.full(len(self.base) * self.width, -1, dtype=np.int32)
        row_of[(ranks - self.low) @ [self.width, 1]] = np.arange(len(ranks))
        rows, baskets = [], []
        for (start, stop), key in zip(self.chunks, self._keys(), strict=True):
            row = row_of[key]
            inside = np.flatnonzero(row >= 0)
            rows.append(row[inside])
            at = np.repeat(at_each[start:stop], self.baskets.after[start:stop])
            baskets.append(at[inside])
        return np.concatenate(rows), np.concatenate(baskets)


def _behind(row: Ints, at: Ints, n: int, chance: Weights) -> tuple[Ints, Ints, Floats, Floats]:
    """Return the baskets and customers of n pairs, as `Witnesses` has them, from where they are."""
    start, place = by_column(row, n)  # those of a customer stay neighbours
    who = chance.customer[at][place]
    new = starts(who)
    new[start[:-1][np.diff(start) > 0]] = True
    first = np.flatnonzero(new)
    edge = np.searchsorted(first, start)
    square = np.append(0.0, np.cumsum(np.diff(first, append=len(who)) ** 2))
    count, customers = np.diff(start).astype(np.int64), np.diff(edge)
    mixed = np.bincount(row, (chance.whole[chance.customer] - chance.basket)[at], minlength=n)
    return count, customers, np.diff(square[edge]), mixed.astype(np.float64, copy=False)


@dataclass(frozen=True, slots=True)
class TasteSums:
    """What tells how customers differ in what they like, all of it sums over customers.

    Attributes
    ----------
    square : float array, shape (k,)
        Of k items, the sum of the squares of each customer's baskets with it.
    beside : float array, shape (k, sizes)
        The sum of these baskets times the customer's baskets of each size.
    inside : float array, shape (k, sizes)
        Baskets of each size with the item.
    sizes : float array, shape (sizes, sizes)
        The sum of each customer's baskets of one size times those of another.
    """

    square: Floats
    beside: Floats
    inside: Floats
    sizes: Floats


def taste_sums(baskets: Baskets, customer: Ints, size: Ints, items: Ints, sizes: Ints) -> TasteSums:
    """Return the sums that `tastes` takes of items, all of which are in some basket.

    Parameters
    ----------
    baskets : Baskets
        Numbered by customer.
    customer, size : int64 arrays, shape (n_baskets,)
        Of each basket.
    items : int64 array, shape (k,)
    sizes : int64 array
        The distinct sizes above 0, ascending.
    """
    n_sizes, n_customers = len(sizes), int(customer[-1]) + 1
    column, filled = np.searchsorted(sizes, size), np.flatnonzero(size > 0)
    at = baskets.basket[baskets.by_item]
    owner = np.repeat(np.arange(len(baskets.code)), baskets.count)
    first = np.flatnonzero(starts(owner, customer[at]))
    times = np.diff(first, append=len(at)).astype(np.float64)
    edge = np.searchsorted(first, baskets.start)
    shape = (len(baskets.code), n_customers)
    bought = sparse.csr_array((times, customer[at[first]], edge), shape=shape)
    inside = np.bincount(owner * n_sizes + column[at], minlength=shape[0] * n_sizes)
    cells = (np.ones(len(filled)), (customer[filled], column[filled]))
    of_size = sparse.coo_array(cells, shape=(n_customers, n_sizes)).tocsr()
    rank = baskets.rank_of(items)
    return TasteSums(
        np.bincount(owner[first], times**2, minlength=shape[0])[rank].astype(np.float64),
        (bought @ of_size).toarray()[rank].astype(np.float64, copy=False),
        inside.reshape(-1, n_sizes)[rank].astype(np.float64),
        (of_size.T @ of_size).toarray().astype(np.float64, copy=False),
    )


def tastes(sums: TasteSums, model: SizeModel, items: Ints) -> Floats:
    """Return the variance of an item's share between customers, over its squared mean, per item.

    By the products, over pairs of baskets of one customer, of what an item is there beyond its
    chance; 0 where that is less than nothing, and where no customer has two baskets.

    Parameters
    ----------
    sums : TasteSums
        Of `items`.
    model : SizeModel
    items : int64 array, shape (k,)
        The items asked for; 0 is returned for all others. Shape of the result: (n_items,).
    """
    row = model.row[items]
    p = model.p[row]
    # of squares of sums per customer, and of the squares that are of one basket
    of_class = np.einsum("cs,cs->c", model.p @ sums.sizes, model.p)
    alone = model.p**2 @ model.n_of_size
    beyond = sums.square - 2 * np.einsum("is,is->i", sums.beside, p) + of_class[row]
    beyond -= np.einsum("is,is->i", sums.inside, 1 - 2 * p) + alone[row]
    under = np.maximum((of_class - alone)[row], 1e-300)
    taste = np.zeros(len(model.row))
    taste[items] = np.where(under > 1e-12 * of_class[row], np.maximum(beyond, 0) / under, 0.0)
    return taste
