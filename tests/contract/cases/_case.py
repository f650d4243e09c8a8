"""What a case says about a public name, so that the contract can be checked for all alike."""

from __future__ import annotations

import inspect
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Tables = dict[str, pd.DataFrame]
_KEYWORD_ONLY = inspect.Parameter.KEYWORD_ONLY


def _call(function: Callable[..., Any], tables: Tables, kwargs: Mapping[str, Any]) -> Any:
    """Call a function with its tables, by name where the signature wants that."""
    parameters = inspect.signature(function).parameters
    named = {k: table for k, table in tables.items() if parameters[k].kind is _KEYWORD_ONLY}
    placed = [table for name, table in tables.items() if name not in named]
    return function(*placed, **{**kwargs, **named})


def shared(make: Callable[[], Tables]) -> Callable[[], Tables]:
    """Return what makes tables once in a process, and gives copies of them each time."""
    made = cache(make)
    return lambda: {name: table.copy() for name, table in made().items()}


class _Shared:
    """A case whose tables are made once, for every test: many are learned from other tables."""

    def __post_init__(self) -> None:
        for name in ("tables", "fit_tables", "predict_tables"):
            if getattr(self, name, None) is not None:
                object.__setattr__(self, name, shared(getattr(self, name)))


@dataclass(frozen=True)
class FunctionCase(_Shared):
    """A function that gives a table (or, with ``returns="number"``, a number).

    ``tables`` makes fresh valid inputs by argument name; those that the signature takes by
    position go by position, others by keyword. Customer ids in them must be integers. ``needs``
    and ``numbers`` name, per table, the columns that must exist and those that must be finite
    numbers.
    """

    function: Callable[..., Any]
    tables: Callable[[], Tables]
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    needs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    numbers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    returns: str = "table"
    # A table that may be empty (a suppression list, say) is named here.
    may_be_empty: tuple[str, ...] = ()
    # What else may stand in a table's place: a list of ids, one cost for all.
    also_takes: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    # Tables of other people than the first, whose ids are looked up nowhere, are named here.
    apart: tuple[str, ...] = ()
    # A report on raw data counts rows without a customer instead of refusing them.
    counts_missing: bool = False
    # Results with a random part that follows row positions by design would set this; none does.
    any_row_order: bool = True

    @property
    def target(self) -> Callable[..., Any]:
        return self.function

    def call(self, tables: Tables) -> Any:
        return _call(self.function, tables, self.kwargs)


@dataclass(frozen=True)
class ModelCase(_Shared):
    """A class that learns: ``fit(*fit_tables, **fit_kwargs)`` then ``predict(*predict_tables)``."""

    model: type
    fit_tables: Callable[[], Tables]
    parameters: Mapping[str, Any] = field(default_factory=dict)
    fit_kwargs: Mapping[str, Any] = field(default_factory=dict)
    predict_tables: Callable[[], Tables] | None = None
    predict_kwargs: Mapping[str, Any] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    # How far refits on permuted rows may differ (sums in another order), relative.
    tolerance: float = 1e-6
    # As in a FunctionCase.
    may_be_empty: tuple[str, ...] = ()
    apart: tuple[str, ...] = ()
    # The module, brought by an extra, that fitting needs.
    extra: str = ""
    # Methods beside fit and predict that take a log, and their arguments.
    methods: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    log: Callable[[], pd.DataFrame] | None = None

    @property
    def target(self) -> type:
        return self.model

    def make(self) -> Any:
        return self.model(**self.parameters)

    def fitted(self) -> Any:
        return self.make().fit(*self.fit_tables().values(), **self.fit_kwargs)

    def tables_to_predict(self) -> Tables:
        return (self.predict_tables or self.fit_tables)()

    def predict(self, model: Any, tables: Tables) -> pd.DataFrame:
        return _call(model.predict, tables, self.predict_kwargs)

    def log_for(self) -> pd.DataFrame:
        """Return a log for the methods that take one."""
        return self.log() if self.log is not None else self.fit_tables()["transactions"]

    def kwargs_of(self, method: str) -> Mapping[str, Any]:
        """Return the other arguments of a method that takes a log."""
        if method == "predict":
            return self.predict_kwargs
        assert method in self.methods, f"the case of {self.model.__name__} lacks {method}()"
        return self.methods[method]


@dataclass(frozen=True)
class PlotCase(_Shared):
    """A plot of a table that another function made."""

    function: Callable[..., Any]
    tables: Callable[[], Tables]
    kwargs: Mapping[str, Any] = field(default_factory=dict)

    @property
    def target(self) -> Callable[..., Any]:
        return self.function
