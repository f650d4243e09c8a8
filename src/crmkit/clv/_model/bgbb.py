"""The BG/BB model."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from crmkit._checks import Problems, number_array
from crmkit.clv._math.bgbb import BetaBernoulli
from crmkit.clv._model.periods import PeriodModel, whole

if TYPE_CHECKING:
    import pandas as pd

    from crmkit._typing import Floats

__all__ = ["BGBB"]


class BGBB(PeriodModel):
    """BG/BB: purchases and dropout at whole opportunities, such as yearly donations.

    At each opportunity a living customer buys with a random probability (beta with ``alpha`` and
    ``beta``); before each the customer leaves for good with a random probability (beta with
    ``gamma`` and ``delta``).

    ``fit`` needs ``frequency`` (purchases after the first one), ``recency`` (the opportunity of the
    last of them, 0 without any) and ``periods`` (opportunities observed).

    Parameters
    ----------
    period_days : float, optional
        Days between two opportunities, for a table that does not say its period; an
        :func:`opportunity_table` does.
    purchase_covariates, dropout_covariates : list of str
        Columns that act on ``alpha`` and ``beta``, and on ``gamma`` and ``delta``: each is
        multiplied by ``exp(effect * value)``.
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
    ``p_alive`` is the probability of being a customer at the last observed opportunity. The paper
    reports it for the next one: ``predict(..., alive_in_days=period_days)``. A prior is stated in
    ``p_purchase`` and ``p_dropout``, the mean chances, and in ``purchase_spread`` and
    ``dropout_spread``, how customers differ in them, as in :class:`crmkit.clv.BGNBD`.

    References
    ----------
    .. [1] Fader, P. S., Hardie, B. G. S. and Shang, J. (2010). Customer-base analysis in a
       discrete-time noncontractual setting. Marketing Science 29(6), 1086-1108.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit import clv
    >>> donors = pd.DataFrame({
    ...     "customer_id": range(8),
    ...     "frequency": [0, 1, 2, 3, 0, 6, 4, 1],
    ...     "recency": [0, 2, 5, 4, 0, 6, 6, 1],
    ...     "periods": [6, 6, 6, 6, 6, 6, 6, 6],
    ... })
    >>> model = clv.BGBB(period_days=365).fit(donors)
    >>> model.predict(donors, horizon_days=5 * 365).columns.tolist()
    ['customer_id', 'p_alive', 'expected_purchases']
    """

    _columns: ClassVar[tuple[str, ...]] = ("frequency", "recency", "periods")
    _law = BetaBernoulli()

    def _history(self, frame: pd.DataFrame, problems: Problems) -> dict[str, Floats]:
        columns = {
            name: number_array(frame[name], problems, name, low=0.0) for name in self._columns
        }
        for name, values in columns.items():
            whole(values, name, problems)
        x, t_x, n = columns.values()
        problems.rows(t_x > n, "`recency` is above `periods`", do="Both count from the first.")
        problems.rows(x > t_x, "`frequency` is above `recency`", do="One purchase per period.")
        problems.rows(
            (x == 0.0) & (t_x > 0.0),
            "`recency` is above 0 although `frequency` is 0",
            do="Without a repeat purchase it is 0.",
        )
        most = self._law.longest
        problems.rows(n > most, f"`periods` is above {most:,.0f}", do=self._law.too_long)
        return columns
