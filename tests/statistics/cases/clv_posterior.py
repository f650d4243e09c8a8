"""What priors and histories that go on hold: at boundaries, and of the money that comes in."""

from __future__ import annotations

import numpy as np
import pandas as pd

from _suite import Case, Target, study
from cases.clv_models import HISTORY, LENGTHS, MEMBERS, YEARS, known
from crmkit import clv
from worlds import covered, once, rows

RATES, SEEN, AHEAD, MOST = [0.8, 30.0, 0.9, 2.5], 300.0, 365.0, 200
DRAWN = {"prior": "weak", "n_draws": 400, "random_state": 0}
ENDS = [
    (clv.BGNBD, {}, RATES, HISTORY, "T"),
    (clv.MBGNBD, {}, RATES, HISTORY, "T"),
    (clv.ShiftedBetaGeometric, YEARS, [0.8, 4.0], MEMBERS, "periods"),
]


def at_an_end(rng, kind, options, truth, judged, length):
    """Coverage by the posterior of a base whose likelihood has no maximum inside."""
    true = known(kind, options, truth)
    start = pd.DataFrame({"customer_id": range(40), length: LENGTHS[length](40)})
    while True:
        table = true.simulate(start, random_state=int(rng.integers(2**31)))
        if kind(**options).fit(table).boundary_ is not None:
            break
    model = kind(**options, **DRAWN).fit(table)
    judged = pd.DataFrame({"customer_id": range(3), **judged})
    found, estimates = model.predict(judged, interval="posterior"), model.parameters_
    expected = true.predict(judged)["expected_purchases"]
    name = kind.__name__
    return {
        f"parameters_of_{name}": rows(
            covered(estimates["conf_low"], estimates["conf_high"], truth)
        ),
        f"expectations_of_{name}": rows(covered(found["conf_low"], found["conf_high"], expected)),
    }


@study(
    "40 customers whose estimate would lie at a boundary, with a weak prior",
    corner=True,
    short=2,
    full=60,
)
def ends(rng):
    flags = {}
    for given in ENDS:
        flags |= at_an_end(rng, *given)
    return flags


def to_come(rng, n, between):
    """Coverage of what comes in: purchases and money of the active, and the money of the base."""
    r, alpha, a, b = RATES
    level = rng.normal(0, between, n)
    amount = np.exp(level[:, None] + rng.normal(0, 0.5, (n, MOST + 1)))
    first, amount = amount[:, 0], amount[:, 1:]
    rate, leave = rng.gamma(r, 1 / alpha, n), rng.beta(a, b, n)
    times = np.cumsum(rng.exponential(1.0, amount.shape) / rate[:, None], axis=1)
    there = np.arange(MOST) < rng.geometric(leave)[:, None]
    past, away = there & (times <= SEEN), times - SEEN
    next_year = there & (away > 0.0) & (away <= AHEAD)
    count = past.sum(axis=1)
    logs = np.column_stack([np.log(first), np.where(past, np.log(amount), np.nan)])
    table = pd.DataFrame({"customer_id": range(n), "frequency": count, "T": SEEN})
    table["recency"] = np.where(past, times, 0.0).max(axis=1)
    table["monetary_value"] = np.where(past, amount, 0.0).sum(axis=1) / np.maximum(count, 1)
    table["first_amount"], table["kept_purchases"] = first, count + 1
    table["log_amount_mean"] = np.nanmean(logs, axis=1)
    table["log_amount_std"] = np.nanstd(logs, axis=1)
    models = {
        "purchases": clv.BGNBD(**DRAWN).fit(table), "spend": clv.LognormalSpend(**DRAWN).fit(table)
    }  # fmt: skip
    options = {"interval": "predictive", "horizon_days": AHEAD}
    each = models["purchases"].predict(table, **options)
    money = clv.lifetime_value(table, **models, **options)
    total = clv.customer_equity(table, **models, **options).iloc[0]
    worth = np.where(next_year, amount * 1.1 ** (-away / 365.0), 0.0).sum(axis=1)
    active = each["expected_purchases"].to_numpy() > 3.0
    held = {
        "purchases": covered(each["conf_low"], each["conf_high"], next_year.sum(axis=1)),
        "money": covered(money["conf_low"], money["conf_high"], worth),
    }
    return {name: rows(np.where(active, flags, np.nan)) for name, flags in held.items()} | {
        "sum_that_came": once(covered(total["conf_low"], total["conf_high"], worth.sum()))
    }


@study("400 customers, amounts lognormal (deviation .5 between customers)", short=2, full=24)
def to_come_from_many(rng):
    return to_come(rng, 400, 0.5)


@study(
    "150 firms whose amounts are lognormal (deviation 1 between firms)",
    corner=True,
    short=3,
    full=48,
)
def to_come_from_firms(rng):
    return to_come(rng, 150, 1.0)


EQUITY, VALUE = Target(clv.customer_equity), Target(clv.lifetime_value)
PREDICT = Target(clv.BGNBD, "predict")
WIDE, HELD = (0.9, 1.0), (0.93, 0.97)

CASES = [
    Case(Target(kind, member), "coverage", ends, f"{what}_of_{kind.__name__}", 0.95, WIDE)
    for kind, *_ in ENDS
    for member, what in (("parameters_", "parameters"), ("predict", "expectations"))
] + [
    Case(target, "coverage", world, measure, 0.95, band)
    for world in (to_come_from_many, to_come_from_firms)
    for target, measure, band in (
        (PREDICT, "purchases", HELD), (VALUE, "money", HELD), (EQUITY, "sum_that_came", WIDE)
    )
]  # fmt: skip
