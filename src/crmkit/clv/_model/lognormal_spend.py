"""The lognormal model of spend, for amounts with a heavy tail."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from crmkit._checks import Problems, number_array
from crmkit.clv._math.lognormal import LognormalAmounts
from crmkit.clv._model.spend import SpendModel
from crmkit.clv._model.spend_read import purchase_counts

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from crmkit._typing import Floats
    from crmkit.clv._math.rows import Rows

__all__ = ["LognormalSpend"]


class LognormalSpend(SpendModel):
    """Lognormal spend: amounts with a heavy tail, whose mean is finite for everybody.

    The logarithms of a customer's amounts vary with the variance ``within`` around a mean of the
    customer's own, and those means with the variance ``between`` around the logarithm of
    ``median``. A prediction shrinks the customer's mean logarithm towards the population's. Take
    it where a few customers bring much of the money, as firms do; :class:`GammaGamma` then gives
    means that are infinite or beyond belief. What was returned counts as there.

    ``fit`` needs the columns of ``purchase_table(log, heavy_tails=True)``.

    Parameters
    ----------
    spend_covariates : list of str
        Columns that act on spend: the median is multiplied by ``exp(effect * value)``.
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
    parameters_, covariance_, log_likelihood_, aic_, bic_, converged_, gradient_norm_, boundary_
        As in :class:`crmkit.clv.GammaGamma`; the likelihood is that of every amount, not of means.
    prior_, posterior_
        As in :class:`crmkit.clv.BGNBD`. A prior is stated in ``amount`` (``median``; weak: a
        hundredth to a hundred times the observed one), in ``order_spread`` and ``amount_spread``,
        the deviations of logarithms within and between customers, ``p_kept`` and ``kept_spread``.
    returns_ : bool
        Whether anything was returned: then there are the parameters ``kept`` and ``returned``.
    margin_ : dict or None
        What was learned of costs, from a table with ``margins``: the ``mean`` margin of an order,
        and its variance ``between`` customers and ``within`` one.

    References
    ----------
    .. [1] Efron, B. and Morris, C. (1975). Data analysis using Stein's estimator and its
       generalizations. Journal of the American Statistical Association 70(350), 311-319.

    Examples
    --------
    >>> from crmkit import clv, datasets
    >>> log = datasets.make_transactions(300, random_state=1)["transactions"]
    >>> customers = clv.purchase_table(log, heavy_tails=True)
    >>> spend = clv.LognormalSpend().fit(customers)
    >>> spend.parameters_["term"].tolist()
    ['median', 'within', 'between']
    >>> spend.predict(customers).columns.tolist()
    ['customer_id', 'p_kept', 'expected_amount']
    """

    _spends = LognormalAmounts()

    def __init__(
        self,
        *,
        spend_covariates: Sequence[str] = (),
        tie: Sequence[Sequence[str]] = (),
        l2: float = 0.0,
        prior: Any = None,
        n_draws: int = 1000,
        random_state: int | None = None,
    ) -> None:
        self.spend_covariates = spend_covariates
        self.tie = tie
        self.l2 = l2
        self.prior = prior
        self.n_draws = n_draws
        self.random_state = random_state

    @property
    def _columns(self) -> tuple[str, ...]:  # type: ignore[override]
        counts = ("frequency", "first_amount", "kept_purchases")
        return (*counts, "log_amount_mean", "log_amount_std")

    def _read(self, frame: pd.DataFrame, problems: Problems) -> dict[str, Floats]:
        columns = purchase_counts(frame, problems)
        kept = columns["kept"] > 0.0
        for name, low in (("log_amount_mean", None), ("log_amount_std", 0.0)):
            values = number_array(frame[name], problems, name, low=low, allow_missing=True)
            problems.rows(
                np.isnan(values) & kept,
                f"column {name!r} is missing although `kept_purchases` is above 0",
                do="Make the table with purchase_table(..., heavy_tails=True).",
            )
            columns[name] = np.where(kept, values, 0.0)
        columns["log_amount_std"] = np.where(columns["kept"] > 1.0, columns["log_amount_std"], 0.0)
        return columns

    def _unit(self, rows: Rows) -> float:
        rows = rows.where(rows.columns["kept"] > 0.0)
        return float(np.exp(np.average(rows.columns["log_amount_mean"], weights=rows.weight)))

    def _in_unit(self, rows: Rows, unit: float) -> Rows:
        mean = rows.columns["log_amount_mean"] - np.log(unit)
        return replace(rows, columns=rows.columns | {"log_amount_mean": mean})

    def _unit_power(self, rows: Rows) -> float:
        return float(rows.weight @ rows.columns["kept"])
