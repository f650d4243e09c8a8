"""Itemsets against brute force, and what every log may hold."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from basket._logs import baskets_of, brute_force, log_of
from crmkit import basket
from crmkit.basket._math import mining, prefixes
from crmkit.basket._table.thresholds import _beyond
from crmkit.errors import InputError


def as_dict(frame):
    return dict(zip(frame["itemset"], frame["count"], strict=True))


@given(baskets_of(), st.integers(1, 4), st.sampled_from([None, 1, 2, 3]))
def test_equals_brute_force(baskets, min_count, max_length):
    found = basket.frequent_itemsets(log_of(baskets), min_support=min_count, max_length=max_length)
    assert as_dict(found) == brute_force(baskets, min_count, max_length)
    np.testing.assert_allclose(found["support"], found["count"] / len(baskets), rtol=0)
    assert (found["length"] == found["itemset"].map(len)).all()


@given(
    baskets_of(n_items=12),
    st.integers(1, 3),
    st.sampled_from([1, 3, 17, 1 << 20]),
    st.sampled_from([0, -1e18, 5e5]),
    st.sampled_from([0, 64]),
)
def test_bounded_temporaries_and_lists_change_nothing(baskets, min_count, cells, begin, small):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mining, "CELLS", cells)
        patch.setattr(prefixes, "BEGIN", begin)  # far below 0: lists to the end
        patch.setattr(mining, "SMALL", small)
        found = basket.frequent_itemsets(log_of(baskets), min_support=min_count)
        best = basket.frequent_itemsets(log_of(baskets), n_best=7, min_length=2)
    assert as_dict(found) == brute_force(baskets, min_count)
    longer = {a: c for a, c in brute_force(baskets, 1).items() if len(a) > 1}
    seventh = sorted(longer.values(), reverse=True)[:7][-1] if longer else 0
    assert as_dict(best) == {a: c for a, c in longer.items() if c >= seventh}


@given(
    st.lists(
        st.lists(st.sampled_from(["ab", "cde", "f", "ag", "bcf", "h"]), min_size=1, max_size=4),
        min_size=1,
        max_size=8,
    ),
    st.integers(1, 3),
    st.sampled_from([None, 2, 3, 4]),
    st.sampled_from([1, 2, 16]),
    st.sampled_from([0, 64]),
)
def test_items_that_always_come_together(bundles, min_count, max_length, free, small):
    baskets = [list("".join(some)) for some in bundles]
    expected = brute_force(baskets, min_count, max_length)
    options = {"min_support": min_count, "max_length": max_length}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(prefixes, "FREE", free)
        patch.setattr(mining, "SMALL", small)
        found = basket.frequent_itemsets(log_of(baskets), **options)
        best = basket.frequent_itemsets(log_of(baskets), n_best=7, min_length=2, **options)
    assert as_dict(found) == expected
    longer = {a: c for a, c in expected.items() if len(a) > 1}
    seventh = sorted(longer.values(), reverse=True)[:7][-1] if longer else 0
    assert as_dict(best) == {a: c for a, c in longer.items() if c >= seventh}


@given(baskets_of(), st.integers(1, 3), st.sampled_from([1, 16]), st.sampled_from([0, 64]))
def test_no_itemset_holds_an_item_and_its_group(baskets, min_count, free, small):
    group = {f"item {i}": "even" if i % 2 == 0 else "odd" for i in range(8)}
    log = log_of(baskets)
    log["group"] = log["product"].map(group)
    with_groups = [items + [f"group={group[item]}" for item in items] for items in baskets]
    expected = {
        items: count
        for items, count in brute_force(with_groups, min_count).items()
        if not any(f"group={group.get(item)}" in items for item in items)
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(prefixes, "FREE", free)
        patch.setattr(mining, "SMALL", small)
        found = basket.frequent_itemsets(log, min_support=min_count, groups=["group"])
    assert {tuple(sorted(items)): count for items, count in as_dict(found).items()} == expected


@given(baskets_of(), st.integers(1, 3))
def test_closed_and_maximal(baskets, min_count):
    counts = brute_force(baskets, min_count)
    larger = {a: [b for b in counts if set(a) < set(b)] for a in counts}
    closed = {a for a in counts if all(counts[b] < counts[a] for b in larger[a])}
    maximal = {a for a in counts if not larger[a]}
    log = log_of(baskets)
    found = basket.frequent_itemsets(log, min_support=min_count, family="closed")
    assert set(found["itemset"]) == closed
    found = basket.frequent_itemsets(log, min_support=min_count, family="maximal")
    assert set(found["itemset"]) == maximal


@given(baskets_of(), st.integers(1, 60), st.sampled_from([1, 2]))
def test_n_best_keeps_ties(baskets, n_best, min_length):
    counts = {a: c for a, c in brute_force(baskets, 1).items() if len(a) >= min_length}
    nth = sorted(counts.values(), reverse=True)[:n_best]
    expected = {a: c for a, c in counts.items() if c >= nth[-1]} if nth else {}
    found = basket.frequent_itemsets(log_of(baskets), n_best=n_best, min_length=min_length)
    assert as_dict(found) == expected
    assert found["count"].is_monotonic_decreasing


@given(baskets_of())
def test_support_falls_with_every_item(baskets):
    counts = as_dict(basket.frequent_itemsets(log_of(baskets), min_support=1))
    for items, count in counts.items():
        for left_out in range(len(items) if len(items) > 1 else 0):
            assert counts[items[:left_out] + items[left_out + 1 :]] >= count


def test_rising_threshold_finds_the_best_among_many():
    rng = np.random.default_rng(0)
    baskets = [sorted({int(i) for i in rng.zipf(1.3, 12) if i < 40}) or [1] for _ in range(400)]
    counts = sorted(brute_force(baskets, 1, 3).values(), reverse=True)
    found = basket.frequent_itemsets(log_of(baskets), n_best=50, max_length=3)
    assert sorted(found["count"], reverse=True) == [c for c in counts if c >= counts[49]]


def test_repeats_in_an_order_do_not_make_an_item_frequent():
    log = log_of([["a", "b"], ["a", "b", "c", "c", "c"]])
    found = as_dict(basket.frequent_itemsets(log, n_best=1))
    assert found == {("a",): 2, ("b",): 2, ("a", "b"): 2}


def test_guard_names_the_threshold_that_fits():
    rng = np.random.default_rng(1)
    baskets = [[int(i) for i in rng.integers(0, 12, 6)] for _ in range(60)]
    log = log_of(baskets)
    with pytest.raises(InputError, match="max_itemsets") as caught:
        basket.frequent_itemsets(log, min_support=1, max_itemsets=100)
    fits = int(str(caught.value).split("itemsets; ")[1].split(" ")[0])
    assert len(basket.frequent_itemsets(log, min_support=fits, max_itemsets=100)) <= 100
    with pytest.raises(InputError, match="max_itemsets"):
        basket.frequent_itemsets(log, min_support=fits - 1, max_itemsets=100)


def test_guard_stops_a_flood_of_ties():
    baskets = [list(range(16))] * 2
    with pytest.raises(InputError, match="max_itemsets"):
        basket.frequent_itemsets(log_of(baskets), min_support=2, max_itemsets=1000)
    with pytest.raises(InputError, match="max_itemsets"):
        basket.frequent_itemsets(log_of(baskets), n_best=10, max_itemsets=1000)
    with pytest.raises(InputError, match="max_itemsets"):
        basket.frequent_itemsets(log_of([list(range(300))] * 2), min_support=2)


@pytest.mark.parametrize(
    "items",
    [
        ["a", "b"],
        [1, 2],
        [2.5, 1.5],
        [1, "1"],
        [("a", 1), ("b", 2)],
        [dt.date(2025, 1, 1), dt.date(2025, 1, 2)],
        [True, "yes"],
        ["", " "],
        ["tea, green", "x -> y"],
    ],
    ids=str,
)
def test_items_of_any_type(items):
    first, second = items
    found = as_dict(basket.frequent_itemsets(log_of([items, [first]]), min_support=1))
    assert found[(first,)] == 2
    assert found[(second,)] == 1
    pair = next(itemset for itemset in found if len(itemset) == 2)
    assert set(pair) == {first, second}
    assert len(basket.item_pairs(log_of([items, [first]]), min_support=1)) == 1


@pytest.mark.parametrize("dtype", ["Int64", "category", "int64[pyarrow]", "float64", "int32"])
def test_items_of_any_dtype(dtype):
    log = log_of([[1, 2], [1, 2, 3], [3]]).assign(customer_id=[0, 0, 1, 1, 1, 2])
    log["product"] = log["product"].astype("int64").astype(dtype)
    found = as_dict(basket.frequent_itemsets(log, min_support=2))
    assert found == {(1,): 2, (2,): 2, (3,): 2, (1, 2): 2}


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA])
def test_lines_without_product_are_no_item(missing):
    log = log_of([["a", missing, "b"], ["a", "b", "b"], [missing]])
    found = basket.frequent_itemsets(log, min_support=1)
    assert as_dict(found) == {("a",): 2, ("b",): 2, ("a", "b"): 2}
    assert found["support"].iloc[0] == 2 / 3  # the third order is still an order
    assert basket.frequent_itemsets(log_of([[missing], [missing]])).empty
    assert basket.item_pairs(log_of([[missing], [missing]])).empty


def test_orders_of_one_line_and_empty_results():
    log = log_of([["a"], ["b"], ["a"]])
    assert as_dict(basket.frequent_itemsets(log, min_support=1)) == {("a",): 2, ("b",): 1}
    assert basket.item_pairs(log).empty
    nothing = basket.frequent_itemsets(log, min_support=3)
    assert list(nothing.columns) == ["itemset", "length", "count", "customers", "support"]
    rules = basket.association_rules(nothing)
    assert rules.empty
    assert "p_adjusted" in rules.columns


def test_level_and_order_ids():
    log = pd.DataFrame(
        {
            "customer_id": [1, 1, 1, 2],
            "order_id": ["x", "x", "y", "x"],
            "date": pd.Timestamp("2025-06-30"),
            "product": ["a", "b", "c", "a"],
        }
    )
    by_order = as_dict(basket.frequent_itemsets(log, min_support=1))
    assert ("a", "c") not in by_order
    assert by_order[("a",)] == 2
    by_day = as_dict(basket.frequent_itemsets(log.drop(columns="order_id"), min_support=1))
    assert by_day[("a", "b", "c")] == 1
    customers = basket.frequent_itemsets(log, min_support=1, unit="customer")
    assert as_dict(customers)[("a", "b", "c")] == 1
    assert customers["support"].iloc[0] == 1.0


def test_include_and_exclude():
    log = log_of([["a", "b", "c"], ["a", "b"], ["c"]])
    found = basket.frequent_itemsets(log, min_support=1, include=["a", "c"])
    assert as_dict(found) == {("a",): 2, ("c",): 2, ("a", "c"): 1}
    assert found["support"].iloc[0] == 2 / 3
    found = basket.frequent_itemsets(log, min_support=1, exclude=["a"])
    assert as_dict(found) == {("b",): 2, ("c",): 2, ("b", "c"): 1}
    with pytest.raises(InputError, match="`exclude` and `transactions` do not write item alike"):
        basket.frequent_itemsets(log, exclude=["A"])
    with pytest.raises(InputError, match="list of items"):
        basket.frequent_itemsets(log, exclude="a")


def test_support_as_share_or_count():
    log = log_of([["a"]] * 3 + [["b"]] * 7)
    assert len(basket.frequent_itemsets(log, min_support=0.3)) == 2
    assert len(basket.frequent_itemsets(log, min_support=0.31)) == 1
    assert len(basket.frequent_itemsets(log, min_support=1.0)) == 0
    assert len(basket.frequent_itemsets(log, min_support=1)) == 2
    for wrong in (0, -1, 1.5, 0.0, "1%", True, float("nan")):
        with pytest.raises(InputError, match="min_support"):
            basket.frequent_itemsets(log, min_support=wrong)


def test_wrong_options():
    log = log_of([["a", "b"]])
    for options in ({"family": "open"}, {"unit": "day"}, {"max_length": 0}, {"n_best": 0}):
        with pytest.raises(InputError, match=next(iter(options))):
            basket.frequent_itemsets(log, **options)
    with pytest.raises(InputError, match="adjust"):
        basket.item_pairs(log, adjust="none")


def test_numbers_of_itemsets_grow_on_as_they_grew():
    # 9,000 / c ** 2 itemsets are in c baskets or more: 90 in 10, which were counted, 40 in 15.
    known = np.sort(np.sqrt(9_000 / np.arange(1, 91)).astype(int))
    assert _beyond(known, 10, np.array([5, 2])).tolist() == [360, 2250]
    assert _beyond(known[:0], 10, np.array([5])).tolist() == [0]


def test_thresholds_tell_what_they_cost(monkeypatch):
    rng = np.random.default_rng(0)
    log = log_of([rng.permutation(25)[: rng.integers(1, 9)].tolist() for _ in range(2000)])
    table = basket.support_table(log)
    assert table["min_support"].tolist() == [200, 100, 40, 20, 10, 5]
    assert table["support"].tolist() == [0.1, 0.05, 0.02, 0.01, 0.005, 0.0025]
    assert (table["basis"] == "counted").all()
    short = basket.support_table(log, max_length=2).set_index("min_support")["itemsets"]
    every = basket.frequent_itemsets(log, min_support=5)
    for row in table.itertuples():
        found = every[every["count"] >= row.min_support]
        assert row.itemsets == len(found)
        assert short[row.min_support] == found["length"].le(2).sum()
    monkeypatch.setattr("crmkit.basket._table.thresholds.COUNTED", 2 * len(log.columns) * 100)
    part = basket.support_table(log)
    assert set(part["basis"]) == {"counted", "estimated"}
    known = part["basis"] == "counted"
    pd.testing.assert_frame_equal(part[known], table[known])
    assert part["itemsets"].is_monotonic_increasing
    assert (part["itemsets"] / table["itemsets"]).between(1 / 5, 5).all()
