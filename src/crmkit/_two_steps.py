"""Functions in two steps: what some of the customers tell, and what all of that makes."""

from __future__ import annotations

import inspect
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from crmkit.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import pandas as pd

    Table = Callable[..., pd.DataFrame]

__all__ = ["TABLE", "Steps", "called", "in_one", "in_two_steps", "two_steps"]

TABLE = "the table"  # the name of what the last pass gives


@dataclass(frozen=True, slots=True)
class Steps:
    """How a function is worked out from parts of the customers.

    ``table`` is the argument that is cut.
    ``passes`` go over all parts one after the other: the name of what each gives, what a part
    tells, and what is made of all of that. What an option of that name gives already is not worked
    out. With ``each`` the function is then called on every part, for rows of its customers.
    ``raw`` is for a function that itself tells of rows without an id or a date; ``by_order`` for
    one that is as well worked out from parts of the orders, where nobody knows the customers.
    """

    table: str
    passes: tuple[tuple[str, Table, Callable[..., Any]], ...]
    options: dict[str, Any]
    each: bool = False
    raw: bool = False
    by_order: bool = False

    def run(self, over_parts: Callable[[Table], pd.DataFrame]) -> dict[str, Any]:
        """Return what each pass gives, by what puts the results of a step on all parts together."""
        made: dict[str, Any] = {}
        for name, first, rest in self.passes:
            known = {**self.options, **made}
            if known.get(name) is None:
                made[name] = _bound(rest, known)(over_parts(_bound(first, known)))
        return made

    def of_parts(self) -> Iterator[tuple[str, Any]]:
        """Yield the options that go into the parts."""
        for _, first, _ in self.passes:
            yield from _bound(first, self.options).keywords.items()
        if self.each:
            yield from self.options.items()


_STEPS: dict[Any, Steps] = {}


def in_two_steps(
    function: Table,
    *,
    table: str = "",
    first: Table | None = None,
    rest: Table | None = None,
    before: Sequence[tuple[str, Table, Callable[..., Any]]] = (),
    raw: bool = False,
    by_order: bool = False,
) -> None:
    """Note that a function of a log is ``rest(first(log))``, each with the options that it names.

    The function itself says ``return in_one(function, locals())``. What `first` makes of parts of
    the customers, one under the other, must be as good to `rest` as what it makes of all: rows of
    one customer each, or counts and sums that `rest` adds up. What has to be known of all customers
    `before` that is worked out likewise, under the name by which the steps after it take it.
    Without a `first` step that is all, and the function itself makes rows of one customer each.
    The log is the first argument, or that of the name `table`.
    """
    table = table or next(iter(inspect.signature(function).parameters))
    last = () if first is None or rest is None else ((TABLE, first, rest),)
    _STEPS[function] = Steps(table, (*before, *last), {}, not last, raw, by_order)


def in_one(function: Table, given: dict[str, Any]) -> pd.DataFrame:
    """Return what a function in two steps gives for a whole table, from its arguments by name."""
    known = _STEPS[function]
    steps = replace(known, options={key: given[key] for key in given if key != known.table})
    made: pd.DataFrame = steps.run(lambda first: first(given[known.table]))[TABLE]
    return made


def called(function: Table, table: Any, options: dict[str, Any]) -> pd.DataFrame:
    """Call a function on a table, which is its first argument if nothing else is known."""
    if function in _STEPS:
        return function(**{_STEPS[function].table: table}, **options)
    return function(table, **options)


def two_steps(function: Table, options: dict[str, Any]) -> Steps | None:
    """Return the steps of a function with its options, or None if it has none."""
    if function not in _STEPS:
        return None
    known = _STEPS[function]
    if known.table in options:
        raise InputError(
            f"`{known.table}` of `{function.__name__}` is the table that is cut into parts. Pass "
            "it as `table`, and all others by their names."
        )
    bound = inspect.signature(function).bind(**{known.table: None}, **options)
    bound.apply_defaults()
    del bound.arguments[known.table]
    return replace(known, options=dict(bound.arguments))


def _bound(step: Callable[..., Any], options: dict[str, Any]) -> partial[Any]:
    names = _names(step)
    return partial(step, **{name: value for name, value in options.items() if name in names})


@cache
def _names(step: Callable[..., Any]) -> frozenset[str]:
    return frozenset(inspect.signature(step).parameters)
