"""Codes of ids by every route: the same as plain hashing and sorting gives."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmkit._frames import sorted_codes

letters = st.text(alphabet="09AZaé", min_size=2, max_size=2)
columns = st.one_of(
    st.lists(st.integers(-5, 60), min_size=1, max_size=40),
    st.lists(st.sampled_from([-(2**63), 0, 2**63 - 1]), min_size=1, max_size=9),
    st.lists(letters, min_size=1, max_size=60),
    # pandas 2 takes "" and "\0" for one text: its hash tables read texts up to the first zero.
    st.lists(st.text(st.characters(exclude_characters="\0"), max_size=3), min_size=1, max_size=20),
)


@given(columns)
def test_codes_are_places_among_the_sorted_distinct_values(drawn):
    codes, distinct = sorted_codes(pd.Series(drawn))
    assert list(distinct) == sorted(set(drawn))
    assert [distinct[code] for code in codes] == drawn


@pytest.mark.parametrize("n", [10, 70_000])
def test_ids_of_one_length(n):
    numbers = np.random.default_rng(0).integers(0, 2 * n, n)
    ids = pd.Series([f"C{number:07d}" for number in numbers])
    codes, distinct = sorted_codes(ids)
    assert list(distinct) == [f"C{number:07d}" for number in np.unique(numbers)]
    assert (codes == np.unique(numbers, return_inverse=True)[1]).all()
    part, _ = sorted_codes(ids.iloc[3:8])
    assert (part == np.unique(numbers[3:8], return_inverse=True)[1]).all()


@pytest.mark.parametrize("dtype", ["int8", "uint64", "int32"])
def test_narrow_and_unsigned_numbers(dtype):
    values = np.array([100, 0, 7, 100], dtype=dtype)
    codes, distinct = sorted_codes(pd.Series(values))
    assert codes.tolist() == [2, 0, 1, 2]
    assert distinct.dtype == dtype


def test_narrow_numbers_do_not_overflow():
    values = np.arange(-128, 128).astype("int8")
    codes, distinct = sorted_codes(pd.Series(values))
    assert codes.tolist() == list(range(256))
    assert distinct.tolist() == values.tolist()
