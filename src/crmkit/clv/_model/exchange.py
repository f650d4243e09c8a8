"""Models that become fitters of lifetimes, and the other way round."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from crmkit._checks import check_number
from crmkit.clv._lifetimes import fitter_data, make_fitter
from crmkit.errors import InputError

if TYPE_CHECKING:
    from crmkit._typing import Floats

__all__ = ["LifetimesExchange"]

# A gradient this small per customer is a maximum for every purpose of a prediction.
_AT_MAXIMUM = 1e-4


class LifetimesExchange:
    """Conversion from and to lifetimes, for the models that it has too."""

    _names: ClassVar[tuple[str, ...]]
    _columns: ClassVar[tuple[str, ...]]
    _scaled: ClassVar[tuple[str, ...]]

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
        values, table = fitter_data(fitter, cls.__name__, model._names, model._columns)
        if "T" in table.columns:
            table = table.assign(recency=table["recency"] * unit, T=table["T"] * unit)
        _, rows = model._rows(table, "weights")
        model._fit_rows(model._usable(rows), at=(values * model._days(unit)).tolist())
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
        self._check_fitted()  # type: ignore[attr-defined]
        coefficients = self.coefficients_  # type: ignore[attr-defined]
        if len(coefficients) != len(self._names):
            raise InputError("lifetimes has no covariates: fit the model without them first.")
        if getattr(self, "returns_", False):
            raise InputError("lifetimes has no returns: fit GammaGamma(first_purchase=False).")
        values = np.exp(coefficients) / self._days(unit)
        covariance = self.coefficient_covariance_ * np.outer(values, values)  # type: ignore[attr-defined]
        parameters = dict(zip(self._names, values.tolist(), strict=True))
        return make_fitter(type(self).__name__, parameters, covariance)

    @classmethod
    def _as_in_lifetimes(cls) -> Self:
        """Return the model, not fitted, that learns from what lifetimes learns from."""
        return cls()

    def _days(self, unit: float) -> Floats:
        """Return what each parameter in the fitter's unit is multiplied by; shape (p,)."""
        timed = self._scaled if "T" in self._columns else ()
        return np.array([unit if name in timed else 1.0 for name in self._names])
