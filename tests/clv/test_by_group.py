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
