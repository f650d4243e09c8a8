import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import roc_auc_score

from crmkit import datasets, response
from crmkit.errors import InputError

KNOWN = ["age", "recency_days", "frequency", "monetary", "messages_received", "channel"]


@pytest.fixture(scope="module")
def campaign():
    return datasets.make_campaign(6000, random_state=2)


@pytest.fixture(scope="module")
def model(campaign):
    return response.ResponseModel(random_state=0).fit(campaign[:4000], columns=KNOWN)


def test_out_of_fold_scores_are_calibrated_and_rank(campaign, model):
    past = campaign[:4000]
    assert model.scores_["customer_id"].tolist() == past["customer_id"].tolist()
    p = model.scores_["p_response"]
    assert p.between(0, 1).all()
    assert p.mean() == pytest.approx(past["responded"].mean(), abs=0.002)
    later = model.predict(campaign[4000:])
    out, new = (
        roc_auc_score(campaign.loc[s.index, "responded"], s["p_response"])
        for s in (model.scores_, later.set_axis(campaign.index[4000:], axis=0))
    )
    assert out == pytest.approx(new, abs=0.04)
    truth = campaign["true_p_control"] + campaign["true_uplift"] * campaign["treated"]
    assert np.corrcoef(truth[4000:], later["p_response"])[0, 1] > 0.6


def test_a_model_is_not_judged_on_rows_it_learned_from(campaign, model):
    past = campaign[:4000]
    seen = model.predict(past)
    assert seen["in_sample"].all()
    with pytest.raises(InputError, match="out-of-fold"):
        response.gains_table(past, seen)
    assert len(response.gains_table(past, model.scores_)) == 10
    later = model.predict(campaign[4000:])
    assert not later["in_sample"].any()
    assert len(response.gains_table(campaign[4000:], later)) == 10


def test_newer_data_on_the_same_customers_are_new(campaign, model):
    moved = campaign[:4000].assign(recency_days=lambda t: t["recency_days"] + 1)
    assert not model.predict(moved)["in_sample"].all()


def test_not_contacted_customers_are_left_out(campaign):
    half = campaign[:1000].assign(responded=lambda t: t["responded"].where(t["treated"] == 1))
    model = response.ResponseModel().fit(half, columns=KNOWN)
    assert (
        model.scores_["customer_id"].tolist()
        == half.loc[half["treated"] == 1, "customer_id"].tolist()
    )
    gains = response.gains_table(half, model.scores_)
    assert gains["customers"].sum() == half["treated"].sum()


def test_any_classifier_learns_but_only_the_default_is_saved(campaign, tmp_path):
    forest = RandomForestClassifier(n_estimators=20, min_samples_leaf=20)
    first = response.ResponseModel(estimator=forest, random_state=3, calibration="isotonic")
    first.fit(campaign[:1500], columns=KNOWN)
    again = response.ResponseModel(estimator=forest, random_state=3, calibration="isotonic")
    again.fit(campaign[:1500], columns=KNOWN)
    pd.testing.assert_frame_equal(first.predict(campaign), again.predict(campaign))
    with pytest.raises(InputError, match="cannot be written to JSON"):
        first.save(tmp_path / "forest.json")


def test_constant_score_has_lift_one(campaign):
    scores = pd.DataFrame({"customer_id": campaign["customer_id"], "score": 0.3})
    gains = response.gains_table(campaign, scores)
    assert gains["lift"].tolist() == [1.0]
    assert gains["cumulative_share_positives"].tolist() == [1.0]


def test_monotone_rescaling_changes_nothing(campaign):
    score = np.round(1 / campaign["recency_days"], 2)
    tables = [
        response.gains_table(
            campaign, pd.DataFrame({"customer_id": campaign["customer_id"], "score": s})
        ).drop(columns=["score_low", "score_high"])
        for s in (score, np.exp(3 * score) - 7)
    ]
    pd.testing.assert_frame_equal(*tables)


def test_scores_must_be_nameable(campaign):
    scores = pd.DataFrame({"customer_id": campaign["customer_id"], "mine": 1.0})
    with pytest.raises(InputError, match="`score`"):
        response.gains_table(campaign, scores)
    assert len(response.gains_table(campaign, scores, score="mine")) == 1
