"""Whale curve and pyramid against brute force."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmkit.errors import InputError
from crmkit.segmentation import (
    segment_overview,
    value_tiers,
    whale_curve,
)

profits = st.lists(st.integers(-300, 400), min_size=1, max_size=60)


def table(values):
    return pd.DataFrame({"customer_id": np.arange(len(values)), "profit": np.array(values, float)})


@given(profits)
def test_whale_curve_is_the_best_sum_of_every_size(values):
    curve = whale_curve(table(values))
    expected = np.concatenate(([0], np.cumsum(sorted(values, reverse=True))))
    assert curve["cumulative_profit"].tolist() == expected.tolist()
    whole = segment_overview(table(values)).iloc[0]
    assert whole["segment"] == "all"
    assert whole["profit"] == sum(values)
    assert whole["profit"] + whole["total_loss"] == curve["cumulative_profit"].max()
    assert whole["loss_makers"] == sum(value < 0 for value in values)
    assert whole["total_loss"] == -sum(value for value in values if value < 0)


def test_few_points_still_hold_start_peak_and_end():
    rng = np.random.default_rng(0)
    values = rng.normal(1, 5, 5000)
    curve = whale_curve(table(values), max_points=20)
    assert len(curve) <= 21
    assert curve["cumulative_profit"].max() == pytest.approx(values[values > 0].sum())
    assert curve["customers"].iloc[[0, -1]].tolist() == [0, 5000]


@given(profits)
def test_tiers_partition_and_never_split_equals(values):
    tiers = value_tiers(table(values))
    both = tiers.groupby("value")["segment"].nunique()
    assert (both == 1).all()
    order = ["small", "medium", "big", "top"]
    place = tiers["segment"].map(order.index)
    ranked = place.iloc[np.argsort(tiers["value"].to_numpy(), kind="stable")]
    assert (np.diff(ranked) >= 0).all()
    pyramid = segment_overview(table(values), tiers)
    assert pyramid["customers"].sum() == len(values)
    assert pyramid["profit"].sum() == sum(values)
    assert pyramid["loss_makers"].sum() == sum(value < 0 for value in values)
    assert pyramid["segment"].tolist() == [
        tier for tier in order[::-1] if (place == order.index(tier)).any()
    ]


def test_curry_on_a_hundred_different_customers():
    pyramid = segment_overview(table(range(100)), value_tiers(table(range(100))))
    assert pyramid["segment"].tolist() == ["top", "big", "medium", "small"]
    assert pyramid["customers"].tolist() == [1, 4, 15, 80]


def test_inactive_customers_are_a_tier_of_their_own():
    profit = table(range(200)).assign(bought=np.arange(200) % 2 == 1)
    tiers = value_tiers(profit, active="bought")
    pyramid = segment_overview(profit, tiers).set_index("segment")["customers"]
    assert pyramid.to_dict() == {"top": 1, "big": 4, "medium": 15, "small": 80, "inactive": 100}
    assert ((tiers["segment"] == "inactive") == ~profit["bought"]).all()


def test_tiers_that_are_refused():
    for tiers in ({"a": 0.5}, {}, {"a": "x"}, [0.5, 0.5]):
        with pytest.raises(InputError, match="tiers"):
            value_tiers(table([1.0]), tiers=tiers)
    with pytest.raises(InputError, match="`value` must be the name"):
        value_tiers(table([1.0]), value=3)
