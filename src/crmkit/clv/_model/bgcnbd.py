"""The beta-geometric models with regular purchases."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from scipy import special

from crmkit._checks import Problems, check_number, number_array, require_columns
from crmkit.clv._math.beta_geometric import BetaGeometric
from crmkit.clv._model.day_model import DayModel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crmkit.clv._math.rows import Rows

__all__ = ["BGCNBD", "MBGCNBD"]


class _Regular(DayModel):
    """What BG/CNBD-k and MBG/CNBD-k share."""

    _largest: ClassVar[int] = 12
    _first_chance: ClassVar[int] = 0
    k_: int

    def __init__(
        self,
        *,
        k: int | None = None,
        purchase_covariates: Sequence[str] = (),
        dropout_covariates: Sequence[str] = (),
        tie: Sequence[Sequence[str]] = (),
        l2: float = 0.0,
        prior: Any = None,
        n_draws: int = 1000,
        random_state: int | None = None,
    ) -> None:
        self.k = k
        self.purchase_covariates = purchase_covariates
        self.dropout_covariates = dropout_covariates
        self.tie = tie
        self.l2 = l2
        self.prior = prior
        self.n_draws = n_draws
        self.random_state = random_state

    @property
    def _law(self) -> BetaGeometric:
        """Return the law of the regularity under trial or found."""
        return BetaGeometric(k=getattr(self, "k_", 1), first_chance=self._first_chance)

    def fit(self, customers: Any, *, weights: str | None = None) -> Self:
        """Fit the model by maximum likelihood, trying k = 1, 2, ... until it falls.

        Parameters
        ----------
        customers : DataFrame
            One row per customer with ``customer_id``, ``frequency``, ``recency``, ``T``,
            ``sum_log_gaps`` and the covariates: ``purchase_table(log, regularity=True)``.
        weights : str, optional
            Column with the weight of each row.

        Returns
        -------
        Self
            The fitted model.
        """
        tried = range(1, self._largest + 1)
        if self.k is not None:
            k = check_number(self.k, "k", high=self._largest)
            tried = range(k, k + 1)
        frame, rows = self._rows(customers, weights, learn=True)
        require_columns(
            frame.columns,
            ["sum_log_gaps"],
            "customers",
            do="Make the table with purchase_table(log, regularity=True).",
        )
        problems = Problems("customers")
        gaps = number_array(frame["sum_log_gaps"], problems, "sum_log_gaps")
        problems.raise_if_any()
        each = number_array(frame[weights], problems, weights) if weights else np.ones(len(frame))
        best: dict[str, Any] | None = None
        for k in tried:
            self.k_ = k
            self._fit_rows(rows, drawn=False)
            # The density of an Erlang-k gap t holds t^(k - 1) / (k - 1)!.
            count = float(rows.weight @ rows.columns["frequency"])
            known = (k - 1) * float(each @ gaps) - float(special.gammaln(k)) * count
            self._judge(self.log_likelihood_ + known, self.n_parameters_ + (self.k is None))
            if best is not None and self.log_likelihood_ <= best["log_likelihood_"]:
                break
            best = self._fitted()
        found = best or {}
        if self.prior is not None:
            # Draws are made only for the regularity that was found.
            self.k_ = found["k_"]
            self._fit_rows(rows)
            self._judge(found["log_likelihood_"], found["n_parameters_"])
        else:
            for name, value in found.items():
                setattr(self, name, value)
        return self

    def _unit_power(self, rows: Rows) -> float:
        return self.k_ * super()._unit_power(rows)


class BGCNBD(_Regular):
    """BG/CNBD-k: like BG/NBD, for customers who buy at regular intervals.

    The gaps between purchases are Erlang-k instead of exponential: at k = 1 purchases are
    random, at larger k they come like clockwork, and a missing one says more.

    ``fit`` needs ``sum_log_gaps`` beside ``frequency``, ``recency`` and ``T``:
    ``purchase_table(log, regularity=True)``.

    Parameters
    ----------
    k : int, optional
        Regularity, 1 to 12. Default: the one with the largest likelihood.
    purchase_covariates, dropout_covariates : list of str
        Columns that act on the purchase rate (multiplied by ``exp(effect * value)``) and on ``a``
        and ``b`` (each multiplied likewise).
    tie : list of lists of str
        Groups of terms that are held equal, such as ``[["dropout_a.x", "dropout_b.x"]]``.
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
    k_ : int
        The regularity.
    parameters_, covariance_, log_likelihood_, aic_, bic_, converged_, gradient_norm_, boundary_
        As in :class:`crmkit.clv.BGNBD`, given ``k_``. ``alpha`` is the rate of the stages: a
        customer's mean gap is ``k`` stages long.
    prior_, posterior_
        As in :class:`crmkit.clv.BGNBD`.

    Notes
    -----
    Predictions are exact for every k: purchases are counted modulo k by the k-th roots of unity.

    References
    ----------
    .. [1] Platzer, M. and Reutterer, T. (2016). Ticking away the moments: timing regularity helps
       to better predict customer activity. Marketing Science 35(5), 779-799.
    .. [2] Reutterer, T., Platzer, M. and Schroeder, N. (2021). Leveraging purchase regularity for
       predicting customer behavior the easy way. International Journal of Research in Marketing
       38(1), 194-215.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit import clv
    >>> customers = pd.DataFrame({
    ...     "customer_id": range(8),
    ...     "frequency": [0, 2, 5, 1, 0, 3, 9, 1],
    ...     "recency": [0.0, 150.0, 280.0, 20.0, 0.0, 90.0, 290.0, 200.0],
    ...     "T": [300.0, 290.0, 300.0, 310.0, 280.0, 300.0, 295.0, 305.0],
    ...     "sum_log_gaps": [0.0, 8.62, 20.07, 3.0, 0.0, 10.1, 31.1, 5.3],
    ... })
    >>> model = clv.BGCNBD(k=2).fit(customers)
    >>> model.k_
    2
    """


class MBGCNBD(_Regular):
    """MBG/CNBD-k: like MBG/NBD, for customers who buy at regular intervals.

    The gaps between purchases are Erlang-k instead of exponential, and a customer may leave right
    after the first purchase.

    ``fit`` needs ``sum_log_gaps`` beside ``frequency``, ``recency`` and ``T``:
    ``purchase_table(log, regularity=True)``.

    Parameters
    ----------
    k : int, optional
        Regularity, 1 to 12. Default: the one with the largest likelihood.
    purchase_covariates, dropout_covariates : list of str
        Columns that act on the purchase rate (multiplied by ``exp(effect * value)``) and on ``a``
        and ``b`` (each multiplied likewise).
    tie : list of lists of str
        Groups of terms that are held equal, such as ``[["dropout_a.x", "dropout_b.x"]]``.
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
    k_ : int
        The regularity.
    parameters_, covariance_, log_likelihood_, aic_, bic_, converged_, gradient_norm_, boundary_
        As in :class:`crmkit.clv.BGCNBD`.
    prior_, posterior_
        As in :class:`crmkit.clv.BGNBD`.

    References
    ----------
    .. [1] Reutterer, T., Platzer, M. and Schroeder, N. (2021). Leveraging purchase regularity for
       predicting customer behavior the easy way. International Journal of Research in Marketing
       38(1), 194-215.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit import clv
    >>> customers = pd.DataFrame({
    ...     "customer_id": range(8),
    ...     "frequency": [0, 2, 5, 1, 0, 3, 9, 1],
    ...     "recency": [0.0, 150.0, 280.0, 20.0, 0.0, 90.0, 290.0, 200.0],
    ...     "T": [300.0, 290.0, 300.0, 310.0, 280.0, 300.0, 295.0, 305.0],
    ...     "sum_log_gaps": [0.0, 8.62, 20.07, 3.0, 0.0, 10.1, 31.1, 5.3],
    ... })
    >>> model = clv.MBGCNBD(k=2).fit(customers)
    >>> bool((model.predict(customers)["p_alive"] < 1).all())
    True
    """

    _first_chance = 1
