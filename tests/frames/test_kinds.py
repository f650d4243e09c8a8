"""The type of a column never changes an answer; what is no number is said, and shown."""

import datetime as dt
from decimal import Decimal
from fractions import Fraction
from uuid import UUID

import numpy as np
import pandas as pd
import pytest

from crmkit import _learn, churn, response, segmentation
from crmkit._checks import Problems, listed, number_array, quoted, require_columns
from crmkit._frames.people import id_hashes
from crmkit._frames.plain import plain_column, plain_columns
from crmkit._kinds import as_floats, column_kind
from crmkit.errors import InputError, MissingColumnsError

NO = object()


def column(values, dtype=None):
    return pd.Series(values, dtype=dtype)


FLAGS = [True, False, None]
NUMBERS = [1.5, 2.0, None]
KINDS = {
    "flags": [
        column([True, False]),
        column([True, False], "category"),
        column(FLAGS, object),
        column(FLAGS, "boolean"),
        column(FLAGS, "category"),
    ],
    "numbers": [
        column([1, 2]),
        column([1, 2], "category"),
        column([1, 2], "uint8"),
        column(np.array([1, 2], dtype=">i4")),
        column([1.0, 2.0], "float16"),
        column([1, None], "Int64"),
        column(NUMBERS, "Float64"),
        column(NUMBERS, "category"),
        column(NUMBERS, object),
        column([Decimal("1.5"), None]),
        column([Decimal("1.5"), 2.0, 3], object),
        column([Fraction(1, 2), 1], object),
        column([True, 2], object),
        column([1.0, 0.0], "Sparse[float]"),
        column(pd.Categorical([1, 2], ordered=True)),
        column([1 + 2j]),
        column([pd.Timedelta("1D"), None]),
        column([dt.timedelta(1), None], object),
    ],
    "levels": [
        column(["a", None]),
        column(["1", "2"], object),
        column(["a", "b"], "string"),
        column(["a", "b"], "category"),
        column([1, "a"], object),
        column([1, "a"], "category"),
        column([b"a", None]),
        column([[1], [2]]),
        column(pd.cut([1, 2], 2)),
    ],
    "dates": [
        column(pd.to_datetime(["2024-01-01"])),
        column(pd.to_datetime(["2024-01-01"]).tz_localize("UTC")),
        column(pd.to_datetime(["2024-01-01"]), "category"),
        column([dt.date(2024, 1, 1), None]),
        column([dt.date(2024, 1, 1), dt.datetime(2024, 1, 1)], object),
        column(pd.PeriodIndex(["2024-01"], freq="M")),
    ],
    "nothing": [
        column([None, None]),
        column([np.nan, np.nan]),
        column([pd.NaT]),
        column([None, None], "Int64"),
        column([None], "category"),
        column([], float),
    ],
}


class TestColumnKind:
    @pytest.mark.parametrize(
        ("kind", "given"), [(kind, given) for kind, several in KINDS.items() for given in several]
    )
    def test_by_the_values_whatever_the_type(self, kind, given):
        assert column_kind(given) == kind
        assert column_kind(plain_column(given)) == kind

    @pytest.mark.parametrize(
        ("kind", "cells", "make"),
        [
            ("flags", [True, None], "bool_"),
            ("numbers", [1, None], "int64"),
            ("numbers", [1.5, None], "float64"),
            ("numbers", [Decimal("1.5"), None], NO),
            ("numbers", [dt.timedelta(1), None], NO),
            ("levels", ["a", None], "string"),
            ("dates", [dt.date(2024, 1, 1), None], "date32"),
            ("dates", [dt.datetime(2024, 1, 1), None], NO),
            ("nothing", [None, None], "null"),
        ],
    )
    def test_of_arrow(self, kind, cells, make):
        pa = pytest.importorskip("pyarrow")
        values = pa.array(cells) if make is NO else pa.array(cells, type=getattr(pa, make)())
        for array in (values, values.dictionary_encode()):
            assert column_kind(pd.Series(pd.arrays.ArrowExtensionArray(array))) == kind

    def test_is_the_same_function_for_learners(self):
        assert _learn.column_kind is column_kind


class TestPlain:
    def test_forms(self):
        forms = {
            "int64": [column([1], "int8"), column([1], "Int64"), column([1], object)],
            "uint64": [column([2**63], "UInt64"), column([2**63], object)],
            "float64": [column([1, None], "Int64"), column([1.5], "float32"), column([Decimal(1)])],
            "bool": [column([True], "boolean"), column([True], object), column([True], "category")],
            "boolean": [column([True, None], object)],
        }
        for form, several in forms.items():
            assert [plain_column(given).dtype for given in several] == [form] * len(several)

    def test_whole_numbers_of_any_size(self):
        for ends in ([-(2**62) - 2**60, 2**62], [-(2**62), 2**62 + 2**60]):
            plain = plain_column(column(ends, object))
            assert plain.dtype == np.int64
            assert plain.tolist() == ends
        assert plain_column(column([0, 2**63 + 2**62], object)).dtype == np.uint64

    def test_nothing_is_rounded_or_lost(self):
        for given in (
            column([2**60 + 1, None], "Int64"),
            column([2**70, 1], object),
            column([Decimal("sNaN"), Decimal(1)]),
            column(["x\ud800", "y"], object),
            column([dt.date(9999, 12, 31)]),
            column(pd.Categorical(["b", "a"], categories=["b", "a"], ordered=True)),
        ):
            plain = plain_column(given)
            assert plain.dtype == given.dtype
            assert repr(plain.tolist()) == repr(given.tolist())

    def test_the_table_of_the_caller_stays(self):
        table = pd.DataFrame({"customer_id": [1, 2], "n": [1, 2], None: ["a", "b"]})
        assert plain_columns(table, leave=("customer_id",)) is table
        table = table.astype({"customer_id": "Int64", "n": "Int64"}).set_axis([5, 5])
        copy = table.copy(deep=True)
        plain = plain_columns(table, leave=("customer_id",))
        pd.testing.assert_frame_equal(table, copy)
        assert plain["customer_id"].dtype == "Int64"
        assert plain["n"].dtype == np.int64
        assert plain[None].tolist() == ["a", "b"]


def refused(values, dtype=None, **options):
    problems = Problems("table")
    number_array(column(values, dtype), problems, "x", **options)
    with pytest.raises(InputError) as caught:
        problems.raise_if_any()
    return str(caught.value)


class TestNumberArray:
    def test_every_type_gives_the_same(self):
        for given in KINDS["numbers"]:
            if given.dtype.kind not in "cm" and not isinstance(given.iloc[0], dt.timedelta):
                problems = Problems("table")
                found = number_array(given, problems, "x", allow_missing=True)
                assert not problems
                expected = [np.nan if pd.isna(cell) else float(cell) for cell in given]
                np.testing.assert_array_equal(found, expected)

    @pytest.mark.parametrize(
        ("values", "broken"),
        [
            (["1,5", None], [True, False]),
            ([1, "x", 3], [False, True, False]),
            ([Decimal("sNaN"), Decimal(1)], [True, False]),
            ([1 + 2j, 1 + 0j], [True, True]),
            ([1 + 2j, 1], [True, False]),
            ([dt.date(2024, 1, 1), 1], [True, False]),
            ([pd.Timedelta("1D"), pd.NaT], [True, False]),
            ([[1], 1], [True, False]),
        ],
    )
    def test_what_is_no_number_is_marked_cell_by_cell(self, values, broken):
        given = pd.Series(values, dtype=None if len(set(map(type, values))) == 1 else object)
        assert as_floats(given)[1].tolist() == broken
        codes = [0, 1, 0, 1]
        if not isinstance(values[0], list) and "sNaN" not in str(values):
            again = given.astype("category").iloc[codes]
            assert as_floats(again)[1].tolist() == [broken[code] for code in codes]

    def test_the_cells_that_are_broken_are_shown(self):
        text = refused([1, 2, 3, "12 Stk"], object)
        assert "not a number in 1 of 4 rows (first at row 3): ['12 Stk']" in text
        assert "is missing" not in text

    def test_cells_are_cut(self):
        text = refused(["x" * 5_000_000, 1], object)
        assert len(text) < 400
        assert len(quoted(["y" * 1000] * 1000)) <= 80
        assert quoted(np.float64(1.5)) == "1.5"

    def test_lists_of_columns_are_cut(self):
        with pytest.raises(MissingColumnsError) as caught:
            require_columns([f"column_{i}" for i in range(20_000)], ["colum_7"], "table")
        text = str(caught.value)
        assert "did you mean 'column_7'" in text
        assert len(text) < 2_000
        assert "19,980 more" in text
        assert listed(["a"]) == "['a']"

    def test_beyond_what_a_number_holds(self):
        assert "adds up to more than" in refused([1e308, 1e308])
        assert "adds up to more than" in refused([-1e308, -1e308])
        assert "is infinite in 1 of 2" in refused([10**400, 1], object)
        problems = Problems("table")
        number_array(column([1e307, 1e307]), problems, "x")
        assert not problems


class TestIdHashes:
    def test_by_value(self):
        seven = [
            column([7]),
            column([7.0]),
            column([7], "int8"),
            column([7], "Int64"),
            column([7], "category"),
            column([7], object),
            column([Decimal(7)]),
        ]
        text = [column(["7"], kind) for kind in (None, object, "string", "category")]
        assert len({int(id_hashes(ids)[0]) for ids in seven}) == 1
        assert len({int(id_hashes(ids)[0]) for ids in text}) == 1
        others = [seven[0], text[0], column([b"7"]), column([7.5]), column([UUID(int=7)])]
        others += [column([2**63 + 7]), column([2**63 + 8], object)]
        assert len({int(id_hashes(ids)[0]) for ids in others}) == len(others)


class TestLargeIds:
    @pytest.mark.parametrize("kind", ["uint64", "UInt64", object, "category"])
    def test_from_2_to_the_63_on(self, kind):
        high = [2**63, 2**63 + 1, 2**63, 2**64 - 1]
        for ids in (high, high[:3], [2**63 - 1, 2**63, 5, 5]):
            given = column(ids) if kind == "category" else column(ids, kind)
            given = given.astype("category") if kind == "category" else given
            log = pd.DataFrame({"customer_id": given, "order_id": given, "amount": 1.0})
            table = segmentation.rfm_table(log.assign(date=pd.Timestamp("2024-01-01")))
            assert table["customer_id"].tolist() == sorted(set(ids))
            assert table["total_amount"].sum() == len(ids)


class TestRooms:
    """Answers that changed with nothing but a column's type."""

    @pytest.mark.parametrize("kind", ["bool", "boolean", "category", "object", "bool[pyarrow]"])
    def test_consent(self, kind):
        if "pyarrow" in kind:
            pytest.importorskip("pyarrow")
        customers = pd.DataFrame({"customer_id": ["a", "b"], "ok": column([True, False], kind)})
        scores = pd.DataFrame({"customer_id": ["a", "b"], "score": [0.5, 0.5]})
        found = response.select_targets(customers, scores, consent="ok", holdout_share=0)
        assert found["reason"].tolist() == ["selected", "opted out"]

    @pytest.mark.parametrize("kind", ["bool", "boolean", "category", "object", "bool[pyarrow]"])
    def test_survival(self, kind):
        if "pyarrow" in kind:
            pytest.importorskip("pyarrow")
        table = pd.DataFrame({"customer_id": [1, 2], "tenure_days": [5, 9]})
        table["churned"] = column([True, False], kind)
        assert churn.survival_table(table)["p_survival"].tolist() == [1.0, 0.5, 0.5]

    @pytest.mark.parametrize("kind", ["float", "category", "object", "decimal", "Float64"])
    def test_amounts(self, kind):
        amounts = column([10.0, 20.0, 30.0, 20.0])
        amounts = amounts.map(Decimal) if kind == "decimal" else amounts.astype(kind)
        log = pd.DataFrame({"customer_id": [1, 1, 2, 3], "date": pd.Timestamp("2024-01-01")})
        table = segmentation.rfm_table(log.assign(amount=amounts))
        assert table["total_amount"].tolist() == [30.0, 30.0, 20.0]

    def test_decimal_levels_are_numbers(self):
        size = [Decimal(i) for i in range(40)]
        log = pd.DataFrame({"customer_id": list(range(40)) * 3, "product": list("abcde" * 24)})
        log["product"] = log["product"].where(log["customer_id"] % 3 > 0, "a")
        log["amount"] = np.arange(120.0)
        log["date"] = pd.Timestamp("2024-01-01") + pd.to_timedelta(np.arange(120), unit="D")
        people = pd.DataFrame({"customer_id": range(40), "size": size})
        found, same, apart = (
            segmentation.potential_table(log, method="white_space", customers=table, by="size")
            for table in (
                people,
                people.assign(size=range(40)),
                people.assign(size=[f"size {i}" for i in range(40)]),
            )
        )
        pd.testing.assert_frame_equal(found, same)
        assert not np.allclose(found["potential"], apart["potential"])
