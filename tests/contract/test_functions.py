"""The contract of every public function: sections 2 and 3 of the grammar, held for all alike."""

import inspect
import warnings

import numpy as np
import pandas as pd
import pytest

from contract._tools import (
    ID_TYPES,
    assert_same,
    documented_columns,
    of_kind,
    permuted,
    result_of,
    with_ids,
    with_odd_index,
)
from contract._types import COLUMN_TYPES, NEEDS_ARROW, retyped
from contract.cases._case import FunctionCase
from crmkit.errors import CrmkitError, InputError, MissingColumnsError

functions = pytest.mark.parametrize("case", of_kind(FunctionCase))


@functions
def test_options_are_keyword_only(case):
    kinds = [p.kind for p in inspect.signature(case.function).parameters.values()]
    positional = sum(kind is inspect.Parameter.POSITIONAL_OR_KEYWORD for kind in kinds)
    assert positional <= 2
    assert all(
        kind in (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
        for kind in kinds
    )


@functions
def test_result_is_plain(case):
    result = result_of(case)
    if case.returns != "table":
        assert np.isscalar(result)
        return
    assert type(result) is pd.DataFrame
    assert isinstance(result.index, pd.RangeIndex)
    assert all(isinstance(c, str) and c == c.strip() for c in result.columns)
    if "customer_id" in result.columns:
        assert result.columns[0] == "customer_id"
    assert len(result)


@functions
def test_docstring_names_the_columns(case):
    assert case.function.__doc__
    if case.returns != "table":
        return
    documented, optional, open_ended = documented_columns(case.function)
    assert documented, "bullet the result columns under Returns"
    returned = list(result_of(case).columns)
    assert set(documented) - optional <= set(returned)
    if not open_ended:
        assert set(returned) <= set(documented)
        assert [c for c in documented if c in returned] == returned


@functions
def test_docstring_has_an_example(case):
    assert ">>>" in case.function.__doc__


@functions
def test_input_is_untouched(case):
    tables = case.tables()
    copies = {name: table.copy(deep=True) for name, table in tables.items()}
    filters = list(warnings.filters)
    state = np.random.get_state()[1].copy()  # noqa: NPY002
    case.call(tables)
    for name, table in tables.items():
        pd.testing.assert_frame_equal(table, copies[name])
    assert warnings.filters == filters
    assert (np.random.get_state()[1] == state).all()  # noqa: NPY002


@functions
@pytest.mark.sweep(2)
@pytest.mark.parametrize("changed", [permuted, with_odd_index])
def test_row_order_and_index_do_not_matter(case, changed):
    assert_same(case.call(changed(case.tables())), result_of(case))


@functions
@pytest.mark.sweep(len(ID_TYPES))
@pytest.mark.parametrize("kind", sorted(ID_TYPES))
def test_type_of_ids_does_not_matter(case, kind):
    if kind == "arrow":
        pytest.importorskip("pyarrow")
    tables = case.tables()
    if not any("customer_id" in table for table in tables.values()):
        return
    expected = result_of(case)
    result = case.call(with_ids(tables, kind))
    if case.returns == "table" and "customer_id" in expected.columns:
        assert list(result["customer_id"]) == list(
            ID_TYPES[kind](expected["customer_id"]).astype(object)
        )
    assert_same(result, expected, ignore=("customer_id",))


@functions
@pytest.mark.sweep(len(COLUMN_TYPES))
@pytest.mark.parametrize("kind", COLUMN_TYPES)
def test_type_of_columns_does_not_matter(case, kind):
    if kind in NEEDS_ARROW:
        pytest.importorskip("pyarrow")
    tables = case.tables()
    changed = retyped(tables, kind)
    if any(not changed[name].dtypes.equals(table.dtypes) for name, table in tables.items()):
        assert_same(case.call(changed), result_of(case))


@functions
@pytest.mark.sweep(3)
@pytest.mark.parametrize("method", ["clone", "lazy", "to_arrow"])
def test_other_engines_are_read(case, method):
    polars = pytest.importorskip("polars")
    tables = {
        name: getattr(polars.from_pandas(table), method)() for name, table in case.tables().items()
    }
    assert_same(case.call(tables), result_of(case))


@functions
def test_missing_columns_are_named(case):
    for name, columns in case.needs.items():
        for column in columns:
            tables = case.tables()
            tables[name] = tables[name].drop(columns=column)
            with pytest.raises(MissingColumnsError, match=column) as caught:
                case.call(tables)
            assert f"`{name}`" in str(caught.value)


@functions
def test_empty_tables_are_refused(case):
    for name in case.tables():
        tables = case.tables()
        tables[name] = tables[name].iloc[:0]
        if name in case.may_be_empty:
            case.call(tables)
            continue
        with pytest.raises(InputError, match=name):
            case.call(tables)


@functions
@pytest.mark.sweep(3)
@pytest.mark.parametrize("wrong", [7, "table", [1, 2]])
def test_something_else_than_a_table_is_refused(case, wrong):
    for name in case.tables():
        if wrong in case.also_takes.get(name, ()):
            continue
        tables = case.tables()
        tables[name] = wrong
        with pytest.raises(InputError, match=name):
            case.call(tables)


@functions
def test_what_is_quoted_of_long_cells_is_cut(case):
    for name, table in case.tables().items():
        for column in table.columns:
            if not (len(table) and isinstance(table[column].iloc[0], str)):
                continue
            long = table[column].astype(object).map(lambda word: 5_000 * "x" + word)
            said = ""
            try:
                case.call({**case.tables(), name: table.assign(**{column: long})})
            except CrmkitError as error:
                said = str(error)
            assert len(said) < 1_500, said[:300]


@functions
@pytest.mark.sweep(3)
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_none_are_refused(case, bad):
    for name, columns in case.numbers.items():
        for column in columns:
            tables = case.tables()
            values = tables[name][column].astype(float)
            values.iloc[2] = bad
            tables[name] = tables[name].assign(**{column: values})
            with pytest.raises(InputError, match=column):
                case.call(tables)


@functions
def test_text_for_numbers_is_refused(case):
    for name, columns in case.numbers.items():
        for column in columns:
            tables = case.tables()
            tables[name] = tables[name].assign(**{column: "1,5"})
            with pytest.raises(InputError, match=column):
                case.call(tables)


@functions
def test_missing_ids_are_refused(case):
    for name, columns in case.needs.items():
        if "customer_id" not in columns:
            continue
        tables = case.tables()
        ids = tables[name]["customer_id"].astype("Int64")
        ids.iloc[1] = pd.NA
        tables[name] = tables[name].assign(customer_id=ids)
        if case.counts_missing:
            assert case.call(tables)["count"].sum() > 0
            continue
        with pytest.raises(InputError, match="customer_id"):
            case.call(tables)
