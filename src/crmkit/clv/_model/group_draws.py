"""What the models of several groups say, told as if by one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from crmkit.clv._math.ahead import Ahead

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pandas as pd

    from crmkit._typing import Floats, Ints

__all__ = ["ahead_by_group", "amounts_by_group", "at_draws_by_group", "stacked"]


def ahead_by_group(
    parts: Sequence[tuple[Callable[[Ints, np.random.Generator], Ahead], Ints]],
) -> Callable[[Ints, np.random.Generator], Ahead]:
    """Return what continues the histories of each group's customers by its own model."""
    n = sum(rows.size for _, rows in parts)

    def ahead(which: Ints, rng: np.random.Generator) -> Ahead:
        owner, when = [np.empty(0, dtype=np.int64)], [np.empty(0)]
        alive = np.empty((which.size, n), dtype=bool)
        for goes_on, rows in parts:
            found = goes_on(which, rng)
            owner.append(found.owner // rows.size * n + rows[found.owner % rows.size])
            when.append(found.when)
            alive[:, rows] = found.alive.reshape(which.size, rows.size)
        return Ahead(np.concatenate(owner), np.concatenate(when), alive.ravel())

    return ahead


def amounts_by_group(
    parts: Sequence[tuple[Callable[[Ints, Ints, np.random.Generator], Floats], Ints]],
) -> Callable[[Ints, Ints, np.random.Generator], Floats]:
    """Return what draws an amount for each owner by the model of its group."""
    n = sum(rows.size for _, rows in parts)

    def amounts(which: Ints, owner: Ints, rng: np.random.Generator) -> Floats:
        found = np.empty(owner.size)
        for pays, rows in parts:
            position = np.full(n, -1)
            position[rows] = np.arange(rows.size)
            mine = np.flatnonzero(position[owner % n] >= 0)
            own = owner[mine] // n * rows.size + position[owner[mine] % n]
            found[mine] = pays(which, own, rng)
        return found

    return amounts


def at_draws_by_group(
    models: Sequence[Any],
    customers: pd.DataFrame,
    group: Ints,
    draws: Floats,
    method: str,
    options: dict[str, Any],
) -> Floats:
    """Return values at every draw of the coefficients of all groups in a row, (d, n)."""
    ends = np.cumsum([len(model.coefficients_) for model in models])
    found = np.empty((len(draws), len(customers)))
    for number, own in enumerate(np.split(draws, ends[:-1], axis=1)):
        rows = np.flatnonzero(group == number)
        if rows.size:
            found[:, rows] = getattr(models[number], method)(customers.iloc[rows], own, **options)
    return found


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
