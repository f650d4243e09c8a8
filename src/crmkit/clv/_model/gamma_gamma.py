"""The gamma-gamma model of spend."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from crmkit._checks import Problems, check_flag, number_array
from crmkit.clv._math.spend import GammaSpend
from crmkit.clv._model.spend import SpendModel
from crmkit.clv._model.spend_read import purchase_counts

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from crmkit._typing import Floats
    from crmkit.clv._math.rows import Rows

__all__ = ["GammaGamma"]


class GammaGamma(SpendModel):
    """Gamma-gamma: spend per purchase varies around a customer mean that differs by customer.

    Purchases of a customer are gamma-distributed (shape ``p``) with a rate that is gamma across
    customers (``q``, ``v``). A prediction shrinks the observed mean towards the population's, the
    more so the fewer purchases there were. Where purchases were returned, a purchase stays with a
    probability that is beta across customers (``kept``, ``returned``), and the expected amount is
    that probability times the mean of those that stay.

    ``fit`` needs ``frequency``, ``monetary_value``, ``first_amount`` and ``kept_purchases`` of a
    :func:`purchase_table`.

    Parameters
    ----------
    first_purchase : bool
        Learn from all purchases and from what was returned. False is the model of [1]_: the
        repeat purchases alone, of ``frequency`` and ``monetary_value``; who has none, or a mean
        of 0 or less, is left out and gets the mean of the population.
    spend_covariates : list of str
        Columns that act on spend: the mean is multiplied by ``exp(effect * value)``.
    tie : list of lists of str
        Groups of terms that are held equal.
    l2 : float
        Ridge penalty ``l2 / 2 * effect ** 2`` on the effects of covariates.
    prior : str or DataFrame, optional
        What is thought likely before the data: ``"weak"``, or a table of ``term``, ``low`` and
        ``high`` (95 % lie between) like ``prior_``; terms it lacks keep their weak default. The
        default is none: maximum likelihood.
    n_draws : int
        Posterior draws to keep where there is a prior, for ``interval="posterior"`` and
        ``"predictive"``.
    random_state : int, optional
        Seed of the draws.

    Attributes
    ----------
    parameters_ : DataFrame
        ``term, estimate, std_error, conf_low, conf_high`` (95 %, on the log scale where positive).
        Where ``boundary_`` names a limit, 0 to 59 % of them hold the truth.
    covariance_ : DataFrame
        Covariance of the estimates.
    log_likelihood_, aic_, bic_ : float
        Of the observed mean spends.
    returns_ : bool
        Whether anything was returned: then there are the parameters ``kept`` and ``returned``.
    margin_ : dict or None
        What was learned of costs, from a table with ``margins``: the ``mean`` margin of an order,
        and its variance ``between`` customers and ``within`` one.
    converged_, gradient_norm_, boundary_
        How the search ended; ``boundary_`` names the limiting model, if it is one.
    prior_, posterior_
        As in :class:`crmkit.clv.BGNBD`. A prior is stated in ``amount`` (``p v / q``; weak: a
        hundredth to a hundred times the observed mean), ``order_spread`` (``1 / sqrt(p)``),
        ``amount_spread`` (``1 / sqrt(q)``: how customers differ), ``p_kept`` and ``kept_spread``.

    Notes
    -----
    Of spend with a heavy tail the fitted mean of who has bought nothing yet may be infinite (q of 1
    or less), or large beyond belief: :class:`LognormalSpend` always has a mean. Returns that are
    still to come are not foreseen: end the log a return period ago where that matters.

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
    ...     "first_amount": [30.0, 20.0, 55.0, 41.0, 12.0, 25.0, 22.0, 48.0],
    ...     "kept_purchases": [1, 3, 6, 2, 3, 3, 10, 2],
    ... })
    >>> spend = clv.GammaGamma().fit(customers)
    >>> spend.parameters_["term"].tolist()
    ['p', 'q', 'v', 'kept', 'returned']
    >>> spend.predict(customers).columns.tolist()
    ['customer_id', 'p_kept', 'expected_amount']
    """

    _spends = GammaSpend()

    def __init__(
        self,
        *,
        first_purchase: bool = True,
        spend_covariates: Sequence[str] = (),
        tie: Sequence[Sequence[str]] = (),
        l2: float = 0.0,
        prior: Any = None,
        n_draws: int = 1000,
        random_state: int | None = None,
    ) -> None:
        self.first_purchase = first_purchase
        self.spend_covariates = spend_covariates
        self.tie = tie
        self.l2 = l2
        self.prior = prior
        self.n_draws = n_draws
        self.random_state = random_state

    @property
    def _columns(self) -> tuple[str, ...]:  # type: ignore[override]
        columns = super()._columns
        return columns if self._knows_returns() else columns[:2]

    def _knows_returns(self) -> bool:
        return check_flag(self.first_purchase, "first_purchase")

    @classmethod
    def _as_in_lifetimes(cls) -> GammaGamma:
        return cls(first_purchase=False)

    def _read(self, frame: pd.DataFrame, problems: Problems) -> dict[str, Floats]:
        z = number_array(frame["monetary_value"], problems, "monetary_value", allow_missing=True)
        if self._knows_returns():
            columns = purchase_counts(frame, problems)
            x, k = columns["bought"] - 1.0, columns["kept"]
            first = number_array(frame["first_amount"], Problems(""), "", allow_missing=True)
        else:
            x = number_array(frame["frequency"], problems, "frequency", low=0.0)
            k, first = np.where(z > 0.0, x, 0.0), np.zeros_like(x)
            columns = {"bought": k, "kept": k}
        problems.rows(
            np.isnan(z) & (x > 0.0),
            "column 'monetary_value' is missing although `frequency` is above 0",
            do="Give the mean amount of the repeat purchases, or drop these rows.",
        )
        total = np.where(x > 0.0, x * z, 0.0) + np.where(k > 0.0, first, 0.0)
        problems.rows(
            (k > 0.0) & (total <= 0.0),
            "`kept_purchases` is above 0, but the amounts add up to 0 or less",
            do="Say how many purchases were not returned.",
        )
        return {**columns, "amount": total / np.maximum(k, 1.0)}

    def _unit(self, rows: Rows) -> float:
        rows = rows.where(rows.columns["kept"] > 0.0)
        return float(np.average(rows.columns["amount"], weights=rows.weight))

    def _in_unit(self, rows: Rows, unit: float) -> Rows:
        columns = rows.columns | {"amount": rows.columns["amount"] / unit}
        return replace(rows, columns=columns)

    def _unit_power(self, rows: Rows) -> float:
        return float(rows.weight[rows.columns["kept"] > 0.0].sum())
