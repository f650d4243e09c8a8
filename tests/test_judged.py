"""Tables that judge scores: one object each for both rooms, one rule for what is missing."""

import numpy as np
import pandas as pd
import pytest

from crmkit import churn, clv, response
from crmkit._learn import classifier
from crmkit._learn.concordance import concordance
from crmkit._learn.judging import area_influence
from crmkit._learn.propensity import _held
from crmkit.errors import InputError, MissingColumnsError

SHARED = ["gains_table", "calibration_table", "plot_gains", "plot_calibration"]


def judged(n=200, seed=0):
    rng = np.random.default_rng(seed)
    p = rng.random(n)
    outcome = (rng.random(n) < p).astype(float)
    customers = pd.DataFrame({"customer_id": np.arange(n), "churned": outcome})
    return customers, pd.DataFrame({"customer_id": np.arange(n), "p_churn": p})


@pytest.mark.parametrize("name", SHARED)
def test_both_rooms_hand_on_the_same_object(name):
    assert getattr(churn, name) is getattr(response, name)
    assert not hasattr(clv, name)


def test_either_room_draws_the_table_of_the_other():
    customers, scores = judged()
    responded = customers.rename(columns={"churned": "responded"})
    answers = scores.rename(columns={"p_churn": "p_response"})
    for table in ("gains_table", "calibration_table"):
        left, right = (
            getattr(churn, table)(customers, scores),
            getattr(response, table)(responded, answers),
        )
        pd.testing.assert_frame_equal(left, right)
        draw = "plot_" + table.removesuffix("_table")
        assert getattr(response, draw)(left).has_data()


@pytest.mark.parametrize("table", [churn.gains_table, churn.calibration_table])
def test_rows_without_an_outcome_are_left_out_and_counted(table):
    customers, scores = judged()
    unknown = customers.assign(churned=customers["churned"].where(customers.index >= 30))
    result = table(unknown, scores)
    pd.testing.assert_frame_equal(result, table(customers[30:], scores))
    assert result["customers"].sum() == 170
    account = {"rows": 200, "without_outcome": 30, "scores_unmatched": 0}
    assert result.attrs["account"] == account
    with pytest.raises(InputError, match="missing in every row"):
        table(customers.assign(churned=np.nan), scores)


def test_models_learn_from_known_outcomes_only():
    customers, _ = judged()
    customers["x"] = np.random.default_rng(1).normal(size=200)
    unknown = customers.assign(churned=customers["churned"].where(customers.index >= 30))
    left = churn.ChurnModel(random_state=0).fit(unknown)
    right = churn.ChurnModel(random_state=0).fit(customers[30:])
    pd.testing.assert_frame_equal(left.scores_, right.scores_)
    profile = churn.retention_profile(unknown)
    assert profile.attrs["account"] == {"rows": 200, "without_outcome": 30}
    assert profile.groupby("variable")["customers"].sum().tolist() == [170]


def test_names_are_found_where_only_one_can_be_meant():
    customers, scores = judged()
    both = customers.assign(responded=customers["churned"])
    with pytest.raises(InputError, match="several"):
        churn.gains_table(both, scores)
    assert len(churn.gains_table(both, scores, outcome="churned")) == 10
    with pytest.raises(MissingColumnsError, match="`outcome`"):
        churn.gains_table(customers.rename(columns={"churned": "gone"}), scores)
    with pytest.raises(InputError, match="`score`"):
        churn.gains_table(customers, scores.assign(score=1.0))


@pytest.mark.parametrize("table", [churn.gains_table, churn.calibration_table])
def test_one_part_is_everybody(table):
    assert table(*judged(), n_bins=1)["customers"].tolist() == [200]
    for wrong in (0, 2.5, "ten"):
        with pytest.raises(InputError, match="n_bins"):
            table(*judged(), n_bins=wrong)


@pytest.mark.parametrize("change", [lambda p: 100 * p, lambda p: p - 0.5, lambda p: 2 * p])
def test_calibration_is_of_probabilities(change):
    customers, scores = judged()
    with pytest.raises(InputError, match="no probability"):
        churn.calibration_table(customers, scores.assign(p_churn=change(scores["p_churn"])))
    other = scores.rename(columns={"p_churn": "uplift"})
    with pytest.raises(MissingColumnsError, match="p_response"):
        churn.calibration_table(customers, other)
    assert len(churn.calibration_table(customers, other, score="uplift")) == 10


def test_in_sample_scores_are_refused_row_by_row():
    customers, scores = judged()
    seen = scores.assign(in_sample=scores.index < 5)
    for table in (churn.gains_table, churn.calibration_table):
        with pytest.raises(InputError, match=r"in 5 of 200 rows.*scores_"):
            table(customers, seen)
        table(customers[5:], seen)
    # Snapshots: what counts is the day, not the customer.
    days = [customers.assign(as_of=pd.Timestamp(day)) for day in ("2025-01-31", "2025-02-28")]
    marks = [
        scores.assign(as_of=day["as_of"], in_sample=first)
        for day, first in zip(days, (True, False), strict=True)
    ]
    later = churn.gains_table(days[1], pd.concat(marks))
    assert later["customers"].sum() == 200
    with pytest.raises(InputError, match="learned"):
        churn.gains_table(pd.concat(days), pd.concat(marks))
    with pytest.raises(InputError, match="in_sample"):
        churn.gains_table(customers, scores.assign(in_sample=None))


MODELS = {
    "churn": (churn.ChurnModel, "churned", "p_churn"),
    "response": (response.ResponseModel, "responded", "p_response"),
    "prospect": (churn.ProspectModel, "valuable", "p_valuable"),
}


@pytest.mark.parametrize("name", sorted(MODELS))
def test_every_model_marks_the_rows_it_learned_from(name, tmp_path):
    kind, outcome, score = MODELS[name]
    customers, _ = judged()
    customers = customers.rename(columns={"churned": outcome})
    customers["x"] = np.random.default_rng(1).normal(size=200)
    model = kind(random_state=0).fit(customers[:120])
    seen = model.predict(customers)
    np.testing.assert_array_equal(seen["in_sample"], np.arange(200) < 120)
    rules = {"outcome": outcome, "score": score}
    with pytest.raises(InputError, match="in 120 of 200 rows"):
        churn.gains_table(customers, seen, **rules)
    assert churn.gains_table(customers[120:], seen, **rules)["customers"].sum() == 80
    # The same customers with other features are new to the model.
    assert not model.predict(customers.assign(x=customers["x"] / 2))["in_sample"].any()
    # A file holds nothing by which a customer could be recognised, so nothing is claimed.
    model.save(tmp_path / "model.json")
    loaded = kind.load(tmp_path / "model.json").predict(customers)
    assert loaded["in_sample"].isna().all()
    with pytest.raises(InputError, match=r"read from a file.*assign\(in_sample=False\)"):
        churn.gains_table(customers[120:], loaded, **rules)
    told = churn.gains_table(customers[120:], loaded.assign(in_sample=False), **rules)
    pd.testing.assert_frame_equal(told, churn.gains_table(customers[120:], seen, **rules))


def test_a_snapshot_of_another_day_is_new_even_where_nothing_changed():
    customers, _ = judged()
    customers = customers.assign(x=np.arange(200) % 7, as_of=pd.Timestamp("2025-03-31"))
    model = churn.ChurnModel(random_state=0).fit(customers)
    assert model.predict(customers)["in_sample"].all()
    later = customers.assign(as_of=pd.Timestamp("2025-06-30"))
    assert not model.predict(later)["in_sample"].any()
    assert churn.gains_table(later, model.predict(later))["customers"].sum() == 200
    # Without the day nobody can tell, so the row counts as seen.
    assert model.predict(customers.drop(columns="as_of"))["in_sample"].all()


def test_many_days_do_not_mean_many_fits(monkeypatch):
    fits = []

    def fit(*_, **__):
        fits.append(1)

    monkeypatch.setattr(classifier, "fit_classifier", fit)
    monkeypatch.setattr(classifier, "positive_score", lambda _, rows: np.zeros(len(rows)))
    outcome, days = np.tile([0.0, 0.0, 1.0, 1.0], 500), np.arange(2000) % 300
    classifier.cross_fitted_scores(None, np.zeros((2000, 1)), outcome, times=days)
    assert len(fits) == 10


def test_what_each_customer_adds_to_the_error_of_an_area_by_counting():
    rng = np.random.default_rng(0)
    outcome, score = rng.integers(0, 2, 40), rng.integers(0, 9, 40)
    yes, no = score[outcome == 1], score[outcome == 0]
    wins = (yes[:, None] > no) + (yes[:, None] == no) / 2
    expected = np.empty(40)
    expected[outcome == 1] = (wins.mean(axis=1) - wins.mean()) / len(yes)
    expected[outcome == 0] = (wins.mean(axis=0) - wins.mean()) / len(no)
    np.testing.assert_allclose(area_influence(score, outcome), expected)


def test_one_pair_is_ranked_and_none_is_not():
    two = np.array([1.0, 2.0])
    for score, found in ((two, 1.0), (-two, 0.0), (np.ones(2), 0.5)):
        assert concordance(two, score) == (found, 0.0, 1.0)
    assert concordance(np.ones(2), two)[2] == 0


def test_what_can_be_fitted_but_not_cloned_is_no_estimator():
    class Fits:
        def fit(self):
            return self

    with pytest.raises(InputError, match="`estimator` must be a scikit-learn classifier"):
        classifier.check_estimator(Fits(), "estimator", kind="classifier")


def test_chances_held_off_nothing_still_add_up_to_one():
    held = _held(np.array([[0.001, 0.999], [0.5, 0.5]]))
    np.testing.assert_allclose(held, [[0.01 / 1.009, 0.999 / 1.009], [0.5, 0.5]])
