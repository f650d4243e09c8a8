"""The contract of every parameter: what cannot be meant is an InputError, whoever is asked."""

import math
import warnings
from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal
from numbers import Real

import numpy as np
import pandas as pd
import pytest

from contract._parameters import subjects
from contract._tools import param_of
from crmkit._checks import quoted
from crmkit._parameters import RULES
from crmkit.errors import InputError, MissingColumnsError

WRONG = [
    *(None, True, np.False_, ...),
    *(-1, -0.5, 0, 1.5, 2**63, 10**400, np.int64(-7), np.float64("nan"), math.inf, -math.inf),
    *(Decimal("sNaN"), Decimal("0.5"), 1j, pd.NA, pd.NaT, timedelta(1)),
    *("", "no such thing", np.str_("neither"), "\x00", "word" * 100_000, b"bytes"),
    *([], [None], [1.5], ["no such thing", 2], [["nested"]], range(3)),
    *({}, {"a": "b"}, {1: None}, {"a"}, np.array([1, 2]), pd.Series([1.0]), pd.DataFrame()),
    *(object(), object, lambda: 1),
]

# Words for people, which may be any text, and lists of ids, which may be of nobody.
FREE_TEXT = {"holdout_key", "title", "subtitle", "currency"}
IDS = {"suppress"}
# What a name means in some functions has limits of its own; see _parameters.
SECOND_MEANINGS = {
    "horizon_days": "days_ahead",
    "min_support": "share_of_baskets",
    "annual_discount_rate": "rate_ahead",
    "n_draws": "draws_kept",
    "uplift": "difference",
}


def is_right(parameter, value):
    """Tell whether a value may be meant after all, by what the signature says."""
    kind = str(parameter.annotation)
    if value is None:
        return parameter.default is None or "None" in kind
    if parameter.name in {"control", "treatment"} and names_an_arm(value):
        return True  # the names of arms of the cases' tables, whatever their type
    if isinstance(value, (bool, np.bool_)):
        return kind == "bool"
    if isinstance(value, (Real, Decimal)):
        known = parameter.name in RULES and any(word in kind for word in ("int", "float", "Any"))
        names = [parameter.name, SECOND_MEANINGS.get(parameter.name, parameter.name)]
        return known and any(within(value, RULES[name]) for name in names)
    if isinstance(value, str):
        return parameter.name in FREE_TEXT or (parameter.name == "arms" and value != "")
    if isinstance(value, dict):
        return not value and "Mapping" in kind
    if "Iterable[Any]" in kind or parameter.name in IDS:  # of items: anything may be one
        return isinstance(value, Iterable) and not isinstance(value, pd.DataFrame)
    if "Mapping" not in kind and ("Sequence[int]" in kind or "Sequence[float]" in kind):
        listed = isinstance(value, (list, tuple, range, np.ndarray, pd.Series)) and len(value)
        return listed and all(within(number, RULES[parameter.name]) for number in value)
    empty = isinstance(value, (list, tuple)) and not value
    return empty and ("Sequence" in kind or parameter.default == ())


def names_an_arm(value):
    try:
        return bool(value in {0, 1})
    except TypeError:  # cannot be hashed
        return False


def within(value, rule):
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return False
    if not math.isfinite(number):
        return rule.endless and number > 0
    whole = not rule.integer or number == int(number)
    return whole and rule.low <= number <= rule.high


def complaint(subject, parameter, value):
    """Return what is wrong with the answer to a value that cannot be meant, or nothing."""
    try:
        subject.call({parameter.name: value})
    except InputError as error:
        text = str(error)
        if len(text) > 1_500:
            return f"a sentence of {len(text):,} characters"
        if f"`{parameter.name}" not in text and not isinstance(error, MissingColumnsError):
            return f"a sentence without the name: {text}"
        return ""
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return "accepted"


SUBJECTS = [param_of(one, one.name, one.extra) for one in subjects() if one.options]


@pytest.mark.parametrize("subject", SUBJECTS)
def test_wrong_values_are_refused_in_words(subject, wide):
    told = [
        f"{parameter.name}={quoted(value)}: {why[:300]}"
        for number, parameter in enumerate(subject.options.values(), len(subject.name))
        for value in (WRONG if wide else WRONG[number % 8 :: 8])
        if not is_right(parameter, value) and (why := complaint(subject, parameter, value))
    ]
    assert not told, "\n".join(told)


def alike(value):
    """Return a value in another type that says the same."""
    if isinstance(value, bool):
        return np.bool_(value)
    if isinstance(value, int):
        return np.int64(value)
    if isinstance(value, float):
        return Decimal(repr(value)) if math.isfinite(value) else np.float64(value)
    if isinstance(value, str):
        return np.str_(value)
    return {list: tuple, tuple: list}.get(type(value), lambda same: same)(value)


def plain(answer):
    """Return what can be compared of an answer: tables, numbers, what a model learned."""
    if hasattr(answer, "get_params"):
        answer = {key: value for key, value in vars(answer).items() if key.endswith("_")}
    if hasattr(answer, "tables"):
        answer = answer.tables
    if not isinstance(answer, dict):
        answer = {"answer": answer}
    kinds = (pd.DataFrame, np.ndarray, Real)
    return {key: value for key, value in answer.items() if isinstance(value, kinds)}


@pytest.mark.parametrize("subject", SUBJECTS)
def test_other_types_of_a_value_say_the_same(subject):
    chosen = {
        name: subject.given.get(name, parameter.default)
        for name, parameter in subject.options.items()
        if name in subject.given or parameter.default is not parameter.empty
    }
    if "random_state" in chosen:
        chosen["random_state"] = 7
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        first = plain(subject.call(chosen))
        second = plain(subject.call({name: alike(value) for name, value in chosen.items()}))
    assert first.keys() == second.keys()
    for name, answer in first.items():
        if isinstance(answer, pd.DataFrame):
            pd.testing.assert_frame_equal(second[name], answer)
        else:
            np.testing.assert_array_equal(second[name], answer)
