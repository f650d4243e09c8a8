"""Rates of groups, buyers of products, balance and sizes of arms."""

from __future__ import annotations

import numpy as np
import pandas as pd

from _suite import Case, Target, study
from crmkit import response
from worlds import START, covered, grouped, money, once, rejected, rows

# Rates of groups that all respond alike, but for the first where it is given a rate of its own.


def rates(rng, n_groups, size, rate, first=None):
    table = grouped(n_groups, size)
    own = np.where(table["group"] == 0, rate if first is None else first, rate)
    table["responded"] = (rng.random(len(table)) < own).astype(int)
    return response.response_rates(table, outcome="responded", by="group")


def rate_flags(table, rate):
    return {
        "rates": rows(covered(table["conf_low"], table["conf_high"], rate)),
        "tests": rows(rejected(table["p_value"])),
        "found": once((table["p_adjusted"] < 0.05).any()),
    }


@study("40 groups of 150 customers, of whom a fifth respond", short=30, full=400)
def equal_groups(rng):
    return rate_flags(rates(rng, 40, 150, 0.2), 0.2)


@study("40 groups of 12 customers, of whom 3 % respond", corner=True, short=30, full=400)
def small_groups(rng):
    return rate_flags(rates(rng, 40, 12, 0.03), 0.03)


@study(
    "40 groups of 150 customers, in one of which a third responds instead of a fifth",
    short=40,
    full=400,
)
def one_better_group(rng):
    return {"found": once(rates(rng, 40, 150, 0.2, first=0.34)["p_adjusted"].iloc[0] < 0.05)}


# Buyers of a product, by traits that mean nothing but for the first where it is told otherwise.


def buyers(rng, n, rate, levels, first=0.0):
    """The profile of buyers by eight traits, whose levels have the given shares."""
    traits = rng.choice(len(levels), (n, 8), p=levels)
    chance = rate * (1 + first * np.where(traits[:, 0] == 0, 1.0, 0.0))
    bought = np.flatnonzero(rng.random(n) < chance)
    customers = pd.DataFrame(np.array(list("abc"))[traits]).add_prefix("trait_")
    customers.insert(0, "customer_id", range(n))
    log = pd.DataFrame({"customer_id": bought, "date": START, "product": "tea"})
    return response.buyer_profile(log, customers, product="tea")


def buyer_flags(table):
    return {
        "index": rows(covered(table["conf_low"], table["conf_high"], 100.0)),
        "tests": rows(rejected(table["p_value"])),
    }


@study(
    "1,500 customers, a fifth of them buyers; eight traits, most levels rare",
    short=12,
    full=120,
)
def many_buyers(rng):
    return buyer_flags(buyers(rng, 1500, 0.2, [0.1, 0.1, 0.8]))


@study(
    "1,500 customers, 25 of them buyers; eight traits of three levels",
    corner=True,
    short=12,
    full=120,
)
def few_buyers(rng):
    return buyer_flags(buyers(rng, 1500, 25 / 1500, [0.1, 0.1, 0.8]))


@study(
    "1,500 customers, a fifth of them buyers, but three in ten of those with a trait",
    short=15,
    full=250,
)
def a_mark_of_buyers(rng):
    table = buyers(rng, 1500, 0.2, [0.1, 0.1, 0.8], first=0.55)
    row = table[(table["variable"] == "trait_0") & (table["level"] == "a")]
    return {"found": once(row["p_value"].iloc[0] < 0.05)}


# Arms that were drawn at random.


def balance(rng, n_treated, n_control, numbers):
    table = pd.DataFrame(numbers(rng, (n_treated + n_control, 12))).add_prefix("x")
    table = table.rename_axis("customer_id").reset_index()
    table["treated"] = (np.arange(len(table)) < n_treated).astype(int)
    return response.balance_table(table, treated="treated")


def balance_flags(table):
    return {
        "tests": rows(rejected(table["p_value"])),
        "told": rows(~table["balanced"]),
    }


def normal(rng, size):
    return rng.normal(size=size)


@study("2,000 customers in either arm, drawn at random; twelve traits", short=15, full=120)
def large_arms(rng):
    return balance_flags(balance(rng, 2000, 2000, normal))


@study(
    "600 treated customers and 60 controls, drawn at random; twelve amounts with heavy tails",
    corner=True,
    short=20,
    full=200,
)
def small_control(rng):
    return balance_flags(balance(rng, 600, 60, lambda rng, size: money(rng, size, 1.5)))


@study(
    "2,000 customers in either arm, of whom the treated are a tenth of a deviation older",
    short=15,
    full=120,
)
def older_arm(rng):
    def numbers(rng, size):
        return rng.normal(size=size) + 0.09 * (np.arange(size[0]) < 2000)[:, None]

    return balance_flags(balance(rng, 2000, 2000, numbers))


def ratios(rng, n, drawn, planned, calls):
    """Tests of the sizes of arms drawn with one set of shares and planned with another."""
    names = np.array(list("abc")[: len(drawn)])
    tables = [
        pd.DataFrame({"customer_id": range(n), "arm": rng.choice(names, n, p=drawn)})
        for _ in range(calls)
    ]
    expected = dict(zip(names.tolist(), planned, strict=True))
    found = [response.sample_ratio_test(t, treated="arm", expected=expected) for t in tables]
    return {"tests": rejected([table["p_value"].iloc[0] for table in found])}


@study("1,000 customers drawn half and half", short=1, full=15)
def half_and_half(rng):
    return ratios(rng, 1000, [0.5, 0.5], [0.5, 0.5], 100)


@study("1,000 customers drawn 545 to 455 where half and half was planned", short=1, full=15)
def lost_on_the_way(rng):
    return ratios(rng, 1000, [0.545, 0.455], [0.5, 0.5], 50)


@study("160 customers in three arms, two of which get one in twenty", corner=True, short=1, full=15)
def tiny_arms(rng):
    return ratios(rng, 160, [0.9, 0.05, 0.05], [0.9, 0.05, 0.05], 100)


@study(
    "160 customers in three arms, the last of which was to get one in twenty and got nobody",
    corner=True,
    short=1,
    full=20,
)
def empty_arm(rng):
    return ratios(rng, 160, [0.95, 0.05, 0.0], [0.9, 0.05, 0.05], 50)


RATES, BUYERS = Target(response.response_rates), Target(response.buyer_profile)
BALANCE, RATIO = Target(response.balance_table), Target(response.sample_ratio_test)
HELD, SIZE, POWER = (0.93, 0.97), (0.03, 0.06), (0.7, 0.9)
SAFE, AT_LEAST = (0.0, 0.06), (0.93, 1.0)  # few numbers can come: no worse than promised

CASES = [
    Case(RATES, "coverage", equal_groups, "rates", 0.95, HELD),
    Case(RATES, "size", equal_groups, "tests", 0.05, SIZE),
    Case(RATES, "size", equal_groups, "found", 0.05, SIZE),
    Case(RATES, "power", one_better_group, "found", 0.8, POWER),
    Case(RATES, "coverage", small_groups, "rates", 0.95, HELD),
    Case(RATES, "size", small_groups, "tests", 0.05, SAFE),
    Case(BUYERS, "coverage", many_buyers, "index", 0.95, AT_LEAST),
    Case(BUYERS, "size", many_buyers, "tests", 0.05, SIZE),
    Case(BUYERS, "power", a_mark_of_buyers, "found", 0.8, POWER),
    Case(BUYERS, "coverage", few_buyers, "index", 0.95, AT_LEAST),
    Case(BUYERS, "size", few_buyers, "tests", 0.05, SAFE),
    Case(BALANCE, "size", large_arms, "tests", 0.05, SIZE),
    Case(BALANCE, "verdict", large_arms, "told", 0.05, (0.0, 0.06)),
    Case(BALANCE, "power", older_arm, "tests", 0.8, POWER),
    Case(
        BALANCE,
        "size",
        small_control,
        "tests",
        0.05,
        (0.1, 0.15),
        "does not hold: one in eight amounts with heavy tails has p < .05",
        "12 % of them have a p-value below 5 %",
    ),
    Case(
        BALANCE,
        "verdict",
        small_control,
        "told",
        0.05,
        (0.42, 0.51),
        "does not hold: half of the traits of arms drawn at random are not balanced",
        "46 % of traits are not `balanced`",
    ),
    Case(RATIO, "size", half_and_half, "tests", 0.05, SIZE),
    Case(RATIO, "power", lost_on_the_way, "tests", 0.8, POWER),
    Case(RATIO, "size", tiny_arms, "tests", 0.05, SIZE),
    Case(RATIO, "power", empty_arm, "tests", 0.8, (0.8, 1.0)),
]
