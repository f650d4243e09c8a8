"""What the models of spend learn of costs: the share of an amount that is earned."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np

from crmkit._arguments import optional_columns
from crmkit._checks import Problems, number_array
from crmkit._frames import read_customers
from crmkit.clv._math.credibility import Credibility, learn_credibility

if TYPE_CHECKING:
    import pandas as pd

    from crmkit._typing import Floats

__all__ = ["LearnsMargins", "margins_of"]

_MARGINS = ("margin", "margin_std", "margin_orders")
_COLUMNS = (*_MARGINS, "frequency", "monetary_value", "first_amount")


class LearnsMargins:
    """Part of a model of spend: from tables that have them it learns how margins differ."""

    margin_: dict[str, float] | None

    def fit(self, customers: Any, *, weights: str | None = None) -> Self:
        """Fit the model of amounts, then what orders of customers earn."""
        self.margin_ = None
        super().fit(customers, weights=weights)  # type: ignore[misc]
        table = read_customers(customers, named=weights is None)
        if not set(_MARGINS) <= set(table.columns):
            return self
        ratio, deviation, orders, money = _read(table)
        times = np.ones(len(table))
        if weights is not None:
            (column,) = optional_columns(weights=weights)
            times = number_array(table[column], Problems("customers"), column)
        seen = (orders > 0.0) & (times > 0.0)
        ratio, deviation, orders, money, times = (
            values[seen] for values in (ratio, deviation, orders, money, times)
        )
        freedom = np.maximum(orders - 1.0, 0.0)
        squares = freedom * deviation**2
        found = learn_credibility(ratio, orders, squares, freedom, money, times)
        self.margin_ = {"mean": found.mean, "within": found.within, "between": found.between}
        return self


def margins_of(spend: Any, customers: pd.DataFrame) -> Floats | None:
    """Return the margin that a model, or models by group, expect of each customer's orders, (n,).

    None where nothing was learned of costs.
    """
    if hasattr(spend, "models_"):
        found = np.full(len(customers), np.nan)
        for model, rows in spend._by_model(customers):
            told = margins_of(model, customers.iloc[rows])
            found[rows] = np.nan if told is None else told
        return None if np.isnan(found).all() else found
    if getattr(spend, "margin_", None) is None:
        return None
    ratio, _, orders, _ = _read(customers)
    return Credibility(**spend.margin_).expected(ratio, orders)


def _read(table: pd.DataFrame) -> tuple[Floats, ...]:
    """Return margins, deviations of an order's, the orders they are of, and their amounts; (n,)."""
    table = read_customers(table, needs=_COLUMNS)
    problems = Problems("customers")
    ratio, deviation, orders, x, mean, first = (
        number_array(table[name], problems, name, allow_missing=True) for name in _COLUMNS
    )
    problems.raise_if_any()
    money = np.maximum(np.nan_to_num(x * np.nan_to_num(mean) + first), 0.0)
    orders = np.where(np.isnan(ratio), 0.0, np.nan_to_num(orders))
    return ratio, np.nan_to_num(deviation), orders, money
