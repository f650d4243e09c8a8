"""The Pareto/NBD model."""

from __future__ import annotations

from crmkit.clv._math.pareto import Pareto
from crmkit.clv._model.day_model import DayModel

__all__ = ["ParetoNBD"]


class ParetoNBD(DayModel):
    """Pareto/NBD: purchases and dropout at gamma-distributed rates, dropout at any time.

    While alive a customer buys at a random rate (gamma with shape ``r`` and rate ``alpha``, in
    days) and leaves for good at a random rate (gamma with ``s`` and ``beta``, in days).

    Parameters
    ----------
    purchase_covariates, dropout_covariates : list of str
        Columns that act on the purchase rate and on the dropout rate: each is multiplied by
        ``exp(effect * value)``.
    tie : list of lists of str
        Groups of terms that are held equal, such as ``[["purchase.x", "dropout.x"]]``.
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
        As in :class:`crmkit.clv.BGNBD`.
    prior_, posterior_
        As in :class:`crmkit.clv.BGNBD`.

    Notes
    -----
    A prior is stated in ``gap_days`` (``alpha / r``), ``gap_spread`` (``1 / sqrt(r)``),
    ``life_days`` (``beta / s``, the days that somebody stays at the mean rate of leaving; weak: 10
    to 20,000) and ``life_spread`` (``1 / sqrt(s)``).

    References
    ----------
    .. [1] Schmittlein, D. C., Morrison, D. G. and Colombo, R. (1987). Counting your customers:
       who are they and what will they do next? Management Science 33(1), 1-24.
    .. [2] Fader, P. S., Hardie, B. G. S. and Lee, K. L. (2005). RFM and CLV: using iso-value
       curves for customer base analysis. Journal of Marketing Research 42(4), 415-430.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit import clv
    >>> customers = pd.DataFrame({
    ...     "customer_id": range(8),
    ...     "frequency": [0, 2, 5, 1, 0, 3, 9, 1],
    ...     "recency": [0.0, 150.0, 280.0, 20.0, 0.0, 90.0, 290.0, 200.0],
    ...     "T": [300.0, 290.0, 300.0, 310.0, 280.0, 300.0, 295.0, 305.0],
    ... })
    >>> model = clv.ParetoNBD().fit(customers)
    >>> model.parameters_["term"].tolist()
    ['r', 'alpha', 's', 'beta']
    """

    _law = Pareto()
