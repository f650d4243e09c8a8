"""Cox regression: how traits multiply the rate at which customers leave."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import special

from crmkit._arguments import check_columns
from crmkit._arrays import starts
from crmkit._checks import Problems, check_number
from crmkit._frames import group_codes, match_groups
from crmkit.churn._math.cox import Layers, fit_cox, proportionality
from crmkit.churn._math.hazards import proportional_log_survival
from crmkit.churn._math.survival import kaplan_meier
from crmkit.churn._model.regression import Regression, no_maximum
from crmkit.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crmkit._typing import Floats
    from crmkit.churn._math.tenures import Tenures


__all__ = ["CoxModel"]


class CoxModel(Regression):
    """Learn how traits multiply the rate at which customers leave (Cox regression).

    Ties are treated as by Efron. Errors are those of the information matrix or, where weights
    count no customers, robust.

    Parameters
    ----------
    penalizer : float, default 0.0
        Weight of a ridge penalty on the coefficients.
    confidence_level : float, default 0.95
        Level of the intervals.
    strata : str or sequence of str, optional
        Columns whose levels each have a baseline of their own, so that they need not multiply the
        rate by one factor at all tenures, as ``proportionality_`` may say they do not. They are
        no traits, and have no ratio.

    Attributes
    ----------
    columns_ : pandas.DataFrame
        What was done to each column, and how well it alone tells who left; see ``HazardModel``.
        Of ``likely_leak``: an honest column of such an area is named too.
    parameters_ : pandas.DataFrame
        ``term``, ``estimate`` (log hazard ratio per unit, or against the first level),
        ``std_error``, ``conf_low``, ``conf_high``, ``ratio`` (hazard ratio).
    log_likelihood_ : float
        Maximum of the partial likelihood.
    baseline_ : pandas.DataFrame
        ``time`` and ``cumulative_hazard`` of a customer with average traits (Breslow), after the
        columns of `strata`.
    proportionality_ : pandas.DataFrame
        Whether a trait multiplies the rate by the same factor at all tenures: ``term``, with
        ``(all)`` for all together, ``statistic``, ``degrees_of_freedom`` and ``p_value`` of the
        score test against a log ratio that changes with the share who have left [3]_; missing
        where weights count no customers.

    See Also
    --------
    HazardModel : The same question with any classifier.

    References
    ----------
    .. [1] Cox, D. R. (1972). Regression models and life-tables. *J. R. Stat. Soc. B* 34, 187-220.
    .. [2] Efron, B. (1977). The efficiency of Cox's likelihood function for censored data.
       *J. Am. Stat. Assoc.* 72, 557-565.
    .. [3] Grambsch, P. M. and Therneau, T. M. (1994). Proportional hazards tests and diagnostics
       based on weighted residuals. *Biometrika* 81, 515-526.

    Examples
    --------
    >>> import pandas as pd
    >>> customers = pd.DataFrame(
    ...     {
    ...         "customer_id": range(6),
    ...         "plan": ["month", "month", "month", "year", "year", "year"],
    ...         "tenure_days": [30, 60, 400, 200, 420, 500],
    ...         "churned": [1, 1, 1, 1, 1, 0],
    ...     }
    ... )
    >>> model = CoxModel().fit(customers)
    >>> model.parameters_["term"].tolist()
    ['plan=year']
    """

    centre_: Floats
    log_likelihood_: float
    baseline_: pd.DataFrame
    proportionality_: pd.DataFrame

    def __init__(
        self,
        *,
        penalizer: float = 0.0,
        confidence_level: float = 0.95,
        strata: str | Sequence[str] | None = None,
    ) -> None:
        self.penalizer = penalizer
        self.confidence_level = confidence_level
        self.strata = strata

    def _beside(self) -> list[str]:
        """Return the columns of strata."""
        columns = [] if self.strata is None else check_columns(self.strata, "strata")
        if taken := sorted({"time", "cumulative_hazard"} & set(columns)):
            raise InputError(f"`strata` names {taken}, which the baseline needs. Rename them.")
        return columns

    def _learn(
        self,
        tenures: Tenures,
        matrix: Floats,
        names: list[str],
        frame: pd.DataFrame,
        duration: str,  # noqa: ARG002
    ) -> tuple[Floats, Floats]:
        """Fit, keep the baseline and judge whether hazards are proportional."""
        penalizer, layers = check_number(self.penalizer, "penalizer"), self._beside()
        code, groups = group_codes(frame, layers)
        scale = Layers.of(tenures) if layers else None
        laid = tenures if scale is None else scale.lay(tenures, code)
        fitted = fit_cox(laid, matrix, penalizer=penalizer)
        if not fitted.converged:
            raise no_maximum()
        time, hazard = fitted.base_time, fitted.base_hazard
        if scale is not None:
            of, time = scale.told(time)
            # Each stratum begins anew where the one before it ended.
            hazard = hazard - np.r_[0.0, hazard[np.r_[starts(of)[1:], True]]][of]
            groups = groups.iloc[of].reset_index(drop=True)
        self.centre_ = np.average(matrix, axis=0, weights=tenures.weight)
        self.log_likelihood_ = fitted.log_likelihood
        self.baseline_ = pd.DataFrame({"time": time, "cumulative_hazard": hazard})
        if layers:
            self.baseline_ = pd.concat([groups, self.baseline_], axis=1)
        # The share who had left before each event, of all strata together.
        curve = kaplan_meier(tenures)
        event = np.unique(laid.time[laid.left])
        event = event if scale is None else scale.told(event)[1]
        gone = (1 - np.r_[1.0, curve.survival[:-1]])[np.searchsorted(curve.time, event)]
        self.proportionality_ = _proportionality(laid, matrix, fitted.estimate, names, gone)
        return fitted.estimate, np.sqrt(np.diag(fitted.covariance))

    def _log_stays(self, time: Floats, score: Floats, frame: pd.DataFrame) -> Floats:
        """Return log S(time) of customers with these linear scores, by the baseline of each."""
        layers = self._beside()
        of, strata = group_codes(self.baseline_, layers)
        code, groups = group_codes(frame, layers)
        row = match_groups(groups, strata)[code]
        problems = Problems("customers")
        problems.rows(
            row < 0,
            f"columns {layers} have a stratum that the model has not seen",
            do="Leave these customers out, or learn from customers of all strata.",
        )
        problems.raise_if_any()
        risk = score - float(self.centre_ @ self.parameters_["estimate"].to_numpy())
        log_survival = np.empty(time.size)
        for number in range(len(strata)):
            mine, base = row == number, self.baseline_[of == number]
            steps = base["time"].to_numpy(), base["cumulative_hazard"].to_numpy()
            log_survival[mine] = proportional_log_survival(time[mine], *steps, risk[mine])
        return log_survival


def _proportionality(
    tenures: Tenures, matrix: Floats, estimate: Floats, names: list[str], share_gone: Floats
) -> pd.DataFrame:
    """Return the test of proportional hazards per term, and of all together."""
    single, together = proportionality(tenures, matrix, estimate, share_gone)
    statistic, freedom = np.r_[single, together], np.r_[np.ones(len(names)), len(names)]
    if not tenures.counts:
        statistic = np.full(statistic.size, np.nan)
    return pd.DataFrame(
        {
            "term": [*names, "(all)"],
            "statistic": statistic,
            "degrees_of_freedom": freedom.astype(np.int64),
            "p_value": special.chdtrc(freedom, statistic),
        }
    )
