"""How many customers bought how often: expected counts one by one, and the test."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from crmkit import clv, datasets
from crmkit.clv._math.goodness import cumulative_p_value
from crmkit.errors import InputError


@pytest.fixture(scope="module")
def customers():
    log = datasets.make_transactions(400, random_state=6)["transactions"]
    table = clv.holdout_table(log, as_of=log["date"].max() - pd.Timedelta(days=180))
    return table.assign(half=np.arange(len(table)) % 2)


@pytest.mark.parametrize("model", [clv.BGNBD(), clv.ParetoNBD(purchase_covariates=["half"])])
def test_expected_numbers_are_the_customers_chances_added_up(customers, model):
    model = model.fit(customers)
    table = clv.frequency_table(customers, purchases=model, max_purchases=3)
    before, after = table[~table["holdout"]], table[table["holdout"]]
    assert before["group"].tolist() == ["0", "1", "2", "3+"]
    for part, column in ((before, "frequency"), (after, "holdout_frequency")):
        count = customers[column].clip(upper=3).value_counts().reindex(range(4), fill_value=0)
        assert part["customers"].tolist() == count.tolist()
        assert part["expected_customers"].sum() == pytest.approx(len(customers))
    told = model.purchase_probabilities(customers, horizon_days=180, max_purchases=2)
    total = told.groupby("purchases")["p_exactly"].sum()
    np.testing.assert_allclose(after["expected_customers"][:3], total, rtol=1e-9)
    new = customers.assign(frequency=0, recency=0.0, T=0.0)
    some = np.arange(0, len(new), 9)
    told = [
        model.purchase_probabilities(new.iloc[[i]], horizon_days=customers["T"][i], max_purchases=2)
        for i in some
    ]
    total = pd.concat(told).groupby("purchases")["p_exactly"].sum()
    found = clv.frequency_table(customers.iloc[some], purchases=model, max_purchases=3)
    np.testing.assert_allclose(found["expected_customers"][:3], total, rtol=1e-6)


def test_groups_are_added_up(customers):
    each = clv.ByGroup(model=clv.MBGNBD(), by="half").fit(customers)
    table = clv.frequency_table(customers, purchases=each)
    parts = [
        clv.frequency_table(customers[customers["half"] == half], purchases=model)
        for half, model in zip(each.labels_["half"], each.models_, strict=True)
    ]
    for column in ("customers", "expected_customers"):
        np.testing.assert_allclose(table[column], parts[0][column] + parts[1][column])


def test_whole_periods_are_counted_in_periods():
    log = datasets.make_transactions(300, random_state=6)["transactions"]
    held = {"period": "quarter", "as_of": "2025-03-31", "horizon_periods": 2}
    table = clv.opportunity_table(log, **held)
    model = clv.BGBB().fit(table)
    found = clv.frequency_table(table, purchases=model, max_purchases=2)
    assert found.groupby("holdout")["expected_customers"].sum().tolist() == pytest.approx(
        [len(table)] * 2
    )
    assert found.groupby("holdout")["customers"].sum().tolist() == [len(table)] * 2


def multinomial(p, n):
    return n * (np.diag(p) - np.outer(p, p))


def test_one_cut_is_the_plain_chi_square():
    actual, p = np.array([90.0, 10.0]), np.array([0.95, 0.05])
    plain = stats.chisquare([90, 10], [95, 5]).pvalue
    # Exactly 5 on a side are enough, on either one.
    for side in (slice(None), slice(None, None, -1)):
        found = cumulative_p_value(actual[side], 100 * p[side], multinomial(p[side], 100))
        assert found == pytest.approx(plain)
    # Where fewer than 5 are expected, first or last, no cut is.
    p = np.array([0.03, 0.47, 0.46, 0.04])
    found = cumulative_p_value(np.array([7.0, 33, 57, 3]), 100 * p, multinomial(p, 100))
    assert found == pytest.approx(stats.chisquare([40, 60]).pvalue)
    assert np.isnan(cumulative_p_value(np.array([3.0, 1.0]), np.array([2.0, 2.0]), np.eye(2)))
    assert np.isnan(
        cumulative_p_value(np.array([60.0, 40]), np.array([50.0, 50]), np.zeros((2, 2)))
    )


def test_the_p_value_is_how_often_chance_is_as_far_off():
    actual, p = np.array([55.0, 28, 12, 5]), np.array([0.5, 0.25, 0.15, 0.1])
    found = cumulative_p_value(actual, 100 * p, multinomial(p, 100))
    below = np.cumsum(100 * p)[:-1]

    def off(counts):
        gap = np.cumsum(counts, axis=-1)[..., :-1] - below
        return np.sum(gap**2 / (below * (100 - below) / 100), axis=-1)

    drawn = np.random.default_rng(1).multinomial(100, p, 40_000)
    assert found == pytest.approx(np.mean(off(drawn) >= off(actual)), abs=0.012)


def test_what_counts_no_purchases_is_refused(customers):
    for wrong in (clv.BGNBD, clv.BGNBD(), clv.GammaGamma().fit(customers), 3):
        with pytest.raises(InputError, match="purchases"):
            clv.frequency_table(customers, purchases=wrong)
