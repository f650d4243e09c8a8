"""What a customer could earn: what its peers buy and it does not, and what its like went on to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from crmkit._typing import Bools, Floats, Ints


__all__ = [
    "Level",
    "Pairs",
    "best_half",
    "money_per_order",
    "nested_mean",
    "standing_bands",
    "white_space",
]

_PRIOR = 10.0  # customers' worth of the wider group in the mean of a narrower one
_PRIOR_BUYERS = 20.0  # of all customers in the share of peers who buy
_ORDER_BANDS = 10
_RECENCY_BANDS = 5
_CELLS = 1 << 22  # of the dense part of customers by categories


@dataclass(frozen=True, slots=True)
class Level:
    """One division into groups: of those learned from, (m,), and of all, (n,); `size` groups."""

    learned: Ints
    all: Ints
    size: int


def standing_bands(orders: tuple[Ints, Ints], recency: tuple[Ints, Ints]) -> tuple[Level, Level]:
    """Return bands of recent orders and, within these, of recency.

    Each argument holds the values of those learned from, whose quantiles are the limits, and of
    all. Equal values share a band; a band that nobody learned from belongs to the one below.
    """
    cuts = np.unique(_quantiles(orders[0], _ORDER_BANDS))
    band, band_all = (np.searchsorted(cuts, values, side="left") for values in orders)
    band_all = np.minimum(band_all, band.max())
    k = int(band.max()) + 1
    cell, cell_all = band * _RECENCY_BANDS, band_all * _RECENCY_BANDS
    for number in range(k):
        own, meant = band == number, band_all == number
        limits = _quantiles(recency[0][own], _RECENCY_BANDS)
        cell[own] += np.searchsorted(limits, recency[0][own], side="left")
        cell_all[meant] += np.searchsorted(limits, recency[1][meant], side="left")
    return Level(band, band_all, k), Level(cell, cell_all, k * _RECENCY_BANDS)


def _quantiles(values: Ints, k: int) -> Ints:
    """Return k - 1 of the values that divide them into k parts of about equal size."""
    ordered = np.sort(values)
    return ordered[np.arange(1, k) * ordered.size // k]


def nested_mean(
    values: Floats, levels: Sequence[Level], chosen: Sequence[Bools] | None = None
) -> Floats:
    """Return the mean of each customer's group, drawn towards that of the wider group.

    `values` has shape (m,), the result (n,). From the widest level to the narrowest a group's
    mean is (sum + 10 x mean of the wider group) / (customers + 10). `chosen` are for each level,
    and before them for all, the rows that count.
    """
    everybody = np.ones(values.size, dtype=bool)
    rows = [everybody] * (len(levels) + 1) if chosen is None else list(chosen)
    mean = np.full(levels[0].all.size, np.mean(values[rows[0]]))
    for level, counted in zip(levels, rows[1:], strict=True):
        code = level.learned[counted]
        total = np.bincount(code, weights=values[counted], minlength=level.size)
        wider = np.zeros(level.size)
        wider[level.all] = mean
        known = np.bincount(code, minlength=level.size)
        mean = ((total + _PRIOR * wider) / (known + _PRIOR))[level.all]
    return mean


def best_half(values: Floats, levels: Sequence[Level]) -> list[Bools]:
    """Tell which rows, of all and of each level's groups, are in the better half by `values`.

    Of an odd number the middle one belongs to it.
    """
    found = []
    for code in (np.zeros(values.size, dtype=np.int64), *(level.learned for level in levels)):
        order = np.lexsort((values, code))
        size = np.bincount(code)
        place = np.empty(values.size, dtype=np.int64)
        place[order] = np.arange(values.size) - np.repeat(np.cumsum(size) - size, size)
        found.append(place >= size[code] // 2)
    return found


@dataclass(frozen=True, slots=True)
class Pairs:
    """Which customers bought which categories: p distinct pairs, sorted by customer.

    ``customer``, ``category`` and ``money`` (of the pair) have shape (p,).
    """

    customer: Ints
    category: Ints
    money: Floats
    n_customers: int
    n_categories: int


def money_per_order(pairs: Pairs, orders: Ints) -> Floats:
    """Return the money of each category per order of its buyers, at least 0; shape (k,).

    `orders` are the orders of each customer, shape (n,).
    """
    ordered = np.bincount(
        pairs.category, weights=orders[pairs.customer], minlength=pairs.n_categories
    )
    money = np.bincount(pairs.category, weights=pairs.money, minlength=pairs.n_categories)
    return np.asarray(np.maximum(money / np.maximum(ordered, 1), 0.0))


def white_space(pairs: Pairs, worth: Floats, peers: tuple[Ints, int] | None) -> tuple[Floats, Ints]:
    """Return the money per order that lies in categories not bought, and the largest of these.

    The sum over categories c that a customer does not buy of q(c) a(c): q(c) is the share of its
    peers who buy c, a(c) is `worth`, the money of c per order of its buyers. The category is -1
    where nothing is left to buy.

    Peers are the customers of its group, given as codes and number of groups. Without groups they
    are those who buy what it buys: q(c) is the mean, over the categories c' that it buys, of the
    share of buyers of c' who buy c (item-based filtering, Sarwar et al. 2001, each category alike
    whatever was spent on it, so that value makes nobody like another). Shares of few are drawn
    towards those of all customers.
    """
    from scipy import sparse

    n, k = pairs.n_customers, pairs.n_categories
    bought = sparse.csr_array(
        (np.ones(pairs.customer.size), (pairs.customer, pairs.category)), shape=(n, k)
    )
    buyers = np.bincount(pairs.category, minlength=k)
    if peers is None:
        among, size = (bought.T @ bought).toarray(), buyers
        own = 1 / np.bincount(pairs.customer, minlength=n)[pairs.customer]
        share = sparse.csr_array((own, (pairs.customer, pairs.category)), shape=(n, k))
    else:
        code, groups = peers
        share = sparse.csr_array((np.ones(n), (np.arange(n), code)), shape=(n, groups))
        among, size = (share.T @ bought).toarray(), np.bincount(code, minlength=groups)
    chance = (among + _PRIOR_BUYERS * (buyers / n)) / (size + _PRIOR_BUYERS)[:, None]
    gain = chance * worth
    total, best = np.zeros(n), np.full(n, -1, dtype=np.int64)
    for rows in _pieces(n, k):
        part: Floats = np.asarray(share[rows] @ gain)
        known = bought[rows].tocoo()
        part[known.row, known.col] = 0.0
        total[rows], top = part.sum(axis=1), part.argmax(axis=1)
        best[rows] = np.where(total[rows] > 0, top, -1)
    return total, best


def _pieces(n: int, k: int) -> Iterator[slice]:
    """Cut n customers into pieces that fit a dense table of k categories."""
    step = max(_CELLS // max(k, 1), 1)
    return (slice(start, start + step) for start in range(0, n, step))
