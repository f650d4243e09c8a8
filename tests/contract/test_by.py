"""The contract of `by`: customers without a value are a group of their own, the last."""

import inspect

import pandas as pd
import pytest

from contract._tools import all_cases
from contract.cases._case import ModelCase
from crmkit.errors import InputError

# Sorts after all words of the cases.
LAST = "~"


def splits(function):
    """Tell whether a function takes the names of columns as `by`."""
    by = inspect.signature(function).parameters.get("by")
    return by is not None and "str" in str(by.annotation)


def with_by():
    """Return every case that splits customers, its options, and who is asked."""
    found = []
    for case in all_cases():
        if isinstance(case, ModelCase):
            chosen, tables = dict(case.parameters), case.fit_tables
            function = case.model.__init__ if "by" in chosen else None
        else:
            chosen, tables, function = dict(case.kwargs), case.tables, case.function
        if function is None or not splits(function):
            continue
        if "thresholds" in chosen:  # which say by what they are split
            chosen["by"] = list(chosen.pop("thresholds").columns[:1])
        default = inspect.signature(function).parameters["by"].default
        column, *_ = (
            [chosen.get("by", default)] if not isinstance(chosen.get("by"), list) else chosen["by"]
        )
        holder = [name for name, table in tables().items() if column in table]
        if holder:
            label = f"{case.target.__name__}-{holder[0]}"
            found.append(pytest.param(case, chosen, tables, column, holder[0], id=label))
    return found


WITH_BY = with_by()
every = pytest.mark.parametrize(("case", "chosen", "tables", "column", "holder"), WITH_BY)


def answer(case, chosen, tables):
    if isinstance(case, ModelCase):
        model = case.model(**chosen).fit(*tables.values(), **case.fit_kwargs)
        return model.parameter_table()
    return type(case)(case.function, lambda: tables, chosen).call(tables)


def told(table):
    """Return a result in which a group without a value has one label, whatever it is called."""
    words = table.astype(object)
    return words.where(table.notna() & ~words.isin([LAST, "(missing)", "missing"]), None)


@every
@pytest.mark.parametrize("kind", ["object", "category", "string"])
def test_no_value_is_a_group_of_its_own_the_last(case, chosen, tables, column, holder, kind):
    given = tables()
    table = given[holder]
    absent = table["customer_id"].to_numpy() % 4 == 0
    words = table[column].astype(str)
    named = {**given, holder: table.assign(**{column: words.mask(absent, LAST)})}
    cells = words.astype(object).mask(absent, None).astype(kind)
    missing = {**given, holder: table.assign(**{column: cells})}
    expected, found = (told(answer(case, chosen, one)) for one in (named, missing))
    pd.testing.assert_frame_equal(found, expected, check_dtype=False)


@every
def test_who_is_not_in_the_table_is_refused_or_counted(case, chosen, tables, column, holder):
    """Where the table only adds what is known, who is not there is as one without a value."""
    given = tables()
    first, table = next(iter(given)), given[holder]
    if holder == first:
        return  # there is no other table
    there = table["customer_id"] % 4 != 0
    try:
        found = answer(case, chosen, {**given, holder: table[there]})
    except InputError as refused:
        sentence = str(refused)
    else:
        sentence = ""
    if sentence:
        assert f"`{holder}` lacks" in sentence and f"`{first}`" in sentence  # noqa: PT018
        return
    words = {c: table[c].astype(object).where(there, None) for c in table.columns[1:]}
    expected = answer(case, chosen, {**given, holder: table.assign(**words)})
    account = found.attrs["account"]
    if holder == "segments":  # whose customers alone are summed up
        assert account["customers_without_segments"] > 0
        return
    pd.testing.assert_frame_equal(found, expected, check_dtype=False)
    assert account[f"{first}_unmatched"] > 0


def test_every_function_with_by_is_here():
    functions = {case.function for case in all_cases() if not isinstance(case, ModelCase)}
    assert {f for f in functions if splits(f)} <= {param.values[0].target for param in WITH_BY}
