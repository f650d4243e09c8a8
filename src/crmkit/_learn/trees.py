"""Many small trees as one mean: boosted or averaged, grown by scikit-learn, kept as arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from crmkit._checks import random_generator
from crmkit._estimator import json_part

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from crmkit._typing import Floats


__all__ = ["TreeStyle", "TreesMean", "fit_trees"]

_DEEPEST = 12
# Rows that one tree is grown on at most: more trees see more rows, each stays cheap.
_MOST_ROWS = 20_000
# Rows that are led through the trees at a time, so that what is looked up stays in the cache.
_IN_CACHE = 1 << 14


@dataclass(frozen=True, slots=True)
class TreeStyle:
    """How trees are grown: ``n_trees`` to a ``depth``, on a ``share`` of the rows each.

    ``leaf`` is the least share of a tree's rows in a leaf, never below 5 rows. With a ``rate``
    above 0 each tree learns what the ones before left, and adds that share of it (Friedman 2002,
    stochastic gradient boosting); with 0 trees are averaged, each split choosing among
    ``features`` of the columns (Breiman 2001).
    """

    n_trees: int
    depth: int
    leaf: float
    share: float
    rate: float = 0.0
    features: float = 1.0


@json_part
@dataclass(frozen=True, slots=True)
class TreesMean:
    """A sum of trees: nodes of all of them in a row, ``roots`` (t,) where each begins.

    A row goes ``left`` where its ``feature`` is at most ``threshold``; leaves lead to themselves.
    """

    feature: NDArray[np.int32]
    threshold: NDArray[np.float64]
    left: NDArray[np.int32]
    right: NDArray[np.int32]
    value: NDArray[np.float64]
    roots: NDArray[np.int32]
    intercept: float

    def mean(self, matrix: Floats) -> Floats:
        """Return the mean outcome per row."""
        # Trees were grown on single precision: what is compared must be the same to the last bit.
        x = np.ascontiguousarray(matrix, dtype=np.float32)
        # Wide indices, or numpy widens them again at each step.
        feature = self.feature.astype(np.intp)
        child = np.column_stack((self.left, self.right)).ravel().astype(np.intp)
        total = np.full(len(x), self.intercept)
        for low in range(0, len(x), _IN_CACHE):
            cells = x[low : low + _IN_CACHE].ravel()
            row = np.arange(0, len(cells), x.shape[1])
            for root in self.roots:
                node = np.full(len(row), root, dtype=np.intp)
                for _ in range(_DEEPEST):
                    right = cells.take(row + feature.take(node)) > self.threshold.take(node)
                    after = child.take(2 * node + right)
                    if np.array_equal(after, node):
                        break
                    node = after
                total[low : low + _IN_CACHE] += self.value.take(node)
        return total


def fit_trees(
    matrix: Floats, outcome: Floats, style: TreeStyle, random_state: int | None
) -> TreesMean:
    """Fit trees to the mean of `outcome` (n,) on features (n, p)."""
    from sklearn import config_context
    from sklearn.tree import DecisionTreeRegressor
    from sklearn.utils import check_random_state

    rng = random_generator(random_state, fixed=0)
    x = np.ascontiguousarray(matrix, dtype=np.float32)
    n = outcome.size
    size = min(max(int(style.share * n), 1), _MOST_ROWS)
    intercept = float(outcome.mean()) if style.rate else 0.0
    left_over, parts, first = outcome - intercept, [], 0
    scale = style.rate or 1 / style.n_trees
    drawn = check_random_state(int(rng.integers(2**31)))
    # What is given was checked before; for small trees the checks would cost more than growing.
    with config_context(assume_finite=True, skip_parameter_validation=True):
        for _ in range(style.n_trees):
            rows = rng.choice(n, size, replace=False, shuffle=False)
            grown = DecisionTreeRegressor(
                max_depth=style.depth,
                min_samples_leaf=max(5, int(style.leaf * size)),
                max_features=style.features,
                random_state=drawn,
            ).fit(x[rows], left_over[rows], check_input=False)
            if style.rate:
                left_over = left_over - style.rate * grown.predict(x, check_input=False)
            tree = grown.tree_
            own = np.arange(tree.node_count)
            leaf = tree.children_left < 0
            parts.append(
                (
                    np.where(leaf, 0, tree.feature),
                    np.where(leaf, 0.0, tree.threshold),
                    first + np.where(leaf, own, tree.children_left),
                    first + np.where(leaf, own, tree.children_right),
                    scale * tree.value[:, 0, 0],
                    np.array([first]),
                )
            )
            first += tree.node_count
    feature, threshold, left, right, value, roots = (
        np.concatenate(column) for column in zip(*parts, strict=True)
    )
    whole = (np.asarray(one, dtype=np.int32) for one in (feature, left, right, roots))
    feature, left, right, roots = whole
    return TreesMean(feature, threshold, left, right, value, roots, intercept)
