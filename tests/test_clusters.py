"""Rows of one customer count as what they are worth; single rows as they always did."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special

from crmkit import churn
from crmkit._learn.clusters import Clusters


def drawn(seed, n=60, customers=12, groups=3):
    rng = np.random.default_rng(seed)
    return (
        rng.permutation(np.r_[np.arange(customers), rng.integers(0, customers, n - customers)]),
        rng.permutation(np.r_[np.arange(groups), rng.integers(0, groups, n - groups)]),
        (rng.random(n) < 0.4).astype(float),
    )


@given(st.integers(0, 10_000))
def test_effective_sizes_and_inflation_equal_a_loop(seed):
    customer, group, outcome = drawn(seed)
    clusters = Clusters.of(customer, group)
    sizes, inflation = clusters.effective_sizes(outcome, 0.9), clusters.inflation(outcome)
    for number in range(3):
        inside = group == number
        rows = pd.DataFrame({"who": customer[inside], "y": outcome[inside]})
        n, m, rate = len(rows), rows["who"].nunique(), rows["y"].mean()
        if m > 1 and 0 < rate < 1:
            square = ((rows["y"] - rate).groupby(rows["who"]).sum() ** 2).sum() / n**2
            effect = square * m / (m - 1) / (rate * (1 - rate) / (n - 1))
            few = special.stdtrit(n - 1, 0.05) / special.stdtrit(m - 1, 0.05)
            assert sizes[number] == pytest.approx(min(n / effect * few**2, n))
        part = np.where(inside, 1 / n, -1 / (60 - n)) * (outcome - outcome.mean())
        clustered = (pd.Series(part).groupby(customer).sum() ** 2).sum()
        assert inflation[number] == pytest.approx(max(clustered / np.sum(part**2), 1.0))


@given(st.integers(0, 10_000))
def test_a_row_each_changes_nothing(seed):
    _, group, outcome = drawn(seed)
    clusters = Clusters.of(np.random.default_rng(seed).permutation(60), group)
    np.testing.assert_allclose(clusters.effective_sizes(outcome, 0.95), np.bincount(group))
    np.testing.assert_allclose(clusters.inflation(outcome), 1.0)


def test_the_same_customers_again_tell_nothing_new():
    rng = np.random.default_rng(0)
    once = pd.DataFrame({"customer_id": range(300), "town": rng.integers(0, 3, 300).astype(str)})
    once["churned"] = rng.random(300) < 0.3
    days = pd.date_range("2024-01-31", periods=6, freq="ME")
    again = pd.concat([once.assign(as_of=day) for day in days])
    few = churn.retention_profile(once.assign(as_of=days[0]))
    many = churn.retention_profile(again)
    for column in ("conf_low", "conf_high", "p_value"):
        np.testing.assert_allclose(many[column], few[column], rtol=0.06)
    scores = once[["customer_id"]].assign(p_churn=rng.random(300))
    few, many = churn.gains_table(once, scores), churn.gains_table(again, scores)
    np.testing.assert_allclose(many["conf_low"], few["conf_low"], rtol=0.06)


def test_all_or_nobody_is_known_from_customers_not_rows():
    customer, group = np.repeat([0, 1, 2, 3], 5), np.repeat([0, 1], 10)
    outcome = np.repeat([1.0, 0.0], 10)
    assert (Clusters.of(customer, group).effective_sizes(outcome, 0.95) <= 2).all()
    assert Clusters.of(np.zeros(4, dtype=int), np.zeros(4, dtype=int)).effective_sizes(
        np.array([0.0, 1, 0, 1]), 0.95
    ) == pytest.approx(1.0)
