"""What will come in: histories continued under every draw from the posterior."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from crmkit._checks import random_generator
from crmkit.clv._model.intervals import check_draws, quantile_interval
from crmkit.clv._model.rows import parameters_at
from crmkit.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd
    from numpy.typing import NDArray

    from crmkit._typing import Floats, Ints
    from crmkit.clv._math.ahead import Ahead
    from crmkit.clv._math.rows import Rows

__all__ = [
    "continued",
    "customers_at_draws",
    "gone_on",
    "one_amount_each",
    "outcomes",
    "predictive_interval",
]

# Customers times draws that are continued at a time.
_CELLS = 100_000
# Draws times customers whose outcomes are held at once.
_HELD = 10_000_000


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
    drawn = model._amounts_ahead(table, np.arange(count), owner, rng)
    return quantile_interval(drawn.reshape(count, -1), level)


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
    for start in range(0, count, step):
        some = np.arange(start, min(start + step, count))
        ahead = purchases._ahead(table, some, days, rng)
        worth = np.exp(-rate * ahead.when)
        customer = ahead.owner % n
        if spend is not None:
            worth *= spend._amounts_ahead(table, order[some], ahead.owner, rng)
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
        return quantile_interval(found, level)
    blocks = []
    for start in range(0, len(table), _HELD // n_draws):
        rows = slice(start, start + _HELD // n_draws)
        own = None if share is None else share[rows]
        blocks.append(predictive_interval(table.iloc[rows], purchases, spend, share=own, **whole))
    return {name: np.concatenate([block[name] for block in blocks]) for name in blocks[0]}


def _seeded_apart(random_state: int | None) -> np.random.Generator:
    """Return a generator whose numbers are not those by which the model drew its posterior."""
    drawn = random_generator(random_state).bit_generator
    return np.random.Generator(drawn.jumped())  # type: ignore[attr-defined]
