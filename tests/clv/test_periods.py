"""Models in whole periods: BG/BB, shifted beta-geometric, beta-discrete-Weibull."""

import math

import mpmath as mp
import numpy as np
import pandas as pd
import pytest

from clv import oracles
from crmkit import clv
from crmkit.clv._math import bgbb, contract
from crmkit.errors import InputError

HIGH_END = [0.869, 0.743, 0.653, 0.593, 0.551, 0.517, 0.491]
REGULAR = [0.631, 0.468, 0.382, 0.326, 0.289, 0.262, 0.241]


def arrays(*values):
    return [np.atleast_1d(np.asarray(value, dtype=float)) for value in values]


def pieces_of(density, *columns):
    """Return a function of the parameters: value, gradient and Hessian as arrays."""

    def pieces(theta):
        value, gradient, hessian = density(theta, *columns)
        p = len(theta)
        full = np.empty((value.size, p, p))
        for (i, j), curve in hessian.items():
            full[:, i, j] = full[:, j, i] = curve
        return value, np.stack([gradient[j] for j in range(p)], axis=-1), full

    return pieces


@pytest.mark.parametrize(
    ("density", "theta", "columns"),
    [
        (bgbb.density, (1.2, 0.75, 0.66, 2.78), ([0, 2, 3, 6], [0, 4, 3, 6], [6, 6, 5, 6])),
        (contract.geometric_density, (0.7, 3.0), ([1, 2, 5, 5], [1, 1, 1, 0])),
        (contract.weibull_density, (0.7, 3.0, 1.4), ([1, 2, 5, 5], [1, 1, 1, 0])),
    ],
)
def test_derivatives_equal_differences(density, theta, columns):
    pieces = pieces_of(density, *arrays(*columns))
    _, gradient, hessian = pieces(np.array(theta))
    numeric = oracles.central_difference(lambda p: pieces(p)[0], theta)
    np.testing.assert_allclose(gradient, numeric, rtol=1e-6, atol=1e-8)
    numeric = oracles.central_difference(lambda p: pieces(p)[1], theta)
    np.testing.assert_allclose(hessian, numeric, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize(
    ("theta", "donor", "truth"),
    [
        ((1.2, 0.75, 0.66, 2.78), (25, 40, 60), -33.6839838837),
        ((1.2, 0.75, 0.66, 2.78), (60, 100, 260), -76.385994849),
        ((2, 30, 1.5, 60), (20, 50, 104), -45.2461627307),
    ],
)
def test_bgbb_likelihood_on_hard_inputs(theta, donor, truth):
    assert bgbb.density(theta, *arrays(*donor))[0][0] == pytest.approx(truth, rel=1e-11)


def test_bgbb_likelihood_sums_to_one():
    # All histories of 5 opportunities: x purchases up to t_x can happen in C(t_x - 1, x - 1) ways.
    total = 0.0
    for t_x in range(6):
        for x in range(1 if t_x else 0, t_x + 1):
            ways = math.comb(t_x - 1, x - 1) if t_x else 1
            value = bgbb.density((1.2, 0.75, 0.66, 2.78), *arrays(x, t_x, 5))[0][0]
            total += ways * math.exp(value)
    assert total == pytest.approx(1.0, rel=1e-13)


def _bgbb(theta, **options):
    model = clv.BGBB(**{"period_days": 365, **options})
    model.coefficients_ = np.log(theta)
    model.coefficient_covariance_ = np.eye(4) * 1e-4
    return model


def donors(x, t_x, n):
    x, t_x, n = np.broadcast_arrays(x, t_x, n)
    ids = range(len(x))
    return pd.DataFrame({"customer_id": ids, "frequency": x, "recency": t_x, "periods": n})


def test_bgbb_discounted_residual_purchases_match_the_paper():
    model = _bgbb((1.2, 0.75, 0.66, 2.78))
    table = donors([3, 1, 2, 3, 4, 5, 6], [4, 6, 6, 6, 6, 6, 6], [6])
    found = model.predict(table, horizon_days=math.inf, annual_discount_rate=0.1)
    truth = [1.62137918584, 1.80204480, 2.62115607, 3.44026734, 4.25937861, 5.07848989, 5.89760116]
    np.testing.assert_allclose(found["discounted_purchases"], truth, rtol=3e-9)


def test_bgbb_expected_purchases_at_gamma_one():
    found = _bgbb((1.2, 0.75, 1.0, 2.78)).predict(donors([3], [4], [6]), horizon_days=10 * 365)
    below = _bgbb((1.2, 0.75, 1.0 - 1e-9, 2.78)).predict(donors([3], [4], [6]), horizon_days=3650)
    assert found["expected_purchases"][0] == pytest.approx(below["expected_purchases"][0], rel=1e-8)


def test_bgbb_horizon_counts_whole_opportunities():
    model = _bgbb((1.2, 0.75, 0.66, 2.78), period_days=30)
    table = donors([3], [4], [6])
    by_days = [model.predict(table, horizon_days=d)["expected_purchases"][0] for d in (29, 30, 59)]
    assert by_days[0] == 0.0
    assert by_days[1] == by_days[2] > 0.0


def test_bgbb_simulate_then_recover():
    truth = np.array([1.2, 0.8, 0.7, 3.0])
    empty = pd.DataFrame({"customer_id": range(12_000), "periods": 8})
    drawn = _bgbb(truth).simulate(empty, random_state=4)
    model = clv.BGBB(period_days=365).fit(drawn)
    table = model.parameters_
    assert (np.abs(table["estimate"] - truth) < 4 * table["std_error"]).all()
    assert drawn["alive"].mean() == pytest.approx(model.predict(drawn)["p_alive"].mean(), abs=0.02)


def cohort(survival, n=1000):
    """The members of a cohort as weighted rows: who left after t, and who is still there."""
    alive = np.array([1.0, *survival])
    t = np.arange(1, alive.size)
    return pd.DataFrame(
        {
            "customer_id": range(t.size + 1),
            "periods": [*t, t[-1]],
            "churned": [True] * t.size + [False],
            "n": np.append(-np.diff(alive), alive[-1]) * n,
        }
    )


@pytest.mark.parametrize(
    ("survival", "estimates", "later"),
    [
        (HIGH_END, (0.668088, 3.806094), (0.4604, 0.4358, 0.4142, 0.3951, 0.3780)),
        (REGULAR, (0.704077, 1.182043), (0.2201, 0.2044, 0.1912, 0.1799, 0.1700)),
    ],
)
def test_shifted_beta_geometric_matches_fader_and_hardie(survival, estimates, later):
    model = clv.ShiftedBetaGeometric(period_days=365).fit(cohort(survival), weights="n")
    np.testing.assert_allclose(model.parameters_["estimate"], estimates, rtol=2e-6)
    new = pd.DataFrame({"customer_id": [1], "periods": [0], "churned": [False]})
    for years, truth in zip(range(8, 13), later, strict=True):
        found = model.predict(new, alive_in_days=365 * years)["p_alive_later"][0]
        assert found == pytest.approx(truth, abs=5.1e-5)


def test_shifted_beta_geometric_likelihood_and_residual_lifetime():
    table = cohort(HIGH_END, n=1)
    value = contract.geometric_density((1.0, 1.0), *arrays(table["periods"], table["churned"]))[0]
    assert value @ table["n"] == pytest.approx(-2.11555, abs=5e-6)
    model = clv.ShiftedBetaGeometric(period_days=365)
    model.coefficients_ = np.log([0.668, 3.806])
    member = pd.DataFrame({"customer_id": [1], "periods": [7], "churned": [False]})
    found = model.predict(member, horizon_days=math.inf, annual_discount_rate=0.1)
    # Fader and Hardie (2010) discount the first renewal by no period.
    assert found["discounted_purchases"][0] * 1.1 == pytest.approx(7.529950, abs=5e-7)


def test_several_cohorts_match_the_paper():
    # Fader and Hardie (2007), appendix: one row per cohort, fewer periods for the younger.
    counts = [
        [10000, 8000, 6480, 5307, 4391],
        [10000, 8000, 6480, 5307],
        [10000, 8000, 6480],
        [10000, 8000],
    ]
    rows = []
    for line in counts:
        rows += [(t, True, line[t - 1] - line[t]) for t in range(1, len(line))]
        rows.append((len(line) - 1, False, line[-1]))
    table = pd.DataFrame(rows, columns=["periods", "churned", "n"])
    table.insert(0, "customer_id", range(len(table)))
    model = clv.ShiftedBetaGeometric(period_days=365).fit(table, weights="n")
    np.testing.assert_allclose(model.parameters_["estimate"], [3.79812, 15.19190], rtol=2e-6)


@pytest.mark.parametrize("c", [0.7, 1.0 + 1e-9, 1.4])
@pytest.mark.parametrize(("periods", "delta"), [(5000, 0.0), (math.inf, 1e-3), (100, 0.1)])
def test_weibull_sum_equals_term_by_term(c, periods, delta):
    one = np.ones(1)
    state = contract.ContractFuture(one, 0.668 * one, 3.806 * one, c * one, 3.0 * one, 1.0)
    j = np.arange(1.0, min(periods, 60_000) + 1)
    exact = (state._kept(j) * np.exp(-delta * j)).sum()
    assert state.expected(periods, delta)[0] == pytest.approx(exact, rel=1e-11)


def test_weibull_likelihood_equals_the_definition():
    alpha, beta, c = mp.mpf("0.7"), mp.mpf(3), mp.mpf("1.4")

    def survival(t):
        return mp.beta(alpha, beta + mp.mpf(t) ** c) / mp.beta(alpha, beta)

    t, churned = arrays([1, 2, 9, 9], [1, 1, 1, 0])
    found = contract.weibull_density((0.7, 3.0, 1.4), t, churned)[0]
    exact = [mp.log(survival(v - 1) - survival(v)) for v in (1, 2, 9)] + [mp.log(survival(9))]
    np.testing.assert_allclose(found, np.array(exact, dtype=float), rtol=1e-12)


@pytest.mark.parametrize("kind", [clv.ShiftedBetaGeometric, clv.BetaDiscreteWeibull])
def test_contracts_simulate_then_recover(kind):
    truth = np.array([0.8, 4.0, 1.3][: 2 + (kind is clv.BetaDiscreteWeibull)])
    model = kind(period_days=365)
    model.coefficients_ = np.log(truth)
    rng = np.random.default_rng(3)
    empty = pd.DataFrame({"customer_id": range(20_000), "periods": rng.integers(3, 12, 20_000)})
    table = kind(period_days=365).fit(model.simulate(empty, random_state=1)).parameters_
    assert (np.abs(table["estimate"] - truth) < 4 * table["std_error"]).all()


def test_contract_covariates_are_recovered():
    rng = np.random.default_rng(3)
    n = 20_000
    empty = pd.DataFrame({"customer_id": range(n), "periods": 8, "web": rng.integers(0, 2, n)})
    options = {"dropout_covariates": ["web"]}
    model = clv.ShiftedBetaGeometric(**options)
    model.coefficients_ = np.array([*np.log([0.8, 4.0]), 0.5, -0.3])
    drawn = model.simulate(empty, random_state=1).assign(web=empty["web"])
    fitted = clv.ShiftedBetaGeometric(**options).fit(drawn)
    error = np.sqrt(np.diag(fitted.coefficient_covariance_))
    assert (np.abs(fitted.coefficients_ - model.coefficients_) < 4 * error).all()


def test_impossible_rows_are_named():
    with pytest.raises(InputError, match=r"above `periods`.*above `recency`"):
        clv.BGBB(period_days=365).fit(donors([1, 4], [7, 3], [6, 6]))
    wrong = pd.DataFrame({"customer_id": [1, 2], "periods": [0, 1.5], "churned": [1, 2]})
    with pytest.raises(InputError, match=r"whole number.*neither 0 nor 1.*`periods` is 0"):
        clv.ShiftedBetaGeometric(period_days=365).fit(wrong)
    with pytest.raises(InputError, match="period_days"):
        clv.BGBB(period_days=0).fit(donors([1, 2], [1, 3], [6, 6]))


def test_nobody_leaves_is_a_boundary():
    table = pd.DataFrame({"customer_id": range(50), "periods": 4, "churned": False})
    model = clv.ShiftedBetaGeometric(period_days=365).fit(table)
    assert model.boundary_ is not None
    assert model.converged_
    predicted = model.predict(table, interval="delta")
    assert predicted["expected_purchases"].min() == pytest.approx(1.0, abs=1e-3)


@pytest.mark.parametrize(
    ("theta", "t", "truth"),
    [
        # Sums over all renewals by mpmath at 60 digits.
        ((2.0, 3.8, 1.4), 3, 2.4621135109185235),
        ((0.668, 3.8, 1.6), 2, 47.6159482635849),
        ((3.0, 2.0, 0.5), 5, 37.58234290886193),
        ((0.6, 3.0, 1.6), 0, math.inf),
    ],
)
def test_an_endless_weibull_contract(theta, t, truth):
    alpha, beta, c, t = arrays(*theta, t)
    state = contract.ContractFuture(np.ones(1), alpha, beta, c, t, 30.0)
    assert state.expected(math.inf)[0] == pytest.approx(truth, rel=1e-12)
    gone = contract.ContractFuture(np.zeros(1), alpha, beta, c, t, 30.0)
    assert gone.expected(math.inf)[0] == 0.0


def test_weibull_survival_at_extreme_parameters():
    def kept(alpha, beta, c, t):
        alpha, beta, c, t = arrays(alpha, beta, c, t)
        return contract.ContractFuture(t, alpha, beta, c, t, 1.0)._kept(np.array([1.0, 2.0]))[0]

    # Gamma functions of t^c near 1e23, and 1e4 renewals to one (mpmath at 60 digits).
    steep = kept(5007.93545943, 38.63339335, 7.65885158, 400)
    np.testing.assert_allclose(steep, [2.56164077595978e-42, 8.32965096445809e-84], rtol=1e-10)
    np.testing.assert_allclose(kept(0.8, 3.0, 1e4, 0), [3.0 / 3.8, 0.0])
    # The same dropout probability of a quarter for all: (3/4)^(t^c).
    same = kept(1e26, 3e26, 1.2, 5)
    np.testing.assert_allclose(same, 0.75 ** (np.array([6.0, 7.0]) ** 1.2 - 5**1.2), rtol=1e-12)


def test_contract_likelihood_at_extreme_parameters():
    # t^c up to 6e16 and alpha of 0.05: the gamma functions alone would cancel to the last digit.
    theta = (0.04931946639431982, 17279.716051185933, 5.666701316239998)
    t, churned = arrays([10, 105, 916, 916, 0], [1, 1, 1, 0, 0])
    value, gradient, _ = contract.weibull_density(theta, t, churned)
    exact = [-3.7248545833377897, -6.7421310373472805, -9.51897316880899, -1.424826295203498, 0.0]
    np.testing.assert_allclose(value, exact, rtol=1e-11)
    numeric = oracles.central_difference(
        lambda logs: contract.weibull_density(np.exp(logs), t, churned)[0], np.log(theta)
    )
    slopes = np.stack([gradient[j] * theta[j] for j in range(3)], axis=-1)
    np.testing.assert_allclose(slopes, numeric, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("seed", range(25))
def test_a_contract_likelihood_is_no_more_than_certainty(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 15))
    ids = {"customer_id": range(n), "churned": rng.integers(0, 2, n)}
    table = pd.DataFrame({**ids, "periods": np.floor(10 ** rng.uniform(0, 3, n))})
    plain, aged = (
        kind(period_days=365).fit(table)
        for kind in (clv.ShiftedBetaGeometric, clv.BetaDiscreteWeibull)
    )
    assert plain.log_likelihood_ - 1e-6 <= aged.log_likelihood_ <= 1e-9
    assert plain.converged_
    for model in (plain, aged):
        told = model.predict(table, interval="delta", annual_discount_rate=0.1)
        assert np.isfinite(told.to_numpy(float)).all()


def test_more_periods_than_can_be_added_up_are_refused_in_words():
    table = pd.DataFrame({
        "customer_id": range(8),
        "frequency": [0, 1, 2, 3, 0, 6, 4, 1],
        "recency": [0, 2, 5, 4, 0, 6, 6, 1],
        "periods": [6] * 8,
    })  # fmt: skip
    model = clv.BGBB(period_days=1).fit(table)
    for most in (10_001, 1e15, 1e300):
        far = table.assign(periods=[6.0] * 7 + [most])
        for ask in (clv.BGBB(period_days=365).fit, model.predict, model.simulate):
            with pytest.raises(InputError, match=r"10,000 in 1 of 8 rows \(first at row 7\)"):
                ask(far)
        words = r"`horizon_days` (holds .* periods of 1 days|must be a number .* at most)"
        with pytest.raises(InputError, match=words):
            model.purchase_probabilities(table, horizon_days=most)
    assert model.predict(table, horizon_days=1e6)["expected_purchases"].notna().all()
    assert len(model.predict(table.assign(periods=1000), horizon_days=30)) == 8
    long = model.purchase_probabilities(table.head(1), horizon_days=300, max_purchases=2)
    assert long["p_exactly"].between(0, 1).all()


def test_histories_of_a_million_years_are_not_drawn():
    customers = pd.DataFrame(
        {
            "customer_id": [1, 2, 3, 4],
            "frequency": [0, 1, 2, 9],
            "recency": [0, 3, 9, 20.0],
            "T": 30,
        }
    )
    model = clv.BGNBD().fit(customers)
    with pytest.raises(InputError, match=r"'T' is above 365,000 in 1 of 4 rows"):
        model.simulate(customers.assign(T=[30.0, 30.0, 30.0, 4e8]))
