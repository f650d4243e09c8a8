"""Kaplan-Meier, log-rank and conditional survival against definitions and brute force."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from crmkit.churn import conditional_survival, logrank_test, survival_table
from crmkit.churn._math import logrank as tests
from crmkit.churn._math.survival import kaplan_meier
from crmkit.churn._math.tenures import Tenures
from crmkit.errors import InputError

tenures = st.lists(
    st.tuples(st.one_of(st.integers(0, 12), st.floats(0, 9)), st.booleans(), st.integers(0, 2)),
    min_size=1,
    max_size=40,
)


def people(rows):
    frame = pd.DataFrame(rows, columns=["tenure_days", "churned", "plan"])
    return frame.assign(customer_id=np.arange(len(frame)))


@given(tenures)
def test_curve_equals_the_product_limit(rows):
    customers = people(rows)
    table = survival_table(customers)
    time, left = customers["tenure_days"], customers["churned"]
    assert table["time"].iloc[0] == 0
    assert set(table["time"]) == {0.0, *time}
    chance, variance = 1.0, 0.0
    for row in table.itertuples():
        n = int((time >= row.time).sum())
        d = int((left & (time == row.time)).sum())
        assert (row.at_risk, row.events) == (n, d)
        assert row.censored == int((~left & (time == row.time)).sum())
        chance *= 1 - d / n if n else 1.0
        variance += d / (n * (n - d)) if 0 < d < n else 0.0
        assert row.p_survival == pytest.approx(chance, abs=1e-12)
        assert row.std_error == pytest.approx(chance * np.sqrt(variance), abs=1e-12)
        assert 0 <= row.conf_low <= row.p_survival <= row.conf_high <= 1
    assert (table["p_survival"].diff().dropna() <= 0).all()


@given(st.lists(st.floats(0, 100), min_size=1, max_size=30))
def test_without_censoring_survival_is_one_minus_the_distribution(values):
    customers = people([(value, True, 0) for value in values])
    table = survival_table(customers)
    share = [(np.asarray(values) > time).mean() for time in table["time"]]
    np.testing.assert_allclose(table["p_survival"], share, atol=1e-12)


@given(tenures)
def test_a_group_has_the_curve_of_its_own_customers(rows):
    customers = people(rows)
    table = survival_table(customers, by="plan")
    assert table["time"].eq(0).sum() == customers["plan"].nunique()
    for plan, curve in table.groupby("plan"):
        alone = survival_table(customers[customers["plan"] == plan])
        pd.testing.assert_frame_equal(
            curve.drop(columns="plan").reset_index(drop=True), alone, check_dtype=False
        )


def test_counting_and_sorting_give_the_same_curve():
    rng = np.random.default_rng(1)
    time, left = rng.integers(0, 50, 500).astype(float), rng.random(500) < 0.4
    coarse = kaplan_meier(Tenures(time, left))
    # A hundredth more is no whole number, so this one is sorted.
    fine = kaplan_meier(Tenures(time + 0.01, left))
    np.testing.assert_allclose(fine.survival[1:], coarse.survival, rtol=1e-12)
    np.testing.assert_array_equal(fine.at_risk[1:], coarse.at_risk)


def test_intervals_agree_with_scipy():
    rng = np.random.default_rng(2)
    time, left = rng.exponential(10, 80).round(1), rng.random(80) < 0.6
    sample = stats.CensoredData(uncensored=time[left], right=time[~left])
    theirs = stats.ecdf(sample).sf
    customers = people(zip(time, left, time, strict=True)).assign(plan=0)
    ours = survival_table(customers).set_index("time").loc[theirs.quantiles]
    np.testing.assert_allclose(ours["p_survival"], theirs.probabilities, rtol=1e-12)
    interval = theirs.confidence_interval(0.9, method="log-log")
    ours = survival_table(customers, confidence_level=0.9).set_index("time").loc[theirs.quantiles]
    inside = (ours["p_survival"] > 0).to_numpy()
    np.testing.assert_allclose(ours["conf_low"][inside], interval.low.probabilities[inside])
    np.testing.assert_allclose(ours["conf_high"][inside], interval.high.probabilities[inside])


@given(tenures)
def test_logrank_of_two_groups_agrees_with_scipy(rows):
    customers = people(rows)
    customers["plan"] = customers["plan"].clip(upper=1)
    if customers["plan"].nunique() < 2 or not customers["churned"].any():
        return
    found = logrank_test(customers, by="plan")
    assert found["events"].sum() == pytest.approx(found["expected_events"].sum())
    assert found["customers"].sum() == len(customers)
    samples = []
    for _, part in customers.groupby("plan"):
        left, time = part["churned"], part["tenure_days"].astype(float)
        samples.append(stats.CensoredData(uncensored=time[left], right=time[~left]))
    with np.errstate(invalid="ignore", divide="ignore"):
        expected = stats.logrank(*samples)
    if np.isfinite(expected.statistic):
        assert found["statistic"].iloc[0] == pytest.approx(expected.statistic**2, abs=1e-8)
        assert found["p_value"].iloc[0] == pytest.approx(expected.pvalue, abs=1e-8)


def test_logrank_in_chunks_is_the_same(monkeypatch):
    rng = np.random.default_rng(5)
    time, left, group = rng.exponential(9, 300), rng.random(300) < 0.7, rng.integers(0, 4, 300)
    whole = tests.logrank(Tenures(time, left), group, 4)
    monkeypatch.setattr(tests, "_CELLS_AT_ONCE", 40)
    parts = tests.logrank(Tenures(time, left), group, 4)
    assert parts.statistic == pytest.approx(whole.statistic, rel=1e-12)
    assert whole.degrees_of_freedom == 3


@given(tenures, st.integers(0, 8))
def test_conditional_survival_is_the_curve_of_those_still_here(rows, horizon):
    customers = people(rows)
    curves = survival_table(customers)
    last = curves["time"].max()
    here = pd.DataFrame({"customer_id": range(5), "tenure_days": [0, 1, 3, 6, 11]})
    for tenure, (_, found) in zip(
        here["tenure_days"],
        conditional_survival(here, curves, horizon_days=horizon).iterrows(),
        strict=True,
    ):
        rest = customers[customers["tenure_days"] > tenure]
        if rest.empty or tenure + horizon > last:
            reached = curves["p_survival"].iloc[-1] == 0 and not rest.empty
            assert np.isnan(found["p_survival"]) or found["p_survival"] in (0, 1) or reached
            continue
        alone = survival_table(rest)
        row = alone[alone["time"] <= tenure + horizon].iloc[-1]
        assert found["p_survival"] == pytest.approx(row["p_survival"], abs=1e-9)
        assert found["std_error"] == pytest.approx(row["std_error"], abs=1e-9)


def test_conditional_survival_uses_the_curve_of_the_group():
    rng = np.random.default_rng(6)
    customers = people(
        zip(rng.integers(1, 40, 200), rng.random(200) < 0.7, rng.integers(0, 3, 200), strict=True)
    )
    curves = survival_table(customers, by="plan")
    here = customers[~customers["churned"]]
    found = conditional_survival(here, curves, horizon_days=5)
    assert found["customer_id"].tolist() == here["customer_id"].tolist()
    for plan, part in here.groupby("plan"):
        alone = conditional_survival(
            part, curves[curves["plan"] == plan].drop(columns="plan"), horizon_days=5
        )
        same = found[found["customer_id"].isin(part["customer_id"])].reset_index(drop=True)
        pd.testing.assert_frame_equal(same, alone)
    with pytest.raises(InputError, match="has no curve for the group of"):
        conditional_survival(here, curves[curves["plan"] != 1], horizon_days=5)


def test_a_curve_may_lack_its_beginning():
    curves = survival_table(people([(3, True, 0), (4, False, 0)]))
    new = pd.DataFrame({"customer_id": [1], "tenure_days": [0]})
    found = conditional_survival(new, curves.iloc[1:], horizon_days=3)
    assert found["p_survival"].tolist() == [0.5]
    with pytest.raises(InputError, match="`survival` has no rows"):
        conditional_survival(new, curves.iloc[:0], horizon_days=3)


def test_bad_values_are_named():
    customers = people([(3, True, 0), (4, False, 1)])
    with pytest.raises(InputError, match="neither 0 \\(still here\\) nor 1"):
        survival_table(customers.assign(churned=[2, 0]))
    with pytest.raises(InputError, match="at least 0 but is not in 1 of 2 rows"):
        survival_table(customers.assign(tenure_days=[-1, 0]))
    with pytest.raises(InputError, match="makes one group only"):
        logrank_test(customers.assign(plan=1), by="plan")
    with pytest.raises(InputError, match="nobody left"):
        logrank_test(customers.assign(churned=0), by="plan")
