"""CDNOW: published and computed estimates, with the data variant of each.

(E) the 1/10 sample with exact dates up to 1997-09-30 (R CLVTools 0.12.1 and BTYD 2.4.3, and the
    same optimum found to more digits); (R) the sample's summary with weeks rounded to two
    decimals, as shipped with lifetimes 0.11.3. Parameters in weeks.
"""

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from crmkit import clv


@pytest.fixture(scope="module")
def exact(reference_data):
    log = pd.read_csv(reference_data / "cdnow_sample.csv", parse_dates=["Date"])
    log = log.rename(columns={"Id": "customer_id", "Date": "date", "Price": "amount"})
    table = clv.purchase_table(log, as_of="1997-09-30")
    return table.assign(recency=table["recency"] / 7, T=table["T"] / 7)


@pytest.fixture(scope="module")
def rounded():
    spec = find_spec("lifetimes")
    if spec is None:
        pytest.skip("the rounded CDNOW summary is read from the lifetimes wheel")
    path = Path(spec.origin).parent / "datasets" / "cdnow_customers_summary.csv"
    table = pd.read_csv(path, index_col=0)
    return table.rename_axis("customer_id").reset_index()


PURCHASES = [
    # model, variant, estimates, log-likelihood
    ("BGNBD", "exact", (0.2425945, 4.4136019, 0.7929199, 2.4258881), -9582.4292),
    ("BGNBD", "rounded", (0.242593, 4.413533, 0.792886, 2.425753), -9582.42556),
]


@pytest.mark.parametrize(("name", "variant", "estimates", "value"), PURCHASES)
def test_purchase_models(name, variant, estimates, value, request):
    model = getattr(clv, name)().fit(request.getfixturevalue(variant))
    np.testing.assert_allclose(model.parameters_["estimate"], estimates, rtol=2e-5)
    assert model.log_likelihood_ == pytest.approx(value, abs=6e-5)
    assert model.converged_
    assert model.boundary_ is None
    assert model.gradient_norm_ < 1e-9


def test_bgnbd_standard_errors(exact):
    table = clv.BGNBD().fit(exact).parameters_
    np.testing.assert_allclose(
        table["std_error"], [0.012557, 0.378224, 0.185733, 0.705407], rtol=4e-5
    )


def test_bgnbd_totals(exact):
    predicted = clv.BGNBD().fit(exact).predict(exact, horizon_days=52)
    assert predicted["expected_purchases"].sum() == pytest.approx(2089.3976, abs=2e-3)
    assert predicted["p_alive"].mean() == pytest.approx(0.81343956, abs=1e-6)


def test_gamma_gamma(exact):
    model = clv.GammaGamma().fit(exact)
    np.testing.assert_allclose(
        model.parameters_["estimate"], [6.249349, 3.744256, 15.444307], rtol=6e-5
    )
    np.testing.assert_allclose(
        model.parameters_["std_error"], [1.18997, 0.29014, 4.15953], rtol=2e-4
    )
    assert model.log_likelihood_ == pytest.approx(-4055.9177, abs=6e-5)
