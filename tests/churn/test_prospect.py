"""Prospects are scored by what is known before the first purchase, and by nothing else."""

import numpy as np
import pandas as pd
import pytest

from crmkit import churn, datasets
from crmkit.errors import InputError, MissingColumnsError


@pytest.fixture(scope="module")
def shop():
    return datasets.make_transactions(5000, random_state=2)


def people(shop):
    return shop["customers"][["customer_id", "channel", "region", "age"]]


def test_likeness_follows_the_true_order_of_channels(shop):
    customers = churn.acquisition_table(shop["transactions"], customers=people(shop))
    model = churn.ProspectModel(random_state=0).fit(customers, target="retained")
    assert model.performance_["auc"].iloc[0] > 0.53
    scores = model.predict(people(shop)).merge(people(shop))
    likeness = scores.groupby("channel")["likeness"].mean()
    assert likeness[["referral", "shop", "search", "social"]].is_monotonic_decreasing
    assert likeness.mean() == pytest.approx(100, abs=10)


def test_what_came_later_is_not_used(shop):
    customers = churn.acquisition_table(shop["transactions"], customers=people(shop))
    model = churn.ProspectModel(random_state=0).fit(customers)
    assert model.scorer_.encoder.used_columns == ["channel", "region", "age"]
    with pytest.raises(InputError, match="not known before"):
        churn.ProspectModel().fit(customers, columns=["age", "retained"])
    with pytest.raises(MissingColumnsError, match="region"):
        model.predict(people(shop).drop(columns="region"))


def test_response_is_learned_from_contacts(shop):
    rng = np.random.default_rng(0)
    customers = churn.acquisition_table(shop["transactions"], customers=people(shop))
    contacts = people(shop).assign(
        responded=lambda t: rng.random(len(t)) < np.where(t["age"] > 45, 0.4, 0.1)
    )
    contacts["responded"] = contacts["responded"].astype(float)
    contacts.loc[::7, "responded"] = np.nan
    model = churn.ProspectModel(random_state=0).fit(customers, contacts)
    assert model.performance_["model"].tolist() == ["p_valuable", "p_response"]
    assert model.performance_["customers"].iloc[1] == contacts["responded"].notna().sum()
    assert model.performance_["auc"].iloc[1] > 0.65
    scores = model.predict(people(shop))
    pd.testing.assert_series_equal(
        scores["p_both"], scores["p_valuable"] * scores["p_response"], check_names=False
    )
    with pytest.raises(InputError, match="missing in every row"):
        churn.ProspectModel().fit(customers, contacts.assign(responded=np.nan))


def test_what_an_offer_adds_is_told_from_who_answers_anyway(shop):
    """The old answer anyway, the young because of the offer."""
    rng = np.random.default_rng(3)
    customers = churn.acquisition_table(shop["transactions"], customers=people(shop))
    contacts = people(shop).assign(offered=rng.integers(0, 2, len(people(shop))))
    young = contacts["age"] < 45
    added = np.where(young, 0.3, 0.0)
    alone = np.where(young, 0.1, 0.5)
    contacts["responded"] = rng.random(len(contacts)) < alone + added * contacts["offered"]
    model = churn.ProspectModel(random_state=0).fit(customers, contacts, treated="offered")
    scores = model.predict(people(shop))
    by_age = scores.assign(young=young.to_numpy()).groupby("young").mean(numeric_only=True)
    assert by_age["uplift"].to_numpy() == pytest.approx([0.0, 0.3], abs=0.06)
    assert by_age["expected_control"].to_numpy() == pytest.approx([0.5, 0.1], abs=0.1)
    # Who answers most is not whom the offer moves.
    assert by_age["p_response"].is_monotonic_decreasing
    assert model.offer_model_.effects_["customers_control"].iloc[0] == (contacts.offered == 0).sum()
    offered = contacts[contacts["offered"] == 1]
    assert model.performance_["customers"].iloc[1] == len(offered)
    plain = churn.ProspectModel(random_state=0).fit(customers, offered)
    assert (plain.predict(people(shop))["p_response"] == scores["p_response"]).all()


def test_what_was_known_when_is_told_per_column(shop):
    customers = churn.acquisition_table(shop["transactions"], customers=people(shop))
    told = churn.ProspectModel(random_state=0).fit(customers).columns_.set_index("column")
    assert told.index[told["used"]].tolist() == ["channel", "region", "age"]
    assert told.loc[["retained", "value"], "transformation"].eq("not used: known only later").all()
    first = told.loc[["first_date", "first_month", "first_season"], "transformation"]
    assert first.eq("not used: the first purchase itself").all()
    assert "valuable" not in told.index


def test_an_offer_needs_a_control_group_and_is_one(shop):
    customers = churn.acquisition_table(shop["transactions"], customers=people(shop))
    contacts = people(shop).assign(responded=lambda t: t["customer_id"] % 2, arm="control")
    model = churn.ProspectModel(random_state=0)
    with pytest.raises(InputError, match="`contacts`: column 'arm' has nobody but the control"):
        model.fit(customers, contacts, treated="arm")
    contacts.loc[::3, "arm"], contacts.loc[1::3, "arm"] = "card", "call"
    with pytest.raises(InputError, match=r"several offers.*one at a time"):
        model.fit(customers, contacts, treated="arm")
    with pytest.raises(InputError, match="`treated` is a column of `contacts`"):
        model.fit(customers, treated="arm")
    with pytest.raises(InputError, match="`control` names an arm"):
        model.fit(customers, contacts, control="none")


def test_the_response_is_not_learned_from_itself(shop):
    rng = np.random.default_rng(0)
    customers = churn.acquisition_table(shop["transactions"], customers=people(shop))
    customers["responded"] = rng.integers(0, 2, len(customers))
    contacts = people(shop).assign(responded=lambda t: rng.integers(0, 2, len(t)))
    model = churn.ProspectModel(random_state=0).fit(customers, contacts)
    assert "responded" not in model.scorer_.encoder.used_columns
    assert model.performance_["auc"].iloc[1] < 0.6
    assert "p_response" in model.predict(people(shop))
