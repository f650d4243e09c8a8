"""Who stands behind a pair, products that belong apart, and what goes with one."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from basket._logs import baskets_of, log_of
from crmkit import basket
from crmkit.basket._math import sizes, witnesses
from crmkit.errors import InputError


def shared(baskets, n_customers):
    """Return a log whose orders belong to a few customers in turn."""
    log = log_of(baskets)
    return log.assign(order_id=log["customer_id"], customer_id=log["customer_id"] % n_customers)


def dense(log):
    """Return who has what: one row per order, and the customer of each."""
    has = pd.crosstab(log["order_id"], log["product"]).gt(0)
    return has, log.groupby("order_id")["customer_id"].first().reindex(has.index).to_numpy()


@given(baskets_of(n_items=6), st.integers(1, 6))
def test_customers_and_both_tails_equal_brute_force(baskets, n_customers):
    log = shared(baskets, n_customers)
    has, customer = dense(log)
    size = has.sum(axis=1).to_numpy()
    model = sizes.size_model(has.sum().to_numpy(), size)
    p = model.p[model.row][:, model.column].T  # orders x items
    made = size * (size - 1.0) / max((size * (size - 1.0)).sum(), 1)
    own = [np.flatnonzero(customer == c) for c in np.unique(customer)]
    together = sum(made[t].sum() ** 2 - (made[t] ** 2).sum() for t in own)
    off = has.to_numpy() - p
    above = sum(off[t].sum(axis=0) ** 2 - (off[t] ** 2).sum(axis=0) for t in own)
    under = sum(p[t].sum(axis=0) ** 2 - (p[t] ** 2).sum(axis=0) for t in own)
    scale = sum(p[t].sum(axis=0) ** 2 for t in own)
    taste = np.where(under > 1e-12 * scale, np.maximum(above, 0) / np.maximum(under, 1e-300), 0)
    place = {item: number for number, item in enumerate(has.columns)}
    for row in basket.item_pairs(log, min_support=1).itertuples():
        a, b = place[row.item_a], place[row.item_b]
        both = (has[row.item_a] & has[row.item_b]).to_numpy()
        assert row.count == both.sum()
        assert row.customers == len(set(customer[both]))
        expected = row.expected_given_sizes
        off = both - both.sum() * made
        excess = sum(off[t].sum() ** 2 - (off[t] ** 2).sum() for t in own)
        few = 1 + taste[a] * taste[b] * expected * together
        many = max(few, 1 + max(excess, 0) / both.sum())
        assert row.p_apart == pytest.approx(
            float(sizes.chance_of_as_few(row.count, expected, few)), rel=1e-6, abs=1e-12
        )
        assert row.p_given_sizes == pytest.approx(
            float(sizes.chance_of_as_many(row.count, expected, many)), rel=1e-6, abs=1e-12
        )


@given(baskets_of(n_items=7), st.integers(1, 3))
def test_pairs_apart_equal_brute_force(baskets, least):
    log = shared(baskets, 5)
    has, _ = dense(log)
    model = sizes.size_model(has.sum().to_numpy(), has.sum(axis=1).to_numpy())
    pairs = np.array([(a, b) for a in range(has.shape[1]) for b in range(a + 1, has.shape[1])])
    found = basket.item_pairs(log, apart=True, min_support=least, adjust="bonferroni")
    wanted = {}
    if len(pairs):
        expected = model.expected_together(pairs)
        tested = (expected >= least).sum()
        for (a, b), e in zip(pairs, expected, strict=True):
            x = (has.iloc[:, a] & has.iloc[:, b]).sum()
            if e >= least and x < e:
                wanted[has.columns[a], has.columns[b]] = x
        np.testing.assert_allclose(
            found["p_adjusted_apart"], np.minimum(found["p_apart"] * tested, 1)
        )
    keys = zip(found["item_a"], found["item_b"], strict=True)
    assert dict(zip(keys, found["count"], strict=True)) == wanted


@given(baskets_of(n_items=6), st.sampled_from([1, 7, 100]))
def test_bounded_temporaries_change_nothing(baskets, cells):
    log = shared(baskets, 4)
    expected = basket.item_pairs(log, min_support=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(witnesses, "CELLS", cells)
        patch.setattr(sizes, "CELLS", cells)
        pd.testing.assert_frame_equal(basket.item_pairs(log, min_support=1), expected)


def filled(n_orders, seed=0):
    """Return orders of three in ten products."""
    rng = np.random.default_rng(seed)
    return [[f"p{i}" for i in rng.choice(10, 3, replace=False)] for _ in range(n_orders)]


def test_one_cafe_proves_no_more_than_one_customer():
    log = log_of([*filled(200), *[["cups", "lids"]] * 25])
    log["order_id"] = log["customer_id"]
    log["customer_id"] = log["customer_id"].clip(upper=200)  # the last 25 orders are of one
    pair = basket.item_pairs(log, min_support=1).set_index(["item_a", "item_b"]).loc["cups", "lids"]
    assert (pair["count"], pair["customers"]) == (25, 1)
    assert pair["p_value"] < 1e-30  # orders as independent
    assert pair["p_given_sizes"] > 0.05
    # the same orders of 25 customers
    many = basket.item_pairs(log.assign(customer_id=log["order_id"]), min_support=1)
    pair = many.set_index(["item_a", "item_b"]).loc["cups", "lids"]
    assert (pair["count"], pair["customers"]) == (25, 25)
    assert pair["p_adjusted_given_sizes"] < 1e-15


def test_the_least_support_is_a_hundredth_but_five_orders_of_pairs_apart():
    rare = [[*order, "rare"] if at < 30 else order for at, order in enumerate(filled(1000))]
    log = log_of(rare)
    few = basket.item_pairs(log, min_support=5)
    assert few["count"].min() < 10
    pd.testing.assert_frame_equal(basket.item_pairs(log), basket.item_pairs(log, min_support=10))
    apart = basket.item_pairs(log, apart=True)
    assert apart["expected_given_sizes"].min() < 10
    pd.testing.assert_frame_equal(apart, basket.item_pairs(log, apart=True, min_support=5))


def test_of_pairs_beyond_doubt_the_one_expected_most_comes_first():
    log = log_of([["a", "x"]] * 12_000 + [["b", "x"]] * 16_000 + [["c", "x"]] * 16_000)
    apart = basket.item_pairs(log, apart=True)
    assert apart["p_apart"].tolist() == [0.0] * 3
    assert apart["item_a"].tolist() == ["b", "a", "a"]
    assert apart["expected_given_sizes"].is_monotonic_decreasing


def test_substitutes_are_found_though_never_together():
    orders = [["A" if number < 200 else "B", *rest] for number, rest in enumerate(filled(400))]
    apart = basket.item_pairs(log_of(orders), apart=True)
    first = apart.iloc[0]
    assert (first["item_a"], first["item_b"], first["count"], first["customers"]) == (
        "A",
        "B",
        0,
        0,
    )
    assert first["expected_given_sizes"] > 80
    assert first["p_adjusted_apart"] < 1e-30
    assert (apart["p_adjusted_apart"].iloc[1:] > 0.01).all()
    # one customer that buys one of them a hundred times is no witness of a hundred
    few = [["A" if number < 200 else "B", *rest] for number, rest in enumerate(filled(400))]
    log = log_of(few)
    log = log.assign(order_id=log["customer_id"], customer_id=log["customer_id"] // 200)
    apart = basket.item_pairs(log, apart=True).set_index(["item_a", "item_b"])
    assert apart.loc[("A", "B"), "p_apart"] > 0.05


def test_what_goes_with_one_item():
    log = log_of(filled(300))
    every = basket.item_pairs(log, min_support=1)
    mine = basket.item_pairs(log, item=["p3"], min_support=1)
    assert (mine["item_a"] == "p3").all()
    assert len(mine) == 9
    other = every[(every["item_a"] == "p3") | (every["item_b"] == "p3")]
    both = other["item_a"].where(other["item_a"] != "p3", other["item_b"])
    columns = ["count", "lift", "p_value", "expected_given_sizes", "p_given_sizes", "p_apart"]
    pd.testing.assert_frame_equal(
        mine.set_index("item_b")[columns].sort_index(),
        other.set_index(both)[columns].sort_index(),
        check_names=False,
    )
    turned = mine.set_index("item_b").loc["p1"]  # stands as (p1, p3) in the whole table
    whole = every[(every["item_a"] == "p1") & (every["item_b"] == "p3")].iloc[0]
    assert (turned["count_a"], turned["count_b"]) == (whole["count_b"], whole["count_a"])
    assert turned["confidence_ab"] == whole["confidence_ba"]
    apart = basket.item_pairs(log, item=["p3"], apart=True)
    assert (apart["item_a"] == "p3").all()
    with pytest.raises(InputError, match="as `item`"):
        basket.item_pairs(log, include=["p3"])
    with pytest.raises(InputError, match="p77"):
        basket.item_pairs(log, item=["p77"])


def test_one_huge_order_stops_in_words():
    log = log_of([range(5000), [1, 2], [1, 2]])
    assert basket.item_pairs(log).empty  # five orders at least
    with pytest.raises(InputError, match=r"max_pairs.*2 orders give 1\."):
        basket.item_pairs(log, min_support=1)
    assert len(basket.item_pairs(log, item=[7], min_support=1)) == 4999
    with pytest.raises(InputError, match="Chance alone"):
        basket.item_pairs(log_of([range(60)] * 9), apart=True, max_pairs=100)
