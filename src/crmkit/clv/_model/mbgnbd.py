"""The modified BG/NBD model."""

from __future__ import annotations

from crmkit.clv._model.bgnbd import BetaGeometric

__all__ = ["MBGNBD"]


class MBGNBD(BetaGeometric):
    """MBG/NBD: like BG/NBD, but a customer may leave right after the first purchase.

    BG/NBD takes a customer without repeat purchase for alive for certain; here dropout strikes
    after every purchase, the first included.

    Parameters
    ----------
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
    parameters_, covariance_, log_likelihood_, aic_, bic_, converged_, gradient_norm_, boundary_
        As in :class:`crmkit.clv.BGNBD`.
    prior_, posterior_
        As in :class:`crmkit.clv.BGNBD`.

    References
    ----------
    .. [1] Batislam, E. P., Denizel, M. and Filiztekin, A. (2007). Empirical validation and
       comparison of models for customer base analysis. International Journal of Research in
       Marketing 24(3), 201-209.

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
    >>> model = clv.MBGNBD().fit(customers)
    >>> bool((model.predict(customers)["p_alive"] < 1).all())
    True
    """

    _first_chance = 1
