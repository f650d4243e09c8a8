"""A price that is known: spend without anything to learn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._checks import Problems, check_number, number_array
from crmkit._frames import read_customers

if TYPE_CHECKING:
    from collections.abc import Callable

    from crmkit._typing import Floats, Ints

__all__ = ["KnownPrice"]


class KnownPrice:
    """What a purchase costs, as one number or as a column; stands where a model of spend does."""

    # No coefficients, however many draws the other model has.
    coefficient_covariance_: Floats = np.zeros((0, 0))
    coefficient_draws_: Floats = np.zeros((1_000_000, 0))

    def __init__(self, price: Any) -> None:
        self.price = price

    def predict(self, customers: Any) -> pd.DataFrame:
        """Return the price of each customer as the expected amount."""
        if not isinstance(self.price, str):
            table = read_customers(customers)
            amount = np.full(len(table), check_number(self.price, "spend"))
        else:
            table = read_customers(customers, needs=[self.price])
            problems = Problems("customers")
            amount = number_array(table[self.price], problems, self.price, low=0.0)
            problems.raise_if_any()
        return pd.DataFrame({"customer_id": table["customer_id"], "expected_amount": amount})

    def _amounts_ahead(self, customers: Any) -> Callable[[Ints, Ints, np.random.Generator], Floats]:
        """Return what tells the price of each owner: at draw d customer i of n is d n + i."""
        amount, _ = self._amount(customers)
        return lambda _, owner, __: amount[owner % amount.size]

    def _amount(self, customers: Any) -> tuple[Floats, Floats]:
        """Return the prices (n,); there is nothing to derive them in."""
        amount = self.predict(customers)["expected_amount"].to_numpy(np.float64)
        return amount, np.empty((amount.size, 0))

    def _amount_at(self, customers: Any, draws: Floats) -> Floats:
        """Return the prices at every draw, (d, n): they are known."""
        amount, _ = self._amount(customers)
        return np.broadcast_to(amount, (len(draws), amount.size))
