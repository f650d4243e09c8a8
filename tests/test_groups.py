"""How `by` is read, and one code per group of customers: missing values are a group, the last."""

import numpy as np
import pandas as pd
import pytest

from crmkit._frames import (
    ROWWISE,
    customer_groups,
    group_codes,
    match_groups,
    read_by,
    read_transactions,
    sorted_codes,
)
from crmkit.errors import InputError


@pytest.mark.parametrize(
    "by", ["a", ["a"], ("a",), pd.Index(["a"]), pd.Series(["a"]), np.array(["a"])]
)
def test_one_name_or_a_list_of_names(by):
    columns = read_by(by)
    assert columns == ["a"]
    assert type(columns[0]) is str


def test_none_is_no_column():
    assert read_by(None) == []
    assert read_by(["b", "a"]) == ["b", "a"]
    with pytest.raises(InputError, match=r"`by` must be a column name .* got None"):
        read_by(None, needed=True)


@pytest.mark.parametrize(
    "wrong",
    [
        7,
        1.5,
        True,
        b"a",
        ["a", None],
        [None],
        [["a"]],
        [1],
        {"a"},
        {"a": 1},
        [{}],
        ["a", 3],
    ],
)
def test_what_is_no_name_is_refused_in_words(wrong):
    with pytest.raises(InputError, match="`by` must be a column name or a list of them; got"):
        read_by(wrong)


@pytest.mark.parametrize("empty", [[], (), pd.Index([]), np.array([])])
def test_an_empty_list_is_refused(empty):
    with pytest.raises(InputError, match="`by` is empty"):
        read_by(empty)


def test_names_that_are_taken_or_twice_are_refused():
    with pytest.raises(InputError, match=r"twice: \['a', 'a'\]"):
        read_by(["a", "a"])
    with pytest.raises(InputError, match=r"\['rate'\], which the result needs"):
        read_by(["a", "rate"], reserved=["rate"])
    with pytest.raises(InputError, match=r"\['customer_id'\], which cannot split customers"):
        read_by("customer_id", rowwise=ROWWISE)


MISSING = [
    pd.Series(["b", None, "a", "b"], dtype=object),
    pd.Series(["b", None, "a", "b"]),
    pd.Series(["b", None, "a", "b"], dtype="string"),
    pd.Series(pd.Categorical(["b", None, "a", "b"], categories=["b", "z", "a"], ordered=True)),
    pd.Series([2.0, np.nan, 1.0, 2.0]),
    pd.Series([2, None, 1, 2], dtype="Int64"),
    pd.Series(pd.Categorical([2, None, 1, 2])),
    pd.Series([True, None, False, True], dtype=object),
    pd.Series([True, None, False, True], dtype="boolean"),
    pd.Series(pd.to_datetime(["2025-02-01", None, "2025-01-01", "2025-02-01"])),
]


@pytest.mark.parametrize("values", MISSING, ids=lambda values: str(values.dtype))
def test_missing_values_are_one_group_the_last(values):
    code, groups = group_codes(pd.DataFrame({"level": values}), ["level"])
    assert code.tolist() == [1, 2, 0, 1]
    assert groups["level"].isna().tolist() == [False, False, True]
    assert groups["level"].tolist()[:2] == [values[2], values[0]]


def test_all_ways_to_be_missing_are_one_group():
    values = pd.Series([None, np.nan, pd.NA, pd.NaT, "a"], dtype=object)
    assert group_codes(pd.DataFrame({"level": values}), ["level"])[0].tolist() == [1, 1, 1, 1, 0]


def test_columns_are_crossed_and_sorted():
    frame = pd.DataFrame({"a": ["y", "x", "y", None, "x"], "b": [1.0, 2.0, np.nan, 1.0, 2.0]})
    code, groups = group_codes(frame, ["a", "b"])
    assert code.tolist() == [1, 0, 2, 3, 0]
    assert groups["a"].fillna("none").tolist() == ["x", "y", "y", "none"]
    assert groups["b"].fillna(-1).tolist() == [2.0, 1.0, -1, 1.0]


def test_without_columns_all_rows_are_one_group():
    code, groups = group_codes(pd.DataFrame(index=range(3)), [])
    assert code.tolist() == [0, 0, 0]
    assert groups.shape == (1, 0)


def test_cells_that_hold_lists_are_refused_in_words():
    with pytest.raises(InputError, match="'level' holds lists"):
        group_codes(pd.DataFrame({"level": [[1], [2]]}), ["level"])


def test_categories_keep_the_type_of_their_levels():
    for levels in ([3, 1], ["b", "a"], [0.5, 0.25]):
        values = pd.Series(
            pd.Categorical([levels[0], None, levels[1]], categories=[*levels, levels[0] * 7])
        )
        codes, distinct = sorted_codes(values)
        assert codes.tolist() == [1, -1, 0]
        assert distinct.tolist() == sorted(levels)
        assert distinct.dtype == pd.Index(levels).dtype


def test_groups_meet_by_value():
    groups = pd.DataFrame({"a": [1, 2, 3], "b": ["x", None, "x"]})
    among = pd.DataFrame({"a": [2.0, 1.0, np.nan], "b": pd.Categorical([None, "x", "x"])})
    assert match_groups(groups, among).tolist() == [1, 0, -1]
    assert match_groups(among, groups).tolist() == [1, 0, -1]
    assert match_groups(groups[[]], among[[]]).tolist() == [2, 2, 2]


def log():
    return pd.DataFrame(
        {
            "customer_id": [2, 1, 2, 3],
            "date": pd.to_datetime(["2025-01-01"] * 4),
            "channel": ["web", None, "web", "shop"],
        }
    )


def test_groups_of_customers_come_from_the_log():
    read = read_transactions(log(), optional=("channel",))
    code, groups = customer_groups(read, ["channel"], None, {})
    assert code.tolist() == [2, 1, 0]
    assert groups["channel"].tolist()[:2] == ["shop", "web"]
    mixed = read_transactions(log().assign(channel=list("aabc")), optional=("channel",))
    with pytest.raises(InputError, match=r"several values for 1 of 3 customers \(first: \[2\]\)"):
        customer_groups(mixed, ["channel"], None, {})


def test_groups_of_customers_come_from_their_table():
    read = read_transactions(log())
    people = pd.DataFrame({"customer_id": [9, 3, 2, 1], "town": ["z", "b", None, "a"]})
    account = {}
    code, groups = customer_groups(read, ["town"], people, account)
    assert code.tolist() == [0, 2, 1]
    assert groups["town"].tolist()[:2] == ["a", "b"]
    assert account == {"customers_unmatched": 1}
    with pytest.raises(InputError, match=r"`customers` lacks 1 of the 3 .*\[3\].*leave their rows"):
        customer_groups(read, ["town"], people[people["customer_id"] != 3], {})
