"""A price that is known: spend without anything to learn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._checks import Problems, check_number, number_array
from crmkit._frames import read_customers

if TYPE_CHECKING:
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

    def _amounts_ahead(
        self, customers: Any, which: Ints, owner: Ints, rng: np.random.Generator
    ) -> Floats:
        """Return the price of each `owner`: customer i of n at the d-th draw is d n + i."""
        del which, rng
        amount = self.predict(customers)["expected_amount"].to_numpy()
        return np.asarray(amount[owner % amount.size], dtype=np.float64)

    def _amount(
        self, customers: Any, *, gradient: bool = True, finite: bool = True
    ) -> tuple[Floats, Floats]:
        """Return the prices (n,); there is nothing to derive them in."""
        del gradient, finite
        amount = self.predict(customers)["expected_amount"].to_numpy()
        return amount, np.empty((amount.size, 0))

    def _at(self, coefficients: Floats) -> KnownPrice:
        """Return the same: a price has no coefficients."""
        del coefficients
        return self
