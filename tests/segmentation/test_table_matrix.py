"""Quadrants of value."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmkit.errors import InputError
from crmkit.segmentation import frequency_value_matrix, value_matrix


@given(
    st.lists(st.tuples(st.integers(0, 4), st.integers(0, 30)), min_size=1, max_size=40),
    st.sampled_from(["mean", "median"]),
)
def test_order_and_units_do_not_move_customers(drawn, cut):
    frame = pd.DataFrame(drawn, columns=["frequency", "monetary"]) / 10
    frame["customer_id"] = np.arange(len(frame))
    matrix = frequency_value_matrix(frame, cut=cut)
    shuffled = frequency_value_matrix(frame.sample(frac=1, random_state=0), cut=cut)
    shuffled = shuffled.sort_values("customer_id", ignore_index=True)
    assert (shuffled["segment"] == matrix["segment"]).all()
    thousands = frequency_value_matrix(frame.assign(monetary=frame["monetary"] / 1000), cut=cut)
    assert (thousands["segment"] == matrix["segment"]).all()
    high = matrix["frequency"] > matrix["frequency_cut"]
    assert (matrix["segment"].isin(["best", "frequent"]) == high).all()


def test_equal_customers_are_not_above_their_mean():
    frame = pd.DataFrame({"customer_id": range(3), "frequency": 0.1, "monetary": 0.1})
    assert set(frequency_value_matrix(frame)["segment"]) == {"uncertain"}


def test_cuts_of_your_own_and_pooled():
    frame = pd.DataFrame({"customer_id": [1, 2], "frequency": [1.0, 3.0], "monetary": [40.0, 20.0]})
    matrix = frequency_value_matrix(frame, cut=(2, 30))
    assert matrix["segment"].tolist() == ["spender", "frequent"]
    pooled = frequency_value_matrix(frame, cut="pooled_mean")
    assert pooled["monetary_cut"].tolist() == [25.0, 25.0]


def test_value_matrix_has_all_four():
    frame = pd.DataFrame({"customer_id": range(4), "now": [9.0, 9, -1, -1], "then": [5.0, 0, 5, 0]})
    matrix = value_matrix(frame, current="now", potential="then", current_cut=0, potential_cut=2)
    assert matrix["segment"].tolist() == ["star", "mainstay", "growth", "marginal"]
    assert matrix["strategy"].nunique() == 4


def test_cuts_that_are_refused():
    frame = pd.DataFrame({"customer_id": [1], "frequency": [0.0], "monetary": [1.0]})
    for cut in ("mode", 3, (1, "a"), (1, 2, 3)):
        with pytest.raises(InputError, match="cut"):
            frequency_value_matrix(frame, cut=cut)
    with pytest.raises(InputError, match="no purchases"):
        frequency_value_matrix(frame, cut="pooled_mean")
    with pytest.raises(InputError, match="`current_cut`"):
        value_matrix(frame, current="frequency", potential="monetary", current_cut="mode")
    with pytest.raises(InputError, match="`current` must be the name"):
        value_matrix(frame, current=3, potential="monetary")
