"""Changes of a table that must not matter, and reading of what a docstring promises."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import re
from functools import wraps

import numpy as np
import pandas as pd

ROOMS = ("basket", "churn", "clv", "response", "segmentation")


def cases_of(room):
    return importlib.import_module(f"contract.cases.{room}").CASES


def all_cases():
    return [case for room in ROOMS for case in cases_of(room)]


def of_kind(kind):
    return [
        pytest_param(room, case)
        for room in ROOMS
        for case in cases_of(room)
        if isinstance(case, kind)
    ]


def once(make):
    """Let a function of a case work once in a process; what it gives is not to be changed."""
    made = {}

    @wraps(make)
    def of_case(case):
        if id(case) not in made:
            made[id(case)] = make(case), case  # which lives as long as what was made
        return made[id(case)][0]

    return of_case


@once
def result_of(case):
    """What a function gives for the tables of its case."""
    return case.call(case.tables())


@once
def model_of(case):
    """Return a model that has learned from the tables of its case."""
    return case.fitted()


@once
def prediction_of(case):
    """What that model predicts for the tables of its case."""
    return case.predict(model_of(case), case.tables_to_predict())


def pytest_param(room, case):
    return param_of(case, f"{room}.{case.target.__name__}", getattr(case, "extra", ""))


def param_of(value, name, extra):
    """Return a parameter of a test that is skipped where the module of an extra is absent."""
    import pytest

    absent = bool(extra) and importlib.util.find_spec(extra) is None
    marks = pytest.mark.skipif(absent, reason=f"{extra} is not installed")
    return pytest.param(value, id=name, marks=marks)


def documented_columns(function):
    """Return a docstring's result columns, those that may be absent, and if others may come."""
    text = inspect.getdoc(function) or ""
    section = re.search(r"\nReturns\n-+\n(.*?)(?=\n[A-Z][A-Za-z ]+\n-{3,}\n|\Z)", text, re.S)
    if section is None:
        return [], set(), False
    columns, optional, open_ended = [], set(), False
    for bullet in re.split(r"\n\s*\* ", "\n" + section.group(1))[1:]:
        head = bullet.split(" - ")[0]
        names = re.findall(r"``([^`]+)``", head)
        in_words = re.match(r"(any|every|all|one|the) ", bullet)
        open_ended |= bool(in_words) or any("<" in name or "*" in name for name in names)
        names = [] if in_words else [n for n in names if "<" not in n and "*" not in n]
        columns += names
        if re.search(r"\b(only|optional|if given|as far as)\b", bullet, re.I):
            optional |= set(names)
    return columns, optional, open_ended


def documented_parameters(target):
    """Return the parameters of a docstring: name, type and text."""
    text = "\n" + (inspect.getdoc(target) or "")
    section = re.search(r"\nParameters\n-+\n(.*?)(?=\n\n[A-Z][A-Za-z ]+\n-{3,}\n|\Z)", text, re.S)
    found = []
    for block in re.split(r"\n(?=\S)", section.group(1)) if section else []:
        head, _, said = block.partition("\n")
        names, _, kind = head.partition(" : ")
        said = " ".join(said.split())
        found += [(name.strip().lstrip("*"), kind.strip(), said) for name in names.split(",")]
    return found


def permuted(tables, seed=0):
    rng = np.random.default_rng(seed)
    return {name: t.iloc[rng.permutation(len(t))] for name, t in tables.items()}


def with_odd_index(tables):
    return {name: t.set_axis(np.zeros(len(t), dtype=int), axis=0) for name, t in tables.items()}


ID_TYPES = {
    "text": lambda ids: ids.map(lambda i: f"c{i:09d}"),
    "nullable": lambda ids: ids.astype("Int64"),
    "category": lambda ids: ids.astype(str).str.zfill(9).astype("category"),
    "arrow": lambda ids: ids.astype("int64[pyarrow]"),
}


def with_ids(tables, kind):
    change = ID_TYPES[kind]
    return {
        name: t.assign(customer_id=change(t["customer_id"])) if "customer_id" in t else t
        for name, t in tables.items()
    }


def settled(result):
    """Return a result in an order of its own, for comparing."""
    if isinstance(result, pd.DataFrame) and "customer_id" in result.columns:
        columns = ["customer_id"]
        return result.sort_values(columns, kind="stable").reset_index(drop=True)
    return result


def assert_same(left, right, *, rtol=1e-9, ignore=()):
    left, right = settled(left), settled(right)
    if not isinstance(left, pd.DataFrame):
        np.testing.assert_allclose(left, right, rtol=rtol)
        return
    left = left.drop(columns=[c for c in ignore if c in left.columns])
    right = right.drop(columns=[c for c in ignore if c in right.columns])
    pd.testing.assert_frame_equal(
        left, right, check_dtype=False, check_exact=False, rtol=rtol, atol=1e-12
    )
