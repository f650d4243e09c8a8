"""The cases of crmkit.segmentation."""

from __future__ import annotations

import numpy as np
import pandas as pd

from _suite import Case, Target, study
from cases import segmentation_potential, segmentation_tables
from crmkit import segmentation
from structures import counts_and_flags, five_unequal, groups, normal, square
from worlds import covered, grouped, money, once, rejected, rows


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


def judged(table, **options):
    """The quality of the segments of a table, by criterion."""
    people = table.drop(columns="group").assign(customer_id=lambda t: t["customer_id"].astype(str))
    names = [column for column in table if column.startswith("x")]
    found = segmentation.segment_quality(people, segments_of(people.assign(group=table["group"])),
                                         columns=names, **options)  # fmt: skip
    return found.set_index("criterion")


def missed(found, *criteria):
    """Whether rules are not passed."""
    return rows(~found.loc[list(criteria), "passed"].to_numpy(dtype=bool))


def numbers(rng, n, columns, *, tail=False):
    """Numbers that mean nothing, half of them with tails so heavy that they have no mean."""
    values = rng.normal(size=(n, columns))
    if tail:
        values[:, ::2] = rng.standard_cauchy((n, (columns + 1) // 2))
    return {f"x{i}": column for i, column in enumerate(values.T)}


def qualities(rng, sizes, sigma, columns, tail):
    """Verdicts on segments drawn at random, which earn nothing on average and mean nothing."""
    group = np.repeat(np.arange(len(sizes)), sizes)
    table = pd.DataFrame({"customer_id": range(len(group)), "group": group,
                          **numbers(rng, len(group), columns, tail=tail)})  # fmt: skip
    table["profit"] = money(rng, len(table), sigma) - 1
    table["later"] = money(rng, len(table), sigma)
    table["consent"] = np.where(rng.random(len(table)) < 0.6, "yes", "no")
    found = judged(table, value="profit", later_value="later", reachable="consent")
    profit, reach, apart = (found.loc[name] for name in ("profitable", "reachable", "distinct"))
    exist = found.loc[["homogeneous", "distinct", "eta_squared", "agreement", "later_value"]]
    return {
        "profit": rows(covered(profit["conf_low"], profit["conf_high"], 0.0)),
        "reach": rows(covered(reach["conf_low"], reach["conf_high"], 0.6)),
        "apart": rows(covered(apart["conf_low"], apart["conf_high"], 0.5)),
        "profitable": rows(profit["passed"]),
        "existing": rows(exist["passed"]),
    }


@study(
    "eight segments of 200 customers drawn at random, who earn nothing on average",
    short=10,
    full=200,
)
def random_segments(rng):
    return qualities(rng, [200] * 8, 0.5, 5, tail=False)


@study(
    "segments of 30 to 2,000 drawn at random, by twenty numbers, half of which have no mean; a "
    "tenth brings half the money",
    corner=True,
    short=6,
    full=150,
)
def random_small_segments(rng):
    return qualities(rng, [30] * 10 + [100, 300, 2000], 1.5, 20, tail=True)


def real_groups(rng, tail):
    """Verdicts on three groups five deviations apart in two of twenty numbers."""
    group = np.repeat(np.arange(3), 150)
    table = pd.DataFrame({"customer_id": range(450), "group": group,
                          **numbers(rng, 450, 20, tail=tail)})  # fmt: skip
    for column, held in (("x1", 1), ("x3", 2)):
        table[column] += 5.0 * (group == held)
    table["later"] = money(rng, 450, 0.5) * (1 + group)
    found = judged(table, later_value="later", previous=segments_of(table))
    drift = found.loc["drift"]
    return {
        "missed": missed(found, "homogeneous", "distinct", "eta_squared", "agreement",
                         "later_value"),
        "drift": rows(covered(drift["conf_low"], drift["conf_high"], 0.0)),
    }  # fmt: skip


@study("three groups of 150, five deviations apart in two of twenty numbers", short=10, full=200)
def groups_that_exist(rng):
    return real_groups(rng, tail=False)


@study(
    "three groups of 150, five deviations apart in two of twenty numbers, ten of which have no "
    "mean",
    corner=True,
    short=10,
    full=200,
)
def groups_among_tails(rng):
    return real_groups(rng, tail=True)


@study("a base of 1,000 in four segments, which a second sample of it is held against", short=14,
       full=600)  # fmt: skip
def two_samples(rng):
    share = np.array([0.4, 0.3, 0.2, 0.1])
    both = [rng.choice(4, size, p=share) for size in (1000, 700)]
    table = pd.DataFrame({"customer_id": range(1000), "group": both[0],
                          **numbers(rng, 1000, 1), "profit": money(rng, 1000, 0.5)})  # fmt: skip
    before = pd.DataFrame({"customer_id": range(700), "segment": both[1].astype(str)})
    found = judged(table, value="profit", previous=before)
    drift, size, worth = (found.loc[name] for name in ("drift", "size", "share_of_value"))
    return {
        "drift": rows(covered(drift["conf_low"], drift["conf_high"], 0.0)),
        "size": rows(covered(size["conf_low"], size["conf_high"], 1000 * share)),
        "value": rows(covered(worth["conf_low"], worth["conf_high"], share)),
    }


# Groups that are there, and groups that are not.


def chosen(rng, make):
    """What is chosen of a base whose groups are known."""
    numbers, kind = make(rng)
    table = pd.DataFrame(numbers).add_prefix("x")
    table.insert(0, "customer_id", range(len(table)))
    picked = segmentation.BehaviourSegments(random_state=0, n_resamples=3).fit(table).selection_
    number = int(picked.loc[picked["chosen"], "n_segments"].iloc[0])
    divided = picked["p_value"].iloc[1 : len(set(kind))]
    return {
        "wrong": once(number != len(set(kind))),
        "found": once(picked["accepted"].any()),
        "divided": rows(rejected(divided)) if len(divided) else None,
        "first": once(picked["p_value"].iloc[1] < 0.05),
    }


@study("900 customers in three groups four deviations apart, and a number that means nothing",
       short=1, full=60)  # fmt: skip
def three_groups(rng):
    return chosen(rng, lambda r: groups(r, [[0, 0], [4, 0], [0, 4]], [300] * 3, noise=1))


@study("1,680 customers in five groups of 80 to 800, and two numbers that mean nothing",
       corner=True, short=1, full=50)  # fmt: skip
def unequal_groups(rng):
    return chosen(rng, five_unequal)


def one_group(rng, make):
    return {name: flag for name, flag in chosen(rng, make).items() if flag is not None}


@study("1,000 customers of one kind, two numbers correlated .6", short=2, full=100)
def normal_crowd(rng):
    return one_group(rng, normal)


@study("1,000 customers spread evenly over a square", corner=True, short=2, full=100)
def even_crowd(rng):
    return one_group(rng, square)


@study("1,500 customers of one kind, three counts and two flags", corner=True, short=1, full=80)
def counted_crowd(rng):
    return one_group(rng, counts_and_flags)


def comes_back(rng, n, n_bands, correlation):
    """Limits of the overlap of bands with those of other samples; 300 draws stand for the truth."""
    table = pd.DataFrame(normal(rng, n, 2, correlation)[0]).add_prefix("x")
    table.insert(0, "customer_id", range(n))
    options = {"n_bands": n_bands, "max_segments": 2, "min_share": 0.45}
    few, many = (
        segmentation.BehaviourSegments(**options, n_resamples=draws, random_state=int(seed))
        .fit(table)
        .stability_
        for draws, seed in zip((20, 300), rng.integers(0, 10**6, 2), strict=True)
    )
    return {"overlap": rows(covered(few["conf_low"], few["conf_high"], many["jaccard"]))}


@study("bands of 500 customers of one kind, two numbers correlated .8", short=8, full=50)
def clear_bands(rng):
    return comes_back(rng, 500, 4, 0.8)


@study("five bands of 60 customers whose two numbers have nothing to do with each other",
       corner=True, short=8, full=60)  # fmt: skip
def vague_bands(rng):
    return comes_back(rng, 60, 5, 0.0)


PROFILE, QUALITY = Target(segmentation.segment_profile), Target(segmentation.segment_quality)
SELECTION = Target(segmentation.BehaviourSegments, "selection_")
STABILITY = Target(segmentation.BehaviourSegments, "stability_")
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
    Case(QUALITY, "coverage", random_segments, "apart", 0.95, (0.93, 1.0)),
    Case(QUALITY, "verdict", random_segments, "profitable", 0.025, (0.0, 0.04)),
    Case(QUALITY, "verdict", random_segments, "existing", 0.0, (0.0, 0.05)),
    Case(
        QUALITY,
        "coverage",
        random_small_segments,
        "profit",
        0.95,
        (0.74, 0.84),
        "does not hold: covers .8 of means of 30 amounts with heavy tails",
        "of segments of 30, intervals of 95 % hold 78 %",
    ),
    Case(QUALITY, "coverage", random_small_segments, "apart", 0.95, (0.93, 1.0)),
    Case(QUALITY, "verdict", random_small_segments, "existing", 0.0, (0.0, 0.05)),
    Case(QUALITY, "verdict", groups_that_exist, "missed", 0.0, (0.0, 0.05)),
    Case(QUALITY, "verdict", groups_among_tails, "missed", 0.0, (0.0, 0.05)),
    Case(QUALITY, "coverage", two_samples, "drift", 0.95, (0.93, 0.99)),
    Case(QUALITY, "coverage", two_samples, "size", 0.95, HELD),
    Case(QUALITY, "coverage", two_samples, "value", 0.95, HELD),
    Case(STABILITY, "coverage", clear_bands, "overlap", 0.95, (0.91, 0.97)),
    Case(STABILITY, "coverage", vague_bands, "overlap", 0.95, (0.91, 0.97)),
    Case(SELECTION, "verdict", three_groups, "wrong", 0.0, (0.0, 0.06)),
    Case(SELECTION, "power", three_groups, "divided", 0.8, (0.8, 1.0)),
    Case(SELECTION, "verdict", unequal_groups, "wrong", 0.0, (0.0, 0.06)),
    *(
        Case(SELECTION, promise, crowd, measure, 0.05, (0.0, 0.05))
        for crowd in (normal_crowd, even_crowd, counted_crowd)
        for promise, measure in (("size", "first"), ("verdict", "found"))
    ),
    *segmentation_potential.CASES,
    *segmentation_tables.CASES,
]
