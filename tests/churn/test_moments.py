"""Key moments find planted effects and no others; silences are judged by their own rhythm."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmkit import churn
from crmkit._arrays import rank_bins
from crmkit.churn._math.moments import count_bins, pooled_effect, stratified_differences
from crmkit.churn._math.silence import Rhythm, fit_rhythm, p_longer, usual_gap
from crmkit.errors import InputError

START = pd.Timestamp("2024-01-01")


def panel(effect, seed=0, n=1200, days=360):
    """Poisson buyers of different rates in a falling season; a third have an event on some day."""
    rng = np.random.default_rng(seed)
    rate = rng.gamma(2, 0.04, n)
    event = np.where(rng.random(n) < 0.33, rng.integers(120, 240, n), days + 1)
    day = np.arange(days)
    season = 1.3 - 0.6 * day / days
    level = rate[:, None] * season * np.where(day > event[:, None], effect, 1.0)
    who, when = np.nonzero(rng.random((n, days)) < level)
    log = pd.DataFrame(
        {
            "customer_id": who,
            "date": START + pd.to_timedelta(when, unit="D"),
            "amount": rng.gamma(4, 5, who.size).round(2),
        }
    )
    had = np.flatnonzero(event <= days)
    events = pd.DataFrame(
        {"customer_id": had, "date": START + pd.to_timedelta(event[had], unit="D")}
    )
    return log, events, rate[had]


def test_a_planted_effect_is_found_and_its_size_is_right():
    log, events, _ = panel(0.5)
    table = churn.key_moments(log, events, before_days=90, after_days=90).set_index("measure")
    orders = table.loc["orders"]
    assert orders["conf_high"] < 0
    assert orders["p_adjusted"] < 1e-6
    # Half of what they would have bought: about the rate x 30 days x season of 1.
    expected = -0.5 * orders["before"] * (1 - 0.15)
    assert orders["conf_low"] < expected < orders["conf_high"]
    assert table.loc["amount", "effect"] == pytest.approx(20 * orders["effect"], rel=0.15)


def test_the_season_alone_is_no_effect():
    hits = 0
    for seed in range(12):
        log, events, _ = panel(1.0, seed=seed, n=500)
        table = churn.key_moments(log, events).set_index("measure")
        row = table.loc["orders"]
        assert row["control_change"] < 0
        hits += row["conf_low"] <= 0 <= row["conf_high"]
    assert hits >= 10


def test_incomplete_windows_are_left_out_and_counted():
    log, events, _ = panel(1.0, n=300)
    first = log.groupby("customer_id")["date"].min().reindex(events["customer_id"]).to_numpy()
    last = log["date"].max()
    date = events["date"].to_numpy()
    whole = (
        (date - np.timedelta64(100, "D") >= log["date"].min().to_datetime64())
        & (date + np.timedelta64(100, "D") <= last.to_datetime64())
        & (first <= date - np.timedelta64(100, "D"))
    )
    row = churn.key_moments(log, events, before_days=100, after_days=100).iloc[0]
    assert row["customers"] + row["unmatched"] == whole.sum()
    assert row["incomplete"] == (~whole).sum()
    with pytest.raises(InputError, match="shorter windows"):
        churn.key_moments(log, events, before_days=300, after_days=300)
    with pytest.raises(InputError, match="no customer_id of `events`"):
        churn.key_moments(log, events.assign(customer_id=-1))
    with pytest.raises(InputError, match="'event' is missing in 1 of"):
        churn.key_moments(log, events.assign(event=[None, *["moved"] * (len(events) - 1)]))


def test_only_the_first_event_counts_and_kinds_are_apart():
    log, events, _ = panel(1.0, n=300)
    again = events.assign(date=events["date"] + pd.Timedelta(days=20))
    once = churn.key_moments(log, events)
    pd.testing.assert_frame_equal(churn.key_moments(log, pd.concat([again, events])), once)
    kinds = pd.concat([events.assign(event="moved"), events.head(50).assign(event="called")])
    table = churn.key_moments(log, kinds)
    assert table["event"].tolist() == ["called"] * 2 + ["moved"] * 2
    moved = table[table["event"] == "moved"].reset_index(drop=True)
    pd.testing.assert_frame_equal(
        moved.drop(columns=["event", "p_adjusted"]), once.drop(columns=["event", "p_adjusted"])
    )


@given(st.integers(0, 10_000))
def test_differences_equal_a_loop(seed):
    rng = np.random.default_rng(seed)
    change, stratum = rng.normal(size=40), rng.integers(0, 6, 40)
    group = rng.integers(0, 3, 40)
    found = stratified_differences(change, stratum, group == 0, group == 1)
    rows, control, noise = [], [], 0.0
    for row in np.flatnonzero(group == 0):
        others = change[(group == 1) & (stratum == stratum[row])]
        if others.size >= 2:
            rows.append(row)
            control.append(others.mean())
    for cell in range(6):
        others = change[(group == 1) & (stratum == cell)]
        if others.size >= 2:
            treated = ((group == 0) & (stratum == cell)).sum()
            noise += treated**2 * others.var(ddof=1) / others.size
    assert found.row.tolist() == rows
    np.testing.assert_allclose(found.control, control)
    assert found.noise == pytest.approx(noise)
    assert np.isnan(pooled_effect(np.array([1.0]), 0.0)[1])


@given(st.lists(st.integers(0, 8), max_size=40), st.integers(1, 6))
def test_bins_by_counting_equal_bins_by_sorting(values, n_bins):
    values = np.array(values, dtype=np.int64)
    np.testing.assert_array_equal(count_bins(values, n_bins), rank_bins(values, n_bins))


def test_first_events_of_the_log():
    log = pd.DataFrame(
        {
            "customer_id": [1, 1, 1, 2, 2],
            "date": START + pd.to_timedelta([3, 1, 5, 2, 4], unit="D"),
            "amount": [-5.0, 9.0, -1.0, 3.0, 3.0],
            "product": ["x", "milk", "x", "nappies", "food"],
        }
    )
    table = churn.first_events(log, products={"baby": ["food", "nappies"]})
    assert table.to_numpy().tolist() == [
        [1, START + pd.Timedelta(days=3), "first refund"],
        [2, START + pd.Timedelta(days=2), "baby"],
    ]
    with pytest.raises(InputError, match=r"no product of `products\['toys'\]`"):
        churn.first_events(log, products={"toys": ["bear"]})
    with pytest.raises(InputError, match="to tell refunds by"):
        churn.first_events(log.drop(columns="amount"))


def rhythms(m=4000, seed=0, k=3.0, a=2.0, b=40.0):
    rng = np.random.default_rng(seed)
    rate = rng.gamma(a, 1 / b, m)
    n = rng.integers(1, 12, m)
    gaps = [rng.gamma(k, 1 / r, size) for r, size in zip(rate, n + 1, strict=True)]
    past = [g[:-1] for g in gaps]
    total = np.array([g.sum() for g in past])
    logs = np.array([np.log(g).sum() for g in past])
    return n.astype(float), total, logs, np.array([g[-1] for g in gaps])


def test_the_rhythm_is_recovered_and_its_probabilities_are_uniform():
    n, total, logs, following = rhythms()
    rhythm = fit_rhythm(n, total, logs)
    assert rhythm.k == pytest.approx(3, rel=0.05)
    assert rhythm.a == pytest.approx(2, rel=0.15)
    assert rhythm.b == pytest.approx(40, rel=0.2)
    p = p_longer(following, n, total, rhythm)
    np.testing.assert_allclose(np.quantile(p, [0.05, 0.5, 0.95]), [0.05, 0.5, 0.95], atol=0.02)
    limit = usual_gap(0.95, n, total, rhythm)
    np.testing.assert_allclose(p_longer(limit, n, total, rhythm), 0.05, rtol=1e-9)


def test_closed_form_equals_simulation():
    rng = np.random.default_rng(1)
    n, total, x = 3.0, 25.0, 20.0
    rhythm = Rhythm(k=2.0, a=1.5, b=10.0)
    # The posterior of the rate is Gamma(a + k n, b + total).
    rate = rng.gamma(1.5 + 6, 1 / 35.0, 400_000)
    simulated = (rng.gamma(2.0, 1 / rate) > x).mean()
    exact = p_longer(np.array([x]), np.array([n]), np.array([total]), rhythm)[0]
    assert exact == pytest.approx(simulated, abs=0.003)


def test_units_of_time_do_not_matter_to_the_rhythm():
    n, total, logs, following = rhythms(m=800)
    days = fit_rhythm(n, total, logs)
    weeks = fit_rhythm(n, total / 7, logs - n * np.log(7))
    np.testing.assert_allclose(
        p_longer(following / 7, n, total / 7, weeks), p_longer(following, n, total, days), rtol=1e-4
    )


def test_silence_is_judged_by_the_customers_own_rhythm():
    weekly = [START + pd.Timedelta(days=7 * i) for i in range(12)]
    seldom = [weekly[-1] - pd.Timedelta(days=100 * i) for i in range(5)]
    log = pd.DataFrame({"customer_id": ["w"] * 12 + ["s"] * 5, "date": weekly + seldom})
    table = churn.silence_table(log, as_of="2024-05-31").set_index("customer_id")
    assert table.loc["w", "recency_days"] == 74
    assert table["recency_days"].tolist() == [74, 74]
    assert table["unusual"].to_dict() == {"s": False, "w": True}
    assert table.loc["w", "usual_days"] < table.loc["s", "usual_days"]
    later = churn.silence_table(log, as_of="2024-06-30").set_index("customer_id")
    assert (later["p_silence"] <= table["p_silence"]).all()
    with pytest.raises(InputError, match="Lower `min_gaps`"):
        churn.silence_table(log, min_gaps=50)


def test_regular_and_single_gaps_are_no_problem():
    log = pd.DataFrame(
        {
            "customer_id": np.repeat(range(20), 5),
            "date": [START + pd.Timedelta(days=7 * i) for i in range(5)] * 20,
        }
    )
    table = churn.silence_table(log, as_of=START + pd.Timedelta(days=40))
    assert np.isfinite(table[["usual_days", "p_silence"]]).all(axis=None)
    assert table["unusual"].all()
    two = log.groupby("customer_id").head(2)
    assert np.isfinite(churn.silence_table(two, min_gaps=1)["p_silence"]).all()
