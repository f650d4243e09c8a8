"""Shares drawn towards those of all: the known truth recovered, and better than either alone."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmkit.segmentation._math import base_weight, shrink_shares


def drawn(rng, n, base, weight, mean_orders):
    """Counts of customers whose shares scatter around a base, and the shares."""
    true = rng.dirichlet(weight * np.asarray(base), n)
    size = 1 + rng.poisson(mean_orders - 1, n)
    return np.array([rng.multinomial(k, p) for k, p in zip(size, true, strict=True)]), true


@pytest.mark.parametrize("weight", [0.5, 3.0, 20.0])
@pytest.mark.parametrize("base", [[0.2, 0.8], [0.1, 0.2, 0.3, 0.4]])
def test_the_weight_of_the_base_is_recovered(weight, base):
    rng = np.random.default_rng(0)
    found = [base_weight(drawn(rng, 1500, base, weight, 6)[0]) for _ in range(12)]
    error = np.std(found, ddof=1) / np.sqrt(len(found))
    assert abs(np.mean(found) - weight) < 4 * error + 0.02 * weight


@pytest.mark.parametrize("weight", [0.5, 5.0, 50.0])
def test_shares_are_nearer_the_truth_than_own_and_base(weight):
    rng = np.random.default_rng(1)
    counts, true = drawn(rng, 3000, [0.1, 0.3, 0.6], weight, 4)
    shrunk = shrink_shares(counts)
    own = counts / counts.sum(axis=1, keepdims=True)

    def off(shares):
        return np.square(shares - true).sum(axis=1).mean()

    assert off(shrunk.shares) < min(off(own), off(shrunk.base))
    # The best that any weight could do is hardly better.
    best = min(
        off(shrink_shares(counts, weight=one).shares) for one in weight * 2.0 ** np.arange(-2, 3)
    )
    assert off(shrunk.shares) < 1.02 * best


def by_hand(counts):
    """The intraclass correlation of yes and no, from one flag per order."""
    flags = [[1.0] * yes + [0.0] * no for no, yes in counts]
    total, m = sum(map(len, flags)), len(flags)
    mean = sum(map(sum, flags)) / total
    between = sum(len(f) * (np.mean(f) - mean) ** 2 for f in flags) / (m - 1)
    within = sum(((np.array(f) - np.mean(f)) ** 2).sum() for f in flags) / (total - m)
    typical = (total - sum(len(f) ** 2 for f in flags) / total) / (m - 1)
    return (between - within) / (between + (typical - 1) * within)


@given(
    st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)).filter(sum), min_size=2, max_size=30)
)
def test_equals_the_analysis_of_variance_of_flags(counts):
    if sum(map(sum, counts)) == len(counts):
        return
    weight = base_weight(np.array(counts, dtype=float))
    rho = by_hand(counts)
    if rho > 1e-8:
        assert weight == pytest.approx(1 / rho - 1, rel=1e-6, abs=1e-9)
    else:
        assert weight > 1e6


@given(
    st.lists(st.lists(st.integers(0, 5), min_size=3, max_size=3), min_size=1, max_size=20).filter(
        lambda rows: any(map(any, rows))
    )
)
def test_shares_are_shares_between_own_and_base(rows):
    counts = np.array(rows, dtype=float)
    shrunk = shrink_shares(counts)
    np.testing.assert_allclose(shrunk.shares.sum(axis=1), 1)
    size = counts.sum(axis=1, keepdims=True)
    own = np.divide(counts, size, out=np.tile(shrunk.base, (len(rows), 1)), where=size > 0)
    low, high = np.minimum(own, shrunk.base), np.maximum(own, shrunk.base)
    assert ((shrunk.shares >= low - 1e-9) & (shrunk.shares <= high + 1e-9)).all()


def test_the_ends():
    faithful = np.array([[3.0, 0.0], [0.0, 4.0], [2.0, 0.0], [0.0, 0.0]])
    assert base_weight(faithful) == 0
    np.testing.assert_allclose(shrink_shares(faithful).shares[:3, 0], [1, 0, 1])
    assert shrink_shares(faithful).shares[3, 0] == pytest.approx(5 / 9)
    alike = np.array([[1.0, 1.0], [2.0, 2.0], [1.0, 1.0]])
    np.testing.assert_allclose(shrink_shares(alike).shares, 0.5)
    # From one order each nobody can tell how customers differ.
    once = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]])
    np.testing.assert_allclose(shrink_shares(once).shares[:, 0], 2 / 3, atol=1e-8)
