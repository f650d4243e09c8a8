"""Judging models in whole periods, and models per group."""

import numpy as np
import pandas as pd
import pytest

from crmkit import clv, datasets
from crmkit.errors import InputError


@pytest.fixture(scope="module")
def log():
    """Donors of 2010 to 2013 who may give once a year until 2019, drawn from a BG/BB model."""
    truth = clv.BGBB()
    truth.coefficients_ = np.log([1.2, 0.8, 0.7, 3.0])
    rng = np.random.default_rng(5)
    chance, dropout = rng.beta(1.2, 0.8, 1500), rng.beta(0.7, 3.0, 1500)
    rows = []
    for donor in range(1500):
        born = 2010 + donor % 4
        rows.append((donor, born))
        for year in range(born + 1, 2020):
            if rng.random() < dropout[donor]:
                break
            if rng.random() < chance[donor]:
                rows.append((donor, year))
    table = pd.DataFrame(rows, columns=["customer_id", "year"])
    day = pd.to_timedelta(rng.integers(0, 365, len(table)), unit="D")
    date = pd.to_datetime(table["year"].astype(str) + "-01-01") + day
    # A newcomer on the last day closes the last year.
    last = pd.DataFrame({"customer_id": [1500], "date": pd.to_datetime(["2019-12-31"])})
    return pd.concat([table.assign(date=date)[["customer_id", "date"]], last], ignore_index=True)


@pytest.fixture(scope="module")
def split(log):
    return clv.opportunity_table(log, as_of="2015-12-31", horizon_periods=4)


def test_held_out_periods_are_what_came_later(log, split):
    before = clv.opportunity_table(log, as_of="2015-12-31")
    pd.testing.assert_frame_equal(split[list(before.columns)], before)
    later = log[log["date"].dt.year.between(2016, 2019)]
    years = later.groupby("customer_id")["date"].agg(lambda dates: dates.dt.year.nunique())
    truth = split["customer_id"].map(years).fillna(0)
    np.testing.assert_array_equal(split["holdout_frequency"], truth)
    assert (split["holdout_periods"] == 4).all()
    with pytest.raises(InputError, match="at most horizon_periods=3"):
        clv.opportunity_table(log, as_of="2016-12-31", horizon_periods=4)
    with pytest.raises(InputError, match="as_of"):
        clv.opportunity_table(log, horizon_periods=1)


def test_donors_are_judged_on_their_own_clock(log, split):
    model = clv.BGBB().fit(split)
    table = clv.model_comparison(split, models={"BG/BB": model}).set_index("model")
    # The log is the model's own: it beats both rules and is right on the whole.
    assert table["root_mean_squared_error"].idxmin() == "BG/BB"
    assert abs(table.loc["BG/BB", "bias"]) < 0.06
    told = model.predict(split, horizon_days=4 * 365)
    assert table.loc["BG/BB", "expected_total"] == pytest.approx(told["expected_purchases"].sum())
    chances = model.purchase_probabilities(split, horizon_days=4 * 365, max_purchases=4)
    happened = chances["purchases"].to_numpy() == split["holdout_frequency"].repeat(5).to_numpy()
    score = np.log(chances["p_exactly"][happened]).mean()
    assert table.loc["BG/BB", "holdout_log_score"] == pytest.approx(score)
    groups = clv.forecast_table(split, told, n_groups=4)
    assert groups["actual_total"].sum() == split["holdout_frequency"].sum()
    customers = clv.purchase_table(log, as_of="2015-12-31")
    with pytest.raises(InputError, match="does not count in periods"):
        clv.model_comparison(split, models={"BG/NBD": clv.BGNBD().fit(customers)})


def test_tracking_by_calendar_period(log, split):
    model = clv.BGBB().fit(split)
    table = clv.tracking_table(log, purchases=model, as_of="2015-12-31", period="year")
    assert table["period_end"].dt.strftime("%Y-%m-%d").tolist() == [
        f"{year}-12-31" for year in range(2011, 2020)
    ]
    assert table["holdout"].tolist() == [False] * 5 + [True] * 4
    assert table.loc[~table["holdout"], "actual"].sum() == split["frequency"].sum()
    assert table.loc[table["holdout"], "actual"].sum() == split["holdout_frequency"].sum()
    new = split.assign(frequency=0, recency=0, periods=0)
    whole = sum(
        model.predict(rows, horizon_days=365 * (n + 4))["expected_purchases"].sum()
        for n, rows in new.groupby(split["periods"])
    )
    assert table["expected_cumulative"].iloc[-1] == pytest.approx(whole, rel=1e-9)
    known = table[~table["holdout"]]
    assert known["expected"].sum() == pytest.approx(known["actual"].sum(), rel=0.05)
    same = clv.tracking_table(log, purchases=model, as_of="2015-12-31")
    pd.testing.assert_frame_equal(same, table)
    for wrong in ({"period": "month"}, {"period": "decade"}):
        with pytest.raises(InputError, match="period"):
            clv.tracking_table(log, purchases=model, as_of="2015-12-31", **wrong)


def donors_of(log, wave):
    """Return the log of a wave, and of the newcomer who closes the last year."""
    return log[(log["customer_id"] // 4 % 2 == wave) | (log["customer_id"] == 1500)]


def test_tracking_and_comparison_of_models_per_group(log):
    as_of = "2015-12-31"
    waves = pd.DataFrame({"customer_id": range(1500), "wave": np.arange(1500) // 4 % 2})
    split = clv.opportunity_table(log, as_of=as_of, horizon_periods=4).merge(waves)
    model = clv.ByGroup(model=clv.BGBB(), by="wave").fit(split)
    options = {"as_of": as_of, "period": "year"}
    both = clv.tracking_table(log, purchases=model, customers=waves, **options)
    parts = [
        clv.tracking_table(donors_of(log, wave), purchases=part, **options)
        for wave, part in enumerate(model.models_)
    ]
    np.testing.assert_allclose(both["expected"], parts[0]["expected"] + parts[1]["expected"])
    np.testing.assert_array_equal(both["actual"], parts[0]["actual"] + parts[1]["actual"])
    found = clv.model_comparison(split, models={"by wave": model})
    assert np.isfinite(found.loc[0, "holdout_log_score"])
    with pytest.raises(InputError, match="`customers` is needed"):
        clv.tracking_table(log, purchases=model, **options)


def test_tracking_of_groups_with_covariates_in_days():
    log = datasets.make_transactions(400, random_state=8)["transactions"]
    as_of = log["date"].max() - pd.Timedelta(days=90)
    customers = clv.holdout_table(log, as_of=as_of)
    customers["half"] = np.arange(len(customers)) % 2
    customers["age"] = np.arange(len(customers)) % 3
    model = clv.ByGroup(model=clv.BGNBD(purchase_covariates=["age"]), by="half").fit(customers)
    options = {"as_of": as_of, "horizon_days": 60, "customers": customers}
    both = clv.tracking_table(log, purchases=model, **options)
    totals = []
    for half, part in enumerate(model.models_):
        mine = customers.loc[customers["half"] == half, "customer_id"]
        one = clv.tracking_table(log[log["customer_id"].isin(mine)], purchases=part, **options)
        totals.append(one["expected_cumulative"].iloc[-1])
    assert both["expected_cumulative"].iloc[-1] == pytest.approx(sum(totals))
    with pytest.raises(InputError, match="`period` is for models in whole periods"):
        clv.tracking_table(log, purchases=model, period="month", **options)
    with pytest.raises(InputError, match="such as BGNBD"):
        clv.tracking_table(log, purchases=clv.GammaGamma(), as_of=as_of)
