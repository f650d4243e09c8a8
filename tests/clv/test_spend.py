"""The gamma-gamma model: likelihood, limits, recovery."""

import mpmath
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from clv import oracles
from crmkit import clv
from crmkit.clv._math.lognormal import expected_lognormal, lognormal_density
from crmkit.clv._math.returns import stays_density
from crmkit.clv._math.spend import counts_density, expected_spend, spend_density
from crmkit.clv._model.priors import prior_of
from crmkit.errors import InputError

positive = st.floats(0.05, 300.0)


@given(theta=st.tuples(positive, positive, positive), x=st.integers(1, 200), z=positive)
def test_likelihood_equals_the_definition(theta, x, z):
    x, z = np.array([float(x)]), np.array([z])
    found = counts_density(theta, x)[0] + spend_density(theta, x, z)[0]
    exact = oracles.gamma_gamma_log_likelihood(theta, x[0], z[0])
    assert found[0] == pytest.approx(float(exact), rel=1e-10, abs=1e-9)


@pytest.mark.parametrize(
    ("x", "z", "truth"),
    [(2, 22.35, 24.6637139), (1, 11.77, 18.9168521), (0, 0, 35.2189781), (7, 73.74, 71.4696709)],
)
def test_expected_spend_matches_the_published_values(x, z, truth):
    found = expected_spend((6.25, 3.74, 15.44), np.array([float(x)]), np.array([z]))
    assert found[0] == pytest.approx(truth, abs=1e-7)


def _model(theta, **options):
    model = clv.GammaGamma(**options)
    model.returns_ = len(theta) > 3
    model.coefficients_ = np.log(theta)
    model.coefficient_covariance_ = np.eye(len(theta)) * 1e-4
    return model


def test_an_infinite_mean_is_told_and_stops_nobody_else():
    table = pd.DataFrame(
        {
            "customer_id": [1, 2], "frequency": [0, 1], "monetary_value": [0.0, 30.0],
            "first_amount": [np.nan, 30.0], "kept_purchases": [0, 2],
        }
    )  # fmt: skip
    told = _model((3.0, 0.8, 20.0)).predict(table, interval="delta")
    assert told["expected_amount"].isna().tolist() == [True, False]
    assert told.attrs["account"]["customers_with_infinite_mean"] == 1


def test_simulate_then_recover():
    rng = np.random.default_rng(3)
    customers = pd.DataFrame({"customer_id": range(8000), "frequency": rng.poisson(2.0, 8000)})
    truth = np.array([4.0, 3.5, 25.0])
    drawn = _model(truth).simulate(customers, random_state=1)
    fitted = clv.GammaGamma().fit(drawn)
    table = fitted.parameters_
    assert (np.abs(table["estimate"] - truth) < 4 * table["std_error"]).all()
    assert fitted.n_customers_ == 8000
    predicted = fitted.predict(drawn)["expected_amount"]
    assert np.corrcoef(predicted, drawn["mean_amount"])[0, 1] > 0.7


def test_covariates_on_spend_are_recovered():
    rng = np.random.default_rng(5)
    n = 6000
    table = pd.DataFrame(
        {"customer_id": range(n), "frequency": 1 + rng.poisson(2.0, n), "member": np.arange(n) % 2}
    )
    model = clv.GammaGamma(spend_covariates=["member"])
    model.coefficients_ = np.log([4.0, 3.5, 25.0, np.exp(0.4)])
    fitted = clv.GammaGamma(spend_covariates=["member"]).fit(
        model.simulate(table).assign(member=table["member"])
    )
    effect = fitted.parameters_.set_index("term").loc["spend.member"]
    assert abs(effect["estimate"] - 0.4) < 4 * effect["std_error"]


def test_currency_only_rescales_v():
    rng = np.random.default_rng(3)
    customers = pd.DataFrame({"customer_id": range(900), "frequency": rng.poisson(2.0, 900)})
    euro = _model((4.0, 3.5, 25.0)).simulate(customers, random_state=1)
    money = ["monetary_value", "first_amount"]
    cents = euro.assign(**{name: euro[name] * 100 for name in money})
    one, hundred = clv.GammaGamma().fit(euro), clv.GammaGamma().fit(cents)
    ratio = hundred.parameters_["estimate"] / one.parameters_["estimate"]
    np.testing.assert_allclose(ratio, [1, 1, 100], rtol=1e-6)


def test_same_mean_for_all_is_a_named_boundary():
    rng = np.random.default_rng(6)
    x = 1 + rng.poisson(3.0, 500)
    customers = pd.DataFrame(
        {"customer_id": range(500), "frequency": x, "monetary_value": rng.gamma(4.0 * x) / x * 5}
    )
    model = clv.GammaGamma(first_purchase=False).fit(customers)
    if model.boundary_ is not None:
        assert "same mean spend" in model.boundary_
    predicted = model.predict(customers, interval="delta")
    assert predicted["expected_amount"].std() < 0.1 * predicted["expected_amount"].mean()
    assert np.isfinite(predicted.to_numpy(dtype=float)).all()


def test_nobody_with_spend_is_said():
    customers = pd.DataFrame({"customer_id": [1, 2], "frequency": [0, 0], "monetary_value": 0.0})
    with pytest.raises(InputError, match="no spend to learn from"):
        clv.GammaGamma(first_purchase=False).fit(customers)
    with pytest.raises(InputError, match="no spend to learn from"):
        clv.GammaGamma().fit(customers.assign(first_amount=5.0, kept_purchases=0))
    with pytest.raises(InputError, match="'kept_purchases' is missing"):
        clv.GammaGamma().fit(customers.assign(first_amount=5.0, kept_purchases=np.nan))
    with pytest.raises(InputError, match="'monetary_value' is missing"):
        clv.GammaGamma(first_purchase=False).fit(
            customers.assign(frequency=1, monetary_value=np.nan)
        )


@given(logs=st.lists(st.floats(-4.0, 4.0), min_size=3, max_size=3))
def test_expected_spend_is_finite_or_told(logs):
    customers = pd.DataFrame(
        {"customer_id": range(4), "frequency": [0, 1, 7, 900], "monetary_value": [0, 1e-3, 40, 1e7]}
    )
    told = _model(10.0 ** np.array(logs), first_purchase=False).predict(customers, interval="delta")
    endless = told["expected_amount"].isna()
    if endless.any():  # the mean of the population is infinite
        assert 10.0 ** logs[1] <= 1.0 + 1e-3
    assert np.isfinite(told[~endless].to_numpy(float)).all()
    assert (told.loc[~endless, "expected_amount"] > 0.0).all()


def test_the_return_density_equals_the_definition():
    rng = np.random.default_rng(0)
    a, b = 10.0 ** rng.uniform(-2, 3, (2, 50))
    n = rng.integers(1, 60, 50).astype(float)
    k = np.floor(n * rng.random(50))
    exact = [
        float(mpmath.log(mpmath.beta(a[i] + k[i], b[i] + n[i] - k[i]) / mpmath.beta(a[i], b[i])))
        for i in range(50)
    ]
    found = stays_density((1.0, 2.0, 3.0, a, b), k, n)
    np.testing.assert_allclose(found[0], exact, rtol=1e-9, atol=1e-9)
    assert _slopes_agree(stays_density, [1.0, 2.0, 3.0, 1.3, 0.4], (k, n), at=(3, 4))


def test_the_lognormal_density_is_that_of_every_amount():
    median, w, b = 20.0, 0.6, 0.9
    rng = np.random.default_rng(1)
    for k in (1, 2, 7):
        log = rng.normal(3.0, 1.0, k)
        cover = w * np.eye(k) + b
        exact = stats.multivariate_normal(np.full(k, np.log(median)), cover).logpdf(log) - log.sum()
        one = np.array([float(k)]), np.array([log.mean()]), np.array([log.var()])
        assert lognormal_density((median, w, b), *one)[0][0] == pytest.approx(exact, rel=1e-10)
        assert _slopes_agree(lognormal_density, [median, w, b], one, at=(0, 1, 2))
        # The mean amount to come, by integrating over the customer's mean.
        m = np.linspace(-12, 18, 200_001)
        weight = stats.norm.pdf(m, np.log(median), b**0.5) * stats.norm.pdf(
            log.mean(), m, (w / k) ** 0.5
        )
        exact = (np.exp(m + w / 2) * weight).sum() / weight.sum()
        found = expected_lognormal((median, w, b), one[0], one[1])
        assert found[0] == pytest.approx(exact, rel=1e-8)


def _slopes_agree(density, theta, columns, *, at):
    """Whether gradient and Hessian are those of central differences."""

    def sums(point):
        pieces = density(point, *columns)
        return np.array([np.sum(pieces[1][j]) for j in at]), np.sum(pieces[0])

    _, gradient, hessian = density(theta, *columns)
    for j in at:
        step = np.zeros(len(theta))
        step[j] = 1e-5 * theta[j]
        (high, up), (low, down) = sums(np.array(theta) + step), sums(np.array(theta) - step)
        np.testing.assert_allclose(np.sum(gradient[j]), (up - down) / (2 * step[j]), rtol=1e-4)
        bent = [np.sum(hessian[min(j, k), max(j, k)]) for k in at]
        np.testing.assert_allclose(bent, (high - low) / (2 * step[j]), rtol=1e-4, atol=1e-7)
    return True


def returned_log(rng, n, share, *, sigma=None):
    """Purchases of a year, of which a share is returned in full some days later."""
    count = 1 + rng.poisson(rng.gamma(1.0, 3.0, n))
    who = np.repeat(np.arange(n), count)
    day = rng.integers(0, 340, who.size)
    if sigma is None:
        amount = (
            np.round(rng.gamma(4.0, 1.0, who.size) / rng.gamma(4.0, 1 / 40.0, n)[who], 2) + 0.01
        )
    else:
        amount = np.round(np.exp(rng.normal(3, sigma, n)[who] + rng.normal(0, 0.5, who.size)), 2)
    back = rng.random(who.size) < share
    bought = pd.DataFrame({"customer_id": who, "day": day, "amount": amount})
    refund = bought[back].assign(day=day[back] + rng.integers(1, 20, back.sum()))
    refund["amount"] *= -1.0
    log = pd.concat([bought, refund], ignore_index=True)
    return log.assign(date=pd.Timestamp("2024-01-01") + pd.to_timedelta(log["day"], unit="D"))


@pytest.mark.parametrize("share", [0.0, 0.1, 0.25, 0.4])
def test_the_total_holds_whatever_is_returned(share):
    # What a purchase day leaves on average, of 6,000 customers weighed by how often they bought.
    log = returned_log(np.random.default_rng(int(100 * share)), 6000, share)
    table = clv.purchase_table(log, heavy_tails=True)
    days = table["frequency"] + 1
    truth = log["amount"].sum()
    # Amounts that are gamma, and what late refunds leave of them, are no lognormal ones.
    for model, most in ((clv.GammaGamma(), 0.03), (clv.LognormalSpend(), 0.15)):
        amount = model.fit(table).predict(table)["expected_amount"]
        assert (amount * days).sum() == pytest.approx(truth, rel=most)


def test_who_returns_everything_is_worth_about_nothing():
    log = returned_log(np.random.default_rng(5), 800, 0.1)
    day = pd.Timestamp("2024-03-01") + pd.to_timedelta(np.arange(11) * 7, unit="D")
    own = pd.DataFrame({"customer_id": 10_000, "date": day, "amount": 50.0})
    back = own.assign(amount=-50.0, date=day + pd.Timedelta(days=2))
    heavy = with_returners(log)
    table = clv.purchase_table(pd.concat([heavy, own, back], ignore_index=True))
    told = clv.GammaGamma().fit(table).predict(table).set_index("customer_id")
    assert table.set_index("customer_id").loc[10_000, "kept_purchases"] == 0
    assert told.loc[10_000, "expected_amount"] < 0.15 * told["expected_amount"].mean()
    assert told["expected_amount"].rank().loc[10_000] < 0.2 * len(told)


def test_a_refund_of_what_was_bought_before_the_log_withholds_nobodys_value():
    rng = np.random.default_rng(8)
    n = 300
    log = pd.DataFrame(
        {
            "customer_id": np.repeat(np.arange(n), 4),
            "date": pd.Timestamp("2024-01-01")
            + pd.to_timedelta(rng.integers(0, 300, 4 * n), unit="D"),
            "amount": rng.gamma(3.0, 10.0, 4 * n),
        }
    )
    owed = pd.DataFrame(  # 5 and 6 paid, but 100 back on the day of the first purchase
        {
            "customer_id": n,
            "date": pd.to_datetime(["2024-02-01", "2024-02-01", "2024-03-01", "2024-04-01"]),
            "amount": [5.0, -100.0, 5.0, 6.0],
        }
    )
    table = clv.purchase_table(pd.concat([log, owed]), heavy_tails=True)
    last = table.set_index("customer_id").loc[n]
    assert (last["kept_purchases"], last["log_amount_mean"], last["log_amount_std"]) == (0, 0, 0)
    others = clv.purchase_table(log, heavy_tails=True)
    assert table.iloc[:n].equals(others)
    for spend in (clv.GammaGamma(), clv.LognormalSpend()):
        expected = spend.fit(table).predict(table).set_index("customer_id")["expected_amount"]
        assert expected[n] < 0.2 * expected.drop(n).min()


def with_returners(log):
    """The log with every tenth customer returning all: customers differ in how much they return."""
    all_back = log[(log["customer_id"] % 10 == 0) & (log["amount"] > 0)]
    rest = log[log["customer_id"] % 10 != 0]
    return pd.concat([rest, all_back, all_back.assign(amount=-all_back["amount"])])


def test_first_purchases_tell_one_time_buyers_apart():
    log = returned_log(np.random.default_rng(8), 2000, 0.0)
    table = clv.purchase_table(log)
    once = table["frequency"] == 0
    told = clv.GammaGamma().fit(table).predict(table)["expected_amount"]
    assert np.corrcoef(told[once], table.loc[once, "first_amount"])[0, 1] > 0.9
    old = clv.GammaGamma(first_purchase=False).fit(table).predict(table)["expected_amount"]
    assert old[once].nunique() == 1


def test_simulated_returns_are_recovered():
    rng = np.random.default_rng(3)
    customers = pd.DataFrame({"customer_id": range(8000), "frequency": rng.poisson(2.0, 8000)})
    truth = np.array([4.0, 3.5, 25.0, 3.0, 0.8])
    for model, theta in (
        (clv.GammaGamma(), truth), (clv.LognormalSpend(), np.array([20.0, 0.4, 0.7, 3.0, 0.8])),
    ):  # fmt: skip
        model.coefficients_, model.returns_ = np.log(theta), True
        drawn = model.simulate(customers, random_state=1)
        fitted = type(model)().fit(drawn)
        table = fitted.parameters_
        assert (np.abs(table["estimate"] - theta) < 4 * table["std_error"]).all()
        told, rates = fitted.predict(drawn), fitted.return_table(drawn)
        assert told["expected_amount"].mean() == pytest.approx(
            drawn["mean_amount"].mean(), rel=0.06
        )
        pd.testing.assert_series_equal(told["p_kept"], rates["p_kept"])
        assert rates["conf_low"].lt(rates["p_kept"]).all()
        assert rates["p_kept"].lt(rates["conf_high"]).all()
        assert rates["conf_high"].lt(1).all()


def test_a_heavy_tail_has_a_mean_and_the_right_total():
    # Firms whose log-spend deviates by 1.5; what the next purchase of everybody brings.
    rng = np.random.default_rng(2)
    n, x = 4000, rng.poisson(2.0, 4000)
    mean = rng.normal(4.0, 1.5, n)
    amounts = [np.exp(rng.normal(m, 0.5, k + 1)) for m, k in zip(mean, x, strict=True)]
    log = [np.log(each) for each in amounts]
    table = pd.DataFrame(
        {
            "customer_id": range(n), "frequency": x, "first_amount": [a[0] for a in amounts],
            "kept_purchases": x + 1, "log_amount_mean": [each.mean() for each in log],
            "log_amount_std": [each.std() for each in log],
        }
    )  # fmt: skip
    told = clv.LognormalSpend().fit(table).predict(table)["expected_amount"]
    assert np.isfinite(told).all()
    assert told.sum() == pytest.approx(np.exp(mean + 0.125).sum(), rel=0.05)


def test_weak_priors_of_lognormal_spend_are_about_the_median_and_deviations_of_logarithms():
    table = pd.DataFrame(
        {"customer_id": range(60), "frequency": 2, "monetary_value": np.linspace(5, 40, 60)}
    )
    table = table.assign(first_amount=table["monetary_value"] * 1.5, kept_purchases=3)
    rng = np.random.default_rng(0)
    logs = np.log(table["monetary_value"]) + rng.normal(0, 0.1, 60)
    table = table.assign(log_amount_mean=logs, log_amount_std=rng.uniform(0.1, 0.6, 60))
    weak = clv.LognormalSpend(prior="weak", n_draws=0).fit(table)
    told = weak.prior_.set_index("term")
    assert told.loc["order_spread"].tolist() == told.loc["amount_spread"].tolist() == [0.05, 3.0]
    assert told.loc["amount", "high"] / told.loc["amount", "low"] == pytest.approx(10_000)
    # By hand: the median, and the square roots of the variances within and between customers.
    law, theta = weak._law, np.array([20.0, 0.36, 0.81])
    prior = prior_of(
        weak.prior_.iloc[:3], law.quantities, list(law.names[:3]), shift=np.zeros(3),
        spread=np.ones(3), offsets={},
    )  # fmt: skip
    np.testing.assert_allclose(np.exp(prior.quantities(np.log(theta))), [20.0, 0.6, 0.9])
