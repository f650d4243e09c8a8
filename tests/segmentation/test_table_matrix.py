"""Quadrants of value, and those who lose money."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmkit.errors import InputError
from crmkit.segmentation import value_matrix


def marcus(frame, **options):
    return value_matrix(frame, preset="marcus", **options)


@given(
    st.lists(st.tuples(st.integers(0, 4), st.integers(0, 30)), min_size=1, max_size=40),
    st.sampled_from(["mean", "median"]),
)
def test_order_and_units_do_not_move_customers(drawn, cut):
    frame = pd.DataFrame(drawn, columns=["frequency", "monetary"]) / 10
    frame["customer_id"] = np.arange(len(frame))
    matrix = marcus(frame, cut=cut)
    shuffled = marcus(frame.sample(frac=1, random_state=0), cut=cut)
    shuffled = shuffled.sort_values("customer_id", ignore_index=True)
    assert (shuffled["segment"] == matrix["segment"]).all()
    thousands = marcus(frame.assign(monetary=frame["monetary"] / 1000), cut=cut)
    assert (thousands["segment"] == matrix["segment"]).all()
    high = matrix["frequency"] > matrix["frequency_cut"]
    assert (matrix["segment"].isin(["best", "frequent"]) == high).all()


def test_equal_customers_are_not_above_their_mean():
    frame = pd.DataFrame({"customer_id": range(3), "frequency": 0.1, "monetary": 0.1})
    assert set(marcus(frame)["segment"]) == {"uncertain"}


def test_cuts_of_your_own_and_pooled():
    frame = pd.DataFrame({"customer_id": [1, 2], "frequency": [1.0, 3.0], "monetary": [40.0, 20.0]})
    assert marcus(frame, cut=(2, 30))["segment"].tolist() == ["spender", "frequent"]
    for cut in ("pooled_mean", ("mean", "pooled_mean"), (2.0, "pooled_mean")):
        pooled = marcus(frame, cut=cut)
        assert pooled["monetary_cut"].tolist() == [25.0, 25.0]
        assert pooled["frequency_cut"].tolist() == [2.0, 2.0]
    assert marcus(frame, cut=(1.5, "pooled_mean"))["frequency_cut"].tolist() == [1.5, 1.5]


def test_value_matrix_has_all_four():
    frame = pd.DataFrame(
        {"customer_id": range(4), "profit": [9.0, 9, 0, 1], "potential": [5.0, 0, 5, 0]}
    )
    matrix = value_matrix(frame, cut=(1, 2))
    assert matrix["segment"].tolist() == ["star", "mainstay", "growth", "marginal"]
    assert matrix["strategy"].nunique() == 4


@given(st.lists(st.tuples(st.integers(-9, 9), st.integers(0, 9)), min_size=1, max_size=30))
def test_who_loses_money_is_a_kind_of_its_own_and_nobody_else(drawn):
    """Whatever could be won, and wherever the cuts lie: a loss is not invested in."""
    frame = pd.DataFrame(drawn, columns=["profit", "potential"])
    frame["customer_id"] = np.arange(len(frame))
    for cut in ("mean", (-5, 0), ("median", 3)):
        matrix = value_matrix(frame, cut=cut)
        assert ((matrix["segment"] == "loss") == (frame["profit"] < 0)).all()
    money = frame.rename(columns={"profit": "monetary", "potential": "frequency"})
    assert ((marcus(money)["segment"] == "loss") == (money["monetary"] < 0)).all()


def test_no_strategy_of_who_earns_forbids_growth():
    """Whoever earns may grow as far as it pays; only a loss may not."""
    frame = pd.DataFrame(
        {"customer_id": range(5), "profit": [9.0, 9, 0, 1, -1], "potential": [5.0, 0, 5, 0, 9]}
    )
    strategy = value_matrix(frame, cut=(1, 2)).set_index("segment")["strategy"]
    assert "no money for growth" in strategy.pop("loss")
    assert not strategy.str.contains("nothing on|no money").any()


def test_what_is_refused():
    frame = pd.DataFrame({"customer_id": [1], "frequency": [0.0], "monetary": [1.0]})
    for cut in ("mode", 3, (1, "a"), (1, 2, 3), ("pooled_mean", 1), None):
        with pytest.raises(InputError, match="cut"):
            marcus(frame, cut=cut)
    with pytest.raises(InputError, match="no purchases"):
        marcus(frame, cut="pooled_mean")
    with pytest.raises(InputError, match="`current` and `potential`"):
        marcus(frame, current="frequency")
    with pytest.raises(InputError, match="`preset` must be one of"):
        value_matrix(frame, preset="mine")
    own = {"current": "frequency", "potential": "monetary"}
    with pytest.raises(InputError, match=r"`cut\[0\]`"):
        value_matrix(frame, **own, cut=("mode", 1))
    with pytest.raises(InputError, match="of Marcus's matrix"):
        value_matrix(frame, **own, cut="pooled_mean")
    with pytest.raises(InputError, match="`current` must be the name"):
        value_matrix(frame, current=3)
