"""The cases of crmkit.segmentation."""

from __future__ import annotations

import numpy as np
import pandas as pd

from _suite import Case, Target, study
from crmkit import segmentation
from worlds import covered, grouped, money, once, rows


def segments_of(table):
    return table[["customer_id", "group"]].rename(columns={"group": "segment"}).astype(str)


# Profiles of segments whose customers are alike.


def profiles(rng, size, sigma, share):
    table = grouped(20, size).assign(customer_id=lambda t: t["customer_id"].astype(str))
    table["spend"] = money(rng, len(table), sigma)
    table["channel"] = np.where(rng.random(len(table)) < share, "web", "shop")
    found = segmentation.segment_profile(table, segments_of(table), columns=["spend", "channel"])
    means, web = found[found["level"] == "mean"], found[found["level"] == "web"]
    return {
        "means": rows(covered(means["conf_low"], means["conf_high"], 1.0)),
        "shares": rows(covered(web["conf_low"], web["conf_high"], share)),
    }


@study(
    "segments of 200 customers, who spend much alike; a third buys in the web", short=15, full=300
)
def large_segments(rng):
    return profiles(rng, 200, 0.5, 0.33)


@study(
    "segments of 15 customers, a tenth of whom bring half the money; one in twenty buys in the web",
    corner=True,
    short=15,
    full=300,
)
def small_segments(rng):
    return profiles(rng, 15, 1.5, 0.05)


# Quality.


def qualities(rng, n_segments, size, sigma, worth, columns):
    """Verdicts on segments drawn at random, which earn `worth` on average and mean nothing."""
    table = grouped(n_segments, size).assign(customer_id=lambda t: t["customer_id"].astype(str))
    names = [f"x{i}" for i in range(columns)]
    table = pd.concat(
        [table, pd.DataFrame(rng.normal(size=(len(table), columns)), columns=names)], axis=1
    )
    table["profit"] = money(rng, len(table), sigma) - 1 + worth
    table["consent"] = (rng.random(len(table)) < 0.6).astype(int)
    found = segmentation.segment_quality(
        table.drop(columns="group"), segments_of(table), columns=names,
        value="profit", reachable="consent",
    ).set_index("criterion")  # fmt: skip
    profit, reach = found.loc["profitable"], found.loc["reachable"]
    return {
        "profit": rows(covered(profit["conf_low"], profit["conf_high"], worth)),
        "reach": rows(covered(reach["conf_low"], reach["conf_high"], 0.6)),
        "profitable": rows(profit["passed"]),
        "distinct": rows(found.loc["distinct", "passed"]),
        "homogeneous": rows(found.loc["homogeneous", "passed"]),
    }


@study(
    "eight segments of 200 customers drawn at random, who earn nothing on average",
    short=30,
    full=400,
)
def random_segments(rng):
    return qualities(rng, 8, 200, 0.5, 0.0, 5)


@study(
    "segments of 30 drawn at random, described by ten numbers; a tenth brings half the money",
    corner=True,
    short=15,
    full=200,
)
def random_small_segments(rng):
    return qualities(rng, 20, 30, 1.5, 0.0, 10)


# Groups that are there, and groups that are not.


def chosen(rng, centres, noise, n=400):
    """How many segments are chosen where there are as many as centres."""
    place = rng.integers(0, len(centres), n)
    table = pd.DataFrame(np.asarray(centres)[place] + rng.normal(size=(n, 2)), columns=["a", "b"])
    for column in range(noise):
        table[f"noise_{column}"] = rng.normal(size=n)
    model = segmentation.BehaviourSegments(random_state=0, max_segments=6, n_draws=5)
    table.insert(0, "customer_id", range(n))
    picked = model.fit(table).selection_
    number = int(picked.loc[picked["chosen"], "n_segments"].iloc[0])
    return {
        "wrong": once(number != len(centres)),
        "found": once(picked["accepted"].any()),
    }


@study("400 customers in three groups six deviations apart", short=8, full=100)
def three_groups(rng):
    return chosen(rng, [[0, 0], [6, 0], [0, 6]], 0)


@study(
    "400 customers in three groups six deviations apart, and a number that means nothing",
    corner=True,
    short=8,
    full=80,
)
def three_groups_and_noise(rng):
    return chosen(rng, [[0, 0], [6, 0], [0, 6]], 1)


@study("400 customers of one kind", corner=True, short=8, full=100)
def one_group(rng):
    return chosen(rng, [[0, 0]], 0)


PROFILE, QUALITY = Target(segmentation.segment_profile), Target(segmentation.segment_quality)
SELECTION = Target(segmentation.BehaviourSegments, "selection_")
HELD = (0.93, 0.97)

CASES = [
    Case(PROFILE, "coverage", large_segments, "means", 0.95, HELD),
    Case(PROFILE, "coverage", large_segments, "shares", 0.95, HELD),
    Case(
        PROFILE,
        "coverage",
        small_segments,
        "means",
        0.95,
        (0.7, 0.78),
        "does not hold: covers .74 of means of 15 amounts with heavy tails",
        "intervals of 95 % hold 74 %",
    ),
    Case(PROFILE, "coverage", small_segments, "shares", 0.95, (0.93, 0.98)),
    Case(QUALITY, "coverage", random_segments, "profit", 0.95, HELD),
    Case(QUALITY, "coverage", random_segments, "reach", 0.95, HELD),
    Case(QUALITY, "verdict", random_segments, "profitable", 0.025, (0.0, 0.04)),
    Case(QUALITY, "verdict", random_segments, "distinct", 0.0, (0.0, 0.05)),
    Case(QUALITY, "verdict", random_segments, "homogeneous", 0.0, (0.0, 0.05)),
    Case(
        QUALITY,
        "coverage",
        random_small_segments,
        "profit",
        0.95,
        (0.74, 0.82),
        "does not hold: covers .78 of means of 30 amounts with heavy tails",
        "of these 30, intervals of 95 % hold 78 %",
    ),
    Case(
        QUALITY,
        "verdict",
        random_small_segments,
        "distinct",
        0.0,
        (0.97, 1.0),
        "does not hold: random segments pass as distinct",
        "described by ten numbers, all pass",
    ),
    Case(
        QUALITY,
        "verdict",
        random_small_segments,
        "homogeneous",
        0.0,
        (0.05, 0.11),
        "does not hold: .08 of random segments pass as homogeneous",
        "8 % pass as ``homogeneous``",
    ),
    Case(SELECTION, "verdict", three_groups, "wrong", 0.0, (0.0, 0.06)),
    Case(
        SELECTION,
        "verdict",
        three_groups_and_noise,
        "wrong",
        0.0,
        (0.35, 0.75),
        "does not hold: chooses another number than three in half of all bases",
        "one number that means nothing makes more than three of three",
    ),
    Case(
        SELECTION,
        "verdict",
        one_group,
        "found",
        0.0,
        (0.35, 0.75),
        "does not hold: divides six in ten bases of one kind into accepted segments",
        "customers of one kind are divided into accepted",
    ),
]
