"""The gamma-Gompertz/NBD model."""

from __future__ import annotations

from crmkit.clv._math.gamma_gompertz import GammaGompertz
from crmkit.clv._model.day_model import DayModel

__all__ = ["GGomNBD"]


class GGomNBD(DayModel):
    """GGom/NBD: purchases at a gamma-distributed rate, dropout at a risk that grows with age.

    While alive a customer buys at a random rate (gamma with shape ``r`` and rate ``alpha``, in
    days). A customer's own risk of leaving grows by the factor ``exp(b)`` a day, from a start that
    differs by customer (gamma with ``s`` and ``beta``): lives may end around a typical age, or
    mostly at once, where under :class:`ParetoNBD` no one's own risk ever changes.

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
    ``b`` is measured per day. As ``b`` and ``beta`` vanish together the model is
    :class:`ParetoNBD` with ``beta / b`` for ``beta``: ``boundary_`` says where that is the
    maximum, as for the CDNOW customers, and then Pareto/NBD says the same with less.

    A prior is stated in ``gap_days`` and ``gap_spread`` as in :class:`crmkit.clv.ParetoNBD`,
    ``life_days`` (``beta / (b * s)``, the days that somebody would stay at the mean risk of the
    first day), ``life_spread`` (``1 / sqrt(s)``) and ``ageing_days`` (``1 / b``, the days in which
    one's risk grows 2.7 times; weak: 30 to 20,000).

    References
    ----------
    .. [1] Bemmaor, A. C. and Glady, N. (2012). Modeling purchasing behavior with sudden "death": a
       flexible customer lifetime model. Management Science 58(5), 1012-1021.

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
    >>> model = clv.GGomNBD(prior="weak", random_state=1).fit(customers)
    >>> model.parameters_["term"].tolist()
    ['r', 'alpha', 'b', 's', 'beta']
    """

    _law = GammaGompertz()
