"""The models of survival with covariates: recovery of known truth, and lifelines' own answers."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from churn.weibull import customers, true_chance
from crmkit.churn import HazardModel, survival_table
from crmkit.churn._math.hazards import interval_edges, interval_log_survival, person_periods
from crmkit.churn._math.tenures import Tenures
from crmkit.errors import InputError

people = st.lists(st.tuples(st.integers(0, 12), st.booleans()), min_size=1, max_size=40).filter(
    lambda rows: any(left for _, left in rows)
)


@given(people)
def test_with_every_event_time_an_edge_hazards_give_kaplan_meier(rows):
    time = np.array([t for t, _ in rows], dtype=float)
    left = np.array([e for _, e in rows])
    tenures = Tenures(time, left)
    edges = interval_edges(tenures, 100)
    assert list(edges) == sorted(set(time[left]))
    customer, interval, outcome = person_periods(tenures, edges)
    assert outcome.sum() == left.sum()
    at_risk = np.bincount(interval, minlength=edges.size)
    assert np.bincount(customer, minlength=time.size)[left].tolist() == [
        1 + np.searchsorted(edges, t) for t in time[left]
    ]
    hazard = np.bincount(interval, weights=outcome, minlength=edges.size) / at_risk
    table = pd.DataFrame(
        {"customer_id": np.arange(time.size), "tenure_days": time, "churned": left}
    )
    curve = survival_table(table).set_index("time")["p_survival"]
    chance = np.exp(interval_log_survival(np.tile(hazard, (edges.size, 1)), edges, edges))
    np.testing.assert_allclose(chance, curve.loc[edges], atol=1e-9)


def test_survival_between_edges_falls_in_proportion():
    hazard, edges = np.array([[0.2, 0.5]] * 4), np.array([10.0, 30.0])
    found = np.exp(interval_log_survival(hazard, edges, np.array([0.0, 5.0, 20.0, 31.0])))
    np.testing.assert_allclose(found[:3], [1, 0.8**0.5, 0.8 * 0.5**0.5])
    assert np.isnan(found[3])


def test_known_chances_are_recovered():
    model = HazardModel()
    table, new = customers(), customers(400, seed=1)
    model.fit(table)
    for horizon in (15, 60, 120):
        found = model.predict(new, horizon_days=horizon)["p_survival"].to_numpy()
        error = found - true_chance(new, horizon)
        assert abs(error.mean()) < 0.02
        assert np.sqrt((error**2).mean()) < 0.04
    given_tenure = model.predict(
        new.assign(tenure_days=30.0), horizon_days=60, duration="tenure_days"
    )
    whole = (
        model.predict(new, horizon_days=90)["p_survival"]
        / model.predict(new, horizon_days=30)["p_survival"]
    )
    np.testing.assert_allclose(given_tenure["p_survival"], whole, rtol=1e-9)


def test_any_classifier_can_learn_hazards():
    from sklearn.ensemble import HistGradientBoostingClassifier

    learner = HistGradientBoostingClassifier(max_iter=40, max_depth=3)
    table, new = customers(), customers(300, seed=2)
    model = HazardModel(estimator=learner, random_state=0).fit(table)
    found = model.predict(new, horizon_days=60)["p_survival"]
    assert stats.spearmanr(found, true_chance(new, 60)).statistic > 0.9
    assert model.parameters_.empty


def test_large_tables_are_learned_from_in_part(monkeypatch):
    from crmkit.churn._model import hazard

    table = customers()
    whole = HazardModel().fit(table).predict(table, horizon_days=60)["p_survival"]
    monkeypatch.setattr(hazard, "_MOST_ROWS", 15_000)
    monkeypatch.setattr(hazard, "_CUSTOMERS_AT_ONCE", 700)
    part = HazardModel().fit(table).predict(table, horizon_days=60)["p_survival"]
    assert not np.allclose(part, whole)
    assert (part - whole).abs().max() < 0.1


def test_bad_input_is_named():
    table = customers(50)
    with pytest.raises(InputError, match="nobody left"):
        HazardModel().fit(table.assign(churned=False))
    with pytest.raises(InputError, match="nobody was seen to stay"):
        HazardModel(n_intervals=1).fit(table.assign(churned=True))
    with pytest.raises(InputError, match="`horizon_days`"):
        HazardModel().fit(table).predict(table, horizon_days=-1)
