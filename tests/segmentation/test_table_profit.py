"""Activity-based costing: every cent is somewhere, and nowhere twice."""

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmkit.errors import InputError, MissingColumnsError
from crmkit.segmentation import cost_rates, customer_profit, loss_makers

rows = st.lists(
    st.tuples(st.integers(1, 8), st.integers(0, 20), st.integers(-500, 5000)),
    min_size=1,
    max_size=50,
)


def make_log(drawn):
    frame = pd.DataFrame(drawn, columns=["customer_id", "day", "cents"])
    frame["date"] = pd.Timestamp("2025-01-01") + pd.to_timedelta(frame["day"], unit="D")
    return frame.assign(amount=frame["cents"] / 100)


def make_pools(*pools):
    return pd.DataFrame(pools, columns=["pool", "cost", "driver"])


@given(
    rows,
    st.lists(st.integers(0, 10**9), min_size=3, max_size=3),
    st.dictionaries(st.integers(5, 12), st.integers(0, 40), min_size=1),
)
def test_pools_add_up_to_the_cent(drawn, cents, calls):
    log = make_log([*drawn, (5, 0, 100)])
    activity = pd.DataFrame({"customer_id": list(calls), "calls": list(calls.values())})
    activity = pd.concat([activity, pd.DataFrame({"customer_id": [5, 1], "calls": [0, 0]})])
    activity = activity.drop_duplicates("customer_id", ignore_index=True)
    pools = make_pools(
        ("delivery", cents[0] / 100, "orders"),
        ("returns", cents[1] / 100, "returns"),
        ("service", cents[2] / 100, "calls"),
    )
    options = {"cost_pools": pools, "activity": activity, "zero_driver": "unallocated"}
    table = customer_profit(log, **options, margin=0.25)
    assert list(table["customer_id"]) == sorted({*log["customer_id"], *activity["customer_id"]})
    for pool, cost in zip(pools["pool"], cents, strict=True):
        attributed = sum(map(Fraction, table[f"{pool}_cost"]), Fraction(0))
        unallocated = Fraction(table.attrs["unallocated"][pool])
        assert round(attributed + unallocated, 2) == Fraction(cost, 100)
    assert table["revenue"].sum() == pytest.approx(log["cents"].sum() / 100)
    spent = table[["direct_cost", "delivery_cost", "returns_cost", "service_cost"]].sum(axis=1)
    np.testing.assert_allclose(table["profit"], table["revenue"] - spent, atol=1e-9 * 10**7)
    rates = cost_rates(log, **options)
    np.testing.assert_allclose(rates["allocated"] + rates["unallocated"], pools["cost"])


def test_by_hand():
    log = make_log([(1, 0, 10000), (1, 1, 5000), (2, 0, 3000), (2, 3, -1000), (3, 0, 2000)])
    log["cost"] = [60.0, 30.0, 20.0, -5.0, 10.0]
    pools = make_pools(("pick", 40, "lines"), ("back", 7, "returns"), ("visit", 9, "visits"))
    activity = pd.DataFrame({"customer_id": [2, 4], "visits": [2, 1]})
    table = customer_profit(log, cost_pools=pools, activity=activity).set_index("customer_id")
    assert table["revenue"].tolist() == [150.0, 20.0, 20.0, 0.0]
    assert table["direct_cost"].tolist() == [90.0, 15.0, 10.0, 0.0]
    assert table["pick_cost"].tolist() == [20.0, 10.0, 10.0, 0.0]
    assert table["back_cost"].tolist() == [0.0, 7.0, 0.0, 0.0]
    assert table["visit_cost"].tolist() == [0.0, 6.0, 0.0, 3.0]
    assert table["profit"].tolist() == [40.0, -18.0, 0.0, -3.0]
    losses = loss_makers(table.reset_index())
    assert losses["customer_id"].tolist() == [2, 4]
    assert losses["loss"].tolist() == [18.0, 3.0]
    assert losses["cause"].tolist() == ["back", "visit"]
    assert losses["price_increase"].iloc[0] == pytest.approx(0.9)
    assert np.isnan(losses["price_increase"].iloc[1])
    # 5 left after direct cost, against 23 of shared cost.
    assert losses["affordable_service"].tolist() == pytest.approx([5 / 23, 0.0])


def test_breaking_even_breaks_even():
    log = make_log([(1, 0, 10000), (2, 0, 3000), (2, 3, 1000), (2, 4, 500)])
    pools = make_pools(("pick", 60, "orders"))
    profit = customer_profit(log, cost_pools=pools, margin=0.4)
    loss = loss_makers(profit).iloc[0]
    own = profit.set_index("customer_id").loc[loss["customer_id"]]
    dearer = own["revenue"] * (1 + loss["price_increase"])
    assert dearer - own["direct_cost"] - own["pick_cost"] == pytest.approx(0)
    cheaper = loss["affordable_service"] * own["pick_cost"]
    assert own["revenue"] - own["direct_cost"] - cheaper == pytest.approx(0)


def test_equal_customers_bear_equal_cost():
    log = make_log([(1, 0, 100), (2, 0, 100), (3, 0, 100)])
    table = customer_profit(log, cost_pools=make_pools(("pick", 1.0, "orders")))
    assert table["pick_cost"].nunique() == 1
    assert round(Decimal(table["pick_cost"].sum()), 2) == Decimal("1.00")


def test_capacity_leaves_the_unused_part_unallocated():
    log = make_log([(1, 0, 100), (2, 0, 100), (2, 1, 100)])
    pools = make_pools(("pick", 100.0, "orders"), ("desk", 50.0, "lines"))
    pools["capacity"] = [4, np.nan]
    table = customer_profit(log, cost_pools=pools)
    assert table["pick_cost"].tolist() == [25.0, 50.0]
    assert table.attrs["unallocated"] == {"pick": 25.0, "desk": 0.0}
    rates = cost_rates(log, cost_pools=pools)
    assert rates["capacity"].tolist() == [4.0, 3.0]
    pools["capacity"] = [2, np.nan]
    with pytest.raises(InputError, match="capacity of 2 orders, and customers used 3"):
        customer_profit(log, cost_pools=pools)


def test_a_zero_driver_is_never_spread_in_silence():
    log = make_log([(1, 0, 100), (2, 0, 300)])
    pools = make_pools(("back", 10.0, "returns"))
    with pytest.raises(InputError, match="nobody has any 'returns', the driver of pool 'back'"):
        customer_profit(log, cost_pools=pools)
    table = customer_profit(log, cost_pools=pools, zero_driver="unallocated")
    assert table["back_cost"].tolist() == [0.0, 0.0]
    assert table.attrs["unallocated"] == {"back": 10.0}
    assert cost_rates(log, cost_pools=pools, zero_driver="unallocated")["rate"].tolist() == [0.0]


def test_activity_meets_the_log_by_value_and_is_counted():
    log = make_log([(1, 0, 100), (2, 0, 300), (3, 0, 50)])
    activity = pd.DataFrame({"customer_id": [7.0, 2.0], "calls": [1, 3]})
    table = customer_profit(log, cost_pools=make_pools(("desk", 8.0, "calls")), activity=activity)
    assert table["customer_id"].tolist() == [1, 2, 3, 7]
    assert table["customer_id"].dtype == log["customer_id"].dtype
    assert table["desk_cost"].tolist() == [0.0, 6.0, 0.0, 2.0]
    assert table.attrs["account"] == {"activity_unmatched": 1, "transactions_unmatched": 2}


def test_units_follow_quantity():
    log = make_log([(1, 0, 100), (2, 0, 300)]).assign(quantity=[1, 3])
    table = customer_profit(log, cost_pools=make_pools(("box", 8.0, "units")))
    assert table["box_cost"].tolist() == [2.0, 6.0]
    plain = customer_profit(
        log.drop(columns="quantity"), cost_pools=make_pools(("box", 8.0, "units"))
    )
    assert plain["box_cost"].tolist() == [4.0, 4.0]


@pytest.mark.parametrize(
    ("pools", "sentence"),
    [
        (make_pools(("a", 1, "visits")), "there is no driver 'visits'.*gives .'calls'"),
        (make_pools(("a", -1, "calls")), "'cost' must be at least 0"),
        (make_pools(("a", 1, "calls"), ("a", 1, "calls")), "repeats a name"),
        (make_pools(("direct", 1, "calls")), "uses 'direct'"),
        (make_pools((None, 1, "calls")), "'pool' is not a name"),
        (make_pools(("a", 1, "revenue")), "'revenue' of pool 'a' is negative for 1 customers"),
    ],
)
def test_pools_that_make_no_sense(pools, sentence):
    log = make_log([(1, 0, 100), (2, 0, -300)])
    activity = pd.DataFrame({"customer_id": [1], "calls": [2]})
    with pytest.raises(InputError, match=sentence):
        customer_profit(log, cost_pools=pools, activity=activity)


def test_activity_and_margin_that_make_no_sense():
    log = make_log([(1, 0, 100), (2, 0, 300)])
    pools = make_pools(("a", 1, "calls"))
    strangers = pd.DataFrame({"customer_id": ["1"], "calls": [2]})
    with pytest.raises(InputError, match="`activity`"):
        customer_profit(log, cost_pools=pools, activity=strangers)
    negative = pd.DataFrame({"customer_id": [1], "calls": [-2]})
    with pytest.raises(InputError, match="`activity`: column 'calls' must be at least 0"):
        customer_profit(log, cost_pools=pools, activity=negative)
    with pytest.raises(InputError, match="Leave one of the two out"):
        customer_profit(log.assign(cost=1.0), margin=0.3)
    with pytest.raises(InputError, match="`margin`"):
        customer_profit(log, margin=30)
    with pytest.raises(MissingColumnsError, match="driver"):
        customer_profit(log, cost_pools=pools.drop(columns="driver"))
