"""The churn model, and the tables that judge it."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss
from sklearn.model_selection import GridSearchCV, GroupKFold

from crmkit import churn, datasets
from crmkit.errors import InputError, MissingColumnsError


@pytest.fixture(scope="module")
def shop():
    return datasets.make_transactions(1500, random_state=3)["transactions"]


@pytest.fixture(scope="module")
def past(shop):
    days = ["2024-12-31", "2025-03-31", "2025-06-30"]
    return churn.churn_table(shop, as_of=days, horizon_days=90)


def test_model_beats_its_best_column_and_is_calibrated(shop, past):
    model = churn.ChurnModel(random_state=0).fit(past)
    table = model.performance_
    assert table["model"].tolist()[0] == "model"
    assert len(table) == 2
    assert table["auc"].iloc[0] > table["auc"].iloc[1] > 0.6
    later = churn.churn_table(shop, as_of="2025-09-30", horizon_days=90)
    scores = model.predict(later)
    assert churn.calibration_table(later, scores)["difference"].abs().max() < 0.2
    assert churn.gains_table(later, scores)["lift"].iloc[0] > 1.2
    assert abs(scores["p_churn"].mean() - later["churned"].mean()) < 0.1


def test_out_of_fold_scores_do_not_flatter(past):
    noise = past.assign(churned=np.random.default_rng(0).permutation(past["churned"]))
    trees = HistGradientBoostingClassifier(max_iter=50)
    model = churn.ChurnModel(estimator=trees, calibration="none", random_state=0).fit(noise)
    assert abs(model.performance_["auc"].iloc[0] - 0.5) < 0.06
    seen = model.predict(noise)
    assert seen["in_sample"].all()
    for judge in (churn.gains_table, churn.calibration_table):
        with pytest.raises(InputError, match="out-of-fold"):
            judge(noise, seen)
    flattered = churn.gains_table(noise, seen.drop(columns="in_sample"))["lift"].iloc[0]
    honest = churn.gains_table(noise, model.scores_)["lift"].iloc[0]
    assert honest < 1.3 < flattered
    # Calibrated, scores that do not rise with the outcome become what they are: the base rate.
    useless = churn.ChurnModel(estimator=trees, random_state=0).fit(noise)
    assert useless.predict(noise)["p_churn"].std() < 0.02


def test_every_calibration_keeps_the_ranking(past):
    ranks = []
    for calibration in ("none", "sigmoid", "isotonic"):
        model = churn.ChurnModel(calibration=calibration, random_state=0).fit(past)
        ranks.append(model.predict(past)["p_churn"].rank().to_numpy())
    np.testing.assert_array_equal(ranks[1], ranks[0])
    np.testing.assert_allclose(ranks[2], ranks[0], atol=1.5)


def test_other_estimators_work_but_are_not_saved(past, tmp_path):
    trees = HistGradientBoostingClassifier(max_iter=10)
    model = churn.ChurnModel(estimator=trees, random_state=0).fit(past)
    again = churn.ChurnModel(estimator=trees, random_state=0).fit(past)
    pd.testing.assert_frame_equal(model.predict(past), again.predict(past))
    with pytest.raises(InputError, match="HistGradientBoostingClassifier"):
        model.save(tmp_path / "model.json")


def test_a_search_over_the_model_is_the_loop_over_settings_and_folds(past):
    def minus_brier(model, customers, y=None):
        return -brier_score_loss(customers["churned"], model.predict(customers)["p_churn"])

    model = churn.ChurnModel(estimator=LogisticRegression(max_iter=1000), n_folds=3, random_state=0)
    grid = [
        {"calibration": ["sigmoid"], "estimator__C": [0.001]},
        {"calibration": ["none"], "estimator__C": [1.0]},
    ]
    folds = GroupKFold(2)
    search = GridSearchCV(model, grid, scoring=minus_brier, cv=folds)
    search.fit(past, groups=past["customer_id"])
    by_hand = []
    for settings in search.cv_results_["params"]:
        parts = []
        for known, asked in folds.split(past, groups=past["customer_id"]):
            one = clone(model).set_params(**settings).fit(past.iloc[known])
            apart = past.iloc[asked].reset_index(drop=True)
            parts.append(-np.mean((one.predict(apart)["p_churn"] - apart["churned"]) ** 2))
        by_hand.append(np.mean(parts))
    assert search.cv_results_["mean_test_score"] == pytest.approx(by_hand, rel=1e-9)
    assert len(set(by_hand)) == 2
    best = clone(model).set_params(**search.best_params_).fit(past)
    pd.testing.assert_frame_equal(search.predict(past), best.predict(past))
    assert search.score(past) == pytest.approx(minus_brier(best, past))


def test_a_saved_model_names_no_customer(past, tmp_path):
    named = past.assign(customer_id="person" + past["customer_id"].astype(str))
    churn.ChurnModel(random_state=0).fit(named).save(tmp_path / "model.json")
    assert "person" not in (tmp_path / "model.json").read_text()


def test_what_cannot_be_learned_is_refused(past):
    model = churn.ChurnModel()
    with pytest.raises(InputError, match="at least two"):
        model.fit(past.head(3).assign(churned=[0, 0, 1], customer_id=[1, 2, 3]))
    with pytest.raises(InputError, match="repeat an earlier row"):
        model.fit(pd.concat([past, past]))
    with pytest.raises(InputError, match="calibration"):
        churn.ChurnModel(calibration="platt").fit(past)
    with pytest.raises(InputError, match="must be 0 or 1"):
        model.fit(past.assign(churned=past["churned"] + 1))
    fitted = model.fit(past)
    with pytest.raises(MissingColumnsError, match="gap_ratio"):
        fitted.predict(past.drop(columns="gap_ratio"))


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 1)), min_size=2, max_size=60))
def test_gains_add_up(rows):
    score, outcome = np.array(rows).T
    if not outcome.any():
        outcome[0] = 1
    ids = np.arange(len(rows))
    customers = pd.DataFrame({"customer_id": ids, "churned": outcome})
    scores = pd.DataFrame({"customer_id": ids, "p_churn": score / 4})
    gains = churn.gains_table(customers, scores)
    assert gains["customers"].sum() == len(rows)
    assert gains["positives"].sum() == outcome.sum()
    assert gains["cumulative_share_positives"].iloc[-1] == pytest.approx(1)
    assert (gains["score_low"] <= gains["score_high"]).all()
    assert (gains["score_high"].to_numpy()[1:] < gains["score_low"].to_numpy()[:-1]).all()
    assert gains["rate"].between(gains["conf_low"], gains["conf_high"]).all()
    monotone = scores.assign(p_churn=np.exp(scores["p_churn"]))
    left = churn.gains_table(customers, monotone).drop(columns=["score_low", "score_high"])
    pd.testing.assert_frame_equal(left, gains.drop(columns=["score_low", "score_high"]))


def test_a_constant_score_has_lift_one(past):
    gains = churn.gains_table(past, past[["customer_id", "as_of"]].assign(p_churn=0.3))
    assert gains["lift"].tolist() == [1.0]


def test_scores_must_cover_the_customers(past):
    scores = churn.ChurnModel(random_state=0).fit(past).scores_
    with pytest.raises(InputError, match="no score found"):
        churn.gains_table(past, scores.tail(10))
    with pytest.raises(InputError, match="occur twice"):
        churn.gains_table(past, pd.concat([scores, scores]))
    nobody = past.assign(churned=0)
    with pytest.raises(InputError, match="at least one customer"):
        churn.gains_table(nobody, scores)
