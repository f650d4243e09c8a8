"""Survival of customers seen late or in part, and whether hazards stay proportional."""

from __future__ import annotations

import functools

import numpy as np
import pandas as pd

from _suite import Case, Target, study
from crmkit import churn
from crmkit.errors import ConvergenceError
from worlds import covered, grouped, rejected, tenures

# A log that begins in mid-life: who came before it is seen only if still there.


def mid_life(rng, n, *, before, during, mean=200.0):
    """Lifetimes of n customers who came over the days before a log and during it."""
    life, came = rng.exponential(mean, n), rng.uniform(-before, during, n)
    tenure = np.minimum(life, during - came)
    table = pd.DataFrame({"since": np.maximum(-came, 0.0), "tenure_days": tenure})
    table["churned"] = life <= during - came
    return table[table["tenure_days"] > table["since"]]


def late(rng, n_groups, time, size, **log):
    """Coverage of the curve of customers whom the log met late."""
    parts = [mid_life(rng, size, **log).assign(group=g) for g in range(n_groups)]
    table = pd.concat(parts, ignore_index=True).rename_axis("customer_id").reset_index()
    curves = churn.survival_table(table, by="group", entry="since")
    curve = curves[curves["time"] <= time].groupby("group").tail(1)
    return {"curve": covered(curve["conf_low"], curve["conf_high"], np.exp(-time / 200.0))}


@study("300 members, half of them met late; half a mean lifetime on", short=2, full=20)
def met_late(rng):
    return late(rng, 100, 100.0, 500, before=500.0, during=500.0)


@study(
    "a log of 200 days that meets 50 members late; a mean lifetime on",
    corner=True, short=3, full=30,
)  # fmt: skip
def few_met_late(rng):
    return late(rng, 100, 200.0, 140, before=600.0, during=200.0)


@study("200 members, one half drawn from three times as many as the other", short=2, full=20)
def sampled(rng):
    plan = np.tile([0, 1], 100 * 100)
    table = grouped(100, 200, **tenures(rng, np.where(plan, 100.0, 300.0)))
    curves = churn.survival_table(table.assign(w=np.where(plan, 1.5, 0.5)), by="group", weights="w")
    curve = curves[curves["time"] <= 100].groupby("group").tail(1)
    truth = 0.75 * np.exp(-1.0) + 0.25 * np.exp(-1 / 3)
    return {"curve": covered(curve["conf_low"], curve["conf_high"], truth)}


def two_plans(rng, size, late_factor, n=10, seen=400.0):
    """Whether hazards of two plans are found not to be proportional."""
    flags = []
    for _ in range(n):
        plan = rng.random(size) < 0.5
        life = rng.exponential(200.0, size)
        # After half a mean lifetime the hazard of one plan is another.
        after = life > 100
        life = np.where(plan & after, 100 + (life - 100) / late_factor, life)
        limit = rng.exponential(seen, size)
        table = pd.DataFrame({"customer_id": range(size), "plan": np.where(plan, "b", "a")}).assign(
            tenure_days=np.minimum(life, limit), churned=life <= limit
        )
        try:
            test = churn.CoxModel().fit(table, columns=["plan"]).proportionality_
        except ConvergenceError:  # nobody of one plan left
            continue
        flags.append(test["p_value"].iloc[0])
    return {"rejected": rejected(flags)}


@study("300 members of two plans that stay equally long", short=4, full=40)
def proportional(rng):
    return two_plans(rng, 300, 1.0)


@study("40 members of two plans, of whom one in five left", corner=True, short=4, full=40)
def proportional_few(rng):
    return two_plans(rng, 40, 1.0, seen=50.0)


@study("300 members of two plans, one left three times as fast later on", short=4, full=15)
def not_proportional(rng):
    return two_plans(rng, 300, 3.0)


def layers(rng, size, mean, n=20):
    """Whether plans are told apart within towns that differ, late differences counting most."""
    flags = {"even": [], "late": []}
    for _ in range(n):
        town, plan = rng.integers(0, 2, size), rng.integers(0, 2, size)
        plan = np.where(rng.random(size) < 0.4, town, plan)
        table = grouped(1, size, town=town, plan=plan)
        table = table.assign(**tenures(rng, np.where(town, 100.0, 300.0) * np.where(plan, mean, 1)))
        for emphasis, found in flags.items():
            test = churn.logrank_test(table, by="plan", strata="town", emphasis=emphasis)
            found.append(test["p_value"].iloc[0])
    return {name: rejected(found) for name, found in flags.items()}


@study(
    "plans of equal members, bought in towns that differ; compared within towns",
    short=3, full=24,
)  # fmt: skip
def within_towns(rng):
    return layers(rng, 200, 1.0)


@study("a plan that is left 1.7 times as fast, in towns that differ", short=2, full=12)
def within_towns_apart(rng):
    return layers(rng, 240, 0.6)


# In sum: how long half stay, the mean of a year, why they leave, and how well a score ranks.


def in_sum(rng, n_groups, size, **seen):
    """Coverage of the median and of the mean over 200 days."""
    table = grouped(n_groups, size, **tenures(rng, np.full(n_groups * size, 200.0), **seen))
    curves = churn.survival_table(table, by="group")
    found = churn.survival_summary(curves, horizon_days=200)
    known = found["median"].notna()
    high = found["median_high"].fillna(np.inf)
    return {
        "median": covered(found["median_low"].where(known), high, 200 * np.log(2)),
        "mean": covered(found["conf_low"], found["conf_high"], 200 * (1 - np.exp(-1.0))),
    }


@study("150 members, a third of them still here", short=3, full=20)
def sums_of_many(rng):
    return in_sum(rng, 100, 150)


@study("20 members, a third of them still here", corner=True, short=3, full=30)
def sums_of_few(rng):
    return in_sum(rng, 100, 20)


def why_they_leave(rng, n_groups, size, rare, time=100.0):
    """Coverage of the chance to have left for the rarer of two reasons."""
    n = n_groups * size
    table = grouped(n_groups, size, why=np.where(rng.random(n) < rare, "rare", "usual"))
    table = table.assign(**tenures(rng, np.full(n, 200.0)))
    found = churn.leaving_table(table, reason="why", by="group")
    found = found[(found["reason"] == "rare") & (found["time"] <= time)].groupby("group").tail(1)
    truth = rare * (1 - np.exp(-time / 200))
    return {"left": covered(found["conf_low"], found["conf_high"], truth)}


@study("200 members, of whom two in five leave for the one of two reasons", short=2, full=12)
def reasons(rng):
    return why_they_leave(rng, 60, 200, 0.4)


@study("40 members, of whom one in ten leaves for the rarer reason", corner=True, short=3, full=16)
def rare_reason(rng):
    return why_they_leave(rng, 60, 40, 0.1)


def ranked(rng, size, strength, n=40, seen=400.0):
    """Coverage of the concordance of a score with the logarithm of the rate to leave."""
    flags = []
    for _ in range(n):
        score = rng.normal(size=size)
        table = grouped(1, size, **tenures(rng, 200 * np.exp(strength * score), seen))
        if not table["churned"].any():
            continue
        scores = table[["customer_id"]].assign(p_survival=score)
        found = churn.concordance_table(table, scores)
        flags.append(covered(found["conf_low"], found["conf_high"], _order(strength, seen))[0])
    return {"concordance": np.array(flags)}


@functools.cache
def _order(strength, seen):
    rng = np.random.default_rng(0)
    score = rng.normal(size=200_000)
    table = grouped(1, score.size, **tenures(rng, 200 * np.exp(strength * score), seen))
    scores = table[["customer_id"]].assign(p_survival=score)
    return float(churn.concordance_table(table, scores)["concordance"].iloc[0])


@study("200 members, ranked by what halves or doubles their stay", short=6, full=18)
def ranked_many(rng):
    return ranked(rng, 200, 0.7)


@study("20 members, a third of them seen to leave, ranked very well", corner=True, short=8, full=24)
def ranked_few(rng):
    return ranked(rng, 20, 1.5, seen=100.0)


SURVIVAL, LOGRANK = Target(churn.survival_table), Target(churn.logrank_test)
CHECK = Target(churn.CoxModel, "proportionality_")
SUMS, REASONS = Target(churn.survival_summary), Target(churn.leaving_table)
RANKS = Target(churn.concordance_table)
HELD = (0.93, 0.97)

CASES = [
    Case(SURVIVAL, "coverage", met_late, "curve", 0.95, HELD),
    Case(SURVIVAL, "coverage", few_met_late, "curve", 0.95, (0.92, 0.97)),
    Case(SURVIVAL, "coverage", sampled, "curve", 0.95, HELD),
    Case(LOGRANK, "size", within_towns, "even", 0.05, (0.04, 0.06)),
    Case(LOGRANK, "size", within_towns, "late", 0.05, (0.04, 0.06)),
    Case(LOGRANK, "power", within_towns_apart, "even", 0.8, (0.7, 0.95)),
    Case(CHECK, "size", proportional, "rejected", 0.05, (0.04, 0.06)),
    Case(CHECK, "size", proportional_few, "rejected", 0.05, (0.03, 0.07)),
    Case(CHECK, "power", not_proportional, "rejected", 0.8, (0.7, 0.95)),
    Case(SUMS, "coverage", sums_of_many, "median", 0.95, HELD),
    Case(SUMS, "coverage", sums_of_many, "mean", 0.95, HELD),
    Case(SUMS, "coverage", sums_of_few, "median", 0.95, HELD),
    Case(SUMS, "coverage", sums_of_few, "mean", 0.95, (0.91, 0.97)),
    Case(REASONS, "coverage", reasons, "left", 0.95, HELD),
    Case(REASONS, "coverage", rare_reason, "left", 0.95, (0.93, 0.98)),
    Case(RANKS, "coverage", ranked_many, "concordance", 0.95, HELD),
    Case(
        RANKS,
        "coverage",
        ranked_few,
        "concordance",
        0.95,
        (0.88, 0.94),
        "covers .91: too short for few",
        "intervals of 95 % hold 91 %",
    ),
]
