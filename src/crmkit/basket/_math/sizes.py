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
.. [3] Deville, J.-C. and Tille, Y. (2005). Variance approximation under balanced sampling. *Journal
   of Statistical Planning and Inference* 128(2), 569-591.
.. [4] Hoeffding, W. (1956). On the distribution of the number of successes in independent trials.
   *Annals of Mathematical Statistics* 27(3), 713-721.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from crmkit._arrays import ranges

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from crmkit._typing import Bools, Floats, Ints
    from crmkit.basket._math.incidence import Baskets


CELLS = 1 << 20  # probabilities held at once
SWEEPS = 100
TOLERANCE = 1e-9  # largest relative error of a basket's size


def margins(baskets: Baskets, *, n_baskets: int, n_items: int) -> tuple[Ints, Ints]:
    """Return in how many baskets each item is, and how many items each basket holds."""
    count, size = np.zeros(n_items, dtype=np.int64), np.zeros(n_baskets, dtype=np.int64)
    count[baskets.code] = baskets.count
    size[: len(baskets.begin) - 1] = np.diff(baskets.begin)
    return count, size


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


@dataclass(frozen=True, slots=True)
class SizeModel:
    """The chance that an item is in a basket, by how frequent the one and how large the other is.

    Attributes
    ----------
    p : float array, shape (classes, sizes)
        Classes are the distinct numbers of baskets of an item, ascending.
    row : int64 array, shape (n_items,)
        The class of each item.
    column : int64 array, shape (n_baskets,)
        The size of each basket, as a place in `sizes`; 0 where a basket is empty.
    filled : bool array, shape (n_baskets,)
        Whether a basket is not.
    sizes, n_of_size : arrays, shape (sizes,)
        The sizes above 0, and how many baskets have them.
    spread : float array, shape (sizes,)
        The sum of p (1 - p) over all items.
    root : float array, shape (classes, sizes)
        In sizes whose items are too few for Hajek's form, what gives the chance of two items as a
        product; 0 elsewhere.
    """

    p: Floats
    row: Ints
    column: Ints
    filled: Bools
    sizes: Ints
    n_of_size: Ints
    spread: Floats
    root: Floats

    def expected_together(self, pairs: Ints) -> Floats:
        """Return how many baskets would hold both items of each pair by chance, shape (m,).

        The sum over baskets of p_i p_j (1 - (1 - p_i) (1 - p_j) / d), d the sum of p (1 - p) over
        all items: Hajek's joint probability where the size is fixed, and not only on average [2]_.
        It matters, because a basket of s items has s (s - 1) / 2 pairs; with s on average it has
        more. Where a few items fill nearly every basket of a size, that may be below 0; there the
        chance is a_i a_j with a such that it adds up over j to (s - 1) p_i [3]_, exact for two.

        Parameters
        ----------
        pairs : int64 array, shape (m, 2)
            Item codes.
        """
        expected, of_two = np.empty(len(pairs)), self._of_two
        step = max(CELLS // max(len(self.sizes), 1), 1)
        for start in range(0, len(pairs), step):
            left, right = (self.row[side] for side in pairs[start : start + step].T)
            first, second = self.p[left], self.p[right]
            joint = first * second * (1 - (1 - first) * (1 - second) / self.spread)
            joint[:, self._scarce] = (self.root[left] * self.root[right])[:, self._scarce]
            expected[start : start + step] = np.minimum(joint, np.minimum(first, second)) @ of_two
        return expected

    @property
    def _of_two(self) -> Ints:
        """How many baskets have each size; one item makes no pair."""
        return np.where(self.sizes == 1, 0, self.n_of_size)

    @property
    def _scarce(self) -> Bools:
        """Which sizes have items too few for Hajek's form."""
        return np.asarray(self.root.any(axis=0))

    def likely_pairs(self, items: Ints, least: float, most: int) -> Ints | None:
        """Return the pairs of items that chance brings together at least so often, shape (m, 2).

        None where there are more than `most`.
        """
        q = self.p * (1 - self.p)
        of_class = np.bincount(self.row[items], minlength=len(self.p))
        weight = np.where(self._scarce, 0, self._of_two)
        expected = (self.p * weight) @ self.p.T - (q * (weight / self.spread)) @ q.T
        expected += (self.root * self._of_two) @ self.root.T
        often = (expected >= least * (1 - 1e-9)) & (of_class[:, None] > 0) & (of_class > 0)
        first, second = np.nonzero(np.triu(often))
        n_pairs = np.where(
            first == second,
            of_class[first] * (of_class[first] - 1) // 2,
            of_class[first] * of_class[second],
        )
        if n_pairs.sum() > most:
            return None
        order = items[np.argsort(self.row[items], kind="stable")]
        begin = np.cumsum(of_class) - of_class
        # each item of the first class beside each of the second, within a class once
        number, place = ranges(0, of_class[first] * of_class[second])
        a, b = first[number], second[number]
        left, right = np.divmod(place, of_class[b])
        once = (a != b) | (left < right)
        left, right = order[(begin[a] + left)[once]], order[(begin[b] + right)[once]]
        return np.column_stack((np.minimum(left, right), np.maximum(left, right)))


def size_model(item_count: Ints, basket_size: Ints, n_baskets: Ints | None = None) -> SizeModel:
    """Fit the chance of each item in each basket to the numbers of both, as `margins` has them.

    With `n_baskets` so many baskets have each size.
    """
    counts, row, n_of_count = np.unique(item_count, return_inverse=True, return_counts=True)
    sizes, column = np.unique(basket_size, return_inverse=True)
    if sizes.size and sizes[0] == 0:
        sizes, column = sizes[1:], np.maximum(column - 1, 0)
    filled = basket_size > 0
    each = None if n_baskets is None else n_baskets[filled]
    n_of_size = np.bincount(column[filled], each, minlength=len(sizes)).astype(np.int64)
    real = counts > 0
    p = np.zeros((len(counts), len(sizes)))
    p[real] = cell_probabilities(
        *(part.astype(np.float64) for part in (counts[real], n_of_count[real], sizes, n_of_size))
    )
    spread = np.maximum(n_of_count @ (p * (1 - p)), 1e-300)
    root = np.zeros_like(p)
    scarce = (sizes > 1) & ((1 - p[real].min(axis=0, initial=1)) ** 2 >= spread)
    root[np.ix_(real, scarce)] = _roots(p[real][:, scarce], n_of_count[real], sizes[scarce])
    return SizeModel(p, row, column, filled, sizes, n_of_size, spread, root)


def _roots(p: Floats, n_of_count: Ints, size: Ints) -> Floats:
    """Return a, in the shape of p, with a_i times the sum of all other a equal to (s - 1) p_i."""
    root = p * np.sqrt((size - 1) / size)
    for _ in range(SWEEPS):
        others = np.maximum(n_of_count @ root - root, 1e-300)
        # halfway, on the scale of logarithms: whole steps would go to and fro
        step = np.sqrt((size - 1) * p / (root * others))
        root = root * step
        if (np.abs(step - 1) <= TOLERANCE).all():
            break
    return root


def chance_of_as_many(count: ArrayLike, expected: ArrayLike, spread: ArrayLike = 1.0) -> Floats:
    """Return the p-value of `count` baskets with both items, both shapes (m,); counts above 0.

    The tail of Poisson's distribution. The count is a sum over baskets that differ, whose upper
    tail beyond the mean is never larger [4]_: the p-value errs on the safe side. Where baskets come
    in clusters, `spread` times as variable, both numbers are divided by it, as Rao and Scott do.
    """
    count, expected, spread = (np.asarray(x, dtype=np.float64) for x in (count, expected, spread))
    tail: Floats = special.gammainc(count / spread, expected / spread)
    return tail


def chance_of_as_few(count: ArrayLike, expected: ArrayLike, spread: ArrayLike) -> Floats:
    """Return the p-value of at most `count` baskets with both items; see `chance_of_as_many`."""
    count, expected, spread = (np.asarray(x, dtype=np.float64) for x in (count, expected, spread))
    tail: Floats = special.gammaincc(count / spread + 1, expected / spread)
    return tail
