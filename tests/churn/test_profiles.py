"""Profiles of leavers and of ways to come, on data whose truth is known."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from crmkit import churn, datasets
from crmkit.churn._math.levels import shrunk_means, shrunk_rates, two_sided_p
from crmkit.errors import InputError, MissingColumnsError


def leavers(n=4000, seed=0):
    rng = np.random.default_rng(seed)
    channel = rng.choice(["web", "shop", "phone"], n)
    calls = rng.poisson(2, n)
    p = 1 / (1 + np.exp(-(-1.5 + 0.5 * calls + (channel == "web"))))
    return pd.DataFrame(
        {
            "customer_id": np.arange(n),
            "channel": channel,
            "calls": calls,
            "echo": calls + rng.normal(0, 2, n),
            "noise": np.where(rng.random(n) < 0.1, np.nan, rng.normal(size=n)),
            "churned": (rng.random(n) < p).astype(int),
        }
    )


def test_profile_finds_the_marks_and_ranks_them():
    profile = churn.retention_profile(leavers(), random_state=0)
    assert profile["variable"].drop_duplicates().tolist()[:2] == ["calls", "channel"]
    level = profile.set_index(["variable", "level"])
    assert level.loc[("channel", "web"), "direction"] == "leave more"
    assert level.loc[("channel", "shop"), "direction"] == "leave less"
    assert (level.loc["noise", "direction"] == "as all").all()
    assert "(missing)" in level.loc["noise"].index
    assert abs(level.loc["noise", "importance"]).max() < 0.01
    # What `echo` knows, `calls` knows better: it marks leavers but adds little.
    assert level.loc["echo", "importance"].iloc[0] < 0.02
    assert (level.loc["echo", "direction"] != "as all").any()


def test_importance_is_what_leaving_a_column_out_costs():
    table = leavers().drop(columns="echo")
    twin = table.assign(twin=table["calls"] + 0.001 * table["customer_id"] % 2)
    alone = churn.retention_profile(table, random_state=0).groupby("variable")["importance"].first()
    both = churn.retention_profile(twin, random_state=0).groupby("variable")["importance"].first()
    assert alone["calls"] > 0.1
    assert both[["calls", "twin"]].abs().max() < 0.01
    areas = [
        churn.ChurnModel(random_state=0).fit(part).performance_["auc"].iloc[0]
        for part in (table, table.drop(columns="channel"))
    ]
    assert alone["channel"] == pytest.approx(areas[0] - areas[1], abs=0.01)


def test_profile_partitions_the_customers():
    table = leavers()
    profile = churn.retention_profile(table)
    for _, rows in profile.groupby("variable"):
        assert rows["customers"].sum() == len(table)
        assert rows["churners"].sum() == table["churned"].sum()
        assert rows["share"].sum() == pytest.approx(1)
    assert (profile["p_adjusted"] >= profile["p_value"] - 1e-15).all()


def test_level_p_values_equal_scipy():
    table = leavers(500)
    profile = churn.retention_profile(table, columns=["channel"]).set_index("level")
    for level, row in profile.iterrows():
        crossed = pd.crosstab(table["channel"] == level, table["churned"])
        expected = stats.chi2_contingency(crossed, correction=False).pvalue
        assert row["p_value"] == pytest.approx(expected)
    assert two_sided_p(np.array([5.0]), np.array([5.0]), 5.0, 5.0)[0] == 1


def test_profile_pools_rare_levels_and_refuses_nonsense():
    table = leavers().assign(town=lambda t: "t" + (t["customer_id"] % 50).astype(str).str.zfill(2))
    towns = churn.retention_profile(table, columns=["town"], max_levels=5)
    assert towns["level"].tolist() == ["t00", "t01", "t02", "t03", "(other)"]
    with pytest.raises(InputError, match="0 in every row"):
        churn.retention_profile(table.assign(churned=0))
    with pytest.raises(MissingColumnsError, match="colour"):
        churn.retention_profile(table, columns=["colour"])


def test_ordered_levels_keep_their_order():
    sizes = pd.CategoricalDtype(["small", "medium", "large", "huge"], ordered=True)
    table = leavers().assign(
        size=lambda t: t["channel"].map({"web": "small", "shop": "large", "phone": "medium"})
    )
    table["size"] = table["size"].astype(sizes)
    profile = churn.retention_profile(table, columns=["size"])
    assert profile["level"].tolist() == ["small", "medium", "large"]


def test_acquisition_counts_equal_time_only():
    log = pd.DataFrame(
        {
            "customer_id": [1, 1, 2, 3, 3, 4],
            "date": pd.to_datetime(
                ["2024-01-01", "2024-01-30", "2024-01-01", "2024-01-02", "2024-02-01", "2024-01-03"]
            ),
            "amount": [10.0, 5.0, 4.0, 7.0, 100.0, 1.0],
            "product": ["tea", "jam", "jam", "tea", "tea", "rice"],
        }
    )
    table = churn.acquisition_table(log, window_days=30, retained_days=10, as_of="2024-01-31")
    assert table["customer_id"].tolist() == [1, 2, 3]
    assert table["value"].tolist() == [15.0, 4.0, 7.0]
    assert table["retained"].tolist() == [1, 0, 0]
    assert table["valuable"].tolist() == [1, 0, 0]
    assert table["first_product"].tolist() == ["tea", "jam", "tea"]
    later = churn.acquisition_table(log, window_days=30, acquired_from="2024-01-02")
    assert later["customer_id"].tolist() == [3, 4]
    # The window of customer 3 ends on 31 January: what comes on 1 February is out.
    assert later["value"].tolist() == [7.0, 1.0]
    profile = churn.acquisition_profile(log, by="first_product", window_days=30, as_of="2024-01-31")
    assert profile["level"].tolist() == ["jam", "tea"]
    assert profile["customers"].tolist() == [1, 2]
    with pytest.raises(InputError, match="shorter `window_days`"):
        churn.acquisition_table(log, window_days=300)
    with pytest.raises(InputError, match="`by` is empty"):
        churn.acquisition_profile(log, by=[], window_days=30)


def test_later_events_change_no_observed_customer():
    shop = datasets.make_transactions(400, random_state=5, refund_share=0.1)["transactions"]
    table = churn.acquisition_table(shop, as_of="2024-08-31", window_days=60)
    cut = churn.acquisition_table(
        shop[shop["date"] <= pd.Timestamp("2024-08-31")], as_of="2024-08-31", window_days=60
    )
    pd.testing.assert_frame_equal(table, cut)


def test_channels_of_the_simulated_shop_come_out_in_their_true_order():
    shop = datasets.make_transactions(6000, random_state=1)
    profile = churn.acquisition_profile(
        shop["transactions"],
        customers=shop["customers"],
        by=["channel", "region"],
        acquisition_cost="acquisition_cost",
        margin=0.25,
    )
    rows = profile[profile["variable"] == "channel"].set_index("level")
    order = ["referral", "shop", "search", "social"]
    rate = rows.loc[order, "retention_rate"]
    assert rate.is_monotonic_decreasing
    assert rows.loc["referral", "index"] > 100 > rows.loc["social", "index"]
    assert rows.loc["referral", "payback_days"] < rows.loc["search", "payback_days"]
    shown = rows["value_per_customer"] - rows["cost_per_customer"]
    np.testing.assert_allclose(rows["net_value_per_customer"], shown)
    for _, part in profile.groupby("variable"):
        base = np.average(part["retention_rate"], weights=part["customers"])
        distance = (part["retention_rate"] - base).abs()
        assert ((part["retention_shrunk"] - base).abs() <= distance + 1e-12).all()
        assert np.average(part["index"], weights=part["share"]) == pytest.approx(100)


def test_shrinkage_gives_way_to_evidence():
    n = np.array([1e6, 1e6, 4.0])
    rates = shrunk_rates(np.array([2e5, 4e5, 4.0]), n)
    np.testing.assert_allclose(rates[:2], [0.2, 0.4], atol=1e-3)
    assert rates[2] < 0.6
    np.testing.assert_allclose(shrunk_rates(np.array([5.0, 5]), np.array([10.0, 10])), 0.5)
    means = shrunk_means(np.array([10.0, 20.0, 90.0]), np.array([4.0, 4, 4]), n)
    np.testing.assert_allclose(means[:2], [10, 20], atol=1e-3)
    same = shrunk_means(np.array([5.0, 5.1]), np.array([9.0, 9.0]), np.array([20.0, 20]))
    np.testing.assert_allclose(same, 5.05)
