"""What orders earn once their costs are known, and what that says of the orders to come."""

import numpy as np
import pandas as pd
import pytest

from crmkit import clv, datasets
from crmkit._log import PurchaseDays
from crmkit.clv._math.credibility import learn_credibility
from crmkit.clv._table.kept import kept_columns, margin_columns
from crmkit.errors import InputError, MissingColumnsError

DAY = pd.Timestamp("2024-01-01")


def log_of(rows):
    customer, day, amount, cost = zip(*rows, strict=True)
    date = DAY + pd.to_timedelta(list(day), unit="D")
    return pd.DataFrame({"customer_id": customer, "date": date, "amount": amount, "cost": cost})


def test_margins_by_hand():
    rows = [(1, 0, 10.0, 6.0), (1, 5, 30.0, 33.0), (1, 5, 10.0, 4.0)]  # the second day breaks even
    rows += [(2, 0, 20.0, 5.0), (2, 3, -20.0, -5.0), (3, 1, 8.0, 10.0)]
    table = clv.purchase_table(log_of(rows), as_of="2024-02-01", margins=True)
    plain = clv.purchase_table(log_of(rows).drop(columns="cost"), as_of="2024-02-01")
    pd.testing.assert_frame_equal(
        table.drop(columns=["margin", "margin_std", "margin_orders"]), plain
    )
    own = (4 + 3) / 50
    share, off = np.array([0.2, 0.8]), np.array([0.4, 3 / 40]) - own
    spread = share @ off**2 / (1 - share @ share)
    # Who gave everything back has none; who costs more than is paid a negative one.
    np.testing.assert_allclose(table["margin"], [own, np.nan, -0.25])
    np.testing.assert_allclose(table["margin_std"], [np.sqrt(spread), 0.0, 0.0])
    np.testing.assert_allclose(table["margin_orders"], [1 / (share @ share), 0.0, 1.0])
    with pytest.raises(MissingColumnsError, match="cost"):
        clv.purchase_table(log_of(rows).drop(columns="cost"), margins=True)


def test_an_order_that_loses_money_is_an_order():
    rows = [(1, day, 10.0, cost) for day, cost in enumerate([12.0, 5.0, 15.0, 5.0, 20.0])]
    table = clv.purchase_table(log_of(rows), margins=True)
    assert (table["frequency"][0], table["kept_purchases"][0]) == (4, 5)
    assert table["margin"][0] == pytest.approx(1 - 57 / 50)


def test_credibility_is_that_of_hachemeister():
    """Buhlmann and Gisler (2005), A Course in Credibility Theory, table 4.1: five states."""
    mean = np.array([2060.92, 1511.22, 1805.84, 1352.98, 1599.83])
    weight = np.array([100155.0, 19895, 13735, 4152, 36110])
    within = 139_120_026.0
    eleven, ones = np.full(5, 11.0), np.ones(5)  # twelve quarters each
    found = learn_credibility(mean, weight, within * eleven, eleven, weight, ones)
    assert found.within == pytest.approx(within)
    assert found.between == pytest.approx(89_639, rel=1e-4)
    assert found.mean == pytest.approx(1683.7, abs=0.05)
    told = found.expected(mean, weight)
    np.testing.assert_allclose(told, [2055.16, 1523.71, 1793.44, 1442.97, 1603.29], atol=0.03)
    assert weight @ told == pytest.approx(weight @ mean)
    assert found.expected(np.array([np.nan]), np.array([0.0]))[0] == found.mean


def orders(rng, n, spread):
    """Customers whose margins differ, with few orders, and what more orders will earn."""
    share, count = rng.normal(0.3, spread, n), rng.integers(1, 5, n)
    owner = np.repeat(np.arange(n), count)
    amount = rng.gamma(2.0, 20.0, owner.size)
    cost = amount * (1 - share[owner] - rng.normal(0, 0.4, owner.size))
    day = np.concatenate([7 * np.arange(k) for k in count])
    return log_of(list(zip(owner, day, amount, cost, strict=True))), share


@pytest.mark.parametrize("spread", [0.0, 0.1, 0.3])
def test_what_is_expected_is_nearer_than_what_was_and_adds_up(spread):
    log, share = orders(np.random.default_rng(4), 2000, spread)
    table = clv.purchase_table(log, margins=True)
    spend = clv.GammaGamma().fit(table)
    value = clv.lifetime_value(table, purchases=clv.BGNBD().fit(table), spend=spend)
    told = value["expected_margin"].to_numpy()
    assert spend.margin_["between"] == pytest.approx(spread**2, abs=0.006)
    assert spend.margin_["within"] == pytest.approx(0.4**2, abs=0.01)

    def off(margin):
        return np.sqrt(np.mean((margin - share) ** 2))

    assert off(told) < 0.98 * min(off(table["margin"]), max(off(share.mean()), 0.06))
    weight = table["frequency"] * table["monetary_value"] + table["first_amount"]
    assert weight @ told == pytest.approx(log["amount"].sum() - log["cost"].sum())
    np.testing.assert_allclose(
        value["lifetime_value"], told * value["expected_amount"] * value["discounted_purchases"]
    )


def test_margins_reach_values_sums_and_files(tmp_path):
    shop = datasets.make_transactions(300, random_state=0)
    table = clv.purchase_table(shop["transactions"], margins=True)
    table["half"] = np.arange(len(table)) % 2
    models = {"purchases": clv.BGNBD().fit(table), "spend": clv.GammaGamma().fit(table)}
    value = clv.lifetime_value(table, **models)
    total = clv.customer_equity(table, **models)["lifetime_value"].sum()
    assert total == pytest.approx(value["lifetime_value"].sum())
    same = clv.lifetime_value(table, margin="margin", **models)
    assert "expected_margin" not in same.columns
    models["spend"].save(tmp_path / "spend.json")
    again = {**models, "spend": clv.GammaGamma.load(tmp_path / "spend.json")}
    pd.testing.assert_frame_equal(clv.lifetime_value(table, **again), value)
    each = {**models, "spend": clv.ByGroup(model=clv.GammaGamma(), by="half").fit(table)}
    grouped = clv.lifetime_value(table, **each)["expected_margin"]
    assert grouped.between(-1, 1).all()
    assert grouped.nunique() > 1
    plain = clv.GammaGamma().fit(table.drop(columns=["margin", "margin_std", "margin_orders"]))
    assert plain.margin_ is None
    without = clv.lifetime_value(table, **{**models, "spend": plain})
    assert "expected_margin" not in without.columns
    with pytest.raises(MissingColumnsError, match="margin"):
        clv.lifetime_value(table.drop(columns="margin"), **models)
    with pytest.raises(InputError, match="text"):
        clv.GammaGamma().fit(table.assign(margin="text"))


def test_of_nobody_there_are_empty_columns():
    none = np.zeros(0, dtype=np.int64)
    nobody = PurchaseDays(none, none, np.zeros(0), none)
    columns = {**kept_columns(nobody, logs=True), **margin_columns(nobody, np.zeros(0))}
    assert len(columns) == 6
    assert {column.shape for column in columns.values()} == {(0,)}
