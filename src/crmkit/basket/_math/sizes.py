"""What chance alone would give where baskets differ in size.

A large basket holds a bit of everything, so that items that have nothing to do with each other meet
more often than independence across baskets says. The null model here keeps both margins: every item
is, on average, in as many baskets as were seen, and every basket holds as many items; beyond that
nothing is assumed (maximum entropy, the bipartite configuration model).

References
----------
.. [1] Saracco, F. et al. (2017). Inferring monopartite projections of bipartite networks: an
   entropy-based approach. *New Journal of Physics* 19, 053022.
.. [2] Hajek, J. (1964). Asymptotic theory of rejective sampling with varying probabilities from a
   finite population. *Annals of Mathematical Statistics* 35(4), 1491-1523.
.. [3] Hoeffding, W. (1956). On the distribution of the number of successes in independent trials.
   *Annals of Mathematical Statistics* 27(3), 713-721.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from crmkit._arrays import distinct

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from crmkit._typing import Floats, Ints


CELLS = 1 << 20  # probabilities held at once
SWEEPS = 100
TOLERANCE = 1e-9  # largest relative error of a basket's size


def margins(basket: Ints, item: Ints, *, n_baskets: int, n_items: int) -> tuple[Ints, Ints]:
    """Return in how many baskets each item is, and how many items each basket holds.

    Lines, shape (n,), may repeat.
    """
    basket, item = np.divmod(distinct(basket * n_items + item), max(n_items, 1))
    return np.bincount(item, minlength=n_items), np.bincount(basket, minlength=n_baskets)


def cell_probabilities(
    count: Floats, n_of_count: Floats, size: Floats, n_of_size: Floats
) -> Floats:
    """Return the chance that an item is in a basket, shape (number of counts, number of sizes).

    p = x y / (1 + x y), equation (5) of [1]_, with x of an item and y of a basket such that both
    margins hold; found by Newton's steps on log x and log y in turns. Items with equal counts have
    equal x, baskets of equal size equal y.

    Parameters
    ----------
    count, size : float arrays
        Distinct numbers of baskets of an item, and of items of a basket, all above 0.
    n_of_count, n_of_size : float arrays
        How many items, and baskets, have them.
    """
    scale = np.sqrt(float(count @ n_of_count))
    x, y = count[:, None] / scale, size / scale
    for _ in range(SWEEPS):
        p = x * y / (1 + x * y)
        slope = np.maximum(p * (1 - p) @ n_of_size, 1e-300)
        x *= np.exp(np.clip((count - p @ n_of_size) / slope, -1, 1))[:, None]
        p = x * y / (1 + x * y)
        slope = np.maximum(n_of_count @ (p * (1 - p)), 1e-300)
        miss = size - n_of_count @ p
        y *= np.exp(np.clip(miss / slope, -1, 1))
        if (np.abs(miss) <= TOLERANCE * size).all():
            break
    return x * y / (1 + x * y)


def expected_together(item_count: Ints, basket_size: Ints, pairs: Ints) -> Floats:
    """Return how many baskets would hold both items of each pair by chance, shape (m,).

    The sum over baskets of p_i p_j (1 - (1 - p_i) (1 - p_j) / d), d the sum of p (1 - p) over all
    items: Hajek's joint probability where the size is fixed, and not only on average [2]_. It
    matters, because a basket of s items has s (s - 1) / 2 pairs; with s on average it has more.

    Parameters
    ----------
    item_count : int64 array, shape (n_items,)
    basket_size : int64 array, shape (n_baskets,)
    pairs : int64 array, shape (m, 2)
        Item codes.
    """
    counts, row, n_of_count = np.unique(item_count, return_inverse=True, return_counts=True)
    sizes, n_of_size = np.unique(basket_size[basket_size > 0], return_counts=True)
    real = counts > 0
    p = np.zeros((len(counts), len(sizes)))
    p[real] = cell_probabilities(
        *(part.astype(np.float64) for part in (counts[real], n_of_count[real], sizes, n_of_size))
    )
    spread = np.maximum(n_of_count @ (p * (1 - p)), 1e-300)
    n_of_size = np.where(sizes == 1, 0, n_of_size)  # one item makes no pair
    expected = np.empty(len(pairs))
    step = max(CELLS // max(len(sizes), 1), 1)
    for start in range(0, len(pairs), step):
        first, second = (p[row[side]] for side in pairs[start : start + step].T)
        joint = first * second * np.maximum(1 - (1 - first) * (1 - second) / spread, 0)
        expected[start : start + step] = joint @ n_of_size
    return expected


def chance_of_as_many(count: ArrayLike, expected: ArrayLike) -> Floats:
    """Return the p-value of `count` baskets with both items, both shapes (m,); counts above 0.

    The tail of Poisson's distribution. The count is a sum over baskets that differ, whose upper
    tail beyond the mean is never larger [3]_: the p-value errs on the safe side.
    """
    tail: Floats = special.gammainc(
        np.asarray(count, dtype=np.float64), np.asarray(expected, dtype=np.float64)
    )
    return tail
