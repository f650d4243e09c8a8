"""Which columns learners call a likely leak: shared by churn and response."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd

from _suite import Case, Study, Target
from crmkit.errors import LeakWarning
from worlds import START, once, rows


def customers(rng, n, outcome):
    """Honest columns of every kind, of which some tell much of the outcome."""
    words = np.array(["web", "shop", "fair"])
    days = START + pd.to_timedelta(rng.integers(0, 300, n), unit="D")
    return pd.DataFrame(
        {
            "customer_id": range(n),
            "outcome": outcome,
            "tenure_days": rng.integers(1, 900, n),
            "arm": rng.integers(0, 2, n),
            "tells_much": rng.normal(size=n) + 2.0 * outcome,
            "spend": rng.lognormal(3 - 0.5 * outcome, 1),
            "visits": rng.poisson(3 - outcome),
            "channel": words[
                np.minimum(rng.integers(0, 3, n) + outcome * rng.integers(0, 2, n), 2)
            ],
            "town": rng.choice(list("abcdefgh"), n),
            "rating": np.where(rng.random(n) < 0.6, np.nan, rng.integers(1, 6, n)),
            "joined": pd.Series(days).where(rng.random(n) < 0.7),
        }
    )


def named(learn, table):
    """Which columns are called a likely leak."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LeakWarning)
        columns = learn(table)
    return columns.set_index("column")["likely_leak"]


def study_of(name, learn, *, used, extra, corner):
    """A study of a learner, which returns its table of columns."""

    def leaks(rng):
        outcome = (rng.random(500) < 0.3).astype(int)
        table = customers(rng, 500, outcome)
        honest = table.columns[2:]
        table["reason"] = np.where(outcome, "moved", "none")
        table["score_of_later"] = outcome + rng.normal(0, 0.25, 500)
        table["closed"] = table["joined"].where(outcome == 1)
        told = named(learn, table.drop(columns=unused))
        of_leaks = told.index.difference(honest)
        return {
            "leaks_named": rows(told[of_leaks]),
            "honest_columns_named": rows(told.drop(of_leaks)),
        }

    def recency(rng):
        lost = rng.random(500) < 0.7
        outcome = (rng.random(500) < np.where(lost, 0.998, 0.01)).astype(int)
        table = customers(rng, 500, outcome)
        since = np.where(lost, 90 + rng.exponential(300, 500), rng.exponential(12, 500))
        table["recency_days"] = since
        told = named(learn, table.drop(columns=unused))
        return {
            "recency_named": once(told["recency_days"]),
            "honest_columns_named": rows(told.drop("recency_days")),
        }

    unused = [column for column in ("tenure_days", "arm") if column not in used]
    simulate = recency if corner else leaks
    simulate.__name__ = simulate.__qualname__ = f"{simulate.__name__}_for_{name}"
    scenario = (
        "500 customers of whom seven in ten were lost long ago; recency tells honestly who leaves"
        if corner
        else "500 customers, eight honest columns, three of which tell, and three that are leaks"
    )
    return Study(simulate, scenario, corner, 1, 25, extra)


NAMED = (
    "does not hold: names recency that tells so well honestly",
    "an honest column of such an area is named too",
)


def cases(owner, learn, *, member="columns_", used=(), extra=""):
    """The cases of a learner's table of columns."""
    target, name = Target(owner, member), f"{owner.__name__}_{member.rstrip('_')}"
    options = {"used": used, "extra": extra}
    plain, hard = (study_of(name, learn, corner=corner, **options) for corner in (False, True))
    few = (0.0, 0.01)
    return [
        Case(target, "power", plain, "leaks_named", 1.0, (0.97, 1.0)),
        Case(target, "verdict", plain, "honest_columns_named", 0.0, few),
        Case(target, "verdict", hard, "honest_columns_named", 0.0, few),
        Case(target, "verdict", hard, "recency_named", 0.0, (0.88, 1.0), *NAMED),
    ]
