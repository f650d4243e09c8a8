"""What customers could earn beyond what they earn now."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

from crmkit import basket, datasets
from crmkit.errors import InputError, MissingColumnsError
from crmkit.segmentation import customer_profit, potential_table, value_matrix
from crmkit.segmentation._table.outlook import Outlook
from crmkit.segmentation._table.trade import read_trade
from segmentation.worlds_of_potential import white_space_world


@pytest.fixture(scope="module")
def shop():
    return datasets.make_transactions(1500, random_state=1)["transactions"]


@pytest.fixture(scope="module")
def world():
    return white_space_world(0)


def days(*numbers):
    return pd.Timestamp("2025-01-01") + pd.to_timedelta(list(numbers), unit="D")


@pytest.mark.parametrize("by", [None, "kind"])
def test_known_white_space_is_found_whatever_a_customer_spends(world, by):
    log, truth, people = world
    found = potential_table(
        log, method="white_space", by=by, customers=None if by is None else people
    )
    true = truth[found["customer_id"]].to_numpy()
    assert spearmanr(found["potential"], true).statistic > 0.7
    assert abs(spearmanr(found["current"], true).statistic) < 0.2
    kind_of_good = found.loc[found["lever"] != "none", "lever"].astype(int) // 10
    kind = people.set_index("customer_id")["kind"][found["customer_id"]].to_numpy()
    assert (kind_of_good == kind[found["lever"] != "none"]).mean() > 0.95


@pytest.mark.parametrize("method", ["reach", "white_space"])
def test_potential_is_no_mirror_of_current_value(shop, method):
    """Among customers who earn less and among those who earn more there are both kinds."""
    found = potential_table(shop, method=method, category="product")
    assert abs(spearmanr(found["current"], found["potential"]).statistic) < 0.8
    best = found.nlargest(len(found) // 100, "current")
    assert (best["potential"] > 0).mean() > 0.9
    middle = found["potential"].median()
    for part in (found.nlargest(300, "current"), found.nsmallest(300, "current")):
        assert 0.02 < (part["potential"] > middle).mean() < 0.98


def test_no_loss_maker_is_invested_in_and_no_best_customer_told_to_stop(shop):
    margin = 0.2
    pools = pd.DataFrame({"pool": ["desk"], "cost": [30_000.0], "driver": ["orders"]})
    shop = shop.drop(columns="cost", errors="ignore")
    profit = customer_profit(shop, cost_pools=pools, margin=margin)
    found = potential_table(shop, method="reach", margin=margin)
    matrix = value_matrix(profit.merge(found[["customer_id", "potential"]]))
    losing = matrix["current"] < 0
    assert losing.any()
    assert (matrix.loc[losing, "segment"] == "loss").all()
    best = matrix.nlargest(len(matrix) // 100, "current")
    assert best["strategy"].str.contains("growth|grow").all()
    assert not best["strategy"].str.contains("nothing|no money").any()


def test_who_has_refunds_only_is_no_customer_with_potential():
    log = pd.DataFrame(
        {
            "customer_id": [1, 1, 1, 2, 3],
            "date": days(0, 30, 60, 50, 60),
            "amount": [10.0, 10.0, 10.0, -5.0, 20.0],
        }
    )
    found = potential_table(log, method="reach", horizon_days=20)
    assert found["customer_id"].tolist() == [1, 3]
    assert found.attrs["account"]["customers_without_purchase"] == 1
    assert found["current"].tolist() == pytest.approx([30 * 20 / 61, 20 * 20 / 61])


def test_a_log_begins_with_its_first_purchase():
    """A refund of something bought before is no day from which others could be learned."""
    log = pd.DataFrame(
        {"customer_id": [1, 1, 2], "date": days(0, 50, 60), "amount": [-5.0, 20.0, 30.0]}
    )
    found = potential_table(log, method="reach")
    assert found["current"].tolist() == pytest.approx([15 * 90 / 11, 30 * 90 / 11])


def by_hand(log, horizon, group=None):
    """Reach where all customers stand alike: one band, one cell, and groups in it."""
    orders = log.groupby("customer_id")["amount"].agg(["size", "sum"])
    last = log["date"].max()
    late = log[log["date"] > last - pd.Timedelta(days=horizon)]
    late = late.groupby("customer_id")["amount"].agg(["size", "sum"])
    before = orders - late
    mean = orders["sum"].sum() / orders["size"].sum()
    basket_then = (before["sum"] + 2 * mean) / (before["size"] + 2)
    basket_now = (orders["sum"] + 2 * mean) / (orders["size"] + 2)
    came = (late["sum"] / np.maximum(basket_then, mean / 10)).sort_values()

    def half(values):
        return values.iloc[len(values) // 2 :]

    def shrunk(part, of_all):
        return (part.sum() + 10 * of_all) / (len(part) + 10)

    # Three levels (all, one band, one cell) of the same customers shrink to their own mean.
    best = pd.Series(half(came).mean(), index=came.index)
    usual = pd.Series(came.mean(), index=came.index)
    for own in () if group is None else came.groupby(group).groups.values():
        best[own] = shrunk(half(came[came.index.isin(own)]), half(came).mean())
        usual[own] = shrunk(came[own], came.mean())
    span = (last - log["date"].min()).days + 1
    now = orders["sum"] * horizon / span
    return best * basket_now - np.minimum(usual * basket_now, now).clip(lower=0)


def test_reach_by_hand():
    """Six customers who came on the same days and spent differently."""
    came = np.array([0, 20, 40, 60])
    rng = np.random.default_rng(2)
    log = pd.DataFrame(
        {
            "customer_id": np.repeat(np.arange(6), 4),
            "date": days(*np.tile(came, 6)),
            "amount": rng.integers(5, 50, 24).astype(float),
        }
    )
    found = potential_table(log, method="reach", horizon_days=30)
    np.testing.assert_allclose(found["potential"], by_hand(log, 30).sort_index(), rtol=1e-12)
    assert set(found["lever"]) == {"basket"}
    kind = pd.Series(list("aabbba"), name="kind")
    people = kind.rename_axis("customer_id").reset_index()
    found = potential_table(log, method="reach", horizon_days=30, customers=people, by="kind")
    expected = by_hand(log, 30, kind).sort_index()
    np.testing.assert_allclose(found["potential"], expected, rtol=1e-12)


@pytest.mark.parametrize("method", ["reach", "white_space"])
def test_twice_the_horizon_of_a_short_log_is_twice_the_potential(shop, method):
    """Half of a log of 41 days is learned from, whatever the horizon beyond that."""
    end = shop["date"].min() + pd.Timedelta(days=40)
    one, two = (
        potential_table(shop, method=method, as_of=end, horizon_days=days) for days in (40, 80)
    )
    np.testing.assert_allclose(two["potential"], 2 * one["potential"], rtol=1e-9)
    assert (two["lever"] == one["lever"]).all()


def test_groups_divide_those_who_stand_alike(world):
    log, _, people = world
    trade, _ = read_trade(
        log, category=None, customers=people, by="kind", wallet=None, margin=None, as_of=None
    )
    band, cell, group = Outlook(trade, 90)._alike._levels
    kind = people.set_index("customer_id")["kind"][trade.log.customer_ids].to_numpy()
    assert (group.all == cell.all * 4 + kind).all()
    assert (cell.all // 5 == band.all).all()
    assert np.unique(band.all).size > 1


def test_white_space_by_hand():
    """Four customers alike in when they came; two buy tea and bread, two bread only."""
    rows = [(c, day, "bread", 10.0) for c in range(4) for day in (0, 20, 40, 60)]
    rows += [(c, 40, "tea", 30.0) for c in (0, 1)]
    log = pd.DataFrame(rows, columns=["customer_id", "day", "product", "amount"])
    log["date"] = days(*log.pop("day"))
    found = potential_table(log, method="white_space", horizon_days=30)
    # Half of four buy tea, and half of those who buy bread; 60 of tea over eight orders of its
    # buyers; two orders in the thirty days before last.
    chance = (2 + 20 * 0.5) / (4 + 20)
    assert found["potential"].tolist() == pytest.approx([0, 0, *[chance * 60 / 8 * 2] * 2])
    assert found["lever"].tolist() == ["none", "none", "tea", "tea"]


def test_units_of_money_and_margin_scale_and_costs_are_taken_off(shop):
    bare = shop.drop(columns="cost", errors="ignore")
    one = potential_table(bare, method="reach")
    for other in (
        potential_table(bare.assign(amount=bare["amount"] * 4), method="reach", margin=0.25),
        potential_table(bare.assign(cost=0.0), method="reach"),
    ):
        np.testing.assert_allclose(other["potential"], one["potential"], rtol=1e-9)
    costly = potential_table(bare.assign(cost=0.5 * bare["amount"]), method="reach")
    np.testing.assert_allclose(costly["potential"], one["potential"] / 2, rtol=1e-9, atol=1e-9)


def test_wallet():
    log = pd.DataFrame(
        {"customer_id": [1, 1, 2, 3], "date": days(0, 9, 5, 9), "amount": [40.0, 40, 50, -1]}
    )
    purses = pd.DataFrame({"customer_id": [2, 1, 4], "purse": [50.0, 400.0, 9.0]})
    found = potential_table(
        log, customers=purses, wallet="purse", method="wallet", margin=0.5, horizon_days=20
    )
    assert found["customer_id"].tolist() == [1, 2]
    assert found["current"].tolist() == [80.0, 50.0]
    assert found["share_of_wallet"].tolist() == [0.4, 2.0]
    assert found["potential"].tolist() == [120.0, 0.0]
    assert found["lever"].tolist() == ["share of wallet", "none"]
    assert found.attrs["account"]["customers_unmatched"] == 1


def test_chances_of_your_own_take_the_place_of_peers(shop):
    """A score of 1 for one product: the profit of that product per order, over orders to come."""
    product = shop["product"].value_counts().index[0]
    ids = np.sort(shop["customer_id"].unique())
    chances = pd.DataFrame({"customer_id": ids, "item": product, "score": 1.0})
    found = potential_table(shop, method="white_space", chances=chances)
    half = potential_table(shop, method="white_space", chances=chances.assign(score=0.5))
    np.testing.assert_allclose(half["potential"], found["potential"] / 2)
    percent = potential_table(
        shop, method="white_space", chances=chances.assign(score=np.arange(len(ids)) * 2.0)
    )
    assert percent.attrs["account"]["scores_divided_by"] == 2.0 * (len(ids) - 1)
    share = np.arange(len(ids)) / (len(ids) - 1)
    np.testing.assert_allclose(percent["potential"], found["potential"] * share)
    buyers = shop.loc[shop["product"] == product, "customer_id"].unique()
    bought = found["customer_id"].isin(buyers)
    assert (found.loc[bought, "potential"] == 0).all()
    assert set(found.loc[~bought, "lever"]) == {str(product)}
    model = basket.NextItem().fit(shop)
    offers = model.predict(shop, n_items=5)
    assert (potential_table(shop, method="white_space", chances=offers)["potential"] > 0).any()


def test_auto_takes_what_foretold_best_and_says_so(shop, world):
    for log in (shop, world[0]):
        found = potential_table(log)
        account = found.attrs["account"]
        assert set(found["method"]) == {account["method"]}
        assert account["backtest_verdict"][:3] in ("yes", "no:")
        same = potential_table(log, method=account["method"])
        pd.testing.assert_frame_equal(found, same, check_like=True)


def test_auto_says_where_it_could_not_test():
    log = pd.DataFrame({"customer_id": [1, 2, 1], "date": days(0, 1, 2), "amount": 10.0})
    found = potential_table(log, horizon_days=30)
    assert "too short" in found.attrs["account"]["backtest_verdict"]
    assert set(found["method"]) == {"reach"}


def test_an_even_half_of_a_short_log_is_the_backtest(shop):
    first = shop[shop["date"] < shop["date"].min() + pd.Timedelta(days=121)]
    account = potential_table(first, horizon_days=90).attrs["account"]
    assert account["backtest_days"] == 60


def test_who_has_only_come_since_teaches_nothing():
    """The old never buy again and twenty newcomers do: all the same the old tell what comes."""
    rows = [(c, day) for c in range(20) for day in (0, 20, 40)]
    rows += [(c, day) for c in range(20, 40) for day in (70, 90, 120)]
    log = pd.DataFrame(rows, columns=["customer_id", "day"]).assign(amount=10.0)
    log["date"] = days(*log.pop("day"))
    found = potential_table(log, method="reach", horizon_days=60)
    assert found["potential"].tolist() == [0.0] * 40


def test_nobody_earns_nothing_to_reach():
    log = pd.DataFrame({"customer_id": [1, 2, 1], "date": days(0, 2, 40), "amount": 10.0})
    found = potential_table(log.assign(cost=10.5), method="reach", horizon_days=10)
    assert found["potential"].tolist() == [0.0, 0.0]
    assert set(found["lever"]) == {"none"}


def test_the_type_of_categories_changes_no_name(world):
    log = world[0]
    levers = [
        potential_table(log.assign(product=log["product"].astype(kind)), method="white_space")
        for kind in ("int64", "float64", "Int64", "category")
    ]
    for other in levers[1:]:
        pd.testing.assert_frame_equal(levers[0], other)


def test_many_categories_leave_the_rarest_out_and_say_so(world, monkeypatch):
    monkeypatch.setattr("crmkit.segmentation._table.trade._MOST_CATEGORIES", 7)
    log = world[0]
    found = potential_table(log, method="white_space")
    rows = log["product"].value_counts()
    kept = rows[rows >= rows.iloc[6]].index.astype(str)
    assert found.attrs["account"]["categories_left_out"] == log["product"].nunique() - 7
    assert set(found["lever"]) <= {*kept, "none"}
    chances = pd.DataFrame({"customer_id": [0, 1], "item": rows.index[-1], "score": 0.5})
    found = potential_table(log, method="white_space", chances=chances)
    assert "categories_left_out" not in found.attrs["account"]
    assert found.attrs["account"]["items_unmatched"] == 0


def test_what_is_refused(shop):
    log = shop.drop(columns="product")
    people = shop[["customer_id"]].drop_duplicates().assign(purse=0.0)
    with pytest.raises(InputError, match=r"`category`: .* no column 'product'"):
        potential_table(log, method="white_space")
    with pytest.raises(MissingColumnsError, match="kind"):
        potential_table(log, category="kind")
    with pytest.raises(InputError, match="'kind' of `transactions` is missing in every purchase"):
        potential_table(log.assign(kind=None), category="kind")
    with pytest.raises(InputError, match="no column 'product'"):
        potential_table(log.assign(product=None), method="white_space")
    with pytest.raises(InputError, match="`wallet` is needed"):
        potential_table(shop, method="wallet")
    with pytest.raises(InputError, match="'purse' must be above 0"):
        potential_table(shop, method="wallet", wallet="purse", customers=people)
    with pytest.raises(InputError, match="`customers` is needed"):
        potential_table(shop, by="purse")
    with pytest.raises(InputError, match="`margin` stands in for direct cost"):
        potential_table(shop.assign(cost=1.0), margin=0.5)
    with pytest.raises(InputError, match=r"covers 1 day\(s\)"):
        potential_table(shop, method="reach", as_of=shop["date"].min())
    offers = pd.DataFrame(
        {"customer_id": shop["customer_id"].iloc[:1], "item": shop["product"].iloc[0]}
    )
    for method in ("auto", "reach"):
        with pytest.raises(InputError, match="`chances` are for method='white_space'"):
            potential_table(shop, method=method, chances=offers.assign(score=0.1))
    with pytest.raises(InputError, match="'score' must be at least 0"):
        potential_table(shop, method="white_space", chances=offers.assign(score=-1.0))
    twice = pd.concat([offers, offers]).assign(score=0.1)
    with pytest.raises(InputError, match="several rows for one customer and item"):
        potential_table(shop, method="white_space", chances=twice)
