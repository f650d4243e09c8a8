"""The models of survival with covariates: recovery of known truth, and lifelines' own answers."""

import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from crmkit.churn import AFTModel, CoxModel, HazardModel, survival_table
from crmkit.churn._math.hazards import interval_edges, interval_log_survival, person_periods
from crmkit.errors import ConvergenceError, InputError, MissingColumnsError

tenures = st.lists(st.tuples(st.integers(0, 12), st.booleans()), min_size=1, max_size=40).filter(
    lambda rows: any(left for _, left in rows)
)


@settings(max_examples=50, deadline=None)
@given(tenures)
def test_with_every_event_time_an_edge_hazards_give_kaplan_meier(rows):
    time = np.array([t for t, _ in rows], dtype=float)
    left = np.array([e for _, e in rows])
    edges = interval_edges(time, left, 100)
    assert list(edges) == sorted(set(time[left]))
    customer, interval, outcome = person_periods(time, left, edges)
    assert outcome.sum() == left.sum()
    at_risk = np.bincount(interval, minlength=edges.size)
    assert np.bincount(customer, minlength=time.size)[left].tolist() == [
        1 + np.searchsorted(edges, t) for t in time[left]
    ]
    hazard = np.bincount(interval, weights=outcome, minlength=edges.size) / at_risk
    people = pd.DataFrame(
        {"customer_id": np.arange(time.size), "tenure_days": time, "churned": left}
    )
    curve = survival_table(people).set_index("time")["p_survival"]
    chance = np.exp(interval_log_survival(np.tile(hazard, (edges.size, 1)), edges, edges))
    np.testing.assert_allclose(chance, curve.loc[edges], atol=1e-9)


def test_survival_between_edges_falls_in_proportion():
    hazard, edges = np.array([[0.2, 0.5]] * 4), np.array([10.0, 30.0])
    found = np.exp(interval_log_survival(hazard, edges, np.array([0.0, 5.0, 20.0, 31.0])))
    np.testing.assert_allclose(found[:3], [1, 0.8**0.5, 0.8 * 0.5**0.5])
    assert np.isnan(found[3])


def customers(n=3000, seed=0):
    """Draw Weibull tenures whose scale depends on a number and a level, with censoring."""
    rng = np.random.default_rng(seed)
    income = rng.normal(50, 10, n)
    plan = rng.choice(["month", "year"], n)
    log_scale = 4 + 0.02 * (income - 50) + 0.8 * (plan == "year")
    time = np.exp(log_scale) * rng.weibull(1.5, n)
    seen = rng.uniform(20, 200, n)
    return pd.DataFrame(
        {
            "customer_id": np.arange(n),
            "income": income,
            "plan": plan,
            "tenure_days": np.minimum(time, seen),
            "churned": time <= seen,
        }
    )


def true_chance(table, horizon):
    scale = np.exp(4 + 0.02 * (table["income"] - 50) + 0.8 * (table["plan"] == "year"))
    return np.exp(-((horizon / scale) ** 1.5)).to_numpy()


@pytest.mark.parametrize("model", [HazardModel(), CoxModel(), AFTModel()])
def test_known_chances_are_recovered(model):
    table, new = customers(), customers(400, seed=1)
    model.fit(table)
    for horizon in (15, 60, 120):
        found = model.predict(new, horizon=horizon)["p_survival"].to_numpy()
        error = found - true_chance(new, horizon)
        assert abs(error.mean()) < 0.02
        assert np.sqrt((error**2).mean()) < 0.04
    given_tenure = model.predict(new.assign(tenure_days=30.0), horizon=60, duration="tenure_days")
    whole = (
        model.predict(new, horizon=90)["p_survival"] / model.predict(new, horizon=30)["p_survival"]
    )
    np.testing.assert_allclose(given_tenure["p_survival"], whole, rtol=1e-9)


def test_weibull_parameters_are_recovered():
    model = AFTModel().fit(customers(6000))
    found = model.parameters_.set_index("term")
    for term, truth in [("income", 0.02), ("plan=year", 0.8)]:
        assert abs(found.loc[term, "estimate"] - truth) < 4 * found.loc[term, "std_error"]
        assert found.loc[term, "conf_low"] < found.loc[term, "estimate"]
    assert model.scale_ == pytest.approx(1.5, abs=0.08)
    cox = CoxModel().fit(customers(6000)).parameters_.set_index("term")
    # A Weibull with shape 1.5 has proportional hazards: minus 1.5 times the log time ratio.
    assert cox.loc["plan=year", "estimate"] == pytest.approx(-1.2, abs=0.12)


@pytest.mark.parametrize("distribution", ["weibull", "loglogistic", "lognormal"])
def test_accelerated_models_predict_as_lifelines_does(distribution):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import lifelines

        name = {"weibull": "Weibull", "loglogistic": "LogLogistic", "lognormal": "LogNormal"}
        fitter = getattr(lifelines, f"{name[distribution]}AFTFitter")()
        table = customers(500)
        plain = table.drop(columns="customer_id").assign(plan=table["plan"].eq("year") * 1.0)
        fitter.fit(plain, duration_col="tenure_days", event_col="churned")
        theirs = fitter.predict_survival_function(plain, times=[50.0]).iloc[0]
    model = AFTModel(distribution=distribution).fit(table)
    ours = model.predict(table, horizon=50)["p_survival"]
    np.testing.assert_allclose(ours, theirs, rtol=1e-6)
    assert model.log_likelihood_ == pytest.approx(fitter.log_likelihood_)


def test_cox_predicts_as_lifelines_does():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from lifelines import CoxPHFitter

        table = customers(500)
        plain = table.drop(columns="customer_id").assign(plan=table["plan"].eq("year") * 1.0)
        fitter = CoxPHFitter().fit(plain, duration_col="tenure_days", event_col="churned")
        # Between observed times lifelines draws a line where the estimate is a step.
        seen = float(table["tenure_days"].iloc[7])
        theirs = fitter.predict_survival_function(plain, times=[seen]).iloc[0]
    model = CoxModel().fit(table)
    np.testing.assert_allclose(model.predict(table, horizon=seen)["p_survival"], theirs, rtol=1e-9)
    last = table["tenure_days"].max()
    assert model.predict(table, horizon=last + 1)["p_survival"].isna().all()


def test_any_classifier_can_learn_hazards():
    from sklearn.ensemble import HistGradientBoostingClassifier

    learner = HistGradientBoostingClassifier(max_iter=40, max_depth=3)
    table, new = customers(), customers(300, seed=2)
    model = HazardModel(estimator=learner, random_state=0).fit(table)
    found = model.predict(new, horizon=60)["p_survival"]
    assert stats.spearmanr(found, true_chance(new, 60)).statistic > 0.9
    assert model.parameters_.empty


def test_large_tables_are_learned_from_in_part(monkeypatch):
    from crmkit.churn._model import hazard

    table = customers()
    whole = HazardModel().fit(table).predict(table, horizon=60)["p_survival"]
    monkeypatch.setattr(hazard, "_MOST_ROWS", 15_000)
    monkeypatch.setattr(hazard, "_CUSTOMERS_AT_ONCE", 700)
    part = HazardModel().fit(table).predict(table, horizon=60)["p_survival"]
    assert not np.allclose(part, whole)
    assert (part - whole).abs().max() < 0.1


def test_bad_input_is_named():
    table = customers(50)
    with pytest.raises(InputError, match="nobody left"):
        HazardModel().fit(table.assign(churned=False))
    with pytest.raises(InputError, match="nobody left"):
        CoxModel().fit(table.assign(churned=False))
    with pytest.raises(InputError, match="nobody was seen to stay"):
        HazardModel(n_intervals=1).fit(table.assign(churned=True))
    with pytest.raises(InputError, match="must be above 0 for this model"):
        AFTModel().fit(table.assign(tenure_days=0.0))
    with pytest.raises(InputError, match="`distribution` must be one of"):
        AFTModel(distribution="gamma").fit(table)
    with pytest.raises(InputError, match="no column to learn from"):
        CoxModel().fit(table[["customer_id", "tenure_days", "churned"]])
    with pytest.raises(InputError, match="'plan' is missing in 1 of 50 rows"):
        CoxModel().fit(table.assign(plan=table["plan"].mask(table.index == 3)))
    model = CoxModel().fit(table)
    with pytest.raises(InputError, match="a level that the model has not seen in 50 of 50 rows"):
        model.predict(table.assign(plan="week"), horizon=3)
    with pytest.raises(MissingColumnsError, match="income"):
        model.predict(table.drop(columns="income"), horizon=3)
    with pytest.raises(MissingColumnsError, match="age"):
        CoxModel().fit(table, columns=["age"])


def test_columns_that_add_up_are_refused_in_words():
    table = customers(200).assign(
        twice=lambda t: 2 * t["income"], other=lambda t: t["plan"].map({"month": "a", "year": "b"})
    )
    with pytest.raises(ConvergenceError):
        CoxModel().fit(table)


def test_without_lifelines_the_way_out_is_named(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "lifelines", None)
    with pytest.raises(ImportError, match=r"crmkit\[survival\]"):
        CoxModel().fit(customers(50))
