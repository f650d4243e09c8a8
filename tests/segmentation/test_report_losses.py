"""Causes and levers of losses: what explains a loss, and whether the change named breaks even."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from crmkit.errors import InputError, MissingColumnsError
from crmkit.segmentation import customer_profit, loss_makers


def table(**columns):
    """A table of profit; what is not given is nothing."""
    frame = pd.DataFrame(columns)
    frame.insert(0, "customer_id", range(len(frame)))
    for name in ("discount", "refunds", "goods_returned", "direct_cost"):
        if name not in frame:
            frame[name] = 0.0
    frame["revenue"] = frame["gross_revenue"] - frame["refunds"]
    pools = [name for name in frame if name.endswith("_cost") and name != "direct_cost"]
    frame["profit"] = frame["revenue"] - frame["direct_cost"] - frame[pools].sum(axis=1)
    return frame


def loss_of(frame, customer, **options):
    return loss_makers(frame, **options).set_index("customer_id").loc[customer]


def log_of(*rows):
    frame = pd.DataFrame(rows, columns=["customer_id", "date", "amount"])
    return frame.assign(date=pd.to_datetime(frame["date"]))


def test_nobody_loses():
    losses = loss_makers(table(gross_revenue=[10.0], direct_cost=[5.0]))
    assert len(losses) == 0
    assert list(losses.columns)[:4] == ["customer_id", "revenue", "loss", "cause"]
    assert losses["cause"].dtype == losses["lever"].dtype == pd.Series(["a"]).dtype


def test_a_refund_of_an_earlier_purchase_is_the_cause():
    log = log_of((1, "2025-01-05", 900.0), (2, "2024-06-01", 600.0), (2, "2025-01-09", -500.0))
    pools = pd.DataFrame({"pool": ["returns"], "cost": [1.0], "driver": ["returns"]})
    profit = customer_profit(log, cost_pools=pools, since="2025-01-01")
    loss = loss_of(profit, 2)
    assert loss["cause"] == loss["lever"] == "refunds"
    assert loss["cause_cost"] == 500.0
    # Without any refund the pool would still cost 1.
    assert np.isnan(loss["change"])


def test_the_same_from_a_table_without_refunds():
    bare = pd.DataFrame(
        {
            "customer_id": [1, 2],
            "revenue": [900.0, -500.0],
            "direct_cost": 0.0,
            "returns_cost": [0.0, 1.0],
            "profit": [900.0, -501.0],
        }
    )
    assert loss_of(bare, 2)["cause"] == "refunds"


def test_refunds_count_less_what_came_back():
    frame = table(
        gross_revenue=[1000.0, 1000.0],
        refunds=[0.0, 500.0],
        goods_returned=[0.0, 450.0],
        direct_cost=[900.0, 450.0],
        service_cost=[10.0, 90.0],
    )
    loss = loss_of(frame, 1)
    assert loss["cause"] == loss["lever"] == "service"
    assert loss["change"] == pytest.approx(-40 / 90)
    kept = frame.assign(goods_returned=0.0, direct_cost=900.0)
    kept["profit"] = kept["revenue"] - 900 - kept["service_cost"]
    assert loss_of(kept, 1)["cause"] == "refunds"


def test_price_is_the_cause_below_cost_and_with_discounts():
    cheap = table(gross_revenue=[100.0, 50.0], direct_cost=[40.0, 60.0], calls_cost=[5.0, 1.0])
    loss = loss_of(cheap, 1)
    assert loss["cause"] == loss["lever"] == "price"
    assert loss["affordable_service"] == 0.0
    assert loss["price_increase"] == loss["change"] == pytest.approx(0.22)
    # The same goods at the same list price, but half of it was given away.
    granted = table(
        gross_revenue=[100.0, 100.0, 50.0],
        discount=[0.0, 0.0, 50.0],
        direct_cost=[55.0] * 3,
        calls_cost=[3.0, 3.0, 4.0],
    )
    loss = loss_of(granted, 2)
    assert loss["cause"] == "price"
    assert loss["cause_cost"] == 105.0


def test_too_few_orders_to_repay_the_cost_of_winning():
    frame = table(
        orders=[10, 1, 4, 0],
        gross_revenue=[500.0, 50.0, 200.0, 0.0],
        direct_cost=[250.0, 25.0, 210.0, 0.0],
        acquisition_cost=[40.0] * 4,
    )
    losses = loss_makers(frame).set_index("customer_id")
    assert losses["cause"].to_dict() == {2: "price", 3: "too few orders", 1: "too few orders"}
    # One order earns 25, so 40 take 1.6 of them: 60% more than one.
    assert losses.loc[1, "lever"] == "orders"
    assert losses.loc[1, "change"] == pytest.approx(0.6)
    assert losses.loc[3, "lever"] == "orders"
    assert np.isnan(losses.loc[3, "change"])
    won = frame.rename(columns={"acquisition_cost": "won_cost"})
    assert loss_of(won, 1)["cause"] == "won"
    assert loss_of(won, 1, acquisition_cost="won_cost")["cause"] == "too few orders"
    with pytest.raises(InputError, match="'won_cost' is no part of 'profit'"):
        loss_makers(frame, acquisition_cost="won_cost")


def test_who_has_no_order_needs_more_than_a_share_of_more():
    frame = table(
        orders=[5, 0], gross_revenue=[100.0, 0.0], acquisition_cost=[40.0, 40.0],
        bonus_cost=[-2.0, -10.0],
    )  # fmt: skip
    loss = loss_of(frame, 1)
    assert (loss["cause"], loss["lever"]) == ("too few orders", "orders")
    assert np.isnan(loss["change"])


def test_only_pools_that_are_in_the_profit_count(tmp_path):
    frame = table(
        gross_revenue=[100.0, 40.0, 60.0],
        direct_cost=[50.0, 20.0, 30.0],
        calls_cost=[7.13, 31.27, 2.2],
        rent_cost=[4.0, 5.5, 1.25],
    )
    expected = loss_makers(frame)
    assert expected.attrs["cost_columns"] == ["direct_cost", "calls_cost", "rent_cost"]
    for merged in (
        frame.assign(acquisition_cost=70.0),
        frame.assign(acquisition_cost=[np.nan, 70.0, 20.0]),
        frame.assign(channel_cost="dear"),
        frame.assign(total_cost=frame["calls_cost"] + frame["rent_cost"]),
        frame.assign(acquisition_cost=70.0)[[*frame.columns[:-1], "acquisition_cost", "profit"]],
    ):
        pd.testing.assert_frame_equal(loss_makers(merged), expected)
        merged.to_csv(tmp_path / "profit.csv", index=False)
        kept = loss_makers(pd.read_csv(tmp_path / "profit.csv"))
        pd.testing.assert_frame_equal(kept, expected)
    single = frame.astype(dict.fromkeys(frame.columns[1:], "float32"))
    assert loss_makers(single.assign(acquisition_cost=70.0)).attrs == expected.attrs
    paid = frame.assign(acquisition_cost=70.0, profit=frame["profit"] - 70)
    assert len(loss_makers(paid)) == 3
    assert loss_makers(paid).attrs["cost_columns"][-1] == "acquisition_cost"


def test_a_table_rounded_to_cents_still_adds_up():
    rng = np.random.default_rng(0)
    n = 300
    frame = table(
        gross_revenue=rng.gamma(2, 30, n), direct_cost=rng.gamma(2, 15, n),
        calls_cost=rng.gamma(1, 9, n), rent_cost=rng.gamma(1, 9, n),
    ).round(2)  # fmt: skip
    for merged in (frame, frame.assign(acquisition_cost=rng.gamma(1, 9, n))):
        found = loss_makers(merged)
        assert found.attrs["cost_columns"] == ["direct_cost", "calls_cost", "rent_cost"]
        assert len(found) == (frame["profit"] < 0).sum()
    with pytest.raises(InputError, match="'profit' is not revenue less"):
        loss_makers(frame.assign(profit=frame["profit"] - 0.1))


def test_a_small_column_that_is_no_part_of_the_profit_is_none():
    frame = table(gross_revenue=[9.125, 4.0], direct_cost=[5.0, 5.0], calls_cost=[0.0, 0.0625])
    merged = frame.assign(tiny_cost=0.015)
    merged = merged[["tiny_cost", *frame.columns]]
    found = loss_makers(merged[["customer_id", *merged.columns.drop("customer_id")]])
    assert found.attrs["cost_columns"] == ["direct_cost", "calls_cost"]
    between = frame.drop(columns="profit").assign(tiny_cost=0.015, profit=frame["profit"])
    assert loss_makers(between).attrs["cost_columns"] == ["direct_cost", "calls_cost"]


def test_a_profit_that_nothing_explains_is_refused():
    frame = table(gross_revenue=[100.0, 40.0], calls_cost=[7.0, 50.0])
    with pytest.raises(InputError, match=r"'profit' is not revenue less.*'calls_cost'"):
        loss_makers(frame.assign(profit=frame["profit"] - [1.0, 0.0]))
    with pytest.raises(MissingColumnsError, match="direct_cost"):
        loss_makers(frame.drop(columns="direct_cost"))


amounts = st.integers(0, 20_000).map(lambda cents: cents / 100)
customers = st.lists(
    st.tuples(amounts, amounts, amounts, amounts, amounts, amounts, st.integers(0, 5)),
    min_size=1,
    max_size=12,
)


@given(customers)
def test_the_change_of_the_lever_breaks_even(drawn):
    gross, discount, refunds, direct, calls, won, orders = map(np.array, zip(*drawn, strict=True))
    frame = table(
        orders=orders, gross_revenue=gross, discount=discount, refunds=refunds,
        direct_cost=direct, calls_cost=calls, acquisition_cost=won,
    )  # fmt: skip
    losses = loss_makers(frame)
    assume(len(losses))
    own = frame.set_index("customer_id").loc[losses["customer_id"]].reset_index()
    assert losses["loss"].tolist() == (-own["profit"]).tolist()
    lever, change = losses["lever"], losses["change"]
    without = own["profit"] + own["acquisition_cost"]
    gained = pd.Series(0.0, index=own.index)
    gained[lever == "price"] = change * own["revenue"]
    gained[lever == "refunds"] = -change * own["refunds"]
    gained[lever == "calls"] = -change * own["calls_cost"]
    gained[lever == "orders"] = change * without
    found = change.notna()
    np.testing.assert_allclose(gained[found], losses["loss"][found], rtol=1e-6, atol=1e-6)
    assert (change[found & (lever != "price") & (lever != "orders")] >= -1 - 1e-9).all()
    assert change[~found].isna().all()
    # Nothing is given up that could have been done by price.
    assert (own["revenue"][~found] <= 0).all()


@given(customers)
def test_excesses_add_up_to_what_profit_lacks(drawn):
    gross, discount, refunds, direct, calls, _, _ = map(np.array, zip(*drawn, strict=True))
    frame = table(
        gross_revenue=gross, discount=discount, refunds=refunds, direct_cost=direct,
        calls_cost=calls,
    )  # fmt: skip
    total = (gross + discount).sum()
    assume(total > 0)
    parts = {
        "refunds": refunds,
        "price": direct + discount,
        "calls": calls,
    }
    excess = {k: v - (gross + discount) * v.sum() / total for k, v in parts.items()}
    usual = 1 - sum(v.sum() for v in parts.values()) / total
    lacking = (gross + discount) * usual - frame["profit"]
    np.testing.assert_allclose(sum(excess.values()), lacking, atol=1e-8)
    losses = loss_makers(frame)
    for row in losses.itertuples():
        most = max(values[row.customer_id] for values in excess.values())
        assert row.cause_excess == pytest.approx(most, abs=1e-6)
