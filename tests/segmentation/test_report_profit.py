"""Whale curve, pyramid and losses against brute force."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmkit.errors import InputError
from crmkit.segmentation import (
    value_pyramid,
    value_tiers,
    whale_curve,
    whale_summary,
)

profits = st.lists(st.integers(-300, 400), min_size=1, max_size=60)


def table(values):
    return pd.DataFrame({"customer_id": np.arange(len(values)), "profit": np.array(values, float)})


@given(profits)
def test_whale_curve_is_the_best_sum_of_every_size(values):
    curve = whale_curve(table(values))
    expected = np.concatenate(([0], np.cumsum(sorted(values, reverse=True))))
    assert curve["cumulative_profit"].tolist() == expected.tolist()
    summary = whale_summary(table(values)).iloc[0]
    assert summary["total_profit"] == sum(values)
    assert summary["peak_profit"] == curve["cumulative_profit"].max()
    assert summary["loss_makers"] == sum(value < 0 for value in values)
    assert summary["total_loss"] == -sum(value for value in values if value < 0)
    assert np.isnan(summary["peak_to_total"]) == (sum(values) <= 0)


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
    pyramid = value_pyramid(table(values))
    assert pyramid["customers"].sum() == len(values)
    assert pyramid["value"].sum() == sum(values)
    assert pyramid["losses"].sum() == sum(value < 0 for value in values)


def test_curry_on_a_hundred_different_customers():
    pyramid = value_pyramid(table(range(100)))
    assert pyramid["tier"].tolist() == ["top", "big", "medium", "small"]
    assert pyramid["customers"].tolist() == [1, 4, 15, 80]


@pytest.mark.parametrize(("values", "known"), [([5, 0, -5], False), ([5, 0, -4.5], True)])
def test_shares_of_all_value_need_some_value(values, known):
    assert value_pyramid(table(values))["share_of_value"].notna().all() == known


def test_inactive_customers_are_a_tier_of_their_own():
    profit = table(range(200)).assign(bought=np.arange(200) % 2 == 1)
    pyramid = value_pyramid(profit, active="bought")
    assert pyramid["tier"].tolist() == ["top", "big", "medium", "small", "inactive"]
    assert pyramid["customers"].tolist() == [1, 4, 15, 80, 100]
    assert pyramid["value"].sum() == sum(range(200))
    tiers = value_tiers(profit, active="bought")
    assert ((tiers["segment"] == "inactive") == ~profit["bought"]).all()


def test_tiers_that_are_refused():
    for tiers in ({"a": 0.5}, {}, {"a": "x"}, [0.5, 0.5]):
        with pytest.raises(InputError, match="tiers"):
            value_tiers(table([1.0]), tiers=tiers)
    with pytest.raises(InputError, match="`value` must be the name"):
        value_tiers(table([1.0]), value=3)
