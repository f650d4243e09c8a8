"""One model per group is the models of the groups."""

import math

import numpy as np
import pandas as pd
import pytest

from crmkit import clv, datasets
from crmkit.errors import InputError


@pytest.fixture(scope="module")
def base():
    table = clv.purchase_table(datasets.make_transactions(600, random_state=2)["transactions"])
    number = np.arange(len(table))
    return table.assign(channel=np.where(number % 3 == 0, "web", "shop"), wave=number % 2)


@pytest.fixture(scope="module")
def model(base):
    return clv.ByGroup(model=clv.BGNBD(), by=["channel", "wave"]).fit(base)


def test_each_group_has_its_own_fit(base, model):
    assert model.groups_["customers"].sum() == len(base)
    assert len(model.parameters_) == 4 * 4
    told = model.predict(base, horizon_days=90)
    assert list(told["customer_id"]) == list(base["customer_id"])
    for _, rows in base.groupby(["channel", "wave"]):
        alone = clv.BGNBD().fit(rows).predict(rows, horizon_days=90)
        together = told.set_index("customer_id").loc[alone["customer_id"]]
        np.testing.assert_allclose(together["p_alive"], alone["p_alive"], rtol=1e-6)
    one = clv.BGNBD().fit(base)
    assert model.log_likelihood_ >= one.log_likelihood_ - 1e-6
    assert model.n_parameters_ == 16


def test_probabilities_of_each_group(base, model):
    told = model.purchase_probabilities(base, horizon_days=90, max_purchases=3)
    assert list(told["customer_id"]) == list(base["customer_id"].repeat(4))
    rows = base[(base["channel"] == "web") & (base["wave"] == 1)]
    alone = clv.BGNBD().fit(rows).purchase_probabilities(rows, horizon_days=90, max_purchases=3)
    found = told[told["customer_id"].isin(rows["customer_id"])]
    np.testing.assert_allclose(found["p_exactly"], alone["p_exactly"], rtol=1e-6)
    split = base.assign(holdout_frequency=1, holdout_days=90)
    judged = clv.model_comparison(split, models={"by group": model})
    assert judged.loc[0, "holdout_log_score"] < 0


def test_it_values_customers_like_one_model(base, model):
    spend = clv.ByGroup(model=clv.GammaGamma(), by="channel").fit(base)
    total = clv.customer_equity(base, purchases=model, spend=spend, by="channel")
    parts = []
    for channel, rows in base.groupby("channel"):
        own = clv.ByGroup(model=clv.BGNBD(), by="wave").fit(rows)
        alone = clv.customer_equity(rows, purchases=own, spend=clv.GammaGamma().fit(rows))
        parts.append(alone.assign(channel=channel))
    alone = pd.concat(parts, ignore_index=True)
    for column in ("lifetime_value", "std_error"):
        np.testing.assert_allclose(total[column], alone[column], rtol=1e-4)
    endless = clv.lifetime_value(base, purchases=model, spend=spend, horizon_days=math.inf)
    assert (endless["lifetime_value"] >= 0).all()


def test_unknown_groups_are_named(base, model):
    with pytest.raises(InputError, match="groups that the model has not seen"):
        model.predict(base.assign(channel="mail"))
    with pytest.raises(InputError, match="In the group wave=1"):
        clv.ByGroup(model=clv.GammaGamma(), by="wave").fit(
            base.assign(frequency=base["frequency"] * (base["wave"] == 0))
        )
    with pytest.raises(InputError, match="`model` must be a model"):
        clv.ByGroup(by="wave").fit(base)


@pytest.mark.parametrize("levels", [["a", None], [1.0, None], [True, None]])
def test_customers_without_a_level_have_a_model_of_their_own(base, levels, tmp_path):
    given = base.assign(wave=pd.Series([levels[i] for i in base["wave"]], dtype=object))
    model = clv.ByGroup(model=clv.BGNBD(), by="wave").fit(given)
    assert model.groups_["wave"].isna().tolist() == [False, True]
    assert model.groups_["customers"].tolist() == [300, 300]
    expected = clv.ByGroup(model=clv.BGNBD(), by="wave").fit(base).predict(base)
    pd.testing.assert_frame_equal(model.predict(given), expected)
    model.save(tmp_path / "model.json")
    loaded = clv.ByGroup.load(tmp_path / "model.json")
    pd.testing.assert_frame_equal(loaded.predict(given), expected)


def test_groups_meet_by_value(base, model):
    expected = model.predict(base)
    for kind in (float, object, "category", "Int64"):
        pd.testing.assert_frame_equal(model.predict(base.astype({"wave": kind})), expected)


@pytest.mark.parametrize("by", [None, [], 3, ["wave", None], ["wave", "wave"], "converged", "term"])
def test_what_makes_no_groups_is_refused(base, by):
    table = base.rename(columns={"channel": by}) if isinstance(by, str) else base
    with pytest.raises(InputError, match="`by`"):
        clv.ByGroup(model=clv.BGNBD(), by=by).fit(table)


def test_each_group_is_drawn_on_its_own(base):
    drawn = clv.ByGroup(model=clv.BGNBD(prior="weak", n_draws=40, random_state=1), by="wave").fit(
        base
    )
    assert drawn.coefficient_draws_.shape == (40, 8)
    # Draws that move together would show as correlation between the groups.
    between = np.corrcoef(drawn.coefficient_draws_.T)[:4, 4:]
    assert np.abs(between).max() < 0.55
    spend = clv.GammaGamma(prior="weak", n_draws=40, random_state=2).fit(base)
    pair = {"purchases": drawn, "spend": spend}
    delta = clv.customer_equity(base, by="channel", **pair)
    drawn_total = clv.customer_equity(base, by="channel", interval="posterior", **pair)
    np.testing.assert_allclose(drawn_total["std_error"], delta["std_error"], rtol=0.5)
    told = drawn.predict(base.head(9), interval="posterior")
    assert told["conf_low"].lt(told["conf_high"]).all()
    again = clv.ByGroup(model=clv.BGNBD(prior="weak", n_draws=40, random_state=1), by="wave").fit(
        base
    )
    np.testing.assert_array_equal(again.coefficient_draws_, drawn.coefficient_draws_)


def test_intervals_of_parameters_at_any_level(base, model):
    narrow, wide = (model.parameter_table(confidence_level=level) for level in (0.5, 0.99))
    assert list(narrow.columns[:3]) == ["channel", "wave", "term"]
    assert (narrow["conf_low"] > wide["conf_low"]).all()
    pd.testing.assert_frame_equal(model.parameter_table(), model.parameters_)
    one = clv.BGNBD().fit(base)
    table = one.parameter_table(confidence_level=0.9)
    # exp(ln estimate +- 1.6449 std_error / estimate)
    factor = np.exp(1.6448536 * table["std_error"] / table["estimate"])
    np.testing.assert_allclose(table["conf_high"], table["estimate"] * factor, rtol=1e-7)
    np.testing.assert_allclose(table["conf_low"], table["estimate"] / factor, rtol=1e-7)
    with pytest.raises(InputError, match="confidence_level"):
        one.parameter_table(confidence_level=95)
