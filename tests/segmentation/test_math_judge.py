"""Judging figures against definitions and published values."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from crmkit.segmentation._math import (
    adjusted_rand,
    against_the_rest,
    best_jaccard,
    cohens_h,
    deal_folds,
    explained_interval,
    group_quantile,
    log_densities,
    mixture_membership,
    nearest_centre,
    population_stability,
    robust_unit,
    scatter,
    share_of_total,
    squash,
    within_interval,
)


@given(st.integers(0, 10**6), st.integers(2, 5))
def test_scatter_is_that_of_means_of_the_other_folds(seed, n_folds):
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, 3, 60)
    values = rng.normal(size=60) + codes
    folds = deal_folds(rng.permutation(60), codes, n_folds)
    own, every = scatter(values[:, None], codes, folds)
    for row in range(60):
        seen = folds != folds[row]
        mean = values[seen & (codes == codes[row])].mean()
        np.testing.assert_allclose(own[row], (values[row] - mean) ** 2)
        np.testing.assert_allclose(every[row], (values[row] - values[seen].mean()) ** 2)
    # Every fold has its part of every segment.
    assert np.ptp(np.bincount(codes * n_folds + folds).reshape(-1, n_folds), axis=1).max() <= 1


def test_columns_count_by_what_segments_explain_of_them():
    rng = np.random.default_rng(0)
    codes = np.repeat([0, 1], 400)
    matrix = rng.normal(size=(800, 10))
    matrix[:, 0] += 6 * codes
    order = rng.permutation(800)
    own, every = scatter(matrix, codes, deal_folds(order, codes, 5))
    share, low, high = explained_interval(own, every, 0.95)
    assert low < 9 / 10 < high  # 6**2 / 4 of variance lies between, 1 within
    assert abs(share - 0.9) < 0.02
    own, every = scatter(np.ones((800, 2)), codes, deal_folds(order, codes, 5))
    assert explained_interval(own, every, 0.95) == (0.0, 0.0, 0.0)
    assert [limit.tolist() for limit in within_interval(own, every, codes, 0.95)] == [[0, 0]] * 3


def test_what_vanishes_within_a_segment_is_a_ratio_of_means():
    rng = np.random.default_rng(6)
    own, every, codes = rng.exponential(2, 90), rng.exponential(7, 90), np.repeat([0, 1, 2], 30)
    share, low, high = within_interval(own, every, codes, 0.95)
    means = own.reshape(3, 30).mean(axis=1)
    np.testing.assert_allclose(share, 1 - means / every.mean())
    # Student's on the logarithm of the ratio, whose variance is the sum of the relative ones.
    relative = own.reshape(3, 30).var(axis=1, ddof=1) / 30 / means**2
    error = np.sqrt(relative + every.var() / 90 / every.mean() ** 2)
    for limit, side in ((low, 1), (high, -1)):
        expected = means / every.mean() * np.exp(side * stats.t.ppf(0.975, 29) * error)
        np.testing.assert_allclose(limit, 1 - expected)


def test_a_segment_of_one_is_judged_by_nobody():
    codes = np.array([0, 0, 0, 0, 1])
    folds = deal_folds(np.arange(5), codes, 5)
    own, every = scatter(np.arange(5.0)[:, None], codes, folds)
    assert np.isnan(own).tolist() == [False] * 4 + [True]
    assert np.isnan(within_interval(own, every, codes, 0.95)[0]).tolist() == [False, True]
    odds = against_the_rest(log_densities(np.arange(5.0)[:, None], codes, folds))
    assert odds[4].tolist() == [np.inf, -np.inf]
    assert np.isfinite(explained_interval(own, every, 0.95)).all()


def test_shares_of_a_total_have_fiellers_limits():
    # The limits of a ratio s are where the total of v x (held - s) is Student's t from 0.
    rng = np.random.default_rng(3)
    codes, values = rng.integers(0, 3, 200), rng.normal(1, 2, 200)
    share, low, high = share_of_total(values, codes, 0.9)
    np.testing.assert_allclose(share, np.bincount(codes, weights=values) / values.sum())
    for k in range(3):
        for limit in (low[k], high[k]):
            found = stats.ttest_1samp(values * ((codes == k) - limit), 0.0)
            np.testing.assert_allclose(found.pvalue, 0.1)
    assert np.isnan(share_of_total(values - 0.999 * values.mean(), codes, 0.9)[1]).all()


def test_adjusted_rand_is_scikit_learns():
    from sklearn.metrics import adjusted_rand_score

    rng = np.random.default_rng(4)
    tables = []
    expected = []
    for spread in (1, 3, 30):
        first = rng.integers(0, 4, 80)
        second = np.where(rng.integers(0, 30, 80) < spread, rng.integers(0, 4, 80), first)
        tables.append(np.bincount(first * 4 + second, minlength=16).reshape(4, 4))
        expected.append(adjusted_rand_score(first, second))
    np.testing.assert_allclose(adjusted_rand(tables), expected)
    assert adjusted_rand(np.diag([5, 0])) == 1.0


def test_far_values_are_drawn_in_and_the_middle_stays_straight():
    rng = np.random.default_rng(5)
    matrix = np.column_stack([rng.normal(3, 2, 5000), rng.integers(0, 2, 5000), np.zeros(5000)])
    centre, unit = robust_unit(matrix)
    np.testing.assert_allclose([centre[0], unit[0]], [3, 2], atol=0.15)
    assert centre[1:].tolist() == [0, 0]
    assert unit[1:].tolist() == [1, 1]
    values = np.linspace(-50, 50, 1001)[:, None]
    found = squash(values, np.zeros(1), np.ones(1))[:, 0]
    near = np.abs(values[:, 0]) <= 3
    np.testing.assert_allclose(found[near], values[near, 0])
    assert (np.diff(found) > 0).all()
    np.testing.assert_allclose(found[-1], 3 + np.log(48))
    np.testing.assert_allclose(found, -found[::-1])
    rare = np.r_[np.zeros(990), np.arange(10.0)][:, None]  # nine tenths do not vary
    assert robust_unit(rare)[1][0] == rare.std()


@given(st.integers(0, 10**6))
def test_best_jaccard_by_sets(seed):
    rng = np.random.default_rng(seed)
    first, second = rng.integers(0, 3, 30), rng.integers(0, 4, 30)
    sets = [
        [set(np.flatnonzero(codes == k)) for k in range(size)]
        for codes, size in ((first, 3), (second, 4))
    ]
    expected = [max(len(a & b) / max(len(a | b), 1) for b in sets[1]) for a in sets[0]]
    np.testing.assert_allclose(best_jaccard(first, second, 3), expected)
    assert best_jaccard(first, first, 3)[np.bincount(first, minlength=3) > 0].tolist() == [
        1.0
    ] * len(set(first))


def test_stability_index_by_hand():
    before, after = np.array([49.5, 29.5, 19.5]), np.array([39.5, 39.5, 19.5])
    index, low, high = population_stability(before, after, 0.95)
    parts = [-0.1 * np.log(0.8), 0.1 * np.log(4 / 3), 0.0]
    np.testing.assert_allclose(index, sum(parts))
    unit = 1 / 98.5 + 1 / 98.5
    assert low == 0  # so small a difference may be none
    np.testing.assert_allclose(stats.ncx2.cdf(index / unit, 2, high / unit), 0.025)
    index, low, high = population_stability(before, np.array([100.0, 0.0, 0.0]), 0.95)
    assert np.isfinite([index, low, high]).all()
    np.testing.assert_allclose(
        stats.ncx2.sf(index / (1 / 98.5 + 1 / 100), 2, low / (1 / 98.5 + 1 / 100)), 0.025
    )
    assert population_stability(np.array([9.0]), np.array([4.0]), 0.95) == (0.0, 0.0, 0.0)


def test_effect_size_of_shares():
    # Cohen (1988), table 6.2.2: shares .50 and .65 have phi 1.571 and 1.875.
    np.testing.assert_allclose(
        cohens_h(np.array([0.65]), np.array([0.5])), 1.875 - 1.571, atol=2e-3
    )


def test_a_group_in_the_middle_is_told_from_those_around():
    rng = np.random.default_rng(0)
    matrix = np.concatenate((rng.normal(0, 0.3, 300), rng.normal(0, 5, 300)))[:, None]
    codes = np.repeat([0, 1], 300)
    found = log_densities(matrix, codes, deal_folds(rng.permutation(600), codes, 5))
    odds = against_the_rest(found)[:, 0]
    assert stats.mannwhitneyu(odds[:300], odds[300:]).statistic / 300**2 > 0.85


def test_densities_are_those_of_the_other_folds():
    rng = np.random.default_rng(1)
    matrix = rng.normal(size=(400, 2)) @ np.array([[1.0, 0.6], [0.0, 2.0]])
    codes = (rng.random(400) < 0.4).astype(int)
    folds = deal_folds(rng.permutation(400), codes, 2)
    found = log_densities(matrix, codes, folds)
    ridge = 0.01 * np.diag(matrix.var(axis=0))
    for fold in (0, 1):
        seen = [matrix[(folds != fold) & (codes == k)] for k in (0, 1)]
        n = np.array([len(own) for own in seen])
        spread = [np.cov(own.T, bias=True) * len(own) for own in seen]
        shared = sum(spread) / (n.sum() - 2)
        for k in (0, 1):
            covariance = (spread[k] + 4 * shared) / (n[k] + 4) + ridge
            density = stats.multivariate_normal(seen[k].mean(axis=0), covariance)
            expected = density.logpdf(matrix) + np.log(2 * np.pi) + np.log(n[k] / n.sum())
            np.testing.assert_allclose(found[folds == fold, k], expected[folds == fold])
    odds = against_the_rest(found)
    np.testing.assert_allclose(odds[:, 0], found[:, 0] - found[:, 1])


def test_membership_equals_scikit_learn():
    from sklearn.mixture import GaussianMixture

    rng = np.random.default_rng(2)
    matrix = np.concatenate((rng.normal(0, 1, (200, 3)), rng.normal(2, 0.7, (150, 3))))
    fitted = GaussianMixture(2, random_state=0).fit(matrix)
    codes, chance = mixture_membership(
        matrix, fitted.weights_, fitted.means_, fitted.precisions_cholesky_
    )
    assert (codes == fitted.predict(matrix)).all()
    np.testing.assert_allclose(chance, fitted.predict_proba(matrix).max(axis=1))
    codes, distance = nearest_centre(matrix, fitted.means_)
    every = np.linalg.norm(matrix[:, None] - fitted.means_, axis=2)
    assert (codes == every.argmin(axis=1)).all()
    np.testing.assert_allclose(distance, every.min(axis=1))


@given(st.integers(0, 10**6), st.floats(0, 1))
def test_group_quantile_is_numpys(seed, q):
    rng = np.random.default_rng(seed)
    groups = np.concatenate((np.arange(4), rng.integers(0, 4, 30)))
    values = rng.normal(size=34)
    expected = [np.quantile(values[groups == k], q) for k in range(4)]
    np.testing.assert_allclose(group_quantile(values, groups, q), expected, atol=1e-12)
