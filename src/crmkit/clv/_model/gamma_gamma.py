"""The gamma-gamma model of spend."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd

from crmkit._checks import Problems, check_number, number_array, random_generator
from crmkit._frames import read_customers
from crmkit.clv._math.likelihood import Part, compressed_part
from crmkit.clv._math.spend import (
    counts_density,
    expected_spend,
    simulate_spend,
    spend_density,
)
from crmkit.clv._model.base import LikelihoodModel
from crmkit.clv._model.rows import Rows, parameters_at
from crmkit.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crmkit._typing import Floats
    from crmkit.clv._model.intervals import Interval

__all__ = ["GammaGamma"]


class GammaGamma(LikelihoodModel):
    """Gamma-gamma: spend per purchase varies around a customer mean that differs by customer.

    Purchases of a customer are gamma-distributed (shape ``p``) with a rate that is gamma across
    customers (``q``, ``v``). A prediction shrinks the observed mean towards the population's, the
    more so the fewer purchases there were.

    Parameters
    ----------
    spend_covariates : list of str
        Columns that act on spend: the mean is multiplied by ``exp(effect * value)``.
    tie : list of lists of str
        Groups of terms that are held equal.
    l2 : float
        Ridge penalty ``l2 / 2 * effect ** 2`` on the effects of covariates.
    n_draws : int
        Bootstrap draws, each a refit with weights, for ``interval="bootstrap"``.
    random_state : int, optional
        Seed of the bootstrap.

    Attributes
    ----------
    parameters_ : DataFrame
        ``term, estimate, std_error, conf_low, conf_high`` (95 %, on the log scale where positive).
        Where ``boundary_`` names a limit, 0 to 59 % of them hold the truth.
    covariance_ : DataFrame
        Covariance of the estimates.
    log_likelihood_, aic_, bic_ : float
        Of the observed mean spends.
    converged_, gradient_norm_, boundary_
        How the search ended; ``boundary_`` names the limiting model, if it is one.

    Notes
    -----
    Customers without a repeat purchase, or whose mean spend is not positive, carry no information
    about spend: ``fit`` leaves them out (``n_customers_`` says how many remain) and ``predict``
    gives them the mean of the population.

    References
    ----------
    .. [1] Fader, P. S. and Hardie, B. G. S. (2013). The gamma-gamma model of monetary value.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit import clv
    >>> customers = pd.DataFrame({
    ...     "customer_id": range(8),
    ...     "frequency": [0, 2, 5, 1, 3, 2, 9, 1],
    ...     "monetary_value": [0.0, 22.0, 48.0, 35.0, 18.0, 31.0, 25.0, 60.0],
    ... })
    >>> spend = clv.GammaGamma().fit(customers)
    >>> spend.parameters_["term"].tolist()
    ['p', 'q', 'v']
    >>> spend.predict(customers).columns.tolist()
    ['customer_id', 'expected_amount']
    """

    _names: ClassVar[tuple[str, ...]] = ("p", "q", "v")
    _scaled: ClassVar[tuple[str, ...]] = ("v",)
    _columns: ClassVar[tuple[str, ...]] = ("frequency", "monetary_value")
    _processes: ClassVar[dict[str, tuple[tuple[str, float, str], ...]]] = {
        "spend": (("v", 1.0, "spend"),)
    }
    _limits: ClassVar[tuple[tuple[frozenset[str], str], ...]] = (
        (
            frozenset({"q+", "v+"}),
            "all customers have the same mean spend (q and v grow without bound)",
        ),
        (
            frozenset({"p+", "v-"}),
            "a customer spends the same each time (p grows without bound, v goes to 0)",
        ),
        (
            frozenset({"p+", "q+"}),
            "everybody spends the same each time (p and q grow without bound)",
        ),
    )

    def __init__(
        self,
        *,
        spend_covariates: Sequence[str] = (),
        tie: Sequence[Sequence[str]] = (),
        l2: float = 0.0,
        n_draws: int = 0,
        random_state: int | None = None,
    ) -> None:
        self.spend_covariates = spend_covariates
        self.tie = tie
        self.l2 = l2
        self.n_draws = n_draws
        self.random_state = random_state

    def _read(self, frame: pd.DataFrame, problems: Problems) -> dict[str, Floats]:
        x = number_array(frame["frequency"], problems, "frequency", low=0.0)
        z = number_array(frame["monetary_value"], problems, "monetary_value", allow_missing=True)
        problems.rows(
            np.isnan(z) & (x > 0.0),
            "column 'monetary_value' is missing although `frequency` is above 0",
            do="Give the mean amount of the repeat purchases, or drop these rows.",
        )
        seen = (x > 0.0) & (z > 0.0)
        return {"frequency": np.where(seen, x, 0.0), "monetary_value": np.where(seen, z, 0.0)}

    def _usable(self, rows: Rows) -> Rows:
        seen = rows.columns["frequency"] > 0.0
        if not rows.weight[seen].sum() > 0.0:
            raise InputError(
                "`customers`: nobody has a repeat purchase with a positive `monetary_value`, so "
                "there is no spend to learn from."
            )
        return Rows(
            {name: column[seen] for name, column in rows.columns.items()},
            tuple(None if design is None else design[seen] for design in rows.designs),
            rows.weight[seen],
            rows.inverse,
        )

    def _unit(self, rows: Rows) -> float:
        return float(np.average(rows.columns["monetary_value"], weights=rows.weight))

    def _in_unit(self, rows: Rows, unit: float) -> Rows:
        columns = rows.columns | {"monetary_value": rows.columns["monetary_value"] / unit}
        return Rows(columns, rows.designs, rows.weight, rows.inverse)

    def _unit_power(self, rows: Rows) -> float:
        return float(rows.weight.sum())

    def _parts(self, rows: Rows) -> list[Part]:
        x, z = rows.columns["frequency"], rows.columns["monetary_value"]
        counts = compressed_part(counts_density, (x,), rows.weight, rows.designs, uses=(0, 1))
        return [counts, Part(spend_density, (x, z), rows.weight, rows.designs)]

    def _starts(self, rows: Rows) -> list[list[float]]:
        del rows  # spend comes in units of its mean
        return [np.log(start).tolist() for start in ((3.0, 3.0, 1.0), (1.0, 20.0, 20.0))]

    def predict(
        self,
        customers: Any,
        *,
        interval: Interval | None = None,
        confidence_level: float = 0.95,
    ) -> pd.DataFrame:
        """Predict each customer's mean amount per purchase.

        Parameters
        ----------
        customers : DataFrame
            One row per customer with ``customer_id``, ``frequency``, ``monetary_value`` and the
            covariates.
        interval : {"delta", "bootstrap"}, optional
            Adds an interval for the expected amount: what the data leave open about the
            parameters. ``"bootstrap"`` needs ``n_draws`` at fitting.
        confidence_level : float
            Level of the interval. At a boundary (``boundary_``) 64 % of those of 95 % hold.

        Returns
        -------
        pandas.DataFrame
            One row per customer in the order of the input:

            * ``customer_id`` - as given.
            * ``expected_amount`` (float) - mean amount per future purchase, in the unit of
              ``monetary_value``.
            * ``std_error`` (float) - its standard error. Optional.
            * ``conf_low`` (float) - lower bound of its interval. Optional.
            * ``conf_high`` (float) - upper bound. Optional.

        Raises
        ------
        NotFittedError
            If ``fit`` has not been called.
        InputError
            If the fitted mean spend is infinite (``p x + q <= 1``), or values are impossible.
        """
        self._check_fitted()
        level = check_number(confidence_level, "confidence_level")
        frame, rows = self._rows(customers)
        value, _ = self._with_gradient(rows, _expected, gradient=False)
        result: dict[str, Any] = {"customer_id": frame["customer_id"], "expected_amount": value}
        if interval is not None:
            result |= self._interval(rows, _expected, interval, level)
        return pd.DataFrame(result)

    def _amount(self, customers: Any, *, gradient: bool = True) -> tuple[Floats, Floats]:
        """Return the expected amounts (n,) and their derivatives in the coefficients (n, p)."""
        self._check_fitted()
        _, rows = self._rows(customers)
        return self._with_gradient(rows, _expected, gradient=gradient)

    def simulate(self, customers: Any, *, random_state: int | None = None) -> pd.DataFrame:
        """Draw new mean spends from the fitted model.

        Parameters
        ----------
        customers : DataFrame
            ``customer_id``, ``frequency`` (purchases to draw for each) and the covariates.
        random_state : int, optional
            Seed of the draw; the same seed and table give the same draw.

        Returns
        -------
        pandas.DataFrame
            One row per customer in the order of the input:

            * ``customer_id`` - as given.
            * ``frequency`` (int) - as given.
            * ``monetary_value`` (float) - mean amount of that many purchases; 0 without any.
            * ``mean_amount`` (float) - the customer's true mean: the hidden truth.
        """
        self._check_fitted()
        triples = self._covariates()[2]
        frame = read_customers(customers, needs=["frequency", *(name for name, _, _ in triples)])
        problems = Problems("customers")
        x = number_array(frame["frequency"], problems, "frequency", low=0.0)
        values = [s * number_array(frame[name], problems, name) for name, s, _ in triples]
        problems.raise_if_any()
        designs = [None, None, np.column_stack(values) if values else None]
        theta = parameters_at(self.coefficients_, designs)
        z, mean = simulate_spend(theta, x, random_generator(random_state))
        return pd.DataFrame(
            {
                "customer_id": frame["customer_id"],
                "frequency": x.astype(np.int64),
                "monetary_value": z,
                "mean_amount": mean,
            }
        )


def _expected(theta: list[Any], columns: dict[str, Floats]) -> Floats:
    """Return the expected amounts or say in words that a mean is infinite."""
    value = expected_spend(theta, columns["frequency"], columns["monetary_value"])
    infinite = int(np.isinf(value).sum())
    if infinite:
        raise InputError(
            f"`customers`: the fitted mean spend is infinite for {infinite:,} kinds of customers, "
            "because spend varies too much between customers (p x + q <= 1). Cap or trim extreme "
            "amounts before fitting, or predict only customers with more repeat purchases."
        )
    return value
