"""Win-back: the effect of an offer, on randomised and on chosen customers of known truth."""

import numpy as np
import pandas as pd
import pytest

from crmkit import churn
from crmkit.errors import InputError


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
    row = model.effect_.iloc[0]
    assert row["conf_low"] < table["true_effect"].mean() < row["conf_high"]
    scores = model.predict(table)
    assert np.corrcoef(scores["uplift"], table["true_effect"])[0, 1] > 0.8
    # Big spenders return by themselves: they rank high by return, not by uplift.
    assert np.corrcoef(scores["p_return"], np.log(table["spend"]))[0, 1] > 0.8
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
        model = churn.WinBackModel(propensity=propensity, random_state=0).fit(table, columns=KNOWN)
        row = model.effect_.iloc[0]
        assert row["conf_low"] < truth < row["conf_high"]


def test_without_a_control_group_it_is_refused():
    table = lost(200)
    with pytest.raises(InputError, match="no customer without the offer"):
        churn.WinBackModel().fit(table.assign(offered=1), columns=KNOWN)
    with pytest.raises(InputError, match="no customer with the offer"):
        churn.WinBackModel().fit(table.assign(offered=0), columns=KNOWN)
    few = table.assign(offered=(table["customer_id"] < 4).astype(int))
    with pytest.raises(InputError, match="an arm of 4 customers"):
        churn.WinBackModel().fit(few, columns=KNOWN)


def test_no_effect_is_said_to_be_none():
    table = lost(6000, seed=3)
    rng = np.random.default_rng(1)
    table["offered"] = rng.permutation(table["offered"])
    table["returned"] = (rng.random(len(table)) < 0.2).astype(int)
    row = churn.WinBackModel(random_state=0).fit(table, columns=KNOWN).effect_.iloc[0]
    assert row["conf_low"] < 0 < row["conf_high"]
    assert row["slope"] - 2 * row["slope_std_error"] < 0.5


def test_a_saved_model_names_no_customer(tmp_path):
    table = lost(400).assign(customer_id=lambda t: "person" + t["customer_id"].astype(str))
    churn.WinBackModel(random_state=0).fit(table, columns=KNOWN).save(tmp_path / "model.json")
    assert "person" not in (tmp_path / "model.json").read_text()
