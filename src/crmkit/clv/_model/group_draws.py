"""What the models of several groups say, told as if by one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from crmkit.clv._math.ahead import Ahead

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from crmkit._typing import Floats, Ints

__all__ = ["ahead_by_group", "amounts_by_group", "stacked"]


def ahead_by_group(
    parts: Sequence[tuple[Any, Ints]],
    customers: pd.DataFrame,
    which: Ints,
    days: float,
    rng: np.random.Generator,
) -> Ahead:
    """Continue the histories of each group's customers at some draws of its own model."""
    n = len(customers)
    owner, when = [np.empty(0, dtype=np.int64)], [np.empty(0)]
    alive = np.empty((which.size, n), dtype=bool)
    for model, rows in parts:
        found = model._ahead(customers.iloc[rows], which, days, rng)
        owner.append(found.owner // rows.size * n + rows[found.owner % rows.size])
        when.append(found.when)
        alive[:, rows] = found.alive.reshape(which.size, rows.size)
    return Ahead(np.concatenate(owner), np.concatenate(when), alive.ravel())


def amounts_by_group(
    parts: Sequence[tuple[Any, Ints]],
    customers: pd.DataFrame,
    which: Ints,
    owner: Ints,
    rng: np.random.Generator,
) -> Floats:
    """Draw an amount for each `owner` by the model of its group."""
    n = len(customers)
    amounts = np.empty(owner.size)
    for model, rows in parts:
        position = np.full(n, -1)
        position[rows] = np.arange(rows.size)
        mine = np.flatnonzero(position[owner % n] >= 0)
        own = owner[mine] // n * rows.size + position[owner[mine] % n]
        amounts[mine] = model._amounts_ahead(customers.iloc[rows], which, own, rng)
    return amounts


def stacked(
    models: Sequence[Any],
    customers: pd.DataFrame,
    group: Ints,
    method: str,
    options: dict[str, Any],
) -> tuple[Floats, Floats]:
    """Return values (n,) and derivatives in the coefficients of all groups (n, p)."""
    sizes = [len(model.coefficients_) for model in models]
    value, slopes = np.zeros(len(customers)), np.zeros((len(customers), sum(sizes)))
    for number, (end, size) in enumerate(zip(np.cumsum(sizes), sizes, strict=True)):
        rows = np.flatnonzero(group == number)
        if rows.size:
            value[rows], found = getattr(models[number], method)(customers.iloc[rows], **options)
            if found.shape[1]:
                slopes[rows, end - size : end] = found
    return value, slopes
