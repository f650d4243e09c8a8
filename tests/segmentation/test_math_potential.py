"""White space, nested means and bands, against the slow and obvious way."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmkit.segmentation import _math
from crmkit.segmentation._math import Level, Pairs


def baskets(seed):
    """Who bought which of six categories, and for how much; everybody something."""
    rng = np.random.default_rng(seed)
    n, k = int(rng.integers(3, 25)), 6
    bought = rng.random((n, k)) < 0.4
    bought[np.arange(n), rng.integers(0, k, n)] = True
    money = np.where(bought, rng.integers(-5, 50, (n, k)), 0.0)
    customer, category = np.nonzero(bought)
    pairs = Pairs(customer, category, money[customer, category], n, k)
    return pairs, bought, money, rng.integers(1, 9, n), rng.integers(0, 3, n)


@pytest.mark.parametrize("grouped", [False, True])
@given(seed=st.integers(0, 10**6))
def test_white_space_by_its_definition(grouped, seed):
    pairs, bought, money, orders, group = baskets(seed)
    n, k = bought.shape
    base = bought.mean(axis=0)
    worth = np.array(
        [max(money[:, c].sum() / max(orders[bought[:, c]].sum(), 1), 0.0) for c in range(k)]
    )
    np.testing.assert_allclose(_math.money_per_order(pairs, orders), worth)

    def share(who, c):
        return (bought[who, c].sum() + 20 * base[c]) / (who.sum() + 20)

    expected, best = np.zeros(n), np.full(n, -1)
    for u in range(n):
        gains = np.zeros(k)
        for c in np.flatnonzero(~bought[u]):
            if grouped:
                chance = share(group == group[u], c)
            else:
                chance = np.mean([share(bought[:, own], c) for own in np.flatnonzero(bought[u])])
            gains[c] = chance * worth[c]
        expected[u] = gains.sum()
        best[u] = gains.argmax() if gains.sum() > 0 else -1
    peers = (group, 3) if grouped else None
    found, place = _math.white_space(pairs, worth, peers)
    np.testing.assert_allclose(found, expected, atol=1e-12)
    top = [worth[p] if p >= 0 else 0 for p in place]
    assert ((place >= 0) == (best >= 0)).all()
    assert (np.array(top) > 0).tolist() == (best >= 0).tolist()


def test_pieces_of_customers_add_up(monkeypatch):
    pairs, _, _, orders, _ = baskets(3)
    worth = _math.money_per_order(pairs, orders)
    whole = _math.white_space(pairs, worth, None)
    monkeypatch.setattr("crmkit.segmentation._math.potential._CELLS", 7)
    for one, other in zip(whole, _math.white_space(pairs, worth, None), strict=True):
        np.testing.assert_allclose(one, other)


def test_money_spent_makes_nobody_like_another():
    """Ten times the money of every category changes what they are worth, and no peers."""
    pairs = baskets(5)[0]
    ones = np.ones(pairs.n_categories)
    richer = Pairs(pairs.customer, pairs.category, 10 * pairs.money, pairs.n_customers, 6)
    one, other = _math.white_space(pairs, ones, None), _math.white_space(richer, ones, None)
    np.testing.assert_array_equal(one[0], other[0])


@given(st.integers(0, 10**6))
def test_nested_mean_is_drawn_towards_the_wider_group(seed):
    rng = np.random.default_rng(seed)
    values = rng.normal(size=40)
    wide, narrow = rng.integers(0, 2, 40), rng.integers(0, 3, 40)
    asked = rng.integers(0, 2, 5), rng.integers(0, 3, 5)
    levels = [Level(wide, asked[0], 2), Level(wide * 3 + narrow, asked[0] * 3 + asked[1], 6)]
    found = _math.nested_mean(values, levels)
    for i in range(5):
        mean = values.mean()
        for level in levels:
            own = values[level.learned == level.all[i]]
            mean = (own.sum() + 10 * mean) / (own.size + 10)
        np.testing.assert_allclose(found[i], mean)


@given(st.integers(0, 10**6))
def test_best_half_by_its_definition(seed):
    rng = np.random.default_rng(seed)
    values = np.round(rng.normal(size=30), 1)
    level = Level(rng.integers(0, 4, 30), np.zeros(1, dtype=np.int64), 4)
    everybody, grouped = _math.best_half(values, [level])
    assert values[everybody].min() >= values[~everybody].max()
    assert everybody.sum() == 15
    for group in range(4):
        own, half = level.learned == group, grouped & (level.learned == group)
        assert half.sum() == (own.sum() + 1) // 2
        assert values[half].sum() == pytest.approx(np.sort(values[own])[own.sum() // 2 :].sum())


def test_bands_are_of_equal_size_within_bands_and_meet_nobody_unknown():
    rng = np.random.default_rng(0)
    orders, days = rng.poisson(2, 1000), rng.integers(0, 90, 1000)
    asked = np.array([0, 1, 99]), np.array([0, 45, 200])
    band, cell = _math.standing_bands((orders, asked[0]), (days, asked[1]))
    assert band.all.tolist() == [0, 1, band.learned.max()]
    assert (cell.learned // 5 == band.learned).all()
    assert cell.all.tolist() == [0, 5 + 2, 5 * band.learned.max() + 4]
    sizes = np.bincount(cell.learned[band.learned == 1])[5:]
    assert sizes.max() < 1.3 * sizes.min()
    for value in np.unique(orders):
        assert np.unique(band.learned[orders == value]).size == 1
