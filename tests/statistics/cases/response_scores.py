"""What scores are worth: profit, policies, Qini, uplift by tenths."""

from __future__ import annotations

import numpy as np
import pandas as pd

from _suite import Case, Target, study
from crmkit import response
from worlds import covered, once, rows

# A score that is right: the chance to respond, and what a contact adds to it.


def profits(rng, n, mean):
    """Coverage of the profit of the best 30 %, and of the best cut-off, of scores of that mean."""
    chance = np.sort(rng.beta(2.0, 2.0 / mean - 2.0, n))[::-1]
    ids = pd.DataFrame({"customer_id": range(n)})
    table = response.profit_table(
        ids.assign(responded=(rng.random(n) < chance).astype(int)), ids.assign(p_response=chance),
        value=10.0, contact_cost=10.0 * mean,
    )  # fmt: skip
    truth = (np.cumsum(chance) - mean * np.arange(1, n + 1))[table["customers"] - 1] * 10.0
    flags = covered(table["conf_low"], table["conf_high"], truth)
    third = int(np.argmin(np.abs(table["share"] - 0.3)))
    return {"third": once(flags[third]), "best": once(flags[int(np.argmax(table["best"]))])}


@study(
    "1,000 customers scored with the chances that they have, a fifth of whom respond",
    short=60,
    full=400,
)
def profit_of_many(rng):
    return profits(rng, 1000, 0.2)


@study("200 customers, of whom 3 % respond", corner=True, short=60, full=400)
def profit_of_few(rng):
    return profits(rng, 200, 0.03)


def campaign(rng, n, base, effect=0.2, treated=0.5):
    """Scores uniform on (0, 1), of which a contact adds `effect` times to the chance."""
    score, arm = rng.random(n), (rng.random(n) < treated).astype(int)
    responded = (rng.random(n) < base + effect * score * arm).astype(int)
    table = pd.DataFrame({"customer_id": range(n), "responded": responded, "arm": arm})
    return table, table[["customer_id"]].assign(score=score)


ARMS = {"outcome": "responded", "treated": "arm"}


def policies(rng, base, **options):
    """Coverage of the value and of the gain of contacting the best 40 %."""
    table, scores = campaign(rng, 1500, base)
    row = response.policy_value(table, scores, shares=(0.4,), **ARMS, **options).iloc[0]
    gain = 0.2 * (0.4 - 0.4**2 / 2)
    return {
        "value": once(covered(row["conf_low"], row["conf_high"], base + gain)),
        "gain": once(covered(row["gain_low"], row["gain_high"], gain)),
    }


@study(
    "1,500 customers of a campaign half of whom were treated; one in ten responds anyway",
    short=60,
    full=400,
)
def policy(rng):
    return policies(rng, 0.1)


@study(
    "1,500 customers of a campaign half of whom were treated; seven in ten respond anyway",
    corner=True,
    short=60,
    full=400,
)
def policy_of_a_habit(rng):
    return policies(rng, 0.7)


def qini(rng, n, base, effect, treated=0.5):
    """Coverage of the coefficient, and of the curve at 30 % of the customers."""
    table, scores = campaign(rng, n, base, effect, treated)
    row = response.qini_summary(table, scores, n_draws=200, **ARMS).iloc[0]
    curve = response.qini_table(table, scores, n_draws=200, n_points=11, **ARMS)
    point = curve.iloc[int(np.argmin(np.abs(curve["share"] - 0.3)))]
    gain = effect * (point["share"] - point["share"] ** 2 / 2)
    return {
        # The gain of the best share f is effect (f - f^2 / 2), here its area less a random order's.
        "area": once(covered(row["conf_low"], row["conf_high"], effect * (1 / 3 - 1 / 4))),
        "curve": once(covered(point["conf_low"], point["conf_high"], gain)),
    }


@study("2,000 customers, half of them treated; one in ten responds anyway", short=9, full=300)
def qini_of_many(rng):
    return qini(rng, 2000, 0.1, 0.2)


@study(
    "2,000 customers, a tenth of them held out; 2 % respond anyway", corner=True, short=9, full=300
)
def qini_of_few(rng):
    return qini(rng, 2000, 0.02, 0.02, treated=0.9)


def tenths(rng, n, base, effect, treated=0.5):
    table, scores = campaign(rng, n, base, effect, treated)
    found = response.uplift_table(table, scores, **ARMS)
    return {
        "tenths": rows(covered(found["conf_low"], found["conf_high"], effect * found["score_mean"]))
    }


@study("3,000 customers, half of them treated; one in ten responds anyway", short=15, full=200)
def tenths_of_many(rng):
    return tenths(rng, 3000, 0.1, 0.2)


@study(
    "600 customers, a tenth of them held out; 5 % respond anyway", corner=True, short=15, full=200
)
def tenths_of_few(rng):
    return tenths(rng, 600, 0.05, 0.05, treated=0.9)


PROFIT, POLICY = Target(response.profit_table), Target(response.policy_value)
COEFFICIENT, CURVE = Target(response.qini_summary), Target(response.qini_table)
TENTHS = Target(response.uplift_table)
HELD = (0.93, 0.97)

CASES = [
    Case(PROFIT, "coverage", profit_of_many, "third", 0.95, HELD),
    Case(PROFIT, "coverage", profit_of_many, "best", 0.95, HELD),
    Case(PROFIT, "coverage", profit_of_few, "third", 0.95, (0.93, 0.99)),
    Case(
        PROFIT,
        "coverage",
        profit_of_few,
        "best",
        0.95,
        (0.86, 0.92),
        "covers .89 where the best cut-off was looked for among few customers",
        "intervals of 95 % hold 89 %",
    ),
    Case(POLICY, "coverage", policy, "value", 0.95, HELD),
    Case(POLICY, "coverage", policy, "gain", 0.95, HELD),
    Case(POLICY, "coverage", policy_of_a_habit, "value", 0.95, HELD),
    Case(POLICY, "coverage", policy_of_a_habit, "gain", 0.95, HELD),
    Case(COEFFICIENT, "coverage", qini_of_many, "area", 0.95, HELD),
    Case(
        COEFFICIENT,
        "coverage",
        qini_of_few,
        "area",
        0.95,
        (0.88, 0.94),
        "covers .91 with four responders among controls",
        "intervals of 95 % hold 91 %",
    ),
    Case(CURVE, "coverage", qini_of_many, "curve", 0.95, (0.92, 0.97)),
    Case(
        CURVE,
        "coverage",
        qini_of_few,
        "curve",
        0.95,
        (0.72, 0.82),
        "does not hold: covers .77 with four responders among controls",
        "intervals of 95 % hold 77 %",
    ),
    Case(TENTHS, "coverage", tenths_of_many, "tenths", 0.95, HELD),
    Case(
        TENTHS,
        "coverage",
        tenths_of_few,
        "tenths",
        0.95,
        (0.81, 0.88),
        "does not hold: covers .85 with a handful of controls in a tenth",
        "intervals of 95 % hold 85 %",
    ),
]
