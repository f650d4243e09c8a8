"""What campaigns earned, and what was planned for them."""

from __future__ import annotations

import numpy as np

from _suite import Case, Target, study
from crmkit import response
from worlds import covered, grouped, money, once, rejected

# Results: many campaigns in one table, a group each.


def campaigns(rng, n_campaigns, sizes, draw, lift, **options):
    """Coverage and test of campaigns with treated and control customers of the given sizes."""
    arm = np.repeat([1, 0], sizes)
    table = grouped(n_campaigns, len(arm), arm=np.tile(arm, n_campaigns))
    table["outcome"] = draw(rng, table["arm"].to_numpy())
    found = response.campaign_result(
        table, outcome="outcome", treated="arm", by="group", value=10.0, contact_cost=0.1,
        n_draws=400, **options,
    )  # fmt: skip
    profit = (10 * lift - 0.1) * sizes[0]
    return {
        "lift": covered(found["conf_low"], found["conf_high"], lift),
        "profit": covered(found["profit_low"], found["profit_high"], profit),
        "tests": rejected(found["p_value"]),
        "told": once((found["verdict"] != "no effect shown").any()),
    }


def responses(treated, control):
    return lambda rng, arm: (rng.random(len(arm)) < np.where(arm, treated, control)).astype(int)


@study(
    "campaigns with 300 treated customers, of whom 15 % respond, and 300 controls, of whom 10 %",
    short=4,
    full=80,
)
def some_lift(rng):
    return campaigns(rng, 40, (300, 300), responses(0.15, 0.1), 0.05)


@study(
    "ten campaigns with 300 treated customers and 300 controls, of whom 10 % respond alike",
    short=25,
    full=250,
)
def no_lift(rng):
    return campaigns(rng, 10, (300, 300), responses(0.1, 0.1), 0.0)


@study(
    "a campaign with 300 treated customers, of whom 18 % respond, and 300 controls, of whom 10 %",
    short=4,
    full=80,
)
def clear_lift(rng):
    return campaigns(rng, 40, (300, 300), responses(0.18, 0.1), 0.08)


@study(
    "ten campaigns with 20 treated customers and 20 controls, of whom 10 % respond alike",
    corner=True,
    short=25,
    full=250,
)
def tiny_campaigns(rng):
    return campaigns(rng, 10, (20, 20), responses(0.1, 0.1), 0.0)


def spending(buy, scale, sigma):
    """Amounts of whom a share buys; the treated spend `scale` times as much."""

    def draw(rng, arm):
        amount = np.where(rng.random(len(arm)) < np.where(arm, buy[0], buy[1]), 1.0, 0.0)
        return amount * money(rng, len(arm), sigma) * np.where(arm, scale, 1.0)

    return draw


@study(
    "1,000 treated customers and 1,000 controls, of whom a tenth spends, the treated a fifth more",
    short=2,
    full=30,
)
def amounts(rng):
    return campaigns(rng, 25, (1000, 1000), spending((0.1, 0.1), 1.2, 0.8), 0.02)


@study(
    "campaigns with a tenth held out (2,700 against 300); one in fifty spends, with a heavy tail",
    corner=True,
    short=3,
    full=40,
)
def heavy_amounts(rng):
    return campaigns(rng, 30, (2700, 300), spending((0.02, 0.02), 1.0, 1.5), 0.0)


# Plans: campaigns of the size that was planned.


def planned(rng, n_campaigns, treated, control, draw, lift):
    return {"tests": campaigns(rng, n_campaigns, (treated, control), draw, lift)["tests"]}


@study("campaigns planned to show a rise from 10 to 14 %, with half held out", short=3, full=40)
def planned_rate(rng):
    plan = response.sample_size(base_rate=0.1, uplift=0.04).iloc[0]
    sizes = int(plan["customers_treated"]), int(plan["customers_control"])
    return planned(rng, 40, *sizes, responses(0.14, 0.1), 0.04)


@study(
    "campaigns planned to show a rise from 1 to 3 %, with a tenth held out",
    corner=True,
    short=3,
    full=40,
)
def planned_rare(rng):
    plan = response.sample_size(base_rate=0.01, uplift=0.02, treated_share=0.9).iloc[0]
    sizes = int(plan["customers_treated"]), int(plan["customers_control"])
    return planned(rng, 40, *sizes, responses(0.03, 0.01), 0.02)


def shown(**sizes):
    return float(response.minimum_detectable_effect(**sizes)["uplift"].iloc[0])


@study(
    "campaigns of 400 and 400 customers that have the lift they can show, from 10 %",
    short=3,
    full=40,
)
def detectable(rng):
    plan = response.minimum_detectable_effect(
        base_rate=0.1, customers_treated=400, customers_control=400
    )
    lift = float(plan["uplift"].iloc[0])
    return planned(rng, 40, 400, 400, responses(0.1 + lift, 0.1), lift)


@study(
    "campaigns of 2,000 treated and 100 controls that have the lift they can show, from 2 %",
    corner=True,
    short=3,
    full=40,
)
def detectable_rare(rng):
    plan = response.minimum_detectable_effect(
        base_rate=0.02, customers_treated=2000, customers_control=100
    )
    lift = float(plan["uplift"].iloc[0])
    return planned(rng, 40, 2000, 100, responses(0.02 + lift, 0.02), lift)


# Adjusted results: the months before tell much of the outcome.


def adjusted(rng, n, sigma, effect):
    level, arm = rng.lognormal(1, sigma, n), (rng.random(n) < 0.5).astype(int)
    table = grouped(1, n, arm=arm)
    table["past"] = level + rng.normal(size=n)
    table["outcome"] = level * rng.lognormal(0, 0.3, n) + effect * arm
    found = response.campaign_result(
        table, outcome="outcome", treated="arm", covariates="past", contact_cost=0.1
    )
    return {
        "lift": covered(found["conf_low"], found["conf_high"], effect),
        "tests": rejected(found["p_value"]),
    }


@study("1,000 customers whose spend follows the months before, taken out", short=40, full=1000)
def known_spend(rng):
    return adjusted(rng, 1000, 0.5, 0.0)


@study(
    "150 customers of heavy tails whose spend follows the months before, taken out",
    corner=True, short=40, full=1000,
)  # fmt: skip
def known_spend_of_few(rng):
    return adjusted(rng, 150, 1.0, 0.0)


RESULT = Target(response.campaign_result)
SAMPLE, LIFT = Target(response.sample_size), Target(response.minimum_detectable_effect)
HELD, SIZE, POWER = (0.93, 0.97), (0.03, 0.06), (0.7, 0.9)
SAFE, AT_LEAST = (0.0, 0.06), (0.93, 1.0)  # few numbers can come: no worse than promised

CASES = [
    Case(RESULT, "coverage", known_spend, "lift", 0.95, HELD),
    Case(RESULT, "size", known_spend, "tests", 0.05, (0.03, 0.07)),
    Case(RESULT, "coverage", known_spend_of_few, "lift", 0.95, (0.92, 0.97)),
    Case(RESULT, "size", known_spend_of_few, "tests", 0.05, (0.03, 0.08)),
    Case(RESULT, "coverage", some_lift, "lift", 0.95, HELD),
    Case(RESULT, "coverage", some_lift, "profit", 0.95, HELD),
    Case(RESULT, "size", no_lift, "tests", 0.05, SIZE),
    Case(RESULT, "verdict", no_lift, "told", 0.05, SIZE),
    Case(RESULT, "power", clear_lift, "tests", 0.8, POWER),
    Case(RESULT, "coverage", tiny_campaigns, "lift", 0.95, AT_LEAST),
    Case(RESULT, "size", tiny_campaigns, "tests", 0.05, SAFE),
    Case(RESULT, "verdict", tiny_campaigns, "told", 0.05, SAFE),
    Case(RESULT, "coverage", amounts, "lift", 0.95, HELD),
    Case(RESULT, "coverage", heavy_amounts, "profit", 0.95, (0.93, 0.98)),
    Case(RESULT, "size", heavy_amounts, "tests", 0.05, (0.02, 0.06)),
    Case(SAMPLE, "power", planned_rate, "tests", 0.8, POWER),
    Case(SAMPLE, "power", planned_rare, "tests", 0.8, POWER),
    Case(LIFT, "power", detectable, "tests", 0.8, POWER),
    Case(LIFT, "power", detectable_rare, "tests", 0.8, POWER),
]
