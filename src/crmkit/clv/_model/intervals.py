"""Intervals of predictions: what the data leave open about the parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from crmkit._arrays import normal_quantile
from crmkit._checks import check_choice
from crmkit.clv._model.rows import parameters_at
from crmkit.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

    from crmkit._typing import Floats
    from crmkit.clv._math.rows import Rows

    Prediction = Callable[[list[Any], dict[str, Floats]], Floats]

__all__ = [
    "Interval",
    "check_draws",
    "delta_interval",
    "is_predictive",
    "posterior_interval",
    "quantile_interval",
    "slopes_at",
    "with_gradient",
]

Interval = Literal["delta", "posterior", "predictive"]


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


def is_predictive(interval: Interval) -> bool:
    """Tell whether an interval, checked, is about what will come in."""
    return bool(check_choice(interval, "interval", Interval) == "predictive")


def check_draws(model: Any, whose: str) -> Floats:
    """Return a model's draws from the posterior, (d, p), or say how to get them."""
    draws: Floats | None = getattr(model, "coefficient_draws_", None)
    if draws is None or len(draws) < 2:
        raise InputError(
            f"{whose} has no draws from a posterior, which this `interval` needs: fit it with a "
            'prior, such as BGNBD(prior="weak"), and n_draws of 2 or more.'
        )
    return draws


def posterior_interval(
    rows: Rows, function: Prediction, draws: Floats, confidence_level: float
) -> dict[str, Floats]:
    """Return std_error, conf_low and conf_high over draws of the coefficients, (d, p)."""
    found = np.array([function(parameters_at(draw, rows.designs), rows.columns) for draw in draws])
    return quantile_interval(found, confidence_level)


def quantile_interval(values: Floats, confidence_level: float) -> dict[str, Floats]:
    """Return std_error, conf_low and conf_high of draws, (d, n); infinite where draws are."""
    tail = (1.0 - confidence_level) / 2.0
    low, high = np.quantile(values, [tail, 1.0 - tail], axis=0, method="inverted_cdf")
    finite = np.isfinite(values).all(axis=0)
    error = np.where(finite, values, 0.0).std(axis=0, ddof=1)
    return {"std_error": np.where(finite, error, np.inf), "conf_low": low, "conf_high": high}
