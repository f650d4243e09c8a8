"""Who stays how long: survival, gaps, cohorts, periods."""

from __future__ import annotations

import functools

import numpy as np
import pandas as pd

from _suite import Case, Target, study
from crmkit import churn
from worlds import START, covered, grouped, log_of, rejected, tenures

# Survival: customers leave at a constant rate, and how long they are seen has nothing to do
# with it.


def survival(rng, n_groups, size, time, **seen):
    """Coverage of the curve, and of the chance to stay as long again from that time on."""
    table = grouped(n_groups, size, **tenures(rng, np.full(n_groups * size, 200.0), **seen))
    curves = churn.survival_table(table, by="group")
    reaches = curves.groupby("group")["time"].max() >= time
    curve = curves[curves["time"] <= time].groupby("group").tail(1).set_index("group")
    here = table.drop_duplicates("group").assign(tenure_days=time)
    later = churn.conditional_survival(here, curves, horizon_days=time)
    truth = np.exp(-time / 200.0)
    return {
        "curve": covered(curve["conf_low"].where(reaches), curve["conf_high"], truth),
        "later": covered(later["conf_low"], later["conf_high"], truth),
    }


@study("150 members, a third of them still here; half a mean lifetime on", short=2, full=40)
def members(rng):
    return survival(rng, 100, 150, 100.0)


@study("20 members, half of them still here; a mean lifetime on", corner=True, short=3, full=60)
def few_members(rng):
    return survival(rng, 100, 20, 150.0, seen=200.0)


def logrank(rng, sizes, mean=200.0, seen=400.0, n=25):
    """Whether the second group is told from the first, whose mean lifetime is 200 days."""
    plan = np.repeat([0, 1], sizes)
    tables = [
        grouped(1, len(plan), plan=plan, **tenures(rng, np.where(plan, mean, 200.0), seen))
        for _ in range(n)
    ]
    tests = [churn.logrank_test(table, by="plan") for table in tables]
    return {"rejected": rejected([test["p_value"].iloc[0] for test in tests])}


@study("two plans of 100 members that stay equally long", short=3, full=20)
def equal_plans(rng):
    return logrank(rng, (100, 100))


@study("two plans of 100 members, one left 1.6 times as fast", short=3, full=20)
def unequal_plans(rng):
    return logrank(rng, (100, 100), mean=125.0)


@study("8 members against 200, a tenth of them seen to leave", corner=True, short=3, full=20)
def small_plan(rng):
    return logrank(rng, (200, 8), seen=45.0)


# Gaps: every customer buys on each day with a chance of his own.


def gaps(rng, chances):
    """Gaps of customers, shape (groups, customers), who buy for a year; 30 days of silence."""
    groups, size = chances.shape
    log = log_of(rng.random((groups * size, 365)) < chances.reshape(-1, 1))
    log["group"] = log["customer_id"] // size
    table = churn.gap_table(log, by="group", as_of=START + pd.Timedelta(days=364))
    return table[table["gap_days"] <= 30].groupby("group").tail(1)


@study("60 customers who buy every three weeks, all alike", short=3, full=60)
def alike(rng):
    curve = gaps(rng, np.full((60, 60), 1 / 21))
    return {"curve": covered(curve["conf_low"], curve["conf_high"], (20 / 21) ** 30)}


def rhythms(rng, groups, size):
    """Chances to buy that differ: the tenth with the highest buys half of all."""
    return np.minimum(rng.gamma(0.5, 1 / 30, (groups, size)), 0.5)


@functools.cache
def _open_in_the_long_run():
    return gaps(np.random.default_rng(0), rhythms(np.random.default_rng(1), 1, 8000))["p_open"]


@study("60 customers, a tenth of whom buy half of all", corner=True, short=3, full=60)
def unlike(rng):
    curve = gaps(rng, rhythms(rng, 60, 60))
    truth = float(_open_in_the_long_run().iloc[0])
    return {"curve": covered(curve["conf_low"], curve["conf_high"], truth)}


# Cohorts and periods: every customer buys in each month with a chance of his own.


def months(active):
    """The log of customers active in months, shape (customers, months)."""
    customer, month = np.nonzero(active)
    dates = pd.date_range(START, periods=active.shape[1], freq="MS")
    return pd.DataFrame({"customer_id": customer, "date": dates[month]})


def cohorts(rng, n_cohorts, size, chance):
    """Tables of cohorts that came month by month, and then buy with `chance` in each."""
    first = np.repeat(np.arange(n_cohorts), size)
    month = np.arange(n_cohorts)
    active = rng.random((len(first), n_cohorts)) < np.repeat(chance, size)[:, None]
    active = (active & (month > first[:, None])) | (month == first[:, None])
    return churn.cohort_table(months(active), as_of=START + pd.DateOffset(months=n_cohorts))


def cohort_rates(rng, size, chance):
    """Coverage of the cells of 12 cohorts, and of the curve of all cohorts."""
    table = cohorts(rng, 12, size, np.full(12, chance))
    cells = table[(table["age"] > 0) & table["active"].notna()]
    curve = churn.retention_curve(table)
    curve = curve[curve["age"] > 0]
    return {
        "cells": covered(cells["conf_low"], cells["conf_high"], chance)[None],
        "curve": covered(curve["conf_low"], curve["conf_high"], chance)[None],
    }


@study("12 cohorts of 100 customers, of whom 30 % come back in a month", short=12, full=150)
def plain_cohorts(rng):
    return cohort_rates(rng, 100, 0.3)


@study(
    "12 cohorts of 8 customers, of whom 5 % come back in a month", corner=True, short=12, full=150
)
def small_cohorts(rng):
    return cohort_rates(rng, 8, 0.05)


@study(
    "12 cohorts of 100 customers; between cohorts 20 to 40 % come back",
    corner=True,
    short=12,
    full=150,
)
def unlike_cohorts(rng):
    curve = churn.retention_curve(cohorts(rng, 12, 100, rng.uniform(0.2, 0.4, 12)))
    curve = curve[curve["age"] == 3]
    return {"curve": covered(curve["conf_low"], curve["conf_high"], 0.3)}


def periods(rng, size, chance):
    """Coverage of the share of a month's customers who stay the next, over 13 months."""
    active = rng.random((size, 13)) < chance
    table = churn.retention_table(months(active), as_of=START + pd.DateOffset(months=13))
    table = table[table["complete"]].iloc[1:13]
    return covered(table["conf_low"], table["conf_high"], chance)[None]


@study("400 customers, of whom 30 % buy in a month", short=15, full=150)
def plain_months(rng):
    return {"stay": periods(rng, 400, 0.3)}


@study("20 customers, of whom 95 % buy in a month", corner=True, short=15, full=150)
def few_in_a_month(rng):
    return {"stay": periods(rng, 20, 0.95)}


# Contracts: each month some end, and as many begin.


def book(rng, size, leave, n_months):
    """Contracts of `size` members at any time, of whom a share leaves each month."""
    ends = np.minimum(rng.geometric(leave, (size, n_months)).cumsum(axis=1), n_months)
    begins = np.c_[np.zeros(size, dtype=int), ends[:, :-1]]
    seat, turn = np.nonzero(begins < ends)
    days = pd.date_range(START, periods=n_months + 1, freq="MS").to_numpy()
    return pd.DataFrame(
        {
            "customer_id": seat * n_months + turn,
            "start_date": days[begins[seat, turn]],
            "end_date": days[ends[seat, turn]],
        }
    )


def contract_rates(rng, size, leave, n_months=37):
    """Coverage of the share that stays a month, and of that which stays a year."""
    members = book(rng, size, leave, n_months)
    found = {}
    for name, span in (("month", 1), ("year", 12)):
        table = churn.retention_table(
            members,
            ends="exclusive",
            span_periods=span,
            as_of=START + pd.DateOffset(months=n_months - 1),
        )
        table = table[table["complete"]].iloc[span::span]
        found[name] = covered(table["conf_low"], table["conf_high"], (1 - leave) ** span)[None]
    return found


@study("300 members, of whom 4 % leave each month; a month, and twelve", short=20, full=600)
def plain_contracts(rng):
    return contract_rates(rng, 300, 0.04)


@study(
    "15 members, of whom 1 % leaves each month; a month, and twelve",
    corner=True,
    short=20,
    full=600,
)
def few_contracts(rng):
    return contract_rates(rng, 15, 0.01)


SURVIVAL, LATER = Target(churn.survival_table), Target(churn.conditional_survival)
LOGRANK, GAPS = Target(churn.logrank_test), Target(churn.gap_table)
COHORTS, CURVE = Target(churn.cohort_table), Target(churn.retention_curve)
MONTHS = Target(churn.retention_table)
HELD = (0.93, 0.97)

CASES = [
    Case(SURVIVAL, "coverage", members, "curve", 0.95, HELD),
    Case(SURVIVAL, "coverage", few_members, "curve", 0.95, HELD),
    Case(LATER, "coverage", members, "later", 0.95, HELD),
    Case(LATER, "coverage", few_members, "later", 0.95, (0.94, 1.0)),
    Case(LOGRANK, "size", equal_plans, "rejected", 0.05, (0.04, 0.06)),
    Case(LOGRANK, "power", unequal_plans, "rejected", 0.8, (0.7, 0.9)),
    Case(LOGRANK, "size", small_plan, "rejected", 0.05, (0.04, 0.06)),
    Case(GAPS, "coverage", alike, "curve", 0.95, HELD),
    Case(
        GAPS,
        "coverage",
        unlike,
        "curve",
        0.95,
        (0.53, 0.63),
        "does not hold: covers .58, because gaps of one customer are taken as independent",
        "intervals of 95 % hold 58 %",
    ),
    Case(COHORTS, "coverage", plain_cohorts, "cells", 0.95, HELD),
    Case(COHORTS, "coverage", small_cohorts, "cells", 0.95, HELD),
    Case(CURVE, "coverage", plain_cohorts, "curve", 0.95, HELD),
    Case(
        CURVE,
        "coverage",
        unlike_cohorts,
        "curve",
        0.95,
        (0.68, 0.8),
        "does not hold: covers .75, because customers of all cohorts are taken as alike",
        "intervals of 95 % hold the mean of cohorts in 75 %",
    ),
    Case(MONTHS, "coverage", plain_months, "stay", 0.95, HELD),
    Case(MONTHS, "coverage", few_in_a_month, "stay", 0.95, (0.91, 0.97)),
    Case(MONTHS, "coverage", plain_contracts, "month", 0.95, HELD),
    Case(MONTHS, "coverage", plain_contracts, "year", 0.95, HELD),
    Case(
        MONTHS,
        "coverage",
        few_contracts,
        "month",
        0.95,
        (0.83, 0.89),
        "does not hold: covers .86, because one who leaves is already too many",
        "intervals of 95 % hold 86 %",
    ),
    Case(MONTHS, "coverage", few_contracts, "year", 0.95, (0.93, 1.0)),
]
