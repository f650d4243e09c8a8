"""Backtests know nothing of the future, and signals fade with the lead."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from crmkit import churn, datasets
from crmkit.churn._report.contest import Contest, contest_rows
from crmkit.churn._report.signals import _signal
from crmkit.errors import InputError


@pytest.fixture(scope="module")
def shop():
    return datasets.make_transactions(1500, random_state=11)["transactions"]


def test_model_is_compared_with_every_heuristic_and_the_base_rate(shop):
    days = ["2025-03-31", "2025-06-30"]
    table = churn.backtest_table(shop, as_of=days, horizon_days=90)
    for _, rows in table.groupby("as_of"):
        assert rows["model"].iloc[0] == "model"
        assert rows["auc"].iloc[0] > rows["auc"].iloc[1:].max() - 0.01
        assert rows["auc"].iloc[1:].is_monotonic_decreasing
        base = rows.set_index("model").loc["base rate"]
        assert base["auc"] == 0.5
        assert base["brier"] > rows["brier"].min()
        assert "worse as a ranking" in base["verdict"]
    one = churn.backtest_table(shop, as_of="2025-06-30", horizon_days=90)
    late = table[table["as_of"] == pd.Timestamp("2025-06-30")].reset_index(drop=True)
    pd.testing.assert_frame_equal(one, late)
    both = table[table["as_of"].isna()].set_index("model")
    of_days = table[table["as_of"].notna()].groupby("model")[["auc", "brier", "auc_gain"]].mean()
    for column in ("auc", "brier"):
        np.testing.assert_allclose(both[column], of_days[column].reindex(both.index))
    row = both.loc["model"]
    assert row["verdict"] == "better as a ranking, better as a probability"
    assert row["auc_gain"] == pytest.approx(of_days.loc["model", "auc_gain"])
    # Two days tell more than one, though not as much as if they were of other customers.
    width = (table["auc_gain_high"] - table["auc_gain_low"])[table["model"] == "model"].to_numpy()
    assert width[2] < width[:2].max()


def test_the_paired_difference_equals_the_bootstrap():
    rng = np.random.default_rng(0)
    outcome = (rng.random(400) < 0.3).astype(float)
    shared = rng.normal(size=400) + outcome
    own, rival = (1 / (1 + np.exp(1 - shared - rng.normal(0, s, 400))) for s in (0.5, 1.0))
    contest = Contest(0, outcome, np.arange(400), 0.3)
    contest.add("model", own, 0.8)
    contest.add("rival", rival, 0.7)
    row = contest_rows([contest], 0.95)[0]
    gains = []
    for _ in range(400):
        at = rng.integers(0, 400, 400)
        again = Contest(0, outcome[at], np.arange(400), 0.3)
        again.add("model", own[at], 0.8)
        again.add("rival", rival[at], 0.7)
        found = contest_rows([again], 0.95)[0]
        gains.append([found[name] for name in ("auc_gain", "brier_gain", "calibration_gap")])
    names = ("auc_gain", "brier_gain", "calibration_gap")
    for name, error in zip(names, np.std(gains, axis=0), strict=True):
        half = (row[f"{name}_high"] - row[f"{name}_low"]) / 2
        assert half == pytest.approx(1.966 * error, rel=0.12)
    assert row["auc_gain"] == pytest.approx(
        roc_auc_score(outcome, own) - roc_auc_score(outcome, rival)
    )
    # The same customers on a second day are no news.
    twice = contest_rows([contest, contest], 0.95)[-3]
    assert twice["auc_gain_high"] - twice["auc_gain_low"] == pytest.approx(
        row["auc_gain_high"] - row["auc_gain_low"]
    )


def test_heuristics_rank_as_the_bare_column(shop):
    table = churn.backtest_table(shop, as_of="2025-06-30", horizon_days=90)
    test = churn.churn_table(shop, as_of="2025-06-30", horizon_days=90)
    row = table.set_index("model").loc["recency_days"]
    # Values beyond those learned from are held at the edge, which may tie a few customers.
    area = roc_auc_score(test["churned"], test["recency_days"])
    assert row["auc"] == pytest.approx(area, abs=0.01)
    assert row["customers"] == len(test)


def test_what_comes_after_the_outcome_changes_nothing(shop):
    end = pd.Timestamp("2025-06-30") + pd.Timedelta(days=60)
    rules = {"as_of": "2025-06-30", "horizon_days": 60}
    whole = churn.backtest_table(shop, **rules)
    cut = pd.concat([shop[shop["date"] <= end], shop[shop["date"] > end].head(1)])
    pd.testing.assert_frame_equal(churn.backtest_table(cut, **rules), whole)


def test_logs_too_short_are_refused(shop):
    with pytest.raises(InputError, match="observed in part only"):
        churn.backtest_table(shop, as_of="2025-12-31", horizon_days=90)
    with pytest.raises(InputError, match=r"smaller `n_train`|on or before"):
        churn.backtest_table(shop, as_of="2024-03-31", horizon_days=90, n_train=3)


def test_signals_fade_with_the_lead(shop):
    table = churn.signal_table(
        shop, as_of="2025-03-31", horizon_days=90, lead_days=[0, 90], active_days=150
    )
    assert table.groupby("lead_days")["customers"].max().nunique() == 1
    recency = table[table["variable"] == "recency_days"].set_index("lead_days")
    assert recency.loc[0, "auc"] > recency.loc[90, "auc"]
    assert recency.loc[0, "direction"] == "higher"
    assert (table["conf_low"] <= table["auc"]).all()


def test_standard_error_of_the_area_is_near_the_bootstrap():
    rng = np.random.default_rng(0)
    outcome = (rng.random(600) < 0.3).astype(float)
    values = rng.normal(size=600) + outcome
    row = _signal("x", 0, values, outcome, 0.95)[0]
    areas = []
    for _ in range(300):
        rows = rng.integers(0, 600, 600)
        areas.append(roc_auc_score(outcome[rows], values[rows]))
    assert row["std_error"] == pytest.approx(np.std(areas), rel=0.2)
