"""Intervals hold the truth as often as they say: by simulation."""

import numpy as np
import pandas as pd
import pytest

from crmkit import response
from crmkit._arrays import wilson_interval
from crmkit.response._math.money import studentised_difference
from crmkit.response._math.qini import bootstrap, coarsen, coefficients, scored_arms
from crmkit.response._math.rates import newcombe_interval, welch_interval

pytestmark = pytest.mark.wide


@pytest.mark.parametrize("p", [0.01, 0.1, 0.5])
def test_wilson(p):
    k = np.random.default_rng(0).binomial(500, p, 20_000)
    low, high = wilson_interval(k, np.full(k.size, 500))
    assert ((low <= p) & (p <= high)).mean() == pytest.approx(0.95, abs=0.025)


@pytest.mark.parametrize(("p1", "p0", "n1", "n0"), [(0.02, 0.01, 800, 400), (0.3, 0.25, 200, 300)])
def test_newcombe(p1, p0, n1, n0):
    rng = np.random.default_rng(1)
    a, b = rng.binomial(n1, p1, 20_000), rng.binomial(n0, p0, 20_000)
    low, high = newcombe_interval(a, np.full(a.size, n1), b, np.full(b.size, n0))
    assert ((low <= p1 - p0) & (p1 - p0 <= high)).mean() == pytest.approx(0.95, abs=0.02)


def spend(rng, size, scale):
    """Amounts as in a shop: most buy nothing, few buy much."""
    return np.where(rng.random(size) < 0.1, rng.lognormal(3, 0.8, size) * scale, 0.0)


def test_welch_and_bootstrap_of_skewed_money():
    rng = np.random.default_rng(2)
    truth = 0.1 * np.exp(3 + 0.32) * 0.2
    hits = np.zeros(2)
    draws = 250
    for _ in range(draws):
        a, b = spend(rng, 2000, 1.2), spend(rng, 2000, 1.0)
        of_a, of_b = ((x.mean(), x.var(ddof=1), x.size) for x in (a, b))
        low, high = welch_interval(of_a, of_b)[2:4]
        hits[0] += low <= truth <= high
        low, high = studentised_difference(a, b, 0.95, n_draws=400, rng=rng)[2:4]
        hits[1] += low <= truth <= high
    assert hits / draws == pytest.approx([0.95, 0.95], abs=0.04)


def test_qini_interval():
    rng = np.random.default_rng(3)
    n, draws = 3000, 200
    # Score s uniform on (0, 1), effect 0.2 s: the gain of the best share f is 0.2 (f - f^2 / 2),
    # its area 0.2 / 3, that of a random order 0.1 / 2.
    truth = 0.2 / 3 - 0.05
    hits = 0
    for _ in range(draws):
        score, arm = rng.random(n), rng.integers(0, 2, n)
        y = (rng.random(n) < 0.1 + 0.2 * score * arm).astype(float)
        arms = scored_arms(score, arm, y)
        pooled = coarsen(arms, 100)
        value = coefficients(arms, binary=True)[0]
        drawn = coefficients(bootstrap(pooled, n_draws=200, binary=True, rng=rng), binary=True)
        drawn = drawn[:, 0] + value - coefficients(pooled, binary=True)[0]
        low, high = np.quantile(drawn, [0.025, 0.975])
        hits += low <= truth <= high
    assert hits / draws == pytest.approx(0.95, abs=0.045)


def test_odds_ratio():
    rng = np.random.default_rng(4)
    hits, draws, n = 0, 80, 1500
    for _ in range(draws):
        x = rng.normal(size=n)
        p = 1 / (1 + np.exp(-(-1 + 0.4 * x)))
        table = pd.DataFrame({"customer_id": range(n), "x": x})
        table["responded"] = (rng.random(n) < p).astype(int)
        odds = response.odds_ratios(table, outcome="responded", columns=["x"]).iloc[0]
        hits += odds["conf_low"] <= np.exp(0.4) <= odds["conf_high"]
    assert hits / draws == pytest.approx(0.95, abs=0.07)


def test_policy_gain():
    rng = np.random.default_rng(5)
    hits, draws, n = 0, 200, 1500
    for _ in range(draws):
        score, t = rng.random(n), rng.integers(0, 2, n)
        y = (rng.random(n) < 0.1 + 0.2 * score * t).astype(int)
        table = pd.DataFrame({"customer_id": range(n), "y": y, "t": t})
        row = response.policy_value(
            table,
            table[["customer_id"]].assign(score=score),
            outcome="y",
            treated="t",
            shares=(0.4,),
            propensity=0.5,
        ).iloc[0]
        # The best 40 % have scores above 0.6 and a mean effect of 0.16.
        hits += row["gain_low"] <= 0.4 * 0.16 <= row["gain_high"]
    assert hits / draws == pytest.approx(0.95, abs=0.045)
