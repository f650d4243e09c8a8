"""The apparel retailer's cohort with weekly covariates: R CLVTools 0.12.1, pnbd with dynamic
covariates, estimation.split = 104 weeks, High.Season, Gender and Channel on both processes.

CLVTools prints four digits of a log-likelihood in weeks that it finds by Nelder-Mead in 77 CPU
seconds. Nobody leaves in the high season: the effect runs to minus infinity, where the likelihood
is 0.31 higher than at CLVTools' estimate of -2.48.
"""

import numpy as np
import pandas as pd
import pytest

from crmkit import clv

COVARIATES = ["High.Season", "Gender", "Channel"]
AS_OF = "2006-12-31"
# r, alpha, s, beta in weeks; effects on purchases, on dropout.
PRINTED = [1.977741, 115.177914, 2.012733, 158.181795, 0.718271, 0.264902, 0.613740]
PRINTED += [-2.482672, -0.512472, 0.505732]
PRINTED_LIKELIHOOD = -5752.9367


@pytest.fixture(scope="module")
def cohort(reference_data):
    log = pd.read_csv(reference_data / "apparelTrans.csv", parse_dates=["Date"])
    log = log.rename(columns={"Id": "customer_id", "Date": "date", "Price": "amount"})
    weekly = pd.read_csv(reference_data / "apparelDynCov.csv.gz", parse_dates=["Cov.Date"])
    return log, weekly.rename(columns={"Id": "customer_id", "Cov.Date": "date"})


@pytest.fixture(scope="module")
def model(cohort):
    log, weekly = cohort
    model = clv.TimeVaryingParetoNBD(purchase_covariates=COVARIATES, dropout_covariates=COVARIATES)
    return model.fit(log, covariates=weekly, as_of=AS_OF)


def in_weeks(log_likelihood, log):
    """A density per day is a seventh of one per week, for each repeat purchase."""
    repeats = clv.purchase_table(log, as_of=AS_OF)["frequency"].sum()
    return log_likelihood + repeats * np.log(7.0)


def test_likelihood_at_the_printed_estimates(cohort):
    from crmkit.clv._math.varying_likelihood import effects_of, likelihood
    from crmkit.clv._model.varying_read import read_histories

    log, weekly = cohort
    read = read_histories(log, weekly, COVARIATES, as_of=AS_OF)
    h, effects = read.histories, effects_of(read.paths.values, [[0, 1, 2], [0, 1, 2]])
    coefficients = np.array(PRINTED)
    coefficients[:4] = np.log(coefficients[:4] * [1.0, 7.0, 1.0, 7.0])
    purchases = np.concatenate([[-(h.weight @ h.frequency)], read.bought])
    value, gradient, _ = likelihood(h, read.paths, effects, purchases, coefficients)
    assert in_weeks(value, log) == pytest.approx(PRINTED_LIKELIHOOD, abs=5e-5)
    # The search stopped short of the maximum along the effects.
    assert np.abs(gradient).max() > 0.5


def test_fit_finds_the_higher_likelihood_on_the_boundary(model, cohort):
    found = in_weeks(model.log_likelihood_, cohort[0])
    assert found == pytest.approx(-5752.623173, abs=1e-5)
    assert found > PRINTED_LIKELIHOOD
    assert model.converged_
    assert model.gradient_norm_ < 1e-5
    assert model.boundary_ == "the data do not determine dropout.High.Season"
    effects = model.parameters_.set_index("term")["estimate"]
    assert effects["dropout.High.Season"] < -8.0
    # What does not depend on that effect agrees with the published estimates.
    for term, printed in (("High.Season", 0.718271), ("Gender", 0.264902), ("Channel", 0.613740)):
        assert effects[f"purchase.{term}"] == pytest.approx(printed, abs=0.01)


def test_covariates_of_dropout_that_never_stop_it(cohort):
    log, weekly = cohort
    options = {"purchase_covariates": COVARIATES, "dropout_covariates": COVARIATES[1:]}
    inner = clv.TimeVaryingParetoNBD(**options).fit(log, covariates=weekly, as_of=AS_OF)
    assert inner.boundary_ is None
    assert inner.converged_
    ridge = clv.TimeVaryingParetoNBD(
        purchase_covariates=COVARIATES, dropout_covariates=COVARIATES, l2=0.1
    ).fit(log, covariates=weekly, as_of=AS_OF)
    assert ridge.boundary_ is None
    assert -5.0 < ridge.parameters_["estimate"][7] < -0.5


def test_season_improves_on_static_covariates(model, cohort):
    log, weekly = cohort
    facts = weekly.drop_duplicates("customer_id").drop(columns="date")
    table = clv.purchase_table(log, as_of=AS_OF).merge(facts, on="customer_id")
    static = clv.ParetoNBD(
        purchase_covariates=COVARIATES[1:], dropout_covariates=COVARIATES[1:]
    ).fit(table)
    test = clv.likelihood_ratio_test(restricted=static, general=model)
    assert test["degrees_of_freedom"][0] == 2
    assert test["chi_squared"][0] == pytest.approx(2 * (5821.062686 - 5752.623173), abs=1e-4)


def test_the_second_half_is_foreseen_season_by_season(model, cohort):
    log, weekly = cohort
    days = (log["date"].max() - pd.Timestamp(AS_OF)).days
    split = clv.holdout_table(log, as_of=AS_OF)
    predicted = model.predict(log, covariates=weekly, as_of=AS_OF, horizon_days=days)
    total, bought = predicted["expected_purchases"].sum(), split["holdout_frequency"].sum()
    assert 0.7 < total / bought < 1.3
