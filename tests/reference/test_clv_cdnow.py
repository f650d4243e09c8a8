"""CDNOW: published and computed estimates, with the data variant of each.

(E) the 1/10 sample with exact dates up to 1997-09-30 (R CLVTools 0.12.1 and BTYD 2.4.3, and the
    same optimum found to more digits); (R) the sample's summary with weeks rounded to two
    decimals, as shipped with lifetimes 0.11.3. Parameters in weeks.
"""

import numpy as np
import pandas as pd
import pytest

from crmkit import clv
from crmkit.datasets import load_cdnow


@pytest.fixture(scope="module")
def exact(lifetimes_data):
    names = ["id_in_master", "customer_id", "date", "cds", "amount"]
    log = pd.read_csv(lifetimes_data / "CDNOW_sample.txt", sep=r"\s+", header=None, names=names)
    log["date"] = pd.to_datetime(log["date"].astype(str))
    table = clv.purchase_table(log, as_of="1997-09-30")
    return table.assign(recency=table["recency"] / 7, T=table["T"] / 7)


@pytest.fixture(scope="module")
def rounded(lifetimes_data):
    table = pd.read_csv(lifetimes_data / "cdnow_customers_summary.csv", index_col=0)
    return table.rename_axis("customer_id").reset_index()


@pytest.fixture(scope="module")
def spenders(lifetimes_data):
    table = pd.read_csv(lifetimes_data / "cdnow_customers_summary_with_transactions.csv")
    return table.set_axis(
        ["customer_id", "frequency", "recency", "T", "monetary_value"], axis="columns"
    )


@pytest.fixture(scope="module")
def master(lifetimes_data):
    table = clv.purchase_table(load_cdnow(), as_of="1997-09-30")
    return table.assign(recency=table["recency"] / 7, T=table["T"] / 7)


PURCHASES = [
    # model, variant, estimates, log-likelihood
    ("BGNBD", "exact", (0.2425945, 4.4136019, 0.7929199, 2.4258881), -9582.4292),
    ("BGNBD", "rounded", (0.242593, 4.413533, 0.792886, 2.425753), -9582.42556),
    ("MBGNBD", "exact", (0.5248432, 6.1830853, 0.8913594, 1.6140022), -9582.1357156),
    ("MBGNBD", "rounded", (0.524838, 6.182992, 0.891356, 1.613999), -9582.132685),
    ("ParetoNBD", "exact", (0.553277, 10.577683, 0.606240, 11.668748), -9594.976179),
    ("BGNBD", "master", (0.2516240, 4.7889442, 0.7234336, 2.161088), -95368.44393),
    ("MBGNBD", "master", (0.6371397, 7.3102896, 0.8074741, 1.2283940), -95336.95832),
    ("ParetoNBD", "master", (0.5974200, 11.5856581, 0.5221849, 8.8277430), -95415.11862),
    ("ParetoNBD", "rounded", (0.553275, 10.577612, 0.606214, 11.667922), -9594.973930),
]


@pytest.mark.parametrize(("name", "variant", "estimates", "value"), PURCHASES)
def test_purchase_models(name, variant, estimates, value, request):
    model = getattr(clv, name)().fit(request.getfixturevalue(variant))
    np.testing.assert_allclose(model.parameters_["estimate"], estimates, rtol=2e-5)
    assert model.log_likelihood_ == pytest.approx(value, abs=6e-5)
    assert model.converged_
    assert model.boundary_ is None
    assert model.gradient_norm_ < 1e-9


STANDARD_ERRORS = [
    ("BGNBD", (0.012557, 0.378224, 0.185733, 0.705407)),
    ("MBGNBD", (0.083268, 0.695621, 0.154790, 0.537495)),
    ("ParetoNBD", (0.0476279, 0.8427225, 0.1872815, 6.2111217)),
]


@pytest.mark.parametrize(("name", "errors"), STANDARD_ERRORS)
def test_standard_errors(name, errors, exact):
    table = getattr(clv, name)().fit(exact).parameters_
    np.testing.assert_allclose(table["std_error"], errors, rtol=4e-5)


def test_bgnbd_totals(exact):
    predicted = clv.BGNBD().fit(exact).predict(exact, horizon_days=52)
    assert predicted["expected_purchases"].sum() == pytest.approx(2089.3976, abs=2e-3)
    assert predicted["p_alive"].mean() == pytest.approx(0.81343956, abs=1e-6)


def test_gamma_gamma(exact):
    model = clv.GammaGamma(first_purchase=False).fit(exact)
    np.testing.assert_allclose(
        model.parameters_["estimate"], [6.249349, 3.744256, 15.444307], rtol=6e-5
    )
    np.testing.assert_allclose(
        model.parameters_["std_error"], [1.18997, 0.29014, 4.15953], rtol=2e-4
    )
    assert model.log_likelihood_ == pytest.approx(-4055.9177, abs=6e-5)


def test_gamma_gamma_on_rounded_weeks(spenders):
    model = clv.GammaGamma(first_purchase=False).fit(spenders)
    np.testing.assert_allclose(
        model.parameters_["estimate"], [6.248802, 3.744588, 15.447748], rtol=2e-6
    )
    assert model.log_likelihood_ == pytest.approx(-4055.92324, abs=6e-6)


def test_value_by_the_steps_of_lifetimes(spenders):
    # lifetimes sums 12 steps of 4.345 weeks, each discounted to its end at 1 % a step; ours
    # discounts each purchase from its moment.
    buys, spend = clv.BGNBD().fit(spenders), clv.GammaGamma(first_purchase=False).fit(spenders)
    amount = spend.predict(spenders)["expected_amount"]
    step, rate = 4.345, 0.01
    expected = [
        buys.predict(spenders, horizon_days=step * month)["expected_purchases"]
        for month in range(13)
    ]
    late = sum(
        amount * (expected[month] - expected[month - 1]) / (1 + rate) ** month
        for month in range(1, 13)
    )
    assert late[spenders["customer_id"] == 1].item() == pytest.approx(36.278496, abs=1e-4)
    assert late.sum() == pytest.approx(71_509.8993, rel=1e-6)
    # The table is in weeks: 365 "days" of a year are 365 weeks.
    yearly = (1 + rate) ** (365 / step) - 1
    options = {"horizon_days": 12 * step, "annual_discount_rate": yearly}
    ours = clv.lifetime_value(spenders, purchases=buys, spend=spend, **options)["lifetime_value"]
    assert (ours >= late).all()
    assert (ours <= late * (1 + rate)).all()
    assert ours.sum() / late.sum() == pytest.approx(1.005, abs=1e-3)


def test_pareto_predictions_of_btyd(exact):
    # As run with BTYD at estimates of its own, which differ in the fourth digit.
    model = clv.ParetoNBD().fit(exact)
    x, t_x = [26, 0, 10, 15, 20, 25], [30.86, 0, 20, 20, 20, 20]
    kinds = pd.DataFrame({"customer_id": range(6), "frequency": x, "recency": t_x})
    told = model.predict(kinds.assign(T=[31, 0, 39, 39, 39, 39]), horizon_days=52)
    truth = [25.4553181, 1.473112689, 0.7059673422, 0.1441877974, 0.02249928243, 0.003091789614]
    np.testing.assert_allclose(told["expected_purchases"], truth, rtol=1e-3)
    assert told.loc[0, "p_alive"] == pytest.approx(0.9979178964, abs=1e-6)


def test_pareto_totals(exact):
    # CLVTools: CET over 52 weeks, P(alive) and DERT at delta = ln(1.1) / 52 per week.
    model = clv.ParetoNBD().fit(exact)
    predicted = model.predict(exact, horizon_days=52)
    # CLVTools stops a little before the optimum, so its total has four digits.
    assert predicted["expected_purchases"].sum() == pytest.approx(2110.211, rel=2e-4)
    assert predicted["p_alive"].mean() == pytest.approx(0.44631776, rel=2e-4)
    best = exact["customer_id"] == 1516
    assert predicted.loc[best, "p_alive"].item() == pytest.approx(0.99787394, abs=2e-6)
    assert predicted.loc[best, "expected_purchases"].item() == pytest.approx(25.45690019, rel=2e-4)
    # A year of 52 time units instead of 365: the rate per unit is what counts.
    rate = 1.1 ** (365 / 52) - 1
    dert = model.predict(exact[best], horizon_days=np.inf, annual_discount_rate=rate)
    assert dert["discounted_purchases"].item() == pytest.approx(107.77198388, rel=2e-3)


def test_gamma_gamma_on_the_master_log(master):
    model = clv.GammaGamma(first_purchase=False).fit(master)
    assert model.n_customers_ == 9450
    np.testing.assert_allclose(
        model.parameters_["estimate"], [6.275359, 3.624450, 14.983687], rtol=2e-5
    )
    assert model.log_likelihood_ == pytest.approx(-40763.47626, abs=6e-5)


def test_first_purchases_rank_those_who_bought_once():
    # Share of the later sales of one-time buyers that the tenth valued most brings.
    table = clv.holdout_table(load_cdnow(), as_of="1997-09-30")
    buys, once = clv.ParetoNBD().fit(table), table["frequency"] == 0
    sales = (table["holdout_frequency"] * table["holdout_monetary_value"])[once]
    shares = []
    for first in (False, True):
        spend = clv.GammaGamma(first_purchase=first).fit(table)
        value = clv.lifetime_value(table, purchases=buys, spend=spend, horizon_days=273)
        worth = value.loc[once, "lifetime_value"].sort_values(ascending=False, kind="stable")
        shares.append(sales[worth.index[: len(worth) // 10]].sum() / sales.sum())
    np.testing.assert_allclose(shares, [0.12, 0.235], atol=0.003)


def test_knowledge_puts_customers_in_a_better_order_than_buying_as_before():
    # By Spearman's correlation with ties it would not: .452 against .485.
    table = clv.holdout_table(load_cdnow(), as_of="1997-09-30")
    judged = clv.model_comparison(table, models={"Pareto/NBD": clv.ParetoNBD().fit(table)})
    order = judged.set_index("model")["concordance"]
    assert order["Pareto/NBD"] == pytest.approx(0.756, abs=6e-4)
    assert order["as_before"] == pytest.approx(0.743, abs=6e-4)


def test_gamma_gompertz_ends_at_pareto(exact):
    # The tests of CLVTools 0.12.1: r .55313, alpha 10.5758, b 1.1e-6, s .60682, beta 1.3e-5 on a
    # flat ridge, with a log-likelihood of -9594.9762; beta / b is Pareto's beta.
    model = clv.GGomNBD().fit(exact)
    r, alpha, b, s, beta = model.parameters_["estimate"]
    assert model.log_likelihood_ == pytest.approx(-9594.9762, abs=1e-4)
    np.testing.assert_allclose([r, alpha, s], [0.55313, 10.5758, 0.60682], rtol=2e-3)
    assert beta / b == pytest.approx(1.3e-5 / 1.1e-6, rel=0.05)
    assert "Pareto/NBD" in model.boundary_
