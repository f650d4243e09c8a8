"""Intervals of predictions: what the data leave open about the parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from crmkit._arrays import normal_quantile
from crmkit.clv._model.rows import parameters_at
from crmkit.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

    from crmkit._typing import Floats
    from crmkit.clv._model.rows import Rows

    Prediction = Callable[[list[Any], dict[str, Floats]], Floats]

__all__ = ["bootstrap_interval", "delta_interval", "slopes_at", "with_gradient"]

Interval = Literal["delta", "bootstrap"]


def with_gradient(rows: Rows, function: Prediction, coefficients: Floats) -> tuple[Floats, Floats]:
    """Return a prediction for each distinct row, (n,), and its derivatives, (n, p)."""

    def at(point: Floats) -> Floats:
        return function(parameters_at(point, rows.designs), rows.columns)

    return slopes_at(at, coefficients)


def slopes_at(at: Callable[[Floats], Floats], coefficients: Floats) -> tuple[Floats, Floats]:
    """Return a function of the coefficients, (n,), and its derivatives, (n, p)."""
    value = at(coefficients)
    slopes = np.empty((value.size, coefficients.size))
    for j in range(coefficients.size):
        # A central difference: its relative error of about 1e-9 is nothing to an interval.
        step = np.zeros(coefficients.size)
        step[j] = 1e-4
        slopes[:, j] = (at(coefficients + step) - at(coefficients - step)) / 2e-4
    return value, slopes


def delta_interval(
    value: Floats, slopes: Floats, covariance: Floats, confidence_level: float
) -> dict[str, Floats]:
    """Return std_error, conf_low and conf_high of positive predictions (delta method)."""
    variance = np.einsum("ij,jk,ik->i", slopes, covariance, slopes)
    error = np.sqrt(np.maximum(variance, 0.0))
    width = normal_quantile(confidence_level) * error / np.where(value > 0.0, value, 1.0)
    # On the log scale the bounds of a positive quantity stay positive.
    factor = np.exp(np.minimum(width, 700.0))
    return {"std_error": error, "conf_low": value / factor, "conf_high": value * factor}


def bootstrap_interval(
    rows: Rows, function: Prediction, draws: Floats, confidence_level: float
) -> dict[str, Floats]:
    """Return std_error, conf_low and conf_high over draws of the coefficients, (b, p)."""
    if len(draws) < 2:
        raise InputError("`interval` 'bootstrap' needs a model made with n_draws of 2 or more.")
    found = np.array([function(parameters_at(draw, rows.designs), rows.columns) for draw in draws])
    tail = (1.0 - confidence_level) / 2.0
    low, high = np.quantile(found, [tail, 1.0 - tail], axis=0)
    return {"std_error": found.std(axis=0, ddof=1), "conf_low": low, "conf_high": high}
