"""The apparel retailer's cohort of R CLVTools 0.12.1: 600 customers, 104 weeks, covariates.

Log-likelihoods and parameters in weeks, as run with CLVTools (four digits) and at the same optimum
with a gradient of zero (more digits).
"""

import numpy as np
import pandas as pd
import pytest

from crmkit import clv

BOTH = ["Gender", "Channel"]


@pytest.fixture(scope="module")
def weekly(reference_data):
    log = pd.read_csv(reference_data / "apparelTrans.csv", parse_dates=["Date"])
    log = log.rename(columns={"Id": "customer_id", "Date": "date", "Price": "amount"})
    facts = pd.read_csv(reference_data / "apparelStaticCov.csv")
    table = clv.purchase_table(log, as_of="2006-12-31")
    table = table.assign(recency=table["recency"] / 7, T=table["T"] / 7)
    return table.merge(facts.rename(columns={"Id": "customer_id"}), on="customer_id")


def estimates(model):
    return model.parameters_["estimate"].to_numpy()


def test_pareto_without_covariates(weekly):
    model = clv.ParetoNBD().fit(weekly)
    assert model.log_likelihood_ == pytest.approx(-5848.0978, abs=1e-4)
    truth = [1.448977, 48.636084, 0.561260, 46.884363]
    np.testing.assert_allclose(estimates(model), truth, rtol=6e-5)


def test_pareto_with_static_covariates(weekly):
    model = clv.ParetoNBD(purchase_covariates=BOTH, dropout_covariates=BOTH).fit(weekly)
    assert model.log_likelihood_ == pytest.approx(-5821.062686, abs=1e-6)
    truth = [1.83897, 92.963, 0.59130, 49.513, 0.28614, 0.62393, -0.64187, 0.78976]
    np.testing.assert_allclose(estimates(model), truth, rtol=2e-5)
    errors = [0.34577, 16.979, 0.26026, 36.143, 0.10414, 0.10494, 0.2955, 0.30578]
    np.testing.assert_allclose(model.parameters_["std_error"], errors, rtol=4e-5)


def test_likelihood_ratio_of_the_covariates(weekly):
    plain = clv.ParetoNBD().fit(weekly)
    both = clv.ParetoNBD(purchase_covariates=BOTH, dropout_covariates=BOTH).fit(weekly)
    test = clv.likelihood_ratio_test(restricted=plain, general=both).loc[0]
    assert test["chi_squared"] == pytest.approx(54.0702, abs=2e-4)
    assert test["degrees_of_freedom"] == 4
    assert test["p_value"] == pytest.approx(5.09e-11, rel=2e-3)


def test_equality_constraint(weekly):
    model = clv.ParetoNBD(
        purchase_covariates=BOTH,
        dropout_covariates=BOTH,
        tie=[["purchase.Gender", "dropout.Gender"]],
    ).fit(weekly)
    assert model.log_likelihood_ == pytest.approx(-5826.5342, abs=1e-4)
    assert model.n_parameters_ == 7
    effects = model.parameters_.set_index("term")["estimate"]
    assert effects["purchase.Gender"] == pytest.approx(0.32825, abs=3e-4)
    assert effects["purchase.Gender"] == effects["dropout.Gender"]


def test_bgnbd_with_and_without_covariates(weekly):
    plain = clv.BGNBD().fit(weekly)
    assert plain.log_likelihood_ == pytest.approx(-5857.0197, abs=1e-4)
    np.testing.assert_allclose(
        estimates(plain), [0.607311, 20.956729, 1.275543, 8.860816], rtol=3e-5
    )
    # CLVTools moves a and b by the same effect and stops at -5839.8635 on a boundary.
    same = [[f"dropout_a.{name}", f"dropout_b.{name}"] for name in BOTH]
    options = {"purchase_covariates": BOTH, "dropout_covariates": BOTH}
    tied = clv.BGNBD(**options, tie=same).fit(weekly)
    assert tied.log_likelihood_ == pytest.approx(-5839.8621, abs=1e-4)
    assert "same dropout probability" in tied.boundary_
    free = clv.BGNBD(**options).fit(weekly)
    assert free.log_likelihood_ > tied.log_likelihood_ + 2.0


def test_gamma_gamma(weekly):
    model = clv.GammaGamma(first_purchase=False).fit(weekly)
    assert model.log_likelihood_ == pytest.approx(-1670.6630, abs=1e-4)
    np.testing.assert_allclose(estimates(model), [3.09903, 5.65367, 56.50408], rtol=1e-5)


def test_ridge_shrinks_effects_and_reports_the_likelihood_itself(weekly):
    options = {"purchase_covariates": BOTH, "dropout_covariates": BOTH}
    free = clv.ParetoNBD(**options).fit(weekly)
    ridge = clv.ParetoNBD(**options, l2=20.0).fit(weekly)
    strong = clv.ParetoNBD(**options, l2=1e8).fit(weekly)
    assert np.abs(estimates(ridge)[4:]).sum() < np.abs(estimates(free)[4:]).sum()
    assert strong.log_likelihood_ < ridge.log_likelihood_ < free.log_likelihood_
    assert strong.log_likelihood_ == pytest.approx(-5848.0978, abs=1e-3)
