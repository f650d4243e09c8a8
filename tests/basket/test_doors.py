"""Tickets of any shape come in, and every table goes out to a file and comes back."""

import io

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from scipy import sparse

from basket._logs import baskets_of, log_of
from crmkit import basket, datasets
from crmkit.errors import InputError, MissingColumnsError

TICKETS = [["bread", "butter"], ["bread"], [], ["milk", "bread", "butter", "bread"]]


def one_hot(baskets):
    items = sorted({item for items in baskets for item in items})
    return pd.DataFrame([[item in items_of for item in items] for items_of in baskets], None, items)


def shapes(baskets):
    """The same orders in every shape that they come in."""
    table = one_hot(baskets)
    names = table.columns.tolist()
    yield baskets
    yield tuple(tuple(items) for items in baskets)
    yield [set(items) for items in baskets]
    yield pd.Series(baskets)
    yield {number: np.array(items, dtype=object) for number, items in enumerate(baskets)}
    yield table
    yield table.astype(int)
    yield table * 2.0
    yield table.astype("boolean")
    yield table.astype(pd.SparseDtype(bool, False))
    yield table.astype(int).astype(pd.SparseDtype("int64", 0))
    yield table.assign(order_id=np.arange(len(table)))
    yield table.to_numpy(), names
    yield table.to_numpy().astype(float), names
    for form in (sparse.csr_matrix, sparse.csc_array, sparse.coo_array):
        yield form(table.to_numpy().astype(int)), names


@pytest.mark.parametrize("number", range(17))
def test_every_shape_gives_the_same_log(number):
    given_as = list(shapes(TICKETS))[number]
    matrix = isinstance(given_as, tuple) and len(given_as) == 2
    log = (
        basket.as_baskets(given_as[0], items=given_as[1]) if matrix else basket.as_baskets(given_as)
    )
    found = basket.frequent_itemsets(log, min_support=1)
    counts = dict(zip(found["itemset"], found["count"], strict=True))
    assert counts == {
        ("bread",): 3, ("butter",): 2, ("milk",): 1, ("bread", "butter"): 2,
        ("bread", "milk"): 1, ("butter", "milk"): 1, ("bread", "butter", "milk"): 1,
    }  # fmt: skip
    assert found["support"].iloc[0] == 3 / 4  # an empty ticket is an order, too


@given(baskets_of(n_items=5))
def test_tickets_count_as_the_log_does(baskets):
    log = log_of(baskets)
    expected = basket.item_pairs(log, min_support=1)
    for form in (baskets, one_hot(baskets)):
        found = basket.item_pairs(basket.as_baskets(form), min_support=1)
        pd.testing.assert_frame_equal(found, expected)


def test_numbers_of_orders_are_kept():
    log = basket.as_baskets({"b7": ["x"], "a3": ["y", "z"]})
    assert log.to_numpy().tolist() == [["b7", "x"], ["a3", "y"], ["a3", "z"]]
    series = basket.as_baskets(pd.Series([["x"], []], index=[5, 9]))
    assert series["order_id"].tolist() == [5, 9]
    assert series["product"].isna().tolist() == [False, True]


def test_what_is_no_basket_is_told():
    for wrong, words in (
        (["bread, butter"], "no list of items"),
        ([], "is empty"),
        (pd.DataFrame({"a": ["yes", "no"]}), "'a'.*2 of 2 rows"),
        (pd.DataFrame({"a": [1, -1]}), "row 1"),
        (pd.DataFrame({"a": [1, np.nan]}), "row 1"),
        (pd.DataFrame({"a": [1, 0], "order_id": [1, 1]}), "twice"),
        (np.zeros(3), "one row per order"),
        (np.array([[1.0, -1.0]]), "cells"),
    ):
        with pytest.raises(InputError, match=words):
            basket.as_baskets(wrong)
    with pytest.raises(InputError, match="2 columns"):
        basket.as_baskets(np.eye(2), items=["a"])


def test_the_way_in_is_told():
    for wrong in (TICKETS, {1: ["a"]}, pd.Series(TICKETS), np.eye(3), sparse.eye_array(3)):
        with pytest.raises(InputError, match="as_baskets"):
            basket.item_pairs(wrong)
    with pytest.raises(MissingColumnsError, match="as_baskets"):
        basket.frequent_itemsets(one_hot(TICKETS))
    with pytest.raises(MissingColumnsError, match="customer_id"):
        basket.item_pairs(log_of(TICKETS).drop(columns="customer_id"))


def anonymous():
    log = datasets.make_transactions(150, random_state=0)["transactions"]
    return log.assign(order_id=log.groupby(["customer_id", "date"]).ngroup())


def test_tickets_without_customers():
    log = anonymous()
    single = log.assign(customer_id=log["order_id"])
    itemsets = basket.frequent_itemsets(single)
    rules = basket.association_rules(itemsets).head(5)
    for lacks in (["customer_id"], ["customer_id", "date"]):
        bare = log.drop(columns=lacks)
        pd.testing.assert_frame_equal(basket.item_pairs(bare), basket.item_pairs(single))
        pd.testing.assert_frame_equal(basket.frequent_itemsets(bare), itemsets)
        pd.testing.assert_frame_equal(
            basket.rule_value(rules, bare), basket.rule_value(rules, single)
        )
        pd.testing.assert_frame_equal(
            basket.itemset_value(itemsets, bare), basket.itemset_value(itemsets, single)
        )
    undated = log.drop(columns=["customer_id", "date"])
    pd.testing.assert_frame_equal(
        basket.rule_windows(rules, log.drop(columns="customer_id")),
        basket.rule_windows(rules, single),
    )
    for needs_days in (
        lambda: basket.rule_windows(rules, undated),
        lambda: basket.item_pairs(undated, as_of="2025-01-01"),
    ):
        with pytest.raises(MissingColumnsError, match="date"):
            needs_days()
    with pytest.raises(MissingColumnsError, match="customer_id"):
        basket.item_pairs(undated, unit="customer")


def through_csv(table):
    return pd.read_csv(io.StringIO(table.to_csv(index=False)))


def test_every_table_comes_back_from_csv():
    log = anonymous()
    itemsets = basket.frequent_itemsets(log)
    rules = basket.association_rules(itemsets, max_consequent=None)
    pairs, later = basket.item_pairs(log), basket.sequence_rules(log, min_support=2)
    pd.testing.assert_frame_equal(
        basket.association_rules(through_csv(itemsets), max_consequent=None), rules
    )
    pd.testing.assert_frame_equal(
        basket.itemset_value(through_csv(itemsets), log), basket.itemset_value(itemsets, log)
    )
    for table in (rules.head(20), pairs, later, basket.time_to_next(log)):
        assert len(table)
        for worth in (basket.rule_value, basket.rule_windows):
            pd.testing.assert_frame_equal(worth(through_csv(table), log), worth(table, log))
    for draw, table in (
        (basket.plot_rules, rules),
        (basket.plot_network, rules),
        (basket.plot_network, later),
        (basket.plot_pairs, pairs),
        (basket.plot_bundles, basket.itemset_value(itemsets, log)),
    ):
        draw(through_csv(table))


@pytest.mark.parametrize("items", [["a, b", "it's"], ["22423", "85123A"], [3, 7], [1.5, 2.5]])
def test_items_keep_their_type_in_a_file(items):
    log = log_of([items] * 3 + [items[:1]])
    sets = basket.frequent_itemsets(log, min_support=1)
    back = basket.itemset_value(through_csv(sets), log.assign(amount=1.0))
    assert sorted(back["itemset"], key=str) == sorted(sets["itemset"], key=str)


@pytest.mark.parametrize(
    "text", ["bread", "(", "()", "('a')", "(__import__('os'),)", "(Timestamp(1),)"]
)
def test_other_text_is_no_itemset(text):
    table = pd.DataFrame({"itemset": [text]})
    with pytest.raises(InputError, match="no tuple of items"):
        basket.itemset_value(table, log_of([["a"]]).assign(amount=1.0))


def test_pairs_and_sequences_are_rules():
    log = anonymous()
    pairs = basket.item_pairs(log).head(4)
    rules = pd.DataFrame(
        {
            "antecedent": [(a,) for a in pairs["item_a"]],
            "consequent": [(b,) for b in pairs["item_b"]],
        }
    )
    pd.testing.assert_frame_equal(basket.rule_value(pairs, log), basket.rule_value(rules, log))
    later = basket.sequence_rules(log, min_support=2)
    assert later["antecedent"].map(type).eq(tuple).all()
    assert basket.rule_value(later, log, unit="customer")["count"].gt(0).any()
