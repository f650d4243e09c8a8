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


@pytest.fixture(scope="module")
def worded(shop):
    _, table = shop
    rng = np.random.default_rng(5)
    words = rng.choice(["phone", "store", "web"], len(table))
    flags = {word: (words == word) * 1.0 for word in ("phone", "store", "web")}
    return table.assign(channel=words, **flags)


@pytest.mark.parametrize("kind", ["object", "string", "category"])
@pytest.mark.parametrize("model", [clv.MBGNBD, clv.ParetoNBD])
def test_a_covariate_of_text_is_its_flags(worded, model, kind, tmp_path):
    table = worded.astype({"channel": kind})
    told = model(purchase_covariates=["channel"]).fit(table)
    flags = model(purchase_covariates=["store", "web"]).fit(table)
    terms = told.parameters_["term"].tolist()
    assert terms[4:] == ["purchase.channel=store", "purchase.channel=web"]
    np.testing.assert_array_equal(told.coefficients_, flags.coefficients_)
    assert told.n_parameters_ == flags.n_parameters_
    pd.testing.assert_frame_equal(told.predict(table), flags.predict(table))
    told.save(tmp_path / "model.json")
    again = model.load(tmp_path / "model.json")
    pd.testing.assert_frame_equal(again.predict(table), told.predict(table))
    drawn = again.simulate(table[["customer_id", "T", "channel"]], random_state=1)
    own = flags.simulate(table[["customer_id", "T", "store", "web"]], random_state=1)
    pd.testing.assert_frame_equal(drawn, own)


def test_text_of_spend_of_ties_and_of_groups(shop, worded):
    log, _ = shop
    spend = clv.GammaGamma(spend_covariates=["channel"]).fit(worded)
    flags = clv.GammaGamma(spend_covariates=["store", "web"]).fit(worded)
    np.testing.assert_array_equal(spend.coefficients_, flags.coefficients_)
    value = clv.customer_equity(
        worded,
        purchases=clv.BGNBD(purchase_covariates=["channel"]).fit(worded),
        spend=spend,
        horizon_days=365,
    )
    assert np.isfinite(value.select_dtypes("number")).all(axis=None)
    tied = [["dropout_a.channel=web", "dropout_b.channel=web"]]
    model = clv.BGNBD(dropout_covariates=["channel"], tie=tied).fit(worded)
    assert model.n_parameters_ == 4 + 3
    tracked = clv.tracking_table(log, purchases=model, as_of="2025-06-30", customers=worded)
    assert np.isfinite(tracked["expected"]).all()


def test_values_never_seen_or_all_the_same_are_refused(worded):
    model = clv.BGNBD(purchase_covariates=["channel"]).fit(worded)
    odd = worded.assign(channel=worded["channel"].where(worded.index != 3, "fax"))
    with pytest.raises(InputError, match=r"not learned from in 1 of .*\(first at row 3\).*'fax'"):
        model.predict(odd)
    with pytest.raises(InputError, match="not learned from"):
        model.predict(worded.assign(channel=worded["channel"].where(worded.index != 3)))
    with pytest.raises(InputError, match="tells no customers apart"):
        clv.BGNBD(purchase_covariates=["channel"]).fit(worded.assign(channel="web"))
    with pytest.raises(InputError, match="'store' is not a number"):
        clv.BGNBD(purchase_covariates=["store"]).fit(worded).predict(worded.assign(store="web"))


@pytest.mark.parametrize(
    ("columns", "same"),
    [
        (["price", "double"], ["purchase.price", "purchase.double"]),
        (["price", "phone", "store", "web"], ["purchase.phone", "purchase.store", "purchase.web"]),
        (["channel", "web"], ["purchase.channel=web", "purchase.web"]),
    ],
)
def test_covariates_that_say_the_same_are_named_and_counted_right(worded, columns, same):
    table = worded.assign(double=1.0 - 2.0 * worded["price"])
    with pytest.raises(InputError, match="say the same") as refused:
        clv.BGNBD(purchase_covariates=columns).fit(table)
    assert all(repr(term) in str(refused.value) for term in same)
    assert ("purchase.price" in str(refused.value)) == ("purchase.price" in same)
    # A penalty chooses among the sums that say the same; they count for one.
    penalised = clv.BGNBD(purchase_covariates=columns, l2=0.01).fit(table)
    whole = len(penalised.coefficients_)
    assert penalised.n_parameters_ == whole - 1
    assert penalised.boundary_ is None
    # Apart on purchases and on dropout they are two effects.
    two = clv.ParetoNBD(purchase_covariates=["price"], dropout_covariates=["double"]).fit(table)
    assert two.n_parameters_ == 6
    held = clv.BGNBD(purchase_covariates=["price", "double"],
                     tie=[["purchase.price", "purchase.double"]])  # fmt: skip
    assert held.fit(table).n_parameters_ == 5


def test_files_of_models_without_text_are_as_before(worded):
    model = clv.BGNBD(purchase_covariates=["web"]).fit(worded)
    state = model.to_json_state()
    assert "levels_" not in state["fitted"]
    again = clv.BGNBD.from_json_state(state)
    pd.testing.assert_frame_equal(again.predict(worded), model.predict(worded))
