"""The contract of every public function and method that brings two tables of customers together.

Nothing meets, or fails to meet, in silence. A function is enrolled by the tables of its case: all
that have a ``customer_id``, but those that the case says are of other people.
"""

import inspect
import re
import uuid
from functools import cache

import numpy as np
import pandas as pd
import pytest

from contract._tools import assert_same, model_of, of_kind
from contract.cases._case import FunctionCase, ModelCase
from crmkit.errors import InputError


class Join:
    """One call that takes tables by name: a function, a fit, or a prediction after a fit."""

    def __init__(self, case, method):
        self.case, self.method = case, method
        self.target = getattr(case.target, method) if method else case.target
        self.options = case.kwargs if not method else getattr(case, f"{method}_kwargs")

    @cache  # noqa: B019
    def tables(self):
        if not self.method:
            return self.case.tables()
        frames = {k: v for k, v in self.options.items() if isinstance(v, pd.DataFrame)}
        first = self.case.fit_tables() if self.method == "fit" else self.case.tables_to_predict()
        return {**first, **frames}

    def call(self, tables):
        if not self.method:
            return self.case.call(tables)
        if self.method == "predict":
            return self.case.predict(model_of(self.case), tables)
        placed = [table for name, table in tables.items() if name not in self.options]
        named = {name: tables.get(name, value) for name, value in self.options.items()}
        return self.case.make().fit(*placed, **named)

    def joined(self):
        """Return the tables that are looked up in one another."""
        names = [name for name, table in self.tables().items() if "customer_id" in table]
        return [name for name in names if name not in self.case.apart]

    def account(self, tables):
        """Return what the result says of itself, or None where the call is refused."""
        try:
            result = self.call(tables)
        except InputError:
            return None
        account = result.account_ if self.method == "fit" else result.attrs["account"]
        counts = [value for name, value in account.items() if name != "by"]
        assert all(type(value) in (int, float, str, bool) for value in counts)
        return account


def _joins():
    for kind, methods in ((FunctionCase, [""]), (ModelCase, ["fit", "predict"])):
        for param in of_kind(kind):
            for method in methods:
                join = Join(*param.values, method)
                yield pytest.param(join, id=f"{param.id}.{method}".rstrip("."), marks=param.marks)


JOINS = list(_joins())
joins = pytest.mark.parametrize("join", JOINS)


def text(ids):
    return ids.map(lambda i: f"c{i:09d}")


# How the first tables write their ids, and how the second does.
OTHERWISE = {
    "text of numbers": (lambda ids: ids, lambda ids: ids.astype(str)),
    "padded": (lambda ids: ids, lambda ids: ids.astype(str).str.zfill(9)),
    "text of floats": (lambda ids: ids, lambda ids: ids.astype(float).astype(str)),
    "blank": (text, lambda ids: text(ids) + " "),
    "capitals": (text, lambda ids: text(ids).str.upper()),
    "bytes": (text, lambda ids: text(ids).map(str.encode)),
    "UUID": (
        lambda ids: ids.map(lambda i: str(uuid.UUID(int=i))),
        lambda ids: ids.map(lambda i: uuid.UUID(int=i)),
    ),
}
SAME_VALUE = {
    "float": lambda ids: ids.astype(float),
    "Int64": lambda ids: ids.astype("Int64"),
    "category": lambda ids: ids.astype("category"),
    "object": lambda ids: ids.astype(object),
}


def written(tables, second, kind, rows):
    """Write ids in one way, and some rows of one table in another."""
    first, other = OTHERWISE[kind]
    out = dict(tables)
    for name, table in tables.items():
        if "customer_id" in table:
            ids = first(table["customer_id"]).astype(object)
            if name == second:
                ids.iloc[rows] = other(table["customer_id"]).astype(object).iloc[rows]
            out[name] = table.assign(customer_id=ids)
    return out


def test_every_table_of_a_signature_is_in_a_case():
    """A parameter that the docstring calls a DataFrame stands in a case, or the suite fails."""
    given, targets = {}, {}
    for param in JOINS:
        (join,) = param.values
        key = join.target.__qualname__
        targets[key] = join.target
        frames = {k for k, v in join.options.items() if isinstance(v, pd.DataFrame)}
        given.setdefault(key, set()).update(join.tables(), frames)
    lacking = []
    for key, target in targets.items():
        found = re.findall(r"^(\w[\w, ]*) : .*DataFrame", inspect.getdoc(target) or "", re.M)
        wanted = {name for names in found for name in names.split(", ")}
        wanted &= set(inspect.signature(target).parameters)
        lacking += [f"{key}({name}=...)" for name in sorted(wanted - given[key])]
    assert not lacking, f"no case gives a table to {lacking}"


@joins
def test_ids_written_otherwise_or_of_nobody_are_refused(join):
    for second in join.joined()[1:]:
        for kind in OTHERWISE:
            for rows in (slice(None), slice(None, None, 2)):
                with pytest.raises(InputError, match="do not write customer_id alike") as caught:
                    join.call(written(join.tables(), second, kind, rows))
                assert f"`{second}`" in str(caught.value)
        table = join.tables()[second]
        strangers = table.assign(customer_id=table["customer_id"] + 1_000_000)
        with pytest.raises(InputError, match="customer_id") as caught:
            join.call({**join.tables(), second: strangers})
        assert f"`{second}`" in str(caught.value)


@joins
def test_who_meets_nobody_is_counted_or_refused(join):
    for second in join.joined()[1:]:
        table, first = join.tables()[second], set(join.tables()[join.joined()[0]]["customer_id"])
        ids = table["customer_id"]
        half = ids.isin(np.sort(ids.unique())[::2])
        strangers = table.assign(customer_id=ids.where(~half, ids + 1_000_000))
        account = join.account({**join.tables(), second: strangers})
        unmatched = len(set(strangers["customer_id"]) - first)
        assert account is None or account[f"{second}_unmatched"] == unmatched
        if second in join.case.may_be_empty:
            continue  # a list of exceptions: most customers are not on it
        fewer = table[~ids.isin(np.sort(list(first))[::2])]
        account = join.account({**join.tables(), second: fewer})
        absent = len(first - set(fewer["customer_id"]))
        assert account is None or absent in account.values()


@joins
def test_ids_of_equal_value_meet(join):
    if len(join.joined()) < 2 or join.method == "fit":
        return
    expected = join.call(join.tables())
    for one, other in (("float", "category"), ("object", "Int64")):
        tables = dict(join.tables())
        for place, name in enumerate(join.joined()):
            change = SAME_VALUE[other if place % 2 else one]
            tables[name] = tables[name].assign(customer_id=change(tables[name]["customer_id"]))
        assert_same(join.call(tables), expected, ignore=("customer_id",))


@pytest.mark.parametrize("join", [param for param in JOINS if param.values[0].method == "predict"])
def test_a_model_learns_from_one_type_of_ids_and_predicts_for_another(join):
    expected = join.call(join.tables())
    for change in SAME_VALUE.values():
        tables = {
            name: table.assign(customer_id=change(table["customer_id"]))
            if "customer_id" in table
            else table
            for name, table in join.tables().items()
        }
        assert_same(join.call(tables), expected, ignore=("customer_id",))
