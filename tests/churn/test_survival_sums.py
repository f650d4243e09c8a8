"""What curves say in sum: medians, means, limits for few, reasons for leaving, concordance."""

import itertools
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from crmkit.churn import (
    CoxModel,
    concordance_table,
    conditional_survival,
    leaving_table,
    survival_summary,
    survival_table,
)
from crmkit.errors import InputError

rows = st.lists(
    st.tuples(
        st.integers(0, 8), st.integers(1, 6), st.booleans(), st.integers(1, 3), st.integers(0, 2)
    ),
    min_size=1,
    max_size=25,
)


def people(drawn):
    table = pd.DataFrame(drawn, columns=["since", "more", "churned", "number", "why"])
    table["tenure_days"] = table["since"] + table["more"]
    return table.assign(customer_id=np.arange(len(table)))


def after(n, left, tenure=0.0, horizon=10.0, level=0.95):
    """The chance to stay of a customer of n, of whom some left; all were watched beyond."""
    table = people([(0, 5, i < left, 1, 0) for i in range(n)])
    table["tenure_days"] = np.where(table["churned"], 5, 30)
    here = pd.DataFrame({"customer_id": [0], "tenure_days": [tenure]})
    return conditional_survival(
        here, survival_table(table), horizon_days=horizon, confidence_level=level
    ).iloc[0]


def test_two_customers_make_no_certainty():
    found = after(2, 0)
    assert found["p_survival"] == found["conf_high"] == 1
    # Half of the chance that two of two stay is as improbable: w squared is 0.05.
    assert found["conf_low"] == pytest.approx(0.05**0.5)
    nobody = after(3, 3)
    assert nobody["p_survival"] == nobody["conf_low"] == 0
    assert nobody["conf_high"] == pytest.approx(1 - 0.05 ** (1 / 3))
    assert after(2, 0, horizon=0)[["conf_low", "conf_high"]].tolist() == [1, 1]


@pytest.mark.parametrize(("n", "left"), [(5, 2), (20, 1), (40, 39), (1000, 300)])
def test_limits_of_those_watched_to_the_end_are_those_of_a_share(n, left):
    found = after(n, left)
    stayed = n - left

    def tail(p, k):  # P(more) + P(as many) / 2
        return stats.binom.sf(k, n, p) + stats.binom.pmf(k, n, p) / 2

    assert tail(found["conf_low"], stayed) == pytest.approx(0.025, abs=1e-6)
    assert tail(found["conf_high"], stayed) == pytest.approx(0.975, abs=1e-6)


def test_limits_of_many_are_greenwoods():
    rng = np.random.default_rng(3)
    life, seen = rng.exponential(50, 20_000), rng.exponential(60, 20_000)
    table = people([(0, 1, True, 1, 0)] * 20_000)
    table = table.assign(tenure_days=np.minimum(life, seen), churned=life <= seen)
    here = pd.DataFrame({"customer_id": [0, 1], "tenure_days": [0.0, 30.0]})
    found = conditional_survival(here, survival_table(table), horizon_days=40)
    reach = 1.96 * found["std_error"]
    np.testing.assert_allclose(found["conf_low"], found["p_survival"] - reach, atol=2e-4)
    np.testing.assert_allclose(found["conf_high"], found["p_survival"] + reach, atol=2e-4)
    half = table.assign(w=np.where(table.index % 2, 0.5, 0.25))
    weighted = conditional_survival(here, survival_table(half, weights="w"), horizon_days=40)
    width = (weighted["conf_high"] - weighted["conf_low"]) / (2 * 1.96)
    np.testing.assert_allclose(width, weighted["std_error"], rtol=0.02)


def test_unknown_worth_of_weights_has_no_limits():
    table = people([(0, 5, False, 1, 0)] * 4).assign(w=[0.3, 0.4, 0.5, 0.6])
    here = pd.DataFrame({"customer_id": [0], "tenure_days": [0]})
    found = conditional_survival(here, survival_table(table, weights="w"), horizon_days=3).iloc[0]
    assert found["p_survival"] == 1
    assert np.isnan(found["conf_low"])


def test_medians_and_means():
    rng = np.random.default_rng(5)
    time = rng.integers(1, 60, 101).astype(float)
    table = people([(0, 1, True, 1, 0)] * 101).assign(tenure_days=time)
    row = survival_summary(survival_table(table), horizon_days=40).iloc[0]
    short = np.minimum(time, 40)
    assert row["median"] == np.median(time)
    assert row["restricted_mean"] == pytest.approx(short.mean())
    # Without censoring the variance is that of a mean.
    assert row["std_error"] == pytest.approx(short.std() / np.sqrt(101))
    assert row["conf_low"] == pytest.approx(short.mean() - 1.959964 * row["std_error"])
    split = survival_table(table.assign(why=table.index % 2), by="why")
    both = survival_summary(split)
    assert both["why"].tolist() == [0, 1]
    assert both["until"].nunique() == 1
    never = survival_summary(survival_table(table.assign(churned=False)))
    assert never[["median", "median_high"]].isna().all(axis=None)
    late = survival_summary(survival_table(table.assign(churned=time < 30)), horizon_days=90)
    assert late[["restricted_mean", "conf_low"]].isna().all(axis=None)


def test_medians_and_means_of_lung_cancer():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        lifelines = pytest.importorskip("lifelines")
        from lifelines.datasets import load_lung
        from lifelines.utils import median_survival_times, restricted_mean_survival_time

        lung = load_lung().rename(columns={"time": "tenure_days", "status": "churned"})
        lung["customer_id"] = np.arange(len(lung))
        found = survival_summary(survival_table(lung, by="sex"), horizon_days=500)
        # R's survival prints medians of 270 and 426 days for men and women.
        assert found["median"].tolist() == [270, 426]
        for (_, part), row in zip(lung.groupby("sex"), found.itertuples(), strict=True):
            curve = lifelines.KaplanMeierFitter().fit(part["tenure_days"], part["churned"])
            limits = median_survival_times(curve.confidence_interval_).to_numpy()[0]
            assert [row.median_low, row.median_high] == limits.tolist()
            mean = restricted_mean_survival_time(curve, t=500)
            assert row.restricted_mean == pytest.approx(mean, rel=1e-6)
        # R's cox.zph, transform "km", of age, sex and weight loss.
        model = CoxModel().fit(lung.dropna(subset=["wt.loss"]), columns=["age", "sex", "wt.loss"])
        assert model.proportionality_["statistic"].round(4).tolist() == [
            0.5077, 2.5489, 0.0144, 3.0051,
        ]  # fmt: skip
        # R's coxph prints a concordance of .603 with an error of .025 for age and sex.
        model = CoxModel().fit(lung, columns=["age", "sex"])
        scores = model.predict(lung, horizon_days=300).assign(in_sample=False)
        row = concordance_table(lung, scores).iloc[0]
        assert round(row["concordance"], 3) == 0.603
        assert round(row["std_error"], 3) == 0.025


@given(rows)
def test_reasons_add_up_to_all_who_left(drawn):
    table = people(drawn)
    if not table["churned"].any():
        with pytest.raises(InputError, match="nobody left"):
            leaving_table(table, reason="why")
        return
    for how in ({}, {"entry": "since"}, {"weights": "number"}):
        found = leaving_table(table, reason="why", **how)
        curve = survival_table(table, **how)
        total = found.groupby("time")["p_left"].sum()
        np.testing.assert_allclose(total, 1 - curve["p_survival"], atol=1e-12)
        assert (found.groupby("time")["events"].sum().to_numpy() == curve["events"]).all()
        assert (found["conf_low"] <= found["p_left"] + 1e-12).all()
        assert (found["p_left"] <= found["conf_high"] + 1e-12).all()


def test_reasons_of_those_watched_to_the_end_are_shares():
    rng = np.random.default_rng(6)
    time, why = rng.integers(1, 30, 200), rng.choice(["moved", "price"], 200)
    table = people([(0, 1, True, 1, 0)] * 200).assign(tenure_days=time, why=why)
    found = leaving_table(table, reason="why").set_index(["reason", "time"])
    for (reason, day), row in found.iterrows():
        share = ((why == reason) & (time <= day)).mean()
        assert row["p_left"] == pytest.approx(share, abs=1e-12)
        assert row["std_error"] == pytest.approx(np.sqrt(share * (1 - share) / 200), abs=1e-9)


def test_one_reason_is_the_curve_and_its_error():
    rng = np.random.default_rng(7)
    table = people([(0, 1, True, 1, 0)] * 80)
    table = table.assign(tenure_days=rng.integers(1, 40, 80), churned=rng.random(80) < 0.6)
    found = leaving_table(table, reason="why", entry="since")
    curve = survival_table(table)
    np.testing.assert_allclose(found["std_error"], curve["std_error"], atol=1e-12)
    inside = (curve["p_survival"] < 1) & (curve["p_survival"] > 0)
    np.testing.assert_allclose(found["conf_low"][inside], 1 - curve["conf_high"][inside])
    unsaid = leaving_table(table.assign(why=None), reason="why")
    assert unsaid["reason"].isna().all()


def slow_concordance(table, score, weight):
    """Count every pair."""
    good = pairs = 0.0
    values = table[["tenure_days", "churned", "since"]].to_numpy(float)
    for i, j in itertools.permutations(range(len(table)), 2):
        t, left, _ = values[i]
        other, left_too, since = values[j]
        if left and (since < t or since == 0) and (other > t or (other == t and not left_too)):
            pairs += weight[i] * weight[j]
            good += weight[i] * weight[j] * (0.5 * (score[i] == score[j]) + (score[j] > score[i]))
    return good / pairs if pairs else np.nan, pairs


@given(rows, st.integers(0, 3))
def test_concordance_counts_every_pair(drawn, spread):
    table = people(drawn)
    table["p_survival"] = (table.index * 7919 % 13) % (2 + 3 * spread)
    number = table["number"].to_numpy(float)
    wanted, pairs = slow_concordance(table, table["p_survival"], number)
    if not pairs:
        with pytest.raises(InputError, match=r"nobody"):
            concordance_table(table, table, entry="since", weights="number")
        return
    row = concordance_table(table, table, entry="since", weights="number").iloc[0]
    assert row["pairs"] == pytest.approx(pairs)
    assert row["concordance"] == pytest.approx(wanted)
    assert 0 <= row["conf_low"] <= row["concordance"] <= row["conf_high"] <= 1
    moved = []
    for i in range(len(table)):
        here = 1e-4 * (table.index == i)
        near = [
            slow_concordance(table, table["p_survival"], number + sign * here)[0]
            for sign in (1, -1)
        ]
        moved.append((near[0] - near[1]) / 2e-4)
    error = np.sqrt(np.sum(number * np.square(moved)))
    assert row["std_error"] == pytest.approx(error, abs=1e-6)


def test_scores_of_rows_learned_from_are_refused():
    rng = np.random.default_rng(0)
    table = people([(0, 1, True, 1, 0)] * 60).assign(tenure_days=rng.integers(1, 40, 60))
    scores = table[["customer_id"]].assign(p_survival=0.5, in_sample=True)
    with pytest.raises(InputError, match="learned from the very rows"):
        concordance_table(table, scores)
    with pytest.raises(InputError, match="lacks 1 of the 60 customers"):
        concordance_table(table, scores.iloc[1:])
