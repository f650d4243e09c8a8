"""Groups that borrow strength: what the others say, against brute force and simulation."""

import numpy as np
import pandas as pd
import pytest
from scipy import integrate, stats

from crmkit import clv
from crmkit.clv._math.pooling import Groups
from crmkit.errors import InputError

SIZES = (6, 40, 40, 80, 80, 200)


def simulated(seed, sizes, between):
    """Customers of groups whose logarithms vary, with purchases of the next 180 days."""
    rng = np.random.default_rng(seed)
    parts = []
    for group, n in enumerate(sizes):
        gap, shape, odds, size = np.log([40.0, 0.8, 0.33, 3.0]) + rng.normal(0, between, 4)
        share = 1 / (1 + np.exp(-odds))
        true = clv.BGNBD()
        rates = np.exp([shape, gap + shape, size, size]) * [1, 1, share, 1 - share]
        true.coefficients_, true.coefficient_draws_ = np.log(rates), np.empty((0, 4))
        start = pd.DataFrame({"customer_id": range(n), "T": rng.integers(100, 400, n) * 1.0})
        seeds = [int(x) for x in rng.integers(2**31, size=2)]
        table = true.simulate(start, random_state=seeds[0]).drop(columns="alive")
        ahead = true.simulate(table, horizon_days=180, random_state=seeds[1])
        extra = {"holdout_frequency": ahead["purchases"], "holdout_days": 180.0, "channel": group}
        parts.append(table.assign(**extra))
    return pd.concat(parts, ignore_index=True).assign(customer_id=range(sum(sizes)))


@pytest.fixture(scope="module")
def base():
    return simulated(3, SIZES, 0.4)


@pytest.fixture(scope="module")
def model(base):
    one = clv.BGNBD(n_draws=20, random_state=1)
    return clv.ByGroup(model=one, by="channel", pooling=True).fit(base)


def test_what_the_others_say_is_the_integral():
    # One quantity, five groups seen with known errors: mean and deviation integrated on a grid.
    seen, error = np.array([0.1, 0.9, -0.4, 0.6, 2.0]), np.array([0.2, 0.5, 0.3, 1.0, 0.4])
    groups = Groups(
        (error**-2.0)[:, None, None], (seen / error**2)[:, None],
        np.array([0.5]), np.array([2.0]), np.array([0.5]),
    )  # fmt: skip
    between = np.linspace(1e-4, 3.0, 300)
    mean = np.linspace(-5.0, 6.0, 301)[:, None]

    def density(keep):
        value = stats.norm.pdf(mean, 0.5, 2.0) * stats.norm.pdf(between, 0.0, 0.5)
        for y, e in zip(seen[keep], error[keep], strict=True):
            value = value * stats.norm.pdf(y, mean, np.sqrt(e**2 + between**2))
        return value

    everybody = density(np.arange(5)).sum(axis=0)
    log_density = [groups._density(np.log([[t]]))[0][0] - np.log(t) for t in between[[5, 100]]]
    wanted = np.log(everybody[[5, 100]])
    assert np.diff(log_density)[0] == pytest.approx(np.diff(wanted)[0], rel=1e-6)
    # Deviations are drawn given all groups, the mean by the others.
    weight = everybody / integrate.trapezoid(everybody, between)
    drawn = np.exp(groups.between())[:, 0]
    told = integrate.trapezoid(weight * between, between)
    assert drawn.mean() == pytest.approx(told, rel=0.1)
    exact = np.log(between)[:, None]
    for group in range(6):
        others = density(np.delete(np.arange(5), group) if group < 5 else np.arange(5))
        each = others / others.sum(axis=0)
        first = (each * mean).sum(axis=0)
        second = (each * mean**2).sum(axis=0) + between**2
        for place in (3, 100):
            found = groups.said_of_each(exact[[place]])
            assert found[0][group, 0] == pytest.approx(first[place], rel=1e-5)
            variance = second[place] - first[place] ** 2
            assert found[1][group, 0] ** 2 == pytest.approx(variance, rel=1e-4)


def test_slopes_of_the_density():
    rng = np.random.default_rng(1)
    root = rng.normal(size=(6, 3, 2))  # of rank two: something the data do not tell
    groups = Groups(
        root @ root.transpose(0, 2, 1), (root @ rng.normal(size=(6, 2, 1)))[..., 0],
        np.zeros(3), np.full(3, 2.0), np.full(3, 0.5),
    )  # fmt: skip
    at = rng.normal(-1.0, 1.0, (4, 3))
    for j in range(3):
        step = 1e-5 * np.eye(3)[j]
        up, down = groups._density(at + step)[0], groups._density(at - step)[0]
        np.testing.assert_allclose(groups._density(at)[1][:, j], (up - down) / 2e-5, rtol=1e-5)


def test_groups_lie_between_their_own_model_and_one_for_all(base, model):
    assert list(model.pooling_.columns) == ["term", "typical", "low", "high"]
    assert model.pooling_["low"].lt(model.pooling_["typical"]).all()
    assert model.pooling_["typical"].lt(model.pooling_["high"]).all()
    own = clv.ByGroup(model=clv.BGNBD(), by="channel").fit(base)
    one = clv.BGNBD().fit(base)
    new = pd.DataFrame({"customer_id": [0], "frequency": [0], "recency": [0.0], "T": [0.0]})
    common = one.predict(new)["expected_purchases"].iloc[0]
    for group, size in enumerate(SIZES):
        told = [m.models_[group].predict(new)["expected_purchases"].iloc[0] for m in (own, model)]
        alone, pooled = np.log(np.array(told) / common)
        assert abs(pooled) < abs(alone) + 0.05
        if size == 6:  # which alone may come out at nothing, or at infinity
            assert abs(pooled) < 1.0
        if size == 200:
            assert abs(pooled - alone) < 0.15


@pytest.mark.wide
def test_it_foresees_better_than_one_model_and_than_separate_ones(long):
    gains = []
    for seed in range(12 if long else 2):
        split = simulated(seed, (20, 20, 50, 50, 200, 200), 0.5)
        models = {
            "pooled": clv.ByGroup(model=clv.BGNBD(n_draws=0), by="channel", pooling=True),
            "one": clv.BGNBD(),
            "separate": clv.ByGroup(model=clv.BGNBD(), by="channel"),
        }
        models = {name: model.fit(split) for name, model in models.items()}
        score = clv.model_comparison(split, models=models)["holdout_log_score"][:3]
        gains.append(score[0] - score[1:])
    assert (np.mean(gains, axis=0) > 0).all()


def test_money_comparison_and_files(base, model, tmp_path):
    model.save(tmp_path / "model.json")
    loaded = clv.ByGroup.load(tmp_path / "model.json")
    pd.testing.assert_frame_equal(loaded.pooling_, model.pooling_)
    pd.testing.assert_frame_equal(loaded.predict(base), model.predict(base))
    value = {"purchases": loaded, "spend": 20.0, "interval": None}
    assert clv.lifetime_value(base, **value)["lifetime_value"].gt(0).all()
    options = {"purchases": model, "spend": 20.0, "by": "channel", "interval": "posterior"}
    equity = clv.customer_equity(base, **options)
    assert (equity["conf_low"] < equity["conf_high"]).all()
    told = clv.model_comparison(base, models={"pooled": model}).iloc[0]
    assert told[["aic", "bic"]].isna().all()
    assert told["holdout_log_score"] < 0
    # Of a group that is new, the table is the prior.
    fresh = clv.BGNBD(prior=model.pooling_, n_draws=0).fit(base.head(6))
    low, high = fresh.prior_.loc[0, ["low", "high"]]
    assert (low, high) == tuple(model.pooling_.loc[0, ["low", "high"]])


def test_spend_and_contracts_are_pooled_too(base):
    rng = np.random.default_rng(0)
    level = np.exp(0.5 * rng.normal(size=len(SIZES)))[base["channel"]]
    mean = level * 20 * rng.gamma(4, 0.25, len(base))
    amounts = {"monetary_value": np.where(base["frequency"] > 0, mean, 0.0), "first_amount": mean}
    spenders = base.assign(**amounts, kept_purchases=base["frequency"] + 1)
    spend = clv.ByGroup(model=clv.GammaGamma(n_draws=0), by="channel", pooling=True).fit(spenders)
    assert spend.pooling_["term"].tolist() == ["amount", "order_spread", "amount_spread"]
    assert 5 < spend.pooling_["typical"][0] < 80
    some = spenders.assign(kept_purchases=spenders["kept_purchases"] - (spenders.index == 0))
    some.loc[some["channel"] > 2, "kept_purchases"] = some["frequency"] + 1
    spend = clv.ByGroup(model=clv.GammaGamma(n_draws=0), by="channel", pooling=True).fit(some)
    assert spend.pooling_["term"].tolist()[3:] == ["p_kept", "kept_spread"]
    told = spend.predict(some)["p_kept"]
    assert told[some["channel"] > 2].lt(1.0).all()


def test_what_cannot_be_pooled_is_refused(base):
    few = base[base["channel"] < 3]
    with pytest.raises(InputError, match="4 or more groups"):
        clv.ByGroup(model=clv.BGNBD(), by="channel", pooling=True).fit(few)
    traits = {"purchase_covariates": ["age"], "dropout_covariates": ["age"]}
    young = base.assign(age=base.index % 3)
    tied = clv.BGNBD(**traits, tie=[["purchase.age", "dropout.age"]])
    with pytest.raises(InputError, match="holds no terms equal: give a `model` without `tie`"):
        clv.ByGroup(model=tied, by="channel", pooling=True).fit(young)
    town = np.where(base["channel"] > 3, base.index % 2, base.index % 3)
    named = base.assign(town=np.array(["Ghent", "Lille", "Paris"])[town])
    model = clv.BGNBD(purchase_covariates=["town"])
    with pytest.raises(InputError, match=r"'channel': 4\} only one has .*Paris"):
        clv.ByGroup(model=model, by="channel", pooling=True).fit(named)


def test_effects_of_covariates_are_pooled():
    # They vary around a common effect; a far zero of the covariate changes nothing.
    rng, parts, effects = np.random.default_rng(5), [], 0.6 + 0.15 * np.arange(-2, 3)
    true = clv.BGNBD(purchase_covariates=["x"])
    true.coefficient_draws_ = np.empty((0, 5))
    for group, (n, effect) in enumerate(zip((10, 60, 60, 200, 400), effects, strict=True)):
        true.coefficients_ = np.append(np.log([0.8, 32.0, 0.75, 2.3]), effect)
        x = rng.integers(0, 2, n) * 1.0
        start = pd.DataFrame({"customer_id": range(n), "T": rng.uniform(100, 400, n), "x": x})
        table = true.simulate(start, random_state=group)
        parts.append(table.assign(x=x, channel=group))
    table = pd.concat(parts, ignore_index=True).assign(customer_id=range(730))
    model = clv.BGNBD(purchase_covariates=["x"], n_draws=0)
    pooled = clv.ByGroup(model=model, by="channel", pooling=True).fit(table)
    own = clv.ByGroup(model=model, by="channel").fit(table)
    told = pooled.parameters_.set_index("term").loc["purchase.x"]
    found = told["estimate"].to_numpy()
    alone = own.parameters_.set_index("term").loc["purchase.x", "estimate"].to_numpy()
    assert (np.abs(found - effects) < 3.0 * told["std_error"]).all()
    assert np.square(found - effects).sum() < np.square(alone - effects).sum()
    assert pooled.pooling_["term"].iloc[-1] == "purchase.x"
    assert pooled.pooling_["low"].iloc[-1] < 0.6 < pooled.pooling_["high"].iloc[-1]
    far = clv.ByGroup(model=model, by="channel", pooling=True).fit(table.assign(x=table["x"] + 50))
    moved = far.parameters_.set_index("term").loc["purchase.x", "estimate"].to_numpy()
    np.testing.assert_allclose(moved, found, atol=1e-4)
