"""The bridge to lifetimes 0.11.3, and its summary table as an oracle."""

import re
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from crmkit import clv, datasets
from crmkit.clv._lifetimes import import_lifetimes
from crmkit.errors import InputError


@pytest.fixture(scope="module")
def lifetimes():
    pytest.importorskip("autograd", reason="needs the extra lifetimes")
    return import_lifetimes()


@pytest.fixture(scope="module")
def customers():
    table = clv.purchase_table(datasets.load_cdnow(), as_of="1997-09-30")
    return table[table["customer_id"] % 10 == 1].reset_index(drop=True)


def fit_in_weeks(fitter, customers):
    weeks = customers[["recency", "T"]] / 7
    return fitter.fit(customers["frequency"], weeks["recency"], weeks["T"])


@pytest.mark.parametrize("name", ["BGNBD", "MBGNBD", "ParetoNBD"])
def test_purchase_models_there_and_back(lifetimes, customers, name):
    kind = getattr(clv, name)
    fitter = getattr(
        lifetimes,
        {
            "BGNBD": "BetaGeoFitter",
            "MBGNBD": "ModifiedBetaGeoFitter",
            "ParetoNBD": "ParetoNBDFitter",
        }[name],
    )()
    fit_in_weeks(fitter, customers)
    model = kind.from_lifetimes(fitter, time_unit_days=7)
    told = model.predict(customers, horizon_days=273)["expected_purchases"]
    theirs = fitter.predict(
        39, customers["frequency"], customers["recency"] / 7, customers["T"] / 7
    )
    np.testing.assert_allclose(told, theirs, rtol=1e-8)
    own = kind().fit(customers)
    assert own.log_likelihood_ >= model.log_likelihood_ - 1e-6
    np.testing.assert_allclose(
        model.parameters_["std_error"], own.parameters_["std_error"], rtol=0.02
    )
    assert model.converged_
    back = model.to_lifetimes(time_unit_days=7)
    np.testing.assert_allclose(back.params_[fitter.params_.index], fitter.params_)
    again = back.predict(39, customers["frequency"], customers["recency"] / 7, customers["T"] / 7)
    np.testing.assert_allclose(again, theirs)
    assert "coef" in back.summary


def test_spend_model_there_and_back(lifetimes, customers):
    buyers = customers[(customers["frequency"] > 0) & (customers["monetary_value"] > 0)]
    fitter = lifetimes.GammaGammaFitter().fit(buyers["frequency"], buyers["monetary_value"])
    model = clv.GammaGamma.from_lifetimes(fitter)
    theirs = fitter.conditional_expected_average_profit(
        customers["frequency"], customers["monetary_value"]
    )
    # lifetimes shrinks a customer whose mean is 0; without a positive mean there is no spend.
    spent = customers["monetary_value"] > 0
    told = model.predict(customers)["expected_amount"]
    np.testing.assert_allclose(told[spent], theirs[spent], rtol=1e-8)
    back = model.to_lifetimes()
    np.testing.assert_allclose(back.params_, fitter.params_)


def test_purchase_table_equals_their_summary(lifetimes, customers):
    log = datasets.load_cdnow()
    theirs = lifetimes.utils.summary_data_from_transaction_data(
        log, "customer_id", "date", "amount", observation_period_end="1997-09-30"
    )
    ours = clv.purchase_table(log, as_of="1997-09-30").set_index("customer_id")
    pd.testing.assert_frame_equal(
        ours[list(theirs.columns)], theirs, check_dtype=False, rtol=1e-12, atol=1e-12
    )


def test_wrong_fitters_are_named(lifetimes, customers):
    fitter = fit_in_weeks(lifetimes.BetaGeoFitter(), customers)
    with pytest.raises(InputError, match="Use BGNBD"):
        clv.MBGNBD.from_lifetimes(fitter)
    with pytest.raises(InputError, match="not fitted"):
        clv.BGNBD.from_lifetimes(lifetimes.BetaGeoFitter())
    with pytest.raises(InputError, match="must be a lifetimes BetaGeoFitter"):
        clv.BGNBD.from_lifetimes("fitter")


def test_the_how_to_runs(lifetimes):
    page = Path(__file__).parents[2] / "docs" / "how-to" / "come-from-lifetimes.md"
    cells = re.findall(r"```\{code-cell\}\n(?::[^\n]*\n)*(.*?)```", page.read_text("utf-8"), re.S)
    assert len(cells) == 15
    space = {}
    for cell in cells:
        exec(compile(cell, page.name, "exec"), space)
    assert abs(space["ours"] - space["theirs"]).max() < 1e-3
    assert space["again"].log_likelihood_ == space["model"].log_likelihood_
    plt.close("all")


def test_covariances_where_theirs_are_not_symmetric(lifetimes):
    # The exact Hessian of lifetimes' own likelihood, times p_i p_j (delta method).
    # Its variance_matrix_ has p_j squared instead: (r, alpha) .067431, (alpha, r) .000204.
    from autograd import hessian

    path = Path(lifetimes.__file__).parent / "datasets" / "cdnow_customers_summary.csv"
    table = pd.read_csv(path, index_col=0).rename_axis("customer_id").reset_index()
    fitter = lifetimes.BetaGeoFitter().fit(table["frequency"], table["recency"], table["T"])
    p = fitter.params_.to_numpy()
    data = [table[name].to_numpy() for name in ("frequency", "recency", "T")]
    curve = hessian(fitter._negative_log_likelihood)(np.log(p), *data, np.ones(len(table)), 0.0)
    truth = np.linalg.inv(curve * len(table)) * np.outer(p, p)
    model = clv.BGNBD().fit(table)
    found = model.covariance_.drop(columns="term").to_numpy()
    np.testing.assert_allclose(found, found.T, rtol=1e-12)
    np.testing.assert_allclose(found, truth, rtol=2e-4)
    theirs = fitter.variance_matrix_.to_numpy()
    assert abs(theirs - theirs.T).max() > 0.3
    np.testing.assert_allclose(np.diag(theirs), np.diag(found), rtol=2e-4)


def test_period_model_there_and_back(lifetimes):
    # Donors by year: frequency, recency, opportunities and how many donors had them.
    rows = [(0, 0, 6, 350), (1, 1, 6, 120), (2, 2, 6, 60), (1, 4, 6, 40), (3, 6, 6, 70)]
    rows += [(6, 6, 6, 90), (2, 6, 6, 50), (4, 5, 6, 45), (1, 6, 6, 30), (5, 6, 6, 60)]
    x, t_x, n, weight = map(np.array, zip(*rows, strict=True))
    fitter = lifetimes.BetaGeoBetaBinomFitter().fit(x, t_x, n, weight)
    # lifetimes does not know how long a period is.
    model = clv.BGBB.from_lifetimes(fitter).set_params(period_days=365)
    assert model.n_customers_ == weight.sum()
    np.testing.assert_allclose(model.parameters_["estimate"], fitter.params_, rtol=1e-12)
    donors = pd.DataFrame({"customer_id": range(len(rows)), "frequency": x})
    donors = donors.assign(recency=t_x, periods=n)
    told = model.predict(donors, horizon_days=5 * 365)["expected_purchases"]
    theirs = fitter.conditional_expected_number_of_purchases_up_to_time(5, x, t_x, n)
    np.testing.assert_allclose(told, theirs, rtol=1e-8)
    np.testing.assert_allclose(model.to_lifetimes().params_, fitter.params_)


def test_models_without_counterpart_say_so(lifetimes, customers):
    with pytest.raises(InputError, match="no counterpart of ShiftedBetaGeometric"):
        clv.ShiftedBetaGeometric.from_lifetimes(lifetimes.BetaGeoFitter())
    odd = customers.assign(odd=customers["customer_id"] // 10 % 2)
    model = clv.BGNBD(purchase_covariates=["odd"]).fit(odd)
    with pytest.raises(InputError, match="no covariates"):
        model.to_lifetimes()


def test_value_lies_between_their_months_discounted_early_and_late(lifetimes, customers):
    model, spend = clv.BGNBD().fit(customers), clv.GammaGamma(first_purchase=False).fit(customers)
    rate = 1.10 ** (30 / 365) - 1
    theirs = spend.to_lifetimes().customer_lifetime_value(
        model.to_lifetimes(),
        customers["frequency"],
        customers["recency"],
        customers["T"],
        customers["monetary_value"],
        time=12,
        freq="D",
        discount_rate=rate,
    )
    steps = [
        model.predict(customers, horizon_days=30 * month)["expected_purchases"]
        for month in range(13)
    ]
    amount = spend.predict(customers)["expected_amount"]
    late = amount * sum(
        (steps[month] - steps[month - 1]) / (1 + rate) ** month for month in range(1, 13)
    )
    spent = customers["monetary_value"] > 0
    np.testing.assert_allclose(late[spent], np.asarray(theirs)[spent], rtol=1e-7)
    ours = clv.lifetime_value(customers, purchases=model, spend=spend, horizon_days=360)
    assert (ours["lifetime_value"] >= late).all()
    assert (ours["lifetime_value"] <= late * (1 + rate)).all()
