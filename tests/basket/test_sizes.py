"""Chance given the sizes of orders, against its definition and against shuffled logs."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from scipy import stats

from basket._logs import baskets_of, log_of
from crmkit import basket
from crmkit.basket._math import sizes
from crmkit.basket._math.incidence import sort_baskets


def unequal(n_orders=3000, seed=0):
    """Return order and item of lines: sizes and items vary much, and nothing goes together."""
    rng = np.random.default_rng(seed)
    n = np.minimum(rng.geometric(0.12, n_orders) + rng.geometric(0.5, n_orders), 60)
    share = 1 / np.arange(3, 123)
    item = rng.choice(len(share), n.sum(), p=share / share.sum())
    return pd.DataFrame(
        {
            "customer_id": np.repeat(np.arange(n_orders), n),
            "date": pd.Timestamp("2025-06-30"),
            "product": item,
        }
    )


def test_both_margins_are_kept():
    lines = unequal()
    baskets = sort_baskets(*(lines[c].to_numpy() for c in ("customer_id", "product")), n_items=120)
    count, size = sizes.margins(baskets, n_baskets=3000, n_items=120)
    assert count.sum() == size.sum() == len(lines.drop_duplicates())
    k, n_k = np.unique(count, return_counts=True)
    s, n_s = np.unique(size, return_counts=True)
    p = sizes.cell_probabilities(*(part.astype(float) for part in (k, n_k, s, n_s)))
    np.testing.assert_allclose(p @ n_s, k, rtol=1e-8)
    np.testing.assert_allclose(n_k @ p, s, rtol=1e-8)
    # maximum entropy: the odds ratio of any four cells is 1
    odds = np.log(p / (1 - p))
    assert np.ptp(odds - odds[:1] - odds[:, :1], axis=None) == pytest.approx(0, abs=1e-9)


def test_expected_count_is_the_mean_over_orders_of_that_size():
    rng = np.random.default_rng(1)
    size = np.repeat([1, 2, 5, 9], [400, 300, 200, 100])
    count = np.repeat([40, 100, 200], [15, 10, 5])
    count[-1] += size.sum() - count.sum()
    k, row, n_k = np.unique(count, return_inverse=True, return_counts=True)
    s, n_s = np.unique(size, return_counts=True)
    p = sizes.cell_probabilities(*(part.astype(float) for part in (k, n_k, s, n_s)))[row]
    together = np.zeros((30, 30))
    for column, (items, orders) in enumerate(zip(s, n_s, strict=True)):
        drawn = rng.random((60_000, 30)) < p[:, column]
        drawn = drawn[drawn.sum(axis=1) == items].astype(float)
        together += orders * (drawn.T @ drawn) / len(drawn)
    pairs = np.array([(a, b) for a in range(30) for b in range(a)])
    expected = sizes.size_model(count, size).expected_together(pairs)
    drawn = together[pairs[:, 0], pairs[:, 1]]
    assert expected.sum() == pytest.approx(drawn.sum(), rel=0.01)
    for value in np.unique(expected):  # pairs of items that are equally frequent
        assert drawn[expected == value].mean() == pytest.approx(value, rel=0.1)


def test_orders_of_equal_size():
    # six of thirty items: who has one has less room for another
    rng = np.random.default_rng(2)
    pairs = basket.item_pairs(log_of([rng.permutation(30)[:6].tolist() for _ in range(2000)]))
    assert pairs["lift"].median() == pytest.approx(5 / 29 * 30 / 6, abs=0.01)
    assert pairs["lift_given_sizes"].median() == pytest.approx(1, abs=0.01)
    single = basket.item_pairs(log_of([["a", "b"]] * 9), min_support=1)
    assert single["expected_given_sizes"].tolist() == pytest.approx([9])


def independent(n_orders=3000, n_items=60, seed=0):
    """Return a log in which large orders and frequent items differ in their odds only."""
    rng = np.random.default_rng(seed)
    odds = rng.normal(-3.5, 1.5, n_orders)[:, None] + rng.normal(0, 1, n_items)
    order, item = np.nonzero(rng.random(odds.shape) < 1 / (1 + np.exp(-odds)))
    log = pd.DataFrame({"customer_id": order, "product": item})
    return log.assign(date=pd.Timestamp("2025-06-30"))


@pytest.mark.parametrize(("lines", "error"), [(independent(), 0.01), (unequal(), 0.02)])
def test_items_without_relation_show_none(lines, error):
    pairs = basket.item_pairs(lines, min_support=1, include=range(40))
    assert pairs["lift"].median() > 1.3
    assert (pairs["p_adjusted"] < 0.01).mean() > 0.3
    often = pairs[pairs["expected_given_sizes"] > 20]
    assert often["lift_given_sizes"].median() == pytest.approx(1, abs=error)
    assert (pairs["p_adjusted_given_sizes"] > 0.05).all()
    for level in (0.01, 0.05, 0.2):
        assert (pairs["p_given_sizes"] <= level).mean() <= level
    assert (pairs["p_given_sizes"] < 0.5).mean() > 0.2  # on the safe side, but not blind


def test_planted_pair_is_found():
    lines = unequal()
    both = np.random.default_rng(3).permutation(3000)[:60]
    extra = [pd.DataFrame({"customer_id": both, "product": item}) for item in (200, 201)]
    plain = lines[["customer_id", "product"]]
    log = pd.concat([plain, *extra]).assign(date=pd.Timestamp("2025-06-30"))
    pairs = basket.item_pairs(log, min_support=5)
    best = pairs.loc[pairs["lift_given_sizes"].idxmax()]
    assert (best["item_a"], best["item_b"]) == (200, 201)
    assert best["p_adjusted_given_sizes"] < 1e-20
    # the sizes of orders do not hang on the items looked at
    alone = basket.item_pairs(log, min_support=5, include=[200, 201]).iloc[0]
    assert alone["lift_given_sizes"] == pytest.approx(best["lift_given_sizes"])


@given(baskets_of(n_items=5))
def test_numbers_are_sound_on_any_log(baskets):
    pairs = basket.item_pairs(log_of(baskets), min_support=1)
    assert np.isfinite(pairs["lift_given_sizes"]).all()
    assert (pairs["expected_given_sizes"] > 0).all()
    smaller = pairs[["count_a", "count_b"]].min(axis=1)
    assert (pairs["expected_given_sizes"] <= smaller * 1.01).all()
    assert pairs["p_given_sizes"].between(0, 1).all()


def test_poisson_tail_bounds_that_of_the_model():
    rng = np.random.default_rng(4)
    p = rng.random(60) * 0.5
    exact = np.array([1.0])
    for chance in p:
        exact = np.convolve(exact, [1 - chance, chance])
    counts = np.arange(int(p.sum()) + 2, 40)
    tail = np.cumsum(exact[::-1])[::-1][counts]
    bound = sizes.chance_of_as_many(counts, np.full(len(counts), p.sum()))
    assert (bound >= tail).all()
    np.testing.assert_allclose(bound, stats.poisson.sf(counts - 1, p.sum()), rtol=1e-10)


def test_few_items_that_fill_nearly_every_order():
    """Of two items each: the chance of a pair, drawn by given odds, is known exactly."""
    orders = [("c", "x")] * 90 + [("d", "x")] * 90 + [("y", "z")] * 820
    pairs = basket.item_pairs(log_of(orders))
    weight = dict.fromkeys("cdxyz", 1.0)
    held = {item: sum(item in order for order in orders) for item in weight}
    for _ in range(2000):  # odds for which every item is in as many orders as it was
        both = {pair: weight[pair[0]] * weight[pair[1]] for pair in combinations(weight, 2)}
        scale = len(orders) / sum(both.values())
        for item in weight:
            mean = scale * sum(odds for pair, odds in both.items() if item in pair)
            weight[item] *= (held[item] / mean) ** 0.5
    both = {pair: weight[pair[0]] * weight[pair[1]] for pair in combinations(weight, 2)}
    scale = len(orders) / sum(both.values())
    for a, b, count, lift in pairs[["item_a", "item_b", "count", "lift_given_sizes"]].to_numpy():
        assert count / lift == pytest.approx(scale * both[a, b], rel=1e-4)
