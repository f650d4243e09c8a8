"""What the models of spend share: which purchases stay, and what those that do are worth."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._checks import Problems, check_number, number_array, random_generator
from crmkit._frames import read_customers, with_account
from crmkit.clv._math.returns import draw_staying, odds_of_staying, p_stays, simulate_kept
from crmkit.clv._model.base import LikelihoodModel
from crmkit.clv._model.intervals import (
    Interval,
    customers_at_draws,
    is_predictive,
    one_amount_each,
    values_at_draws,
)
from crmkit.clv._model.margins import LearnsMargins
from crmkit.clv._model.priors import is_about
from crmkit.clv._model.rows import designs_of, parameters_at
from crmkit.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

    from crmkit._typing import Floats, Ints
    from crmkit.clv._math.returns import SpendLaw
    from crmkit.clv._math.rows import Rows

__all__ = ["SpendModel"]


class SpendModel(LearnsMargins, LikelihoodModel):
    """P(a purchase stays) x the mean of those that stay; rows hold ``bought`` and ``kept``."""

    # The law without returns.
    _spends: SpendLaw
    returns_: bool

    @property
    def _law(self) -> SpendLaw:
        """Return the law, with the parameters of returns where something was returned."""
        return self._spends.with_returns() if getattr(self, "returns_", False) else self._spends

    @property
    def _columns(self) -> tuple[str, ...]:  # type: ignore[override]
        return ("frequency", "monetary_value", "first_amount", "kept_purchases")

    def _usable(self, rows: Rows) -> Rows:
        """Return the rows that were bought by, or without returns those with an amount."""
        counts = rows.columns
        seen = rows.weight > 0.0
        if not (counts["kept"][seen] > 0.0).any():
            raise InputError(
                "`customers`: nobody has a purchase with an amount above 0 that counts, so there "
                "is no spend to learn from."
            )
        returned = bool((counts["kept"] < counts["bought"])[seen].any())
        self.returns_ = returned or (self._knows_returns() and is_about(self.prior, "p_kept"))
        keep = counts["bought" if self.returns_ else "kept"] > 0.0
        designs = (*rows.designs[: len(self._spends.names)], None, None)[: len(self._names)]
        return replace(rows, designs=designs).where(keep)

    def _stays(self, theta: list[Any], columns: dict[str, Floats]) -> Floats:
        """Return P(a purchase stays) of each row; 1 where the model has seen no returns."""
        if not self._law.returns:
            return np.ones_like(columns["kept"])
        return p_stays(theta, columns["kept"], columns["bought"])

    def _expected(self, theta: list[Any], columns: dict[str, Floats]) -> Floats:
        """Return the expected amounts; NaN where the mean is infinite."""
        value = self._with_infinity(theta, columns)
        return np.where(np.isinf(value), np.nan, value)

    def _with_infinity(self, theta: list[Any], columns: dict[str, Floats]) -> Floats:
        """Return the expected amounts, infinite ones too."""
        return self._law.expected(theta, columns) * self._stays(theta, columns)

    def predict(
        self,
        customers: Any,
        *,
        interval: Interval | None = None,
        confidence_level: float = 0.95,
    ) -> pd.DataFrame:
        """Predict each customer's mean amount per purchase, returned purchases counted as 0.

        Parameters
        ----------
        customers : DataFrame
            One row per customer, with the columns that ``fit`` needs. A new customer is a row
            with ``frequency`` 0 whose ``first_amount`` is missing.
        interval : {"delta", "posterior", "predictive"}, optional
            Adds an interval for the expected amount: what the data leave open about the
            parameters, by derivatives, or with a prior by draws; or for one amount to come, whose
            lower limit leaves out at most half of what is to be left out, the upper one the rest.
        confidence_level : float
            Level of the interval. At a boundary (``boundary_``) 64 to 80 % of those of 95 % hold,
            with a prior 93 to 100 % (measured without first purchases).

        Returns
        -------
        pandas.DataFrame
            One row per customer in the order of the input:

            * ``customer_id`` - as given.
            * ``p_kept`` (float) - probability that a purchase stays and is not returned; only with
              the first purchase.
            * ``expected_amount`` (float) - mean amount per future purchase, in the unit of
              ``monetary_value``: ``p_kept`` x the mean of those that stay. NaN where the fitted
              mean is infinite (``attrs["account"]`` counts such customers).
            * ``std_error`` (float) - its standard error. Optional.
            * ``conf_low`` (float) - lower bound of its interval. Optional.
            * ``conf_high`` (float) - upper bound. Optional.

        Raises
        ------
        NotFittedError
            If ``fit`` has not been called.
        InputError
            If values are impossible.
        """
        self._check_fitted()
        level = check_number(confidence_level, "confidence_level")
        frame, rows = self._rows(customers)
        value, _ = self._with_gradient(rows, self._expected, gradient=False)
        result: dict[str, Any] = {"customer_id": frame["customer_id"]}
        if self._knows_returns():
            result["p_kept"], _ = self._with_gradient(rows, self._stays, gradient=False)
        result["expected_amount"] = value
        if interval is not None:
            if is_predictive(interval):
                result |= one_amount_each(self, frame, level)
            else:
                about = self._expected if interval == "delta" else self._with_infinity
                result |= self._interval(rows, about, interval, level)
        account = {"customers_with_infinite_mean": int(np.isnan(value).sum())}
        if self._knows_returns() and not self.returns_:
            returned = (rows.columns["kept"] < rows.columns["bought"])[rows.inverse]
            account["returns_taken_for_none"] = int(returned.sum())
        return with_account(pd.DataFrame(result), account)

    def _amount_at(self, customers: Any, draws: Floats) -> Floats:
        """Return expected amounts at every draw of the coefficients, (d, n), infinite ones too."""
        _, rows = self._rows(customers)
        return values_at_draws(rows, self._with_infinity, draws)[:, rows.inverse]

    def _amounts_ahead(self, customers: Any) -> Callable[[Ints, Ints, np.random.Generator], Floats]:
        """Return what draws an amount for each owner: at draw d customer i of n is d n + i."""
        _, rows = self._rows(customers)

        def amounts(which: Ints, owner: Ints, rng: np.random.Generator) -> Floats:
            theta, columns = customers_at_draws(rows, self.coefficient_draws_[which])
            amount = self._law.ahead(theta, columns, owner, rng)
            if self._law.returns:
                amount *= draw_staying(theta, columns["kept"], columns["bought"], owner, rng)
            return amount

        return amounts

    def return_table(self, customers: Any, *, confidence_level: float = 0.95) -> pd.DataFrame:
        """Tell how probable it is that a purchase of each customer stays.

        Parameters
        ----------
        customers : DataFrame
            One row per customer, with the columns that ``fit`` needs.
        confidence_level : float
            Level of the interval: what the data leave open about how much customers differ. At a
            boundary (``boundary_``) 46 to 79 % of those of 95 % hold.

        Returns
        -------
        pandas.DataFrame
            One row per customer in the order of the input:

            * ``customer_id`` - as given.
            * ``p_kept`` (float) - probability that a purchase stays and is not returned; 1 for all
              if ``fit`` saw no returns (``returns_``).
            * ``std_error`` (float) - its standard error; missing if it saw none.
            * ``conf_low`` (float) - lower bound of its interval; missing if it saw none.
            * ``conf_high`` (float) - upper bound; missing if it saw none.

        Raises
        ------
        NotFittedError
            If ``fit`` has not been called.
        InputError
            If values are impossible.
        """
        self._check_fitted()
        level = check_number(confidence_level, "confidence_level")
        frame, rows = self._rows(customers)
        value, _ = self._with_gradient(rows, self._stays, gradient=False)
        if not self.returns_:
            nothing = dict.fromkeys(("std_error", "conf_low", "conf_high"), np.nan)
            return pd.DataFrame({"customer_id": frame["customer_id"], "p_kept": value, **nothing})
        found = self._interval(rows, self._odds, "delta", level)
        odds = {name: found[name] / (1.0 + found[name]) for name in ("conf_low", "conf_high")}
        error = found["std_error"] * (1.0 - value) ** 2  # from the odds to the probability
        told = {"customer_id": frame["customer_id"], "p_kept": value, "std_error": error}
        return pd.DataFrame({**told, **odds})

    def _odds(self, theta: list[Any], columns: dict[str, Floats]) -> Floats:
        """Return the odds that a purchase stays."""
        return odds_of_staying(theta, columns["kept"], columns["bought"])

    def _amount(self, customers: Any) -> tuple[Floats, Floats]:
        """Return the expected amounts (n,) and their derivatives in the coefficients (n, p)."""
        self._check_fitted()
        _, rows = self._rows(customers)
        return self._with_gradient(rows, self._expected)

    def _knows_returns(self) -> bool:
        """Tell whether the model counts purchases that were returned."""
        return True

    def simulate(self, customers: Any, *, random_state: int | None = None) -> pd.DataFrame:
        """Draw new amounts from the fitted model.

        Parameters
        ----------
        customers : DataFrame
            ``customer_id``, ``frequency`` (repeat purchases to draw for each) and the covariates.
        random_state : int, optional
            Seed of the draw; the same seed and table give the same draw.

        Returns
        -------
        pandas.DataFrame
            One row per customer in the order of the input:

            * ``customer_id`` - as given.
            * ``frequency`` (int) - as given.
            * ``monetary_value`` (float) - mean amount of that many purchases; 0 without any.
            * ``first_amount`` (float) - amount of the first purchase. Optional.
            * ``kept_purchases`` (int) - purchases that were not returned. Optional.
            * ``log_amount_mean``, ``log_amount_std`` (float) - moments of the logarithms of the
              amounts of those. Optional.
            * ``mean_amount`` (float) - the customer's true mean: the hidden truth.
        """
        self._check_fitted()
        frame = read_customers(customers, needs=["frequency", *self._covariate_columns()])
        problems = Problems("customers")
        x = number_array(frame["frequency"], problems, "frequency", low=0.0)
        values = self._covariate_values(frame, problems)
        problems.raise_if_any()
        theta = parameters_at(self.coefficients_, designs_of(self._covariates(), values))
        rng = random_generator(random_state)
        first = np.full(x.shape, float(self._knows_returns()))
        later, chance = x, np.ones_like(x)
        if getattr(self, "returns_", False):
            first, later, chance = simulate_kept(theta, x + 1.0, rng)
        opening, rest, own, mean = self._law.simulate(theta, (first, later), rng)
        table: dict[str, Any] = {"customer_id": frame["customer_id"]}
        table |= {"frequency": x.astype(np.int64), "monetary_value": rest / np.maximum(x, 1.0)}
        if self._knows_returns():
            table["first_amount"] = opening
            table["kept_purchases"] = (first + later).astype(np.int64)
        return pd.DataFrame({**table, **own, "mean_amount": chance * mean})
