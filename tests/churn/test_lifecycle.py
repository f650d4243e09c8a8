"""Purchase gaps, thresholds and lifecycle states against their definitions."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmkit.churn import (
    gap_table,
    lifecycle_table,
    lifecycle_thresholds,
    lifecycle_transitions,
    silence_table,
    survival_table,
)
from crmkit.churn._math.rhythm import gap_quantile, own_pace
from crmkit.errors import InputError

DAY_ONE = pd.Timestamp("2024-01-01")
LIMITS = pd.DataFrame({"at_risk_days": [20], "lapsed_days": [45]})

logs = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 120)), min_size=1, max_size=40)


def log_of(rows):
    frame = pd.DataFrame(rows, columns=["customer_id", "day"])
    date = DAY_ONE + pd.to_timedelta(frame["day"], unit="D")
    return pd.DataFrame({"customer_id": frame["customer_id"], "date": date})


def gaps_by_hand(log, as_of):
    """Return every gap of every customer, and whether it was closed."""
    rows = []
    for _, dates in log.groupby("customer_id")["date"]:
        days = sorted(set(dates))
        rows += [((b - a).days, True) for a, b in pairwise(days)]
        rows.append(((as_of - days[-1]).days, False))
    return pd.DataFrame(rows, columns=["tenure_days", "churned"])


@given(logs, st.integers(0, 30))
def test_gaps_are_survival_with_the_last_gap_open(rows, extra):
    log = log_of(rows)
    as_of = log["date"].max() + pd.Timedelta(days=extra)
    found = gap_table(log, as_of=as_of)
    gaps = gaps_by_hand(log, as_of)
    expected = survival_table(gaps.assign(customer_id=np.arange(len(gaps))))
    np.testing.assert_allclose(found.to_numpy(dtype=float), expected.to_numpy(dtype=float))
    assert found["open"].sum() == log["customer_id"].nunique()


@given(logs, st.integers(0, 120))
def test_states_follow_their_definitions(rows, day):
    log = log_of(rows)
    as_of = max(DAY_ONE + pd.Timedelta(days=day), log["date"].min())
    found = lifecycle_table(log, as_of=as_of, thresholds=LIMITS)
    seen = log[log["date"] <= as_of]
    assert found["customer_id"].tolist() == sorted(seen["customer_id"].unique())
    for row in found.itertuples():
        days = sorted(set(seen.loc[seen["customer_id"] == row.customer_id, "date"]))
        silent = (as_of - days[-1]).days
        back = any((b - a).days > 45 and (as_of - b).days <= 20 for a, b in pairwise(days))
        if silent > 45:
            expected = "lapsed"
        elif silent > 20:
            expected = "at_risk"
        elif (as_of - days[0]).days <= 20:
            expected = "new"
        else:
            expected = "reactivated" if back else "active"
        assert row.state == expected
        assert row.recency_days == silent
        assert row.purchase_days == len(days)
        assert (row.first_date, row.last_date) == (days[0], days[-1])


@given(logs, st.lists(st.integers(0, 130), min_size=2, max_size=4, unique=True))
def test_moves_carry_the_opening_states_to_the_closing_ones(rows, days):
    log = log_of(rows)
    dates = sorted(DAY_ONE + pd.Timedelta(days=day) for day in days)
    if dates[-1] < log["date"].min():
        return
    found = lifecycle_transitions(log, dates=dates[::-1], thresholds=LIMITS)
    states = {}
    for date in dates:
        if date >= log["date"].min():
            states[date] = lifecycle_table(log, as_of=date, thresholds=LIMITS)["state"]
        else:
            states[date] = pd.Series([], dtype=object)
    for before, after in pairwise(dates):
        moves = found[(found["from_date"] == before) & (found["to_date"] == after)]
        opening = moves.groupby("from_state")["customers"].sum().drop("not_yet", errors="ignore")
        closing = moves.groupby("to_state")["customers"].sum()
        assert opening.to_dict() == states[before].value_counts().to_dict()
        assert closing.to_dict() == states[after].value_counts().to_dict()
        np.testing.assert_allclose(moves.groupby("from_state")["share"].sum(), 1.0)
        assert "not_yet" not in set(moves["to_state"])


@given(logs, st.integers(1, 60))
def test_rows_after_as_of_change_nothing(rows, cut):
    log = log_of(rows)
    as_of = log["date"].min() + pd.Timedelta(days=cut)
    past = log[log["date"] <= as_of]
    for make in (gap_table, lifecycle_table):
        pd.testing.assert_frame_equal(make(log, as_of=as_of), make(past, as_of=as_of))


def test_thresholds_are_quantiles_of_the_gaps_that_close():
    assert gap_quantile(np.array([0.0, 5, 9]), np.array([1.0, 0.8, 0.6]), 0.5) == 5
    assert gap_quantile(np.array([0.0, 5, 9]), np.array([1.0, 0.8, 0.6]), 0.51) == 9
    assert gap_quantile(np.array([0.0, 7.0]), np.array([1.0, 1.0]), 0.9) == 7
    assert gap_quantile(np.array([0.0, 5, 9]), np.array([1.0, 1.0, 1.0]), 0.9) == 9
    assert gap_quantile(np.array([0.0, 5, 9]), np.array([1.0, 0.4, 0.4]), 0.9) == 5
    assert gap_quantile(np.array([0.0, 5, 9]), np.array([1.0, 1.0, 0.4]), 0.1) == 9
    rng = np.random.default_rng(4)
    day = np.cumsum(rng.exponential(12, (300, 60)).astype(int) + 1, axis=1)
    log = log_of(np.column_stack([np.repeat(np.arange(300), 60), day.ravel()]))
    table = lifecycle_thresholds(gap_table(log, as_of="2025-01-01"))
    # Exponential gaps of mean 12, floored and moved up one day; quantiles ln 4 and ln 10 times 12.
    assert table["at_risk_days"].iloc[0] == pytest.approx(12 * np.log(4) + 0.5, abs=1.1)
    assert table["lapsed_days"].iloc[0] == pytest.approx(12 * np.log(10) + 0.5, abs=1.6)


def test_the_open_gap_makes_thresholds_longer():
    rng = np.random.default_rng(4)
    mean = rng.choice([5.0, 60.0], 400)
    day = np.cumsum(rng.exponential(mean[:, None], (400, 40)).astype(int) + 1, axis=1)
    rows = np.column_stack([np.repeat(np.arange(400), 40), day.ravel()])
    log = log_of(rows[rows[:, 1] < 120])
    closed = gaps_by_hand(log, pd.Timestamp("2024-04-30")).query("churned")["tenure_days"]
    censored = lifecycle_thresholds(gap_table(log, as_of="2024-04-30"))
    assert censored["lapsed_days"].iloc[0] > closed.quantile(0.9)


def test_thresholds_may_differ_by_group():
    rng = np.random.default_rng(8)
    log = log_of(np.column_stack([rng.integers(0, 40, 600), rng.integers(0, 200, 600)]))
    people = pd.DataFrame({"customer_id": np.arange(40), "kind": np.arange(40) % 2})
    limits = pd.DataFrame({"kind": [1, 0], "at_risk_days": [5, 50], "lapsed_days": [9, 90]})
    found = lifecycle_table(log, thresholds=limits, customers=people)
    wanted = found["customer_id"].map(lambda i: [50, 5][i % 2])
    assert (found["at_risk_days"] == wanted).all()
    own = lifecycle_table(log, by="kind", customers=people)
    gaps = gap_table(log, by="kind", customers=people)
    as_words = people.astype({"kind": "category"})
    same = lifecycle_table(log, thresholds=limits.astype({"kind": float}), customers=as_words)
    pd.testing.assert_frame_equal(same, found)
    given_ = lifecycle_table(log, thresholds=lifecycle_thresholds(gaps), customers=people)
    pd.testing.assert_frame_equal(own, given_)
    with pytest.raises(InputError, match="lacks 1 group"):
        lifecycle_table(log, thresholds=limits.iloc[:1], customers=people)
    with pytest.raises(InputError, match="several rows for one group"):
        lifecycle_table(log, thresholds=limits.assign(kind=1), customers=people)
    with pytest.raises(InputError, match="but `thresholds` are split by"):
        lifecycle_table(log, thresholds=limits, by="other", customers=people)
    with pytest.raises(InputError, match="is below 'at_risk_days'"):
        lifecycle_table(log, thresholds=LIMITS.assign(lapsed_days=3))
    with pytest.raises(InputError, match="has several rows"):
        lifecycle_table(log, thresholds=limits.drop(columns="kind"))
    with pytest.raises(InputError, match="two or more different dates"):
        lifecycle_transitions(log, dates=["2024-02-01", "2024-02-01"])


def test_own_rhythm_follows_the_gaps_a_customer_has_shown():
    rng = np.random.default_rng(9)
    slow = np.cumsum(rng.integers(35, 45, 20))
    fast = np.cumsum(rng.integers(3, 6, 60))
    once = np.array([100])
    days = np.r_[slow, fast, once]
    ids = np.r_[np.zeros(20), np.ones(60), np.full(1, 2)].astype(int)
    log = log_of(np.column_stack([ids, days]))
    common = lifecycle_table(log, as_of="2024-10-27")
    own = lifecycle_table(log, as_of="2024-10-27", own_rhythm=True)
    ratio = (own["at_risk_days"] / common["at_risk_days"]).to_numpy()
    assert ratio[0] > 2
    assert ratio[1] < 0.85
    assert ratio[2] == 1


def pace(gaps, groups=None):
    """The pace of customers by their gaps, shape (customers, gaps); of one more without any."""
    n = np.r_[np.full(len(gaps), float(gaps.shape[1])), 0.0]
    total, logs = np.r_[gaps.sum(axis=1), 0.0], np.r_[np.log(gaps).sum(axis=1), 0.0]
    return own_pace(n, total, logs, np.zeros(n.size, dtype=int) if groups is None else groups)


def test_rhythm_recovers_customers_and_shrinks_noise():
    rng = np.random.default_rng(10)
    true = rng.gamma(4, 1 / 4, 500) ** -1
    gaps = rng.gamma(2, 10, (500, 8)) * true[:, None]
    found = pace(gaps)
    assert found[500] == 1
    assert np.corrcoef(np.log(found[:500]), np.log(true))[0, 1] > 0.85
    # Nearer to the truth than the customer's own mean gap.
    raw = gaps.mean(axis=1) / gaps.mean()
    truth = np.log(true / true.mean())
    assert np.square(np.log(found[:500]) - truth).mean() < np.square(np.log(raw) - truth).mean()
    noise = pace(rng.gamma(2, 10, (500, 8)))
    assert np.log(noise).std() < 0.05
    assert pace(np.array([[9.0]])).tolist() == [1, 1]


def test_groups_of_another_pace_are_no_rhythm_of_their_own():
    rng = np.random.default_rng(11)
    groups = np.r_[np.arange(600) % 2, 0]
    gaps = rng.gamma(2, 10, (600, 6)) * np.where(groups[:600], 10, 1)[:, None]
    assert np.log(pace(gaps, groups)).std() < 0.06


def test_own_rhythm_and_silence_go_by_one_model():
    """Customers who carry on: whom their own thresholds call silent are the improbable silences."""
    rng = np.random.default_rng(0)
    pause = 30 / rng.gamma(1.5, 1 / 1.5, 1200)
    gaps = rng.gamma(3, 1 / 3, (1200, 120)) * pause[:, None]
    days = np.cumsum(np.c_[rng.random(1200) * pause, gaps], axis=1)
    ids, place = np.nonzero(days < 500)
    log = log_of(np.column_stack([ids, days[ids, place].astype(int)]))
    as_of = log["date"].max()
    chance = silence_table(log, as_of=as_of, min_gaps=3).set_index("customer_id")["p_silence"]

    def silent(own):
        table = lifecycle_table(log, as_of=as_of, own_rhythm=own).set_index("customer_id")
        return table["state"].isin(["at_risk", "lapsed"])[chance.index]

    def agreement(marked):
        return (chance[marked].to_numpy()[:, None] < chance[~marked].to_numpy()).mean()

    assert agreement(silent(own=True)) > 0.999
    assert agreement(silent(own=False)) < 0.95
    # One threshold for all calls the slow silent and never the fast; own ones treat all alike.
    fast, slow = (pause[chance.index] < 15), (pause[chance.index] > 60)
    common, own = silent(own=False), silent(own=True)
    assert common[fast].mean() < 0.01
    assert common[slow].mean() > 0.5
    assert 0.05 < own[fast].mean() < own[slow].mean() < 0.25
