"""Functions in two steps: what some of the customers tell, and what all of that makes."""

from __future__ import annotations

import inspect
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    Table = Callable[..., pd.DataFrame]

__all__ = ["in_two_steps", "two_steps"]

_STEPS: dict[Any, tuple[Table, Table]] = {}


def in_two_steps(function: Table, *, first: Table, rest: Table) -> None:
    """Note that a function of a log is ``rest(first(log))``, each with the options that it names.

    What `first` makes of parts of the customers, one under the other, must be as good to `rest` as
    what it makes of all: rows of one customer each, or counts and sums that `rest` adds up.
    """
    _STEPS[function] = (first, rest)


def two_steps(function: Table, options: dict[str, Any]) -> tuple[Table, Table] | None:
    """Return the two steps of a function with their options, or None if it has none."""
    if function not in _STEPS:
        return None
    bound = inspect.signature(function).bind(None, **options)
    bound.apply_defaults()
    first, rest = (
        partial(
            step,
            **{k: v for k, v in bound.kwargs.items() if k in inspect.signature(step).parameters},
        )
        for step in _STEPS[function]
    )
    return first, rest
