"""Fitting: never below lifetimes, boundaries, compression; tests of nested models."""

import json
from importlib.util import find_spec

import numpy as np
import pandas as pd
import pytest

from clv.random_data import FROZEN, SEEDS, found_by_lifetimes, random_customers
from crmkit import clv
from crmkit.clv._math.newton import maximise
from crmkit.clv._math.rows import distinct_rows
from crmkit.clv._model import base
from crmkit.errors import InputError

MODELS = ("BGNBD", "MBGNBD", "ParetoNBD")


@pytest.mark.parametrize("name", MODELS)
def test_likelihood_is_never_below_that_of_lifetimes(name, long):
    # Among them are those on which lifetimes raises, and a first search ends on a lower hill.
    found = json.loads(FROZEN.read_text("utf-8"))[name]
    assert len(found) == len(SEEDS)
    for seed, there in list(zip(SEEDS, found, strict=True))[:: 1 if long else 8]:
        model = getattr(clv, name)().fit(random_customers(name, seed))
        assert model.converged_, seed
        if there is not None:
            assert model.log_likelihood_ >= there - 1e-5, seed


@pytest.mark.parametrize("name", MODELS)
def test_frozen_figures_are_those_of_lifetimes(name):
    if find_spec("lifetimes") is None:
        pytest.skip("lifetimes is not installed")
    frozen = json.loads(FROZEN.read_text("utf-8"))[name]
    # Its Pareto/NBD starts at random, and on other tables ends anywhere.
    assert found_by_lifetimes(name, 0) == pytest.approx(frozen[0], abs=1e-2)


@pytest.mark.parametrize("name", MODELS)
def test_boundaries_are_named_and_never_raise(name, long):
    named = 0
    for seed in range(25 if long else 8):
        table = random_customers(name, seed).iloc[:60]
        model = getattr(clv, name)().fit(table)
        named += model.boundary_ is not None
        assert model.converged_
        numbers = model.parameters_.drop(columns="term").to_numpy()
        assert np.isfinite(numbers).all()
        found = model.predict(table.iloc[:5], interval="delta", annual_discount_rate=0.1)
        assert np.isfinite(found.drop(columns="customer_id").to_numpy(dtype=float)).all()
        assert "+" not in (model.boundary_ or "")
    assert named


def one_of_each():
    nobody = pd.DataFrame({"customer_id": range(9), "frequency": 0, "recency": 0.0, "T": 9.0})
    once = nobody.iloc[:1]
    same = nobody.assign(frequency=3, recency=8.0)
    last = nobody.assign(frequency=4, recency=9.0)
    extreme = nobody.assign(frequency=100_000, recency=8.999, T=9.0)
    first_day = nobody.assign(frequency=1, recency=1e-9)
    return [nobody, once, same, last, extreme, first_day]


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("case", range(6))
def test_degenerate_tables_give_finite_answers(name, case):
    table = one_of_each()[case]
    model = getattr(clv, name)().fit(table)
    found = model.predict(table, horizon_days=10, interval="delta", alive_in_days=3)
    assert np.isfinite(found.drop(columns="customer_id").to_numpy(dtype=float)).all()
    assert found["p_alive"].between(0, 1).all()


def test_distinct_rows_equal_a_group_by():
    rng = np.random.default_rng(1)
    columns = [rng.integers(0, 5, 400).astype(float), rng.choice([0.5, 1.5, 7e8], 400)]
    first, code = distinct_rows(columns)
    table = pd.DataFrame(dict(enumerate(columns)))
    assert len(first) == len(table.drop_duplicates())
    for column in columns:
        np.testing.assert_array_equal(column[first][code], column)


def test_many_rows_end_where_their_own_search_does(monkeypatch):
    # From the peak of every 16th row, whatever there is: covariates, ties, a prior, or no peak.
    true = clv.ParetoNBD()
    true.coefficients_ = np.log([0.8, 30.0, 0.9, 100.0])
    lengths = np.random.default_rng(1).uniform(100.0, 500.0, 3000)
    start = pd.DataFrame({"customer_id": range(3000), "T": lengths})
    table = true.simulate(start, random_state=1).assign(x=start.index % 3)
    steady = table.assign(frequency=np.round(table["T"]), recency=table["T"])
    traits = {"purchase_covariates": ["x"], "dropout_covariates": ["x"]}
    peaks = []

    def peak_of_some(*about):
        peaks.append(find(*about))
        return peaks[-1]

    find = base._peak_of_some
    monkeypatch.setattr(base, "_peak_of_some", peak_of_some)
    for options, some in [
        ({}, table), ({**traits, "tie": [["purchase.x", "dropout.x"]]}, table),
        ({"prior": "weak", "n_draws": 0}, table), ({}, steady),
    ]:  # fmt: skip
        found = []
        for many in (10**9, 100):
            monkeypatch.setattr(base, "_MANY", many)
            found.append(clv.ParetoNBD(**options).fit(some))
        straight, by_some = found
        assert by_some.boundary_ == straight.boundary_
        assert by_some.log_likelihood_ == pytest.approx(straight.log_likelihood_, abs=1e-5)
        if straight.boundary_ is None:
            np.testing.assert_allclose(by_some.coefficients_, straight.coefficients_, atol=1e-6)
    assert [len(found) for found in peaks] == [0, 1, 0, 1, 0, 1, 0, 0]


def test_newton_climbs_out_of_a_saddle_and_a_valley():
    def rosenbrock(point):
        x, y = point
        value = -((1 - x) ** 2) - 100 * (y - x**2) ** 2
        gradient = np.array([2 * (1 - x) + 400 * x * (y - x**2), -200 * (y - x**2)])
        hessian = np.array([[-2 + 400 * (y - 3 * x**2), 400 * x], [400 * x, -200.0]])
        return value, gradient, hessian

    found = maximise(rosenbrock, np.array([-1.2, 1.0]))
    assert found.converged
    np.testing.assert_allclose(found.point, [1.0, 1.0], rtol=1e-6)

    def saddle(point):
        x, y = point
        value = -(x**2) + y**2 - y**4 / 4
        return (
            value,
            np.array([-2 * x, 2 * y - y**3]),
            np.array([[-2.0, 0.0], [0.0, 2 - 3 * y**2]]),
        )

    found = maximise(saddle, np.array([1.0, 0.0]))
    np.testing.assert_allclose(np.abs(found.point), [0.0, np.sqrt(2)], atol=1e-8)


def customers_with(effect, seed=1, n=3000):
    rng = np.random.default_rng(seed)
    table = pd.DataFrame(
        {"customer_id": range(n), "T": rng.uniform(100, 400, n), "web": rng.integers(0, 2, n)}
    )
    model = clv.BGNBD(purchase_covariates=["web"])
    model.coefficients_ = np.array([*np.log([0.8, 30.0, 0.9, 2.5]), effect])
    return model.simulate(table, random_state=seed).assign(web=table["web"])


def test_likelihood_ratio_test():
    p_values = []
    for effect in (0.0, 0.5):
        table = customers_with(effect)
        plain, web = clv.BGNBD().fit(table), clv.BGNBD(purchase_covariates=["web"]).fit(table)
        test = clv.likelihood_ratio_test(restricted=plain, general=web)
        assert test["chi_squared"][0] == pytest.approx(
            2 * (web.log_likelihood_ - plain.log_likelihood_)
        )
        p_values.append(test["p_value"][0])
    assert p_values[1] < 1e-6 < p_values[0]
    with pytest.raises(InputError, match="special case"):
        clv.likelihood_ratio_test(restricted=web, general=plain)
    with pytest.raises(InputError, match="same customers"):
        clv.likelihood_ratio_test(restricted=clv.BGNBD().fit(table.iloc[:99]), general=web)
    with pytest.raises(InputError, match="penalised"):
        clv.likelihood_ratio_test(restricted=plain, general=clv.BGNBD(l2=1.0).fit(table))


def test_covariates_that_cannot_be_told_apart_are_refused():
    table = customers_with(0.0, n=200).assign(same=1.0)
    with pytest.raises(InputError, match="same for everybody"):
        clv.BGNBD(purchase_covariates=["same"]).fit(table)
    with pytest.raises(InputError, match="list of column names"):
        clv.BGNBD(purchase_covariates="web").fit(table)
    with pytest.raises(InputError, match="groups of two or more"):
        clv.BGNBD(purchase_covariates=["web"], tie=[["web", "age"]]).fit(table)


def test_path_of_p_alive_ends_at_the_prediction():
    log = pd.DataFrame(
        {
            "customer_id": ["ann"] * 4 + ["bob"] * 2,
            "date": pd.to_datetime(
                ["2024-01-01", "2024-01-11", "2024-01-11", "2024-02-01", "2024-01-15", "2024-01-20"]
            ),
        }
    )
    model = clv.MBGNBD()
    model.coefficients_ = np.log([0.6, 30.0, 0.9, 2.5])
    path = model.alive_path(log, as_of="2024-03-01")
    assert path.columns.tolist() == ["customer_id", "date", "frequency", "p_alive"]
    assert path["customer_id"].value_counts().to_dict() == {"ann": 61, "bob": 47}
    last = path.groupby("customer_id")["p_alive"].last()
    table = clv.purchase_table(log, as_of="2024-03-01")
    np.testing.assert_allclose(last, model.predict(table)["p_alive"], rtol=1e-12)
    ann = path[path["customer_id"] == "ann"].set_index("date")
    # Silence lowers P(alive); a purchase lifts it.
    assert ann["p_alive"].loc["2024-01-31"] < ann["p_alive"].loc["2024-01-11"]
    assert ann["p_alive"].loc["2024-02-01"] > ann["p_alive"].loc["2024-01-31"]
    weekly = model.alive_path(log, as_of="2024-03-01", every_days=7)
    assert len(weekly[weekly["customer_id"] == "ann"]) == 9
    customers = clv.purchase_table(log).assign(x=[0.0, 1.0])
    with_covariate = clv.BGNBD(purchase_covariates=["x"], l2=1.0).fit(customers)
    with pytest.raises(InputError, match="cannot draw a path"):
        with_covariate.alive_path(log)
    assert not hasattr(clv.BGBB, "alive_path")
