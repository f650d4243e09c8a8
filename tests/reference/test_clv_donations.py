"""BG/BB on the donations data of Fader, Hardie and Shang (2010): 11,104 donors in 22 rows.

Log-likelihood and parameters by mpmath; predictions as run with R BTYD 2.4.3, at its own
slightly different estimates.
"""

import numpy as np
import pandas as pd
import pytest

from crmkit import clv


@pytest.fixture(scope="module")
def donors(lifetimes_data):
    table = pd.read_csv(lifetimes_data / "donations.csv")
    table.insert(0, "customer_id", range(len(table)))
    return table


def test_estimates(donors):
    model = clv.BGBB(period_days=365).fit(donors, weights="weights")
    truth = [1.203522, 0.749716, 0.656718, 2.783442]
    np.testing.assert_allclose(model.parameters_["estimate"], truth, rtol=1e-6)
    assert model.log_likelihood_ == pytest.approx(-33225.58127, abs=1e-5)
    assert model.n_customers_ == 11_104


def test_predictions(donors):
    model = clv.BGBB(period_days=365).fit(donors, weights="weights")
    table = donors.set_index(["frequency", "recency"], drop=False)
    kinds = table.loc[[(0, 0), (2, 4), (6, 6)]].reset_index(drop=True)
    next_year = model.predict(kinds, alive_in_days=365)["p_alive_later"]
    np.testing.assert_allclose(next_year, [0.108133, 0.589657, 0.930434], atol=2e-6)
    five = model.predict(donors, horizon_days=5 * 365)["expected_purchases"]
    assert (five * donors["weights"]).sum() == pytest.approx(12884.157, abs=0.01)
    ten = model.predict(donors, horizon_days=10 * 365).set_index(
        [donors["frequency"], donors["recency"]]
    )["expected_purchases"]
    assert ten[0, 0] == pytest.approx(0.1302344, rel=2e-4)
    assert ten[4, 5] == pytest.approx(3.6279431, rel=2e-4)
