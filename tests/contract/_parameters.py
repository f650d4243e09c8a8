"""Every option of every public function, model and method, and how to call with a value of it."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial

import pandas as pd

import crmkit
from contract._tools import all_cases, model_of
from contract.cases._case import FunctionCase, ModelCase
from crmkit import clv, datasets, report

LOG = pd.DataFrame(
    {
        "customer_id": [1, 1, 1, 2, 2, 3],
        "date": pd.to_datetime(["2024-01-01", "2024-02-05", "2024-03-01"] * 2),
        "amount": [10.0, 20.0, 30.0, 5.0, 5.0, 8.0],
    }
)
OTHERS = [
    FunctionCase(crmkit.as_transactions, lambda: {"raw": LOG}),
    FunctionCase(crmkit.as_customers, lambda: {"raw": LOG[["customer_id"]].drop_duplicates()}),
    FunctionCase(datasets.make_transactions, dict, {"n_customers": 20}),
    FunctionCase(datasets.make_campaign, dict, {"n_customers": 50}),
    FunctionCase(report.make_report, lambda: {"transactions": LOG}),
]


@dataclass(frozen=True)
class Subject:
    """A function or method, its options, those that its case gives, and how to call it."""

    name: str
    options: dict[str, inspect.Parameter]
    given: dict[str, object]
    call: Callable[[dict[str, object]], object]
    extra: str = ""


def options(function):
    """Return what is not a table: all that goes by keyword, and numbers that go first."""
    return {
        p.name: p
        for p in inspect.signature(function).parameters.values()
        if p.kind is p.KEYWORD_ONLY or (p.kind is p.POSITIONAL_OR_KEYWORD and p.annotation == "int")
    }


def of_function(case):
    tables = cache(case.tables)
    signature = inspect.signature(case.function)

    def call(chosen):
        # A plot's case may call the table by another name than the plot does.
        named = dict(zip(signature.parameters, tables().values(), strict=False))
        given = tables() if set(tables()) <= set(signature.parameters) else named
        bound = signature.bind_partial(**{**given, **case.kwargs, **chosen})
        return case.function(*bound.args, **bound.kwargs)

    name = f"{case.function.__module__.split('.')[1]}.{case.function.__name__}"
    found = options(case.function)
    named = {key: table for key, table in tables().items() if key in found}
    return [(case.function, Subject(name, found, {**case.kwargs, **named}, call))]


def of_model(case):
    """Return the constructor with ``fit``, and the other methods; a body that is shared once."""
    fit_tables = cache(case.fit_tables)
    how_asked = cache(partial(asked, case))
    name = f"{case.model.__module__.split('.')[1]}.{case.model.__name__}"
    made, how = options(case.model.__init__), options(case.model.fit)

    def learn(chosen):
        parameters = {key: value for key, value in chosen.items() if key in made}
        given = {key: value for key, value in chosen.items() if key not in made}
        model = case.model(**{**case.parameters, **parameters})
        return model.fit(*fit_tables().values(), **{**case.fit_kwargs, **given})

    def ask(method, chosen):
        tables, given = how_asked(method)
        return getattr(model_of(case), method)(*tables, **{**given, **chosen})

    given = {**case.parameters, **case.fit_kwargs}
    key = (case.model.__init__, case.model.fit)
    found = [(key, Subject(name, {**made, **how}, given, learn, case.extra))]
    for method, function in inspect.getmembers(case.model, inspect.isfunction):
        if method.startswith(("_", "get_", "set_", "to_")) or method in {"fit", "save"}:
            continue
        given = how_asked(method)[1]
        call = partial(ask, method)
        subject = Subject(f"{name}.{method}", options(function), given, call, case.extra)
        found.append((function, subject))
    return found


def asked(case, method):
    """Return the tables and the options that a method is asked with."""
    tables = case.tables_to_predict()
    parameters = inspect.signature(case.model.predict).parameters
    beside = {key: table for key, table in tables.items() if key in options(case.model.predict)}
    first = [table for key, table in tables.items() if key not in beside and parameters]
    if method == "predict":
        return first, {**case.predict_kwargs, **beside}
    if method == "parameter_table":
        return [], {}
    if method in case.methods:
        return [case.log_for()], case.kwargs_of(method)
    if case.model is clv.TimeVaryingParetoNBD:
        people = pd.DataFrame({"customer_id": [1, 2], "first_date": pd.Timestamp("2023-06-01")})
        return [people], {**case.fit_kwargs, "as_of": "2024-06-01"}
    return first, {}


def subjects():
    """Return a subject per public function and method; a body that models share, once."""
    found = {}
    for case in (*all_cases(), *OTHERS):
        for key, subject in of_model(case) if isinstance(case, ModelCase) else of_function(case):
            found.setdefault(key, subject)
    return list(found.values())
