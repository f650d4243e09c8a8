"""What scores, signals and silence tell of who leaves."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import special

from _suite import Case, Target, study
from crmkit import churn
from worlds import START, covered, log_of, once, rejected, rows

# Signals: numbers known of customers who leave at random.


def signals(rng, chance, shift, spread, n_customers=300):
    """AUC of ten numbers that mean nothing and ten that are `shift` higher among who leaves."""
    bought = rng.random((n_customers, 120)) < chance
    bought[:, 0] = True
    left = ~bought[:, 60:].any(axis=1)
    numbers = rng.normal(size=(n_customers, 20)) * np.where(left, spread, 1.0)[:, None]
    numbers[:, 10:] += shift * left[:, None]
    numbers[:, :10] = rng.normal(size=(n_customers, 10))
    customers = pd.DataFrame(numbers).add_prefix("x").rename_axis("customer_id").reset_index()
    table = churn.signal_table(
        log_of(bought), customers=customers, as_of=START + pd.Timedelta(days=59),
        horizon_days=60, lead_days=[0], recent_days=28,
    ).set_index("variable")  # fmt: skip
    noise, tells = (
        table.loc[[f"x{i}" for i in range(10)]],
        table.loc[[f"x{i}" for i in range(10, 20)]],
    )
    area = special.ndtr(shift / np.hypot(1, spread))
    return {
        "area": rows(covered(tells["conf_low"], tells["conf_high"], area)),
        "told": rows(noise["direction"] != "unclear"),
    }


@study(
    "300 customers, a third of whom leave; ten numbers that tell, ten that mean nothing",
    short=8,
    full=60,
)
def a_third_leaves(rng):
    return signals(rng, 0.018, 0.8, 1.0)


@study(
    "300 customers, a dozen of whom leave, who differ three times as much as the others",
    corner=True,
    short=8,
    full=60,
)
def a_dozen_leaves(rng):
    return signals(rng, 0.052, 1.5, 3.0)


# Scores: chances that are right, and what came.


def judged_scores(rng, n_customers, n_snapshots, loyalty):
    """Coverage of the rates of ten parts of a right score, for gains and for calibration."""
    chance = rng.beta(1.0, 3.0, n_customers)
    own = rng.beta(chance * loyalty, (1 - chance) * loyalty)
    who = np.repeat(np.arange(n_customers), n_snapshots)
    table = pd.DataFrame({"customer_id": who, "p_churn": chance[who]})
    table["as_of"] = START + pd.to_timedelta(np.tile(np.arange(n_snapshots), n_customers), unit="D")
    table["churned"] = (rng.random(len(who)) < own[who]).astype(int)
    outcomes, scores = table.drop(columns="p_churn"), table.drop(columns="churned")
    gains = churn.gains_table(outcomes, scores)
    calibration = churn.calibration_table(outcomes, scores)
    return {
        "gains": rows(rates_covered(gains, np.sort(chance[who])[::-1])),
        "calibration": rows(rates_covered(calibration, np.sort(chance[who]))),
    }


def rates_covered(table, chances):
    """Whether intervals of parts, in the order of `chances`, hold the mean chance of the part."""
    ends = table["customers"].cumsum().to_numpy()
    truth = np.add.reduceat(chances, np.r_[0, ends[:-1]]) / table["customers"]
    return covered(table["conf_low"], table["conf_high"], truth)


@study("1,000 customers scored once with the chances that they have", short=12, full=120)
def scored_once(rng):
    return judged_scores(rng, 1000, 1, 1.0)


@study(
    "200 customers scored on six days with chances right on average; each keeps his own",
    corner=True,
    short=20,
    full=200,
)
def scored_six_times(rng):
    return judged_scores(rng, 200, 6, 1.0)


# Backtests: customers buy when they feel like it, or keep to a pace that their town tells.


def backtest(rng, days, told=False, n_customers=400):
    """Whether the model is said to beat recency, and the interval of its gain where it is none."""
    pace = rng.choice([0.02, 0.006], n_customers) if told else np.full(n_customers, 0.01)
    log = log_of(rng.random((n_customers, 420)) < pace[:, None])
    customers = pd.DataFrame({"customer_id": range(n_customers)})
    customers["town"] = np.where(pace > 0.01, "north", "south")
    customers["x"] = rng.normal(size=n_customers)
    table = churn.backtest_table(
        log, customers=customers, as_of=[START + pd.Timedelta(days=day) for day in days],
        horizon_days=60, n_train=2, heuristics=["recency_days"],
        model=churn.ChurnModel(n_folds=3, random_state=0),
    )  # fmt: skip
    row = table[table["model"] == "model"].iloc[-1]
    return {
        "gain": once(covered(row["auc_gain_low"], row["auc_gain_high"], 0.0)),
        "better": once("better as a ranking" in row["verdict"].replace("no better", "as good")),
    }


@study("400 customers who all buy alike; one day", short=3, full=120)
def nothing_to_rank(rng):
    return backtest(rng, [300])


@study("400 customers who all buy alike; three days of the same customers", corner=True,
       short=1, full=80)  # fmt: skip
def nothing_on_three_days(rng):
    return backtest(rng, [220, 280, 340])


@study("400 customers of two towns, one of which buys three times as much", short=2, full=120)
def town_tells(rng):
    return backtest(rng, [300], told=True)


# Silence: purchases at a rhythm of one's own, seen to a day out of the blue.


def silence(rng, gaps, stopped=False, n_customers=300, days=500):
    """Who is called silent; with `stopped`, of customers who gave up 2.5 usual gaps ago."""
    mean = 1 / rng.gamma(4.0, 1 / 80, n_customers)
    times = np.cumsum(gaps(rng, (n_customers, 200)) * mean[:, None], axis=1)
    times += rng.uniform(0, 60, n_customers)[:, None]
    times = np.where(times < days - 2.5 * mean[:, None] * stopped, times, np.inf)
    customer, place = np.nonzero(np.isfinite(times))
    date = START + pd.to_timedelta(np.floor(times[customer, place]), unit="D")
    log = pd.DataFrame({"customer_id": customer, "date": date})
    table = churn.silence_table(log, as_of=START + pd.Timedelta(days=days - 1))
    return {"p": rejected(table["p_silence"])[None], "told": rows(table["unusual"])}


@study("300 customers who go on buying at a rhythm of their own", short=12, full=60)
def rhythmic(rng):
    return silence(rng, lambda rng, size: rng.gamma(2.0, 0.5, size))


@study("300 customers who stopped two and a half usual gaps ago", short=12, full=60)
def stopped(rng):
    return silence(rng, lambda rng, size: rng.gamma(2.0, 0.5, size), stopped=True)


def bursts(rng, size):
    """Gaps of which four in five are short: bursts with a long pause after each."""
    return np.where(rng.random(size) < 0.8, 0.25, 4.0) * rng.gamma(2.0, 0.5, size)


@study(
    "300 customers who go on buying in bursts with long pauses between",
    corner=True,
    short=12,
    full=60,
)
def bursty(rng):
    return silence(rng, bursts)


SIGNALS = Target(churn.signal_table)
GAINS, CALIBRATION = Target(churn.gains_table), Target(churn.calibration_table)
SILENCE, BACKTEST = Target(churn.silence_table), Target(churn.backtest_table)
HELD, SIZE = (0.93, 0.97), (0.025, 0.06)
BURSTS = ("does not hold: three in ten are called silent", "three in ten where four of five gaps")

CASES = [
    Case(SIGNALS, "coverage", a_third_leaves, "area", 0.95, HELD),
    Case(SIGNALS, "verdict", a_third_leaves, "told", 0.05, SIZE),
    Case(SIGNALS, "coverage", a_dozen_leaves, "area", 0.95, (0.91, 0.97)),
    Case(SIGNALS, "verdict", a_dozen_leaves, "told", 0.05, (0.04, 0.09)),
    Case(GAINS, "coverage", scored_once, "gains", 0.95, HELD),
    Case(GAINS, "coverage", scored_six_times, "gains", 0.95, (0.925, 0.97)),
    Case(CALIBRATION, "coverage", scored_once, "calibration", 0.95, HELD),
    Case(CALIBRATION, "coverage", scored_six_times, "calibration", 0.95, (0.925, 0.97)),
    Case(BACKTEST, "coverage", nothing_to_rank, "gain", 0.95, (0.92, 0.98)),
    Case(BACKTEST, "verdict", nothing_to_rank, "better", 0.05, (0.0, 0.05)),
    Case(BACKTEST, "coverage", nothing_on_three_days, "gain", 0.95, (0.92, 0.98)),
    Case(BACKTEST, "verdict", nothing_on_three_days, "better", 0.05, (0.0, 0.05)),
    Case(BACKTEST, "power", town_tells, "better", 0.8, (0.7, 1.0)),
    Case(SILENCE, "size", rhythmic, "p", 0.05, SIZE),
    Case(SILENCE, "verdict", rhythmic, "told", 0.05, SIZE),
    Case(SILENCE, "power", stopped, "p", 0.8, (0.7, 0.95)),
    Case(SILENCE, "size", bursty, "p", 0.05, (0.27, 0.33), *BURSTS),
    Case(SILENCE, "verdict", bursty, "told", 0.05, (0.27, 0.33), *BURSTS),
]
