"""Limits of the parameter space: what they are called, and predictions that stay sensible there."""

import math
import re
from functools import cache

import mpmath as mp
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmkit import clv
from crmkit.clv._math.beta_geometric import BetaGeometric
from crmkit.clv._math.likelihood import _ran_away
from crmkit.clv._math.special import log_rising
from crmkit.errors import InputError

HUGE = 1e12
KINDS = pd.DataFrame(
    {
        "customer_id": range(4),
        "frequency": [0, 1, 4, 30],
        "recency": [0.0, 60.0, 250.0, 299.0],
        "T": [300.0, 300.0, 280.0, 300.0],
        "sum_log_gaps": 0.0,
    }
)
X, T = (KINDS[name].to_numpy(float) for name in ("frequency", "T"))


def at(kind, theta, **options):
    """Return a model with these parameters."""
    model = kind(**options)
    model.coefficients_ = np.log(theta)
    model.coefficient_covariance_ = np.eye(len(theta)) * 1e-3
    if "k" in options:
        model.k_ = options["k"]
    return model


def alive(model):
    return model.predict(KINDS)["p_alive"].to_numpy()


def same_probability(n, A, p, days):
    return -np.expm1(-n * np.log1p(p * days / A)) / p


# A model near a limit, and expected purchases of the limiting model given P(alive).
LIMITS = {
    "nobody drops out": (
        at(clv.BGNBD, [0.7, 90.0, 1e-9, 1.0]),
        lambda days: (0.7 + X) / (90.0 + T) * days,
    ),
    "nobody drops out, Pareto": (
        at(clv.ParetoNBD, [0.7, 90.0, 1e-9, 50.0]),
        lambda days: (0.7 + X) / (90.0 + T) * days,
    ),
    "the same dropout probability": (
        at(clv.BGNBD, [0.7, 90.0, 0.2 * HUGE, 0.8 * HUGE]),
        lambda days: same_probability(0.7 + X, 90.0 + T, 0.2, days),
    ),
    "the same dropout rate": (
        at(clv.ParetoNBD, [0.7, 90.0, 0.004 * HUGE, HUGE]),
        lambda days: (0.7 + X) / (90.0 + T) * -np.expm1(-0.004 * days) / 0.004,
    ),
    "the same purchase rate": (
        at(clv.ParetoNBD, [0.01 * HUGE, HUGE, 0.6, 80.0]),
        lambda days: 0.01 * (80 + T) / 0.4 * np.expm1(0.4 * np.log1p(days / (80 + T))),
    ),
    "all purchases alike": (
        at(clv.MBGNBD, [0.01 * HUGE, HUGE, 0.3 * HUGE, 0.7 * HUGE]),
        lambda days: -np.expm1(-0.01 * 0.3 * days) / 0.3 * np.ones(4),
    ),
    "out at the first chance": (
        at(clv.BGNBD, [0.7, 90.0, HUGE, 1e-9]),
        lambda days: -np.expm1(-(0.7 + X) * np.log1p(days / (90.0 + T))),
    ),
}


@pytest.mark.parametrize("limit", sorted(LIMITS))
def test_predictions_near_a_limit_are_those_of_the_limiting_model(limit):
    model, expected = LIMITS[limit]
    before = np.zeros(4)
    for days in (1.0, 30.0, 365.0, 20_000.0):
        told = model.predict(KINDS, horizon_days=days, annual_discount_rate=0.1, alive_in_days=days)
        found = told["expected_purchases"].to_numpy()
        np.testing.assert_allclose(found, alive(model) * expected(days), rtol=1e-6, atol=1e-12)
        assert (found >= before).all()
        assert (told["p_alive_later"] <= told["p_alive"] * (1 + 1e-12)).all()
        assert (told["discounted_purchases"] <= found * (1 + 1e-9)).all()
        before = found


def test_each_leaves_at_once_or_never():
    # (beta / (beta + T))^s hardly depends on T: who did not leave at once stays.
    model = at(clv.ParetoNBD, [0.7, 90.0, 1e-6, 1e-20])
    told = model.predict(KINDS, horizon_days=365)
    np.testing.assert_allclose(told["p_alive"], 1.0, atol=2e-4)
    np.testing.assert_allclose(told["expected_purchases"], (0.7 + X) / (90 + T) * 365, rtol=1e-3)
    split = at(clv.BGNBD, [0.7, 90.0, 0.3e-9, 0.7e-9])
    told = split.predict(KINDS, horizon_days=365)
    # Who bought once in 300 days may have left then; who bought twice and more has not.
    assert 0.0 < told["p_alive"][1] < 1.0
    np.testing.assert_allclose(told["p_alive"][2:], 1.0, atol=1e-6)


@pytest.mark.parametrize(
    "model",
    [
        at(clv.BGNBD, [0.7, 90.0, 1e-8, 1.0]),
        at(clv.BGNBD, [0.7, 90.0, 1.0, HUGE]),
        at(clv.BGNBD, [0.7, 90.0, HUGE, 1e7 * HUGE]),
        at(clv.BGNBD, [0.7, 90.0, 1.001, 2.0]),
        at(clv.MBGNBD, [0.7, 90.0, 0.9, 2.0]),
        at(clv.BGCNBD, [0.7, 90.0, HUGE, 1e7 * HUGE], k=2),
        at(clv.ParetoNBD, [0.7, 90.0, 1e-9, 1.0]),
        at(clv.ParetoNBD, [0.7, 90.0, HUGE, 1e12 * HUGE]),
        at(clv.ParetoNBD, [0.7, 90.0, 1.001, 20.0]),
    ],
    ids=lambda model: f"{type(model).__name__}",
)
def test_an_endless_horizon_needs_dropout_or_a_discount(model):
    with pytest.raises(InputError, match="beyond a thousand years"):
        model.predict(KINDS, horizon_days=math.inf)
    with pytest.raises(InputError, match="annual_discount_rate"):
        model.predict(KINDS, horizon_days=math.inf, annual_discount_rate=0.0)
    told = model.predict(KINDS, horizon_days=math.inf, annual_discount_rate=0.1, interval="delta")
    assert np.isfinite(told.to_numpy(float)).all()


def test_an_endless_horizon_with_dropout_has_a_value():
    model = at(clv.BGNBD, [2.0, 50.0, 0.2 * HUGE, 0.8 * HUGE])
    told = model.predict(KINDS, horizon_days=math.inf)
    np.testing.assert_allclose(told["expected_purchases"], alive(model) / 0.2, rtol=1e-6)
    model = at(clv.ParetoNBD, [2.0, 50.0, 3.0, 400.0])
    told = model.predict(KINDS, horizon_days=math.inf, interval="delta")
    truth = alive(model) * (2.0 + X) / (50.0 + T) * (400.0 + T) / 2.0
    np.testing.assert_allclose(told["expected_purchases"], truth, rtol=1e-12)
    assert np.isfinite(told.to_numpy(float)).all()


def simulated(kind, theta, n=600, seed=1):
    empty = pd.DataFrame({"customer_id": range(n), "T": np.linspace(100.0, 400.0, n)})
    return at(kind, theta).simulate(empty, random_state=seed)


@pytest.mark.parametrize(
    ("kind", "theta", "name"),
    [
        (clv.BGNBD, [0.8, 30.0, 1e-9, 1.0], "nobody drops out|first chance or never"),
        (clv.MBGNBD, [0.8, 30.0, 1e-9, 1.0], "nobody drops out"),
        (clv.ParetoNBD, [0.8, 30.0, 1e-9, 1.0], "nobody drops out"),
        (clv.BGNBD, [0.8, 30.0, 1e9, 1.0], "at the first chance"),
        (clv.BGNBD, [1e9, 3e10, 0.5, 2.0], "same rate"),
        (clv.ParetoNBD, [1e9, 3e10, 0.5, 60.0], "buys at the same rate"),
    ],
)
def test_limits_are_called_by_their_names(kind, theta, name, long):
    seeds = range(6 if long else 3)
    found = [kind().fit(simulated(kind, theta, seed=seed)) for seed in seeds]
    assert all(model.converged_ for model in found)
    names = [model.boundary_ for model in found if model.boundary_]
    # By chance a few look as if they had left.
    assert sum(bool(re.search(name, text)) for text in names) >= max(len(names) / 2, 1)


@cache
def donors():
    rng = np.random.default_rng(2)
    periods = rng.integers(1, 9, 8)
    frequency = rng.integers(0, periods + 1)
    recency = np.where(frequency > 0, rng.integers(frequency, periods + 1), 0)
    ids = {"customer_id": range(8), "periods": periods}
    return pd.DataFrame({**ids, "frequency": frequency, "recency": recency})


@cache
def members():
    ids = {"customer_id": range(6), "periods": [0, 1, 4, 4, 50, 900]}
    return pd.DataFrame({**ids, "churned": [0, 1, 0, 1, 0, 0]})


MODELS = {
    "BGNBD": (clv.BGNBD, 4, lambda: KINDS, {}),
    "MBGNBD": (clv.MBGNBD, 4, lambda: KINDS, {}),
    "ParetoNBD": (clv.ParetoNBD, 4, lambda: KINDS, {}),
    "BGCNBD": (clv.BGCNBD, 4, lambda: KINDS, {"k": 3}),
    "MBGCNBD": (clv.MBGCNBD, 4, lambda: KINDS, {"k": 2}),
    "BGBB": (clv.BGBB, 4, donors, {"period_days": 30}),
    "ShiftedBetaGeometric": (clv.ShiftedBetaGeometric, 2, members, {"period_days": 30}),
    "BetaDiscreteWeibull": (clv.BetaDiscreteWeibull, 3, members, {"period_days": 30}),
}


@pytest.mark.parametrize("name", sorted(MODELS))
@given(data=st.data())
def test_finite_input_gives_finite_answers(name, data):
    kind, size, table, options = MODELS[name]
    logs = data.draw(st.lists(st.floats(-4.0, 4.0), min_size=size, max_size=size))
    model = at(kind, 10.0 ** np.array(logs), **options)
    days = data.draw(st.sampled_from([0.0, 1e-3, 30.0, 365.0, 1e5, math.inf]))
    rate = data.draw(st.sampled_from([None, 0.0, 0.1, 2.0]))
    terms = {"annual_discount_rate": rate, "interval": data.draw(st.sampled_from([None, "delta"]))}
    try:
        told = model.predict(table(), horizon_days=days, alive_in_days=100.0, **terms)
    except InputError:
        # Refused in words, and only where the question has no finite answer.
        assert math.isinf(days)
        assert not rate
        return
    numbers = told.drop(columns="customer_id")
    assert np.isfinite(numbers.to_numpy(float)).all()
    assert (numbers.to_numpy(float) >= 0.0).all()
    assert (told["p_alive"] <= 1.0).all()
    assert (told["p_alive_later"] <= told["p_alive"] * (1 + 1e-9)).all()
    if math.isfinite(days):
        longer = model.predict(table(), horizon_days=2 * days + 30)["expected_purchases"]
        assert (longer >= told["expected_purchases"] * (1 - 1e-9)).all()
    if rate and math.isfinite(days):
        assert (told["discounted_purchases"] <= told["expected_purchases"] * (1 + 1e-8)).all()
    chances = model.purchase_probabilities(table(), horizon_days=min(days, 1e4), max_purchases=3)
    assert chances[["p_exactly", "p_at_least"]].ge(-1e-12).all(axis=None)
    each = chances.groupby("customer_id")
    below = each["p_exactly"].sum() - each["p_exactly"].last()
    np.testing.assert_allclose(below + each["p_at_least"].last(), 1.0, atol=1e-8)


def test_limits_of_spend_and_of_age_have_names():
    same = pd.DataFrame({"customer_id": range(5), "frequency": 2, "monetary_value": 20.0,
                         "first_amount": 20.0, "kept_purchases": 3})  # fmt: skip
    model = clv.GammaGamma().fit(same)
    assert "the same each time" in model.boundary_
    told = model.predict(same)
    np.testing.assert_allclose(told["expected_amount"], 20.0, rtol=1e-3)
    together = pd.DataFrame({"customer_id": range(40), "periods": 6, "churned": True})
    model = clv.BetaDiscreteWeibull(period_days=365).fit(together)
    assert "everybody leaves at the same age" in model.boundary_
    new = pd.DataFrame({"customer_id": [1], "periods": [0], "churned": [False]})
    ages = [model.predict(new, alive_in_days=365 * age)["p_alive_later"][0] for age in (4, 5, 6, 7)]
    assert ages[0] > 0.9
    assert ages[3] < 0.1


def histories(rng):
    n = int(rng.integers(1, 12))
    length = np.where(rng.random(n) < 0.1, 0.0, 10.0 ** rng.uniform(-2, 4, n))
    frequency = np.where(length > 0.0, np.floor(10.0 ** rng.uniform(-1, 3, n)), 0.0)
    share = rng.choice([1.0, 0.999, 0.5, 1e-6], n)
    return pd.DataFrame(
        {
            "customer_id": range(n),
            "frequency": frequency,
            "recency": np.where(frequency > 0.0, length * share, 0.0),
            "T": length,
            "monetary_value": np.where(frequency > 0.0, 10.0 ** rng.uniform(-3, 8, n), 0.0),
            "first_amount": 10.0 ** rng.uniform(-3, 8, n),
            "kept_purchases": np.floor((frequency + 1.0) * rng.choice([0.0, 0.5, 1.0], n)),
            "log_amount_mean": rng.uniform(-7, 18, n),
            "log_amount_std": rng.choice([0.0, 0.1, 2.0], n),
        }
    )


def opportunities(rng):
    n = int(rng.integers(1, 12))
    periods = np.floor(10.0 ** rng.uniform(0, 2, n))
    frequency = np.floor(periods * rng.choice([0.0, 0.3, 1.0], n))
    late = np.maximum(frequency, np.floor(periods * rng.random(n)))
    ids = {"customer_id": range(n), "periods": periods}
    return pd.DataFrame(
        {**ids, "frequency": frequency, "recency": np.where(frequency > 0.0, late, 0.0)}
    )


SPEND = [clv.GammaGamma, clv.LognormalSpend]


@pytest.mark.parametrize("kind", [clv.BGNBD, clv.MBGNBD, clv.ParetoNBD, clv.BGBB, *SPEND])
def test_any_finite_table_is_fitted_or_refused_in_words(kind, long):
    for seed in range(20 if long else 6):
        table = (opportunities if kind is clv.BGBB else histories)(np.random.default_rng(seed))
        options = {} if kind in SPEND else {"annual_discount_rate": 0.1}
        try:
            model = kind(**({"period_days": 365} if kind is clv.BGBB else {})).fit(table)
            told = model.predict(table, interval="delta", **options)
        except InputError:
            # Nobody was observed, or nobody spent.
            assert kind in SPEND or not table["T"].any()
            continue
        assert np.isfinite(model.parameters_.drop(columns="term").to_numpy(float)).all()
        told = told.dropna() if kind is clv.GammaGamma else told  # one who spends without a mean
        assert np.isfinite(told.to_numpy(float)).all()


def test_what_ran_away_is_a_parameter_or_else_an_effect():
    names, effects, up = ["r", "alpha"], ["mail", "price"], np.array([True, False])
    for place, told in enumerate(["r+", "alpha-", "mail", "price"]):
        assert _ran_away(np.eye(4)[:, [place]], up, names, effects) == (told,)
    both = np.array([[0.0, 1.0, 0.0, 1.0]]).T
    assert _ran_away(both, up, names, effects) == ("alpha-",)


@pytest.mark.parametrize(("odds", "told"), [(-12.1, {"a-", "b+"}), (12.1, {"a+", "b-"})])
def test_a_dropout_in_less_than_one_of_160_000_is_none(odds, told):
    law = BetaGeometric()
    assert law.runaway({"a+", "b+"}, {"a": odds, "b": 0.0}) == told
    assert law.runaway({"a+", "b+"}, {"a": 0.98 * odds, "b": 0.0}) == {"a+", "b+"}


@pytest.mark.parametrize("p", [3.0, 999.0, 1001.0, 1e5])
def test_rising_factorials_have_all_their_digits(p):
    for n in (0.5, 20.0, 1500.0):
        with mp.workdps(50):
            exact = [mp.loggamma(p + n) - mp.loggamma(p)]
            exact += [mp.psi(k, p + n) - mp.psi(k, p) for k in (0, 1)]
        np.testing.assert_allclose(log_rising(p, n), np.array(exact, dtype=float), rtol=1e-12)
