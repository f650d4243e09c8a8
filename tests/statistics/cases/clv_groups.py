"""Nested models, models by group, and covariates that change over time."""

from __future__ import annotations

import numpy as np
import pandas as pd

from _suite import Case, Target, study
from cases.clv_models import HISTORY, apart, known
from crmkit import clv
from worlds import START, covered, rejected, rows

# Does a trait matter for how long members stay?


def ratio(rng, n, share, *, effect=0.0, alpha=1.0, beta=4.0):
    """Members who renew, of whom a share may leave at another rate."""
    other = rng.random(n) < share
    leave = rng.beta(alpha * np.exp(effect * other), beta)
    seen, life = rng.integers(3, 9, n), rng.geometric(leave)
    table = pd.DataFrame({"customer_id": range(n), "other": other.astype(int)})
    table["churned"] = life <= seen
    table["periods"] = np.minimum(life, seen)
    restricted = clv.ShiftedBetaGeometric(period_days=365).fit(table)
    general = clv.ShiftedBetaGeometric(dropout_covariates=["other"]).fit(table)
    test = clv.likelihood_ratio_test(restricted=restricted, general=general)
    return {"tests": rejected(test["p_value"])}


@study("500 members, of whom two fifths have a trait that means nothing", short=8, full=400)
def trait_that_means_nothing(rng):
    return ratio(rng, 500, 0.4)


@study(
    "500 members, of whom two fifths have a trait with which they leave sooner",
    short=8,
    full=400,
)
def trait_that_matters(rng):
    return ratio(rng, 500, 0.4, effect=0.37)


@study("50 members, of whom five have a trait that means nothing", corner=True, short=8, full=400)
def rare_trait(rng):
    return ratio(rng, 50, 0.1)


@study(
    "200 members who all leave alike, which is at the boundary; a trait that means nothing",
    corner=True,
    short=8,
    full=400,
)
def members_alike(rng):
    return ratio(rng, 200, 0.4, alpha=2e5, beta=8e5)


# Groups of their own, and covariates that change.

RATES = [0.8, 30.0, 0.9, 2.5]


def groups(rng, n_groups, size):
    """Coverage of the parameters and expectations of groups, each with a model of its own."""
    true = known(clv.BGNBD, {}, RATES)
    lengths = np.tile(np.linspace(100, 400, size), n_groups)
    start = pd.DataFrame({"customer_id": range(n_groups * size), "T": lengths})
    table = true.simulate(start, random_state=int(rng.integers(2**31)))
    table["segment"] = np.arange(n_groups * size) // size
    model = clv.ByGroup(model=clv.BGNBD()).fit(table)
    inside = model.groups_["boundary"].isna().to_numpy()
    kinds = pd.DataFrame({"customer_id": range(3), **HISTORY})
    judged = pd.concat([kinds.assign(segment=group) for group in range(n_groups)])
    judged["customer_id"] = range(len(judged))
    found = model.predict(judged, interval="delta")
    expected = np.tile(true.predict(kinds)["expected_purchases"], n_groups)
    table = model.parameters_
    held = {
        "parameters": covered(table["conf_low"], table["conf_high"], np.tile(RATES, n_groups)),
        "expectations": covered(found["conf_low"], found["conf_high"], expected),
    }
    return apart(held, ~inside)


@study("two groups of 500 customers drawn from the model", short=3, full=200)
def large_groups(rng):
    return groups(rng, 2, 500)


@study("six groups of 30 customers drawn from the model", corner=True, short=1, full=60)
def small_groups(rng):
    return groups(rng, 6, 30)


def pooled(rng, sizes, between):
    """Coverage of the parameters and expectations of groups that borrow strength.

    Logarithms of days, of spreads and of odds vary with the deviation `between` over groups.
    """
    gap, shape, odds, size = np.log([37.5, 0.8, 0.36, 3.4])[:, None] + rng.normal(
        0, between, (4, len(sizes))
    )
    share = 1 / (1 + np.exp(-odds))
    rates = np.exp([shape, gap + shape, np.log(share) + size, np.log1p(-share) + size]).T
    tables, expected = [], []
    kinds = pd.DataFrame({"customer_id": range(3), **HISTORY})
    for group, (n, rate) in enumerate(zip(sizes, rates, strict=True)):
        true = known(clv.BGNBD, {}, rate)
        start = pd.DataFrame({"customer_id": range(n), "T": np.linspace(100, 400, n)})
        table = true.simulate(start, random_state=int(rng.integers(2**31)))
        tables.append(table.assign(segment=group))
        expected.append(true.predict(kinds)["expected_purchases"])
    table = pd.concat(tables).assign(customer_id=range(sum(sizes)))
    one = clv.BGNBD(n_draws=300, random_state=0)
    model = clv.ByGroup(model=one, pooling=True).fit(table)
    judged = pd.concat([kinds.assign(segment=group) for group in range(len(sizes))])
    judged["customer_id"] = range(len(judged))
    found, told = model.predict(judged, interval="posterior"), model.parameters_
    return {
        "parameters": rows(covered(told["conf_low"], told["conf_high"], rates.ravel())),
        "expectations": rows(
            covered(found["conf_low"], found["conf_high"], np.concatenate(expected))
        ),
    }


@study("twelve groups of 60 customers that borrow strength", short=1, full=24)
def groups_that_borrow(rng):
    return pooled(rng, [60] * 12, 0.3)


@study(
    "five groups of 6, 20, 40, 100 and 300 customers that borrow strength",
    corner=True,
    short=1,
    full=40,
)
def uneven_groups_that_borrow(rng):
    return pooled(rng, [6, 20, 40, 100, 300], 0.3)


@study(
    "six groups of 40 customers that are alike and borrow strength", corner=True, short=1, full=40
)
def alike_groups_that_borrow(rng):
    return pooled(rng, [40] * 6, 0.0)


def varying(rng, n, alpha):
    """Coverage of parameters, and of what the first customers will buy, with a season.

    The larger `alpha`, the rarer are purchases.
    """
    logs = np.array([np.log(0.9), np.log(alpha), np.log(0.8), np.log(150.0), 0.8])
    dates = pd.date_range(START, periods=60, freq="14D")
    season = pd.DataFrame({"date": dates, "season": (np.arange(60) % 13 < 3).astype(float)})
    days = pd.to_timedelta(rng.integers(0, 200, n), unit="D")
    people = pd.DataFrame({"customer_id": range(n), "first_date": START + days})
    true = clv.TimeVaryingParetoNBD(purchase_covariates=["season"])
    true.coefficients_ = logs
    options = {"covariates": season, "as_of": START + pd.Timedelta(days=450)}
    log = true.simulate(people, random_state=int(rng.integers(2**31)), **options)
    log = log[["customer_id", "date"]]
    model = clv.TimeVaryingParetoNBD(purchase_covariates=["season"]).fit(log, **options)
    table, narrow = model.parameters_, model.parameter_table(confidence_level=0.8)
    truth = np.r_[np.exp(logs[:4]), logs[4]]
    few = log[log["customer_id"] < 10]
    found = model.predict(few, horizon_days=200, interval="delta", **options)
    expected = true.predict(few, horizon_days=200, **options)["expected_purchases"]
    held = {
        "parameters": covered(table["conf_low"], table["conf_high"], truth),
        "level_80": covered(narrow["conf_low"], narrow["conf_high"], truth),
        "expectations": covered(found["conf_low"], found["conf_high"], expected),
    }
    return apart(held, np.array([model.boundary_ is not None]))


@study("300 customers who buy five times a year, more in a season", short=1, full=60)
def season_of_many(rng):
    return varying(rng, 300, 150.0)


@study("40 customers who buy more in a season", corner=True, short=2, full=80)
def season_of_few(rng):
    return varying(rng, 40, 40.0)


@study(
    "300 customers of whom many buy several times a day in a season, which counts once",
    corner=True,
    short=1,
    full=60,
)
def season_of_crowds(rng):
    return varying(rng, 300, 15.0)


RATIO = Target(clv.likelihood_ratio_test)
GROUPS, OF_GROUPS = Target(clv.ByGroup, "parameters_"), Target(clv.ByGroup, "predict")
VARYING = Target(clv.TimeVaryingParetoNBD, "parameters_")
LEVELS = Target(clv.TimeVaryingParetoNBD, "parameter_table")
AHEAD = Target(clv.TimeVaryingParetoNBD, "predict")
CROWDS = ("does not hold: covers .72 where days hold several purchases", "hold 72 % of parameters")
HELD, SIZE, POWER = (0.93, 0.97), (0.03, 0.06), (0.7, 0.9)

CASES = [
    Case(RATIO, "size", trait_that_means_nothing, "tests", 0.05, SIZE),
    Case(RATIO, "power", trait_that_matters, "tests", 0.8, POWER),
    Case(RATIO, "size", rare_trait, "tests", 0.05, SIZE),
    Case(RATIO, "size", members_alike, "tests", 0.05, (0.0, 0.06)),
    Case(GROUPS, "coverage", large_groups, "parameters_inside", 0.95, HELD),
    Case(GROUPS, "coverage", small_groups, "parameters_inside", 0.95, HELD),
    Case(
        GROUPS,
        "coverage",
        small_groups,
        "parameters_at_a_boundary",
        0.95,
        (0.44, 0.52),
        "does not hold: covers .48 at a boundary",
        "hold 48 % of parameters",
    ),
    Case(OF_GROUPS, "coverage", large_groups, "expectations_inside", 0.95, HELD),
    Case(OF_GROUPS, "coverage", small_groups, "expectations_inside", 0.95, (0.91, 0.97)),
    Case(
        OF_GROUPS,
        "coverage",
        small_groups,
        "expectations_at_a_boundary",
        0.95,
        (0.5, 0.66),
        "does not hold: covers .58 at a boundary",
        "58 % of expectations",
    ),
    *(
        Case(target, "coverage", world, measure, 0.95, (0.92, 0.99))
        for world in (groups_that_borrow, uneven_groups_that_borrow, alike_groups_that_borrow)
        for target, measure in ((GROUPS, "parameters"), (OF_GROUPS, "expectations"))
    ),
    Case(VARYING, "coverage", season_of_many, "parameters_inside", 0.95, (0.92, 0.97)),
    Case(VARYING, "coverage", season_of_few, "parameters_inside", 0.95, (0.92, 0.97)),
    Case(VARYING, "coverage", season_of_crowds, "parameters_inside", 0.95, (0.66, 0.78), *CROWDS),
    Case(LEVELS, "coverage", season_of_many, "level_80_inside", 0.8, (0.76, 0.84)),
    Case(LEVELS, "coverage", season_of_few, "level_80_inside", 0.8, (0.76, 0.84)),
    Case(AHEAD, "coverage", season_of_many, "expectations_inside", 0.95, (0.91, 0.97)),
    Case(AHEAD, "coverage", season_of_few, "expectations_inside", 0.95, (0.91, 0.97)),
]
