"""Whether tests of counts of purchases keep their size where the parameters were estimated."""

from __future__ import annotations

import numpy as np
import pandas as pd

from _suite import Case, Target, study
from cases.clv_models import known
from crmkit import clv
from worlds import once, rejected

RATES, AHEAD = [0.8, 30.0, 0.9, 2.5], 180


def fitted_to_its_own(rng, n, *, change=1.0):
    """P-values of a model fitted to its own customers, who buy `change` times as much after."""
    truth = known(clv.BGNBD, {}, RATES)
    truth.coefficient_draws_ = np.empty((0, len(RATES)))
    people = pd.DataFrame({"customer_id": range(n), "T": rng.integers(100, 365, n).astype(float)})
    past, later = (int(seed) for seed in rng.integers(0, 2**31, 2))
    table = truth.simulate(people, random_state=past)
    came = truth.simulate(table, horizon_days=AHEAD * change, random_state=later)["purchases"]
    table = table.assign(holdout_frequency=came.to_numpy(), holdout_days=AHEAD)
    return flags(clv.frequency_table(table, purchases=clv.BGNBD().fit(table)))


def flags(found):
    p = found.groupby("holdout")["p_value"].first()
    return {"before": once_known(p[False]), "after": once_known(p[True])}


def once_known(p):
    return once(np.nan if np.isnan(p) else rejected(p))


@study("1,000 customers from the model, seen for 100 to 365 days", short=6, full=300)
def right(rng):
    return fitted_to_its_own(rng, 1000)


@study("100 customers from the model, seen for 100 to 365 days", corner=True, short=6, full=300)
def right_of_few(rng):
    return fitted_to_its_own(rng, 100)


@study("1,000 customers who buy 40 % more after the model has learned", short=6, full=150)
def changed(rng):
    return fitted_to_its_own(rng, 1000, change=1.4)


@study(
    "1,000 customers for ever, half of whom buy every 10 days and half every 100 days",
    short=8,
    full=200,
)
def of_two_kinds(rng):
    rate = np.repeat([0.1, 0.01], 500)
    length = rng.integers(100, 365, 1000).astype(float)
    x = rng.poisson(rate * length)
    last = np.where(x > 0, length * rng.random(1000) ** (1 / np.maximum(x, 1)), 0.0)
    table = pd.DataFrame({"customer_id": range(1000), "frequency": x, "recency": last, "T": length})
    table = table.assign(holdout_frequency=rng.poisson(rate * AHEAD), holdout_days=AHEAD)
    return flags(clv.frequency_table(table, purchases=clv.BGNBD().fit(table)))


COUNTED = Target(clv.frequency_table)
SIZE, POWER = (0.03, 0.07), (0.8, 1.0)

CASES = [
    Case(COUNTED, "size", right, "before", 0.05, SIZE),
    Case(COUNTED, "size", right, "after", 0.05, SIZE),
    Case(COUNTED, "size", right_of_few, "before", 0.05, SIZE),
    Case(COUNTED, "size", right_of_few, "after", 0.05, SIZE),
    Case(COUNTED, "power", changed, "after", 0.8, POWER),
    Case(COUNTED, "power", of_two_kinds, "before", 0.8, POWER),
]
