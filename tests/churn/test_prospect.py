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


def test_the_response_is_not_learned_from_itself(shop):
    rng = np.random.default_rng(0)
    customers = churn.acquisition_table(shop["transactions"], customers=people(shop))
    customers["responded"] = rng.integers(0, 2, len(customers))
    contacts = people(shop).assign(responded=lambda t: rng.integers(0, 2, len(t)))
    model = churn.ProspectModel(random_state=0).fit(customers, contacts)
    assert "responded" not in model.scorer_.encoder.used_columns
    assert model.performance_["auc"].iloc[1] < 0.6
    assert "p_response" in model.predict(people(shop))
