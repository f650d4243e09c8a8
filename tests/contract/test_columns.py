"""The glossary: every result column is in it, and everything in it is a result column."""

import inspect
import re

import pytest

from contract._tools import all_cases, documented_columns, of_kind
from contract.cases._case import FunctionCase
from crmkit._columns import KINDS, column, glossary, kind_of

functions = pytest.mark.parametrize("case", of_kind(FunctionCase))
TARGETS = list(dict.fromkeys(case.target for case in all_cases()))


def promised(target):
    """The columns that docstrings of a function, or of a class's methods, bullet."""
    members = inspect.getmembers(target, inspect.isroutine)
    methods = [value for name, value in members if not name.startswith("_")]
    return {
        name
        for function in (methods if isinstance(target, type) else [target])
        for name in documented_columns(function)[0]
    }


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.__name__)
def test_every_promised_column_is_in_the_glossary(target):
    unknown = sorted(name for name in promised(target) if column(name) is None)
    assert unknown == [], "write one row for each into src/crmkit/_columns.csv"


@functions
def test_every_returned_column_is_in_the_glossary_or_the_callers_own(case):
    if case.returns != "table":
        return
    tables = case.tables()
    own = {str(name) for table in tables.values() for name in table.columns}
    own |= {str(name) for value in case.kwargs.values() for name in named(value)}
    documented, _, open_ended = documented_columns(case.function)
    assert documented
    for name in case.call(tables).columns:
        assert column(name) is not None or (open_ended and name in own), name


def named(value):
    return [value] if isinstance(value, str) else value if isinstance(value, (list, tuple)) else []


def test_nothing_in_the_glossary_is_forgotten():
    used = set().union(*map(promised, TARGETS))
    from crmkit import datasets

    used |= set().union(*(promised(getattr(datasets, name)) for name in datasets.__all__))
    assert sorted(set(glossary()) - used) == []


def test_entries_are_well_formed():
    kinds_of_names = {"p_": ("probability", "p_value"), "_days": ("days", "count")}
    for entry in glossary().values():
        assert re.fullmatch(r"T|[a-z][a-z0-9_]*", entry.name)
        assert entry.kind in KINDS, entry
        assert re.fullmatch(r"[A-Z0-9(\"`][^;]{8,}\.", entry.meaning), entry
        for part, kinds in kinds_of_names.items():
            if entry.name.startswith(part) or entry.name.endswith(part):
                assert entry.kind in kinds, entry
        if entry.kind == "limit":
            assert kind_of(entry.name, "money") not in ("limit", "text"), entry


def test_the_glossary_is_sorted():
    assert list(glossary()) == sorted(glossary())
