"""Win-back: the effect of an offer, on randomised and on chosen customers of known truth."""

import numpy as np
import pandas as pd
import pytest

from crmkit import churn, response
from crmkit.errors import InputError, LeakWarning


def lost(n=12_000, seed=0, chosen=False):
    rng = np.random.default_rng(seed)
    age = rng.normal(50, 15, n)
    spend = rng.lognormal(3, 1, n)
    p_offer = 1 / (1 + np.exp(-(np.log(spend) - 3))) if chosen else np.full(n, 0.5)
    offered = (rng.random(n) < p_offer).astype(int)
    alone = 1 / (1 + np.exp(-(-2.2 + 0.6 * (np.log(spend) - 3))))
    effect = np.clip(0.12 + 0.005 * (age - 50), -0.05, 0.3)
    returned = rng.random(n) < np.clip(alone + offered * effect, 0, 1)
    return pd.DataFrame(
        {
            "customer_id": np.arange(n),
            "age": age,
            "spend": spend,
            "chance": p_offer,
            "offered": offered,
            "returned": returned.astype(int),
            "true_effect": effect,
        }
    )


KNOWN = ["age", "spend"]


@pytest.mark.parametrize("method", ["dr", "t", "s", "x"])
def test_the_effect_is_found_not_the_return(method):
    table = lost()
    model = churn.WinBackModel(method=method, random_state=0).fit(table, columns=KNOWN)
    row = model.effects_.iloc[0]
    assert row["conf_low"] < table["true_effect"].mean() < row["conf_high"]
    scores = model.predict(table)
    assert np.corrcoef(scores["uplift"], table["true_effect"])[0, 1] > 0.8
    # Big spenders return by themselves: they rank high by return, not by uplift.
    assert np.corrcoef(scores["expected_control"], np.log(table["spend"]))[0, 1] > 0.8
    assert abs(np.corrcoef(scores["uplift"], np.log(table["spend"]))[0, 1]) < 0.5
    assert model.scores_["customer_id"].tolist() == table["customer_id"].tolist()


def test_chosen_customers_need_their_chance():
    table = lost(chosen=True)
    truth = table["true_effect"].mean()
    with pytest.raises(InputError, match="the arms differ"):
        churn.WinBackModel().fit(table, columns=KNOWN)
    naive = table.groupby("offered")["returned"].mean().diff().iloc[-1]
    assert naive > truth + 0.02
    for propensity in ("estimated", "chance"):
        model = churn.WinBackModel(method="dr", propensity=propensity, random_state=0)
        model.fit(table, columns=KNOWN)
        row = model.effects_.iloc[0]
        assert row["conf_low"] < truth < row["conf_high"]


def test_without_a_control_group_it_is_refused():
    table = lost(200)
    with pytest.raises(InputError, match="no control group"):
        churn.WinBackModel().fit(table.assign(offered=1), columns=KNOWN)
    with pytest.raises(InputError, match="nobody but the control group"):
        churn.WinBackModel().fit(table.assign(offered=0), columns=KNOWN)
    few = table.assign(offered=(table["customer_id"] < 4).astype(int))
    with pytest.raises(InputError, match="an arm of 4 customers"):
        churn.WinBackModel().fit(few, columns=KNOWN)


def test_win_back_is_uplift_under_other_names():
    table = lost(3000, seed=2)
    left = churn.WinBackModel(random_state=0).fit(table, columns=KNOWN)
    right = response.UpliftModel(random_state=0)
    right.fit(table, outcome="returned", treated="offered", columns=KNOWN)
    assert left.get_params() == right.get_params()
    pd.testing.assert_frame_equal(left.effects_, right.effects_)
    pd.testing.assert_frame_equal(left.scores_, right.scores_)
    pd.testing.assert_frame_equal(left.predict(table), right.predict(table))
    assert left.predict(table)["in_sample"].all()
    for judge in (response.qini_table, response.uplift_table, response.policy_value):
        with pytest.raises(InputError, match="out-of-fold"):
            judge(table, left.predict(table), outcome="returned", treated="offered")


def test_several_offers_and_rows_without_an_outcome():
    table = lost(3000, seed=2)
    table["offer"] = np.where(
        table["offered"] == 0, "control", np.array(["card", "call"])[np.arange(3000) % 2]
    )
    unknown = table.assign(returned=table["returned"].where(table.index >= 100))
    model = churn.WinBackModel(random_state=0).fit(unknown, treated="offer", columns=KNOWN)
    assert model.effects_["treatment"].tolist() == ["call", "card"]
    assert model.account_ == {"rows": 3000, "without_outcome": 100, "in_no_arm": 0}
    assert model.scores_["customer_id"].nunique() == 2900
    with pytest.raises(InputError, match="must be 0 or 1"):
        churn.WinBackModel().fit(table.assign(returned=table["spend"]), columns=KNOWN)


def test_no_effect_is_said_to_be_none():
    table = lost(6000, seed=3)
    rng = np.random.default_rng(1)
    table["offered"] = rng.permutation(table["offered"])
    table["returned"] = (rng.random(len(table)) < 0.2).astype(int)
    row = churn.WinBackModel(random_state=0).fit(table, columns=KNOWN).effects_.iloc[0]
    assert row["conf_low"] < 0 < row["conf_high"]
    assert row["slope"] - 2 * row["slope_std_error"] < 0.5


def test_a_saved_model_names_no_customer(tmp_path):
    table = lost(400).assign(customer_id=lambda t: "person" + t["customer_id"].astype(str))
    churn.WinBackModel(random_state=0).fit(table, columns=KNOWN).save(tmp_path / "model.json")
    assert "person" not in (tmp_path / "model.json").read_text()


def test_the_outcome_told_the_other_way_round_is_named():
    """Left beside `returned`, `churned` knows every return: it is named, and left out."""
    table = lost(4000).drop(columns=["chance", "true_effect"])
    table["churned"] = 1 - table["returned"]
    for some in (table, table.head(300)):
        with pytest.warns(LeakWarning, match="'churned'"):
            churn.WinBackModel(random_state=0).fit(some)
