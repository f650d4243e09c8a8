"""Who leaves and who comes: profiles of both, and key moments."""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.dummy import DummyClassifier

from _suite import Case, Target, study
from crmkit import churn
from worlds import START, covered, log_of, money, once, rejected, rows

TRAITS = 8


def profile(rng, n_customers, n_snapshots, loyalty, effect=0.0):
    """A profile of eight traits of three levels; the first raises the chance to leave.

    Customers differ in their chance to leave, and keep it from one snapshot to the next; the
    larger `loyalty`, the less.
    """
    chance = rng.beta(0.3 * loyalty, 0.7 * loyalty, n_customers)
    levels = rng.integers(0, 3, (n_customers, TRAITS))
    chance = chance * (1 - effect) + effect * (levels[:, 0] == 0)
    who = np.repeat(np.arange(n_customers), n_snapshots)
    table = pd.DataFrame(np.array(["a", "b", "c"])[levels[who]]).add_prefix("trait_")
    table.insert(0, "customer_id", who)
    if n_snapshots > 1:
        month = np.tile(np.arange(n_snapshots), n_customers)
        table["as_of"] = pd.date_range(START, periods=n_snapshots, freq="MS")[month]
    table["churned"] = rng.random(len(who)) < chance[who]
    return churn.retention_profile(table, estimator=DummyClassifier())  # importance is not judged


def profile_flags(rng, n_customers, n_snapshots, loyalty):
    table = profile(rng, n_customers, n_snapshots, loyalty)
    return {
        "rates": rows(covered(table["conf_low"], table["conf_high"], 0.3)),
        "tests": rows(rejected(table["p_value"])),
        "found": once((table["p_adjusted"] < 0.05).any()),
        "told": once((table["direction"] != "as all").any()),
    }


@study("2,000 customers described once by eight traits that mean nothing", short=8, full=80)
def described_once(rng):
    return profile_flags(rng, 2000, 1, 1.0)


@study(
    "400 customers described six times by eight traits that mean nothing", corner=True,
    short=6, full=60,
)  # fmt: skip
def described_six_times(rng):
    return profile_flags(rng, 400, 6, 1.0)


@study(
    "2,000 customers; who has one level of a trait leaves with .37 instead of .30",
    short=10,
    full=120,
)
def a_trait_that_tells(rng):
    table = profile(rng, 2000, 1, 1.0, effect=0.085)
    row = table[(table["variable"] == "trait_0") & (table["level"] == "a")].iloc[0]
    return {"found": once(row["p_adjusted"] < 0.05)}


# Acquisition: each channel brings customers of whom 30 % buy once more, a season later.

CHANNELS, WINDOW = 40, 180


def channels(rng, size, sigma, rates=0.3):
    """The profile of forty channels that bring `size` customers each."""
    n = CHANNELS * size
    channel = np.arange(n) // size
    came = rng.integers(0, 60, n)
    again = rng.random(n) < np.broadcast_to(rates, CHANNELS)[channel]
    who = np.r_[np.arange(n), np.flatnonzero(again)]
    day = np.r_[came, (came + rng.integers(100, WINDOW, n))[again]]
    log = pd.DataFrame({"customer_id": who, "date": START + pd.to_timedelta(day, unit="D")})
    log["amount"] = money(rng, len(log), sigma)
    customers = pd.DataFrame({"customer_id": np.arange(n), "channel": channel.astype(str)})
    table = churn.acquisition_profile(
        log, customers=customers, by="channel", window_days=WINDOW, max_levels=CHANNELS,
        as_of=START + pd.Timedelta(days=300),
    )  # fmt: skip
    return table.assign(channel=table["level"].astype(int))


def channel_flags(table):
    return {
        "rates": covered(table["conf_low"], table["conf_high"], 0.3),
        "values": covered(table["value_low"], table["value_high"], 1.3),
        "found": once((table["p_adjusted"] < 0.05).any()),
    }


@study("forty equal channels that brought 60 customers each, who spend alike", short=14, full=100)
def equal_channels(rng):
    return channel_flags(channels(rng, 60, 0.5))


@study(
    "forty equal channels that brought 12 customers each; a tenth of them brings half the money",
    corner=True, short=14, full=100,
)  # fmt: skip
def small_channels(rng):
    return channel_flags(channels(rng, 12, 1.5))


@study(
    "forty channels of 60 customers, from one of which .54 instead of .3 return", short=14, full=100
)
def one_better_channel(rng):
    table = channels(rng, 60, 0.5, np.r_[0.54, np.full(CHANNELS - 1, 0.3)])
    return {"found": once(table.loc[table["channel"] == 0, "p_adjusted"].iloc[0] < 0.05)}


# Moments: customers buy at a rate of their own that no event changes, unless it is said.


def moments(rng, event, change=1.0, n_customers=800, days=300):
    """Test an event: a "date" out of the blue, or a "first product", "refund" or "busy month"."""
    rate = rng.gamma(1.0, 1 / 20, n_customers)[:, None] * np.ones(days)
    busy = (np.arange(days) >= 150) & (np.arange(days) < 190)
    if event == "busy month":
        rate = rate * np.where(busy, 2.5, 1.0)
    when = rng.choice(np.arange(60, 230, 10), n_customers // 4)
    if change != 1:
        after = np.arange(days) > np.r_[when, np.full(n_customers - len(when), days)][:, None]
        rate = np.where(after, rate * change, rate)
    log = log_of(rng.random((n_customers, days)) < rate, amount=20.0)
    marked = rng.random(len(log)) < 0.1
    if event == "date":
        date = START + pd.to_timedelta(when, unit="D")
        events = pd.DataFrame({"customer_id": np.arange(len(when)), "date": date})
    elif event == "refund":
        back = log[marked].assign(amount=-20.0)
        back["date"] += pd.to_timedelta(rng.integers(1, 15, len(back)), unit="D")
        end = START + pd.Timedelta(days=days - 1)
        log, events = pd.concat([log, back[back["date"] <= end]], ignore_index=True), "first refund"
    else:
        if event == "busy month":
            marked &= ((log["date"] - START).dt.days.between(150, 189)).to_numpy()
        log["product"] = np.where(marked, "baby", "other")
        events = {"first baby": ["baby"]}
    table = churn.key_moments(
        log, events, before_days=60, after_days=60, n_placebos=10,
        random_state=int(rng.integers(2**31)),
    )  # fmt: skip
    return table[table["measure"] == "orders"].set_index("comparison")


def moment_flags(table):
    row = table.loc["event"]
    return {
        "effect": once(covered(row["conf_low"], row["conf_high"], 0.0)),
        "rejected": once(rejected(row["p_value"])),
        "told": once(row["verdict"] in ("moves behaviour", "was moving before")),
    }


@study("200 of 800 customers have an event out of the blue; nothing changes", short=6, full=200)
def out_of_the_blue(rng):
    return moment_flags(moments(rng, "date"))


@study("200 of 800 customers buy a fifth more after an event out of the blue", short=6, full=200)
def event_that_works(rng):
    return moment_flags(moments(rng, "date", change=1.2))


@study(
    "800 customers; the event is the first purchase of a product that changes nothing",
    corner=True,
    short=3,
    full=150,
)
def first_product(rng):
    return moment_flags(moments(rng, "first product"))


@study(
    "800 customers; the event is the first refund, of a purchase of the last two weeks",
    corner=True,
    short=3,
    full=150,
)
def first_refund(rng):
    return moment_flags(moments(rng, "refund"))


@study(
    "800 customers; a first purchase in forty days with 2.5 times the sales", corner=True,
    short=5, full=150,
)  # fmt: skip
def busy_month(rng):
    return moment_flags(moments(rng, "busy month"))


PROFILE, ACQUIRED = Target(churn.retention_profile), Target(churn.acquisition_profile)
MOMENTS = Target(churn.key_moments)
HELD, SIZE = (0.93, 0.97), (0.025, 0.06)

CASES = [
    Case(PROFILE, "coverage", described_once, "rates", 0.95, HELD),
    Case(PROFILE, "size", described_once, "tests", 0.05, SIZE),
    Case(PROFILE, "verdict", described_once, "told", 0.05, (0.01, 0.07)),
    Case(PROFILE, "power", a_trait_that_tells, "found", 0.8, (0.7, 0.9)),
    Case(PROFILE, "coverage", described_six_times, "rates", 0.95, (0.925, 0.97)),
    Case(PROFILE, "size", described_six_times, "tests", 0.05, (0.04, 0.07)),
    Case(PROFILE, "verdict", described_six_times, "told", 0.05, (0.01, 0.07)),
    Case(ACQUIRED, "coverage", equal_channels, "rates", 0.95, HELD),
    Case(ACQUIRED, "coverage", equal_channels, "values", 0.95, HELD),
    Case(ACQUIRED, "size", equal_channels, "found", 0.05, SIZE),
    Case(ACQUIRED, "power", one_better_channel, "found", 0.8, (0.7, 0.9)),
    Case(ACQUIRED, "coverage", small_channels, "rates", 0.95, HELD),
    Case(
        ACQUIRED,
        "coverage",
        small_channels,
        "values",
        0.95,
        (0.72, 0.79),
        "does not hold: covers .75 of means of a dozen amounts with heavy tails",
        "intervals of 95 % hold 75 %",
    ),
    Case(ACQUIRED, "size", small_channels, "found", 0.05, SIZE),
    Case(MOMENTS, "coverage", out_of_the_blue, "effect", 0.95, HELD),
    Case(MOMENTS, "size", out_of_the_blue, "rejected", 0.05, SIZE),
    Case(MOMENTS, "verdict", out_of_the_blue, "told", 0.05, (0.01, 0.07)),
    Case(MOMENTS, "power", event_that_works, "rejected", 0.8, (0.7, 0.95)),
    *[
        case
        for corner in (first_product, first_refund, busy_month)
        for case in (
            Case(MOMENTS, "coverage", corner, "effect", 0.95, HELD),
            Case(MOMENTS, "size", corner, "rejected", 0.05, (0.025, 0.07)),
            Case(MOMENTS, "verdict", corner, "told", 0.05, (0.01, 0.07)),
        )
    ],
]
