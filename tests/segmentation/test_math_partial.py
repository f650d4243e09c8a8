"""Partial rank correlation and the gain of the top tenth, against their definitions."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import rankdata

from crmkit.segmentation._math import equal_groups, partial_rank_correlation, top_gain
from crmkit.segmentation._math.partial import _Ranks


def plain(x, y, group):
    frame = pd.DataFrame({"r": rankdata(x), "s": rankdata(y), "group": group})
    left = frame[["r", "s"]] - frame.groupby("group")[["r", "s"]].transform("mean")
    return left["r"].corr(left["s"])


def drawn(seed, n, few):
    """Three values that hang together; with `few` distinct values there are ties."""
    rng = np.random.default_rng(seed)
    z = rng.normal(size=n)
    x, y = 0.5 * z + rng.normal(size=n), 0.5 * z + rng.normal(size=n)
    return (np.round(few * v) if few else v for v in (x, y + 0.4 * x, z))


@given(st.integers(0, 10**6), st.integers(60, 300), st.sampled_from([0, 1, 3]))
def test_estimate_is_the_correlation_of_ranks_less_their_groups_mean(seed, n, few):
    x, y, z = drawn(seed, n, few)
    group = equal_groups(z)
    found = partial_rank_correlation(x, y, group, 0.95)
    np.testing.assert_allclose(found.value, plain(x, y, group), atol=1e-12)
    assert found.low < found.value < found.high
    order = np.random.default_rng(seed).permutation(n)
    again = partial_rank_correlation(x[order], y[order], group[order], 0.95)
    np.testing.assert_allclose([again.low, again.high], [found.low, found.high], atol=1e-12)


@pytest.mark.wide
def test_error_is_that_of_the_jackknife():
    """The delta method with the influence of standing in others' ranks: leaving out each one."""
    for few in (0, 3):
        n = 400
        x, y, z = drawn(5, n, few)
        group = equal_groups(z)
        found = partial_rank_correlation(x, y, group, 0.95)
        left = np.array([plain(*(np.delete(v, i) for v in (x, y, group))) for i in range(n)])
        jackknife = np.sqrt((n - 1) / n * np.sum((left - left.mean()) ** 2))
        half = (np.arctanh(found.high) - np.arctanh(found.low)) / 2
        error = half / 1.966 * (1 - found.value**2)
        np.testing.assert_allclose(error, jackknife, rtol=0.04)


@given(st.integers(0, 10**6))
def test_groups_hold_equals_together_and_about_twenty(seed):
    rng = np.random.default_rng(seed)
    z = np.round(rng.lognormal(size=500), rng.integers(0, 3))
    group = equal_groups(z)
    assert pd.Series(group).groupby(z).nunique().max() == 1
    ends = pd.Series(z).groupby(group).agg(["min", "max"])
    assert (ends["min"].to_numpy()[1:] > ends["max"].to_numpy()[:-1]).all()
    assert np.bincount(equal_groups(rng.normal(size=500))).tolist() == [20] * 25


def test_what_follows_from_the_third_value_tells_nothing():
    rng = np.random.default_rng(0)
    z = rng.lognormal(size=2000)
    later = z * rng.lognormal(size=2000)
    group = equal_groups(z)
    for mirror in (-z, np.maximum(3 - z, 0), np.log(z), (np.log(z) - 1) ** 2, np.ones(2000)):
        assert partial_rank_correlation(mirror, later, group, 0.95) is None


def test_nothing_can_be_told_of_few_or_where_all_did_the_same():
    x = np.arange(100.0)
    group = equal_groups(np.random.default_rng(0).normal(size=100))
    assert np.isnan(partial_rank_correlation(x, np.zeros(100), group, 0.95).value)
    few = np.zeros(10, dtype=np.int64)
    assert np.isnan(partial_rank_correlation(x[:10], x[:10], few, 0.95).value)
    assert np.isnan(top_gain(x[:10], x[:10], few, 0.95).value)
    exact = partial_rank_correlation(x, -x, np.zeros(100, dtype=np.int64), 0.95)
    np.testing.assert_allclose([exact.value, exact.low, exact.high], -1.0)


@given(st.integers(0, 10**6), st.integers(30, 200), st.sampled_from([0, 1]))
def test_gain_is_the_mean_less_the_others_of_the_group(seed, n, few):
    x, y, z = drawn(seed, n, few)
    group = equal_groups(z)
    found = top_gain(x, y, group, 0.95)
    gains = []
    for i in range(n):
        others = (group == group[i]) & (np.arange(n) != i)
        if (x > x[i]).sum() * 10 < n and others.any():
            gains.append(y[i] - y[others].mean())
    np.testing.assert_allclose(found.value, np.mean(gains), atol=1e-9)
    assert found.low <= found.value <= found.high


def test_who_is_alone_in_a_group_compares_with_nobody():
    x, y = np.arange(40.0), np.random.default_rng(0).normal(size=40)
    group = np.repeat([0, 1], 20)
    alone = top_gain(
        np.append(x, [98.0, 99.0]), np.append(y, [1e6, -1e6]), np.append(group, [2, 3]), 0.95
    )
    others = group == 1
    expected = np.mean([y[i] - y[others & (x != i)].mean() for i in (37, 38, 39)])
    # Five of 42 are the top tenth, of whom two are alone.
    assert alone.value == pytest.approx(expected)
    assert alone.high - alone.low < 10


@given(st.integers(0, 10**6))
def test_sums_over_who_ranks_above(seed):
    rng = np.random.default_rng(seed)
    values, weight = np.round(rng.normal(size=30), 1), rng.normal(size=30)
    above = values[None, :] > values[:, None]
    equal = values[None, :] == values[:, None]
    expected = (above + equal / 2) @ weight / 30
    np.testing.assert_allclose(_Ranks(values).above(weight), expected, atol=1e-12)


def test_error_of_the_gain_is_its_spread_over_draws():
    rng = np.random.default_rng(1)
    x, z = rng.normal(size=400), rng.normal(size=400)
    group = equal_groups(z)
    found = [top_gain(x, rng.normal(size=400), group, 0.95) for _ in range(400)]
    half = np.mean([one.high - one.low for one in found]) / 2
    np.testing.assert_allclose(half, 1.966 * np.std([one.value for one in found]), rtol=0.1)
