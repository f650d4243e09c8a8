"""GGom/NBD: likelihood and predictions by brute force, its limit, simulation and recovery."""

import numpy as np
import pandas as pd
import pytest

from clv import oracles
from crmkit import clv
from crmkit.clv._math import panels
from crmkit.clv._math.gamma_gompertz import GammaGompertz, p_alive, times_density
from crmkit.clv._math.pareto import Pareto, counts_density
from crmkit.clv._math.rows import Rows

LAW = GammaGompertz()
# Lives that end around an age, most of them early, and nearly as under Pareto/NBD.
THETAS = [(0.8, 30.0, 0.02, 0.9, 20.0), (1.5, 8.0, 0.3, 0.2, 0.05), (0.5, 60.0, 1e-5, 0.7, 1e-3)]
HISTORIES = {
    "frequency": np.array([0.0, 0.0, 1.0, 4.0, 30.0, 4.0]),
    "recency": np.array([0.0, 0.0, 3.0, 200.0, 250.0, 300.0]),
    "T": np.array([300.0, 0.0, 300.0, 300.0, 260.0, 300.0]),
}


def history(theta, rng):
    """Draw a history that is hard: from parameters over many orders of size."""
    T = float(rng.uniform(1, 60))
    x = int(rng.choice([0, 1, 3, 20, 300]))
    return x, T * float(rng.uniform(0.2, 1)) if x else 0.0, T


@pytest.mark.parametrize("seed", range(6))
def test_likelihood_p_alive_and_expectation_equal_the_integrals(seed):
    rng = np.random.default_rng(seed)
    theta = 10.0 ** rng.uniform([-1.5, -1, -3, -1.5, -3], [1.5, 2.5, 1, 2, 3])
    x, t_x, T = history(theta, rng)
    days, rate = float(10 ** rng.uniform(0, 3)), float(rng.choice([0.0, 0.01]))
    columns = [np.array([float(value)]) for value in (x, t_x, T)]
    log_likelihood, alive = oracles.gompertz(theta, x, t_x, T)
    value = times_density(theta, *columns)[0] + counts_density(theta, columns[0])[0]
    assert value[0] == pytest.approx(log_likelihood, abs=1e-9)
    assert p_alive(theta, *columns)[0] == pytest.approx(alive, rel=1e-9)
    state = LAW.future(list(theta), dict(zip(("frequency", "recency", "T"), columns, strict=True)))
    mean = oracles.gompertz_expected(theta, x, T, days, rate)
    assert state.expected(days, rate)[0] == pytest.approx(alive * mean, rel=1e-9)


def test_each_integral_has_nodes_enough(monkeypatch):
    # Against a finer rule for all: hard parameters of many orders, and such as fits meet.
    rng, n = np.random.default_rng(1), 1000
    hard = 10.0 ** rng.uniform([-1.5, -1, -3, -1.5, -3], [1.5, 2.5, 1, 2, 3], (n, 5))
    usual = np.array([0.8, 0.1, 6.0, 0.9, 20.0]) * 10.0 ** rng.uniform(-0.5, 0.5, (n, 5))
    T = np.append(rng.uniform(1, 60, n), rng.uniform(0.2, 2, n))
    x = rng.choice([0.0, 1.0, 3.0, 20.0, 300.0], 2 * n)
    theta, columns = (
        [*np.vstack([hard, usual]).T],
        [x, np.where(x > 0, T * rng.random(2 * n), 0), T],
    )
    found = times_density(theta, *columns), p_alive(theta, *columns)
    monkeypatch.setattr(panels, "_RULES", ((48, np.inf, np.inf, np.inf),))
    exact = times_density(theta, *columns), p_alive(theta, *columns)
    np.testing.assert_allclose(found[0][0], exact[0][0], rtol=1e-12, atol=2e-11)
    np.testing.assert_allclose(found[1], exact[1], rtol=1e-8, atol=1e-12)
    for place, slope in exact[0][1].items():
        np.testing.assert_allclose(found[0][1][place], slope, rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize("theta", THETAS)
def test_derivatives_equal_differences(theta):
    columns = list(HISTORIES.values())

    def pieces(point):
        value, slopes, curves = times_density(point, *columns)
        gradient = np.stack([slopes[j] for j in range(5)], axis=1)
        hessian = np.zeros((value.size, 5, 5))
        for (j, k), curve in curves.items():
            hessian[:, j, k] = hessian[:, k, j] = curve
        return value, gradient, hessian

    def at_logs(logs):
        return pieces(np.exp(logs))[0]

    def slopes_at_logs(logs):
        return pieces(np.exp(logs))[1] * np.exp(logs)

    theta = np.array(theta)
    _, gradient, hessian = pieces(theta)
    numeric = oracles.central_difference(at_logs, np.log(theta))
    np.testing.assert_allclose(gradient * theta, numeric, rtol=1e-6, atol=1e-6)
    in_logs = hessian * np.outer(theta, theta) + np.einsum("ij,jk->ijk", gradient, np.diag(theta))
    numeric = oracles.central_difference(slopes_at_logs, np.log(theta))
    np.testing.assert_allclose(in_logs, numeric, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("theta", THETAS)
def test_masses_add_up_to_tails_and_to_the_mean(theta):
    state, counts = LAW.future(list(theta), HISTORIES), np.arange(2500.0)
    exactly, at_least = state.exactly(90.0, counts), state.at_least(90.0, counts)
    np.testing.assert_allclose(exactly.sum(axis=1), 1.0, rtol=1e-9)
    np.testing.assert_allclose(at_least[:, 1:].sum(axis=1), state.expected(90.0), rtol=1e-8)
    tails = exactly[:, ::-1].cumsum(axis=1)[:, ::-1]
    np.testing.assert_allclose(tails[:, :30], at_least[:, :30], rtol=1e-7, atol=1e-12)


def test_where_risk_does_not_grow_it_is_pareto():
    b, (r, alpha, s, beta) = 1e-9, (0.55, 74.0, 0.61, 82.0)
    rows = Rows(HISTORIES, (None,) * 5, np.ones(6), np.arange(6))
    ours, theirs = [r, alpha, b, s, b * beta], [r, alpha, s, beta]
    totals = [
        sum(part.weight @ part.density(theta, *part.columns)[0] for part in law.parts(rows))
        for law, theta in ((LAW, ours), (Pareto(), theirs))
    ]
    assert totals[0] == pytest.approx(totals[1], rel=1e-7)
    own, other = LAW.future(ours, HISTORIES), Pareto().future(theirs, HISTORIES)
    for days in (1.0, 90.0, 2000.0):
        np.testing.assert_allclose(own.expected(days), other.expected(days), rtol=1e-5)
        np.testing.assert_allclose(own.survival(days), other.survival(days), rtol=1e-5)


@pytest.fixture(scope="module")
def drawn():
    model = clv.GGomNBD()
    model.coefficients_ = np.log(THETAS[0])
    start = pd.DataFrame({"customer_id": range(4000), "T": np.linspace(100.0, 400.0, 4000)})
    return model, model.simulate(start, random_state=1)


@pytest.mark.wide
def test_what_is_drawn_is_found_again(drawn):
    _, table = drawn
    fitted = clv.GGomNBD().fit(table)
    error = (fitted.coefficients_ - np.log(THETAS[0])) / np.sqrt(
        np.diag(fitted.coefficient_covariance_)
    )
    assert (np.abs(error) < 3.5).all()
    assert fitted.boundary_ is None
    # Knowing that risk grows is worth much here: one more parameter, hundreds in ln L.
    assert fitted.log_likelihood_ > clv.ParetoNBD().fit(table).log_likelihood_ + 100.0
    # P(alive) is right on average, over all and among those who seem to have left.
    alive = fitted.predict(table)["p_alive"]
    for some in (alive >= 0.0, alive < 0.3):
        spread = np.sqrt((alive * (1.0 - alive))[some].sum())
        assert abs(table["alive"][some].sum() - alive[some].sum()) < 4.0 * spread


def test_continued_histories_have_the_expected_mean(drawn):
    model, table = drawn
    model.coefficient_draws_ = np.empty((0, 5))
    going = model.simulate(table, horizon_days=60, random_state=3)
    expected = model.predict(table, horizon_days=60, alive_in_days=60)
    bought, mean = going["purchases"], expected["expected_purchases"]
    assert bought.sum() == pytest.approx(mean.sum(), abs=4.0 * np.sqrt((bought**2).sum()))
    later = expected["p_alive_later"]
    spread = np.sqrt((later * (1.0 - later)).sum())
    assert abs(going["alive"].sum() - later.sum()) < 4.0 * spread


def test_covariates_act_on_rate_and_on_risk():
    model = clv.GGomNBD(purchase_covariates=["x"], dropout_covariates=["x"])
    model.coefficients_ = np.append(np.log(THETAS[0]), [0.5, -0.7])
    x = np.tile([0.0, 1.0], 3000)
    start = pd.DataFrame({"customer_id": range(6000), "T": 300.0, "x": x})
    table = model.simulate(start, random_state=2).assign(x=x)
    fitted = clv.GGomNBD(purchase_covariates=["x"], dropout_covariates=["x"]).fit(table)
    found = fitted.parameters_.set_index("term").loc[["purchase.x", "dropout.x"]]
    assert (np.abs(found["estimate"] - [0.5, -0.7]) < 3.5 * found["std_error"]).all()
    # eta times e^(g x) is beta over it: the longer lives are those with x.
    assert table["alive"][x == 1].mean() > table["alive"][x == 0].mean() + 0.03
