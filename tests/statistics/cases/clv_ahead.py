"""What comes in from each customer: purchases by every model of them, and an amount of spend."""

from __future__ import annotations

import numpy as np
import pandas as pd

from _suite import Case, Study, Target
from cases.clv_models import LENGTHS, MODELS, known
from cases.clv_posterior import DRAWN
from crmkit import clv
from worlds import covered, rows

# Of those who seem to have left nearly all buy nothing, which no interval can hold more seldom:
# what customers are expected to buy at least, and one-time buyers.
OPEN, OPEN_ONCE = 1.0, 0.2
AHEAD = {"T": 365.0, "periods": 12 * 365.0}
# Those whose posterior takes long: bases of few customers alone, a few of them.
SLOW = {clv.GGomNBD, clv.BGBB}
SPEND = [
    (clv.GammaGamma, {"first_purchase": False}, [4.0, 3.5, 25.0]),
    (clv.LognormalSpend, {}, [20.0, 0.4, 0.6]),
]


def purchases_of(kind, options, truth, length, n_customers):
    """Coverage of what customers buy whose histories the model with the true parameters goes on."""

    def simulate(rng):
        true = known(kind, options, truth)
        true.coefficient_draws_ = np.empty((0, len(truth)))
        seeds = rng.integers(2**31, size=2).tolist()
        start = pd.DataFrame(
            {"customer_id": range(n_customers), length: LENGTHS[length](n_customers)}
        )
        table = true.simulate(start, random_state=seeds[0]).drop(columns="alive", errors="ignore")
        ahead = {"horizon_days": AHEAD[length]}
        came = true.simulate(table, **ahead, random_state=seeds[1])["purchases"]
        model = kind(**options, **DRAWN).fit(table)
        found = model.predict(table, **ahead, interval="predictive")
        held = covered(found["conf_low"], found["conf_high"], came)
        expected = true.predict(table, **ahead)["expected_purchases"]
        flags = {"purchases": rows(np.where(expected > OPEN, held, np.nan))}
        if "frequency" in table:
            once = (expected > OPEN_ONCE) & (table["frequency"] == 0)
            flags["of_one_time_buyers"] = rows(np.where(once, held, np.nan))
        return flags

    return simulate


def amounts_of(kind, options, truth, n_customers):
    """Coverage of one amount to come of each customer."""

    def simulate(rng):
        true = known(kind, options, truth)
        true.returns_ = False
        often = rng.geometric(0.4, n_customers) - 1
        start = pd.DataFrame({"customer_id": range(n_customers), "frequency": often})
        table = true.simulate(start, random_state=int(rng.integers(2**31)))
        if kind is clv.GammaGamma:
            around = rng.gamma(truth[0], 1.0 / truth[0], n_customers)
        else:
            around = np.exp(rng.normal(-truth[1] / 2.0, np.sqrt(truth[1]), n_customers))
        amount = around * table.pop("mean_amount")
        found = kind(**options, **DRAWN).fit(table).predict(table, interval="predictive")
        held = covered(found["conf_low"], found["conf_high"], amount)
        return {
            "amount": rows(held),
            "amount_of_one_time_buyers": rows(np.where(often == 0, held, np.nan)),
        }

    return simulate


def cases_of(kind, simulate, measures):
    """The cases of a model for many customers and for few."""
    found = []
    for n_customers, short, full in ((400, 2, 8), (60, 6, 120)):
        if kind in SLOW and n_customers > 60:
            continue
        world = simulate(n_customers)
        world.__qualname__ = world.__name__ = f"{kind.__name__}_ahead_of_{n_customers}"
        scenario = f"{n_customers} customers drawn from the model, with a weak prior"
        runs = (1, 10) if kind in SLOW else (short, full)
        given = Study(world, scenario, n_customers == 60, *runs, "")
        found += [
            Case(Target(kind, "predict"), "coverage", given, name, 0.95, HELD) for name in measures
        ]
    return found


HELD = (0.93, 0.97)

# Not of contracts: their renewals end at the horizon, with so many there that intervals hold all.
CASES = [
    case
    for kind, options, truth, _, length, *_ in MODELS
    if length == "T" or kind is clv.BGBB
    for case in cases_of(
        kind,
        lambda n, given=(kind, options, truth, length): purchases_of(*given, n),
        ("purchases", "of_one_time_buyers") if length == "T" else ("purchases",),
    )
] + [
    case
    for kind, options, truth in SPEND
    for case in cases_of(
        kind,
        lambda n, given=(kind, options, truth): amounts_of(*given, n),
        ("amount", "amount_of_one_time_buyers"),
    )
]
