"""What experimenters ask of a campaign's result: tails, households, looks and ratios."""

from __future__ import annotations

import numpy as np

from _suite import Case, Target, study
from cases.response_results import spending
from crmkit import response
from worlds import covered, grouped, money, rejected

# Money with heavy tails.


@study(
    "9,000 treated customers and 1,000 controls, of whom 1.2 and 1 % spend, with a heavy tail",
    corner=True, short=4, full=60,
)  # fmt: skip
def ten_buyers(rng):
    lift = 0.012 - 0.01
    arm = np.repeat([1, 0], (9000, 1000))
    table = grouped(15, len(arm), arm=np.tile(arm, 15))
    table["outcome"] = spending((0.012, 0.01), 1.0, 1.5)(rng, table["arm"].to_numpy())
    found = response.campaign_result(
        table, outcome="outcome", treated="arm", by="group", value=10.0, contact_cost=0.1,
        n_draws=1000,
    )  # fmt: skip
    profit = (10 * lift - 0.1) * 9000
    return {
        "profit": covered(found["profit_low"], found["profit_high"], profit),
        "overstated": found["profit_low"] > profit,
        "understated": found["profit_high"] < profit,
    }


# Households, whose members buy alike and are treated together.


def households(rng, n_campaigns, sizes, share=0.5):
    """Campaigns among households of these sizes that change nothing."""
    n = len(sizes)
    house = np.tile(np.repeat(np.arange(n), sizes), n_campaigns)
    table = grouped(n_campaigns, int(sum(sizes)), house=house)
    place = table["group"].to_numpy() * n + house
    treated = rng.permuted(np.tile(np.arange(n) < share * n, (n_campaigns, 1)), axis=1).ravel()
    level = rng.normal(size=n * n_campaigns)
    table["arm"] = treated[place].astype(int)
    table["outcome"] = level[place] + rng.normal(size=len(table))
    found = response.campaign_result(
        table, outcome="outcome", treated="arm", cluster="house", by="group", contact_cost=0.1
    )
    return {
        "lift": covered(found["conf_low"], found["conf_high"], 0.0),
        "tests": rejected(found["p_value"]),
    }


@study("200 households of one to five customers who spend alike", short=4, full=60)
def alike_households(rng):
    return households(rng, 25, 1 + np.arange(200) % 5)


@study(
    "16 shops of 5 to 80 customers who spend alike, half of the shops treated",
    corner=True, short=4, full=60,
)  # fmt: skip
def few_clusters(rng):
    return households(rng, 25, 5 * (1 + np.arange(16)))


# Looks: one and the same campaign judged again and again.


def looked_at(rng, n_campaigns, n, chances, shares, at_any_time, draw=None):
    """Whether intervals hold at all looks, and whether tests find anything at any."""
    arm = np.tile([1, 0], n // 2)
    table = grouped(n_campaigns, n, arm=np.tile(arm, n_campaigns))
    place = np.tile(np.arange(n), n_campaigns)
    chance = np.where(table["arm"], chances[0], chances[1])
    table["outcome"] = (rng.random(len(table)) < chance).astype(int)
    if draw is not None:
        table["outcome"] *= draw(len(table))
    held, tests = [], []
    for number, share in enumerate(shares, start=1):
        found = response.campaign_result(
            table[place < share * n], outcome="outcome", treated="arm", by="group", n_draws=400,
            contact_cost=0.1, looks=share if at_any_time else list(shares[:number]),
        )  # fmt: skip
        held.append(covered(found["conf_low"], found["conf_high"], chances[0] - chances[1]))
        tests.append(rejected(found["p_value"]))
    return {
        "all looks": np.nan_to_num(np.array(held), nan=1.0).min(axis=0),
        "any look": np.nan_to_num(np.array(tests), nan=0.0).max(axis=0),
    }


FIVE = (0.2, 0.4, 0.6, 0.8, 1.0)


@study("2,000 customers, a tenth of whom respond alike, looked at five times", short=4, full=60)
def five_looks(rng):
    return looked_at(rng, 40, 2000, (0.1, 0.1), FIVE, at_any_time=False)


@study("campaigns planned for five looks, to show a rise from 10 to 14 %", short=3, full=20)
def planned_looks(rng):
    plan = response.sample_size(base_rate=0.1, uplift=0.04, looks=FIVE)
    n = int(plan["customers"].iloc[0])
    return looked_at(rng, 40, n, (0.14, 0.1), FIVE, at_any_time=False)


@study(
    "2,000 customers, a tenth of whom respond alike, looked at twenty times without a plan",
    corner=True, short=4, full=40,
)  # fmt: skip
def unplanned_looks(rng):
    shares = tuple(np.arange(1, 21) / 20)
    return looked_at(rng, 20, 2000, (0.1, 0.1), shares, at_any_time=True)


@study(
    "4,000 customers, of whom one in twenty spends, with a heavy tail, looked at five times",
    corner=True, short=4, full=20,
)  # fmt: skip
def looks_at_money(rng):
    return looked_at(
        rng, 20, 4000, (0.05, 0.05), FIVE, at_any_time=False, draw=lambda n: money(rng, n, 1.5)
    )


# Ratios of two sums.


def ratios(rng, n_campaigns, n, sigma):
    """Spend per order, which does not change, of customers who order more once they are treated."""
    table = grouped(n_campaigns, n, arm=np.tile([1, 0], n_campaigns * n // 2))
    table["orders"] = 1 + rng.poisson(1 + table["arm"])
    table["outcome"] = table["orders"] * money(rng, len(table), sigma)
    found = response.campaign_result(
        table, outcome="outcome", treated="arm", denominator="orders", by="group"
    )
    return {
        "lift": covered(found["conf_low"], found["conf_high"], 0.0),
        "tests": rejected(found["p_value"]),
    }


@study("spend per order of 1,000 customers, the treated of whom order more often", short=4, full=60)
def per_order(rng):
    return ratios(rng, 25, 1000, 0.8)


@study(
    "spend per order of 60 customers, the treated of whom order more often",
    corner=True, short=4, full=60,
)  # fmt: skip
def per_order_of_few(rng):
    return ratios(rng, 25, 60, 0.8)


RESULT, SAMPLE = Target(response.campaign_result), Target(response.sample_size)
HELD, SIZE = (0.93, 0.97), (0.03, 0.065)

CASES = [
    Case(RESULT, "coverage", ten_buyers, "profit", 0.95, (0.93, 0.98)),
    Case(RESULT, "coverage", ten_buyers, "overstated", 0.025, (0.0, 0.035)),
    Case(RESULT, "coverage", ten_buyers, "understated", 0.025, (0.0, 0.04)),
    Case(RESULT, "coverage", alike_households, "lift", 0.95, HELD),
    Case(RESULT, "size", alike_households, "tests", 0.05, SIZE),
    Case(RESULT, "coverage", few_clusters, "lift", 0.95, (0.92, 0.97)),
    Case(RESULT, "size", few_clusters, "tests", 0.05, (0.03, 0.08)),
    Case(RESULT, "coverage", five_looks, "all looks", 0.95, HELD),
    Case(RESULT, "size", five_looks, "any look", 0.05, SIZE),
    Case(RESULT, "coverage", unplanned_looks, "all looks", 0.95, (0.93, 1.0)),
    Case(RESULT, "size", unplanned_looks, "any look", 0.05, (0.0, 0.06)),
    Case(RESULT, "coverage", looks_at_money, "all looks", 0.95, (0.93, 0.98)),
    Case(RESULT, "size", looks_at_money, "any look", 0.05, (0.02, 0.07)),
    Case(RESULT, "coverage", per_order, "lift", 0.95, HELD),
    Case(RESULT, "size", per_order, "tests", 0.05, SIZE),
    Case(RESULT, "coverage", per_order_of_few, "lift", 0.95, (0.92, 0.97)),
    Case(RESULT, "size", per_order_of_few, "tests", 0.05, (0.03, 0.08)),
    Case(SAMPLE, "power", planned_looks, "any look", 0.8, (0.7, 0.9)),
]
