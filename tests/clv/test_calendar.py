"""Periods that travel with their table: what falls due, by hand and by simulation."""

import math

import numpy as np
import pandas as pd
import pytest

from crmkit import clv
from crmkit._frames import period_words, read_period
from crmkit.clv._model.periods import OnCalendar
from crmkit.errors import InputError


def payments(n, months, seed=0, *, start="2023-01", leave=(0.8, 4.0)):
    """Monthly payments of n members who join over a year, on some day of each month."""
    rng = np.random.default_rng(seed)
    born, theta = rng.integers(0, 12, n), rng.beta(*leave, n)
    paid = np.minimum(rng.geometric(theta), 400)
    rows = [(i, m) for i in range(n) for m in range(born[i], min(born[i] + paid[i], months))]
    who, month = np.array(rows).T
    first = np.datetime64(start, "M") + month
    day = first.astype("datetime64[D]") + rng.integers(0, 28, who.size)
    return pd.DataFrame({"customer_id": who, "date": pd.to_datetime(day)})


@pytest.fixture(scope="module")
def members():
    return clv.contract_table(payments(400, 24), period="month", as_of="2024-12-31")


def test_a_month_holds_one_payment_however_long_it_is(members):
    model = clv.ShiftedBetaGeometric().fit(members)
    one = members[~members["churned"]].head(1)
    steps = [model.predict(one, alive_in_days=days)["p_alive_later"][0] for days in (1, 32, 60)]
    # 2025-01-01, 02-01, 03-01, ...: due 1, 32, 60, ... days after 2024-12-31.
    sums = np.cumsum(steps)
    for days, due in ((0, 0), (1, 1), (30, 1), (31, 1), (32, 2), (59, 2), (60, 3), (90, 3)):
        told = model.predict(one, horizon_days=days)["expected_purchases"][0]
        assert told == pytest.approx(sums[due - 1] if due else 0.0, abs=1e-12), days
    half = model.purchase_probabilities(one, horizon_days=181, max_purchases=7)["p_at_least"]
    assert half[6] > 0.0
    assert half[7] == 0.0
    assert half.iloc[1:7].sum() == pytest.approx(
        model.predict(one, horizon_days="6 months")["expected_purchases"][0]
    )


def test_half_a_year_of_subscriptions_comes_as_expected():
    # Six months ahead in whole months: 5 of 6 payments were counted once.
    log = payments(1500, 31, seed=3)
    table = clv.contract_table(log, period="month", as_of="2024-12-31", horizon_periods=6)
    model = clv.ShiftedBetaGeometric().fit(table)
    told = model.predict(table, horizon_days=181)["expected_purchases"].sum()
    came = table["holdout_frequency"].sum()
    assert told == pytest.approx(came, rel=0.03)
    by_hand = ((log["date"] > "2024-12-31") & (log["date"] <= "2025-06-30")).sum()
    assert came == by_hand


def test_discounts_are_those_of_the_due_days(members):
    model = clv.BetaDiscreteWeibull().fit(members)
    some = members[~members["churned"]].drop_duplicates("periods")
    days = 365 * 12
    due = pd.date_range("2025-01-01", periods=144, freq="MS") - pd.Timestamp("2024-12-31")
    kept = np.stack(
        [model.predict(some, alive_in_days=d)["p_alive_later"] for d in due.days if d <= days]
    )
    exact = 1.1 ** (-due.days[: len(kept)].to_numpy() / 365) @ kept
    told = model.predict(some, horizon_days=days, annual_discount_rate=0.1)
    np.testing.assert_allclose(told["discounted_purchases"], exact, rtol=5e-5)
    endless = model.predict(some, horizon_days=math.inf, annual_discount_rate=0.1)
    assert (endless["discounted_purchases"] > told["discounted_purchases"]).all()


def test_opportunities_are_discounted_from_their_day():
    rng = np.random.default_rng(1)
    date = pd.Timestamp("2019-01-01") + pd.to_timedelta(rng.integers(0, 2190, 900), unit="D")
    log = pd.DataFrame({"customer_id": rng.integers(0, 150, 900), "date": date})
    table = clv.opportunity_table(log, period="quarter", as_of="2024-12-31")
    model = clv.BGBB().fit(table)
    sums = [model.predict(table, horizon_days=d)["expected_purchases"] for d in (0, 1, 91, 182)]
    due = np.array([1, 91, 182])  # 1 January, 1 April and 1 July 2025
    exact = 1.1 ** (-due / 365) @ np.diff(np.stack(sums), axis=0)
    told = model.predict(table, horizon_days=182, annual_discount_rate=0.1)
    np.testing.assert_allclose(told["discounted_purchases"], exact, rtol=1e-10)


def test_other_periods_are_refused(members):
    model = clv.ShiftedBetaGeometric().fit(members)
    with pytest.raises(
        InputError, match=r"periods of 'quarter', but the model learned from.*month"
    ):
        model.predict(members.assign(period_unit="quarter"))
    with pytest.raises(
        InputError, match=r"period_days` is 30, but `customers` counts in .*'month'"
    ):
        clv.ShiftedBetaGeometric(period_days=30).fit(members)
    with pytest.raises(InputError, match="lacks the columns 'period_unit' and 'as_of'"):
        model.predict(members.drop(columns="as_of"))
    two = [members.head(1), members.tail(1).assign(as_of=pd.Timestamp("2025-01-31"))]
    with pytest.raises(InputError, match="rows of several days"):
        model.predict(pd.concat(two))
    plain = members.drop(columns=["period_unit", "as_of"])
    with pytest.raises(InputError, match="does not know how long a period is"):
        clv.ShiftedBetaGeometric().fit(plain).predict(plain)
    thirty = clv.ShiftedBetaGeometric(period_days=30).fit(plain)
    with pytest.raises(InputError, match="learned from periods of 30 days"):
        thirty.predict(members)


def test_the_period_is_saved_and_a_horizon_may_be_of_the_calendar(members, tmp_path):
    model = clv.ShiftedBetaGeometric().fit(members)
    model.save(tmp_path / "model.json")
    again = clv.ShiftedBetaGeometric.load(tmp_path / "model.json")
    assert again.period_ == "month"
    words = {"6 months": 181, "1 year": 365, "2 quarters": 181, "3 weeks": 21, "1 day": 1}
    for text, days in words.items():
        options = {"annual_discount_rate": 0.1, "spend": 9.9}
        pd.testing.assert_frame_equal(
            clv.lifetime_value(members, purchases=again, horizon_days=text, **options),
            clv.lifetime_value(members, purchases=model, horizon_days=days, **options),
        )
    for wrong in ("6 moons", "months", "-1 month", "1.5 years"):
        with pytest.raises(InputError, match="`horizon_days`"):
            model.predict(members, horizon_days=wrong)


def test_a_horizon_of_the_calendar_needs_a_day():
    table = pd.DataFrame({"customer_id": [1, 2], "frequency": [1, 3], "recency": [9.0, 20.0],
                          "T": [30.0, 30.0]})  # fmt: skip
    model = clv.BGNBD()
    model.coefficients_ = np.log([0.6, 20.0, 0.8, 2.5])
    with pytest.raises(InputError, match="column 'as_of'"):
        model.predict(table, horizon_days="6 months")
    told = model.predict(table.assign(as_of=pd.Timestamp("2024-12-31")), horizon_days="6 months")
    pd.testing.assert_frame_equal(told, model.predict(table, horizon_days=181))


def test_words_of_periods_are_read_back():
    own = ["2024-01-29", "2024-02-26", "2024-04-01"]
    for period in ("day", "week", "week-sunday", "month", "quarter-february", "year-april", own):
        calendar = read_period(period)
        assert read_period(period_words(calendar)) == calendar


def test_contracts_are_judged_on_what_was_held_out():
    log = payments(300, 31, seed=5)
    split = clv.contract_table(log, period="month", as_of="2024-12-31", horizon_periods=6)
    known = clv.contract_table(log[log["date"] <= "2024-12-31"], period="month", as_of="2024-12-31")
    pd.testing.assert_frame_equal(split[list(known.columns)], known)
    assert split.loc[split["churned"], "holdout_frequency"].max() == 0
    models = {
        "sBG": clv.ShiftedBetaGeometric().fit(split), "BdW": clv.BetaDiscreteWeibull().fit(split)
    }  # fmt: skip
    table = clv.model_comparison(split, models=models).set_index("model")
    assert table.loc["sBG", "holdout_log_score"] < 0
    assert abs(table.loc["sBG", "bias"]) < 0.1
    told = models["sBG"].predict(split, horizon_days=181)
    found = clv.forecast_table(split.assign(frequency=split["periods"]), told)
    assert found["actual_total"].sum() == split["holdout_frequency"].sum()


def test_far_ahead_a_period_is_as_long_as_on_average():
    clock = OnCalendar(None, read_period("month"), 20_088)  # 2024-12-31
    assert clock.periods(1e6) == pytest.approx(1e6 / 30.436875)
    assert clock.periods(0.0) == 0.0
    assert clock.due(3).tolist() == [1.0, 32.0, 60.0]


def test_renewals_are_tracked_as_a_retention_curve():
    log = payments(900, 31, seed=7)
    table = clv.contract_table(log, period="month", as_of="2024-12-31")
    model = clv.ShiftedBetaGeometric().fit(table)
    found = clv.tracking_table(log, purchases=model, as_of="2024-12-31", horizon_days=181)
    assert found["holdout"].sum() == 6
    split = clv.contract_table(log, period="month", as_of="2024-12-31", horizon_periods=6)
    assert found.loc[found["holdout"], "actual"].sum() == split["holdout_frequency"].sum()
    renewed = (table["periods"] - table["churned"]).sum()
    assert found.loc[~found["holdout"], "actual"].sum() == renewed
    gap = found["expected_cumulative"] / found["actual_cumulative"] - 1
    assert gap.iloc[6:].abs().max() < 0.05


def test_the_rules_for_contracts_by_hand():
    members = pd.DataFrame(
        {
            "customer_id": range(4), "periods": [3, 1, 2, 0], "churned": [0, 1, 0, 0],
            "holdout_periods": 2, "holdout_frequency": [2, 0, 1, 0],
        }
    )  # fmt: skip
    model = clv.ShiftedBetaGeometric(period_days=30, l2=0.0).fit(members)
    table = clv.model_comparison(members, models={"sBG": model}).set_index("model")
    assert table.loc["as_before", "expected_total"] == 6.0
    rate = 5 / 6
    assert table.loc["mean", "expected_total"] == pytest.approx(3 * (rate + rate**2))
    assert table.loc["mean", "actual_total"] == 3.0
