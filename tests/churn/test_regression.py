"""Cox and accelerated failure time regression: known truth, and lifelines' own answers."""

import sys
import warnings

import numpy as np
import pandas as pd
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


def towns(n=600):
    """Customers whose towns are left at other times, not at another factor."""
    rng = np.random.default_rng(7)
    table = customers(n)
    table["town"] = rng.choice(["north", "south", "west"], n)
    time = table["tenure_days"] ** np.where(table["town"] == "north", 1.3, 0.8)
    return table.assign(tenure_days=time.round(), since=(time * rng.random(n) * 0.5).round())


@pytest.mark.parametrize("entry", [None, "since"])
def test_strata_are_those_of_lifelines(entry):
    table = towns()
    table = table[table["tenure_days"] > table["since"]].reset_index(drop=True)
    model = CoxModel(strata="town")
    plain = table.drop(columns=["customer_id"]).assign(plan=table["plan"].eq("year") * 1.0)
    if entry is None:
        table, plain = table.drop(columns="since"), plain.drop(columns="since")
    model.fit(table, entry=entry)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fitter = lifelines.CoxPHFitter().fit(
            plain, duration_col="tenure_days", event_col="churned", strata="town", entry_col=entry
        )
    ours = model.parameters_.assign(term=lambda t: t["term"].str.removesuffix("=year"))
    ours = ours.set_index("term").loc[fitter.params_.index]
    np.testing.assert_allclose(ours["estimate"], fitter.params_, rtol=1e-5)
    np.testing.assert_allclose(ours["std_error"], fitter.standard_errors_, rtol=1e-5)
    assert model.log_likelihood_ == pytest.approx(fitter.log_likelihood_)
    # Breslow's baseline of each town, step by step; lifelines' knows no late entries.
    score = (plain[fitter.params_.index] - plain[fitter.params_.index].mean()) @ fitter.params_
    since = table["since"] if entry else 0 * table["tenure_days"]
    for town, mine in model.baseline_.groupby("town"):
        total, here = 0.0, table["town"] == town
        for time, hazard in zip(mine["time"], mine["cumulative_hazard"], strict=True):
            risk = here & (table["tenure_days"] >= time) & ((since < time) | (since == 0))
            leaves = here & (table["tenure_days"] == time) & table["churned"]
            total += leaves.sum() / np.exp(score[risk]).sum()
            assert hazard == pytest.approx(total, rel=1e-4, abs=1e-12)


def test_one_stratum_is_none_and_a_stratum_learns_from_its_own():
    table = towns().drop(columns="since")
    whole = CoxModel().fit(table, columns=["plan", "income"])
    one = CoxModel(strata="all").fit(table.assign(all="yes"), columns=["plan", "income"])
    np.testing.assert_allclose(one.parameters_["estimate"], whole.parameters_["estimate"])
    pd.testing.assert_frame_equal(one.baseline_.drop(columns="all"), whole.baseline_)
    pd.testing.assert_frame_equal(one.proportionality_, whole.proportionality_)
    model = CoxModel(strata=["town"]).fit(table)
    later = model.predict(table, horizon_days=20)["p_survival"]
    by_town = later.groupby(table["town"]).mean()
    stayed = table.groupby("town")["tenure_days"].apply(lambda t: (t > 20).mean())
    assert by_town.idxmin() == stayed.idxmin()
    with pytest.raises(InputError, match="a stratum that the model has not seen in 600 of 600"):
        model.predict(table.assign(town="east"), horizon_days=20)
    with pytest.raises(MissingColumnsError, match="town"):
        model.predict(table.drop(columns="town"), horizon_days=20)


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
