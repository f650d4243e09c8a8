"""Pareto/NBD: likelihood and predictions on hard inputs, simulation, recovery."""

import math

import mpmath as mp
import numpy as np
import pandas as pd
import pytest

from clv import oracles
from crmkit import clv
from crmkit.clv._math.pareto import counts_density, p_alive, times_density
from crmkit.clv._math.pareto_future import ParetoFuture

PUBLISHED = (0.5534, 10.5802, 0.6061, 11.6562)


def log_likelihood(theta, x, t_x, T):
    x, t_x, T = (np.atleast_1d(np.asarray(v, dtype=float)) for v in (x, t_x, T))
    return (counts_density(theta, x)[0] + times_density(theta, x, t_x, T)[0])[0]


def future(theta, x, t_x, T):
    x, t_x, T = (np.atleast_1d(np.asarray(v, dtype=float)) for v in (x, t_x, T))
    r, alpha, s, beta = theta
    return ParetoFuture(p_alive(theta, x, t_x, T), r + x, alpha + T, s + 0.0 * x, beta + T)


def test_derivatives_equal_differences():
    theta = np.array([0.7, 4.0, 0.8, 9.0])
    x, t_x = np.array([0.0, 1.0, 4.0, 20.0]), np.array([0.0, 3.0, 20.0, 38.0])
    T = np.array([38.0, 30.0, 38.0, 38.5])

    def pieces(point):
        value, gradient, hessian = np.zeros(4), np.zeros((4, 4)), np.zeros((4, 4, 4))
        for part in (counts_density(point, x), times_density(point, x, t_x, T)):
            value = value + part[0]
            for j, slope in part[1].items():
                gradient[:, j] += slope
            for (i, j), curve in part[2].items():
                hessian[:, i, j] += curve
                if i != j:
                    hessian[:, j, i] += curve
        return value, gradient, hessian

    _, gradient, hessian = pieces(theta)
    numeric = oracles.central_difference(lambda p: pieces(p)[0], theta)
    np.testing.assert_allclose(gradient, numeric, rtol=1e-6, atol=1e-7)
    numeric = oracles.central_difference(lambda p: pieces(p)[1], theta)
    np.testing.assert_allclose(hessian, numeric, rtol=1e-6, atol=1e-7)


HARD = [
    ((0.05, 147.3, 7.36, 0.305), (688, 15.53, 15.53), 269.399888876, 1.0),
    ((0.195, 5.3, 0.827, 123.9), (531, 9.73, 16.2), 1350.40295164, None),
    ((1.88, 2.29, 1.93, 333.5), (621, 12.34, 13.53), 1704.01417048, 5.30446769e-18),
    (PUBLISHED, (26, 30.86, 31), -39.1321278835, 0.997917766552),
]


@pytest.mark.parametrize(("theta", "customer", "value", "alive"), HARD)
def test_likelihood_on_hard_inputs(theta, customer, value, alive):
    assert log_likelihood(theta, *customer) == pytest.approx(value, rel=1e-11)
    if alive is not None:
        assert future(theta, *customer).p_alive[0] == pytest.approx(alive, rel=1e-9)


@pytest.mark.parametrize("seed", range(30))
def test_likelihood_and_p_alive_equal_the_integral(seed):
    rng = np.random.default_rng(seed)
    theta = 10 ** rng.uniform([-2, -3, -2, -3], [2, 4, 2, 4])
    x, T = int(10 ** rng.uniform(-0.5, 3.3)), 10 ** rng.uniform(0, 2.5)
    t_x = T * rng.uniform() if x else 0.0
    exact, alive = oracles.pareto(theta, x, t_x, T)
    assert log_likelihood(theta, x, t_x, T) == pytest.approx(exact, rel=3e-11, abs=1e-10)
    assert future(theta, x, t_x, T).p_alive[0] == pytest.approx(alive, rel=1e-9)


def test_expected_purchases():
    # The value at s = 1 is r / alpha * beta * ln(1 + t / beta), exactly.
    one = (0.55, 10.6, 1.0, 11.7)
    exact = 0.55 / 10.6 * 11.7 * math.log1p(52 / 11.7)
    assert future(one, 0, 0, 0).expected(52)[0] == pytest.approx(exact, rel=1e-14)
    assert exact == pytest.approx(1.02874749653, rel=1e-11)
    near = (0.55, 10.6, 1.0 + 1e-12, 11.7)
    assert future(near, 0, 0, 0).expected(52)[0] == pytest.approx(exact, rel=1e-11)
    assert future(one, 26, 30.86, 31).expected(52)[0] == pytest.approx(21.6322214508921, rel=1e-11)
    assert future(PUBLISHED, 26, 30.86, 31).expected(52)[0] == pytest.approx(
        25.4549135115, rel=1e-11
    )
    assert future(PUBLISHED, 0, 0, 0).expected(52)[0] == pytest.approx(1.4730669919, rel=1e-10)
    hard = future((0.05, 147.3, 7.36, 0.305), 688, 15.53, 15.53)
    assert hard.expected(13.7)[0] == pytest.approx(10.3210935424, rel=1e-11)


def test_discounted_residual_purchases_match_the_published_table():
    theta, delta = (0.5629966, 12.5590370, 0.4081095, 10.5148048), 0.0027
    found = future(theta, 7, 35, 77.86).expected(math.inf, delta)[0]
    assert found == pytest.approx(1.86418332807, rel=1e-11)
    x = np.arange(1, 11)
    found = future(theta, x, np.full(10, 30), np.full(10, 77.86)).expected(math.inf, delta)
    truth = [2.1991554, 2.8435344, 2.8671284, 2.4454101, 1.8405019]
    truth += [1.2624165, 0.8096181, 0.4948036, 0.2920247, 0.1679275]
    np.testing.assert_allclose(found, truth, atol=6e-8)


@pytest.mark.parametrize("seed", range(30))
def test_discounting_equals_exponential_integrals(seed):
    rng = np.random.default_rng(seed)
    theta, delta = 10 ** rng.uniform([-2, -3, -2, -3], [2, 4, 2, 4]), 10 ** rng.uniform(-6, 0)
    days = math.inf if seed % 2 else 10 ** rng.uniform(-1, 4)
    state = future(theta, 3, 5, 10)
    s, B = mp.mpf(theta[2]), mp.mpf(theta[3]) + 10

    def tail(t):
        z = delta * (B + t)
        scale = B * mp.exp(-delta * t) * (1 + t / B) ** (1 - s)
        return scale * mp.exp(z) * mp.expint(s, z)

    time = tail(mp.mpf(0)) - (tail(mp.mpf(days)) if days < math.inf else 0)
    exact = float(time) * (theta[0] + 3) / (theta[1] + 10) * state.p_alive[0]
    assert state.expected(days, delta)[0] == pytest.approx(exact, rel=1e-11)


def _model(theta):
    model = clv.ParetoNBD()
    model.coefficients_ = np.log(theta)
    model.coefficient_covariance_ = np.eye(4) * 1e-4
    return model


def test_simulated_means_are_unbiased():
    customers = pd.DataFrame({"customer_id": range(150_000), "T": 39.0})
    drawn = _model(PUBLISHED).simulate(customers, random_state=1)
    truth = future(PUBLISHED, 0, 0, 0).expected(39)[0]
    assert truth == pytest.approx(1.213003, abs=2e-4)
    error = drawn["frequency"].std() / math.sqrt(len(drawn))
    assert abs(drawn["frequency"].mean() - truth) < 3 * error
    alive = _model(PUBLISHED).predict(drawn)["p_alive"]
    assert drawn["alive"].mean() == pytest.approx(alive.mean(), abs=4e-3)


def test_simulate_then_recover_with_covariates():
    rng = np.random.default_rng(2)
    n = 15_000
    customers = pd.DataFrame(
        {
            "customer_id": range(n),
            "T": rng.integers(20, 60, n) * 7.0,
            "web": rng.integers(0, 2, n),
            "age": rng.choice([-1.0, 0.0, 1.0], n),
        }
    )
    options = {"purchase_covariates": ["web", "age"], "dropout_covariates": ["web"]}
    truth = clv.ParetoNBD(**options)
    truth.coefficients_ = np.array([*np.log([0.8, 40.0, 0.7, 60.0]), 0.5, -0.2, -0.8])
    drawn = truth.simulate(customers, random_state=3).merge(
        customers[["customer_id", "web", "age"]]
    )
    model = clv.ParetoNBD(**options).fit(drawn)
    assert model.converged_
    assert model.boundary_ is None
    error = np.sqrt(np.diag(model.coefficient_covariance_))
    assert (np.abs(model.coefficients_ - truth.coefficients_) < 4 * error).all()
    assert model.parameters_["term"].tolist()[4:] == ["purchase.web", "purchase.age", "dropout.web"]


def test_weights_stand_for_repeated_customers():
    table = pd.DataFrame(
        {
            "customer_id": range(6),
            "frequency": [0, 2, 5, 1, 3, 9],
            "recency": [0.0, 15.0, 28.0, 2.0, 9.0, 29.0],
            "T": [30.0, 29.0, 30.0, 31.0, 30.0, 29.5],
            "n": [50, 9, 4, 20, 8, 2],
        }
    )
    repeated = table.loc[table.index.repeat(table["n"])].reset_index(drop=True)
    repeated["customer_id"] = range(len(repeated))
    one, two = clv.ParetoNBD().fit(table, weights="n"), clv.ParetoNBD().fit(repeated)
    np.testing.assert_allclose(one.coefficients_, two.coefficients_, rtol=1e-6)
    assert one.bic_ == pytest.approx(two.bic_)
