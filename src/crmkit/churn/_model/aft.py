"""Accelerated failure time: how traits stretch the time that customers stay."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from crmkit._checks import check_choice, check_number
from crmkit.churn._math.hazards import accelerated_log_survival
from crmkit.churn._model.regression import Regression, no_maximum
from crmkit.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

    from crmkit._typing import Floats
    from crmkit.churn._math.tenures import Tenures


__all__ = ["AFTModel"]

Distribution = Literal["weibull", "loglogistic", "lognormal"]

_FITTERS: dict[Distribution, tuple[str, str]] = {
    "weibull": ("WeibullAFTFitter", "lambda_"),
    "loglogistic": ("LogLogisticAFTFitter", "alpha_"),
    "lognormal": ("LogNormalAFTFitter", "mu_"),
}


class AFTModel(Regression):
    """Learn how traits stretch the time that customers stay (accelerated failure time).

    Fitted by lifelines: ``pip install "crmkit[survival]"``. Predicting, saving and loading do
    without it. Unlike Cox's model it reaches beyond the last time observed, on the strength of
    its distribution.

    Parameters
    ----------
    distribution : {"weibull", "loglogistic", "lognormal"}, default "weibull"
        Shape of the time that customers stay.
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
        ``term``, ``estimate`` (log time ratio per unit, or against the first level),
        ``std_error``, ``conf_low``, ``conf_high``, ``ratio`` (time ratio: 2 means staying twice as
        long).
    log_likelihood_ : float
        Maximum of the likelihood.
    intercept_, scale_ : float
        Log time is the intercept plus the traits' estimates plus noise divided by the scale.

    References
    ----------
    .. [1] Kalbfleisch, J. D. and Prentice, R. L. (2002). *The Statistical Analysis of Failure
       Time Data*, 2nd ed. Wiley. Chapter 3.
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
    >>> model = AFTModel().fit(customers)
    >>> bool(model.parameters_["ratio"].iloc[0] > 1)
    True
    """

    intercept_: float
    scale_: float
    log_likelihood_: float

    def __init__(
        self,
        *,
        distribution: Distribution = "weibull",
        penalizer: float = 0.0,
        confidence_level: float = 0.95,
    ) -> None:
        self.distribution = distribution
        self.penalizer = penalizer
        self.confidence_level = confidence_level

    def _learn(
        self,
        tenures: Tenures,
        matrix: Floats,
        names: list[str],  # noqa: ARG002
        frame: pd.DataFrame,  # noqa: ARG002
        duration: str,
    ) -> tuple[Floats, Floats]:
        """Fit and keep intercept and scale."""
        time = tenures.time
        check_choice(self.distribution, "distribution", Distribution)
        if (time <= 0).any():
            raise InputError(
                f"`customers`: column {duration!r} must be above 0 for this model but is 0 in "
                f"{int((time <= 0).sum()):,} of {time.size:,} rows. Drop them or use CoxModel."
            )
        name, location = _FITTERS[self.distribution]
        fitted = _fit_lifelines(name, self.penalizer, tenures, matrix)
        estimate, error = fitted.params_[location], fitted.standard_errors_[location]
        shape = float(fitted.params_.drop(location, level=0).iloc[0])
        self.intercept_ = float(estimate["Intercept"])
        self.scale_ = float(np.exp(-shape if self.distribution == "lognormal" else shape))
        self.log_likelihood_ = float(fitted.log_likelihood_)
        covariates = _covariate_names(matrix)
        return (
            estimate[covariates].to_numpy(dtype=float),
            error[covariates].to_numpy(dtype=float),
        )

    def _log_stays(self, time: Floats, score: Floats, frame: pd.DataFrame) -> Floats:  # noqa: ARG002
        """Return log S(time) of customers with these linear scores."""
        return accelerated_log_survival(
            time, self.intercept_ + score, self.scale_, self.distribution
        )


def _covariate_names(matrix: Floats) -> list[str]:
    """Name covariates so that no name of the user's can clash with lifelines' own."""
    return [f"x{place}" for place in range(matrix.shape[1])]


def _fit_lifelines(name: str, penalizer: float, tenures: Tenures, matrix: Floats) -> Any:
    """Fit one of lifelines' regressions, without its warnings."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import lifelines
            from lifelines import exceptions
    except ImportError:
        raise ImportError(
            "Accelerated failure time models are fitted by lifelines, which is not installed: "
            'pip install "crmkit[survival]". CoxModel and HazardModel do without it.'
        ) from None
    penalizer = check_number(penalizer, "penalizer")
    frame = pd.DataFrame(matrix, columns=_covariate_names(matrix))
    frame = frame.assign(time=tenures.time, left=tenures.left)
    options: dict[str, Any] = {"duration_col": "time", "event_col": "left"}
    if tenures.entry is not None:
        frame, options["entry_col"] = frame.assign(entry=tenures.entry), "entry"
    if tenures.weight is not None:
        frame, options["weights_col"] = frame.assign(weight=tenures.weight), "weight"
        options["robust"] = not tenures.counts
    fitter: Callable[..., Any] = getattr(lifelines, name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return fitter(penalizer=penalizer).fit(frame, **options)
        except exceptions.ConvergenceError as problem:
            raise no_maximum() from problem
