"""Priors, draws from posteriors, and histories that go on: against grids and exact chances."""

from functools import partial

import numpy as np
import pandas as pd
import pytest
from scipy import linalg

from clv.oracles import central_difference
from crmkit import clv
from crmkit.clv._math import posterior
from crmkit.clv._math.batch import at_many
from crmkit.clv._math.likelihood import Part, _evaluate, positions
from crmkit.clv._math.pareto import times_density
from crmkit.clv._math.posterior import _pareto_fit, draw, smoothed_weights
from crmkit.clv._math.prior import from_scale, to_scale
from crmkit.clv._math.rows import Rows
from crmkit.clv._math.spend import GammaSpend
from crmkit.clv._model.intervals import outcome_interval, outcomes
from crmkit.clv._model.priors import prior_of
from crmkit.errors import InputError

DAYS = pd.DataFrame(
    {
        "customer_id": range(3), "frequency": [0, 3, 12], "recency": [0.0, 100.0, 290.0],
        "T": [300.0] * 3,
    }
)  # fmt: skip
DONORS = pd.DataFrame(
    {"customer_id": range(3), "frequency": [0, 2, 6], "recency": [0, 4, 6], "periods": [6] * 3}
)
MEMBERS = pd.DataFrame({"customer_id": range(3), "periods": [0, 2, 6], "churned": [False] * 3})
TRUE = [
    (clv.BGNBD, {}, [0.8, 30.0, 0.9, 2.5], DAYS),
    (clv.MBGNBD, {}, [0.8, 30.0, 0.9, 2.5], DAYS),
    (clv.ParetoNBD, {}, [0.8, 30.0, 0.9, 100.0], DAYS),
    (clv.BGCNBD, {"k": 2}, [1.2, 20.0, 0.9, 2.5], DAYS),
    (clv.MBGCNBD, {"k": 3}, [1.2, 20.0, 0.9, 2.5], DAYS),
    (clv.BGBB, {"period_days": 365}, [1.2, 0.8, 0.7, 3.0], DONORS),
    (clv.ShiftedBetaGeometric, {"period_days": 365}, [0.8, 4.0], MEMBERS),
    (clv.BetaDiscreteWeibull, {"period_days": 365}, [0.8, 4.0, 1.3], MEMBERS),
]
# Members who leave the more the longer they stay, which no beta distribution can say: a boundary.
ALIKE = pd.DataFrame(
    {"customer_id": range(40), "periods": [1] + [2] * 9 + [3] * 30,
     "churned": [True] * 10 + [False] * 30}
)  # fmt: skip


def known(kind, options, truth, n_draws=1):
    """A model whose posterior is one point."""
    model = kind(**options, random_state=0)
    model.coefficients_ = np.log(truth)
    model.coefficient_draws_ = np.tile(np.log(truth), (n_draws, 1))
    if "k" in options:
        model.k_ = options["k"]
    return model


def base(n=120, seed=0):
    start = pd.DataFrame({"customer_id": range(n), "T": np.linspace(100.0, 400.0, n)})
    return known(*TRUE[0][:3]).simulate(start, random_state=seed)


# Priors.


@pytest.mark.parametrize("kind", [case[0] for case in TRUE] + [clv.GammaGamma])
def test_prior_is_a_density_of_logarithms_with_its_derivatives(kind):
    names, quantities = kind()._names, kind()._law.quantities
    n = len(names)
    table = pd.DataFrame([(q.name, q.low, q.high) for q in quantities], columns=["term", "low",
                         "high"])  # fmt: skip
    shift = np.where(np.isin(names, kind()._law.scaled), 3.0, 0.0)
    prior = prior_of(table, quantities, names, shift=shift, spread=np.ones(n), offsets={})
    rng = np.random.default_rng(0)
    points = rng.normal(0, 1.5, (20, n))
    slopes = prior.slopes(points)
    # A constant Jacobian: the density of the quantities is that of the logarithms.
    np.testing.assert_allclose(np.abs(np.linalg.det(slopes)), np.abs(np.linalg.det(slopes[0])))
    for point in points[:3]:
        own = central_difference(prior.quantities, point)
        np.testing.assert_allclose(prior.slopes(point), own, atol=1e-8)
        gradient = central_difference(prior.value, point)
        np.testing.assert_allclose(prior.gradient(point), gradient, atol=1e-6)
        hessian = central_difference(prior.gradient, point)
        np.testing.assert_allclose(prior.hessian(point), hessian, atol=1e-6)
    # What the quantities are, by hand.
    theta = dict(zip(names, np.exp(points[0] + shift), strict=True))
    told = {
        q.name: float(from_scale(value, q.scale))
        for q, value in zip(quantities, prior.quantities(points[0]), strict=True)
    }
    by_hand = {
        "gap_days": lambda r, alpha, **_: alpha / r,
        "gap_spread": lambda r, **_: r**-0.5,
        "life_days": lambda s, beta, **_: beta / s,
        "life_spread": lambda s, **_: s**-0.5,
        "amount": lambda p, q, v: p * v / q,
        "order_spread": lambda p, **_: p**-0.5,
        "amount_spread": lambda q, **_: q**-0.5,
        "c": lambda c, **_: c,
    }
    for name, value in told.items():
        if name in by_hand:
            assert value == pytest.approx(by_hand[name](**theta), rel=1e-9)
        else:  # the mean of a beta distribution, and its deviation over the largest possible
            pairs = {"p_purchase": ("alpha", "beta"), "purchase_spread": ("alpha", "beta")}
            leaving = kind()._law.leaving or ("a", "b")
            a, b = (theta[one] for one in pairs.get(name, leaving))
            mean = a / (a + b)
            deviation = (mean * (1 - mean) / (a + b + 1)) ** 0.5
            wanted = mean if name.startswith("p_") else deviation / (mean * (1 - mean)) ** 0.5
            assert value == pytest.approx(wanted, rel=1e-9)


@pytest.mark.parametrize("scale", ["positive", "chance", "variation", "division", "plain"])
def test_scales_go_back_and_forth(scale):
    values = np.array([0.01, 0.3, 0.9])
    np.testing.assert_allclose(from_scale(to_scale(values, scale), scale), values)


def test_prior_table_is_whole_and_goes_back_in():
    own = pd.DataFrame({"term": ["gap_days", "dropout.x"], "low": [20.0, -0.1],
                        "high": [40.0, 0.3]})  # fmt: skip
    table = base().assign(x=np.tile([0.0, 1.0], 60))
    options = {"dropout_covariates": ["x"], "tie": [["dropout_a.x", "dropout_b.x"]]}
    weak = clv.BGNBD(**options, prior="weak", n_draws=50, random_state=1).fit(table)
    assert weak.prior_["term"].tolist() == [
        "gap_days", "gap_spread", "p_dropout", "dropout_spread", "dropout_a.x", "dropout_b.x",
    ]  # fmt: skip
    again = clv.BGNBD(**options, prior=weak.prior_, n_draws=50, random_state=1).fit(table)
    np.testing.assert_allclose(again.coefficient_draws_, weak.coefficient_draws_, rtol=1e-6)
    own["term"] = ["gap_days", "dropout_a.x"]
    sure = clv.BGNBD(**options, prior=own, n_draws=50, random_state=1).fit(table)
    kept = sure.prior_.set_index("term")
    assert kept.loc["gap_days"].tolist() == [20.0, 40.0]
    assert kept.loc["gap_spread"].tolist() == [0.2, 5.0]
    r, alpha = sure.parameters_["estimate"][:2]
    assert 15.0 < alpha / r < 60.0


@pytest.mark.parametrize(
    ("prior", "message"),
    [
        ("strong", "'weak' or a table"),
        (3, "'weak' or a table"),
        (pd.DataFrame({"term": ["gap_days"], "low": [1.0]}), "high"),
        (pd.DataFrame({"term": ["alpha"], "low": [1.0], "high": [2.0]}), "has no prior for"),
        (pd.DataFrame({"term": ["gap_days"], "low": [2.0], "high": [2.0]}), "not below `high`"),
        (pd.DataFrame({"term": ["gap_days"], "low": [0.0], "high": [2.0]}), "not above 0"),
        (pd.DataFrame({"term": ["p_dropout"], "low": [0.1], "high": [1.0]}), "not below 1"),
        (
            pd.DataFrame({"term": ["gap_days"] * 2, "low": [1.0] * 2, "high": [2.0] * 2}),
            "a term twice",
        ),
    ],
)
def test_prior_that_cannot_be_meant_is_refused(prior, message):
    with pytest.raises(InputError, match=message):
        clv.BGNBD(prior=prior).fit(base(20))


def test_a_strong_prior_decides_and_a_weak_one_hardly_moves_a_large_base():
    many = base(4000)
    free, weak = clv.BGNBD().fit(many), clv.BGNBD(prior="weak", n_draws=0).fit(many)
    moved = np.abs(weak.coefficients_ - free.coefficients_)
    assert (moved < 0.3 * np.sqrt(np.diag(free.coefficient_covariance_))).all()
    assert free.log_likelihood_ - 0.1 < weak.log_likelihood_ < free.log_likelihood_
    sure = pd.DataFrame({"term": ["p_dropout"], "low": [0.7], "high": [0.71]})
    a, b = clv.BGNBD(prior=sure, n_draws=0).fit(base(40)).parameters_["estimate"][2:]
    assert a / (a + b) == pytest.approx(0.705, abs=0.005)


# Draws.


def test_many_points_at_once_are_those_one_by_one():
    rng = np.random.default_rng(2)
    T = rng.uniform(5.0, 40.0, 30)
    x = rng.integers(0, 6, 30).astype(float)
    t_x = np.where(x > 0, T * rng.random(30), 0.0)
    for designs in ((None,) * 4, (None, rng.normal(size=(30, 2)), None, rng.normal(size=(30, 1)))):
        widths = [0 if design is None else design.shape[1] for design in designs]
        part = Part(times_density, (x, t_x, T), rng.uniform(1, 3, 30), designs)
        points = rng.normal(0, 0.5, (7, 4 + sum(widths)))
        value, gradient = at_many([part], points, positions(widths))
        one = [_evaluate([part], point, positions(widths)) for point in points]
        np.testing.assert_allclose(value, [found[0] for found in one])
        np.testing.assert_allclose(gradient, [found[1] for found in one], atol=1e-9)
    points[0, 0] = 61.0
    assert at_many([part], points, positions(widths))[0][0] == -np.inf


@pytest.mark.parametrize("shape", [-0.2, 0.3, 0.8])
def test_tail_shape_is_that_of_the_weights(shape):
    rng = np.random.default_rng(3)
    found = []
    for _ in range(20):
        values = 1.0 + np.expm1(-shape * np.log(rng.random(4000))) / shape
        found.append(smoothed_weights(np.log(values))[1])
    assert np.mean(found) == pytest.approx(shape, abs=0.08)


def test_smoothed_weights_keep_even_ones_and_tame_one_large():
    weights, shape = smoothed_weights(np.zeros(50))
    np.testing.assert_allclose(weights, 0.02)
    assert shape == -np.inf
    rough = np.random.default_rng(0).normal(0, 3, 2000)
    rough[7] = 18.0
    weights, shape = smoothed_weights(rough)
    assert weights.max() < 0.9 < np.exp(18.0) / np.exp(rough).sum()
    assert weights.sum() == pytest.approx(1.0)
    assert shape > 0.7


def on_a_grid(model):
    """Mean and deviation of both log-parameters of members, by adding up a fine grid."""
    prior = prior_of(model.prior_, model._law.quantities, model._names, shift=np.zeros(2),
                     spread=np.ones(2), offsets={})  # fmt: skip
    axis = np.linspace(-9.0, 14.0, 400)
    points = np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1).reshape(-1, 2)
    a, b = np.exp(points.T)
    log = prior.value(points)
    for periods, churned, count in ((1, 1, 1), (2, 1, 9), (3, 0, 30)):
        kept = np.ones_like(a)
        for t in range(periods - churned):
            kept = kept * (b + t) / (a + b + t)
        log += count * np.log(kept * (a / (a + b + periods - 1) if churned else 1.0))
    weight = np.exp(log - log.max())
    weight /= weight.sum()
    mean = weight @ points
    return mean, np.sqrt(weight @ (points - mean) ** 2)


@pytest.mark.parametrize("moved", [False, True])
def test_draws_at_a_boundary_are_those_of_a_grid(moved, monkeypatch):
    if moved:  # as if no weights could be trusted
        monkeypatch.setattr(posterior, "_TRUSTED", -5.0)
        monkeypatch.setattr(posterior, "_ROUNDS", 1)
    assert clv.ShiftedBetaGeometric(period_days=365).fit(ALIKE).boundary_ is not None
    model = clv.ShiftedBetaGeometric(
        period_days=365, prior="weak", n_draws=4000, random_state=1
    ).fit(ALIKE)
    assert model.boundary_ is None
    assert model.posterior_["method"] == ("hamiltonian" if moved else "importance")
    mean, deviation = on_a_grid(model)
    draws = model.coefficient_draws_
    np.testing.assert_allclose(draws.mean(axis=0), mean, atol=0.07 * deviation.max())
    np.testing.assert_allclose(draws.std(axis=0), deviation, rtol=0.07)


@pytest.mark.parametrize(
    "kind",
    [clv.BGNBD, clv.MBGNBD, partial(clv.BGCNBD, k=3), partial(clv.MBGCNBD, k=2), clv.ParetoNBD],
)
@pytest.mark.parametrize("covariates", [(), ("age",)])
def test_values_without_slopes_are_those_with(kind, covariates):
    rng = np.random.default_rng(4)
    x = rng.choice([0, 0, 1, 4, 60, 700], 40)
    T = rng.uniform(1.0, 400.0, 40)
    table = pd.DataFrame(
        {"customer_id": range(40), "frequency": x, "T": T, "age": rng.normal(size=40)}
    )
    table["recency"] = np.where(x > 0, T * rng.choice([0.01, 0.5, 0.999999, 1.0], 40), 0.0)
    table["sum_log_gaps"] = np.where(x > 0, x * np.log(np.maximum(T, 2) / (x + 1)), 0.0)
    model = kind(purchase_covariates=covariates)
    if hasattr(model, "k"):
        model.k_ = model.k
    _, rows = model._rows(table)
    parts = model._law.parts(rows)
    assert all(part.value is not None for part in parts)
    where = positions([0 if design is None else design.shape[1] for design in rows.designs])
    points = rng.normal(0, 3.0, (60, 4 + len(covariates)))
    points[:4, :4] = [[9, 14, 0, 0], [-6, 3, 8, 9], [0, 3, -7, -7], [0.1, 4, 9, 16]]
    quick, nothing = at_many(parts, points, where, slopes=False)
    np.testing.assert_allclose(quick, at_many(parts, points, where)[0], rtol=1e-10, atol=1e-7)
    assert not nothing.any()


@pytest.mark.parametrize("covariates", [(), ("age",)])
def test_values_of_spend_without_slopes_are_those_with(covariates):
    rng = np.random.default_rng(4)
    x, z = rng.choice([1.0, 2.0, 40.0, 700.0], 30), rng.lognormal(0.0, 2.0, 30)
    kept, age = np.floor(x * rng.uniform(0.1, 1.0, 30)).clip(1.0), rng.normal(size=(30, 1))
    designs = (None, None, age if covariates else None, None, None)
    columns = {"bought": x, "kept": kept, "amount": z}
    parts = GammaSpend().with_returns().parts(Rows(columns, designs, np.ones(30), ...))
    assert len(parts) == 3
    assert all(part.value is not None for part in parts)
    where = positions([0 if design is None else design.shape[1] for design in designs])
    points = rng.normal(0, 3.0, (60, 5 + len(covariates)))
    points[:2, :5] = [[9, 14, 12, 9, 9], [-6, 12, 8, -7, 14]]
    quick, nothing = at_many(parts, points, where, slopes=False)
    np.testing.assert_allclose(quick, at_many(parts, points, where)[0], rtol=1e-10, atol=1e-7)
    assert not nothing.any()


def test_moves_forget_a_start_that_is_far_too_narrow():
    precision = np.array([[2.0, 1.5], [1.5, 2.0]])
    monkey = pytest.MonkeyPatch()
    monkey.setattr(posterior, "_TRUSTED", -np.inf)
    monkey.setattr(posterior, "_ROUNDS", 1)

    def density(points, _=True):
        slope = -points @ precision
        return 0.5 * (slope * points).sum(axis=1), slope

    rng = np.random.default_rng(5)
    found = draw(density, np.zeros(2), np.linalg.inv(precision) / 4, n_draws=4000, rng=rng)
    monkey.undo()
    assert found.moved
    np.testing.assert_allclose(np.cov(found.draws.T), np.linalg.inv(precision), rtol=0.1)


def test_draws_are_those_of_a_long_random_walk():
    table = base(150, seed=4)
    model = clv.BGNBD(prior="weak", n_draws=2000, random_state=1).fit(table)
    _, rows = model._rows(table)
    prior = prior_of(model.prior_, model._law.quantities, model._names, shift=np.zeros(4),
                     spread=np.ones(4), offsets={})  # fmt: skip
    parts, where = model._law.parts(rows), positions([0] * 4)

    def density(points, _=True):
        return at_many(parts, points, where)[0] + prior.value(points)

    rng = np.random.default_rng(7)
    root = np.linalg.cholesky(model.coefficient_covariance_)
    at = model.coefficients_ + 1.5 * rng.standard_normal((60, 4)) @ root.T
    value, kept = density(at), []
    for step in range(240):
        there = at + 1.1 * rng.standard_normal(at.shape) @ root.T
        new = density(there)
        taken = np.log(rng.random(60)) < new - value
        at, value = np.where(taken[:, None], there, at), np.where(taken, new, value)
        if step >= 60:
            kept.append(at)
    walk, draws = np.array(kept), model.coefficient_draws_
    deviation = walk.reshape(-1, 4).std(axis=0)
    # The walkers are independent of each other; half of the draws are worth one each.
    error = np.sqrt(walk.mean(axis=0).var(axis=0) / 60 + deviation**2 / 1000)
    assert (np.abs(draws.mean(axis=0) - walk.mean(axis=(0, 1))) < 4 * error).all()
    np.testing.assert_allclose(draws.std(axis=0), deviation, rtol=0.12)


def test_posterior_agrees_with_derivatives_on_a_large_base():
    many = base(1500)
    model = clv.BGNBD(prior="weak", n_draws=500, random_state=1).fit(many)
    table = model.parameters_
    delta = clv.BGNBD().fit(many).parameters_
    np.testing.assert_allclose(table["std_error"], delta["std_error"], rtol=0.25)
    drawn, near = (model.predict(DAYS, interval=kind) for kind in ("posterior", "delta"))
    np.testing.assert_allclose(drawn["std_error"], near["std_error"], rtol=0.15)
    np.testing.assert_allclose(drawn["conf_low"], near["conf_low"], rtol=0.1)
    # Another unit of time moves only alpha.
    weeks = many.assign(recency=many["recency"] / 7, T=many["T"] / 7)
    assert clv.BGNBD(prior="weak", n_draws=50).fit(weeks).prior_["low"][0] == 1.0


# Histories that go on.


@pytest.mark.parametrize(("kind", "options", "truth", "table"), TRUE)
def test_continued_histories_have_the_exact_chances(kind, options, truth, table):
    model, n = known(kind, options, truth, 8000), 8000
    came = outcomes(table, model, days=1100.0)
    told = model.purchase_probabilities(table, horizon_days=1100.0, max_purchases=6)
    exact = told["p_exactly"].to_numpy().reshape(3, 7)
    found = (came[:, :, None] == np.arange(7)).mean(axis=0)
    np.testing.assert_allclose(found, exact, atol=4.5 * np.sqrt(0.25 / n))
    rate = 0.0008
    annual = np.expm1(365 * rate)
    worth = outcomes(table, model, days=1100.0, rate=rate)
    mean = model.predict(table, horizon_days=1100.0, annual_discount_rate=annual)
    off = worth.mean(axis=0) - mean["discounted_purchases"]
    assert (np.abs(off) < 4 * worth.std(axis=0) / np.sqrt(n)).all()
    staying = model.predict(table, alive_in_days=1100.0)["p_alive_later"]
    crowd = table.iloc[np.arange(n) % 3].assign(customer_id=range(n))
    alive = model.simulate(crowd, horizon_days=1100.0, random_state=2)["alive"].to_numpy()
    shares = [alive[place::3].mean() for place in range(3)]
    np.testing.assert_allclose(shares, staying, atol=4.5 * np.sqrt(0.25 / (n / 3)))


def test_what_falls_due_on_a_calendar_comes_on_its_days():
    end = pd.Timestamp("2024-12-31")
    table = ALIKE.assign(period_unit="month", as_of=end)
    model = clv.ShiftedBetaGeometric(prior="weak", n_draws=400, random_state=1).fit(table)
    one = table.tail(1)
    rng = np.random.default_rng(0)
    for days, months in ((0, 0), (31, 1), (32, 2), (181, 6)):
        ahead = model._ahead(one, float(days))(np.arange(400), rng)
        dates = pd.DatetimeIndex(end + pd.to_timedelta(np.unique(ahead.when), unit="D"))
        assert (dates.day == 1).all()
        assert len(dates) == months
    told = model.predict(one, horizon_days="6 months", interval="predictive")
    assert told["conf_high"].iloc[0] == 6.0


def test_amounts_to_come_have_the_mean_and_spread_of_the_model():
    truth, n = [4.0, 5.5, 25.0], 20_000
    model = known(clv.GammaGamma, {"first_purchase": False}, truth, n)
    table = pd.DataFrame({"customer_id": range(2), "frequency": [0, 4],
                          "monetary_value": [0.0, 40.0]})  # fmt: skip
    found = model.predict(table, interval="predictive")
    p, q, v = truth
    shape, scale = q + p * np.array([0, 4]), v + np.array([0.0, 160.0])
    # An amount is scale x Gamma(p) / Gamma(shape).
    mean = p * scale / (shape - 1)
    square = p * (p + 1) * scale**2 / ((shape - 1) * (shape - 2))
    np.testing.assert_allclose(found["expected_amount"], mean)
    np.testing.assert_allclose(found["std_error"], np.sqrt(square - mean**2), rtol=0.06)


@pytest.mark.parametrize("kind", [clv.GammaGamma, clv.LognormalSpend])
def test_what_is_returned_brings_nothing(kind):
    n = 30_000
    truth = [4.0, 5.5, 25.0] if kind is clv.GammaGamma else [20.0, 0.3, 0.5]
    model = known(kind, {}, [*truth, 3.0, 1.0], n)
    model.returns_ = True
    table = pd.DataFrame({"customer_id": range(2), "frequency": [0, 4],
                          "first_amount": [np.nan, 30.0],
                          "monetary_value": [0.0, 20.0], "kept_purchases": [0, 2],
                          "log_amount_mean": [0.0, 3.2], "log_amount_std": [0.0, 0.3]})  # fmt: skip
    found = model.predict(table, interval="predictive")
    drawn = model._amounts_ahead(table)(np.arange(n), np.arange(2 * n), np.random.default_rng(1))
    drawn = drawn.reshape(n, 2)
    np.testing.assert_allclose((drawn > 0).mean(axis=0), found["p_kept"], atol=0.015)
    np.testing.assert_allclose(drawn.mean(axis=0), found["expected_amount"], rtol=0.03)
    assert (found["conf_low"] == 0.0).all()


@pytest.mark.parametrize("kind", [clv.GammaGamma, clv.LognormalSpend])
def test_spend_with_returns_has_a_prior_for_them(kind):
    log = _log()
    table = clv.purchase_table(log, heavy_tails=True)
    model = kind(prior="weak", n_draws=200, random_state=1).fit(table)
    assert model.prior_["term"].tolist()[-2:] == ["p_kept", "kept_spread"]
    low, high = model.prior_.loc[0, ["low", "high"]]
    assert low < 30.0 < high
    value = clv.lifetime_value(
        table, spend=9.90, purchases=clv.BGNBD(prior="weak", n_draws=200).fit(table),
        interval="predictive",
    )  # fmt: skip
    assert value["conf_high"].max() > 0.0
    told = model.predict(table, interval="posterior")
    assert told["conf_low"].le(told["conf_high"]).all()


def _log():
    rng = np.random.default_rng(8)
    n = 600
    day = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 300, n), unit="D")
    log = pd.DataFrame({"customer_id": rng.integers(0, 150, n), "date": day, "order_id": range(n)})
    log["amount"] = rng.gamma(3.0, 10.0, n).round(2)
    back = log[rng.random(n) < 0.2]
    return pd.concat([log, back.assign(amount=-back["amount"])])


@pytest.fixture(scope="module")
def models():
    rng = np.random.default_rng(4)
    table = base(150, seed=3)
    mean = 25.0 / rng.gamma(3.5, 1.0, 150) * 4.0
    table["monetary_value"] = np.where(table["frequency"] > 0, mean, 0.0)
    options = {"prior": "weak", "n_draws": 300, "random_state": 0}
    means = clv.GammaGamma(first_purchase=False, **options)
    pair = {
        "purchases": clv.BGNBD(**options).fit(table),
        "spend": means.fit(table),
    }
    return table.assign(half=np.arange(150) % 2), pair


@pytest.mark.wide
def test_money_to_come_of_customers_segments_and_the_base(models):
    table, pair = models
    each = clv.lifetime_value(table, **pair, interval="predictive", margin=0.5)
    assert (each["conf_low"] <= each["conf_high"]).all()
    whole, drawn = (
        clv.customer_equity(table, **pair, interval=interval, margin=0.5).iloc[0]
        for interval in ("predictive", "posterior")
    )
    assert whole["conf_low"] < drawn["conf_low"] < drawn["lifetime_value"]
    assert whole["std_error"] > drawn["std_error"]
    halves = clv.customer_equity(table, **pair, interval="predictive", by="half", margin=0.5)
    assert (halves["conf_high"] < whole["conf_high"]).all()
    again = clv.customer_equity(table, **pair, interval="predictive", by="half", margin=0.5)
    pd.testing.assert_frame_equal(halves, again)
    # The order of customers moves the draws of each, but not what they say of the whole.
    turned = clv.customer_equity(table[::-1], **pair, interval="predictive", margin=0.5).iloc[0]
    assert turned["conf_low"] == pytest.approx(whole["conf_low"], rel=0.1)
    groups = clv.ByGroup(model=clv.BGNBD(prior="weak", n_draws=300, random_state=1), by="half")
    told = clv.customer_equity(
        table, purchases=groups.fit(table), spend=pair["spend"], interval="predictive", margin=0.5
    )
    assert told["conf_low"][0] == pytest.approx(whole["conf_low"], rel=0.35)
    assert told["conf_high"][0] == pytest.approx(whole["conf_high"], rel=0.35)
    means = clv.GammaGamma(first_purchase=False, prior="weak", n_draws=300)
    spends = clv.ByGroup(model=means, by="half").fit(table)
    pair = pair | {"spend": spends}
    assert clv.customer_equity(table, **pair, interval="predictive")["std_error"][0] > 0


def limits_by_trial(values, level):
    """Every outcome that was drawn is tried as a limit, the one nearer to nothing first."""
    sign = -1.0 if values.mean() < 0.0 else 1.0
    values = values * sign
    left_out = (1.0 - level) * len(values)
    tried = np.unique(values)
    near = min(x for x in tried if (values <= x).sum() >= left_out / 2.0 - 1e-6)
    rest = left_out - (values < near).sum()
    far = min(
        (x for x in tried if x >= near),
        key=lambda x: (round(abs((values > x).sum() - rest), 6), -x),
    )
    return sorted([sign * near, sign * far])


def test_limits_of_outcomes_leave_out_what_the_level_says():
    rng = np.random.default_rng(0)
    for run in range(400):
        size, level = int(rng.integers(2, 200)), float(rng.choice([0.5, 0.8, 0.95, 0.99]))
        counts = rng.poisson(rng.gamma(1.0, 3.0), size).astype(float)
        values = [counts, rng.normal(0, 1, size), counts * rng.gamma(1, 1, size), -counts][run % 4]
        found = outcome_interval(values[:, None], level)
        told = [found["conf_low"][0], found["conf_high"][0]]
        assert told == limits_by_trial(values, level)
    # Half of the customers bring nothing: what is left out all lies above.
    money = np.where(np.arange(1000) < 500, 0.0, np.arange(1000.0))[:, None]
    found = outcome_interval(money, 0.95)
    assert (found["conf_low"], found["conf_high"]) == (0.0, 949.0)
    assert outcome_interval(-money, 0.95)["conf_low"] == -949.0


def test_customers_in_blocks_are_told_alike(models, monkeypatch):
    table, pair = models
    whole = pair["purchases"].predict(table, interval="predictive")
    monkeypatch.setattr("crmkit.clv._model.intervals._HELD", 300 * 40)
    parts = pair["purchases"].predict(table, interval="predictive")
    assert parts["std_error"].mean() == pytest.approx(whole["std_error"].mean(), rel=0.1)
    assert whole["conf_high"].corr(parts["conf_high"]) > 0.97


def test_draws_survive_a_file_and_a_seed_repeats_them(models, tmp_path):
    table, pair = models
    model = pair["purchases"]
    model.save(tmp_path / "model.json")
    loaded = clv.BGNBD.load(tmp_path / "model.json")
    told = [one.predict(table, interval="predictive") for one in (model, loaded)]
    pd.testing.assert_frame_equal(*told)
    pd.testing.assert_frame_equal(loaded.prior_, model.prior_)
    refitted = clv.BGNBD(prior="weak", n_draws=300, random_state=0).fit(table)
    np.testing.assert_array_equal(refitted.coefficient_draws_, model.coefficient_draws_)
    plain = clv.BGNBD(prior="weak", n_draws=300).fit(table)
    plain.set_params(prior=None)
    assert len(plain.fit(table).coefficient_draws_) == 0


def test_what_has_no_posterior_says_how_to_get_one(models):
    table, pair = models
    plain = clv.BGNBD().fit(table)
    with pytest.raises(InputError, match='prior="weak"'):
        plain.predict(table, interval="posterior")
    with pytest.raises(InputError, match="model of purchases has no draws"):
        clv.customer_equity(table, purchases=plain, spend=pair["spend"], interval="predictive")
    with pytest.raises(InputError, match="finite `horizon_days`"):
        pair["purchases"].predict(table, horizon_days=np.inf, interval="predictive",
                                  annual_discount_rate=0.1)  # fmt: skip
    with pytest.raises(InputError, match="must be one of"):
        plain.predict(table, interval="bootstrap")


def test_regularity_is_found_first_and_drawn_from_then():
    start = pd.DataFrame({"customer_id": range(150), "T": 300.0})
    table = known(clv.BGCNBD, {"k": 2}, [2.0, 20.0, 0.5, 3.0]).simulate(start, random_state=1)
    free = clv.BGCNBD().fit(table)
    model = clv.BGCNBD(prior="weak", n_draws=200, random_state=1).fit(table)
    assert model.k_ == free.k_ == 2
    assert model.coefficient_draws_.shape == (200, 4)
    assert model.log_likelihood_ == pytest.approx(free.log_likelihood_, abs=1.0)
    assert model.parameters_["conf_low"].lt(model.parameters_["estimate"]).all()


@pytest.mark.parametrize("n", [9, 10, 40])
def test_the_tail_of_weights_is_fitted_as_zhang_and_stephens_do(n):
    x = np.sort(np.random.default_rng(n).pareto(2.0, n))
    grid = 30 + int(np.sqrt(n))
    quartile = x[int(np.floor(n / 4 + 0.5)) - 1]  # their x*, (7) of the paper, counts from 1
    steps = [(1 - np.sqrt(grid / (j - 0.5))) / (3 * quartile) for j in range(1, grid + 1)]
    theta = [1 / x[-1] + step for step in steps]

    def log_likelihood(one):
        k = -np.mean([np.log(1 - one * value) for value in x])
        return n * (np.log(one / k) + k - 1)

    likelihood = [log_likelihood(one) for one in theta]
    weight = [1 / sum(np.exp(other - one) for other in likelihood) for one in likelihood]
    best = np.dot(theta, weight)
    k = -np.mean(np.log(1 - best * x))
    shape, scale = _pareto_fit(x)
    assert scale == pytest.approx(k / best)
    assert shape == pytest.approx((-k * n + 10 * 0.5) / (n + 10))


@pytest.mark.parametrize("seed", range(5))
def test_the_root_of_a_covariance_has_no_choice_of_signs(seed):
    loose = np.random.default_rng(seed).standard_normal((6, 4))
    covariance = loose.T @ loose
    root = posterior._root(covariance)
    np.testing.assert_allclose(root, linalg.sqrtm(covariance), rtol=1e-9, atol=1e-9)
