"""Customers who came under observation late, and rows that stand for several customers."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmkit.churn import AFTModel, CoxModel, HazardModel, logrank_test, survival_table
from crmkit.churn._math.hazards import interval_edges, person_periods
from crmkit.churn._math.logrank import logrank
from crmkit.churn._math.tenures import Tenures
from crmkit.errors import InputError

rows = st.lists(
    st.tuples(
        st.integers(0, 8), st.integers(0, 6), st.booleans(), st.integers(1, 3), st.integers(0, 2)
    ),
    min_size=1,
    max_size=30,
)


def people(drawn):
    """Customers with entry below tenure, whose weights are whole numbers."""
    table = pd.DataFrame(drawn, columns=["since", "more", "churned", "number", "plan"])
    table["tenure_days"] = table["since"] + table["more"] + (table["since"] > 0)
    return table.assign(customer_id=np.arange(len(table)), group=table["plan"] % 2)


def repeated(table):
    again = table.loc[table.index.repeat(table["number"])].reset_index(drop=True)
    return again.assign(customer_id=np.arange(len(again)))


def middle_of_life(rng, n=4000, mean=200.0, **columns):
    """Customers who came for 1,000 days before a log that was kept for 500 days."""
    life, came = rng.exponential(mean, n), rng.uniform(-1000, 500, n)
    tenure = np.minimum(life, 500 - came)
    table = pd.DataFrame({"since": np.maximum(-came, 0), "tenure_days": tenure, **columns})
    table = table.assign(churned=life <= 500 - came, customer_id=np.arange(n))
    return table[table["tenure_days"] > table["since"]]


def test_a_log_that_begins_in_mid_life():
    table = middle_of_life(np.random.default_rng(0))

    def found(**how):
        curve = survival_table(table, **how)
        return np.array([curve[curve["time"] <= t]["p_survival"].iloc[-1] for t in (100, 200, 400)])

    truth = np.exp(-np.array([100, 200, 400]) / 200)
    np.testing.assert_allclose(found(entry="since"), truth, atol=0.03)
    assert (found() > truth + 0.05).all()


@given(rows)
def test_late_entries_are_at_risk_from_then_on(drawn):
    table = people(drawn)
    since, time, left = table["since"], table["tenure_days"], table["churned"]
    chance, variance = 1.0, 0.0
    for row in survival_table(table, entry="since").itertuples():
        n = int(((time >= row.time) & ((since < row.time) | (since == 0))).sum())
        d = int((left & (time == row.time)).sum())
        assert (row.at_risk, row.events) == (n, d)
        chance *= 1 - d / n if n else 1.0
        variance += d / (n * (n - d)) if 0 < d < n else 0.0
        assert row.p_survival == pytest.approx(chance, abs=1e-12)
        assert row.std_error == pytest.approx(chance * np.sqrt(variance), abs=1e-12)
        assert 0 <= row.conf_low <= row.p_survival <= row.conf_high <= 1


@given(rows)
def test_whole_weights_are_so_many_customers(drawn):
    table = people(drawn)
    for how in ({}, {"entry": "since"}):
        one = survival_table(table, by="plan", weights="number", **how)
        other = survival_table(repeated(table), by="plan", **how)
        pd.testing.assert_frame_equal(one, other, check_exact=False, rtol=1e-12)
        if table["plan"].nunique() > 1 and table["churned"].any():
            one = logrank_test(table, by="plan", weights="number", **how)
            other = logrank_test(repeated(table), by="plan", **how)
            pd.testing.assert_frame_equal(one, other, check_exact=False, rtol=1e-9, atol=1e-9)


def influence(table, time, **how):
    """Errors of log survival at a time by moving each weight a little."""
    moved = []
    for row in table.index:
        chances = []
        for step in (1e-5, -1e-5):
            near = table.assign(number=table["number"] + step * (table.index == row))
            curve = survival_table(near, weights="number", **how)
            chances.append(np.log(curve[curve["time"] <= time]["p_survival"].iloc[-1]))
        moved.append((chances[0] - chances[1]) / 2e-5 * table.loc[row, "number"])
    return np.sqrt(np.sum(np.square(moved)))


@pytest.mark.parametrize("how", [{}, {"entry": "since"}])
def test_other_weights_have_the_error_of_the_jackknife(how):
    rng = np.random.default_rng(4)
    n = 40
    table = pd.DataFrame({"customer_id": range(n), "since": rng.integers(0, 3, n) * 2})
    table["tenure_days"] = table["since"] + rng.integers(1, 12, n)
    table["churned"], table["number"] = rng.random(n) < 0.6, rng.uniform(0.2, 3, n)
    curve = survival_table(table, weights="number", **how)
    for time in (3, 6, 9):
        row = curve[curve["time"] <= time].iloc[-1]
        wanted = influence(table, time, **how) * row["p_survival"]
        assert row["std_error"] == pytest.approx(wanted, rel=1e-4)
    same = survival_table(table.assign(number=0.5), weights="number", **how)
    plain = survival_table(table, **how)
    np.testing.assert_allclose(same["std_error"], plain["std_error"], rtol=0.2)
    np.testing.assert_allclose(same["p_survival"], plain["p_survival"], rtol=1e-12)


def slow_logrank(time, left, since, group, stratum, formula):
    """Add up times and strata one by one."""
    k = group.max() + 1
    difference, spread = np.zeros(k), np.zeros((k, k))
    for layer in np.unique(stratum):
        here = stratum == layer
        kept, peto = 1.0, 1.0
        for t in np.unique(time[here & left]):
            risk = here & (time >= t) & ((since < t) | (since == 0))
            dead = here & left & (time == t)
            n, d = risk.sum(), dead.sum()
            peto *= 1 - d / (n + 1)
            w = eval(formula, {"n": n, "kept": kept, "peto": peto})
            share = np.bincount(group[risk], minlength=k) / n
            difference += w * (np.bincount(group[dead], minlength=k) - d * share)
            if n > 1:
                spread += w**2 * d * (n - d) / (n - 1) * (np.diag(share) - np.outer(share, share))
            kept *= 1 - d / n
    return float(difference @ np.linalg.pinv(spread) @ difference)


EMPHASES = {
    "even": "1",
    "gehan": "n",
    "tarone_ware": "n ** 0.5",
    "peto": "peto",
    "early": "kept",
    "middle": "kept * (1 - kept)",
    "late": "1 - kept",
}


@pytest.mark.parametrize("emphasis", EMPHASES)
def test_logrank_by_brute_force(emphasis):
    rng = np.random.default_rng(7)
    n = 120
    since = rng.integers(0, 4, n).astype(float)
    time = since + rng.integers(1, 9, n)
    left, group, stratum = rng.random(n) < 0.7, rng.integers(0, 3, n), rng.integers(0, 3, n)
    stratum[group == 0] %= 2  # one group has nobody in the last stratum
    test = logrank(Tenures(time, left, since), group, 3, stratum=stratum, emphasis=emphasis)
    wanted = slow_logrank(time, left, since, group, stratum, EMPHASES[emphasis])
    assert test.statistic == pytest.approx(wanted, rel=1e-9)
    assert test.degrees_of_freedom == 2


def test_pairs_are_tests_of_their_own():
    rng = np.random.default_rng(8)
    table = middle_of_life(rng, 300, town=rng.choice(["a", "b", "c"], 300))
    pairs = logrank_test(table, by="town", entry="since", pairs=True, adjust="bonferroni")
    assert pairs["pair"].tolist() == [1, 1, 2, 2, 3, 3]
    for _, part in pairs.groupby("pair"):
        alone = logrank_test(table[table["town"].isin(part["town"])], by="town", entry="since")
        pd.testing.assert_frame_equal(
            part[alone.columns].reset_index(drop=True), alone, check_exact=False
        )
    np.testing.assert_allclose(pairs["p_adjusted"], np.minimum(3 * pairs["p_value"], 1))


def test_groups_that_never_met_are_not_compared():
    table = pd.DataFrame(
        {
            "customer_id": range(4), "plan": [0, 0, 1, 1], "since": [0, 0, 10, 10],
            "tenure_days": [3, 5, 12, 14], "churned": 1,
        }
    )  # fmt: skip
    test = logrank_test(table, by="plan", entry="since")
    assert test["degrees_of_freedom"].tolist() == [0, 0]
    assert test["p_value"].tolist() == [1.0, 1.0]


@given(rows)
def test_hazards_at_every_event_time_are_those_of_the_curve(drawn):
    table = people(drawn)
    if not table["churned"].any():
        return
    time, left = table["tenure_days"].to_numpy(float), table["churned"].to_numpy()
    tenures = Tenures(time, left, table["since"].to_numpy(float))
    edges = interval_edges(tenures, 100)
    _, interval, outcome = person_periods(tenures, edges)
    curve = survival_table(table, entry="since").set_index("time").loc[edges]
    assert np.bincount(interval, minlength=edges.size).tolist() == curve["at_risk"].tolist()
    assert np.bincount(interval, outcome).tolist() == curve["events"].tolist()


@pytest.mark.parametrize("model", [HazardModel(), CoxModel(), AFTModel()])
def test_models_learn_from_late_entries_and_weights(model):
    if isinstance(model, AFTModel):
        pytest.importorskip("lifelines")
    rng = np.random.default_rng(1)
    plan = rng.random(6000) < 0.5
    table = middle_of_life(rng, 6000, np.where(plan, 300.0, 150.0), plan=plan)
    new = pd.DataFrame({"customer_id": [0, 1], "plan": [False, True]})

    def chance(table, **how):
        model.fit(table, columns=["plan"], **how)
        return model.predict(new, horizon_days=150)["p_survival"].to_numpy()

    truth = np.exp([-1.0, -0.5])
    np.testing.assert_allclose(chance(table, entry="since"), truth, atol=0.03)
    assert (chance(table) > truth + 0.04).all()
    few = table.iloc[:500].assign(number=rng.integers(1, 3, 500))
    again = few.loc[few.index.repeat(few["number"])]
    # Hazards are learned from traits standardised over rows.
    close = 2e-3 if isinstance(model, HazardModel) else 1e-4
    np.testing.assert_allclose(
        chance(few, weights="number", entry="since"), chance(again, entry="since"), rtol=close
    )


def test_bad_values_are_named():
    table = people([(2, 3, True, 1, 0), (0, 2, False, 1, 1)]).assign(part=[0.5, 1.5])
    with pytest.raises(InputError, match="'since' is not below 'tenure_days' in 1 of 2 rows"):
        survival_table(table.assign(since=[6, 0]), entry="since")
    with pytest.raises(InputError, match="'number' must be above 0"):
        survival_table(table.assign(number=[0, 1]), weights="number")
    with pytest.raises(InputError, match="'part' has weights that are no whole numbers"):
        logrank_test(table, by="plan", weights="part")
    with pytest.raises(InputError, match="`emphasis` must be one of"):
        logrank_test(table, by="plan", emphasis="often")
