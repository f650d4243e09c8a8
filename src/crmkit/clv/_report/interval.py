"""How far the parameters leave a value open: derivatives, or the models' draws."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from crmkit.clv._model.future import check_horizon, check_rate
from crmkit.clv._model.intervals import (
    check_draws,
    in_a_row,
    predictive_interval,
    quantile_interval,
)

if TYPE_CHECKING:
    import pandas as pd

    from crmkit._typing import Floats, Ints
    from crmkit.clv._model.intervals import Interval
    from crmkit.clv._model.protocols import PurchaseDrawer, SpendDrawer


__all__ = ["Valuation"]

# Draws times customers held at once: the more, the less often what many share is computed.
_CELLS = 20_000_000


@dataclass(frozen=True, slots=True)
class Valuation:
    """Values ``share x amount x discounted purchases`` of the n customers of a table."""

    table: pd.DataFrame
    purchases: PurchaseDrawer
    spend: SpendDrawer
    share: Floats
    options: dict[str, Any]

    def delta(self, group: Ints | None, n_groups: int) -> Floats:
        """Return the variance of each customer's value, or of each group's total."""
        count, by_purchases = self.purchases._discounted(self.table, **self.options)
        amount, by_spend = self.spend._amount(self.table)
        slopes: tuple[tuple[Any, Floats], ...] = (
            (self.purchases, by_purchases * (self.share * amount)[:, None]),
            (self.spend, by_spend * (self.share * count)[:, None]),
        )
        variance = np.zeros(n_groups)
        for model, each in slopes:
            summed = each if group is None else _totals(each, group, n_groups)
            covariance = model.coefficient_covariance_
            variance += np.maximum(np.einsum("ij,jk,ik->i", summed, covariance, summed), 0.0)
        return variance

    def drawn(
        self, interval: Interval, count: Floats, group: Ints | None, n_groups: int, level: float
    ) -> dict[str, Floats]:
        """Return error and limits of each customer's value, or of each group's total, by draws."""
        if interval == "predictive":
            return predictive_interval(
                self.table,
                self.purchases,
                self.spend,
                level=level,
                days=check_horizon(self.options["horizon_days"], self.table),
                rate=check_rate(self.options["annual_discount_rate"]),
                share=self.share,
                group=group,
                n_groups=n_groups,
            )
        by_purchases = check_draws(self.purchases, "The model of purchases")
        by_spend = check_draws(self.spend, "The model of spend")
        # In an order of their own: the same seed must not make the two models move together.
        by_spend = np.random.default_rng(0).permutation(by_spend)
        size = min(len(by_purchases), len(by_spend))
        by_purchases, by_spend = by_purchases[:size], by_spend[:size]
        step, blocks, totals = max(1, _CELLS // size), [], np.zeros((size, n_groups))
        # Who is alike comes together, so that few of a block differ.
        order = np.argsort(count, kind="stable")
        for start in range(0, len(self.table), step):
            rows = order[start : start + step]
            some = self.table.iloc[rows]
            values = self.purchases._discounted_at(some, by_purchases, **self.options)
            values *= self.spend._amount_at(some, by_spend)
            values *= self.share[rows]
            if group is None:
                blocks.append(quantile_interval(values, level))
            else:
                totals += _totals(values.T, group[rows], n_groups).T
        if group is not None:
            return quantile_interval(totals, level)
        place = np.empty_like(order)
        place[order] = np.arange(order.size)
        return {name: told[place] for name, told in in_a_row(blocks).items()}


def _totals(values: Floats, group: Ints, n_groups: int) -> Floats:
    """Sum the rows of `values` by group, shape (groups, columns)."""
    known = np.nan_to_num(values)  # who has no value is in no total
    found = [np.bincount(group, column, minlength=n_groups) for column in known.T]
    return np.array(found, dtype=np.float64).reshape(-1, n_groups).T
