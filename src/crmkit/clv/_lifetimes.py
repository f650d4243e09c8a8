"""The bridge to lifetimes, the only file that imports it, and without its global side effects.

Importing lifetimes 0.11.3 silences FutureWarning for the whole process and sets a pandas option
that pandas is about to remove; both are put back here.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd

from crmkit._checks import check_number
from crmkit.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from crmkit._typing import Floats

__all__ = ["LifetimesExchange", "import_lifetimes"]

_FITTERS = {
    "BGNBD": "BetaGeoFitter",
    "MBGNBD": "ModifiedBetaGeoFitter",
    "ParetoNBD": "ParetoNBDFitter",
    "BGBB": "BetaGeoBetaBinomFitter",
    "GammaGamma": "GammaGammaFitter",
}
"""crmkit's model and the fitter of lifetimes that means the same."""

_OPTION = "mode.chained_assignment"
# A gradient this small per customer is a maximum for every purpose of a prediction.
_AT_MAXIMUM = 1e-4


def import_lifetimes() -> Any:
    """Import lifetimes and undo what its import changes for everybody else."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            before = pd.get_option(_OPTION)
            import lifetimes

            pd.set_option(_OPTION, before)
        except (ImportError, KeyError) as error:
            raise InputError(
                "This needs the package lifetimes, which is not installed or does not work with "
                f"this pandas ({error}). Install it with: pip install 'crmkit[lifetimes]'."
            ) from error
    return lifetimes


def _fitter_data(
    fitter: Any, model: str, names: tuple[str, ...], columns: tuple[str, ...]
) -> tuple[Floats, pd.DataFrame]:
    """Return the parameters of a fitted fitter and the table it was fitted on."""
    wanted = _FITTERS.get(model)
    given = type(fitter).__name__
    if wanted is None:
        raise InputError(f"lifetimes has no counterpart of {model}.")
    if given != wanted:
        match = next((ours for ours, theirs in _FITTERS.items() if theirs == given), None)
        hint = f" Use {match}.from_lifetimes." if match else ""
        raise InputError(f"`fitter` must be a lifetimes {wanted}; got a {given}.{hint}")
    if not hasattr(fitter, "params_") or not hasattr(fitter, "data"):
        raise InputError(
            f"`fitter` is not fitted, or was loaded without its data: fit the {given}."
        )
    data = fitter.data.reset_index(drop=True).rename(columns={"n_periods": "periods"})
    table = data[[*columns, "weights"]].assign(customer_id=np.arange(len(data)))
    return np.array([float(fitter.params_[name]) for name in names]), table


def _make_fitter(model: str, parameters: Mapping[str, float], covariance: Floats) -> Any:
    """Return a lifetimes fitter that predicts with these parameters; covariance is (p, p)."""
    if model not in _FITTERS:
        raise InputError(f"lifetimes has no counterpart of {model}.")
    fitter = getattr(import_lifetimes(), _FITTERS[model])()
    fitter.params_ = pd.Series(dict(parameters))
    names = fitter.params_.index
    fitter.variance_matrix_ = pd.DataFrame(covariance, index=names, columns=names)
    fitter.standard_errors_ = pd.Series(np.sqrt(np.diag(covariance)), index=names)
    fitter.confidence_intervals_ = fitter._compute_confidence_intervals()
    if hasattr(fitter, "conditional_expected_number_of_purchases_up_to_time"):
        fitter.predict = fitter.conditional_expected_number_of_purchases_up_to_time
    return fitter


class LifetimesExchange:
    """Conversion from and to lifetimes, for the models that it has too."""

    @classmethod
    def from_lifetimes(cls, fitter: Any, *, time_unit_days: float = 1.0) -> Self:
        """Turn a fitted fitter of lifetimes into this model.

        The parameters are taken over as they are. Standard errors and the log-likelihood are
        computed anew from the data in the fitter, because lifetimes' covariances are wrong
        outside the diagonal; ``gradient_norm_`` and ``converged_`` tell whether lifetimes had
        found the maximum.

        Parameters
        ----------
        fitter : lifetimes fitter
            Fitted, with its ``data``.
        time_unit_days : float
            Days in the time unit the fitter was fitted in: 7 for ``freq="W"``.

        Returns
        -------
        Self
            The fitted model, in days.

        Raises
        ------
        InputError
            If the fitter is of another kind, or not fitted.
        """
        unit = check_number(time_unit_days, "time_unit_days")
        model: Any = cls._as_in_lifetimes()
        values, table = _fitter_data(fitter, cls.__name__, model._names, model._columns)
        if "T" in table.columns:
            table = table.assign(recency=table["recency"] * unit, T=table["T"] * unit)
        _, rows = model._rows(table, "weights", learn=True)
        model._fit_rows(model._usable(rows), at=(values * _days(model, unit)).tolist())
        model.converged_ = bool(model.gradient_norm_ < _AT_MAXIMUM)
        result: Self = model
        return result

    def to_lifetimes(self, *, time_unit_days: float = 1.0) -> Any:
        """Turn the fitted model into a fitter of lifetimes, for code that still needs one.

        Needs the extra ``crmkit[lifetimes]``. The fitter predicts and has ``params_``,
        ``variance_matrix_`` and ``summary``; it holds no data.

        Parameters
        ----------
        time_unit_days : float
            Days in the time unit the fitter shall have: 7 for weeks.

        Returns
        -------
        lifetimes fitter
            As if fitted.

        Raises
        ------
        NotFittedError
            If ``fit`` has not been called.
        InputError
            If lifetimes is not installed, or the model has covariates, which lifetimes has not.
        """
        unit = check_number(time_unit_days, "time_unit_days")
        model: Any = self
        model._check_fitted()
        if len(model.coefficients_) != len(model._names):
            raise InputError("lifetimes has no covariates: fit the model without them first.")
        if getattr(model, "returns_", False):
            raise InputError("lifetimes has no returns: fit GammaGamma(first_purchase=False).")
        values = np.exp(model.coefficients_) / _days(model, unit)
        covariance = model.coefficient_covariance_ * np.outer(values, values)
        parameters = dict(zip(model._names, values.tolist(), strict=True))
        return _make_fitter(type(self).__name__, parameters, covariance)

    @classmethod
    def _as_in_lifetimes(cls) -> Self:
        """Return the model, not fitted, that learns from what lifetimes learns from."""
        return cls()


def _days(model: Any, unit: float) -> Floats:
    """Return what each parameter in the fitter's unit is multiplied by; shape (p,)."""
    timed = model._law.scaled if "T" in model._columns else ()
    return np.array([unit if name in timed else 1.0 for name in model._names])
