"""Models of contracts that are renewed or not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from crmkit._checks import Problems, number_array
from crmkit.clv._math.contract import DiscreteWeibull, ShiftedGeometric
from crmkit.clv._model.periods import PeriodModel, whole

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from crmkit._typing import Floats

__all__ = ["BetaDiscreteWeibull", "ShiftedBetaGeometric"]


class _Contract(PeriodModel):
    """What the contract models share."""

    _columns: ClassVar[tuple[str, ...]] = ("periods", "churned")

    def __init__(
        self,
        *,
        period_days: float | None = None,
        dropout_covariates: Sequence[str] = (),
        tie: Sequence[Sequence[str]] = (),
        l2: float = 0.0,
        prior: Any = None,
        n_draws: int = 1000,
        random_state: int | None = None,
    ) -> None:
        self.period_days = period_days
        self.dropout_covariates = dropout_covariates
        self.tie = tie
        self.l2 = l2
        self.prior = prior
        self.n_draws = n_draws
        self.random_state = random_state

    def _history(self, frame: pd.DataFrame, problems: Problems) -> dict[str, Floats]:
        t = number_array(frame["periods"], problems, "periods", low=0.0)
        churned = number_array(frame["churned"], problems, "churned")
        whole(t, "periods", problems)
        problems.rows(
            np.isfinite(churned) & (churned != 0.0) & (churned != 1.0),
            "column 'churned' is neither 0 nor 1",
            do="1 (or True) is a customer who has left.",
        )
        problems.rows(
            (churned == 1.0) & (t < 1.0),
            "`periods` is 0 for a customer who has left",
            do="Give the period at whose end the customer left, counting from 1.",
        )
        return {"periods": t, "churned": churned}


class ShiftedBetaGeometric(_Contract):
    """Shifted beta-geometric: each renewal fails with a probability that differs by customer.

    The probability is beta-distributed (``alpha``, ``beta``): the frail leave first, so that the
    retention rate of a cohort rises with age although nobody's own does.

    ``fit`` needs ``periods`` (renewals so far; for who has left, the period at whose end that
    happened, counting from 1) and ``churned`` (True for who has left).

    Parameters
    ----------
    period_days : float, optional
        Days between two renewals, for a table that does not say its period; a
        :func:`contract_table` does.
    dropout_covariates : list of str
        Columns that act on ``alpha`` and ``beta``: each is multiplied by ``exp(effect * value)``.
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
        As in :class:`crmkit.clv.BGNBD`.
    prior_, posterior_
        As in :class:`crmkit.clv.BGNBD`.
    period_ : str or None
        What a period is, if the table said it.

    Notes
    -----
    In ``predict`` a renewal is a purchase: ``expected_purchases`` counts renewals within the
    horizon, and ``p_alive`` is 1 or 0, because a contract shows who has left. A prior is stated in
    ``p_dropout`` and ``dropout_spread``, as in :class:`crmkit.clv.BGNBD`.

    References
    ----------
    .. [1] Fader, P. S. and Hardie, B. G. S. (2007). How to project customer retention. Journal of
       Interactive Marketing 21(1), 76-90.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit import clv
    >>> members = pd.DataFrame({
    ...     "customer_id": range(6),
    ...     "periods": [1, 1, 2, 3, 4, 4],
    ...     "churned": [True, True, True, False, False, False],
    ... })
    >>> model = clv.ShiftedBetaGeometric(period_days=365).fit(members)
    >>> model.predict(members)["p_alive"].tolist()
    [0.0, 0.0, 0.0, 1.0, 1.0, 1.0]
    """

    _law = ShiftedGeometric()


class BetaDiscreteWeibull(_Contract):
    """Beta-discrete-Weibull: a shifted beta-geometric whose customers change with age.

    A customer is still there after t renewals with probability ``(1 - theta) ** (t ** c)``; theta
    is beta-distributed (``alpha``, ``beta``). ``c`` above 1 means that the risk of leaving grows
    with age, below 1 that it falls.

    ``fit`` needs ``periods`` (renewals so far; for who has left, the period at whose end that
    happened, counting from 1) and ``churned`` (True for who has left).

    Parameters
    ----------
    period_days : float, optional
        Days between two renewals, for a table that does not say its period; a
        :func:`contract_table` does.
    dropout_covariates : list of str
        Columns that act on ``alpha`` and ``beta``: each is multiplied by ``exp(effect * value)``.
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
        As in :class:`crmkit.clv.BGNBD`.
    prior_, posterior_
        As in :class:`crmkit.clv.BGNBD`.
    period_ : str or None
        What a period is, if the table said it.

    References
    ----------
    .. [1] Fader, P. S., Hardie, B. G. S., Liu, Y., Davin, J. and Steenburgh, T. (2018). "How to
       project customer retention" revisited: the role of duration dependence. Journal of
       Interactive Marketing 43, 1-16.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit import clv
    >>> members = pd.DataFrame({
    ...     "customer_id": range(6),
    ...     "periods": [1, 1, 2, 3, 4, 4],
    ...     "churned": [True, True, True, False, False, False],
    ... })
    >>> model = clv.BetaDiscreteWeibull(period_days=365).fit(members)
    >>> model.parameters_["term"].tolist()
    ['alpha', 'beta', 'c']
    """

    _law = DiscreteWeibull()
