"""Regular purchases: the grocery log of R BTYDplus 1.2.0 up to 2006-12-31, in weeks.

Log-likelihoods and parameters as run with BTYDplus, whose search stops a little earlier.
"""

import numpy as np
import pandas as pd
import pytest

from crmkit import clv


@pytest.fixture(scope="module")
def weekly(reference_data):
    log = pd.read_csv(reference_data / "groceryElog.csv", parse_dates=["date"])
    table = clv.purchase_table(
        log.rename(columns={"cust": "customer_id"}), as_of="2006-12-31", regularity=True
    )
    return table.assign(
        recency=table["recency"] / 7,
        T=table["T"] / 7,
        sum_log_gaps=table["sum_log_gaps"] - table["frequency"] * np.log(7),
    )


def test_regularity_gains_eight_hundred(weekly):
    model = clv.MBGCNBD().fit(weekly)
    assert model.k_ == 2
    assert model.log_likelihood_ == pytest.approx(-14978.2107, abs=1e-4)
    truth = [1.3291973, 2.8126003, 0.4247156, 0.7900402]
    np.testing.assert_allclose(model.parameters_["estimate"], truth, rtol=3e-5)


def test_purchases_without_dropout(weekly):
    # The NBD model is BG/NBD with a dropout probability of zero: BTYDplus' NBD, at its estimates.
    model = clv.BGNBD()
    _, rows = model._rows(weekly)
    model._fit_rows(rows, at=[0.42032028, 5.24511932, 1e-12, 1.0])
    assert model.log_likelihood_ == pytest.approx(-16376.8639, abs=1e-4)


@pytest.mark.parametrize(
    ("model", "value"),
    [
        (clv.MBGNBD(), -15781.9394),
        (clv.MBGCNBD(k=1), -15781.9394),
        (clv.BGCNBD(k=2), -15054.1729),
    ],
)
def test_log_likelihoods(model, value, weekly):
    assert model.fit(weekly).log_likelihood_ == pytest.approx(value, abs=1e-4)
