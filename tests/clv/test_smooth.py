"""Predictions for many customers at once equal those for each alone, to the last digits."""

import itertools

import numpy as np
import pandas as pd
import pytest

from clv import oracles
from crmkit import clv
from crmkit.clv._math import beta_geometric_future
from crmkit.clv._math.beta_geometric_future import BetaGeometricFuture
from crmkit.clv._math.pareto import p_alive
from crmkit.clv._math.pareto_future import ParetoFuture
from crmkit.clv._math.rows import ALL, alike_rows
from crmkit.clv._math.smooth import smooth
from crmkit.clv._math.special import gauss_legendre

N = 3000


def _many(seed, make):
    """A state of N customers with few counts and continuous lengths, and of a few of them."""
    rng = np.random.default_rng(seed)
    theta = 10.0 ** rng.uniform([-2, -3, -2, -2], [2, 4, 2.5, 2.5])
    x = rng.integers(0, 4, N) * float(rng.choice([1, 9, 60]))
    T = 10.0 ** rng.uniform(0, 2.7, N)
    some = np.arange(0, N, 199)
    return make(theta, x, T), make(theta, x[some], T[some]), some


def _bg(theta, x, T):
    r, alpha, a, b = theta
    return BetaGeometricFuture(np.ones_like(x), r + x, alpha + T, a + 0 * x, b + x)


def _pareto(theta, x, T):
    r, alpha, s, beta = theta
    return ParetoFuture(np.ones_like(x), r + x, alpha + T, s + 0 * x, beta + T)


def _regular(theta, x, T):
    r, alpha, a, b = theta
    stages = np.array([[0.5], [0.2], [0.3]]) * np.ones_like(x)
    return BetaGeometricFuture(np.ones_like(x), r + 3 * x, alpha + T, a + 0 * x, b + x, stages)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("make", [_bg, _pareto, _regular])
def test_many_customers_equal_each_alone(make, seed):
    many, few, some = _many(seed, make)
    for days in (1.0, 200.0):
        np.testing.assert_allclose(many.expected(days)[some], few.expected(days), rtol=1e-12)
        np.testing.assert_allclose(many.survival(days)[some], few.survival(days), rtol=1e-12)


@pytest.mark.parametrize("make", [_bg, _pareto])
def test_many_discounted_customers_equal_each_alone(make):
    many, few, some = _many(1, make)
    found = many.expected(365.0, 3e-4)[some]
    np.testing.assert_allclose(found, few.expected(365.0, 3e-4), rtol=1e-12)


def test_a_rough_function_is_not_interpolated():
    at = np.random.default_rng(1).uniform(0, 5, 2000)

    def rough(_, u):
        return np.abs(u - 2.5)[None, :]

    found = smooth(rough, np.zeros(2000, dtype=np.int64), at)
    np.testing.assert_allclose(found[0], np.abs(at - 2.5), rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize(("days", "rate"), [(365.0, 0.1 / 365), (np.inf, 3e-4), (90.0, 0.02)])
def test_each_discounted_integral_has_nodes_enough(days, rate, monkeypatch):
    rng, n = np.random.default_rng(0), 400
    x = rng.choice([0.0, 1.0, 3.0, 10.0, 100.0], n)
    state = BetaGeometricFuture(
        p_alive=np.ones(n),
        shape=x + 10 ** rng.uniform(-1.5, 1, n), rate=10 ** rng.uniform(0, 3, n),
        a=10 ** rng.uniform(-1, 1.5, n), b=x + 10 ** rng.uniform(-1, 1.5, n),
    )  # fmt: skip
    found = state.expected(days, rate)
    monkeypatch.setattr(beta_geometric_future, "_RULES", ((128, np.inf, np.inf),))
    np.testing.assert_allclose(found, state.expected(days, rate), rtol=2e-13)


def test_discounting_regular_purchases_equals_the_integral_over_time():
    state = BetaGeometricFuture(
        np.ones(2),
        np.array([1.3, 61.3]),
        np.array([120.0, 320.0]),
        np.full(2, 0.6),
        np.array([0.8, 20.8]),
        np.array([[0.9, 0.1], [0.1, 0.9]]),
    )
    days, rate = 365.0, 3e-4
    nodes, weights = gauss_legendre(20)
    # By parts, with the time cut into pieces that crowd towards the start.
    ends = np.concatenate([[0.0], days * 0.75 ** np.arange(40.0, -1.0, -1.0)])
    exact = np.exp(-rate * days) * state.expected(days)
    for low, high in itertools.pairwise(ends):
        for node, weight in zip(nodes, weights, strict=True):
            u = low + (high - low) * node
            exact += (high - low) * weight * rate * np.exp(-rate * u) * state.expected(u)
    np.testing.assert_allclose(state.expected(days, rate), exact, rtol=1e-11)


@pytest.mark.parametrize(
    ("theta", "customer"),
    [
        ((0.5, 1e-3, 0.6, 50.0), (0, 0.0, 300.0)),
        ((0.5, 30.0, 0.6, 1e-4), (3, 0.5, 300.0)),
        ((1e-2, 1e-3, 1e-2, 1e-3), (2, 1e-2, 500.0)),
    ],
)
def test_p_alive_over_many_orders_of_time(theta, customer):
    x, t_x, T = (np.atleast_1d(float(value)) for value in customer)
    _, alive = oracles.pareto(theta, *customer)
    assert p_alive(theta, x, t_x, T)[0] == pytest.approx(alive, rel=1e-11)


def test_alike_rows_are_equal_rows():
    rng = np.random.default_rng(3)
    columns = [rng.integers(0, 9, 500).astype(float), rng.integers(-4, 40, 500).astype(float)]
    first, kind = alike_rows(columns)
    for column in columns:
        assert (column[first][kind] == column).all()
    assert len(first) == len(pd.DataFrame(dict(enumerate(columns))).drop_duplicates())
    assert alike_rows([columns[0] + 0.5, columns[1]]) == (ALL, ALL)
    assert alike_rows([columns[0] * 1e6, columns[1]]) == (ALL, ALL)


@pytest.mark.parametrize("kind", [clv.BGNBD, clv.ParetoNBD, clv.MBGCNBD])
def test_whole_days_equal_the_same_customers_in_continuous_time(kind):
    model = kind()
    model.coefficients_ = np.log([0.6, 30.0, 0.9, 2.5])
    model.k_ = 2
    rng = np.random.default_rng(1)
    drawn = pd.DataFrame({"customer_id": range(N), "frequency": rng.integers(0, 6, N)})
    drawn["T"] = rng.integers(100, 130, N).astype(float)
    drawn["recency"] = np.where(drawn["frequency"] > 0, np.floor(drawn["T"] * rng.random(N)), 0.0)
    moved = pd.concat([drawn, drawn.tail(1).assign(customer_id=N, T=130.5)], ignore_index=True)
    options = {"horizon_days": 90, "annual_discount_rate": 0.1, "alive_in_days": 30}
    found, other = model.predict(drawn, **options), model.predict(moved, **options)
    pd.testing.assert_frame_equal(found, other.head(N), rtol=1e-12)
