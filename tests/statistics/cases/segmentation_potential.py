"""The cases of whether potential foretells growth."""

from __future__ import annotations

import numpy as np
import pandas as pd

from _suite import Case, Target, study
from crmkit import segmentation
from worlds import START, covered, once

BEFORE, AFTER = 200, 90  # days


def dated(days):
    return START + pd.to_timedelta(days, unit="D")


def judged(rng, size, effect, buys, spread, shape):
    """What the backtest says of a potential of our own: truth by construction.

    Each customer has one purchase before the day, and comes back with chance `buys`; `shape` makes
    potential of the logarithm of the first purchase, and `effect` is what it adds to the next.
    """
    first = rng.normal(0, spread, size)
    potential = shape(first) + rng.normal(size=size)
    next_one = 0.7 * first + effect * (potential - shape(first)) + rng.normal(0, spread, size)
    back = rng.random(size) < buys
    ids = np.arange(size)
    log = pd.DataFrame(
        {
            "customer_id": np.append(ids, ids[back]),
            "date": dated(
                np.append(
                    rng.integers(0, BEFORE, size), BEFORE + 1 + rng.integers(0, AFTER, back.sum())
                )
            ),
            "amount": np.exp(np.append(first, next_one[back])),
        }
    )
    log.loc[len(log)] = [size, dated(BEFORE + AFTER), 1.0]  # the log ends when the horizon does
    table = segmentation.potential_backtest(
        log,
        methods=[],
        potentials=pd.DataFrame({"customer_id": ids, "potential": potential}),
        as_of=dated(BEFORE),
    )
    return table.iloc[0]


def flags(row, truth):
    return {
        "estimate": once(covered(row["conf_low"], row["conf_high"], truth)),
        "gain": once(covered(row["top_gain_low"], row["top_gain_high"], 0.0)),
        "yes": once(row["verdict"].startswith("yes")),
    }


@study(
    "500 customers, six in ten of whom come back; potential has nothing to do with that",
    short=30,
    full=1000,
)
def nothing_told(rng):
    return flags(judged(rng, 500, 0.0, 0.6, 0.7, lambda first: 0.5 * first), 0.0)


@study(
    "150 customers, of whom one in five comes back and a tenth bring half the money; potential is "
    "a bent line of current value, and noise",
    corner=True,
    short=30,
    full=1000,
)
def mirror(rng):
    return flags(judged(rng, 150, 0.0, 0.2, 1.5, lambda first: 3 * np.maximum(1 - first, 0)), 0.0)


@study("500 customers, of whom those with more potential spend more", short=30, full=600)
def something_told(rng):
    return flags(judged(rng, 500, 0.35, 0.6, 0.7, lambda first: 0.5 * first), 0.14)


@study(
    "400 customers who are all alike: nobody's history says anything about what comes",
    corner=True,
    short=12,
    full=200,
)
def all_alike(rng):
    log = pd.DataFrame({"customer_id": rng.integers(0, 400, 2400)})
    log["date"] = dated(rng.integers(0, 360, 2400))
    log["amount"] = np.exp(rng.normal(3, 0.7, 2400))
    log["product"] = rng.integers(0, 12, 2400)
    table = segmentation.potential_backtest(log, as_of=dated(240))
    said = table[table["method"] != "recency"]["verdict"].str.startswith("yes")
    return {"yes": said.to_numpy(dtype=float).reshape(1, -1)}


BACKTEST = Target(segmentation.potential_backtest)
HELD = (0.93, 0.97)

CASES = [
    Case(BACKTEST, "coverage", nothing_told, "estimate", 0.95, HELD),
    Case(BACKTEST, "coverage", nothing_told, "gain", 0.95, HELD),
    Case(BACKTEST, "verdict", nothing_told, "yes", 0.025, (0.0, 0.04)),
    Case(BACKTEST, "coverage", mirror, "estimate", 0.95, (0.92, 0.97)),
    Case(BACKTEST, "coverage", mirror, "gain", 0.95, (0.93, 1.0)),
    Case(BACKTEST, "verdict", mirror, "yes", 0.025, (0.0, 0.04)),
    Case(BACKTEST, "coverage", something_told, "estimate", 0.95, HELD),
    Case(BACKTEST, "power", something_told, "yes", 0.8, (0.75, 1.0)),
    Case(BACKTEST, "verdict", all_alike, "yes", 0.025, (0.0, 0.05)),
]
