"""How well one column alone tells a yes or no, measured on rows that had no say in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from crmkit._arrays import normal_quantile, rank_bins, wilson_interval
from crmkit._learn.classifier import customer_folds
from crmkit._learn.judging import area_under_curve

if TYPE_CHECKING:
    from crmkit._typing import Bools, Floats, Ints


__all__ = ["Judge", "cells_of_numbers"]

_CELLS = 32
_FOLDS = 5
# Rows looked at: many more than it takes to tell almost perfect order.
_MOST = 50_000
# Honest columns come near this only where most customers have long been lost.
_ALMOST_PERFECT = 0.99
# A part of the customers is certain where even the lower limit of its rate is above this.
_CERTAIN = 0.95
_FALSE_ALARMS = 0.001


def cells_of_numbers(values: Floats) -> Ints:
    """Return a cell per value, (n,), -1 where missing: one per value, or parts of equal size."""
    cells = np.full(values.size, -1, dtype=np.int64)
    known = np.isfinite(values)
    distinct, codes = np.unique(values[known], return_inverse=True)
    cells[known] = codes if distinct.size <= _CELLS else rank_bins(values[known], _CELLS)
    return cells


@dataclass(frozen=True, slots=True)
class Judge:
    """The rows on which columns are judged: ``rows`` (m,) of the table, outcome and fold of each.

    ``spread`` is the standard error of an area under the curve that knows nothing, by customers:
    several rows of one customer are no news.
    """

    rows: Ints
    outcome: Floats
    fold: Ints
    spread: float

    @classmethod
    def of(cls, outcome: Floats, groups: Ints, order: Ints) -> Judge | None:
        """Choose rows, evenly from an `order` of all that no order of input changes.

        None where too few customers have either outcome.
        """
        rows = order
        if rows.size > _MOST:
            rows = rows[np.linspace(0, rows.size - 1, _MOST).astype(np.int64)]
        outcome, groups = outcome[rows], groups[rows]
        with_yes, with_no = (np.unique(groups[outcome == one]).size for one in (1, 0))
        never = np.unique(groups).size - with_yes
        if min(with_yes, with_no) < 2 or never == 1:
            return None
        fold = customer_folds(groups, outcome, _FOLDS, None)
        spread = float(np.sqrt((with_yes + with_no + 1) / (12 * with_yes * with_no)))
        return cls(rows, outcome, fold, spread)

    def area(self, cells: Ints, values: Floats | None) -> float:
        """Return the area under the curve of a column: by its cells or by its order, the better.

        `cells` (m,) are levels or parts, -1 for missing ones; `values` (m,) order them, NaN where
        missing. Rates of the cells and the direction of the order come from the other folds.
        """
        found = self._by_rates(cells)
        if values is not None and np.isfinite(values).any():
            known = np.isfinite(values)
            middle = np.where(known, values, np.median(values[known]))
            found = max(found, self._by_order(middle))
        return found

    def _by_rates(self, cells: Ints) -> float:
        """Return the area of the rate of each row's cell in the other folds."""
        size, folds = int(cells.max(initial=-1)) + 2, int(self.fold.max()) + 1
        place = self.fold * size + cells + 1
        yes, n = (
            np.bincount(place, weights=weights, minlength=folds * size).reshape(folds, size)
            for weights in (self.outcome, None)
        )
        yes, n = yes.sum(axis=0) - yes, n.sum(axis=0) - n
        base = yes.sum(axis=1, keepdims=True) / n.sum(axis=1, keepdims=True)
        rate = (yes + base) / (n + 1)
        return area_under_curve(rate.ravel()[place], self.outcome)

    def _by_order(self, values: Floats) -> float:
        """Return the mean area within folds of the order in the direction of the others."""
        folds = range(int(self.fold.max()) + 1)
        inside = [self.fold == fold for fold in folds]
        area = np.array([area_under_curve(values[one], self.outcome[one]) for one in inside])
        known = np.isfinite(area)
        above = np.where(known, area - 0.5, 0.0)
        along = np.where(above.sum() - above < 0, -above, above)
        return float(0.5 + along.sum() / max(known.sum(), 1))

    def almost_perfect(self, area: float, columns: int) -> bool:
        """Tell whether a column ranks too well to be honest, and not by chance among so many."""
        sure = normal_quantile(1 - 2 * _FALSE_ALARMS / columns) * self.spread
        return area >= _ALMOST_PERFECT and area - 0.5 > sure

    def certain(self, cells: Ints) -> Bools:
        """Tell of each row whether its cell always had the rarer outcome, in enough rows."""
        rare = self.outcome if self.outcome.mean() <= 0.5 else 1 - self.outcome
        n = np.bincount(cells + 1)
        all_rare = np.bincount(cells + 1, weights=rare) == n
        low, _ = wilson_interval(n, n, 0.95)
        return (all_rare & (low > _CERTAIN))[cells + 1]
