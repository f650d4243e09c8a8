"""What the models of leaving and of winning back say of their own errors."""

from __future__ import annotations

import numpy as np
import pandas as pd

from _suite import Case, Target, study
from crmkit import churn
from crmkit.errors import ConvergenceError
from worlds import covered, effects, reasons, rejected, rows, tenures

# Regressions: lifetimes are exponential, so that both models are right.

EFFECT = 0.5  # of one standard deviation, and of the flag, on the log of the rate to leave


def regression(rng, model, n, seen):
    """Coverage of the effects of three numbers and of a trait that one in five has."""
    numbers, trait = rng.normal(size=(n, 3)), rng.random(n) < 0.2
    mean = 200.0 * np.exp(-EFFECT * (numbers.sum(axis=1) + trait))
    table = pd.DataFrame(numbers).add_prefix("number_").rename_axis("customer_id").reset_index()
    table = table.assign(trait=np.where(trait, "yes", "no"), **tenures(rng, mean, seen))
    try:
        found = model.fit(table).parameters_
    except ConvergenceError:  # a trait that none of the leavers has: nothing is said
        return {"effects": np.full((1, 4), np.nan)}
    truth = EFFECT if isinstance(model, churn.CoxModel) else -EFFECT  # faster, or shorter
    return {"effects": rows(covered(found["conf_low"], found["conf_high"], truth))}


MANY = "200 members, of whom two thirds left; three numbers and a trait"
FEW = "120 members, of whom a dozen left; three numbers and a trait"


@study(MANY, short=5, full=60)
def cox_of_many(rng):
    return regression(rng, churn.CoxModel(), 200, 400.0)


@study(FEW, corner=True, short=5, full=100)
def cox_of_few(rng):
    return regression(rng, churn.CoxModel(), 120, 18.0)


@study(MANY, short=1, full=40, extra="lifelines")
def aft_of_many(rng):
    return regression(rng, churn.AFTModel(), 200, 400.0)


@study(FEW, corner=True, short=1, full=40, extra="lifelines")
def aft_of_few(rng):
    return regression(rng, churn.AFTModel(), 120, 18.0)


def in_towns(rng, size, n_towns, seen):
    """Of members whose towns are left at tenures of their own: effects, and the check of them."""
    numbers, town = rng.normal(size=(size, 2)), rng.integers(0, n_towns, size)
    shape = np.linspace(0.6, 1.8, n_towns)[town]
    rate = np.exp(EFFECT * numbers.sum(axis=1))
    life = 200.0 * (rng.exponential(size=size) / rate) ** (1 / shape)
    limit = rng.exponential(seen, size)
    table = pd.DataFrame(numbers).add_prefix("number_").rename_axis("customer_id").reset_index()
    table = table.assign(town=town, tenure_days=np.minimum(life, limit), churned=life <= limit)
    try:
        model = churn.CoxModel(strata="town").fit(table)
    except ConvergenceError:  # too few left to tell anything
        return {"effects": np.full((1, 2), np.nan), "rejected": np.full((1, 1), np.nan)}
    found = model.parameters_
    return {
        "effects": rows(covered(found["conf_low"], found["conf_high"], EFFECT)),
        "rejected": rejected(model.proportionality_["p_value"].iloc[-1:])[None],
    }


@study("300 members of three towns, which are left at tenures of their own", short=6, full=400)
def cox_in_towns(rng):
    return in_towns(rng, 300, 3, 400.0)


@study("120 members of 20 towns, of whom one in three left", corner=True, short=6, full=2000)
def cox_in_many_towns(rng):
    return in_towns(rng, 120, 20, 100.0)


# Winning back: an offer made at random whose effect depends on one number.


@study(
    "1,500 lost customers; what the offer adds rises in a straight line",
    short=4, full=20,
)  # fmt: skip
def straight_effect(rng):
    return effects(rng, churn.WinBackModel(random_state=0), bent=False)


@study(
    "1,500 lost customers; the offer doubles small chances and adds little to large ones",
    corner=True, short=4, full=20,
)  # fmt: skip
def bent_effect(rng):
    return effects(rng, churn.WinBackModel(random_state=0), bent=True)


@study(
    "1,500 lost customers, of whom half were treated, to no effect; five numbers",
    short=20,
    full=200,
)
def no_reasons(rng):
    return reasons(rng, churn.WinBackModel(method="t"), n=1500, base=0.3, effect=0.0)


@study(
    "300 lost customers, of whom half were treated, to no effect; 10 % respond; five numbers",
    corner=True, short=10, full=60,
)  # fmt: skip
def no_reasons_of_few(rng):
    return reasons(rng, churn.WinBackModel(method="t"), n=300, base=0.1, effect=0.0)


@study(
    "1,500 lost customers; the effect rises from 0 to 25 points with the first of five numbers",
    short=10, full=60,
)  # fmt: skip
def a_reason(rng):
    return reasons(rng, churn.WinBackModel(method="t"), n=1500, base=0.3, effect=0.25)


EFFECTS, PREDICT = Target(churn.WinBackModel, "effects_"), Target(churn.WinBackModel, "predict")
SCORES = Target(churn.WinBackModel, "scores_")
COX, AFT = Target(churn.CoxModel, "parameters_"), Target(churn.AFTModel, "parameters_")
CHECK = Target(churn.CoxModel, "proportionality_")
HELD = (0.93, 0.97)

WHY = Target(churn.WinBackModel, "drivers_")

CASES = [
    Case(EFFECTS, "coverage", straight_effect, "average", 0.95, (0.93, 0.98)),
    Case(EFFECTS, "coverage", bent_effect, "average", 0.95, (0.93, 0.98)),
    Case(PREDICT, "coverage", straight_effect, "grid", 0.95, HELD),
    Case(PREDICT, "coverage", bent_effect, "grid", 0.95, HELD),
    Case(SCORES, "coverage", straight_effect, "scores", 0.95, HELD),
    Case(SCORES, "coverage", bent_effect, "scores", 0.95, HELD),
    Case(COX, "coverage", cox_of_many, "effects", 0.95, HELD),
    Case(COX, "coverage", cox_of_few, "effects", 0.95, HELD),
    Case(COX, "coverage", cox_in_towns, "effects", 0.95, HELD),
    Case(COX, "coverage", cox_in_many_towns, "effects", 0.95, HELD),
    Case(CHECK, "size", cox_in_towns, "rejected", 0.05, (0.04, 0.06)),
    Case(CHECK, "size", cox_in_many_towns, "rejected", 0.05, (0.03, 0.07)),
    Case(AFT, "coverage", aft_of_many, "effects", 0.95, HELD),
    Case(AFT, "coverage", aft_of_few, "effects", 0.95, HELD),
    Case(WHY, "size", no_reasons, "all", 0.05, (0.03, 0.07)),
    Case(WHY, "size", no_reasons_of_few, "all", 0.05, (0.02, 0.08)),
    Case(WHY, "power", a_reason, "first", 0.8, (0.6, 0.95)),
]
