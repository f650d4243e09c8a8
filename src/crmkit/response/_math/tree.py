"""Trees on coded variables: grown best first, stopped by a test."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from crmkit._typing import Bools, Floats, Ints


__all__ = ["Coded", "Criterion", "grow_tree", "leaf_of", "rate_criterion", "uplift_criterion"]


@dataclass(frozen=True, slots=True)
class Coded:
    """A variable as codes 0 .. size - 1 of shape (n,); the last code stands for missing.

    ``ordered`` tells whether the codes but the last have an order.
    """

    codes: NDArray[np.integer]
    size: int
    ordered: bool


@dataclass(frozen=True, slots=True)
class Criterion:
    """What a split is judged by, from sums per side, arrays of shape (k, w).

    ``statistic(left, right)`` gives a chi-squared statistic with one degree of freedom per
    candidate, shape (k,), -inf where a side is too small; ``level(cells)`` what to order by.
    """

    statistic: Callable[[Floats, Floats], Floats]
    level: Callable[[Floats], Floats]


def rate_criterion(min_size: float) -> Criterion:
    """Judge by Pearson's chi-squared of two rates; sums are (others, responders)."""

    def statistic(left: Floats, right: Floats) -> Floats:
        n1, n0 = left.sum(axis=1), right.sum(axis=1)
        both = left + right
        n = n1 + n0
        cross = left[:, 1] * right[:, 0] - left[:, 0] * right[:, 1]
        scale = n1 * n0 * both[:, 0] * both[:, 1]
        z2 = np.divide(n * cross**2, scale, out=np.full(n.shape, -np.inf), where=scale > 0)
        return np.where(np.minimum(n1, n0) >= min_size, z2, -np.inf)

    return Criterion(statistic, lambda cells: _ratio(cells[:, 1], cells.sum(axis=1)))


def uplift_criterion(min_size: float, *, money: bool) -> Criterion:
    """Judge by the squared z of the difference of two effects (Su et al. 2009, eq. 3).

    Sums are (control others, control responders, treated others, treated responders) or, for
    `money`, (control n, treated n, control sum, treated sum, control squares, treated squares).
    Each side needs `min_size` customers in each arm.
    """

    def arms(cells: Floats) -> tuple[Floats, Floats, Floats, Floats]:
        if money:
            n = cells[:, :2]
            mean = _ratio(cells[:, 2:4], n)
            variance = np.maximum(_ratio(cells[:, 4:], n) - mean**2, 0.0)
        else:
            n = np.column_stack([cells[:, 0] + cells[:, 1], cells[:, 2] + cells[:, 3]])
            mean = _ratio(cells[:, [1, 3]], n)
            variance = mean * (1 - mean)
        # One degree of freedom per mean, as in the sample variance.
        return n[:, 0], n[:, 1], mean[:, 1] - mean[:, 0], _ratio(variance, n - 1).sum(axis=1)

    def statistic(left: Floats, right: Floats) -> Floats:
        c1, t1, effect1, variance1 = arms(left)
        c0, t0, effect0, variance0 = arms(right)
        least = np.minimum(np.minimum(c1, t1), np.minimum(c0, t0))
        variance = variance1 + variance0
        ok = (least >= max(min_size, 2)) & (variance > 0)
        return np.divide(
            (effect1 - effect0) ** 2, variance, out=np.full(ok.shape, -np.inf), where=ok
        )

    return Criterion(statistic, lambda cells: arms(cells)[2])


def grow_tree(
    variables: list[Coded],
    cell: NDArray[np.integer],
    n_cells: int,
    criterion: Criterion,
    *,
    values: Floats | None = None,
    max_leaves: int,
    alpha: float,
) -> list[list[Bools]]:
    """Split the leaf and variable with the largest statistic until nothing significant is left.

    `cell` (n,) is each row's class (outcome, arm, or both), `values` (n,) an amount to be summed
    per class. A p-value is multiplied by the number of ways in which the leaf could have been
    split (Bonferroni; Kass 1980): places to cut for ordered codes, subsets for others. Returns,
    per leaf, one mask of allowed codes per variable.
    """
    data = _Data(variables, cell, n_cells, values)
    rows = np.arange(cell.size)
    everything = [np.ones(variable.size, dtype=bool) for variable in variables]
    root = _Leaf(rows, data.cells_of(rows), everything)
    leaves, serial = 1, 0
    queue: list[tuple[float, int, _Leaf, tuple[float, int, Bools]]] = []
    final: list[list[Bools]] = []

    def consider(leaf: _Leaf) -> None:
        nonlocal serial
        split = _best_split(leaf, variables, criterion, alpha)
        if split is None:
            final.append(leaf.region)
            return
        serial += 1
        heapq.heappush(queue, (-split[0], serial, leaf, split))

    consider(root)
    while queue and leaves < max_leaves:
        _, _, leaf, (_, at, mask) = heapq.heappop(queue)
        for child in data.split(leaf, at, mask):
            consider(child)
        leaves += 1
    return final + [leaf.region for _, _, leaf, _ in sorted(queue, key=lambda item: item[:2])]


def leaf_of(variables: list[Coded], regions: list[list[Bools]]) -> Ints:
    """Return the leaf of every row, shape (n,)."""
    leaf = np.full(variables[0].codes.size, -1, dtype=np.int64)
    for number, region in enumerate(regions):
        inside = np.ones(leaf.size, dtype=bool)
        for variable, mask in zip(variables, region, strict=True):
            if not mask.all():
                inside &= mask[variable.codes]
        leaf[inside] = number
    return leaf


@dataclass(frozen=True, slots=True)
class _Leaf:
    """Rows of a leaf, their sums per variable and code, and the codes that lead here."""

    rows: Ints
    cells: list[Floats]
    region: list[Bools]


class _Data:
    """The coded rows, and how their sums per code are taken."""

    def __init__(
        self,
        variables: list[Coded],
        cell: NDArray[np.integer],
        n_cells: int,
        values: Floats | None,
    ) -> None:
        self.variables = variables
        self.cell = cell.astype(np.int64)
        self.n_cells = n_cells
        self.values = values

    def cells_of(self, rows: Ints) -> list[Floats]:
        """Return, per variable, sums per code and class of these rows, shape (size, w)."""
        everything = rows.size == self.cell.size
        cell = self.cell if everything else self.cell[rows]
        values = self.values if self.values is None or everything else self.values[rows]
        found = []
        for variable in self.variables:
            codes = variable.codes if everything else variable.codes[rows]
            key = codes * np.int64(self.n_cells) + cell
            shape, length = (variable.size, self.n_cells), variable.size * self.n_cells
            parts = [np.bincount(key, minlength=length).reshape(shape).astype(np.float64)]
            if values is not None:
                for weight in (values, values**2):
                    sums = np.bincount(key, weights=weight, minlength=length)
                    parts.append(sums.reshape(shape).astype(np.float64))
            found.append(np.concatenate(parts, axis=1))
        return found

    def split(self, leaf: _Leaf, at: int, mask: Bools) -> tuple[_Leaf, _Leaf]:
        """Divide a leaf; the larger side's sums are what the smaller side leaves."""
        left = mask[self.variables[at].codes[leaf.rows]]
        sides = [leaf.rows[left], leaf.rows[~left]]
        small = int(sides[1].size < sides[0].size)
        sums = self.cells_of(sides[small])
        rest = [whole - part for whole, part in zip(leaf.cells, sums, strict=True)]
        cells = (sums, rest) if small == 0 else (rest, sums)
        region = [
            [
                allowed & side if number == at else allowed
                for number, allowed in enumerate(leaf.region)
            ]
            for side in (mask, ~mask)
        ]
        return _Leaf(sides[0], cells[0], region[0]), _Leaf(sides[1], cells[1], region[1])


def _best_split(
    leaf: _Leaf, variables: list[Coded], criterion: Criterion, alpha: float
) -> tuple[float, int, Bools] | None:
    """Return statistic, variable and left codes of the best split, None if it may be chance."""
    best: tuple[float, int, Bools] | None = None
    tests = 0.0
    for at, (variable, cells) in enumerate(zip(variables, leaf.cells, strict=True)):
        found, ways = _split_variable(variable, cells, criterion)
        tests += ways
        if found is not None and (best is None or found[0] > best[0] * (1 + 1e-12)):
            best = (found[0], at, found[1])
    if best is None or special.chdtrc(1, best[0]) * tests > alpha:
        return None
    return best


def _split_variable(
    variable: Coded, cells: Floats, criterion: Criterion
) -> tuple[tuple[float, Bools] | None, float]:
    """Return the best statistic and left codes of one variable, and in how many ways it splits."""
    present = np.flatnonzero(cells.any(axis=1))
    missing = variable.size - 1
    if present.size < 2:
        return None, 0.0
    if variable.ordered:
        known = present[present != missing]
        orders = (
            [known] if present[-1] != missing else [np.r_[known, missing], np.r_[missing, known]]
        )
        ways = float(known.size - 1) * len(orders) + (len(orders) - 1)
    else:
        level = criterion.level(cells[present])
        orders = [present[np.lexsort((present, level))]]
        ways = 2.0 ** min(present.size - 1, 1000) - 1
    best: tuple[float, Bools] | None = None
    for order in orders:
        sums = np.cumsum(cells[order], axis=0)
        value = criterion.statistic(sums[:-1], sums[-1] - sums[:-1])
        cut = int(np.argmax(value))
        if np.isfinite(value[cut]) and (best is None or value[cut] > best[0]):
            mask = np.zeros(variable.size, dtype=bool)
            mask[order[: cut + 1]] = True
            if variable.ordered:
                mask = _spread(mask, order, cut, missing)
            best = (float(value[cut]), mask)
    return best, ways


def _spread(mask: Bools, order: Ints, cut: int, missing: int) -> Bools:
    """Let codes that are absent from the leaf follow the side their neighbours are on."""
    numbers = order[: cut + 1][order[: cut + 1] != missing]
    full = np.zeros_like(mask)
    if numbers.size:
        full[: numbers.max() + 1] = True
    full[missing] = mask[missing]
    return full


def _ratio(a: Floats, b: Floats) -> Floats:
    """Return a / b, 0 where b is not positive."""
    return np.divide(a, b, out=np.zeros(np.shape(a)), where=b > 0)
