"""What is bought together: pairs, rules, and rules through time."""

from __future__ import annotations

import numpy as np
import pandas as pd

from _suite import Case, Target, study
from crmkit import basket
from worlds import START, covered, once, rejected, rows

# Pairs and rules of items that are bought independently, but for the first pair where it is told.

ITEMS = 10


def lines(has, customer=None, day=None):
    """The log of orders, shape (orders, items): one customer and day each unless told."""
    order, item = np.nonzero(has)
    customer = np.arange(len(has)) if customer is None else customer
    day = np.zeros(len(has), int) if day is None else day
    return pd.DataFrame(
        {
            "customer_id": customer[order], "order_id": order, "product": item,
            "date": START + pd.to_timedelta(day[order], unit="D"),
        }
    )  # fmt: skip


def together(has, customer=None, day=None):
    """Tests of all pairs, and of all rules of two items; every order holds a bag besides."""
    log = lines(np.c_[has, np.ones(len(has), bool)], customer, day)
    pairs = basket.item_pairs(log, min_support=1)
    pairs = pairs[pairs["item_b"] != ITEMS]
    itemsets = basket.frequent_itemsets(log, min_support=1, max_length=2)
    rules = basket.association_rules(itemsets, min_confidence=0.0)
    bag = (ITEMS,)
    rules = rules[(rules["antecedent"] != bag) & (rules["consequent"] != bag)]
    apart = basket.item_pairs(log, apart=True)
    apart = apart[apart["item_b"] != ITEMS]
    few = basket.productive_rules(itemsets, log, n_best=None)
    few = few[(few["antecedent"] != bag) & (few["consequent"] != bag)]
    first = pairs[(pairs["item_a"] == 0) & (pairs["item_b"] == 1)]
    least = apart[(apart["item_a"] == 0) & (apart["item_b"] == 1)]
    rule = rules[(rules["antecedent"] == (0,)) & (rules["consequent"] == (1,))]
    return {
        "pairs": rows(rejected(pairs["p_value"])),
        "sizes": rows(rejected(pairs["p_given_sizes"])),
        "pairs_found": once((pairs["p_adjusted"] < 0.05).any()),
        "sizes_found": once((pairs["p_adjusted_given_sizes"] < 0.05).any()),
        "apart": rows(rejected(pairs["p_apart"])),
        "apart_found": once((apart["p_adjusted_apart"] < 0.05).any()),
        "least_apart": once((least["p_adjusted_apart"] < 0.05).any()),
        "productive": once(len(few) > 0),
        "first_productive": once(
            any(
                {*a, *c} == {0, 1}
                for a, c in zip(few["antecedent"], few["consequent"], strict=True)
            )
        ),
        "rules": rows(rejected(rules["p_value"])),
        "rules_found": once((rules["p_adjusted"] < 0.05).any()),
        "first_pair": once(first["p_adjusted"].iloc[0] < 0.05),
        "first_sizes": once(first["p_adjusted_given_sizes"].iloc[0] < 0.05),
        "first_rule": once(rule["p_adjusted"].iloc[0] < 0.05),
    }


@study("600 orders of as many customers; ten products bought by chance", short=12, full=150)
def by_chance(rng):
    return together(rng.random((600, ITEMS)) < np.linspace(0.1, 0.3, ITEMS))


@study(
    "600 orders of as many customers; two of ten products together 2.3 times as often as by chance",
    short=14,
    full=150,
)
def one_pair(rng):
    has = rng.random((600, ITEMS)) < np.linspace(0.1, 0.3, ITEMS)
    has[:, 0] = rng.random(600) < 0.15
    has[:, 1] = rng.random(600) < np.where(has[:, 0], 0.345, 0.1156)
    return together(has)


@study(
    "600 orders of as many customers, some five times as large as others; products by chance",
    corner=True,
    short=10,
    full=150,
)
def orders_of_all_sizes(rng):
    size = rng.choice([0.4, 2.0], 600, p=[0.7, 0.3])[:, None]
    return together(rng.random((600, ITEMS)) < np.linspace(0.1, 0.3, ITEMS) * size)


@study(
    "600 orders of as many customers; two of ten products together half as often as by chance",
    short=14,
    full=150,
)
def substitutes(rng):
    has = rng.random((600, ITEMS)) < np.linspace(0.1, 0.3, ITEMS)
    has[:, 0] = rng.random(600) < 0.3
    has[:, 1] = rng.random(600) < np.where(has[:, 0], 0.15, 0.3643)
    return together(has)


@study(
    "600 orders of 60 customers, who like some of ten products by chance; two together thrice as "
    "often in an order as by chance",
    short=14,
    full=150,
)
def one_pair_of_few_customers(rng):
    likes = rng.gamma(4, 0.25, (60, ITEMS))
    customer = np.arange(600) % 60
    has = rng.random((600, ITEMS)) < 0.15 * likes[customer]
    both = rng.random(600) < 0.065
    has[both, :2] = True
    return together(has, customer, np.arange(600) // 60)


@study(
    "600 orders of 40 customers, who like some of ten products by chance and buy these each time",
    corner=True,
    short=10,
    full=150,
)
def orders_of_few_customers(rng):
    likes = rng.random((40, ITEMS)) < 0.3
    customer = np.arange(600) % 40
    has = rng.random((600, ITEMS)) < np.where(likes, 0.7, 0.02)[customer]
    return together(has, customer, np.arange(600) // 40)


@study(
    "800 orders of 100 customers, small and large; one product brings another, eight by chance",
    corner=True,
    short=10,
    full=150,
)
def one_rule(rng):
    size = rng.choice([0.5, 1.5], 800)[:, None]
    has = rng.random((800, ITEMS)) < np.linspace(0.1, 0.3, ITEMS) * size
    has[:, 1] |= has[:, 0] & (rng.random(800) < 0.5)
    log = lines(has, np.arange(800) % 100, np.arange(800) // 100)
    few = basket.productive_rules(basket.frequent_itemsets(log, min_support=5), log, n_best=None)
    unions = [{*a, *c} for a, c in zip(few["antecedent"], few["consequent"], strict=True)]
    return {"rule": once({0, 1} in unions), "others": once(any(u != {0, 1} for u in unions))}


# Rules through time.


def windows(rng, n_orders, share, lifts, n_windows):
    """Rules of twenty pairs, whose lift in each of the windows is given."""
    lift = np.repeat(lifts, -(-n_orders // len(lifts)))[:n_orders, None]
    first = rng.random((n_orders, 20)) < share
    # The consequent has the same share in all orders, and `lift` times that beside the first item.
    other = (1 - share * lift) / (1 - share)
    second = rng.random((n_orders, 20)) < share * np.where(first, lift, other)
    log = lines(np.c_[first, second, np.ones(n_orders, bool)], day=np.arange(n_orders) // 5)
    pairs = pd.DataFrame(
        {"antecedent": [(i,) for i in range(20)], "consequent": [(20 + i,) for i in range(20)]}
    )
    found = basket.rule_windows(pairs, log, n_windows=n_windows)
    return {
        "lift": rows(covered(found["conf_low"], found["conf_high"], lifts[0])),
        "tests": rows(rejected(found["p_stable"][::n_windows])),
    }


@study("1,600 orders in four windows; pairs of products whose lift of 1.5 lasts", short=8, full=160)
def lasting(rng):
    return windows(rng, 1600, 0.2, [1.5], 4)


@study(
    "1,600 orders in four windows; pairs whose lift falls from 1.8 to 1.1 half-way",
    short=6,
    full=120,
)
def falling(rng):
    return windows(rng, 1600, 0.2, [1.8, 1.1], 4)


@study(
    "400 orders in four windows; pairs of products that one in ten orders holds",
    corner=True,
    short=10,
    full=200,
)
def rare_in_windows(rng):
    return windows(rng, 400, 0.1, [1.0], 4)


@study(
    "400 orders in two windows; pairs that are together in half of their orders, then never",
    corner=True,
    short=8,
    full=160,
)
def died(rng):
    return windows(rng, 400, 0.25, [2.0, 0.0], 2)


PAIRS, RULES = Target(basket.item_pairs), Target(basket.association_rules)
WINDOWS, FEW = Target(basket.rule_windows), Target(basket.productive_rules)
HELD, SIZE, POWER = (0.93, 0.97), (0.0, 0.06), (0.7, 0.9)
SIZES = (
    "does not hold: nine in ten pairs by chance have p < .05 where orders differ in size",
    "items that have nothing to do with each other have a lift above 1 and tiny p-values",
)

CASES = [
    Case(PAIRS, "size", by_chance, "pairs", 0.05, SIZE),
    Case(PAIRS, "size", by_chance, "pairs_found", 0.05, SIZE),
    Case(PAIRS, "size", by_chance, "sizes", 0.05, SIZE),
    Case(PAIRS, "power", one_pair, "first_pair", 0.9, (0.85, 0.98)),
    Case(PAIRS, "power", one_pair, "first_sizes", 0.8, POWER),
    Case(PAIRS, "size", orders_of_all_sizes, "pairs", 0.05, (0.84, 0.92), *SIZES),
    Case(PAIRS, "size", orders_of_all_sizes, "sizes", 0.05, SIZE),
    Case(
        PAIRS,
        "size",
        orders_of_few_customers,
        "pairs",
        0.05,
        (0.19, 0.25),
        "does not hold: .22 of pairs by chance have p < .05, for orders of one customer are alike",
        "22 % of pairs that mean nothing",
    ),
    Case(PAIRS, "size", orders_of_few_customers, "sizes", 0.05, SIZE),
    Case(PAIRS, "size", by_chance, "apart", 0.05, SIZE),
    Case(PAIRS, "size", by_chance, "apart_found", 0.05, SIZE),
    Case(PAIRS, "size", orders_of_all_sizes, "apart", 0.05, SIZE),
    Case(PAIRS, "size", orders_of_few_customers, "apart", 0.05, SIZE),
    Case(PAIRS, "size", orders_of_few_customers, "apart_found", 0.05, SIZE),
    Case(PAIRS, "power", substitutes, "least_apart", 0.9, (0.85, 0.98)),
    Case(PAIRS, "power", one_pair_of_few_customers, "first_sizes", 0.8, POWER),
    Case(FEW, "size", by_chance, "productive", 0.05, SIZE),
    Case(FEW, "size", orders_of_all_sizes, "productive", 0.05, SIZE),
    Case(FEW, "size", orders_of_few_customers, "productive", 0.05, SIZE),
    Case(FEW, "power", one_pair, "first_productive", 0.8, (0.6, 0.9)),
    Case(FEW, "size", one_rule, "others", 0.05, SIZE),
    Case(FEW, "power", one_rule, "rule", 0.95, (0.9, 1.0)),
    Case(RULES, "size", by_chance, "rules", 0.05, SIZE),
    Case(RULES, "size", by_chance, "rules_found", 0.05, SIZE),
    Case(RULES, "power", one_pair, "first_rule", 0.9, (0.85, 0.98)),
    Case(RULES, "size", orders_of_all_sizes, "rules", 0.05, (0.84, 0.92), *SIZES),
    Case(
        RULES,
        "size",
        orders_of_few_customers,
        "rules",
        0.05,
        (0.19, 0.25),
        "does not hold: .22 of rules by chance have p < .05, for orders of one customer are alike",
        "22 % of rules that mean nothing",
    ),
    Case(WINDOWS, "coverage", lasting, "lift", 0.95, HELD),
    Case(WINDOWS, "size", lasting, "tests", 0.05, SIZE),
    Case(WINDOWS, "power", falling, "tests", 0.8, POWER),
    Case(WINDOWS, "coverage", rare_in_windows, "lift", 0.95, (0.94, 1.0)),
    Case(WINDOWS, "size", rare_in_windows, "tests", 0.05, SIZE),
    Case(WINDOWS, "power", died, "tests", 0.99, (0.95, 1.0)),
]
