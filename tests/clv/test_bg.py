"""BG/NBD and its kin: likelihood, predictions on hard inputs, simulation, recovery."""

import itertools
import math

import mpmath as mp
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clv import oracles
from crmkit import clv
from crmkit.clv._math.beta_geometric import counts_density, times_density
from crmkit.clv._math.beta_geometric_alive import p_alive
from crmkit.clv._math.beta_geometric_future import BetaGeometricFuture
from crmkit.errors import InputError

PUBLISHED = (0.243, 4.414, 0.793, 2.426)
CUSTOMER = (2, 30.43, 38.86)


def log_likelihood(theta, x, t_x, T, *, k=1, first_chance=0):
    x, t_x, T = (np.atleast_1d(np.asarray(v, dtype=float)) for v in (x, t_x, T))
    n, m = k * x, x + first_chance
    return counts_density(theta, n, m)[0] + times_density(theta, n, m, t_x, T, k=k)[0]


def future(theta, x, t_x, T, *, first_chance=0):
    x, t_x, T = (np.atleast_1d(np.asarray(v, dtype=float)) for v in (x, t_x, T))
    r, alpha, a, b = theta
    m = x + first_chance
    return BetaGeometricFuture(
        p_alive(theta, x, m, t_x, T, k=1), r + x, alpha + T, a + 0.0 * x, b + m
    )


positive = st.floats(0.01, 500.0)


@given(
    theta=st.tuples(positive, positive, positive, positive),
    x=st.integers(0, 300),
    shares=st.tuples(st.floats(0.01, 1.0), st.floats(0.1, 900.0)),
    first_chance=st.integers(0, 1),
)
def test_likelihood_and_p_alive_equal_the_definition(theta, x, shares, first_chance):
    T = shares[1]
    t_x = shares[0] * T if x else 0.0
    exact = oracles.bg_log_likelihood(theta, x, t_x, T, first_chance=first_chance)
    found = log_likelihood(theta, x, t_x, T, first_chance=first_chance)[0]
    assert found == pytest.approx(float(exact), rel=1e-11, abs=1e-9)
    alive = float(oracles.bg_p_alive(theta, x, t_x, T, first_chance=first_chance))
    state = future(theta, x, t_x, T, first_chance=first_chance)
    assert state.p_alive[0] == pytest.approx(alive, rel=1e-9)


@pytest.mark.parametrize("k", [1, 2, 3])
@pytest.mark.parametrize("first_chance", [0, 1])
def test_derivatives_equal_differences(k, first_chance):
    theta = np.array([0.7, 4.0, 0.8, 2.4])
    x = np.array([0.0, 1.0, 4.0, 20.0])
    t_x, T = np.array([0.0, 3.0, 20.0, 38.0]), np.array([38.0, 30.0, 38.0, 38.5])
    n, m = k * x, x + first_chance

    def pieces(point):
        counts = counts_density(point, n, m)
        times = times_density(point, n, m, t_x, T, k=k)
        gradient, hessian = np.zeros((4, 4)), np.zeros((4, 4, 4))
        for part in (counts, times):
            for j, slope in part[1].items():
                gradient[:, j] += slope
            for (i, j), curve in part[2].items():
                hessian[:, i, j] += curve
                if i != j:
                    hessian[:, j, i] += curve
        return counts[0] + times[0], gradient, hessian

    _, gradient, hessian = pieces(theta)
    numeric = oracles.central_difference(lambda p: pieces(p)[0], theta)
    np.testing.assert_allclose(gradient, numeric, rtol=1e-6, atol=1e-7)
    numeric = oracles.central_difference(lambda p: pieces(p)[1], theta)
    np.testing.assert_allclose(hessian, numeric, rtol=1e-6, atol=1e-7)


# Parameters, customer, horizon and true expected purchases, where closed forms fail.
HARD = [
    ((4.57, 35.8, 0.415, 0.499), (0, 0, 23.12), 162.8, 0, 4.40117056192),
    ((8.35, 57.8, 0.097, 0.122), (0, 0, 630.65), 212.5, 0, 1.76932791797),
    ((0.25, 30, 0.5, 0.5), (0, 0, 100), 30, 0, 0.0539997526883),
    ((0.25, 30, 0.5, 0.5), (0, 0, 0), 30, 0, 0.198551495975),
    ((0.25, 4.4, 1.0, 2.4), CUSTOMER, 39, 0, 1.10109355706),
    ((0.25, 4.4, 1.0 + 1e-12, 2.4), CUSTOMER, 39, 0, 1.10109355706),
    ((0.525, 6.183, 1.0, 1.614), CUSTOMER, 39, 1, 1.19531332085),
    ((0.951, 0.573, 2.412, 2.497), (406, 3.7, 3.75), 518.8, 1, 173.868226856),
    (PUBLISHED, CUSTOMER, 39, 0, 1.22602817477),
    ((0.525, 6.183, 0.891, 1.614), CUSTOMER, 39, 1, 1.26296062327),
]


@pytest.mark.parametrize(("theta", "customer", "days", "first_chance", "truth"), HARD)
def test_expected_purchases_on_hard_inputs(theta, customer, days, first_chance, truth):
    state = future(theta, *customer, first_chance=first_chance)
    assert state.expected(days)[0] == pytest.approx(truth, rel=1e-9)


@pytest.mark.parametrize("seed", range(25))
def test_expected_purchases_equal_the_integral(seed):
    rng = np.random.default_rng(seed)
    theta = 10.0 ** rng.uniform([-2, -1, -2, -2], [1.5, 2.5, 1.5, 1.5])
    x, T = int(rng.integers(0, 60)), float(rng.uniform(1, 400))
    t_x = float(rng.uniform(0.5, 1.0) * T) if x else 0.0
    days, rate = float(10 ** rng.uniform(0, 3)), float(rng.choice([0.0, 3e-4]))
    exact = float(oracles.bg_expected(theta, x, t_x, T, days, rate=rate))
    found = future(theta, x, t_x, T).expected(days, rate)[0]
    assert found == pytest.approx(exact, rel=2e-11)


def test_unconditional_expectation_matches_the_published_walkthrough():
    # Hardie's BG/NBD spreadsheet and the BTYD walkthrough, exact by mpmath.
    truth = [0.00782835, 0.05326789, 0.15086523, 1.04199606, 1.04524333, 1.86051905]
    state = future(PUBLISHED, 0, 0, 0)
    days = [0.1429, 1, 3, 31.8571, 32, 78]
    found = [state.expected(t)[0] for t in days]
    np.testing.assert_allclose(found, truth, rtol=0, atol=1e-8)


@pytest.mark.parametrize(
    ("customer", "truth"),
    [
        (CUSTOMER, 5.15637982615),
        ((26, 30.86, 31), 70.9064865256),
        ((0, 0, 38.86), 1.01570193112),
    ],
)
def test_discounted_residual_purchases_over_an_infinite_life(customer, truth):
    assert future(PUBLISHED, *customer).expected(math.inf, 0.0027)[0] == pytest.approx(
        truth, rel=1e-10
    )


def test_infinite_life_without_discounting():
    state = future((0.5, 5.0, 2.5, 3.0), 4, 20, 30)
    with mp.workdps(15):  # 40 digits of an endless integral take a while
        exact = oracles.bg_expected((0.5, 5.0, 2.5, 3.0), 4, 20, 30, mp.inf)
    assert state.expected(math.inf)[0] == pytest.approx(float(exact), rel=1e-8)
    assert future((0.5, 5.0, 0.9, 3.0), 4, 20, 30).expected(math.inf)[0] == math.inf


def test_survival_starts_at_p_alive_and_falls():
    state = future(PUBLISHED, *CUSTOMER)
    path = [state.survival(t)[0] for t in (0.0, 1.0, 10.0, 100.0, 1e6)]
    assert path[0] == pytest.approx(0.726578570081, rel=1e-11)
    assert all(a > b for a, b in itertools.pairwise(path))
    modified = future((0.525, 6.183, 0.891, 1.614), *CUSTOMER, first_chance=1)
    assert modified.p_alive[0] == pytest.approx(0.706202265118, rel=1e-11)


def test_random_inputs_give_finite_predictions():
    rng = np.random.default_rng(4)
    for _ in range(60):
        theta = 10.0 ** rng.uniform(-3, 4, 4)
        T = 10.0 ** rng.uniform(-1, 3, 50)
        x = np.floor(10.0 ** rng.uniform(-1, 3, 50))
        t_x = np.where(x > 0, T * rng.uniform(0, 1, 50), 0.0)
        state = future(theta, x, t_x, T)
        for days in (1.0, 365.0, 1e4):
            for rate in (0.0, 1e-3):
                assert np.isfinite(state.expected(days, rate)).all()
        assert np.isfinite(log_likelihood(theta, x, t_x, T)).all()


def _model(theta):
    """A fitted model with the parameters given."""
    model = clv.BGNBD()
    model.coefficients_ = np.log(theta)
    model.coefficient_covariance_ = np.eye(4) * 1e-4
    return model


def test_simulated_means_are_unbiased():
    # The unconditional mean at T = 39 is 1.196723 (mpmath).
    customers = pd.DataFrame({"customer_id": range(150_000), "T": 39.0})
    drawn = _model(PUBLISHED).simulate(customers, random_state=1)
    error = drawn["frequency"].std() / math.sqrt(len(drawn))
    assert abs(drawn["frequency"].mean() - 1.196723) < 3 * error
    assert (drawn["recency"] <= drawn["T"]).all()
    alive = _model(PUBLISHED).predict(drawn)["p_alive"]
    assert drawn["alive"].mean() == pytest.approx(alive.mean(), abs=4e-3)


def test_simulated_means_of_the_modified_model_are_unbiased():
    # The unconditional mean at T = 39 is 1.182954 (mpmath).
    model = clv.MBGNBD()
    model.coefficients_ = np.log([0.525, 6.183, 0.891, 1.614])
    customers = pd.DataFrame({"customer_id": range(150_000), "T": 39.0})
    drawn = model.simulate(customers, random_state=1)
    error = drawn["frequency"].std() / math.sqrt(len(drawn))
    assert abs(drawn["frequency"].mean() - 1.182954) < 3 * error


def test_simulate_then_recover():
    truth = np.array([0.6, 30.0, 0.9, 2.5])
    rng = np.random.default_rng(2)
    customers = pd.DataFrame({"customer_id": range(20_000), "T": rng.uniform(100, 400, 20_000)})
    fitted = clv.BGNBD().fit(_model(truth).simulate(customers, random_state=3))
    table = fitted.parameters_
    assert fitted.converged_
    assert fitted.boundary_ is None
    assert (np.abs(table["estimate"] - truth) < 4 * table["std_error"]).all()


def test_unit_of_time_only_rescales_alpha():
    rng = np.random.default_rng(8)
    table = pd.DataFrame({"customer_id": range(500), "T": rng.integers(50, 300, 500).astype(float)})
    weekly = _model((0.6, 4.0, 0.9, 2.5)).simulate(table.assign(T=table["T"] / 7), random_state=1)
    daily = weekly.assign(recency=weekly["recency"] * 7, T=weekly["T"] * 7)
    one, seven = clv.BGNBD().fit(weekly), clv.BGNBD().fit(daily)
    ratio = seven.parameters_["estimate"] / one.parameters_["estimate"]
    np.testing.assert_allclose(ratio, [1, 7, 1, 1], rtol=1e-6)
    shift = daily["frequency"].sum() * math.log(7)
    assert seven.log_likelihood_ == pytest.approx(one.log_likelihood_ - shift, rel=1e-9)


def test_intervals_cover_and_widen():
    model = _model((0.6, 30.0, 0.9, 2.5))
    customers = pd.DataFrame({"customer_id": range(400), "T": 200.0})
    fitted = clv.BGNBD(prior="weak", n_draws=40, random_state=1).fit(model.simulate(customers))
    history = model.simulate(customers, random_state=5)
    narrow = fitted.predict(history, interval="delta", confidence_level=0.5)
    wide = fitted.predict(history, interval="delta", confidence_level=0.99)
    assert (narrow["conf_low"] >= wide["conf_low"]).all()
    assert (narrow["conf_low"] <= narrow["expected_purchases"]).all()
    assert (narrow["expected_purchases"] <= narrow["conf_high"]).all()
    drawn = fitted.predict(history, interval="posterior")
    ratio = drawn["std_error"] / wide["std_error"]
    assert 0.5 < ratio.median() < 2.0


def test_boundary_optimum_is_named_and_predicts():
    # Everybody buys at the same rate and nobody leaves: a Poisson process.
    rng = np.random.default_rng(1)
    T = np.full(400, 100.0)
    x = rng.poisson(5.0, 400)
    t_x = np.where(x > 0, T * rng.beta(np.maximum(x, 1), 1.0), 0.0)
    customers = pd.DataFrame({"customer_id": range(400), "frequency": x, "recency": t_x, "T": T})
    model = clv.BGNBD().fit(customers)
    assert model.boundary_ is not None
    assert model.converged_
    result = model.predict(customers, interval="delta", annual_discount_rate=0.1)
    assert np.isfinite(result.drop(columns="customer_id").to_numpy()).all()
    assert np.isfinite(model.parameters_.drop(columns="term").to_numpy()).all()


def test_impossible_histories_are_all_named_at_once():
    customers = pd.DataFrame(
        {
            "customer_id": [1, 2, 3, 4],
            "frequency": [1.5, 0, 2, 1],
            "recency": [3.0, 4.0, 20.0, 5.0],
            "T": [10.0, 10.0, 10.0, 10.0],
        }
    )
    with pytest.raises(InputError, match=r"whole number.*above `T`.*`frequency` is 0"):
        clv.BGNBD().fit(customers)
    with pytest.raises(InputError, match="every `T` is 0"):
        clv.BGNBD().fit(customers.assign(frequency=0, recency=0.0, T=0.0))
