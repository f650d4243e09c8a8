"""Judging figures against definitions and published values."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from crmkit.segmentation._math import (
    best_jaccard,
    cohens_h,
    group_quantile,
    homogeneity,
    likeness,
    mixture_membership,
    nearest_centre,
    population_stability,
)


@given(st.integers(0, 10**6))
def test_homogeneity_averages_to_eta_squared(seed):
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, 3, 50)
    values = rng.normal(size=50) + codes
    between = sum(
        (codes == k).sum() * (values[codes == k].mean() - values.mean()) ** 2 for k in set(codes)
    )
    eta = between / ((values - values.mean()) ** 2).sum()
    found = homogeneity(values[:, None], codes)
    np.testing.assert_allclose(np.average(found, weights=np.bincount(codes)), eta)


def test_nothing_varies():
    assert homogeneity(np.ones((4, 2)), np.array([0, 0, 1, 1])).tolist() == [0.0, 0.0]


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
    before, after = np.array([50.0, 30.0, 20.0]), np.array([40.0, 40.0, 20.0])
    parts = population_stability(before, after, smoothing=0.0)
    expected = [-0.1 * np.log(0.8), 0.1 * np.log(4 / 3), 0.0]
    np.testing.assert_allclose(parts, expected)
    assert np.isfinite(population_stability(before, np.array([100.0, 0.0, 0.0]))).all()


def test_effect_size_of_shares():
    # Cohen (1988), table 6.2.2: shares .50 and .65 have phi 1.571 and 1.875.
    np.testing.assert_allclose(
        cohens_h(np.array([0.65]), np.array([0.5])), 1.875 - 1.571, atol=2e-3
    )


def test_likeness_sees_a_group_in_the_middle():
    rng = np.random.default_rng(0)
    matrix = np.concatenate((rng.normal(0, 0.3, 300), rng.normal(0, 5, 300)))[:, None]
    member = np.arange(600) < 300
    score = likeness(matrix, member)
    rank = stats.mannwhitneyu(score[member], score[~member]).statistic / 300**2
    assert rank > 0.85


def test_likeness_is_the_log_ratio_of_densities():
    rng = np.random.default_rng(1)
    matrix = rng.normal(size=(400, 2)) @ np.array([[1.0, 0.6], [0.0, 2.0]])
    member = rng.random(400) < 0.4
    ridge = 0.01 * np.diag(matrix.var(axis=0))
    log = [
        stats.multivariate_normal(
            matrix[rows].mean(axis=0), np.cov(matrix[rows].T, bias=True) + ridge
        ).logpdf(matrix)
        for rows in (member, ~member)
    ]
    np.testing.assert_allclose(likeness(matrix, member), log[0] - log[1])


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
