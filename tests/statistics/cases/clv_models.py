"""Parameters and expectations of the models of purchases and of spend, on data of their own."""

from __future__ import annotations

import numpy as np
import pandas as pd

from _suite import Case, Study, Target
from crmkit import clv
from worlds import covered, rows

# The customers whose expectation is judged: new, middling, and one of the best.
HISTORY = {"frequency": [0, 3, 12], "recency": [0.0, 100.0, 290.0], "T": [300.0] * 3}
DONORS = {"frequency": [0, 2, 6], "recency": [0, 4, 6], "periods": [6] * 3}
MEMBERS = {"periods": [0, 2, 6], "churned": [False] * 3}
SPENDERS = {"frequency": [0, 2, 9], "monetary_value": [0.0, 40.0, 20.0]}
YEARS = {"period_days": 365}
LENGTHS = {
    "T": lambda n: np.linspace(100.0, 400.0, n),
    "periods": lambda n: 4 + np.arange(n) % 6,
    "frequency": lambda n: np.arange(n) % 8,
}

# Model, options, true parameters, customers judged, how long a history is, how many bases of 800
# and of 40 customers are drawn, in short and in full.
MODELS = [
    (clv.BGNBD, {}, [0.8, 30.0, 0.9, 2.5], HISTORY, "T", 4, 3, 100, 70),
    (clv.MBGNBD, {}, [0.8, 30.0, 0.9, 2.5], HISTORY, "T", 4, 2, 100, 70),
    (clv.ParetoNBD, {}, [0.8, 30.0, 0.9, 100.0], HISTORY, "T", 3, 2, 100, 70),
    (clv.GGomNBD, {}, [0.8, 30.0, 0.02, 0.9, 20.0], HISTORY, "T", 2, 2, 100, 70),
    (clv.BGCNBD, {"k": 2}, [1.2, 20.0, 0.9, 2.5], HISTORY, "T", 4, 2, 100, 70),
    (clv.MBGCNBD, {"k": 2}, [1.2, 20.0, 0.9, 2.5], HISTORY, "T", 4, 3, 100, 70),
    (clv.BGBB, YEARS, [1.2, 0.8, 0.7, 3.0], DONORS, "periods", 4, 2, 100, 70),
    (clv.ShiftedBetaGeometric, YEARS, [0.8, 4.0], MEMBERS, "periods", 8, 3, 300, 150),
    (clv.BetaDiscreteWeibull, YEARS, [0.8, 4.0, 1.3], MEMBERS, "periods", 6, 2, 300, 70),
    (
        clv.GammaGamma,
        {"first_purchase": False},
        [4.0, 3.5, 25.0],
        SPENDERS,
        "frequency",
        10,
        2,
        300,
        70,
    ),
]
# What holds at a boundary: of parameters at 95 and at 80 %, and of expectations.
AT_A_BOUNDARY = {
    clv.BGNBD: (0.47, 0.38, 0.59),
    clv.MBGNBD: (0.47, 0.4, 0.6),
    clv.ParetoNBD: (0.49, 0.44, 0.61),
    clv.GGomNBD: (0.5, 0.39, 0.89),
    clv.BGCNBD: (0.48, 0.41, 0.6),
    clv.MBGCNBD: (0.43, 0.32, 0.49),
    clv.BGBB: (0.4, 0.32, 0.86),
    clv.ShiftedBetaGeometric: (0.0, 0.0, 0.67),
    clv.BetaDiscreteWeibull: (0.18, 0.08, 0.9),
    clv.GammaGamma: (0.28, 0.22, 0.64),
}


def known(kind, options, truth):
    """A model with true parameters, fitted to nothing."""
    model = kind(**options)
    model.coefficients_ = np.log(truth)
    if "k" in options:
        model.k_ = options["k"]
    return model


def flags_of(kind, options, truth, judged, length, n_customers, rng):
    """What is held after one fit: by parameters at two levels, and by expectations."""
    true = known(kind, options, truth)
    start = pd.DataFrame({"customer_id": range(n_customers), length: LENGTHS[length](n_customers)})
    model = kind(**options).fit(true.simulate(start, random_state=int(rng.integers(2**31))))
    table, narrow = model.parameters_, model.parameter_table(confidence_level=0.8)
    judged = pd.DataFrame({"customer_id": range(3), **judged})
    value = "expected_amount" if kind is clv.GammaGamma else "expected_purchases"
    found = model.predict(judged, interval="delta")
    held = covered(found["conf_low"], found["conf_high"], true.predict(judged)[value])
    flags = {
        "parameters": covered(table["conf_low"], table["conf_high"], truth),
        "level_80": covered(narrow["conf_low"], narrow["conf_high"], truth),
        "expectations": held,
    }
    return flags, model.boundary_ is not None


def apart(held, at_a_boundary):
    """Flags of bases by name, apart by whether the estimate of a base lies at a boundary."""
    flags = {}
    for place, there in (("inside", ~at_a_boundary), ("at_a_boundary", at_a_boundary)):
        for name, each in held.items():
            of_bases = np.asarray(each, dtype=float).reshape(len(there), -1)
            flags[f"{name}_{place}"] = np.where(there[:, None], of_bases, np.nan)
    return flags


def many(given, short, full):
    """A study of a base of 800 customers."""

    def simulate(rng):
        flags, _ = flags_of(*given, 800, rng)
        return {name: rows(held) for name, held in flags.items()}

    simulate.__qualname__ = simulate.__name__ = f"{given[0].__name__}_of_many"
    return Study(simulate, "800 customers drawn from the model", False, short, full, "")


def few(given, short, full):
    """A study of bases of 40 customers, four at a time, for few of them are at a boundary."""

    def simulate(rng):
        found = [flags_of(*given, 40, rng) for _ in range(4)]
        held = {name: np.stack([flags[name] for flags, _ in found]) for name in found[0][0]}
        return apart(held, np.array([at for _, at in found]))

    simulate.__qualname__ = simulate.__name__ = f"{given[0].__name__}_of_few"
    return Study(simulate, "40 customers drawn from the model", True, short, full, "")


HELD, NEARLY = (0.93, 0.97), (0.92, 1.0)


def not_held(figure, where, told):
    """A band around what is held instead, and what is said of it."""
    band = (max(figure - 0.045, 0.0), figure + 0.045)
    return band, f"does not hold: covers {figure:.2f} {where}", told


def cases_of(kind, big, small):
    """The cases of a model, in a base of many and in one of few customers."""
    estimates, levels = Target(kind, "parameters_"), Target(kind, "parameter_table")
    predict, limit = Target(kind, "predict"), "at a boundary"
    wide, narrow, expectations = AT_A_BOUNDARY[kind]
    told = "At a boundary (``boundary_``) 49 to 90 %"
    if kind is clv.GammaGamma:
        told = "At a boundary (``boundary_``) 64 to 80 %"
    return [
        Case(estimates, "coverage", big, "parameters", 0.95, HELD),
        Case(estimates, "coverage", small, "parameters_inside", 0.95, NEARLY),
        Case(
            estimates, "coverage", small, "parameters_at_a_boundary", 0.95,
            *not_held(wide, limit, "names a limit, 0 to 59 % of them hold"),
        ),
        Case(levels, "coverage", big, "level_80", 0.8, (0.77, 0.87)),
        Case(levels, "coverage", small, "level_80_inside", 0.8, (0.77, 0.93)),
        Case(
            levels, "coverage", small, "level_80_at_a_boundary", 0.8,
            *not_held(narrow, limit, "0 to 49 % of those of 80 %"),
        ),
        Case(predict, "coverage", big, "expectations", 0.95, HELD),
        Case(predict, "coverage", small, "expectations_inside", 0.95, (0.9, 0.98)),
        Case(
            predict, "coverage", small, "expectations_at_a_boundary", 0.95,
            *not_held(expectations, limit, told),
        ),
    ]  # fmt: skip


CASES = [
    case
    for *given, short, short_few, full, full_few in MODELS
    for case in cases_of(given[0], many(given, short, full), few(given, short_few, full_few))
]
