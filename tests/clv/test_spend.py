"""The gamma-gamma model: likelihood, limits, recovery."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clv import oracles
from crmkit import clv
from crmkit.clv._math.spend import counts_density, expected_spend, spend_density
from crmkit.errors import InputError

positive = st.floats(0.05, 300.0)


@given(theta=st.tuples(positive, positive, positive), x=st.integers(1, 200), z=positive)
def test_likelihood_equals_the_definition(theta, x, z):
    x, z = np.array([float(x)]), np.array([z])
    found = counts_density(theta, x)[0] + spend_density(theta, x, z)[0]
    exact = oracles.gamma_gamma_log_likelihood(theta, x[0], z[0])
    assert found[0] == pytest.approx(float(exact), rel=1e-10, abs=1e-9)


@pytest.mark.parametrize(
    ("x", "z", "truth"),
    [(2, 22.35, 24.6637139), (1, 11.77, 18.9168521), (0, 0, 35.2189781), (7, 73.74, 71.4696709)],
)
def test_expected_spend_matches_the_published_values(x, z, truth):
    found = expected_spend((6.25, 3.74, 15.44), np.array([float(x)]), np.array([z]))
    assert found[0] == pytest.approx(truth, abs=1e-7)


def _model(theta):
    model = clv.GammaGamma()
    model.coefficients_ = np.log(theta)
    model.coefficient_covariance_ = np.eye(3) * 1e-4
    return model


def test_infinite_mean_is_refused_in_words():
    customers = pd.DataFrame({"customer_id": [1], "frequency": [0], "monetary_value": [0.0]})
    with pytest.raises(InputError, match="infinite"):
        _model((3.0, 0.8, 20.0)).predict(customers)
    seen = customers.assign(frequency=2, monetary_value=30.0)
    assert np.isfinite(_model((3.0, 0.8, 20.0)).predict(seen)["expected_amount"]).all()


def test_simulate_then_recover():
    rng = np.random.default_rng(3)
    customers = pd.DataFrame({"customer_id": range(8000), "frequency": rng.poisson(2.0, 8000)})
    truth = np.array([4.0, 3.5, 25.0])
    drawn = _model(truth).simulate(customers, random_state=1)
    fitted = clv.GammaGamma().fit(drawn)
    table = fitted.parameters_
    assert (np.abs(table["estimate"] - truth) < 4 * table["std_error"]).all()
    assert fitted.n_customers_ == (customers["frequency"] > 0).sum()
    predicted = fitted.predict(drawn)["expected_amount"]
    assert np.corrcoef(predicted, drawn["mean_amount"])[0, 1] > 0.7


def test_covariates_on_spend_are_recovered():
    rng = np.random.default_rng(5)
    n = 6000
    table = pd.DataFrame(
        {"customer_id": range(n), "frequency": 1 + rng.poisson(2.0, n), "member": np.arange(n) % 2}
    )
    model = clv.GammaGamma(spend_covariates=["member"])
    model.coefficients_ = np.log([4.0, 3.5, 25.0, np.exp(0.4)])
    fitted = clv.GammaGamma(spend_covariates=["member"]).fit(
        model.simulate(table).assign(member=table["member"])
    )
    effect = fitted.parameters_.set_index("term").loc["spend.member"]
    assert abs(effect["estimate"] - 0.4) < 4 * effect["std_error"]


def test_currency_only_rescales_v():
    rng = np.random.default_rng(3)
    customers = pd.DataFrame({"customer_id": range(900), "frequency": rng.poisson(2.0, 900)})
    euro = _model((4.0, 3.5, 25.0)).simulate(customers, random_state=1)
    cents = euro.assign(monetary_value=euro["monetary_value"] * 100)
    one, hundred = clv.GammaGamma().fit(euro), clv.GammaGamma().fit(cents)
    ratio = hundred.parameters_["estimate"] / one.parameters_["estimate"]
    np.testing.assert_allclose(ratio, [1, 1, 100], rtol=1e-6)


def test_same_mean_for_all_is_a_named_boundary():
    rng = np.random.default_rng(6)
    x = 1 + rng.poisson(3.0, 500)
    customers = pd.DataFrame(
        {"customer_id": range(500), "frequency": x, "monetary_value": rng.gamma(4.0 * x) / x * 5}
    )
    model = clv.GammaGamma().fit(customers)
    if model.boundary_ is not None:
        assert "same mean spend" in model.boundary_
    predicted = model.predict(customers, interval="delta")
    assert predicted["expected_amount"].std() < 0.1 * predicted["expected_amount"].mean()
    assert np.isfinite(predicted.to_numpy(dtype=float)).all()


def test_nobody_with_spend_is_said():
    customers = pd.DataFrame({"customer_id": [1, 2], "frequency": [0, 0], "monetary_value": 0.0})
    with pytest.raises(InputError, match="no spend to learn from"):
        clv.GammaGamma().fit(customers)
    with pytest.raises(InputError, match="'monetary_value' is missing"):
        clv.GammaGamma().fit(customers.assign(frequency=1, monetary_value=np.nan))


@given(logs=st.lists(st.floats(-4.0, 4.0), min_size=3, max_size=3))
def test_expected_spend_is_finite_or_refused(logs):
    customers = pd.DataFrame(
        {"customer_id": range(4), "frequency": [0, 1, 7, 900], "monetary_value": [0, 1e-3, 40, 1e7]}
    )
    try:
        told = _model(10.0 ** np.array(logs)).predict(customers, interval="delta")
    except InputError:
        # The mean of the population is infinite.
        assert 10.0 ** logs[1] <= 1.0 + 1e-3
        return
    assert np.isfinite(told.to_numpy(float)).all()
    assert (told["expected_amount"] > 0.0).all()
