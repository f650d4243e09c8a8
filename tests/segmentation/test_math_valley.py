"""Valleys: counted as they lie, and none where values only repeat."""

import numpy as np
import pytest
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


def by_hand(values, least):
    """The surest valley, each step written out: 120 cells, normal kernels of two widths."""
    ordered, n = sorted(values), len(values)
    low, high = ordered[n // 500], ordered[n - 1 - n // 500]
    step = (high - low) / 120
    below = [sum(value < low + step * edge for value in values) for edge in range(121)]
    quartiles = ordered[3 * n // 4] - ordered[n // 4]
    spread = min(np.std(values), quartiles / (stats.norm.ppf(0.75) - stats.norm.ppf(0.25)))
    best, where = 0.0, [np.nan] * 3
    for width in (1.0, 0.4):
        reach = max(width * 0.9 * spread / n**0.2 / step, 1.0)
        weights = {k: np.exp(-0.5 * (k / reach) ** 2) for k in range(-int(4 * reach), 1)}
        weights |= {-k: weight for k, weight in weights.items()}
        smooth = [
            sum(
                weight * (below[cell + k + 1] - below[cell + k])
                for k, weight in weights.items()
                if 0 <= cell + k < 120
            )
            for cell in range(120)
        ]
        for bottom in range(1, 119):
            enough = below[bottom] >= least and n - below[bottom + 1] >= least
            if not (enough and smooth[bottom - 1] >= smooth[bottom] < smooth[bottom + 1]):
                continue
            left = max(range(bottom), key=smooth.__getitem__)
            right = max(range(bottom, 120), key=smooth.__getitem__)
            half = min(bottom - left, right - bottom) // 3
            held = [
                below[min(cell + half + 1, 120)] - below[max(cell - half, 0)]
                for cell in (left, bottom, right)
            ]
            side = min(held[0], held[2])
            sure = (side - held[1]) / np.sqrt(max(side + held[1], 1))
            if sure > best:
                best, where = sure, [low + (at + 0.5) * step for at in (left, bottom, right)]
    return best, where


@pytest.mark.parametrize("seed", range(6))
def test_the_surest_valley_by_hand(seed):
    rng = np.random.default_rng(seed)
    apart = rng.uniform(1, 4)
    groups = [rng.normal(0, 1, 300), rng.normal(apart, 0.4, 120), 3 * rng.standard_t(2, 180)]
    values = np.concatenate(groups[: 2 + seed % 2])
    sure, place = deepest_valley(values, 20)
    expected, where = by_hand(values, 20)
    np.testing.assert_allclose(sure, expected, rtol=1e-6)
    np.testing.assert_allclose(place, where, rtol=1e-6)


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
