"""The contract of every class that learns."""

import base64
import inspect
import json
import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from contract._tools import (
    ID_TYPES,
    assert_same,
    documented_columns,
    model_of,
    of_kind,
    permuted,
    prediction_of,
    with_ids,
    with_odd_index,
)
from contract._types import COLUMN_TYPES, NEEDS_ARROW, SAME_IDS, retyped
from contract.cases._case import ModelCase
from crmkit._estimator import Model
from crmkit.errors import InputError, MissingColumnsError

models = pytest.mark.parametrize("case", of_kind(ModelCase))


@pytest.fixture
def fitted(case):
    return model_of(case)


@pytest.fixture
def expected(case):
    return prediction_of(case)


@models
def test_constructor_only_stores(case):
    model = case.make()
    assert isinstance(model, Model)
    parameters = list(inspect.signature(case.model.__init__).parameters.values())[1:]
    assert all(p.kind is inspect.Parameter.KEYWORD_ONLY for p in parameters)
    assert sorted(vars(model)) == sorted(p.name for p in parameters)
    assert clone(model).get_params().keys() == model.get_params().keys()


@models
def test_not_fitted_is_said(case):
    with pytest.raises(NotFittedError, match="fit"):
        case.predict(case.make(), case.tables_to_predict())


@models
def test_fit_returns_the_model_and_leaves_its_input(case):
    tables = case.fit_tables()
    copies = {name: table.copy(deep=True) for name, table in tables.items()}
    model = case.make()
    assert model.fit(*tables.values(), **case.fit_kwargs) is model
    for name, table in tables.items():
        pd.testing.assert_frame_equal(table, copies[name])
    # What fit learned lies in attributes with a trailing underscore, parameters stay as given.
    assert all(name.endswith("_") for name in vars(model) if name not in model.get_params())


@models
def test_predict_gives_a_plain_table_in_row_order(case, fitted):
    tables = permuted(case.tables_to_predict(), seed=3)
    first = next(iter(tables.values()))
    copy = first.copy(deep=True)
    result = case.predict(fitted, tables)
    pd.testing.assert_frame_equal(first, copy)
    assert type(result) is pd.DataFrame
    assert isinstance(result.index, pd.RangeIndex)
    if "customer_id" in result.columns:
        assert result.columns[0] == "customer_id"
        assert list(dict.fromkeys(result["customer_id"])) == list(
            dict.fromkeys(first["customer_id"])
        )
    documented, optional, open_ended = documented_columns(case.model.predict)
    assert documented, "bullet the columns of predict under Returns"
    assert set(documented) - optional <= set(result.columns)
    assert open_ended or set(result.columns) <= set(documented)
    numbers = result.select_dtypes("number").to_numpy(dtype=float)
    assert not np.isinf(numbers).any()


@models
def test_refit_equals_fit_whatever_the_row_order(case, fitted, expected):
    again = case.make().fit(*case.fit_tables().values(), **case.fit_kwargs)
    assert_same(case.predict(again, case.tables_to_predict()), expected, rtol=1e-12)
    again.fit(*permuted(case.fit_tables()).values(), **case.fit_kwargs)
    result = case.predict(again, case.tables_to_predict())
    assert_same(result, expected, rtol=case.tolerance)
    odd = with_odd_index(case.tables_to_predict())
    assert_same(case.predict(fitted, odd), expected)


@models
@pytest.mark.sweep(len(ID_TYPES))
@pytest.mark.parametrize("kind", sorted(ID_TYPES))
def test_type_of_ids_does_not_matter(case, fitted, expected, kind):
    if kind == "arrow":
        pytest.importorskip("pyarrow")
    model = case.make().fit(*with_ids(case.fit_tables(), kind).values(), **case.fit_kwargs)
    result = case.predict(model, with_ids(case.tables_to_predict(), kind))
    assert_same(result, expected, rtol=case.tolerance, ignore=("customer_id",))


@models
@pytest.mark.sweep(len(SAME_IDS))
@pytest.mark.parametrize("kind", SAME_IDS)
def test_fit_on_one_type_of_ids_and_predict_on_another(case, fitted, expected, kind):
    tables = case.tables_to_predict()
    other = {
        name: t.assign(customer_id=SAME_IDS[kind](t["customer_id"])) if "customer_id" in t else t
        for name, t in tables.items()
    }
    assert_same(case.predict(fitted, other), expected, ignore=("customer_id",))


@models
@pytest.mark.sweep(len(COLUMN_TYPES))
@pytest.mark.parametrize("kind", COLUMN_TYPES)
def test_predict_on_other_types_of_columns(case, fitted, expected, kind):
    if kind in NEEDS_ARROW:
        pytest.importorskip("pyarrow")
    tables = case.tables_to_predict()
    assert_same(case.predict(fitted, retyped(tables, kind)), expected)


@models
@pytest.mark.sweep(4)
@pytest.mark.parametrize("kind", ["object", "category", "decimal", "narrow"])
def test_fit_on_other_types_of_columns(case, fitted, expected, kind):
    pytest.importorskip("pyarrow")
    tables = retyped(case.fit_tables(), kind, turn=1)
    model = case.make().fit(*tables.values(), **case.fit_kwargs)
    assert_same(case.predict(model, case.tables_to_predict()), expected, rtol=case.tolerance)


@models
def test_pickle_and_json_bring_it_back(case, fitted, expected, tmp_path):
    copy = pickle.loads(pickle.dumps(fitted))
    assert_same(case.predict(copy, case.tables_to_predict()), expected, rtol=1e-12)
    fitted.save(tmp_path / "model.json")
    loaded = case.model.load(tmp_path / "model.json")
    result = case.predict(loaded, case.tables_to_predict())
    assert_same(result, expected, rtol=1e-12, ignore=("in_sample",))
    # A file keeps nothing of the customers, so the model no longer knows whom it has seen.
    assert ("in_sample" in result) == ("in_sample" in expected)
    assert "in_sample" not in result or result["in_sample"].isna().all()
    # Ids of another type are the same customers to a model from a file.
    result = case.predict(loaded, with_ids(case.tables_to_predict(), "text"))
    assert_same(result, expected, rtol=1e-12, ignore=("customer_id", "in_sample"))


@models
@pytest.mark.parametrize("kind", ["text", "numbers"])
def test_a_saved_model_names_no_customer(case, tmp_path, kind):
    change = {
        "text": lambda ids: ids.map(lambda i: f"kept-{i:09d}-secret"),
        "numbers": lambda ids: 7_340_000_007 + 104_729 * ids,
    }[kind]
    tables = {
        name: t.assign(customer_id=change(t["customer_id"])) if "customer_id" in t else t
        for name, t in case.fit_tables().items()
    }
    model = case.make().fit(*tables.values(), **case.fit_kwargs)
    model.save(tmp_path / "model.json")
    ids = {i for t in tables.values() if "customer_id" in t for i in t["customer_id"]}
    assert ids
    stored = set(stored_values(json.loads((tmp_path / "model.json").read_text(encoding="utf-8"))))
    assert stored & {case.model.__name__}
    if kind == "text":
        assert not [text for text in stored if isinstance(text, str) and "-secret" in text]
    else:
        assert not ids & stored
        assert not {str(i) for i in ids} & stored


def stored_values(value):
    """Walk through everything that a model's file holds, also the numbers in packed arrays."""
    if isinstance(value, dict) and "$array" in value:
        packed = base64.b64decode(value["$array"])
        yield from np.frombuffer(packed, dtype=value["dtype"]).tolist()
    elif isinstance(value, dict):
        for name, part in value.items():
            yield name
            yield from stored_values(part)
    elif isinstance(value, list):
        for part in value:
            yield from stored_values(part)
    else:
        yield value


@models
def test_other_files_are_refused(case, tmp_path):
    (tmp_path / "other.json").write_text("{}")
    with pytest.raises(InputError, match="no crmkit model"):
        case.model.load(tmp_path / "other.json")


@models
def test_missing_columns_are_named(case):
    name, table = next(iter(case.fit_tables().items()))
    for column in case.needs:
        others = list(case.fit_tables().values())[1:]
        with pytest.raises(MissingColumnsError, match=column) as caught:
            case.make().fit(table.drop(columns=column), *others, **case.fit_kwargs)
        assert f"`{name}`" in str(caught.value)


@models
def test_empty_and_wrong_tables_are_refused(case, fitted):
    name, table = next(iter(case.fit_tables().items()))
    others = list(case.fit_tables().values())[1:]
    for wrong in (table.iloc[:0], 7, [1, 2]):
        with pytest.raises(InputError, match=name):
            case.make().fit(wrong, *others, **case.fit_kwargs)


@models
def test_other_engines_are_read(case, fitted, expected):
    polars = pytest.importorskip("polars")
    tables = {k: polars.from_pandas(t) for k, t in case.fit_tables().items()}
    model = case.make().fit(*tables.values(), **case.fit_kwargs)
    tables = {k: polars.from_pandas(t) for k, t in case.tables_to_predict().items()}
    assert_same(case.predict(model, tables), expected, rtol=case.tolerance)


@models
def test_class_docstring_has_an_example(case):
    assert ">>>" in case.model.__doc__
    assert ">>>" in case.model.__doc__
