"""What the checks of parameters let pass, and what they say."""

import ast
import math
from decimal import Decimal
from fractions import Fraction
from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd
import pytest

import crmkit
from crmkit._arguments import (
    check_column,
    check_columns,
    check_level,
    check_list,
    check_mapping,
    check_numbers,
    check_text,
    columns_named,
    optional_columns,
)
from crmkit._checks import (
    check_choice,
    check_flag,
    check_number,
    check_optional,
    quoted,
    random_generator,
    require_columns,
)
from crmkit._parameters import RULES
from crmkit.errors import InputError, MissingColumnsError

SOURCE = Path(crmkit.__file__).parent

NO_NUMBERS = [
    None,
    True,
    np.True_,
    "1",
    b"1",
    np.str_("1"),
    [1],
    (1,),
    {1},
    {"a": 1},
    1j,
    np.complex128(1),
    pd.NA,
    pd.NaT,
    pd.Timestamp("2025-01-01"),
    float("nan"),
    -math.inf,
    Decimal("NaN"),
    Decimal("sNaN"),
    10**400,
    -(10**400),
    10**5000,
    object(),
    int,
    lambda: 1,
    np.array([1]),
    pd.Series([1]),
]


@pytest.mark.parametrize("name", ["confidence_level", "n_folds", "margin", "uplift"])
@pytest.mark.parametrize("value", NO_NUMBERS, ids=lambda value: type(value).__name__)
def test_what_is_no_number_is_refused_in_a_short_sentence(name, value):
    with pytest.raises(InputError, match=f"^`{name}` must be a ") as caught:
        check_number(value, name)
    assert len(str(caught.value)) < 250


@pytest.mark.parametrize(
    ("value", "kept"),
    [(0.5, 0.5), (np.float32(0.5), 0.5), (Decimal("0.5"), 0.5), (Fraction(1, 2), 0.5)],
)
def test_numbers_of_any_type_become_floats(value, kept):
    found = check_number(value, "confidence_level")
    assert found == kept
    assert type(found) is float


@pytest.mark.parametrize("value", [3, 3.0, np.int8(3), np.float64(3), Decimal(3), Fraction(3)])
def test_whole_numbers_of_any_type_become_ints(value):
    found = check_number(value, "n_folds")
    assert found == 3
    assert type(found) is int


@pytest.mark.parametrize("value", [2.5, 1, 0, -3, 2**63, 1e300, math.inf])
def test_other_numbers_are_no_number_of_folds(value):
    with pytest.raises(InputError, match="`n_folds` must be a whole number at least 2 and at most"):
        check_number(value, "n_folds")


def test_the_sentence_says_limits_and_value():
    with pytest.raises(InputError) as caught:
        check_number(95, "confidence_level")
    assert str(caught.value) == (
        "`confidence_level` must be a number above 0 and below 1; got 95. Write 95 % as 0.95."
    )
    with pytest.raises(InputError, match=r"`tiers\['a'\]` must be a number at least 0; got -1"):
        check_number(-1, "tiers['a']")
    with pytest.raises(InputError, match="`horizon_days` must be a number at least 0; got -inf"):
        check_number(-math.inf, "horizon_days", rule="days_ahead")
    with pytest.raises(InputError, match="at least 5 and at most 1,000,000,000; got 4"):
        check_number(4, "max_length", low=5)


def test_infinity_is_a_number_of_days_where_a_relationship_may_be_endless():
    assert check_number(math.inf, "horizon_days", rule="days_ahead") == math.inf
    with pytest.raises(InputError, match="whole number"):
        check_number(math.inf, "horizon_days")


def test_an_optional_number_may_be_none():
    assert check_optional(None, "max_length") is None
    assert check_optional(np.int64(3), "max_length") == 3


def test_a_seed_is_a_whole_number_or_none():
    assert random_generator(3).random() == random_generator(np.int64(3)).random()
    assert random_generator(None, fixed=0).random() == random_generator(0).random()
    assert random_generator(None).random() != random_generator(None).random()
    for value in (True, -1, "1", 1.5, 2**32, np.random.default_rng(0)):
        with pytest.raises(InputError, match="`random_state` must be a whole number"):
            random_generator(value)


def test_a_flag_is_true_or_false():
    assert check_flag(np.True_, "honest") is True
    for value in (1, 0, "yes", None, pd.NA):
        with pytest.raises(InputError, match="`honest` must be True or False"):
            check_flag(value, "honest")


def test_a_choice_is_one_of_the_words():
    assert check_choice("mean", "cut", ["mean", "median"]) == "mean"
    with pytest.raises(InputError, match="Did you mean 'median'"):
        check_choice("Median", "cut", ["mean", "median"])
    for value in (1, None, ["mean"], {"mean"}, pd.NA, 10**5000):
        with pytest.raises(InputError, match=r"`cut` must be one of \['mean', 'median'\]; got"):
            check_choice(value, "cut", ["mean", "median"])


@pytest.mark.parametrize("value", [None, "", 0, 1.5, ["a"], b"a", {"a"}, pd.NA, int])
def test_a_column_is_text(value):
    with pytest.raises(InputError, match="`outcome` must be the name of a column, as text; got"):
        check_column(value, "outcome")


def test_columns_are_one_name_or_a_list():
    assert check_columns("a", "by") == ["a"]
    assert check_columns(pd.Index(["a", "b"]), "by") == ["a", "b"]
    assert check_columns((), "by", empty=True) == []
    assert optional_columns(value=None, outcome="a") == ["a"]
    for value in ([1], ["a", None], {"a"}, {"a": 1}, b"a", 3, None, [[]], pd.NA, pd.DataFrame()):
        with pytest.raises(InputError, match="`by` must be a column name or a list of them; got"):
            check_columns(value, "by")
    with pytest.raises(InputError, match="`by` is empty"):
        check_columns([], "by")
    with pytest.raises(InputError, match="`by` names a column twice"):
        check_columns(["a", "a"], "by")
    with pytest.raises(InputError, match="`treated` must be the name of a column"):
        columns_named(outcome="a", treated=1)


def test_text_is_text():
    assert check_text("", "title") == ""
    for value in (None, 3, b"a", ["a"], pd.NA):
        with pytest.raises(InputError, match="`title` must be text; got"):
            check_text(value, "title")


def test_lists_mappings_and_levels_are_what_they_are_called():
    assert check_numbers((0, Decimal("0.5")), "shares") == [0.0, 0.5]
    assert check_list({"a"}, "exclude", "items") == ["a"]
    assert check_mapping({"a": 1}, "tiers", "names to shares") == {"a": 1}
    assert check_level("b", "control", ["a", "b"]) == "b"
    for value in (None, 3, "a", b"a", {"a": 1}, pd.DataFrame(), [["a"]]):
        with pytest.raises(InputError, match="`exclude` must be a list of items; got"):
            check_list(value, "exclude", "items")
    for value in (None, 3, "a", [1], [("a", 1)]):
        with pytest.raises(InputError, match="`tiers` must be a mapping of names to shares; got"):
            check_mapping(value, "tiers", "names to shares")
    for value in (None, [], 3, {"a": 1}, ["a"], [2]):
        with pytest.raises(InputError, match="`shares` must be a"):
            check_numbers(value, "shares")
    for value in ("c", ["a"], pd.NA, Decimal("sNaN")):
        with pytest.raises(InputError, match="`control` must be one of"):
            check_level(value, "control", ["a", "b"])


def test_a_sentence_quotes_no_more_than_a_line():
    assert quoted("a" * 5_000_000) == "'" + "a" * 76 + "..."
    assert quoted(PurePosixPath("a") / "b.json") == "'a/b.json'"
    assert len(quoted(list(range(10_000)))) == 80
    assert quoted(10**5000) == "a value of type int"
    assert "\n" not in quoted(pd.DataFrame({"a": [1, 2]}))


def test_the_columns_of_a_wide_table_are_not_all_listed():
    with pytest.raises(MissingColumnsError, match="and 19,980 more") as caught:
        require_columns([f"x{i}" for i in range(20_000)], ["x_5"], "customers")
    assert "did you mean 'x5'" in str(caught.value)
    assert len(str(caught.value)) < 600


@pytest.mark.parametrize("column", [1, 2.5, None, ("a",), b"a", pd.NaT])
def test_a_missing_column_need_not_be_text(column):
    with pytest.raises(MissingColumnsError, match="`customers` lacks the column"):
        require_columns(["a", "b", 3], [column], "customers")


def calls(name):
    for path in sorted(SOURCE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == name:
                yield path.relative_to(SOURCE).as_posix(), node


def test_every_name_of_a_number_has_a_rule_and_no_limits_of_its_own():
    for name in ("check_number", "check_optional"):
        for where, call in calls(name):
            if where == "_checks.py":
                continue
            told = call.args[1]
            if isinstance(told, ast.Constant):
                known = told.value.partition("[")[0] in RULES
                assert known, f"{where}: {told.value} has no rule in _parameters"
            given = {keyword.arg: keyword.value for keyword in call.keywords}
            rule = given.pop("rule", None)
            if isinstance(rule, ast.Constant):
                assert rule.value in RULES, f"{where}: no rule {rule.value}"
            # Limits are those of the name; another parameter may narrow them, a number may not.
            numbers = {key for key, value in given.items() if isinstance(value, ast.Constant)}
            assert not numbers, f"{where}, line {call.lineno}: put these limits into _parameters"


def test_what_a_check_returns_is_what_is_used():
    # But for a model that is loaded, whose parameters stay as they were given.
    for path in sorted(set(SOURCE.rglob("*.py")) - {SOURCE / "_estimator.py"}):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
                name = ast.unparse(node.value.func)
                assert name not in {"check_number", "check_optional"}, f"{path}, {node.lineno}"
