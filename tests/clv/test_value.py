"""Lifetime value against integration by hand, and its intervals against drawing parameters."""

import copy
import math

import numpy as np
import pandas as pd
import pytest

from crmkit import clv, datasets
from crmkit.clv._model.intervals import limits as limits_of
from crmkit.errors import InputError, MissingColumnsError


@pytest.fixture(scope="module")
def base():
    return clv.purchase_table(datasets.make_transactions(800, random_state=4)["transactions"])


@pytest.fixture(scope="module")
def models(base):
    return {"purchases": clv.BGNBD().fit(base), "spend": clv.GammaGamma().fit(base)}


def with_coefficients(model, coefficients):
    other = copy.deepcopy(model)
    other.coefficients_ = coefficients
    return other


def test_value_is_the_discounted_stream(base, models):
    few = base.head(5)
    value = clv.lifetime_value(
        few, **models, horizon_days=500, annual_discount_rate=0.2, margin=0.3
    )
    steps = np.linspace(0.0, 500.0, 501)
    expected = np.array(
        [models["purchases"].predict(few, horizon_days=day)["expected_purchases"] for day in steps]
    )
    middle = (steps[1:] + steps[:-1]) / 2
    stream = (np.diff(expected, axis=0) * 1.2 ** (-middle[:, None] / 365)).sum(axis=0)
    amount = models["spend"].predict(few)["expected_amount"]
    np.testing.assert_allclose(value["lifetime_value"], 0.3 * stream * amount, rtol=1e-6)
    np.testing.assert_allclose(value["expected_purchases"], expected[-1])


def test_without_discount_value_is_amount_times_purchases(base, models):
    value = clv.lifetime_value(base, **models, annual_discount_rate=0.0)
    product = value["expected_purchases"] * value["expected_amount"]
    np.testing.assert_allclose(value["lifetime_value"], product, rtol=1e-9)


def test_a_longer_horizon_is_worth_more_up_to_the_whole_life(base, models):
    totals = [
        clv.lifetime_value(base, **models, horizon_days=days)["lifetime_value"].sum()
        for days in (0, 90, 365, 3650, math.inf)
    ]
    assert totals[0] == 0.0
    assert (np.diff(totals) > 0).all()


def test_margin_may_differ_by_customer(base, models):
    shares = base.assign(share=np.linspace(-0.5, 0.5, len(base)))
    value = clv.lifetime_value(shares, **models, margin="share", interval="delta")
    plain = clv.lifetime_value(base, **models)
    np.testing.assert_allclose(value["lifetime_value"], plain["lifetime_value"] * shares["share"])
    assert (value["conf_low"] <= value["lifetime_value"]).all()
    assert (value["conf_high"] >= value["lifetime_value"]).all()
    with pytest.raises(MissingColumnsError, match="share"):
        clv.lifetime_value(base, **models, margin="share")


def test_errors_are_those_of_drawn_parameters(base, models):
    rng = np.random.default_rng(0)
    base = base.head(25)
    total = clv.customer_equity(base, **models)
    draws = []
    for _ in range(150):
        drawn = {
            name: with_coefficients(
                model,
                rng.multivariate_normal(model.coefficients_, model.coefficient_covariance_),
            )
            for name, model in models.items()
        }
        draws.append(clv.lifetime_value(base, **drawn)["lifetime_value"].sum())
    spread = np.std(np.log(draws))
    assert total.loc[0, "std_error"] / total.loc[0, "lifetime_value"] == pytest.approx(
        spread, rel=0.2
    )


def test_segments_add_up_and_their_errors_do_not(base, models):
    base = base.head(100)
    base = base.assign(
        repeat=np.where(base["frequency"] > 0, "yes", "no"), half=base["customer_id"].index % 2
    )
    each = clv.lifetime_value(base, **models, interval="delta")
    whole = clv.customer_equity(base, **models)
    parts = clv.customer_equity(base, **models, by=["repeat", "half"])
    assert list(parts.columns[:2]) == ["repeat", "half"]
    np.testing.assert_allclose(whole["lifetime_value"], each["lifetime_value"].sum())
    np.testing.assert_allclose(parts["lifetime_value"].sum(), each["lifetime_value"].sum())
    np.testing.assert_allclose(parts["share"].sum(), 1.0)
    np.testing.assert_allclose(parts["customers"].sum(), len(base))
    # Errors of one model move together: more than independent, at most plainly added.
    error = whole.loc[0, "std_error"]
    assert np.sqrt((each["std_error"] ** 2).sum()) < error <= each["std_error"].sum() * 1.000001
    one = clv.customer_equity(each[["customer_id"]].merge(base), **models, by="customer_id")
    np.testing.assert_allclose(one["std_error"], each["std_error"], rtol=1e-9)


def test_draws_agree_with_derivatives(base):
    drawn = {
        "purchases": clv.BGNBD(prior="weak", n_draws=60, random_state=1).fit(base),
        "spend": clv.GammaGamma(prior="weak", n_draws=60, random_state=2).fit(base),
    }
    some = base.head(40).assign(half=np.arange(40) % 2)
    delta = clv.customer_equity(some, **drawn, by="half")
    told = clv.customer_equity(some, **drawn, by="half", interval="posterior")
    np.testing.assert_allclose(told["lifetime_value"], delta["lifetime_value"])
    np.testing.assert_allclose(told["std_error"], delta["std_error"], rtol=0.4)
    each = clv.lifetime_value(some, **drawn, interval="posterior")
    assert (each["conf_low"] <= each["conf_high"]).all()
    one = clv.customer_equity(some, **drawn, by="customer_id", interval="posterior")
    order = np.argsort(some["customer_id"].to_numpy())
    np.testing.assert_allclose(one["conf_low"], each["conf_low"].to_numpy()[order])
    with pytest.raises(InputError, match="n_draws of 2 or more"):
        clv.customer_equity(
            some, purchases=clv.BGNBD().fit(base), spend=drawn["spend"], interval="posterior"
        )


def test_limits_keep_the_sign():
    limits = limits_of(np.array([10.0, -10.0, 0.0]), np.array([400.0, 400.0, 0.0]), 0.95)
    assert limits["conf_low"][0] > 0 > limits["conf_high"][1]
    assert limits["conf_low"][2] == limits["conf_high"][2] == 0.0


def test_one_infinite_mean_withholds_no_other_value(base, models):
    # H10 of the known hard cases: p, q, v = 3, 0.8, 20 has no mean without a purchase.
    endless = with_coefficients(models["spend"], np.log([3.0, 0.8, 20.0]))
    some = base.head(30).copy()
    some.loc[3, ["frequency", "recency", "first_amount"]] = 0, 0.0, np.nan
    both = {"purchases": models["purchases"], "spend": endless}
    value = clv.lifetime_value(some, **both, interval="delta")
    assert value["lifetime_value"].isna().tolist() == [row == 3 for row in range(30)]
    assert value.attrs["account"]["customers_with_infinite_mean"] == 1
    total = clv.customer_equity(some, **both)
    others = clv.customer_equity(some.drop(index=3), **both)
    columns = ["lifetime_value", "std_error", "conf_low", "conf_high"]
    np.testing.assert_allclose(total[columns], others[columns])
    assert total.attrs["account"]["customers_with_infinite_mean"] == 1


def test_a_known_price_needs_no_model_of_spend(base, models):
    buys = {"purchases": models["purchases"], "interval": "delta"}
    half = np.arange(len(base)) % 2
    table = base.assign(price=np.where(half, 19.90, 9.90))
    value = clv.lifetime_value(table, spend="price", **buys)
    assert set(value["expected_amount"]) == {9.90, 19.90}
    np.testing.assert_allclose(
        value["lifetime_value"], table["price"] * value["discounted_purchases"]
    )
    one = clv.lifetime_value(base, spend=9.90, **buys)
    same = ["lifetime_value", "conf_low", "conf_high"]
    np.testing.assert_allclose(one.loc[half == 0, same], value.loc[half == 0, same])
    drawn = clv.BGNBD(prior="weak", n_draws=10, random_state=0).fit(base)
    for interval in ("posterior", "predictive"):
        told = clv.customer_equity(table, purchases=drawn, spend="price", interval=interval)
        assert told.loc[0, "std_error"] > 0
    for wrong in (-1.0, math.nan, True):
        with pytest.raises(InputError, match="`spend` must be"):
            clv.lifetime_value(base, purchases=models["purchases"], spend=wrong)


def test_what_was_meant_as_per_cent_is_told(base, models):
    for name, wrong, meant in (
        ("margin", 30, "0.3"), ("annual_discount_rate", 10, "0.1"),
        ("annual_discount_rate", 3, "0.03"),
    ):  # fmt: skip
        with pytest.raises(InputError, match=f"Write {wrong} % as {meant}"):
            clv.lifetime_value(base, **models, **{name: wrong})
    with pytest.raises(InputError, match=r"'share' is above 1.*Write 30 % as 0\.3"):
        clv.lifetime_value(base.assign(share=30.0), **models, margin="share")


def test_equity_without_an_interval_is_the_sum_of_values(base, models):
    plain = clv.customer_equity(base, **models, interval=None)
    told = clv.customer_equity(base, **models)
    assert list(plain.columns) == [c for c in told.columns if c[:4] not in ("std_", "conf")]
    pd.testing.assert_frame_equal(plain, told[plain.columns])


def test_models_are_checked(base, models):
    with pytest.raises(InputError, match="`purchases` must be a fitted model"):
        clv.lifetime_value(base, purchases=models["spend"], spend=models["spend"])
    with pytest.raises(InputError, match="`spend` must be a fitted model"):
        clv.lifetime_value(base, purchases=models["purchases"], spend=clv.GammaGamma)
    with pytest.raises(InputError, match="segment"):
        clv.customer_equity(base, **models, by="segment")


def test_customers_without_a_segment_are_the_last(base, models):
    segment = np.where(base["customer_id"] % 3 == 0, "big", None)
    total = clv.customer_equity(base.assign(segment=segment), **models, by="segment")
    assert total["segment"].isna().tolist() == [False, True]
    assert total["customers"].tolist() == [(segment == "big").sum(), (segment != "big").sum()]
    assert total["share"].sum() == pytest.approx(1)
    with pytest.raises(InputError, match="which the result needs"):
        clv.customer_equity(base.assign(share=segment), **models, by="share")


def test_tracking_adds_up_to_the_expectation_of_new_customers(base, models):
    log = datasets.make_transactions(800, random_state=4)["transactions"]
    as_of = log["date"].max()
    table = clv.tracking_table(log, purchases=models["purchases"], as_of=as_of, period_days=30)
    assert not table["holdout"].any()
    assert table["actual"].sum() == base["frequency"].sum()
    new = base.assign(frequency=0, recency=0.0, T=0.0)
    expected = sum(
        models["purchases"].predict(rows, horizon_days=T)["expected_purchases"].sum()
        for T, rows in new.groupby(base["T"])
    )
    assert table["expected_cumulative"].iloc[-1] == pytest.approx(expected, rel=1e-9)
    np.testing.assert_allclose(table["expected"].cumsum(), table["expected_cumulative"])


def test_tracking_by_group_reads_a_table_of_all_customers():
    log = datasets.make_transactions(400, random_state=4)["transactions"]
    as_of = log["date"].max() - pd.Timedelta(days=100)
    base = clv.purchase_table(log, as_of=as_of).assign(wave=lambda t: np.arange(len(t)) % 2)
    everyone = clv.purchase_table(log)[["customer_id"]].merge(base, "left", on="customer_id")
    everyone.loc[len(everyone)] = [-1, *[np.nan] * (everyone.shape[1] - 1)]
    options = {"as_of": as_of, "period_days": 50}
    found = []
    for wave in (everyone["wave"].fillna(1), everyone["wave"].replace(1, np.nan)):
        people = everyone.assign(wave=wave)
        known = base.assign(
            wave=people.set_index("customer_id").loc[base["customer_id"], "wave"].to_numpy()
        )
        model = clv.ByGroup(model=clv.BGNBD(), by="wave").fit(known)
        found.append(clv.tracking_table(log, purchases=model, customers=people, **options))
        assert found[-1].attrs["account"]["customers_unmatched"] == 1
    pd.testing.assert_frame_equal(*found)
    with pytest.raises(InputError, match="`customers` lacks"):
        clv.tracking_table(log, purchases=model, customers=people.tail(50), **options)


def test_forecast_groups_partition_customers():
    rng = np.random.default_rng(1)
    customers = pd.DataFrame(
        {
            "customer_id": range(200),
            "frequency": rng.poisson(2, 200),
            "holdout_frequency": rng.poisson(1, 200),
        }
    )
    told = pd.DataFrame({"customer_id": range(200), "expected_purchases": rng.gamma(1, 1, 200)})
    for by in ("frequency", "expected_purchases"):
        table = clv.forecast_table(customers, told, by=by, n_groups=5)
        assert table["customers"].sum() == 200
        assert table.attrs["account"] == {"predictions_unmatched": 0}
        assert table["actual_total"].sum() == customers["holdout_frequency"].sum()
        assert table["expected_total"].sum() == pytest.approx(told["expected_purchases"].sum())
    assert table["group"].tolist() == ["1", "2", "3", "4", "5"]
    with pytest.raises(InputError, match="no customer_id of `customers` occurs in `predictions`"):
        clv.forecast_table(customers, told.assign(customer_id=told["customer_id"] + 500))


def test_the_interval_of_the_sum_covers_the_truth(models, long):
    # 57 of 60 bases of 1,000 customers covered it (95 %); here 20 of 250, or 8, at least 80 % must.
    truth = {
        "purchases": with_coefficients(models["purchases"], np.log([0.6, 60.0, 0.8, 2.5])),
        "spend": with_coefficients(models["spend"], np.log([6.0, 3.7, 15.0])),
    }
    length = np.random.default_rng(0).integers(200, 400, 250).astype(float)
    start = pd.DataFrame({"customer_id": range(250), "T": length})
    covered = 0
    bases = 20 if long else 8
    for seed in range(bases):
        drawn = truth["purchases"].simulate(start, random_state=seed)
        amounts = truth["spend"].simulate(drawn, random_state=1000 + seed)
        money = ["monetary_value", "first_amount", "kept_purchases"]
        drawn[money] = amounts[money]
        true = clv.lifetime_value(drawn, **truth)["lifetime_value"].sum()
        fitted = {"purchases": clv.BGNBD().fit(drawn), "spend": clv.GammaGamma().fit(drawn)}
        found = clv.customer_equity(drawn, **fitted).loc[0]
        covered += found["conf_low"] <= true <= found["conf_high"]
    assert covered >= 0.8 * bases
