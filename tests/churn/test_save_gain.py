"""The gain of a contact: by uplift or by risk and save rate, never both; selection decides."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmkit import churn, response
from crmkit.errors import InputError, MissingColumnsError

SAVED, COST, VALUE = 0.25, 6.0, 100.0


def base(n, seed):
    """Customers whose risk is told by two traits; a contact saves one in four who would leave."""
    rng = np.random.default_rng(seed)
    table = pd.DataFrame({"customer_id": np.arange(n), "rank": rng.normal(size=n)})
    table["calls"] = rng.poisson(2, n)
    table["p"] = 1 / (1 + np.exp(-(-0.3 + 0.6 * table["rank"] + 0.5 * (table["calls"] - 2))))
    table["called"] = rng.integers(0, 2, n)
    left = rng.random(n) < table["p"] * (1 - SAVED * table["called"])
    return table.assign(churned=left.astype(int), stayed=(~left).astype(int), ok=True)


KNOWN = ["rank", "calls"]


def earned(customers, selection):
    """What the contacts truly earn, on average over who is saved."""
    contact = (selection["decision"] == "contact").to_numpy()
    return float((customers["p"] * SAVED * VALUE - COST)[contact].sum())


def oracle(customers):
    return float(np.maximum(customers["p"] * SAVED * VALUE - COST, 0).sum())


def select(customers, gain):
    return response.select_targets(
        customers, gain, consent="ok", value=VALUE, contact_cost=COST, holdout_share=0
    )


@pytest.fixture(scope="module")
def campaign():
    return base(20_000, 0), base(20_000, 1)


@pytest.mark.wide
def test_the_documented_ways_earn_what_there_is_to_earn(campaign):
    past, today = campaign
    best = oracle(today)
    model = churn.WinBackModel(random_state=0)
    model.fit(past, outcome="stayed", treated="called", columns=KNOWN)
    gain = churn.save_gain(model.predict(today), uplift="uplift", value=VALUE, contact_cost=COST)
    assert earned(today, select(today, gain)) >= 0.98 * best
    # The risk of those left alone, times the share of them that calls have saved.
    alone = past[past["called"] == 0]
    scores = churn.ChurnModel(random_state=0).fit(alone, columns=KNOWN).predict(today)
    rates = past.groupby("called")["churned"].mean()
    gain = churn.save_gain(
        scores, save_rate=1 - rates[1] / rates[0], value=VALUE, contact_cost=COST
    )
    assert earned(today, select(today, gain)) >= 0.98 * best
    # What the pages used to say: the uplift as a save rate. It earns a fifth less.
    twice = scores.assign(uplift=model.predict(today)["uplift"] * scores["p_churn"])
    assert earned(today, select(today, twice[["customer_id", "uplift"]])) < 0.85 * best


def test_the_loop_earns_what_there_is_to_earn():
    """Likely leavers, contacted with a hold-out; what that did decides whom to contact next."""
    rng = np.random.default_rng(5)
    people = [base(20_000, seed).assign(ok=lambda t: t["customer_id"] % 10 > 0) for seed in (2, 3)]
    past = base(20_000, 4)
    past["churned"] = (rng.random(len(past)) < past["p"]).astype(int)
    scores = churn.ChurnModel(random_state=0).fit(past, columns=KNOWN).predict(people[0])
    rules = {"consent": "ok", "value": VALUE, "contact_cost": COST, "random_state": 0}
    guess = churn.save_gain(scores, save_rate=0.4, value=VALUE, contact_cost=COST)
    first = response.select_targets(people[0], guess, holdout_share=0.5, **rules)
    contact = (first["decision"] == "contact").to_numpy()
    stayed = rng.random(len(contact)) >= people[0]["p"] * (1 - SAVED * contact)
    lesson = people[0].assign(stayed=stayed).merge(first[["customer_id", "decision"]])
    result = response.campaign_result(lesson, outcome="stayed", selection=first, value=VALUE).iloc[
        0
    ]
    assert result["verdict"] == "significant and profitable"
    truth = (people[0]["p"] * SAVED)[contact].mean()
    assert result["uplift"] == pytest.approx(truth, abs=2 * result["std_error"])
    model = churn.WinBackModel(random_state=0)
    model.fit(lesson, outcome="stayed", treated="decision", columns=KNOWN)
    uplift = model.predict(people[1])
    gain = churn.save_gain(uplift, uplift="uplift", value=VALUE, contact_cost=COST)
    second = response.select_targets(people[1], gain, holdout_share=0, **rules)
    assert not (second["decision"] == "contact")[~people[1]["ok"]].any()
    assert earned(people[1], second) >= 0.98 * oracle(people[1][people[1]["ok"]])


def test_selection_takes_the_gain_as_it_is(campaign):
    today = campaign[1].head(300).assign(value=lambda t: 50.0 + t["calls"], cost=4.0)
    today["ok"] = today["customer_id"] % 2 == 0
    gain = churn.save_gain(today, p_churn="p", save_rate=0.3, contact_cost="cost")
    chosen = response.select_targets(
        today, gain, consent="ok", value="value", contact_cost="cost", holdout_share=0
    )
    np.testing.assert_allclose(chosen["expected_gain"], gain["expected_gain"])
    assert set(chosen.loc[chosen["decision"] == "contact", "customer_id"] % 2) == {0}
    worth = (gain["expected_gain"] > 0) & today["ok"]
    assert ((chosen["decision"] == "contact") == worth).all()


chances = st.lists(st.tuples(st.floats(0, 1), st.floats(0, 500)), min_size=1, max_size=40)


@given(chances, st.floats(0, 1), st.floats(0, 50))
@settings(max_examples=50, deadline=None)
def test_the_two_ways_agree(rows, save_rate, cost):
    chance, value = np.array(rows).T
    table = pd.DataFrame({"customer_id": range(len(rows)), "p_churn": chance, "value": value})
    left = churn.save_gain(table, save_rate=save_rate, contact_cost=cost)
    table["uplift"] = chance * save_rate
    right = churn.save_gain(table, uplift="uplift", contact_cost=cost)
    pd.testing.assert_frame_equal(left, right)
    np.testing.assert_allclose(left["expected_gain"], chance * save_rate * value - cost)


def test_an_uplift_is_never_multiplied_with_the_risk():
    table = pd.DataFrame(
        {"customer_id": [1, 2], "p_churn": 0.5, "uplift": [0.1, 0.2], "value": 9.0}
    )
    with pytest.raises(InputError, match="neither is given"):
        churn.save_gain(table)
    with pytest.raises(InputError, match="neither is given"):
        churn.save_gain(table, p_churn="p_churn")
    for more in ({"save_rate": 0.3}, {"p_churn": "p_churn"}):
        with pytest.raises(InputError, match="contains the chance to leave already"):
            churn.save_gain(table, uplift="uplift", **more)
    with pytest.raises(InputError, match="uplift='uplift'"):
        churn.save_gain(table, save_rate="uplift")


@pytest.mark.parametrize(
    ("change", "rules", "words"),
    [
        ({"p_churn": [0.5, 50]}, {"save_rate": 0.3}, "at most 1.*chances, not percentages"),
        ({"rate": [0.5, 30]}, {"save_rate": "rate"}, "at most 1"),
        ({}, {"save_rate": 30}, "save_rate"),
        ({"uplift": [0.1, 12.0]}, {"uplift": "uplift"}, "at most 1"),
        ({"uplift": [0.1, -2.0]}, {"uplift": "uplift"}, "at least -1"),
        ({"value": [5.0, -1.0]}, {"save_rate": 0.3}, "at least 0"),
        ({}, {"save_rate": 0.3, "contact_cost": -1}, "contact_cost"),
        ({"customer_id": [1, 1]}, {"save_rate": 0.3}, "repeat an earlier row"),
    ],
)
def test_what_is_no_chance_value_or_cost_is_refused(change, rules, words):
    table = pd.DataFrame({"customer_id": [1, 2], "p_churn": 0.5, "value": 9.0}).assign(**change)
    with pytest.raises(InputError, match=words):
        churn.save_gain(table, **rules)


def test_several_offers_keep_their_rows():
    table = pd.DataFrame(
        {
            "customer_id": [1, 1, 2, 2],
            "treatment": ["card", "call"] * 2,
            "uplift": [0.1, 0.3, -0.1, 0.2],
        }
    )
    gain = churn.save_gain(table, uplift="uplift", value=50, contact_cost=2)
    assert list(gain.columns[:3]) == ["customer_id", "treatment", "uplift"]
    assert gain["expected_gain"].tolist() == pytest.approx([3.0, 13.0, -7.0, 8.0])
    chosen = response.select_targets(
        pd.DataFrame({"customer_id": [1, 2], "ok": True}),
        gain,
        consent="ok",
        value=50,
        contact_cost={"card": 1, "call": 12},
        holdout_share=0,
    )
    assert chosen["treatment"].tolist() == ["card", "call"]
    with pytest.raises(MissingColumnsError, match="value"):
        churn.save_gain(table, uplift="uplift")
