"""Activity-based costing: every cent is somewhere, and nowhere twice."""

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmkit.errors import InputError, MissingColumnsError
from crmkit.segmentation import customer_profit, loss_makers
from crmkit.segmentation._math.money import discount_lines

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
    rates = pd.DataFrame(table.attrs["pools"]).set_index("pool")
    assert list(table["customer_id"]) == sorted({*log["customer_id"], *activity["customer_id"]})
    for pool, cost in zip(pools["pool"], cents, strict=True):
        attributed = sum(map(Fraction, table[f"{pool}_cost"]), Fraction(0))
        unallocated = Fraction(rates.loc[pool, "unallocated"])
        assert round(attributed + unallocated, 2) == Fraction(cost, 100)
    assert table["revenue"].sum() == pytest.approx(log["cents"].sum() / 100)
    spent = table[["direct_cost", "delivery_cost", "returns_cost", "service_cost"]].sum(axis=1)
    np.testing.assert_allclose(table["profit"], table["revenue"] - spent, atol=1e-9 * 10**7)
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
    # 10 of refunds less 5 of goods that came back are 5; the pool of returns is 7.
    assert losses["cause"].tolist() == ["back", "visit"]
    assert losses["lever"].tolist() == ["price", "visit"]
    assert losses["change"].tolist() == [pytest.approx(0.9), -1.0]
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
    rates = pd.DataFrame(table.attrs["pools"])
    assert rates["unallocated"].tolist() == [25.0, 0.0]
    assert rates["capacity"].tolist() == [4.0, 3.0]
    assert rates["rate"].tolist() == [25.0, pytest.approx(50 / 3)]
    assert rates["customers"].tolist() == [2, 2]
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
    (pool,) = table.attrs["pools"]
    assert (pool["unallocated"], pool["rate"]) == (10.0, 0.0)


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
        (make_pools(("a", 1, "calls"), ("a", 1, "calls")), "repeats a name"),
        (make_pools(("direct", 1, "calls")), "uses 'direct'"),
        (make_pools((None, 1, "calls")), "'pool' is not a name"),
        (make_pools(("a", 1, "calls")).head(0), "`cost_pools` has no rows"),
        (make_pools(("a", 1, "units")), "driver 'units' of pool 'a' is negative for 1 customers"),
    ],
)
def test_pools_that_make_no_sense(pools, sentence):
    log = make_log([(1, 0, 100), (2, 0, -300)]).assign(quantity=[-2, 1])
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


def test_a_window_counts_what_happened_in_it():
    log = make_log([(1, 0, 10000), (2, 5, 3000), (1, 6, -2000), (3, 9, 4000)])
    options = {"cost_pools": make_pools(("pick", 6, "orders")), "margin": 0.5}
    table = customer_profit(log, since="2025-01-02", as_of="2025-01-08", **options)
    assert table["customer_id"].tolist() == [1, 2]
    assert table["revenue"].tolist() == [-20.0, 30.0]
    assert table["pick_cost"].tolist() == [0.0, 6.0]
    assert (table.attrs["rows_before_since"], table.attrs["rows_after_as_of"]) == (1, 1)
    inside = log[log["date"].between("2025-01-02", "2025-01-08")]
    pd.testing.assert_frame_equal(table, customer_profit(inside, **options))
    with pytest.raises(InputError, match=r"no row from `since` .2025-01-08. to `as_of`"):
        customer_profit(log, since="2025-01-08", as_of="2025-01-09")
    with pytest.raises(InputError, match="`since`"):
        customer_profit(log, since="yesterday")


def test_customers_without_purchases_bear_what_every_customer_bears():
    log = make_log([(1, 0, 10000), (2, 5, 3000)])
    people = pd.DataFrame({"customer_id": [2, 7, 8], "age": 30})
    pools = make_pools(("acquisition", 40, "customers"))
    table = customer_profit(log, customers=people, cost_pools=pools)
    assert table["customer_id"].tolist() == [1, 2, 7, 8]
    assert table["orders"].tolist() == [1, 1, 0, 0]
    assert table["acquisition_cost"].tolist() == [10.0] * 4
    assert table["profit"].tolist() == [90.0, 20.0, -10.0, -10.0]
    assert table.attrs["account"]["customers_unmatched"] == 2


@pytest.mark.parametrize("driver", ["revenue", "gross_revenue"])
def test_one_customer_below_nothing_takes_no_part_and_stops_nobody(driver):
    log = make_log([(1, 0, 10000), (2, 0, 30000), (3, 0, 2000), (3, 5, -8000)])
    table = customer_profit(log, cost_pools=make_pools(("head", 42, driver)))
    assert table["gross_revenue"].tolist() == [100.0, 300.0, 20.0]
    assert table["refunds"].tolist() == [0.0, 0.0, 80.0]
    expected = [10.0, 30.0, 2.0] if driver == "gross_revenue" else [10.5, 31.5, 0.0]
    assert table["head_cost"].tolist() == expected
    if driver == "revenue":
        assert table.attrs["account"]["customers_below_zero_revenue"] == 1


def test_a_rebate_is_a_pool_below_nothing():
    log = make_log([(1, 0, 10000), (2, 0, 30000)])
    pools = make_pools(("bonus", -20, "revenue"), ("pick", 8, "orders"))
    table = customer_profit(log, cost_pools=pools)
    assert table["bonus_cost"].tolist() == [-5.0, -15.0]
    assert table["profit"].tolist() == [101.0, 311.0]


def orders_of(*rows):
    frame = pd.DataFrame(rows, columns=["customer_id", "date", "order_id", "amount"])
    return frame.assign(date=pd.to_datetime(frame["date"]))


def test_a_discount_line_inside_an_order_is_no_return():
    log = orders_of(
        (1, "2025-01-01", "a", 100.0),
        (1, "2025-01-01", "a", -10.0),  # taken off at the till
        (2, "2025-01-01", "b", 50.0),
        (2, "2025-01-09", "b", -20.0),  # sent back later
        (3, "2025-01-01", "c", 30.0),
        (3, "2025-01-01", "c", -30.0),  # cancelled
        (4, "2025-01-01", "d", 40.0),
        (4, "2025-01-01", "e", -5.0),  # another order
    )
    pools = make_pools(("back", 9.0, "returns"))
    table = customer_profit(log, cost_pools=pools)
    assert table["discount"].tolist() == [10.0, 0.0, 0.0, 0.0]
    assert table["gross_revenue"].tolist() == [90.0, 50.0, 30.0, 40.0]
    assert table["refunds"].tolist() == [0.0, 20.0, 30.0, 5.0]
    assert table["back_cost"].tolist() == [0.0, 3.0, 3.0, 3.0]
    # Goods that went back are no discount, and without orders nobody can tell.
    sent = log.assign(quantity=[1, -1, 1, -1, 1, -1, 1, -1])
    assert customer_profit(sent, cost_pools=pools)["back_cost"].tolist() == [2.25] * 4
    # A voucher for all of an order sends nothing back either.
    paid = log.assign(quantity=[1, 1, 1, -1, 1, 1, 1, -1])
    assert customer_profit(paid, cost_pools=pools)["discount"].tolist() == [10.0, 0.0, 30.0, 0.0]
    plain = customer_profit(log.drop(columns="order_id"), cost_pools=pools)
    assert plain["discount"].tolist() == [0.0] * 4


def brute_force_discounts(log, sent):
    """Say row by row which ones take money off an order."""
    found = []
    for row in log.itertuples():
        beside = log[
            (log["customer_id"] == row.customer_id)
            & (log["order_id"] == row.order_id)
            & (log["date"] == row.date)
        ]
        if sent:
            stays = beside["cents"].where((beside["cents"] >= 0) | (beside["quantity"] >= 0), 0)
            less = row.cents < 0 and row.quantity >= 0 and stays.sum() >= 0
        else:
            less = row.cents < 0 and beside["cents"].sum() > 0
        found.append(less)
    return np.array(found)


def test_a_line_for_nothing_takes_no_money_off():
    one, amount = np.ones(3, dtype=int), np.array([5.0, 0.0, -1.0])
    for quantity in (None, np.array([1.0, 0.0, 0.0])):
        assert discount_lines(one, one, one, amount, quantity).tolist() == [False, False, True]


@pytest.mark.parametrize("sent", [True, False])
@pytest.mark.parametrize("wide", [1, 10**9])
@given(
    st.lists(
        st.tuples(
            st.integers(1, 3), st.integers(0, 2), st.integers(0, 2), st.integers(-3, 4),
            st.integers(-1, 2),
        ),
        min_size=1, max_size=25,
    )
)  # fmt: skip
def test_discount_lines_equal_brute_force(sent, wide, drawn):
    columns = ["customer_id", "day", "order_id", "cents", "quantity"]
    log = pd.DataFrame(drawn, columns=columns)
    log["date"] = pd.Timestamp("2025-01-01") + pd.to_timedelta(log["day"], unit="D")
    log["order_id"] *= wide
    log["amount"] = log["cents"] / 100
    off = brute_force_discounts(log, sent)
    table = customer_profit(log if sent else log.drop(columns="quantity"))
    expected = (-log["cents"][off]).groupby(log["customer_id"][off]).sum()
    expected = expected.reindex(table["customer_id"], fill_value=0) / 100
    assert table["discount"].tolist() == expected.tolist()
    back = -log["cents"].where((log["cents"] < 0) & ~off, 0)
    assert table["refunds"].tolist() == (back.groupby(log["customer_id"]).sum() / 100).tolist()
    np.testing.assert_allclose(table["gross_revenue"] - table["refunds"], table["revenue"])


def test_granted_discounts_are_shown_beside_revenue():
    log = make_log([(1, 0, 9000), (2, 0, 3000), (2, 3, -1000)]).assign(off=[10.0, 0.0, 4.0])
    table = customer_profit(log, discount="off")
    assert table["discount"].tolist() == [10.0, 0.0]
    assert table["revenue"].tolist() == [90.0, 20.0]
    with pytest.raises(InputError, match="'off' must be at least 0"):
        customer_profit(log.assign(off=-1.0), discount="off")
