"""Cox and accelerated failure time regression: known truth, and lifelines' own answers."""

import sys
import warnings

import numpy as np
import pytest

from churn.weibull import customers, true_chance
from crmkit.churn import AFTModel, CoxModel
from crmkit.errors import ConvergenceError, InputError, MissingColumnsError

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    lifelines = pytest.importorskip("lifelines")


@pytest.mark.parametrize("model", [CoxModel(), AFTModel()])
def test_known_chances_are_recovered(model):
    table, new = customers(), customers(400, seed=1)
    model.fit(table)
    for horizon in (15, 60, 120):
        found = model.predict(new, horizon_days=horizon)["p_survival"].to_numpy()
        error = found - true_chance(new, horizon)
        assert abs(error.mean()) < 0.02
        assert np.sqrt((error**2).mean()) < 0.04
    given_tenure = model.predict(
        new.assign(tenure_days=30.0), horizon_days=60, duration="tenure_days"
    )
    whole = (
        model.predict(new, horizon_days=90)["p_survival"]
        / model.predict(new, horizon_days=30)["p_survival"]
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
        name = {"weibull": "Weibull", "loglogistic": "LogLogistic", "lognormal": "LogNormal"}
        fitter = getattr(lifelines, f"{name[distribution]}AFTFitter")()
        table = customers(500)
        plain = table.drop(columns="customer_id").assign(plan=table["plan"].eq("year") * 1.0)
        fitter.fit(plain, duration_col="tenure_days", event_col="churned")
        theirs = fitter.predict_survival_function(plain, times=[50.0]).iloc[0]
    model = AFTModel(distribution=distribution).fit(table)
    ours = model.predict(table, horizon_days=50)["p_survival"]
    np.testing.assert_allclose(ours, theirs, rtol=1e-6)
    assert model.log_likelihood_ == pytest.approx(fitter.log_likelihood_)


def test_cox_predicts_as_lifelines_does():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        table = customers(500)
        plain = table.drop(columns="customer_id").assign(plan=table["plan"].eq("year") * 1.0)
        fitter = lifelines.CoxPHFitter().fit(plain, duration_col="tenure_days", event_col="churned")
        # Between observed times lifelines draws a line where the estimate is a step.
        seen = float(table["tenure_days"].iloc[7])
        theirs = fitter.predict_survival_function(plain, times=[seen]).iloc[0]
    model = CoxModel().fit(table)
    np.testing.assert_allclose(
        model.predict(table, horizon_days=seen)["p_survival"], theirs, rtol=1e-6
    )
    last = table["tenure_days"].max()
    assert model.predict(table, horizon_days=last + 1)["p_survival"].isna().all()


def test_columns_that_add_up_are_refused_in_words():
    table = customers(200).assign(
        twice=lambda t: 2 * t["income"], other=lambda t: t["plan"].map({"month": "a", "year": "b"})
    )
    with pytest.raises(ConvergenceError):
        CoxModel().fit(table)


def test_without_lifelines_the_way_out_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "lifelines", None)
    with pytest.raises(ImportError, match=r"crmkit\[survival\]"):
        AFTModel().fit(customers(50))
    assert len(CoxModel().fit(customers(50)).parameters_) == 2


def test_bad_input_is_named():
    table = customers(50)
    with pytest.raises(InputError, match="nobody left"):
        CoxModel().fit(table.assign(churned=False))
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
        model.predict(table.assign(plan="week"), horizon_days=3)
    with pytest.raises(MissingColumnsError, match="income"):
        model.predict(table.drop(columns="income"), horizon_days=3)
    with pytest.raises(MissingColumnsError, match="age"):
        CoxModel().fit(table, columns=["age"])
