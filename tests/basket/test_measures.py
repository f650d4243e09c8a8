"""Measures against exact arithmetic."""

from fractions import Fraction
from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmkit.basket._math import hypergeometric
from crmkit.basket._math.measures import directed_measures, symmetric_measures


@st.composite
def tables(draw, most=80):
    n = draw(st.integers(1, most))
    n_a = draw(st.integers(1, n))
    n_c = draw(st.integers(1, n))
    n_ac = draw(st.integers(max(0, n_a + n_c - n), min(n_a, n_c)))
    return n, n_a, n_c, n_ac


def exact_tail(x, n, n_a, n_c):
    ways = sum(comb(n_a, k) * comb(n - n_a, n_c - k) for k in range(x, min(n_a, n_c) + 1))
    return Fraction(ways, comb(n, n_c))


@given(st.lists(tables(), min_size=1, max_size=8))
def test_tail_is_exact(rows):
    n, a, c, x = np.array(rows).T
    exact = [float(exact_tail(k, m, i, j)) for m, i, j, k in rows]
    np.testing.assert_allclose(hypergeometric.upper_tail(x, n, a, c), exact, rtol=1e-12, atol=1e-15)


def test_tail_is_exact_for_large_counts():
    rows = [(10**6, 3000, 200, 12), (155_518, 40_000, 300, 40), (10**6, 500_000, 100, 70)]
    n, a, c, x = np.array(rows).T
    exact = [float(exact_tail(k, m, i, j)) for m, i, j, k in rows]
    np.testing.assert_allclose(hypergeometric.upper_tail(x, n, a, c), exact, rtol=1e-11)


def test_tail_agrees_with_scipy():
    from scipy import stats

    rng = np.random.default_rng(0)
    n = np.full(300, 200_000)
    a, c = rng.integers(1, 60_000, 300), rng.integers(1, 20_000, 300)
    spread = np.sqrt(a * c / n) + 1
    x = np.clip(np.round(a * c / n + spread * rng.normal(0, 3, 300)), 0, np.minimum(a, c))
    expected = stats.hypergeom.sf(x - 1, n, a, c)
    np.testing.assert_allclose(hypergeometric.upper_tail(x, n, a, c), expected, rtol=1e-8)


@given(tables(), st.sampled_from([0.5, 0.95, 0.99]))
def test_quantile_is_exact(row, level):
    n, a, c, _ = row
    lowest = max(0, a + c - n)
    exact = next(
        x
        for x in range(lowest, min(a, c) + 1)
        if float(1 - exact_tail(x + 1, n, a, c)) >= level - 1e-12
    )
    assert hypergeometric.quantile(level, [n], [a], [c])[0] == exact


@given(tables())
def test_measures_follow_their_definitions(row):
    n, a, c, x = row
    s = {k: v[0] for k, v in (symmetric_measures(*([v] for v in row))).items()}
    d = {k: v[0] for k, v in (directed_measures(*([v] for v in row))).items()}
    assert not any(np.isnan(value) for value in (s | d).values())
    p_a, p_c, p = Fraction(a, n), Fraction(c, n), Fraction(x, n)
    close = {"rel": 1e-12, "abs": 1e-15}
    assert d["confidence"] == pytest.approx(float(p / p_a), **close)
    assert s["lift"] == pytest.approx(float(p / (p_a * p_c)), **close)
    assert s["leverage"] == pytest.approx(float(p - p_a * p_c), **close)
    assert s["jaccard"] == pytest.approx(float(p / (p_a + p_c - p)), **close)
    assert s["kulczynski"] == pytest.approx(float((p / p_a + p / p_c) / 2), **close)
    assert s["imbalance_ratio"] == pytest.approx(float(abs(p_a - p_c) / (p_a + p_c - p)), **close)
    if a > x:
        assert d["conviction"] == pytest.approx(float((1 - p_c) / (1 - p / p_a)), **close)
    zhang = max(p * (1 - p_a), p_a * (p_c - p))
    if zhang:
        assert d["zhang"] == pytest.approx(float((p - p_a * p_c) / zhang), **close)
    without = [x, a - x, c - x, n - a - c + x]
    if all(without):
        odds = Fraction(without[0] * without[3], without[1] * without[2])
        assert s["odds_ratio"] == pytest.approx(float(odds), **close)
    if 0 < a < n and 0 < c < n:
        expected = [Fraction(i * j, n) for i in (a, n - a) for j in (c, n - c)]
        observed = [x, a - x, c - x, n - a - c + x]
        chi = sum((o - e) ** 2 / e for o, e in zip(observed, expected, strict=True))
        assert s["chi_squared"] == pytest.approx(float(chi), **close)
        assert s["phi"] ** 2 * n == pytest.approx(float(chi), **close)
    assert -1 <= d["zhang"] <= 1
    assert -1 <= d["certainty"] <= 1


def test_independence_at_the_edges():
    # the consequent is in every order: nothing can be learned about it
    s = {k: v[0] for k, v in symmetric_measures([10], [4], [10], [4]).items()}
    d = {k: v[0] for k, v in directed_measures([10], [4], [10], [4]).items()}
    assert (s["lift"], s["odds_ratio"], s["phi"], s["p_value"]) == (1, 1, 0, 1)
    assert (d["confidence"], d["conviction"], d["zhang"], d["certainty"]) == (1, 1, 0, 0)
    # the antecedent never comes alone
    s = {k: v[0] for k, v in symmetric_measures([10], [2], [4], [2]).items()}
    d = {k: v[0] for k, v in directed_measures([10], [2], [4], [2]).items()}
    assert d["conviction"] == s["odds_ratio"] == np.inf
    assert d["certainty"] == 1


def test_large_and_small_logs_side_by_side_keep_their_own_tails():
    # so far apart that the counts of a rule do not fit into one integer key
    rng = np.random.default_rng(0)
    n = np.repeat([50, 4_000_000], 5)
    a, c = (rng.integers(1, n // 2) for _ in range(2))
    x = np.maximum(a * c // n, 1)
    rows = np.tile(np.column_stack([n, a, c, x]), (2, 1))[rng.permutation(20)]
    together = symmetric_measures(*rows.T)
    for number, row in enumerate(rows):
        alone = symmetric_measures(*([value] for value in row))
        for name in ("p_value", "hyper_lift"):
            assert together[name][number] == pytest.approx(alone[name][0], rel=1e-12)
