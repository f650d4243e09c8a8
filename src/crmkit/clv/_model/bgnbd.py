"""The models of Fader, Hardie and Lee, and of Batislam, Denizel and Filiztekin."""

from __future__ import annotations

from crmkit.clv._math.beta_geometric import BetaGeometric
from crmkit.clv._model.day_model import DayModel

__all__ = ["BGNBD", "MBGNBD"]


class BGNBD(DayModel):
    """BG/NBD: purchases at a gamma-distributed rate, beta-geometric dropout after each repeat.

    While alive a customer buys at a random rate (gamma with shape ``r`` and rate ``alpha``, in
    days); after every repeat purchase the customer leaves for good with a random probability
    (beta with ``a`` and ``b``).

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
    parameters_ : DataFrame
        ``term, estimate, std_error, conf_low, conf_high`` (95 %, on the log scale where positive).
        Where ``boundary_`` names a limit, 0 to 59 % of them hold the truth.
    covariance_ : DataFrame
        Covariance of the estimates.
    log_likelihood_, aic_, bic_ : float
        Of the histories measured in the unit of ``T``.
    converged_ : bool
        Whether the search ended at a maximum.
    gradient_norm_ : float
        Length of the gradient per customer at the end; about 0 at a maximum.
    boundary_ : str or None
        The limiting model, where the likelihood has no maximum inside the parameter space.
    prior_ : DataFrame or None
        The whole prior: ``term``, ``low`` and ``high``.
    levels_ : dict
        The values of covariates of text, by column.
    posterior_ : dict
        How the posterior was drawn: its ``method``, and ``tail_shape``, the shape k of the tail of
        the weights; above .7 they mislead, and the draws are moved on by Hamiltonian dynamics.

    Notes
    -----
    A covariate of text has an effect for each of its values against the first of the alphabet,
    named ``purchase.channel=web``; values of fewer than ten customers are ``(other)`` together.
    Covariates of which one is made of the others are refused and named; with `l2` or a prior they
    are fitted, and ``aic_`` counts the effects that can be told apart.

    A prior is stated in ``gap_days`` (``alpha / r``, days between purchases at the mean rate),
    ``gap_spread`` (``1 / sqrt(r)``, how rates differ), ``p_dropout`` (``a / (a + b)``, the mean
    chance to leave after a purchase) and ``dropout_spread`` (``1 / sqrt(1 + a + b)``: 0 where all
    have the same chance, 1 where each leaves at once or never), of customers with average
    covariates; effects by their own names. Weak are 1 to 3,650 days, .2 to 5, .01 to .9 and .1 to
    .95. With it estimates are the peak of the posterior of the parameters' logarithms, intervals
    those between equal tails of its draws, and there is no boundary.

    Another unit of time only rescales ``alpha``: parameters in weeks are those in days with
    ``alpha`` divided by 7. At a boundary, where one in five bases of 40 customers ends, standard
    errors are those of the limiting model, which is not the true one.

    References
    ----------
    .. [1] Fader, P. S., Hardie, B. G. S. and Lee, K. L. (2005). "Counting your customers" the
       easy way. Marketing Science 24(2), 275-284, eq. 6 and 10.
    .. [2] Fader, P. S. and Hardie, B. G. S. (2007). Incorporating time-invariant covariates into
       the Pareto/NBD and BG/NBD models.
    .. [3] Vehtari, A., Simpson, D., Gelman, A., Yao, Y. and Gabry, J. (2024). Pareto smoothed
       importance sampling. Journal of Machine Learning Research 25(72).

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
    >>> model = clv.BGNBD().fit(customers)
    >>> model.parameters_["term"].tolist()
    ['r', 'alpha', 'a', 'b']
    >>> model.predict(customers, horizon_days=90).columns.tolist()
    ['customer_id', 'p_alive', 'expected_purchases']
    """

    _law = BetaGeometric()


class MBGNBD(DayModel):
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

    _law = BetaGeometric(first_chance=1)
