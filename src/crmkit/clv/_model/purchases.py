"""What all models of repeat purchases share: their table, predictions and simulation.

For :func:`lifetime_value`: ``model._discounted(customers, horizon_days=..., annual_discount_rate=
...)`` returns the expected discounted purchases of each customer, shape (n,), and their
derivatives in the coefficients, shape (n, p), whose covariance is
``model.coefficient_covariance_``; ``math.inf`` is an infinite horizon.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd

from crmkit._checks import Problems, check_number, check_optional, number_array, random_generator
from crmkit._frames import read_customers
from crmkit.clv._math.accounting import DAYS_PER_YEAR
from crmkit.clv._model.base import LikelihoodModel
from crmkit.clv._model.future import check_horizon, check_length, check_rate, purchases_ahead
from crmkit.clv._model.intervals import (
    Interval,
    continued,
    gone_on,
    is_predictive,
    predictive_interval,
    values_at_draws,
)
from crmkit.clv._model.rows import designs_of, parameters_at

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from crmkit._typing import Floats, Ints
    from crmkit.clv._math.ahead import Ahead
    from crmkit.clv._math.law import Future, PurchaseLaw

__all__ = ["PurchaseModel"]


class PurchaseModel(LikelihoodModel):
    """Holds a law of repeat purchases, fitted to a table of customers."""

    # The column that says how long a customer was observed.
    _length: ClassVar[str]

    def __init__(
        self,
        *,
        purchase_covariates: Sequence[str] = (),
        dropout_covariates: Sequence[str] = (),
        tie: Sequence[Sequence[str]] = (),
        l2: float = 0.0,
        prior: Any = None,
        n_draws: int = 1000,
        random_state: int | None = None,
    ) -> None:
        self.purchase_covariates = purchase_covariates
        self.dropout_covariates = dropout_covariates
        self.tie = tie
        self.l2 = l2
        self.prior = prior
        self.n_draws = n_draws
        self.random_state = random_state

    @property
    @abstractmethod
    def _law(self) -> PurchaseLaw: ...

    def _future(self, theta: list[Any], columns: dict[str, Floats]) -> Future:
        """Return the posterior of customers with these parameters and histories."""
        return self._law.future(theta, columns)

    def predict(
        self,
        customers: Any,
        *,
        horizon_days: float | str = DAYS_PER_YEAR,
        annual_discount_rate: float | None = None,
        alive_in_days: float | None = None,
        interval: Interval | None = None,
        confidence_level: float = 0.95,
    ) -> pd.DataFrame:
        """Predict each customer's purchases after the end of observation.

        A new customer is a row with ``frequency``, ``recency`` and ``T`` of 0.

        Parameters
        ----------
        customers : DataFrame
            One row per customer, with the columns that ``fit`` needs.
        horizon_days : float or str
            Days to look ahead; ``math.inf`` for the rest of the relationship; or words such as
            ``"6 months"``, from the day in the column ``as_of`` on.
        annual_discount_rate : float, optional
            Rate per year, such as 0.10. Adds ``discounted_purchases``: one after t days
            counts ``(1 + rate) ** (-t / 365)``.
        alive_in_days : float, optional
            Adds ``p_alive_later``, the probability of being a customer so many days ahead,
            whatever is bought until then.
        interval : {"delta", "posterior", "predictive"}, optional
            Adds an interval for the expected (or, with a rate, the discounted) purchases: what the
            data leave open about the parameters, by derivatives, or with a prior by draws; or,
            with a prior, for the purchases that will be made by customers of such a history. Its
            lower limit leaves out at most half of what is to be left out, the upper one the rest.
        confidence_level : float
            Level of the interval. At a boundary (``boundary_``) 49 to 90 % of those of 95 % hold.

        Returns
        -------
        pandas.DataFrame
            One row per customer in the order of the input:

            * ``customer_id`` - as given.
            * ``p_alive`` (float) - probability of being a customer still, 0 to 1.
            * ``p_alive_later`` (float) - the same `alive_in_days` ahead. Optional.
            * ``expected_purchases`` (float) - purchases within the horizon.
            * ``discounted_purchases`` (float) - the same in today's purchases. Optional.
            * ``std_error`` (float) - its standard error, or deviation of what will come. Optional.
            * ``conf_low`` (float) - lower bound of its interval. Optional.
            * ``conf_high`` (float) - upper bound. Optional.

        Raises
        ------
        NotFittedError
            If ``fit`` has not been called.
        InputError
            If values are impossible, or the expectation is infinite or beyond a thousand years.
        """
        self._check_fitted()
        level = check_number(confidence_level, "confidence_level")
        frame, rows = self._rows(customers, distinct=interval is not None)
        days = check_horizon(horizon_days, frame)
        theta = parameters_at(self.coefficients_, rows.designs)
        future = self._future(theta, rows.columns)
        result: dict[str, Any] = {
            "customer_id": frame["customer_id"],
            "p_alive": future.p_alive[rows.inverse],
        }
        later = check_optional(alive_in_days, "alive_in_days")
        if later is not None:
            result["p_alive_later"] = future.survival(later)[rows.inverse]
        rate = 0.0
        if annual_discount_rate is None or math.isfinite(days):
            expected = purchases_ahead(future, days)[rows.inverse]
            result["expected_purchases"] = expected
        if annual_discount_rate is not None:
            rate = check_rate(annual_discount_rate)
            discounted = purchases_ahead(future, days, rate)
            result["discounted_purchases"] = discounted[rows.inverse]
        if interval is not None:

            def function(theta: list[Any], columns: dict[str, Floats]) -> Floats:
                return self._future(theta, columns).expected(days, rate)

            if is_predictive(interval):
                result |= predictive_interval(frame, self, level=level, days=days, rate=rate)
            else:
                result |= self._interval(rows, function, interval, level)
        return pd.DataFrame(result)

    def purchase_probabilities(
        self, customers: Any, *, horizon_days: float = DAYS_PER_YEAR, max_purchases: int = 10
    ) -> pd.DataFrame:
        """Tell how probable each number of purchases is, for each customer.

        Parameters
        ----------
        customers : DataFrame
            One row per customer, with the columns that ``fit`` needs.
        horizon_days : float
            Days to look ahead.
        max_purchases : int
            The largest number of purchases to tell about.

        Returns
        -------
        pandas.DataFrame
            One row per customer, in the order of the input, and number of purchases:

            * ``customer_id`` - as given.
            * ``purchases`` (int) - 0 to `max_purchases`.
            * ``p_exactly`` (float) - probability of just that many purchases.
            * ``p_at_least`` (float) - probability of that many or more.
        """
        self._check_fitted()
        days = check_number(horizon_days, "horizon_days", rule="alive_in_days")
        top = check_number(max_purchases, "max_purchases")
        frame, rows = self._rows(customers, distinct=False)
        theta = parameters_at(self.coefficients_, rows.designs)
        future, counts = self._future(theta, rows.columns), np.arange(top + 1.0)
        exactly = at_least = np.where(counts == 0.0, 1.0, 0.0) * np.ones((future.p_alive.size, 1))
        if days > 0.0:
            exactly, at_least = future.exactly(days, counts), future.at_least(days, counts)
        repeated = np.repeat(np.arange(len(frame)), counts.size)
        return pd.DataFrame(
            {
                "customer_id": frame["customer_id"].iloc[repeated].reset_index(drop=True),
                "purchases": np.tile(counts.astype(np.int64), len(frame)),
                "p_exactly": exactly[rows.inverse].ravel(),
                "p_at_least": at_least[rows.inverse].ravel(),
            }
        )

    def _discounted(
        self,
        customers: Any,
        *,
        horizon_days: float | str,
        annual_discount_rate: float,
        gradient: bool = True,
    ) -> tuple[Floats, Floats]:
        """Return expected discounted purchases (n,) and their derivatives (n, p)."""
        self._check_fitted()
        rate = check_rate(annual_discount_rate)
        frame, rows = self._rows(customers, distinct=gradient)
        days = check_horizon(horizon_days, frame)

        def function(theta: list[Any], columns: dict[str, Floats]) -> Floats:
            return purchases_ahead(self._future(theta, columns), days, rate)

        return self._with_gradient(rows, function, gradient=gradient)

    def _discounted_at(
        self, customers: Any, draws: Floats, *, horizon_days: float, annual_discount_rate: float
    ) -> Floats:
        """Return expected discounted purchases at every draw of the coefficients, (d, n)."""
        rate = check_rate(annual_discount_rate)
        frame, rows = self._rows(customers)
        days = check_horizon(horizon_days, frame)

        def function(theta: list[Any], columns: dict[str, Floats]) -> Floats:
            return purchases_ahead(self._future(theta, columns), days, rate)

        return values_at_draws(rows, function, draws)[:, rows.inverse]

    def _ahead(self, customers: Any, days: float) -> Callable[[Ints, np.random.Generator], Ahead]:
        """Return what continues histories at some draws; draw d of customer i is d n + i."""
        _, rows = self._rows(customers)
        return lambda which, rng: continued(
            self._future, rows, self.coefficient_draws_[which], days, rng
        )

    def _new_customers(self, kinds: pd.DataFrame, days: Floats) -> Floats:
        """Return what customers without a history buy within each number of days, (n, days)."""
        _, rows = self._rows(kinds)
        future = self._future(parameters_at(self.coefficients_, rows.designs), rows.columns)
        return np.column_stack([future.expected(float(t))[rows.inverse] for t in days])

    def simulate(
        self,
        customers: Any,
        *,
        horizon_days: float | None = None,
        random_state: int | None = None,
    ) -> pd.DataFrame:
        """Draw new histories from the fitted model, or continue old ones.

        Both exactly and without discretising time. A model with a posterior continues histories
        with the parameters of one of its draws, which another seed draws anew.

        Parameters
        ----------
        customers : DataFrame
            ``customer_id``, ``T`` (how long to simulate each, in days; ``periods`` for models in
            whole periods) and the covariates; to go on, all columns that ``fit`` needs.
        horizon_days : float, optional
            Days to look ahead: the histories of `customers` go on for so long. The default draws
            new ones.
        random_state : int, optional
            Seed of the draw; the same seed and table give the same draw.

        Returns
        -------
        pandas.DataFrame
            One row per customer in the order of the input:

            * ``customer_id`` - as given.
            * ``purchases`` (int) - made within the horizon; only with one. Optional.
            * the columns that ``fit`` needs, as drawn; without a horizon.
            * ``sum_log_gaps`` (float) - sum of the logarithms of the gaps in days. Optional.
            * ``alive`` (bool) - whether the customer still was one at the end: the hidden truth.
              Optional.
        """
        self._check_fitted()
        days = check_optional(horizon_days, "horizon_days", rule="alive_in_days")
        if days is not None:
            frame, rows = self._rows(customers)
            rng, draws = random_generator(random_state), self.coefficient_draws_
            at = rng.choice(draws, 1) if len(draws) else self.coefficients_[None, :]
            found = gone_on(continued(self._future, rows, at, days, rng))
            return pd.DataFrame({"customer_id": frame["customer_id"], **found})
        frame = read_customers(customers, needs=[self._length, *self._covariate_columns()])
        problems = Problems("customers")
        length = number_array(frame[self._length], problems, self._length, low=0.0)
        values = self._covariate_values(frame, problems)
        problems.raise_if_any()
        theta = parameters_at(self.coefficients_, designs_of(self._covariates(), values))
        law = self._law
        check_length(length, self._length, most=law.longest, do=law.too_long)
        drawn = law.simulate(theta, length, random_generator(random_state))
        return pd.DataFrame({"customer_id": frame["customer_id"], **drawn})
