"""TimeVaryingParetoNBD from tables: equal to the static model, what it refuses, recovery."""

import math

import numpy as np
import pandas as pd
import pytest

from crmkit import clv
from crmkit.errors import InputError, MissingColumnsError

START, AS_OF = pd.Timestamp("2022-01-03"), "2023-12-31"
EFFECTS = {"purchase_covariates": ["season", "club"], "dropout_covariates": ["club"]}


def weekly(n_customers, *, n_weeks=160, seed=0):
    """Weekly covariates: a season for everybody, and a club that customers join some day."""
    rng = np.random.default_rng(seed)
    dates = pd.date_range(START, periods=n_weeks, freq="7D")
    season = np.tile((np.arange(n_weeks) % 26 < 6).astype(float), n_customers)
    joined = np.repeat(rng.integers(0, 2 * n_weeks, n_customers), n_weeks)
    return pd.DataFrame(
        {
            "customer_id": np.repeat(np.arange(n_customers), n_weeks),
            "date": np.tile(dates, n_customers),
            "season": season,
            "club": (np.tile(np.arange(n_weeks), n_customers) >= joined).astype(float),
        }
    )


def people(n_customers, seed=1):
    days = np.random.default_rng(seed).integers(0, 300, n_customers)
    return pd.DataFrame(
        {
            "customer_id": np.arange(n_customers),
            "first_date": START + pd.to_timedelta(days, unit="D"),
        }
    )


def known(coefficients, **options):
    """A model with these coefficients, fitted to nothing."""
    model = clv.TimeVaryingParetoNBD(**EFFECTS, **options)
    model.coefficients_ = np.array(coefficients)
    return model


TRUTH = [np.log(0.9), np.log(70.0), np.log(0.8), np.log(250.0), 0.8, 0.4, -0.6]


@pytest.fixture(scope="module")
def shop():
    covariates = weekly(300)
    log = known(TRUTH).simulate(people(300), covariates=covariates, as_of=AS_OF, random_state=2)
    return log[["customer_id", "date"]], covariates


@pytest.fixture(scope="module")
def model(shop):
    log, covariates = shop
    return clv.TimeVaryingParetoNBD(**EFFECTS).fit(log, covariates=covariates, as_of=AS_OF)


def test_constant_covariates_give_the_static_model(shop):
    log, covariates = shop
    rng = np.random.default_rng(4)
    facts = pd.DataFrame({"customer_id": np.arange(300), "season": rng.integers(0, 2, 300)})
    facts["club"] = rng.normal(size=300).round(1)
    table = clv.purchase_table(log, as_of=AS_OF).merge(facts, on="customer_id")
    options = {**EFFECTS, "l2": 0.3, "tie": [["purchase.club", "dropout.club"]]}
    static = clv.ParetoNBD(**options).fit(table)
    coming = {"horizon_days": 200, "annual_discount_rate": 0.15, "interval": "delta"}
    expected = static.predict(table, alive_in_days=90, **coming)
    # The same values every week, and in one row per customer.
    repeated = covariates[["customer_id", "date"]].merge(facts, on="customer_id")
    for rows in (repeated, facts.assign(date=START)):
        varying = clv.TimeVaryingParetoNBD(**options).fit(log, covariates=rows, as_of=AS_OF)
        assert varying.log_likelihood_ == pytest.approx(static.log_likelihood_, abs=1e-7)
        assert varying.n_parameters_ == static.n_parameters_ == 6
        assert varying.bic_ == pytest.approx(static.bic_)
        pd.testing.assert_frame_equal(varying.parameters_, static.parameters_, rtol=1e-5)
        varying.coefficients_ = static.coefficients_
        varying.coefficient_covariance_ = static.coefficient_covariance_
        found = varying.predict(log, covariates=rows, as_of=AS_OF, alive_in_days=90, **coming)
        found = found.sort_values("customer_id").reset_index(drop=True)
        pd.testing.assert_frame_equal(found, expected, rtol=1e-8)


def test_only_changes_matter(shop, model):
    log, covariates = shop
    changed = covariates.groupby("customer_id")[["season", "club"]].diff().ne(0).any(axis=1)
    last = ~covariates["customer_id"].duplicated(keep="last")
    tables = {
        "changes": covariates[changed | last].sample(frac=1.0, random_state=0),
        "days": covariates.loc[covariates.index.repeat(7)].assign(
            date=lambda t: t["date"] + pd.to_timedelta(np.arange(len(t)) % 7, unit="D")
        ),
        "more": pd.concat(
            [covariates, covariates.assign(customer_id=covariates["customer_id"] + 900)]
        ).assign(note="x"),
    }
    want = model.predict(log, covariates=covariates, as_of=AS_OF, horizon_days=100)
    for name, table in tables.items():
        again = clv.TimeVaryingParetoNBD(**EFFECTS).fit(log, covariates=table, as_of=AS_OF)
        assert again.log_likelihood_ == pytest.approx(model.log_likelihood_, abs=1e-8)
        found = again.predict(log, covariates=table, as_of=AS_OF, horizon_days=100)
        pd.testing.assert_frame_equal(found, want, rtol=1e-6)
        strangers = 300 if name == "more" else 0
        for account in (again.account_, found.attrs["account"]):
            assert account["covariates_unmatched"] == strangers


def test_a_calendar_is_the_same_rows_for_everybody(shop):
    log, covariates = shop
    calendar = covariates.loc[covariates["customer_id"] == 7, ["date", "season"]]
    options = {"purchase_covariates": ["season"], "dropout_covariates": ["season"]}
    one, each = (
        clv.TimeVaryingParetoNBD(**options).fit(log, covariates=table, as_of=AS_OF)
        for table in (calendar, covariates)
    )
    assert one.log_likelihood_ == pytest.approx(each.log_likelihood_, abs=1e-9)
    pd.testing.assert_frame_equal(
        one.predict(log, covariates=calendar, as_of=AS_OF, horizon_days=90),
        each.predict(log, covariates=covariates, as_of=AS_OF, horizon_days=90),
    )


def test_the_future_follows_its_covariates(shop, model):
    log, covariates = shop
    rich = covariates.copy()
    rich.loc[rich["date"] >= "2024-01-15", "season"] = 1.0
    options = {"as_of": AS_OF, "horizon_days": 200, "annual_discount_rate": 0.1}
    plain = model.predict(log, covariates=covariates, **options)
    more = model.predict(log, covariates=rich, **options)
    np.testing.assert_array_equal(plain["p_alive"], more["p_alive"])
    assert (more["expected_purchases"] > plain["expected_purchases"]).all()
    assert (plain["discounted_purchases"] < plain["expected_purchases"]).all()
    # Two horizons add up.
    first = model.predict(log, covariates=covariates, as_of=AS_OF, horizon_days=80)
    nothing = model.predict(log, covariates=covariates, as_of=AS_OF, horizon_days=0)
    assert (first["expected_purchases"] < plain["expected_purchases"]).all()
    assert (nothing["expected_purchases"] == 0.0).all()


def test_problems_are_named_all_at_once(shop):
    log, covariates = shop
    model = clv.TimeVaryingParetoNBD(**EFFECTS)

    def refused(table, *sentences, **options):
        with pytest.raises(InputError) as caught:
            model.fit(log, covariates=table, as_of=AS_OF, **options)
        for sentence in sentences:
            assert sentence in str(caught.value)

    broken = covariates.drop(index=range(160))
    broken = broken[(broken["customer_id"] != 1) | (broken["date"] > "2023-06-01")]
    broken = broken[(broken["customer_id"] != 2) | (broken["date"] < "2023-06-01")]
    broken = pd.concat([broken, broken.tail(2)])
    refused(
        broken,
        "repeats a day of the same customer in 2 of",
        "1 of 300 customers in the log have no row (first: [0])",
        "rows of 1 customers (first: 1) begin after the first purchase: on 2023-06-05, needed from",
        "rows of 1 customers (first: 2) end too early: they cover time through 2023-06-04, needed "
        "through 2023-12-31",
    )
    refused(covariates.drop(columns="customer_id"), "repeats a day in", "needs `customer_id`")
    odd = covariates.copy()
    odd.loc[3, "club"], odd.loc[5, "season"] = np.nan, np.inf
    refused(odd, "'club' is missing in 1 of", "'season' is infinite in 1 of")
    refused(odd.assign(date="soon"), "'date' must hold dates")
    refused(covariates.iloc[:0], "has no rows")
    refused(covariates.assign(season=1.0), "['purchase.season'] are the same for everybody")
    # What varied only before anybody came is constant, too.
    early = covariates.assign(season=(covariates["date"] == START) * 0.1 + 0.7)
    late = log[log["customer_id"].isin(log.loc[log["date"] < "2022-02-01", "customer_id"]) == 0]
    with pytest.raises(InputError, match="are the same for everybody"):
        model.fit(late, covariates=early, as_of=AS_OF)
    refused(covariates.assign(customer_id=covariates["customer_id"].astype(str)), "do not write")
    refused(covariates.assign(customer_id=covariates["customer_id"] + 900), "no customer_id of")
    with pytest.raises(MissingColumnsError, match="club"):
        model.fit(log, covariates=covariates.drop(columns="club"))
    with pytest.raises(InputError, match="use ParetoNBD"):
        clv.TimeVaryingParetoNBD().fit(log, covariates=covariates)
    with pytest.raises(InputError, match="nobody was observed"):
        model.fit(log.drop_duplicates("customer_id").assign(date=START), covariates=covariates)


def test_the_horizon_must_be_covered(shop, model):
    log, covariates = shop
    end = covariates["date"].max() + pd.Timedelta(days=6)
    reach = (end - pd.Timestamp(AS_OF)).days + 1
    model.predict(log, covariates=covariates, as_of=AS_OF, horizon_days=reach)
    for options in ({"horizon_days": reach + 1}, {"alive_in_days": reach + 1, "horizon_days": 1}):
        with pytest.raises(InputError, match=r"rows of 300 customers .* look less far ahead"):
            model.predict(log, covariates=covariates, as_of=AS_OF, **options)
    with pytest.raises(InputError, match="horizon_days"):
        model.predict(log, covariates=covariates, as_of=AS_OF, horizon_days=np.inf)
    with pytest.raises(InputError, match="interval"):
        model.predict(log, covariates=covariates, as_of=AS_OF, horizon_days=9, interval="x")


def test_refunds_are_no_purchases(shop, model):
    log, covariates = shop
    refund = pd.DataFrame({"customer_id": [900, 5], "date": [START, pd.Timestamp(AS_OF)]})
    both = pd.concat([refund.assign(amount=-5.0), log.assign(amount=9.0)])
    found = model.predict(both, covariates=covariates, as_of=AS_OF, horizon_days=50)
    want = model.predict(log, covariates=covariates, as_of=AS_OF, horizon_days=50)
    # Customers come as the log first names them; who only returned something is none.
    assert found["customer_id"].iloc[0] == 5
    pd.testing.assert_frame_equal(
        found.sort_values("customer_id", ignore_index=True), want, check_dtype=False
    )


def test_reports_on_customer_tables_say_that_it_needs_a_log(shop, model):
    log, covariates = shop
    split = clv.holdout_table(log, as_of="2023-06-30", horizon_days=180)
    tables = {"covariates": covariates, "as_of": "2023-06-30"}
    early = clv.TimeVaryingParetoNBD(**EFFECTS).fit(log, **tables)
    judged = clv.forecast_table(split, early.predict(log, horizon_days=180, **tables))
    assert judged["customers"].sum() == len(split)
    with pytest.raises(InputError, match="'season' predicts from a log"):
        clv.model_comparison(split, models={"season": model})
    with pytest.raises(InputError, match="must be a finite number at least 0; got inf"):
        model.predict(log, horizon_days=math.inf, **tables)
    with pytest.raises(InputError, match=r"model\.on_log\(transactions"):
        clv.tracking_table(log, purchases=model, as_of="2023-06-30", period_days=28)
    with pytest.raises(InputError, match=r"model\.on_log\(transactions"):
        clv.lifetime_value(split, purchases=model, spend=model)


def test_nested_models_are_tested(shop, model):
    log, covariates = shop
    restricted = clv.TimeVaryingParetoNBD(purchase_covariates=["season"])
    restricted.fit(log, covariates=covariates, as_of=AS_OF)
    test = clv.likelihood_ratio_test(restricted=restricted, general=model)
    assert test["degrees_of_freedom"][0] == 2
    assert model.aic_ == pytest.approx(14 - 2 * model.log_likelihood_)


def test_an_effect_without_bound_is_named():
    covariates = weekly(120)
    # Nobody can leave in the season.
    truth = known(TRUTH).set_params(dropout_covariates=["season"])
    truth.coefficients_ = np.array([*TRUTH[:6], -30.0])
    log = truth.simulate(people(120), covariates=covariates, as_of=AS_OF, random_state=5)
    model = clv.TimeVaryingParetoNBD(
        purchase_covariates=["season"], dropout_covariates=["season"]
    ).fit(log, covariates=covariates, as_of=AS_OF)
    assert model.converged_
    assert model.boundary_ == "the data do not determine dropout.season"
    assert model.parameters_["estimate"][5] < -8.0


def test_simulate_then_recover():
    covariates = weekly(2500)
    log = known(TRUTH).simulate(people(2500), covariates=covariates, as_of=AS_OF, random_state=6)
    assert log["alive"].groupby(log["customer_id"]).nunique().eq(1).all()
    found = clv.TimeVaryingParetoNBD(**EFFECTS).fit(log, covariates=covariates, as_of=AS_OF)
    error = np.sqrt(np.diag(found.coefficient_covariance_))
    # Purchases of one day merge, which a rate of one in 70 days hardly notices.
    assert (np.abs(found.coefficients_ - TRUTH) < 3.5 * error + 0.03).all()
    alive = log.drop_duplicates("customer_id")["alive"].mean()
    told = found.predict(log, covariates=covariates, as_of=AS_OF, horizon_days=30)
    assert told["p_alive"].mean() == pytest.approx(alive, abs=0.04)


def test_simulation_is_reproducible_and_starts_with_the_first_purchase(model):
    covariates, customers = weekly(40), people(40).sample(frac=1.0, random_state=1)
    draws = [
        model.simulate(customers, covariates=covariates, as_of=AS_OF, random_state=3)
        for _ in range(2)
    ]
    pd.testing.assert_frame_equal(*draws)
    assert list(dict.fromkeys(draws[0]["customer_id"])) == customers["customer_id"].tolist()
    first = draws[0].groupby("customer_id")["date"].min()
    assert (first == people(40).set_index("customer_id")["first_date"]).all()
    with pytest.raises(InputError, match="after `as_of` in 40 of 40"):
        model.simulate(customers, covariates=covariates, as_of="2021-01-01")


def test_reports_value_and_judge_it_like_any_model(shop):
    # With values that never change it is the static model, whatever asks.
    log, _ = shop
    split = "2023-06-30"
    facts = pd.DataFrame({"customer_id": np.arange(300)})
    facts["season"], facts["club"] = facts["customer_id"] % 2, facts["customer_id"] % 7 / 3.0
    table = clv.holdout_table(log, as_of=split).merge(facts, on="customer_id")
    table = table.assign(half=table["customer_id"] % 2, price=5.0 + table["customer_id"] % 3)
    static = clv.ParetoNBD(**EFFECTS).fit(table)
    covariates = facts.assign(date=START)
    varying = clv.TimeVaryingParetoNBD(**EFFECTS).fit(log, covariates=covariates, as_of=split)
    held = varying.on_log(log, covariates=covariates, as_of=split)
    options = {"spend": "price", "horizon_days": 200, "margin": 0.4}
    mixed = table.iloc[::-1].reset_index(drop=True)
    for report, more in (
        (clv.lifetime_value, {"interval": "delta"}), (clv.customer_equity, {"by": "half"}),
    ):  # fmt: skip
        pd.testing.assert_frame_equal(
            report(mixed, purchases=held, **options, **more),
            report(mixed, purchases=static, **options, **more),
            rtol=2e-3,
        )
    models = {"varying": held, "static": static}
    judged = clv.model_comparison(table, models=models).drop(columns=["model", "holdout_log_score"])
    np.testing.assert_allclose(
        judged.loc[0].to_numpy(float), judged.loc[1].to_numpy(float), rtol=1e-3, atol=1e-3
    )
    tracked = [
        clv.tracking_table(log, purchases=model, as_of=split, period_days=30, customers=facts)
        for model in models.values()
    ]
    pd.testing.assert_frame_equal(*tracked, rtol=1e-3)
    with pytest.raises(InputError, match="`customers`"):
        clv.lifetime_value(table.assign(customer_id=-5), purchases=held, spend=1.0)


def test_a_season_is_tracked_in_its_season(shop, model):
    log, covariates = shop
    held = model.on_log(log, covariates=covariates)
    table = clv.tracking_table(log, purchases=held, as_of="2023-12-31", period_days=91)
    plain = clv.ParetoNBD().fit(clv.purchase_table(log, as_of="2023-12-31"))
    flat = clv.tracking_table(log, purchases=plain, as_of="2023-12-31", period_days=91)
    miss = [np.abs(t["expected"] - t["actual"]).iloc[2:].sum() for t in (table, flat)]
    assert miss[0] < miss[1]
