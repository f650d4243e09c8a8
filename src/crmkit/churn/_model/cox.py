"""Cox regression: how traits multiply the rate at which customers leave."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from crmkit.churn._math.hazards import proportional_log_survival
from crmkit.churn._model.regression import Regression, fit_lifelines

if TYPE_CHECKING:
    from crmkit._typing import Bools, Floats


__all__ = ["CoxModel"]


class CoxModel(Regression):
    """Learn how traits multiply the rate at which customers leave (Cox regression).

    Fitted by lifelines, with Efron's treatment of ties: ``pip install "crmkit[survival]"``.
    Predicting, saving and loading do without it.

    Parameters
    ----------
    penalizer : float, default 0.0
        Weight of a ridge penalty on the coefficients.
    confidence_level : float, default 0.95
        Level of the intervals.

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
        ``time`` and ``cumulative_hazard`` of a customer with average traits.

    See Also
    --------
    HazardModel : The same question without lifelines, and with any classifier.

    References
    ----------
    .. [1] Cox, D. R. (1972). Regression models and life-tables. *J. R. Stat. Soc. B* 34, 187-220.
    .. [2] Davidson-Pilon, C. (2019). lifelines: survival analysis in Python. *J. Open Source
       Softw.* 4(40), 1317.

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

    def __init__(self, *, penalizer: float = 0.0, confidence_level: float = 0.95) -> None:
        self.penalizer = penalizer
        self.confidence_level = confidence_level

    def _learn(
        self,
        matrix: Floats,
        time: Floats,
        left: Bools,
        duration: str,  # noqa: ARG002
    ) -> tuple[Floats, Floats]:
        """Fit and keep the baseline."""
        fitted = fit_lifelines("CoxPHFitter", self.penalizer, matrix, time, left)
        base = fitted.baseline_cumulative_hazard_
        self.centre_ = matrix.mean(axis=0)
        self.log_likelihood_ = float(fitted.log_likelihood_)
        self.baseline_ = pd.DataFrame(
            {
                "time": base.index.to_numpy(dtype=np.float64),
                "cumulative_hazard": base.iloc[:, 0].to_numpy(dtype=np.float64),
            }
        )
        return fitted.params_.to_numpy(dtype=float), fitted.standard_errors_.to_numpy(dtype=float)

    def _log_survival(self, time: Floats, score: Floats) -> Floats:
        """Return log S(time) of customers with these linear scores."""
        typical = float(self.centre_ @ self.parameters_["estimate"].to_numpy())
        base = self.baseline_["time"].to_numpy(), self.baseline_["cumulative_hazard"].to_numpy()
        return proportional_log_survival(time, *base, score - typical)
