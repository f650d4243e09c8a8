"""Spend with returns, first purchases and a heavy tail."""

from __future__ import annotations

import numpy as np
import pandas as pd

from _suite import Case, Study, Target
from cases.clv_models import HELD, NEARLY, apart, not_held
from crmkit import clv
from worlds import covered, rows

# Everything returned, a middling customer, and one of the best.
JUDGED = pd.DataFrame(
    {
        "customer_id": range(3), "frequency": [3, 2, 9], "monetary_value": [0.0, 40.0, 20.0],
        "first_amount": [0.0, 35.0, 25.0], "kept_purchases": [0, 3, 8],
        "log_amount_mean": [0.0, 3.6, 3.1], "log_amount_std": [0.0, 0.5, 0.6],
    }
)  # fmt: skip
MODELS = {
    clv.GammaGamma: [4.0, 3.5, 25.0, 4.0, 0.8],
    clv.LognormalSpend: [20.0, 0.4, 2.25, 4.0, 0.8],
}


def true_model(kind):
    """A model with true parameters, fitted to nothing."""
    model = kind()
    model.coefficients_, model.returns_ = np.log(MODELS[kind]), True
    return model


def flags_of(kind, n_customers, rng):
    """What is held after one fit: by parameters, by expectations, and by chances to stay."""
    true = true_model(kind)
    often = rng.geometric(0.3, n_customers) - 1
    start = pd.DataFrame({"customer_id": range(n_customers), "frequency": often})
    model = kind().fit(true.simulate(start, random_state=int(rng.integers(2**31))))
    table, narrow = model.parameters_, model.parameter_table(confidence_level=0.8)
    found, known = model.predict(JUDGED, interval="delta"), true.predict(JUDGED)
    truth = MODELS[kind][: len(table)]  # without the chances to stay, where nothing was returned
    flags = {
        name: np.full(5, np.nan) for name in ("parameters", "level_80", "expectations", "stays")
    }
    flags["parameters"][: len(table)] = covered(table["conf_low"], table["conf_high"], truth)
    flags["level_80"][: len(table)] = covered(narrow["conf_low"], narrow["conf_high"], truth)
    flags["expectations"][:3] = covered(
        found["conf_low"], found["conf_high"], known["expected_amount"]
    )
    if model.returns_:
        rates = model.return_table(JUDGED)
        flags["stays"][:3] = covered(rates["conf_low"], rates["conf_high"], known["p_kept"])
    return flags, model.boundary_ is not None


def many(kind, short, full):
    """A study of a base of 800 customers."""

    def simulate(rng):
        flags, _ = flags_of(kind, 800, rng)
        return {name: rows(held) for name, held in flags.items()}

    simulate.__qualname__ = simulate.__name__ = f"{kind.__name__}_with_returns_of_many"
    return Study(simulate, "800 customers who return a sixth", False, short, full, "")


def few(kind, short, full):
    """A study of bases of 40 customers, four at a time."""

    def simulate(rng):
        found = [flags_of(kind, 40, rng) for _ in range(4)]
        held = {name: np.stack([flags[name] for flags, _ in found]) for name in found[0][0]}
        return apart(held, np.array([at for _, at in found]))

    simulate.__qualname__ = simulate.__name__ = f"{kind.__name__}_with_returns_of_few"
    return Study(simulate, "40 customers who return a sixth", True, short, full, "")


# What holds at a boundary: of parameters at 95 and at 80 %, of expectations, of chances to stay.
AT_A_BOUNDARY = {
    clv.GammaGamma: (0.52, 0.45, 0.69, 0.79),
    clv.LognormalSpend: (0.57, 0.49, 0.8, 0.46),
}


def cases_of(kind):
    """The cases of a model, in a base of many and in one of few customers."""
    big, small, limit = many(kind, 4, 300), few(kind, 12, 100), "at a boundary"
    wide, narrow, expectations, stays = AT_A_BOUNDARY[kind]
    estimates, levels = Target(kind, "parameters_"), Target(kind, "parameter_table")
    predict, returned = Target(kind, "predict"), Target(kind, "return_table")
    at = "at_a_boundary"
    return [
        Case(estimates, "coverage", big, "parameters", 0.95, HELD),
        Case(estimates, "coverage", small, "parameters_inside", 0.95, NEARLY),
        Case(estimates, "coverage", small, f"parameters_{at}", 0.95,
             *not_held(wide, limit, "names a limit, 0 to 59 % of them hold")),
        Case(levels, "coverage", big, "level_80", 0.8, (0.77, 0.87)),
        Case(levels, "coverage", small, "level_80_inside", 0.8, (0.77, 0.93)),
        Case(levels, "coverage", small, f"level_80_{at}", 0.8,
             *not_held(narrow, limit, "0 to 49 % of those of 80 %")),
        Case(predict, "coverage", big, "expectations", 0.95, HELD),
        Case(predict, "coverage", small, "expectations_inside", 0.95, NEARLY),
        Case(predict, "coverage", small, f"expectations_{at}", 0.95,
             *not_held(expectations, limit, "At a boundary (``boundary_``) 64 to 80 %")),
        Case(returned, "coverage", big, "stays", 0.95, HELD),
        Case(returned, "coverage", small, "stays_inside", 0.95, NEARLY),
        Case(returned, "coverage", small, f"stays_{at}", 0.95,
             *not_held(stays, limit, "At a boundary (``boundary_``) 46 to 79 %")),
    ]  # fmt: skip


CASES = [case for kind in MODELS for case in cases_of(kind)]
