"""Key moments find planted effects and no others; silences are judged by their own rhythm."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmkit import churn
from crmkit.churn._math.moments import Comparison, choose_placebos
from crmkit.churn._math.rhythm import Rhythm, fit_rhythm, p_longer, usual_gap
from crmkit.churn._table.events import read_events
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


def of(table, measure="orders", comparison="event"):
    return table[table["comparison"] == comparison].set_index("measure").loc[measure]


def test_a_planted_effect_is_found_and_its_size_is_right():
    log, events, _ = panel(0.5)
    table = churn.key_moments(log, events, random_state=0)
    orders = of(table)
    assert orders["conf_high"] < 0
    assert orders["p_adjusted"] < 1e-6
    assert orders["verdict"] == "moves behaviour"
    # Half of what they would have bought, though many of the compared have the event later.
    assert orders["conf_low"] < -orders["after"] < orders["conf_high"]
    assert of(table, "amount")["effect"] == pytest.approx(20 * orders["effect"], rel=0.15)
    assert orders["effect"] == pytest.approx(
        orders["after"] - orders["before"] - orders["control_change"]
    )
    chance = of(table, comparison="placebo")
    assert chance["conf_low"] < 0 < chance["conf_high"]
    assert chance["std_error"] == pytest.approx(orders["std_error"], rel=0.5)


def test_the_season_alone_is_no_effect():
    hits = 0
    for seed in range(12):
        log, events, _ = panel(1.0, seed=seed, n=500)
        row = of(churn.key_moments(log, events, n_placebos=2))
        assert row["control_change"] < 0
        hits += row["conf_low"] <= 0 <= row["conf_high"]
    assert hits >= 10


def shoppers(seed, n=1500, days=500):
    """Buyers at constant rates, a tenth of whose purchases are of a product that does nothing."""
    rng = np.random.default_rng(seed)
    rate = rng.gamma(1, 1, n) / 30
    who, when = np.nonzero(rng.poisson(rate[:, None] * np.ones(days)))
    return pd.DataFrame(
        {
            "customer_id": who,
            "date": START + pd.to_timedelta(when, unit="D"),
            "order_id": np.arange(who.size),
            "amount": 20.0,
            "product": np.where(rng.random(who.size) < 0.1, "baby", "other"),
        }
    )


def test_a_first_purchase_that_does_nothing_shows_nothing():
    tables = [
        churn.key_moments(shoppers(seed), {"first baby": ["baby"]}, random_state=0)
        for seed in range(4)
    ]
    orders = pd.DataFrame([of(table) for table in tables])
    assert (orders["p_value"] < 0.05).sum() <= 1
    assert (orders["verdict"] == "moves behaviour").sum() == 0
    assert abs(orders["effect"].mean()) < 0.1  # 0.32 against controls who need not buy that day


def test_who_was_moving_before_is_told():
    log, events, _ = panel(1.0, n=2400)
    event = events.set_index("customer_id")["date"].reindex(log["customer_id"]).to_numpy()
    ahead = (event - log["date"].to_numpy()) / np.timedelta64(1, "D")
    rising = log[(ahead > -90) & (ahead <= 45)]  # twice as many orders from 45 days before on
    table = churn.key_moments(pd.concat([log, rising.assign(order_id=-1)]).assign(
        order_id=lambda t: np.arange(len(t))), events, random_state=0)  # fmt: skip
    assert of(table, comparison="days before")["p_value"] < 0.01
    assert of(table)["verdict"] == "was moving before"


def test_incomplete_windows_are_left_out_and_counted():
    log, events, _ = panel(1.0, n=300)
    events = events[events["customer_id"].isin(log["customer_id"])]
    first = log.groupby("customer_id")["date"].min().reindex(events["customer_id"]).to_numpy()
    last = log["date"].max()
    date = events["date"].to_numpy()
    whole = (
        (date - np.timedelta64(100, "D") >= log["date"].min().to_datetime64())
        & (date + np.timedelta64(100, "D") <= last.to_datetime64())
        & (first <= date - np.timedelta64(100, "D"))
    )
    row = of(churn.key_moments(log, events, before_days=100, after_days=100))
    assert row["events"] + row["unmatched"] == whole.sum()
    assert row["incomplete"] == (~whole).sum()
    with pytest.raises(InputError, match="shorter windows"):
        churn.key_moments(log, events, before_days=300, after_days=300)
    with pytest.raises(InputError, match="no customer_id of `events`"):
        churn.key_moments(log, events.assign(customer_id=-1))
    with pytest.raises(InputError, match="'event' is missing in 1 of"):
        churn.key_moments(log, events.assign(event=[None, *["moved"] * (len(events) - 1)]))


def test_the_first_event_counts_and_later_ones_after_a_washout():
    log, events, _ = panel(1.0, n=300)
    events = events[events["customer_id"].isin(log["customer_id"])]
    again = pd.concat([events.assign(date=events["date"] + pd.Timedelta(days=20)), events])
    once = churn.key_moments(log, events, random_state=0)
    pd.testing.assert_frame_equal(churn.key_moments(log, again, random_state=0), once)
    row = of(churn.key_moments(log, again, washout_days=10, random_state=0))
    lost = row["incomplete"] + row["unmatched"]
    assert row["events"] + lost == 2 * len(events)
    assert (
        row["std_error"] > 0.75 * of(once)["std_error"]
    )  # the same customers twice tell little more
    kinds = pd.concat([events.assign(event="moved"), events.head(50).assign(event="called")])
    table = churn.key_moments(log, kinds, random_state=0)
    assert table["event"].tolist() == ["called"] * 6 + ["moved"] * 6
    alike = ["customers", "p_adjusted", "verdict", "event"]
    moved = table[(table["event"] == "moved") & (table["comparison"] == "event")]
    pd.testing.assert_frame_equal(
        moved.drop(columns=alike, errors="ignore").reset_index(drop=True),
        once[once["comparison"] == "event"]
        .drop(columns=alike, errors="ignore")
        .reset_index(drop=True),
    )


def brute_force(days, slope):
    """The estimate and error of `Comparison`, customer by customer."""
    gaps, rows = [], []
    for people, cell, treated, was, now, dose in days:
        for i in np.flatnonzero(treated):
            others = np.flatnonzero(~treated & (cell == cell[i]))
            if others.size < 2:
                continue
            gap, full = (values[i] - values[others].mean() for values in (now - slope * was, dose))
            gaps.append((gap, full))
            near = np.sqrt(others.size / (others.size + 1))
            rows.append((people[i], near * gap, near * full, True))
            for j in others:
                own, part = (
                    (values[others].mean() - values[j]) / np.sqrt(others.size * (others.size - 1))
                    for values in (now - slope * was, dose)
                )
                rows.append((people[j], own, part, False))
    total, doses = np.sum(gaps, axis=0)
    parts = pd.DataFrame(rows, columns=["who", "gap", "dose", "treated"])
    parts["part"] = parts["gap"] - total / doses * parts["dose"]
    distinct = parts.loc[parts["treated"], "who"].nunique()
    square = ((parts.groupby("who")["part"].sum() / doses) ** 2).sum()
    return len(gaps), total / doses, np.sqrt(square * distinct / (distinct - 1))


@given(st.integers(0, 10_000))
def test_effects_and_errors_equal_a_loop(seed):
    rng = np.random.default_rng(seed)
    days, comparison = [], Comparison(60)
    for _ in range(3):
        people, treated = np.sort(rng.permutation(60)[:40]), rng.random(40) < 0.3
        dose = np.where(treated, 1.0, 0.6 * rng.random(40))
        day = people, rng.integers(0, 6, 40), treated, *rng.normal(size=(2, 40)), dose
        comparison.add(*day)
        days.append(day)
    found = comparison.effect()
    n, effect, error = brute_force(days, comparison.slope)
    assert found.events == n
    assert found.effect == pytest.approx(effect)
    assert found.std_error == pytest.approx(error)
    # A placebo is an effect of controls against those that are left.
    people, cell, treated, was, now, dose = days[0]
    chosen = np.flatnonzero(~treated)[:3]
    one = Comparison(60).add(people, cell, treated, was, now, dose).without(chosen)
    rest = np.isin(np.arange(40), chosen)
    kept = ~treated | rest
    other = Comparison(60)
    other.add(people[kept], cell[kept], rest[kept], was[kept], now[kept], dose[kept])
    assert one == pytest.approx((other.times.sum(), other.total_past, other.total_gap))


def test_placebos_are_as_recent_as_the_treated():
    rng = np.random.default_rng(0)
    recency = rng.integers(0, 3, 400)
    treated = (rng.random(400) < 0.1) & (recency > 0)
    for chosen in choose_placebos(rng, recency, treated, 3):
        assert not treated[chosen].any()
        assert np.unique(chosen).size == chosen.size
        assert np.bincount(recency[chosen]).tolist() == np.bincount(recency[treated]).tolist()


def test_events_of_the_log():
    log = pd.DataFrame(
        {
            "customer_id": [1, 1, 1, 2, 2],
            "date": START + pd.to_timedelta([3, 1, 5, 2, 4], unit="D"),
            "amount": [-5.0, 9.0, -1.0, 3.0, 3.0],
            "product": ["x", "milk", "x", "nappies", "food"],
        }
    )
    first = (START - pd.Timestamp(0)).days
    _, names, kind, customer, day = read_events(log, {"baby": ["food", "nappies"]}, None)
    assert list(names) == ["baby"]
    assert sorted(zip(kind, customer, day - first, strict=True)) == [(0, 1, 2), (0, 1, 4)]
    _, _, _, customer, day = read_events(log, "first refund", None)
    assert sorted(zip(customer, day - first, strict=True)) == [(0, 3), (0, 5)]
    with pytest.raises(InputError, match=r"no product of `events\['toys'\]`"):
        churn.key_moments(log, {"toys": ["bear"]})
    with pytest.raises(InputError, match="has no refund"):
        churn.key_moments(log.drop(columns="amount"), "first refund")
    with pytest.raises(InputError, match="or 'first refund'; got 'refunds'"):
        churn.key_moments(log, "refunds")


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
