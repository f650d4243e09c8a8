"""Why customers respond, and whom a contact changes: drivers, trees, odds, effects."""

from __future__ import annotations

import numpy as np
import pandas as pd

from _suite import Case, Target, study
from crmkit import response
from worlds import covered, effects, once, reasons, rejected, rows

NUMBERS = 10


def numbers(rng, n, rate, odds=0.0):
    """Ten numbers, of which the first raises the log odds to respond by `odds` a deviation."""
    x = rng.normal(size=(n, NUMBERS))
    chance = 1 / (1 + np.exp(-(np.log(rate / (1 - rate)) + odds * x[:, 0])))
    table = pd.DataFrame(x).add_prefix("x").rename_axis("customer_id").reset_index()
    return table.assign(responded=(rng.random(n) < chance).astype(int)), chance


# Drivers and their bins.


def drivers(rng, n, rate):
    """Ten numbers that mean nothing: tests, flags, bins, and who has an information value of .1."""
    table, _ = numbers(rng, n, rate)
    found = response.response_drivers(table, outcome="responded")
    bins = response.woe_table(table, outcome="responded")
    return {
        "tests": rows(rejected(found["p_value"])),
        "something": rows(found["information_corrected"] >= 0.1),
        "flags": rows(found["flag"] != ""),
        "bins": rows(covered(bins["conf_low"], bins["conf_high"], rate)),
    }


@study("3,000 customers, a fifth of whom respond; ten numbers that mean nothing", short=8, full=100)
def many_responders(rng):
    return drivers(rng, 3000, 0.2)


@study(
    "3,000 customers, 60 of whom respond; ten numbers that mean nothing",
    corner=True,
    short=9,
    full=100,
)
def sixty_responders(rng):
    return drivers(rng, 3000, 0.02)


@study(
    "3,000 customers, 15 of whom respond; ten numbers that mean nothing",
    corner=True,
    short=9,
    full=100,
)
def fifteen_responders(rng):
    return drivers(rng, 3000, 0.005)


@study(
    "3,000 customers, a fifth of whom respond; a number raises the odds by a quarter a deviation",
    short=25,
    full=300,
)
def a_driver(rng):
    table, _ = numbers(rng, 3000, 0.2, 0.25)
    found = response.response_drivers(table, outcome="responded", columns=["x0"])
    return {"tests": rejected(found["p_value"])}


# Odds ratios.


def odds(rng, n, rate, effect):
    table, _ = numbers(rng, n, rate, effect)
    found = response.odds_ratios(table, outcome="responded", columns=["x0", "x1", "x2", "x3"])
    truth = np.exp([effect, 0.0, 0.0, 0.0])
    return {
        "odds": rows(covered(found["conf_low"], found["conf_high"], truth)),
        "tests": rows(rejected(found["p_value"].iloc[1:])),
        "first": once(rejected(found["p_value"].iloc[0])),
    }


@study("1,500 customers, a fifth of whom respond; one number of four matters", short=30, full=400)
def odds_of_many(rng):
    return odds(rng, 1500, 0.2, 0.19)


@study(
    "400 customers, 20 of whom respond; one number of four matters", corner=True, short=30, full=400
)
def odds_of_few(rng):
    return odds(rng, 400, 0.05, 0.7)


@study(
    "300 customers of 100 households, who respond alike and share what is known of them",
    corner=True, short=40, full=400,
)  # fmt: skip
def odds_of_households(rng):
    home = np.arange(300) // 3
    shared, pull = rng.normal(size=100)[home], rng.normal(size=100)[home]
    # The pull of a household, averaged over households, flattens the odds to these.
    flat = 0.5 / np.sqrt(1 + 0.346 * 1.0)
    chance = 1 / (1 + np.exp(-(-0.5 + 0.5 * shared + pull)))
    table = pd.DataFrame({"customer_id": range(300), "x": shared, "home": home})
    table["responded"] = (rng.random(300) < chance).astype(int)
    row = response.odds_ratios(table, outcome="responded", columns=["x"], cluster="home").iloc[0]
    return {"odds": once(covered(row["conf_low"], row["conf_high"], np.exp(flat)))}


# Trees.


def tree(rng, n, rate):
    table, _ = numbers(rng, n, rate)
    found = response.response_tree(table, outcome="responded")
    best = found.iloc[0]
    return {
        "divided": once(len(found) > 1),
        "best": once(covered(best["conf_low"], best["conf_high"], rate)),
    }


@study(
    "2,000 customers, a fifth of whom respond; ten numbers that mean nothing", short=30, full=300
)
def tree_of_noise(rng):
    return tree(rng, 2000, 0.2)


@study(
    "2,000 customers, 40 of whom respond; ten numbers that mean nothing",
    corner=True,
    short=30,
    full=300,
)
def tree_of_few(rng):
    return tree(rng, 2000, 0.02)


@study("2,000 customers, of whom 15 or 30 % respond by one of ten numbers", short=20, full=300)
def tree_that_divides(rng):
    table, _ = numbers(rng, 2000, 0.2)
    chance = np.where(table["x0"] > 0, 0.3, 0.15)
    table["responded"] = (rng.random(2000) < chance).astype(int)
    found = response.response_tree(table, outcome="responded")
    means = pd.Series(chance)
    truth = [
        means.mean() if rule == "all customers" else means[table.query(rule).index].mean()
        for rule in found["rule"]
    ]
    return {"rates": rows(covered(found["conf_low"], found["conf_high"], truth))}


def uplift_tree(rng, n, base, effect):
    """Groups found where the effect is that of customers whose first number is above 0."""
    table, _ = numbers(rng, n, 0.5)
    table["arm"] = rng.integers(0, 2, n)
    own = np.where(table["x0"] > 0, effect, 0.0)
    table["responded"] = (rng.random(n) < base + own * table["arm"]).astype(int)
    found = response.uplift_tree(
        table, outcome="responded", treated="arm", columns=[f"x{i}" for i in range(5)]
    )
    means = pd.Series(own)
    truth = [
        means.mean() if rule == "all customers" else means[table.query(rule).index].mean()
        for rule in found["rule"]
    ]
    return {
        "divided": once(len(found) > 1),
        "effects": rows(covered(found["conf_low"], found["conf_high"], truth)),
    }


@study(
    "4,000 customers, half of them treated; it adds 15 points for half, by one of five numbers",
    short=20,
    full=150,
)
def uplift_that_differs(rng):
    return uplift_tree(rng, 4000, 0.2, 0.15)


@study(
    "4,000 customers, half of them treated, to no effect; five numbers that mean nothing",
    short=30,
    full=300,
)
def uplift_of_noise(rng):
    return uplift_tree(rng, 4000, 0.2, 0.0)


@study(
    "800 customers, half of them treated, to no effect; 3 % respond",
    corner=True,
    short=30,
    full=300,
)
def uplift_of_few(rng):
    return uplift_tree(rng, 800, 0.03, 0.0)


# Effects per customer.


@study(
    "1,500 customers; what the contact adds to the chance rises in a straight line",
    short=3, full=40,
)  # fmt: skip
def straight_uplift(rng):
    return effects(rng, response.UpliftModel(random_state=0), bent=False)


@study(
    "1,500 customers; the contact doubles small chances and adds little to large ones",
    corner=True, short=3, full=40,
)  # fmt: skip
def bent_uplift(rng):
    return effects(rng, response.UpliftModel(random_state=0), bent=True)


@study(
    "1,500 customers, a model per arm; what the contact adds rises in a straight line",
    short=20, full=200,
)  # fmt: skip
def straight_uplift_by_arms(rng):
    return effects(rng, response.UpliftModel(method="t", random_state=0), bent=False)


@study(
    "1,500 customers, a model per arm; the contact doubles small chances and adds little to large "
    "ones", corner=True, short=20, full=200,
)  # fmt: skip
def bent_uplift_by_arms(rng):
    return effects(rng, response.UpliftModel(method="t", random_state=0), bent=True)


@study("1,500 customers, of whom half were treated, to no effect; five numbers", short=20, full=200)
def no_reasons(rng):
    return reasons(rng, response.UpliftModel(method="t"), n=1500, base=0.3, effect=0.0)


@study(
    "300 customers, of whom half were treated, to no effect; 10 % respond; five numbers",
    corner=True, short=20, full=200,
)  # fmt: skip
def no_reasons_of_few(rng):
    return reasons(rng, response.UpliftModel(method="t"), n=300, base=0.1, effect=0.0)


@study(
    "1,500 customers; the effect rises from 0 to 25 points with the first of five numbers",
    short=20, full=200,
)  # fmt: skip
def a_reason(rng):
    return reasons(rng, response.UpliftModel(method="t"), n=1500, base=0.3, effect=0.25)


DRIVERS, BINS = Target(response.response_drivers), Target(response.woe_table)
ODDS = Target(response.odds_ratios)
TREE, UPLIFT_TREE = Target(response.response_tree), Target(response.uplift_tree)
EFFECTS = Target(response.UpliftModel, "effects_")
PREDICT, SCORES = Target(response.UpliftModel, "predict"), Target(response.UpliftModel, "scores_")
HELD, SIZE, POWER = (0.93, 0.97), (0.025, 0.06), (0.7, 0.9)

WHY = Target(response.UpliftModel, "drivers_")

CASES = [
    Case(DRIVERS, "size", many_responders, "tests", 0.05, SIZE),
    Case(DRIVERS, "verdict", many_responders, "flags", 0.0, (0.0, 0.01)),
    Case(DRIVERS, "verdict", many_responders, "something", 0.0, (0.0, 0.03)),
    Case(DRIVERS, "power", a_driver, "tests", 0.8, POWER),
    Case(DRIVERS, "size", sixty_responders, "tests", 0.05, SIZE),
    Case(
        DRIVERS,
        "verdict",
        sixty_responders,
        "something",
        0.0,
        (0.15, 0.25),
        "one in five numbers that mean nothing has a corrected information value of .1",
        "one in five of such numbers still reaches 0.1",
    ),
    Case(DRIVERS, "size", fifteen_responders, "tests", 0.05, SIZE),
    Case(
        DRIVERS,
        "verdict",
        fifteen_responders,
        "flags",
        0.0,
        (0.01, 0.03),
        "flags one in fifty numbers that mean nothing",
        "with 15 responders one in fifty is flagged",
    ),
    Case(
        BINS,
        "coverage",
        many_responders,
        "bins",
        0.95,
        (0.7, 0.76),
        "does not hold: covers .73, because bins were chosen for their rates",
        "intervals of 95 % hold 73 %",
    ),
    Case(BINS, "coverage", sixty_responders, "bins", 0.95, (0.9, 0.97)),
    Case(ODDS, "coverage", odds_of_many, "odds", 0.95, HELD),
    Case(ODDS, "size", odds_of_many, "tests", 0.05, SIZE),
    Case(ODDS, "power", odds_of_many, "first", 0.8, POWER),
    Case(ODDS, "coverage", odds_of_few, "odds", 0.95, HELD),
    Case(ODDS, "size", odds_of_few, "tests", 0.05, SIZE),
    Case(ODDS, "coverage", odds_of_households, "odds", 0.95, HELD),
    Case(TREE, "size", tree_of_noise, "divided", 0.05, SIZE),
    Case(TREE, "coverage", tree_that_divides, "rates", 0.95, (0.9, 0.97)),
    Case(TREE, "size", tree_of_few, "divided", 0.05, (0.02, 0.08)),
    Case(TREE, "coverage", tree_of_few, "best", 0.95, (0.88, 0.97)),
    Case(UPLIFT_TREE, "size", uplift_of_noise, "divided", 0.05, SIZE),
    Case(UPLIFT_TREE, "power", uplift_that_differs, "divided", 0.8, POWER),
    Case(UPLIFT_TREE, "coverage", uplift_that_differs, "effects", 0.95, HELD),
    Case(UPLIFT_TREE, "size", uplift_of_few, "divided", 0.05, (0.0, 0.06)),
    Case(UPLIFT_TREE, "coverage", uplift_of_few, "effects", 0.95, HELD),
    Case(EFFECTS, "coverage", straight_uplift, "average", 0.95, (0.93, 0.98)),
    Case(EFFECTS, "coverage", bent_uplift, "average", 0.95, (0.93, 0.98)),
    Case(PREDICT, "coverage", straight_uplift, "grid", 0.95, HELD),
    Case(PREDICT, "coverage", bent_uplift, "grid", 0.95, HELD),
    Case(SCORES, "coverage", straight_uplift, "scores", 0.95, HELD),
    Case(SCORES, "coverage", bent_uplift, "scores", 0.95, HELD),
    Case(PREDICT, "coverage", straight_uplift_by_arms, "grid", 0.95, HELD),
    Case(PREDICT, "coverage", bent_uplift_by_arms, "grid", 0.95, HELD),
    Case(SCORES, "coverage", straight_uplift_by_arms, "scores", 0.95, (0.92, 0.97)),
    Case(SCORES, "coverage", bent_uplift_by_arms, "scores", 0.95, HELD),
    Case(EFFECTS, "coverage", bent_uplift_by_arms, "average", 0.95, (0.93, 0.98)),
    Case(WHY, "size", no_reasons, "all", 0.05, (0.03, 0.07)),
    Case(WHY, "size", no_reasons_of_few, "all", 0.05, (0.02, 0.08)),
    Case(WHY, "power", a_reason, "first", 0.8, (0.6, 0.95)),
]
