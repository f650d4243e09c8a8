"""Where the zero of a covariate lies, and how it is scaled, changes no model."""

import numpy as np
import pandas as pd
import pytest

from crmkit import clv, datasets
from crmkit.errors import InputError


@pytest.fixture(scope="module")
def shop():
    log = datasets.make_transactions(300, random_state=3)["transactions"]
    table = clv.purchase_table(log)
    table["price"] = np.random.default_rng(0).normal(size=len(table)).round(2)
    return log, table


@pytest.mark.parametrize("model", [clv.BGNBD, clv.ParetoNBD])
def test_a_static_covariate_far_from_zero(shop, model):
    _, table = shop
    options = {"purchase_covariates": ["price"], "l2": 0.5}
    near = model(**options).fit(table)
    far = model(**options).fit(table.assign(price=table["price"] + 300.0))
    assert far.converged_
    assert far.boundary_ == near.boundary_
    assert far.log_likelihood_ == pytest.approx(near.log_likelihood_, abs=1e-6)
    effect = near.parameters_.iloc[-1]
    assert far.parameters_["estimate"].iloc[-1] == pytest.approx(effect["estimate"], abs=1e-6)
    assert far.parameters_["std_error"].iloc[-1] == pytest.approx(effect["std_error"], rel=1e-4)
    told, again = near.predict(table), far.predict(table.assign(price=table["price"] + 300.0))
    np.testing.assert_allclose(again["expected_purchases"], told["expected_purchases"], rtol=1e-5)


def test_a_varying_covariate_far_from_zero(shop):
    log, _ = shop
    months = pd.date_range("2024-01-01", "2027-01-01", freq="MS")
    price = np.random.default_rng(1).normal(size=len(months)).round(2)
    found = []
    for move, scale in ((0.0, 1.0), (300.0, 1.0), (0.0, 1000.0)):
        calendar = pd.DataFrame({"date": months, "price": (price + move) * scale})
        model = clv.TimeVaryingParetoNBD(purchase_covariates=["price"])
        model.fit(log, covariates=calendar)
        effect = model.parameters_["estimate"].iloc[-1] * scale
        total = model.predict(log, covariates=calendar)["expected_purchases"].sum()
        found.append((model.log_likelihood_, effect, total))
    np.testing.assert_allclose(found[1:], found[:1] * 2, rtol=1e-6)


def test_a_covariate_beyond_numbers_is_said(shop):
    _, table = shop
    steep = table.assign(price=1e6 + (table["frequency"] > 3) * 1.0)
    with pytest.raises(InputError, match="'alpha', which holds where they are 0, is beyond"):
        clv.ParetoNBD(purchase_covariates=["price"]).fit(steep)
