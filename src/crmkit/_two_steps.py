"""Functions in two steps: what some of the customers tell, and what all of that makes."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import pandas as pd

    Table = Callable[..., pd.DataFrame]

__all__ = ["Steps", "in_two_steps", "two_steps"]


@dataclass(frozen=True, slots=True)
class Steps:
    """How a function is worked out from parts of the customers.

    ``passes`` go over all parts one after the other: the name of what each gives, what a part
    tells, and what is made of all of that. ``raw`` is for a function that itself tells of rows
    without an id or a date; ``by_order`` for one that is as well worked out from parts of the
    orders, where nobody knows the customers.
    """

    passes: tuple[tuple[str, Table, Callable[..., Any]], ...]
    options: dict[str, Any]
    raw: bool = False
    by_order: bool = False

    def run(self, over_parts: Callable[[Table], pd.DataFrame]) -> pd.DataFrame:
        """Work it out, with what puts the results of a first step on all parts together."""
        known, made = self.options, cast("Any", None)
        for name, first, rest in self.passes:
            made = _bound(rest, known)(over_parts(_bound(first, known)))
            known = {**known, name: made}
        table: pd.DataFrame = made
        return table

    def of_parts(self) -> Iterator[tuple[str, Any]]:
        """Yield the options that go into the parts."""
        for _, first, _ in self.passes:
            yield from _bound(first, self.options).keywords.items()


_STEPS: dict[Any, Steps] = {}


def in_two_steps(
    function: Table,
    *,
    first: Table,
    rest: Table,
    before: Sequence[tuple[str, Table, Callable[..., Any]]] = (),
    raw: bool = False,
    by_order: bool = False,
) -> None:
    """Note that a function of a log is ``rest(first(log))``, each with the options that it names.

    What `first` makes of parts of the customers, one under the other, must be as good to `rest` as
    what it makes of all: rows of one customer each, or counts and sums that `rest` adds up. What
    has to be known of all customers `before` that is worked out likewise, under the name by which
    the steps after it take it.
    """
    _STEPS[function] = Steps((*before, ("", first, rest)), {}, raw, by_order)


def two_steps(function: Table, options: dict[str, Any]) -> Steps | None:
    """Return the steps of a function with its options, or None if it has none."""
    if function not in _STEPS:
        return None
    known = _STEPS[function]
    bound = inspect.signature(function).bind(None, **options)
    bound.apply_defaults()
    _, *named = bound.arguments.items()  # the first is the table
    return Steps(known.passes, dict(named), known.raw, known.by_order)


def _bound(step: Callable[..., Any], options: dict[str, Any]) -> partial[Any]:
    names = inspect.signature(step).parameters
    return partial(step, **{name: value for name, value in options.items() if name in names})
