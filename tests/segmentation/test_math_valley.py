"""Valleys: counted as they lie, and none where values only repeat."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from crmkit.segmentation._math import deepest_valley, spread_ties, valley_counts, valley_p


def test_the_valley_between_two_normals_is_in_the_middle():
    rng = np.random.default_rng(0)
    values = np.concatenate([rng.normal(-3, 1, 2000), rng.normal(3, 1, 2000)])
    sure, place = deepest_valley(values, 40)
    np.testing.assert_allclose(place, [-3, 0, 3], atol=0.6)
    assert sure > 20
    again, moved = deepest_valley(50 - 7 * values, 40)
    np.testing.assert_allclose(again, sure, rtol=0.1)
    np.testing.assert_allclose(moved, 50 - 7 * place[::-1], atol=3)


def test_no_valley():
    nowhere = deepest_valley(np.ones(50), 2)
    assert nowhere[0] == 0
    assert np.isnan(nowhere[1]).all()
    rng = np.random.default_rng(1)
    far = np.concatenate([rng.normal(size=500), [90.0, 91.0]])
    assert deepest_valley(far, 10)[0] < 4  # two customers are no side


@given(st.integers(0, 10**6))
def test_counts_and_p_value_by_hand(seed):
    rng = np.random.default_rng(seed)
    values, place = rng.normal(size=80), np.sort(rng.normal(size=3))
    half = min(place[1] - place[0], place[2] - place[1]) / 3
    counts = [int(np.sum(np.abs(values - at) <= half)) for at in place]
    assert valley_counts(values, place).tolist() == counts
    left, between, right = counts
    sides = [stats.binomtest(between, between + n, 0.5, "less").pvalue for n in (left, right) if n]
    sides += [1.0] * (not left or not right)
    np.testing.assert_allclose(valley_p(values, place), max(sides))


def test_ties_are_spread_over_their_room():
    rng = np.random.default_rng(2)
    counts = rng.poisson(2, size=(4000, 2)).astype(float)
    spread = spread_ties(counts)
    assert np.unique(spread[:, 0]).size > 3900
    np.testing.assert_array_equal(np.rint(spread), counts)
    # No two columns are spread alike, and continuous ones stay as they are.
    assert abs(np.corrcoef((spread - counts).T)[0, 1]) < 0.06
    smooth = rng.normal(size=(50, 1))
    np.testing.assert_array_equal(spread_ties(smooth), smooth)
    np.testing.assert_array_equal(spread_ties(np.ones((5, 1))), np.ones((5, 1)))
    # Two levels alone make no valley.
    level = spread_ties(rng.integers(0, 2, (1000, 1)).astype(float))[:, 0]
    assert deepest_valley(level, 20)[0] < 3.5
