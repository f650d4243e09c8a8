"""Where two tables meet: ids are equal by value, and nothing is missed in silence."""

import uuid
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmkit._frames import read_ids, rows_of, with_account, without
from crmkit._frames.join import by_value
from crmkit.errors import InputError


def rows(ids, among, **options):
    return rows_of(ids, among, name="scores", other="customers", **options).tolist()


def _dictionary(values):
    import pyarrow as pa

    return pd.Series(pd.arrays.ArrowExtensionArray(pa.array(values).dictionary_encode()))


SAME_VALUE = {
    "int64": lambda v: pd.Series(v, dtype="int64"),
    "int8": lambda v: pd.Series(v, dtype="int8"),
    "uint64": lambda v: pd.Series(v, dtype="uint64"),
    "float": lambda v: pd.Series(v, dtype="float64"),
    "Int64": lambda v: pd.Series(v, dtype="Int64"),
    "Float64": lambda v: pd.Series(v, dtype="Float64"),
    "category": lambda v: pd.Series(v).astype("category"),
    "category of floats": lambda v: pd.Series(v, dtype="float64").astype("category"),
    "object": lambda v: pd.Series(v, dtype=object),
    "Decimal": lambda v: pd.Series([Decimal(x) for x in v], dtype=object),
    "list": list,
    "arrow": lambda v: pd.Series(v, dtype="int64[pyarrow]"),
    "arrow double": lambda v: pd.Series(v, dtype="double[pyarrow]"),
}
SAME_TEXT = {
    "object": lambda v: pd.Series(v, dtype=object),
    "str": pd.Series,
    "category": lambda v: pd.Series(v).astype("category"),
    "string": lambda v: pd.Series(v, dtype="string"),
    "arrow": lambda v: pd.Series(v, dtype="string[pyarrow]"),
    "category of arrow": lambda v: pd.Series(v).astype("string[pyarrow]").astype("category"),
    "arrow dictionary": _dictionary,
}


def of_type(kinds, kind, values):
    if "arrow" in kind:
        pytest.importorskip("pyarrow")
    return kinds[kind](values)


@pytest.mark.parametrize("left", SAME_VALUE)
@pytest.mark.parametrize("right", SAME_VALUE)
def test_numbers_meet_by_value_whatever_their_type(left, right):
    ids, among = of_type(SAME_VALUE, left, [7, 9]), of_type(SAME_VALUE, right, [9, 8, 7])
    assert rows(ids, among) == [2, 0]


@pytest.mark.parametrize("left", SAME_TEXT)
@pytest.mark.parametrize("right", SAME_TEXT)
def test_text_meets_whatever_its_type(left, right):
    ids, among = of_type(SAME_TEXT, left, ["b", "a"]), of_type(SAME_TEXT, right, ["a", "z", "b"])
    assert rows(ids, among) == [2, 0]


ONE = uuid.UUID(int=1)
OTHERWISE = {
    "number against text": ([1], ["1"]),
    "padded text against number": (["001"], [1]),
    "padded against not": (["001"], ["1"]),
    "padded within": (["C0012"], ["C12"]),
    "float against text": ([1.0], ["1"]),
    "text of a float": (["1.0"], [1]),
    "text of a float against text": (["1.0"], ["1"]),
    "UUID against text": ([ONE], [str(ONE)]),
    "UUID against capitals": ([ONE], [str(ONE).upper()]),
    "UUID without dashes": ([ONE.hex], [str(ONE)]),
    "UUID in braces": (["{" + str(ONE) + "}"], [str(ONE)]),
    "bytes": ([b"B"], ["B"]),
    "blank behind": (["B "], ["B"]),
    "blank before": ([" B"], ["B"]),
    "blank that does not break": (["B\xa0"], ["B"]),
    "mark of byte order": (["\ufeffB"], ["B"]),
    "tab": (["B\t"], ["B"]),
    "case": (["a1"], ["A1"]),
    "accents written twice": (["e\u0301"], ["\u00e9"]),
    "wide digits": (["\uff11"], ["1"]),
    "Decimal": ([Decimal(1)], ["1"]),
    "date against text": ([pd.Timestamp("2025-01-01")], ["2025-01-01 00:00:00"]),
}


@pytest.mark.parametrize(("ids", "among"), OTHERWISE.values(), ids=OTHERWISE)
def test_ids_written_otherwise_are_refused_in_words(ids, among):
    for one, other in ((ids, among), (among, ids)):
        with pytest.raises(InputError, match="do not write customer_id alike") as caught:
            rows(one, other, account={})
        # Whole floats are told as the integers that they are.
        quoted = [repr(1 if value == [1.0] else value[0])[:80] for value in (one, other)]
        for part in ("`scores`", "`customers`", *quoted):
            assert part in str(caught.value)


@pytest.mark.parametrize(("ids", "among"), OTHERWISE.values(), ids=OTHERWISE)
def test_they_are_refused_even_where_others_meet(ids, among):
    with pytest.raises(InputError, match=r"1 of `scores` meet nobody"):
        rows([*ids, "known", "stranger"], [*among, "known", "another"], account={})


def test_the_sentence_names_kinds_and_what_to_do():
    with pytest.raises(InputError) as caught:
        rows(["001"], [1])
    assert str(caught.value) == (
        "`scores` and `customers` do not write customer_id alike: 1 of `scores` meet nobody, but "
        "would otherwise (first: '001', text in `scores`, 1, a number in `customers`). Convert "
        "one of the two columns, for example with astype(str) or pandas.to_numeric."
    )
    with pytest.raises(InputError, match=r"blanks with \.str\.strip\(\)"):
        rows(["B "], ["B"])
    with pytest.raises(InputError, match="one letter case"):
        rows(["b"], ["B"])
    with pytest.raises(InputError, match=r"\.str\.decode"):
        rows([b"B"], ["B"])
    with pytest.raises(InputError, match=r"lstrip\('0'\)"):
        rows(["01"], ["1"])


def test_a_cell_is_quoted_up_to_80_characters():
    with pytest.raises(InputError) as caught:
        rows(["x" * 5000], ["X" * 5000])
    assert len(str(caught.value)) < 500


def test_where_case_or_zeros_tell_customers_apart_they_are_no_slip():
    account = {}
    assert rows(["a1", "b1"], ["a1", "A1", "B1"], account=account) == [0, -1]
    assert rows(["7", "08"], ["7", "007", "8"], account=account) == [0, -1]
    assert account == {"scores_unmatched": 1}
    with pytest.raises(InputError, match="alike"):  # blanks never do
        rows(["a1", "b1 "], ["a1", "A1", "b1"], account={})


def test_strangers_are_counted_or_refused():
    account = {}
    assert rows([5, 2, 5, 6], [1, 2], account=account) == [-1, 1, -1, -1]
    assert account == {"scores_unmatched": 2}
    assert rows([2], [1, 2], account=account, key="strangers") == [1]
    assert account == {"scores_unmatched": 2, "strangers": 0}
    message = r"`customers` lacks 1 of the 2 customers of `scores` \(first: \[3\]\)"
    with pytest.raises(InputError, match=message):
        rows([1, 3], [1, 2])
    with pytest.raises(InputError, match="Score them too"):
        rows([1, 3], [1, 2], do="Score them too.")


def test_nobody_at_all_is_an_error():
    with pytest.raises(InputError, match=r"no customer_id of `scores` occurs in `customers`"):
        rows(["x", "y"], ["a", "b"], account={})
    with pytest.raises(InputError, match=r"\[1\.5\] against \[1, 2\]"):
        rows([1.5], [1, 2], account={})
    assert rows([], [1, 2]) == []


def test_where_none_need_meet_twins_are_refused_all_the_same():
    account = {}
    assert rows(["x"], ["a", "b"], account=account, allow_none=True) == [-1]
    assert account == {"scores_unmatched": 1}
    with pytest.raises(InputError, match="alike"):
        rows(["A"], ["a", "b"], account={}, allow_none=True)


def test_tuples_are_values():
    assert rows([("b", 2)], [("a", 1), ("b", 2)]) == [1]


def test_what_meets_has_other_names():
    with pytest.raises(InputError, match=r"no product of `scores`"):
        rows(["tea"], ["milk"], what="product")


def test_several_rows_for_one_id_are_refused():
    with pytest.raises(InputError, match=r"`customers` has several rows .* 2 of 4 .*\[1, 2\]"):
        rows([1], [1, 1.0, 2, 2])


def test_lists_as_ids_are_refused():
    for ids, among in (([[1]], ["a"]), (["a"], [[1], [2]])):
        with pytest.raises(InputError, match="holds lists"):
            rows(ids, among)


def test_floats_that_rounded_an_id_meet_nobody():
    large = 2**53
    with pytest.raises(InputError, match="`scores` holds 1 values of customer_id as floats"):
        rows([float(large + 1)], [large, large + 1])
    assert rows([large + 1], [large, large + 1]) == [1]
    assert rows(pd.Series([2**63], dtype="uint64"), [1, 2**63]) == [1]


def test_values_beside_missing_ones_stay_what_they_are():
    assert by_value(pd.Series([1, None], dtype="category")).tolist()[0] == 1
    assert by_value(pd.Series([1, None], dtype="Int64")).tolist()[0] == 1


def test_without_counts_those_whom_nobody_met():
    assert without(np.array([0, 0, -1, 2]), 4) == 2
    assert without(np.array([], dtype=np.int64), 4) == 4


@given(
    st.lists(st.text(st.sampled_from("aA0. 1"), min_size=1, max_size=4), unique=True, min_size=1),
    st.lists(st.text(st.sampled_from("aA0. 1"), min_size=1, max_size=4), min_size=1),
)
def test_a_row_is_right_or_the_pair_is_refused(among, ids):
    """Brute force: whatever meets is equal, whatever does not is nowhere, even if trimmed."""
    account = {}
    try:
        found = rows(ids, among, account=account)
    except InputError:
        assert any(one not in among for one in ids)
        return
    trimmed = {one.strip() for one in among}
    for one, row in zip(ids, found, strict=True):
        assert among[row] == one if row >= 0 else one.strip() not in trimmed
    assert account["scores_unmatched"] == len(set(ids) - set(among))


LISTS = [["a", "b"], ("a", "b"), np.array(["a", "b"]), pd.Index(["a", "b"]), pd.Series(["a", "b"])]


@pytest.mark.parametrize("values", LISTS)
def test_a_list_of_ids_is_read(values):
    assert read_ids(values, "suppress").tolist() == ["a", "b"]
    assert sorted(read_ids(set(values), "suppress")) == ["a", "b"]


def test_ids_of_a_table_and_of_other_engines_are_read():
    table = pd.DataFrame({"customer_id": [1, 2], "why": ["x", "y"]})
    assert read_ids(table, "suppress").tolist() == [1, 2]
    assert read_ids(range(1, 3), "suppress").tolist() == [1, 2]
    assert read_ids([], "suppress").tolist() == []
    polars = pytest.importorskip("polars")
    pyarrow = pytest.importorskip("pyarrow")
    assert read_ids(polars.Series([1, 2]), "suppress").tolist() == [1, 2]
    assert read_ids(polars.from_pandas(table).lazy(), "suppress").tolist() == [1, 2]
    assert read_ids(pyarrow.chunked_array([[1, 2]]), "suppress").tolist() == [1, 2]


@pytest.mark.parametrize("wrong", ["ann", b"ann", 7, {"a": 1}, iter("ab"), np.array(3), None])
def test_what_is_no_list_of_ids_is_refused(wrong):
    with pytest.raises(InputError, match="`suppress` must be a table with customer_id or a list"):
        read_ids(wrong, "suppress")


def test_missing_ids_are_refused():
    with pytest.raises(InputError, match="missing"):
        read_ids([1, None], "suppress")


def test_an_account_grows_and_leaves_other_attributes():
    table = pd.DataFrame({"a": [1]})
    table.attrs["as_of"] = "2025-01-01"
    assert with_account(table, {"x_unmatched": 3}) is table
    with_account(table, {"y_unmatched": 0})
    assert table.attrs == {"as_of": "2025-01-01", "account": {"x_unmatched": 3, "y_unmatched": 0}}
