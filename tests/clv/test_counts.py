"""Probabilities of numbers of purchases, for all models, and the regular ones throughout."""

import math

import numpy as np
import pandas as pd
import pytest

from crmkit import clv
from crmkit.clv._math.beta_geometric_future import BetaGeometricFuture
from crmkit.clv._math.pareto import p_alive
from crmkit.clv._math.pareto_future import ParetoFuture

ONE = np.ones(1)
BG = BetaGeometricFuture(ONE, 0.243 * ONE, 4.414 * ONE, 0.793 * ONE, 2.426 * ONE)


@pytest.mark.parametrize(
    ("days", "count", "truth"),
    [
        (39, 0, 0.573786352096),
        (2, 10, 1.07868964037e-7),
        (2, 60, 3.56056729e-34),
        (365, 171, 1.01658604639e-5),
        (365, 200, 5.47896782477e-6),
        (30, 11, 0.0019995214),
        (30, 12, 0.0015170236),
        (30, 13, 0.001163315),
    ],
)
def test_bgnbd_mass_on_hard_inputs(days, count, truth):
    digits = len(str(truth).replace(".", "").split("e")[0].lstrip("0"))
    found = BG.exactly(days, np.array([float(count)]))[0, 0]
    assert found == pytest.approx(truth, rel=max(1e-9, 6 * 10.0**-digits))


def test_new_customers_share_with_no_purchase_is_not_a_repeat_customers():
    # PyMC-Marketing gives 0.93184 for x = 0, T = 38.86; the truth is 0.85512 at its estimates.
    r, alpha, a, b = 0.2425945, 4.4136019, 0.7929199, 2.4258881
    state = BetaGeometricFuture(ONE, r * ONE, (alpha + 38.86) * ONE, a * ONE, b * ONE)
    truth = (1 + 39 / (alpha + 38.86)) ** -r
    assert state.exactly(39, np.zeros(1))[0, 0] == pytest.approx(truth, rel=1e-12)
    assert truth == pytest.approx(0.85512, abs=2e-3)


def _pareto():
    theta = (0.55, 10.6, 0.61, 11.7)
    x, t_x, T = np.array([3.0, 0.0, 26.0]), np.array([20.0, 0.0, 30.86]), np.array([30.0, 30.0, 31])
    return ParetoFuture(p_alive(theta, x, t_x, T), 0.55 + x, 10.6 + T, np.full(3, 0.61), 11.7 + T)


def _regular(k):
    stages = np.arange(1.0, k + 1)[:, None] / (k * (k + 1) / 2)
    return BetaGeometricFuture(0.8 * ONE, 6.3 * ONE, 35.0 * ONE, 0.6 * ONE, 4.5 * ONE, stages)


@pytest.mark.parametrize(
    "state", [BG, _pareto(), _regular(1), _regular(2), _regular(5)], ids=lambda s: type(s).__name__
)
def test_masses_add_up_to_tails_and_to_the_mean(state):
    counts = np.arange(3000.0)
    exactly, at_least = state.exactly(40.0, counts), state.at_least(40.0, counts)
    np.testing.assert_allclose(exactly.sum(axis=1), 1.0, rtol=1e-9)
    np.testing.assert_allclose(at_least[:, 1:].sum(axis=1), state.expected(40.0), rtol=1e-9)
    tails = exactly[:, ::-1].cumsum(axis=1)[:, ::-1]
    np.testing.assert_allclose(tails[:, :40], at_least[:, :40], rtol=1e-8, atol=1e-13)


def test_k_of_one_is_the_model_without_regularity():
    plain = BetaGeometricFuture(0.8 * ONE, 6.3 * ONE, 35.0 * ONE, 0.6 * ONE, 4.5 * ONE)
    for days in (1.0, 40.0, 4000.0):
        assert _regular(1).expected(days)[0] == pytest.approx(plain.expected(days)[0], rel=1e-12)
        assert _regular(1).survival(days)[0] == pytest.approx(plain.survival(days)[0], rel=1e-12)
        for rate in (3e-4, 0.01):
            assert _regular(1).expected(days, rate)[0] == pytest.approx(
                plain.expected(days, rate)[0], rel=1e-10
            )


@pytest.mark.parametrize("k", [2, 3])
def test_regular_predictions_equal_a_simulation(k):
    state, n, days = _regular(k), 400_000, 30.0
    rng = np.random.default_rng(k)
    stage = rng.choice(k, size=n, p=state.stages[:, 0])
    done = rng.poisson(days * rng.gamma(6.3 + stage) / 35.0)
    made = (done + stage) // k
    chance = rng.geometric(rng.beta(0.6, 4.5, n))
    count = np.minimum(made, chance)
    error = count.std() / math.sqrt(n)
    assert abs(count.mean() - state.expected(days)[0] / 0.8) < 4 * error
    assert abs((made < chance).mean() - state.survival(days)[0] / 0.8) < 4e-3
    found = state.exactly(days, np.arange(1.0, 5.0))[0] / 0.8
    np.testing.assert_allclose(found, [(count == c).mean() for c in range(1, 5)], atol=4e-3)


def _model(kind, theta, **options):
    model = kind(**options)
    model.coefficients_ = np.log(theta)
    model.coefficient_covariance_ = np.eye(len(theta)) * 1e-4
    return model


def test_regularity_is_recovered():
    truth = _model(clv.MBGCNBD, (1.3, 2.8 * 7, 0.4, 0.8))
    truth.k_ = 3
    rng = np.random.default_rng(1)
    empty = pd.DataFrame({"customer_id": range(8000), "T": rng.uniform(100, 500, 8000)})
    drawn = truth.simulate(empty, random_state=1)
    model = clv.MBGCNBD().fit(drawn)
    assert model.k_ == 3
    table = model.parameters_
    assert (np.abs(table["estimate"] - [1.3, 2.8 * 7, 0.4, 0.8]) < 4 * table["std_error"]).all()
    assert drawn["alive"].mean() == pytest.approx(model.predict(drawn)["p_alive"].mean(), abs=0.02)
    assert model.aic_ < clv.MBGCNBD(k=1).fit(drawn).aic_


def test_regularity_one_is_bgnbd():
    rng = np.random.default_rng(1)
    empty = pd.DataFrame({"customer_id": range(800), "T": rng.uniform(100, 500, 800)})
    drawn = _model(clv.BGNBD, (0.6, 30.0, 0.9, 2.5)).simulate(empty, random_state=1)
    one = clv.BGCNBD(k=1).fit(drawn.assign(sum_log_gaps=0.0))
    assert one.log_likelihood_ == pytest.approx(clv.BGNBD().fit(drawn).log_likelihood_, rel=1e-12)


@pytest.mark.parametrize(
    ("model", "customer"),
    [
        (_model(clv.BGNBD, (0.6, 30.0, 0.9, 2.5)), {"frequency": 2, "recency": 90.0, "T": 99.0}),
        (_model(clv.ParetoNBD, (0.6, 30, 0.9, 25)), {"frequency": 2, "recency": 90.0, "T": 99.0}),
        (
            _model(clv.BGBB, (1.2, 0.75, 0.66, 2.78), period_days=30),
            {"frequency": 3, "recency": 4, "periods": 6},
        ),
        (
            _model(clv.ShiftedBetaGeometric, (0.7, 3.8), period_days=30),
            {"periods": 4, "churned": False},
        ),
        (
            _model(clv.BetaDiscreteWeibull, (0.7, 3.8, 1.2), period_days=30),
            {"periods": 4, "churned": False},
        ),
    ],
    ids=lambda value: type(value).__name__,
)
def test_table_of_probabilities(model, customer):
    table = pd.DataFrame([{"customer_id": "ann", **customer}])
    found = model.purchase_probabilities(table, horizon_days=300, max_purchases=150)
    assert found["purchases"].tolist() == list(range(151))
    assert found["p_exactly"].sum() == pytest.approx(1.0, abs=1e-6)
    assert found["p_at_least"][0] == 1.0
    mean = model.predict(table, horizon_days=300)["expected_purchases"][0]
    assert found["p_at_least"][1:].sum() == pytest.approx(mean, rel=1e-4)
    none = model.purchase_probabilities(table, horizon_days=0, max_purchases=1)
    assert none["p_exactly"].tolist() == [1.0, 0.0]


def test_pareto_mass_equals_the_integral():
    import mpmath as mp

    state = _pareto()
    n, A, s, B = 3.55, 40.6, 0.61, 41.7
    for count in (0, 1, 7):

        def mass(u, count=count):
            log = mp.rf(n, count) / mp.factorial(count)
            return log * (A / (A + u)) ** n * (u / (A + u)) ** count

        dead = mp.quad(lambda u: mass(u) * s * B**s / (B + u) ** (s + 1), [0, 5, 40])
        exact = state.p_alive[0] * float(mass(mp.mpf(40)) * (B / (B + mp.mpf(40))) ** s + dead)
        exact += (1 - state.p_alive[0]) * (count == 0)
        found = state.exactly(40.0, np.array([float(count)]))[0, 0]
        assert found == pytest.approx(exact, rel=1e-11)


def test_regular_purchases_in_a_moment():
    # With two or three stages to go a purchase within a thousandth of a day has a chance of its
    # own order, not of rounding: P(two or three Erlang stages), here without dropout.
    k, rate = 3, 3000.0
    state = BetaGeometricFuture(ONE, 0.5 * ONE, rate * ONE, 1e-9 * ONE, 1.0 * ONE, np.eye(k)[:, :1])
    found = [state.expected(days)[0] for days in (1e-3, 1e-2, 1.0)]
    truth = [0.5 * 1.5 * 2.5 / 6 * (days / rate) ** 3 for days in (1e-3, 1e-2, 1.0)]
    np.testing.assert_allclose(found, truth, rtol=2e-3)
    assert state.expected(1e-3, 1e-4)[0] <= found[0]
