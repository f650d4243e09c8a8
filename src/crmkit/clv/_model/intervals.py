"""Intervals of predictions: what the data leave open about the parameters, and what will come in.

Of the parameters by derivatives or by draws from the posterior; of what will come in by histories
that are continued under every draw.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from crmkit._arrays import normal_quantile
from crmkit._checks import check_choice, random_generator
from crmkit.clv._model.rows import parameters_at
from crmkit.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from crmkit._typing import Floats, Ints
    from crmkit.clv._math.ahead import Ahead
    from crmkit.clv._math.rows import Rows

    Prediction = Callable[[list[Any], dict[str, Floats]], Floats]

__all__ = [
    "Interval",
    "check_draws",
    "continued",
    "customers_at_draws",
    "delta_interval",
    "gone_on",
    "in_a_row",
    "is_predictive",
    "limits",
    "one_amount_each",
    "outcome_interval",
    "outcomes",
    "posterior_interval",
    "predictive_interval",
    "quantile_interval",
    "slopes_at",
    "values_at_draws",
    "with_gradient",
]

Interval = Literal["delta", "posterior", "predictive"]

# Customers times draws that are continued at a time.
_CELLS = 100_000
# Draws times customers whose outcomes are held at once.
_HELD = 10_000_000


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
    """Return std_error, conf_low and conf_high of predictions (delta method)."""
    variance = np.einsum("ij,jk,ik->i", slopes, covariance, slopes)
    return limits(value, np.maximum(variance, 0.0), confidence_level)


def limits(value: Floats, variance: Floats, level: float) -> dict[str, Floats]:
    """Return std_error, conf_low and conf_high, on the logarithm of the value's size."""
    error = np.sqrt(variance)
    size = np.abs(value)
    width = np.divide(normal_quantile(level) * error, size, out=np.zeros_like(size), where=size > 0)
    factor = np.exp(np.minimum(width, 700.0))
    near, far = value / factor, value * factor
    return {
        "std_error": error,
        "conf_low": np.minimum(near, far),
        "conf_high": np.maximum(near, far),
    }


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
    size, step = rows.weight.size, max(1, _HELD // len(draws))
    blocks = [
        quantile_interval(
            values_at_draws(rows.where(slice(start, start + step)), function, draws),
            confidence_level,
        )
        for start in range(0, max(size, 1), step)
    ]
    return in_a_row(blocks)


def values_at_draws(rows: Rows, function: Prediction, draws: Floats) -> Floats:
    """Return a prediction of distinct rows at every draw of the coefficients, (d, n)."""
    found = np.empty((len(draws), rows.weight.size))
    for place, draw in enumerate(draws):
        found[place] = function(parameters_at(draw, rows.designs), rows.columns)
    return found


def in_a_row(blocks: Sequence[dict[str, Floats]]) -> dict[str, Floats]:
    """Return what was told of customers in blocks as if of all at once."""
    return {name: np.concatenate([block[name] for block in blocks]) for name in blocks[0]}


def quantile_interval(values: Floats, confidence_level: float) -> dict[str, Floats]:
    """Return std_error, conf_low and conf_high of draws, (d, n); infinite where draws are."""
    tail = (1.0 - confidence_level) / 2.0
    low, high = np.quantile(values, [tail, 1.0 - tail], axis=0, method="inverted_cdf")
    return {"std_error": _deviation(values), "conf_low": low, "conf_high": high}


def outcome_interval(values: Floats, confidence_level: float) -> dict[str, Floats]:
    """Return std_error, conf_low and conf_high of what came in at each draw, (d, n).

    Many customers bring nothing and others a few purchases, so that both tails cannot be equal.
    At most half of what the interval leaves out lies between nothing and its nearer limit; the
    other limit leaves out the rest, as nearly as the outcomes drawn allow. Held on average are
    then as many as `confidence_level` says, where equal tails would hold more.
    """
    sign = np.where(values.mean(axis=0) < 0.0, -1.0, 1.0)  # nothing is the least, or the most
    size, n_draws = values * sign, len(values)
    left_out = round((1.0 - confidence_level) * n_draws, 6)
    first = max(math.ceil(left_out / 2.0) - 1, 0)
    last = n_draws - 1 - math.floor(left_out)
    size.partition([first, last], axis=0)
    near = size[first].copy()
    rest = left_out - (size[: last + 1] < near).sum(axis=0)
    top = np.sort(size[last:], axis=0)
    place = len(top) - 1 - np.floor(rest).astype(np.int64)
    far = np.take_along_axis(top, place[None], axis=0)[0]
    # Of two neighbouring outcomes the one that leaves out what is nearer to the rest.
    beyond, above = (top >= far).sum(axis=0), (top > far).sum(axis=0)
    beyond += (size[:last] >= far).sum(axis=0)
    drop = np.flatnonzero((beyond - rest < rest - above) & (far > near))
    lesser = size[:, drop]
    far[drop] = np.where(lesser < far[drop], lesser, -np.inf).max(axis=0)
    low, high = np.where(sign > 0.0, [near, far], [-far, -near])
    return {"std_error": _deviation(values), "conf_low": low, "conf_high": high}


def _deviation(values: Floats) -> Floats:
    """Return the standard deviation of draws, (d, n); infinite where draws are."""
    finite = np.isfinite(values).all(axis=0)
    deviation = np.where(finite, values, 0.0).std(axis=0, ddof=1)
    return np.where(finite, deviation, np.inf)


def at_draws(rows: Rows, draws: Floats) -> tuple[list[Any], dict[str, Floats], Ints]:
    """Return parameters and columns of distinct rows at every draw, and each customer's place.

    Draw d of customer i of n stands at d n + i.
    """
    n_draws, n_rows = len(draws), rows.weight.size
    if all(design is None for design in rows.designs):
        logs = draws[:, : len(rows.designs)].T
        theta: list[Any] = [np.repeat(np.exp(log), n_rows) for log in logs]
    else:
        each = [parameters_at(draw, rows.designs) for draw in draws]
        theta = [
            np.concatenate([np.broadcast_to(values[j], n_rows) for values in each])
            for j in range(len(rows.designs))
        ]
    columns = {name: np.tile(column, n_draws) for name, column in rows.columns.items()}
    place = np.arange(n_rows)[rows.inverse]
    return theta, columns, (np.arange(n_draws)[:, None] * n_rows + place).ravel()


def customers_at_draws(rows: Rows, draws: Floats) -> tuple[list[Any], dict[str, Floats]]:
    """Return parameters and columns of all customers at every draw; see `at_draws`."""
    theta, columns, place = at_draws(rows, draws)
    return [value[place] for value in theta], {name: v[place] for name, v in columns.items()}


def one_amount_each(model: Any, table: pd.DataFrame, level: float) -> dict[str, Floats]:
    """Return deviation and limits of the amount of one purchase to come of each customer."""
    count = len(check_draws(model, "The model"))
    owner, rng = np.arange(count * len(table)), _seeded_apart(model._seed())
    drawn = model._amounts_ahead(table)(np.arange(count), owner, rng)
    return outcome_interval(drawn.reshape(count, -1), level)


def continued(
    future: Callable[[list[Any], dict[str, Floats]], Any],
    rows: Rows,
    draws: Floats,
    days: float,
    rng: np.random.Generator,
) -> Ahead:
    """Draw the purchases of all customers in the next days at every draw of the coefficients."""
    theta, columns, who = at_draws(rows, draws)
    found: Ahead = future(theta, columns).draw(days, rng, who)
    return found


def gone_on(ahead: Ahead) -> dict[str, NDArray[Any]]:
    """Return how many purchases each customer made, and who stays."""
    return {"purchases": np.bincount(ahead.owner, minlength=ahead.alive.size), "alive": ahead.alive}


def outcomes(
    table: pd.DataFrame,
    purchases: Any,
    spend: Any = None,
    *,
    days: float,
    rate: float = 0.0,
    share: Floats | None = None,
    group: Ints | None = None,
    n_groups: int = 0,
) -> Floats:
    """Return what comes in within `days`, (draws, customers) or (draws, groups).

    Purchases, or with `spend` their amounts times `share`, each discounted at `rate` per day.
    """
    if math.isinf(days):
        raise InputError(
            f"`interval` 'predictive' continues histories for a finite `horizon_days`; got {days}."
        )
    count = len(check_draws(purchases, "The model of purchases"))
    rng = _seeded_apart(purchases._seed())
    n = len(table)
    order = np.arange(count)
    if spend is not None:
        other = len(check_draws(spend, "The model of spend"))
        count = min(count, other)
        # In an order of their own: the same seed must not make the two models move together.
        order = rng.permutation(other)
    where = np.arange(n) if group is None else group
    width = n if group is None else n_groups
    result = np.zeros((count, width))
    step = max(1, _CELLS // max(n, 1))
    goes_on = purchases._ahead(table, days)
    pays = None if spend is None else spend._amounts_ahead(table)
    for start in range(0, count, step):
        some = np.arange(start, min(start + step, count))
        ahead = goes_on(some, rng)
        worth = np.exp(-rate * ahead.when)
        customer = ahead.owner % n
        if pays is not None:
            worth *= pays(order[some], ahead.owner, rng)
            worth *= 1.0 if share is None else share[customer]
        cell = ahead.owner // n * width + where[customer]
        found = np.bincount(cell, weights=worth, minlength=some.size * width)
        result[some] = found.reshape(some.size, width)
    return result


def predictive_interval(
    table: pd.DataFrame,
    purchases: Any,
    spend: Any = None,
    *,
    level: float,
    share: Floats | None = None,
    group: Ints | None = None,
    **options: Any,
) -> dict[str, Floats]:
    """Return deviation and limits of what comes in from each customer, or group; see `outcomes`."""
    whole = {"level": level, **options}
    n_draws = len(check_draws(purchases, "The model of purchases"))
    if group is not None or n_draws * len(table) <= _HELD:
        found = outcomes(table, purchases, spend, share=share, group=group, **options)
        return outcome_interval(found, level)
    blocks = []
    for start in range(0, len(table), _HELD // n_draws):
        rows = slice(start, start + _HELD // n_draws)
        own = None if share is None else share[rows]
        blocks.append(predictive_interval(table.iloc[rows], purchases, spend, share=own, **whole))
    return in_a_row(blocks)


def _seeded_apart(random_state: int | None) -> np.random.Generator:
    """Return a generator whose numbers are not those by which the model drew its posterior."""
    drawn = random_generator(random_state).bit_generator
    return np.random.Generator(drawn.jumped())  # type: ignore[attr-defined]
