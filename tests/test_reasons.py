"""Reasons add up to the chance, equal Shapley's values, and say what raises a chance."""

import itertools
import math

import numpy as np
import pandas as pd
import pytest
from scipy import special
from sklearn.ensemble import RandomForestClassifier

from crmkit import churn, response
from crmkit._learn.reasons import linear_shares, sampled_shares


def customers(n=600, seed=0):
    rng = np.random.default_rng(seed)
    table = pd.DataFrame(
        {
            "customer_id": np.arange(n),
            "calls": rng.poisson(2, n),
            "channel": rng.choice(["web", "shop", None], n),
            "age": rng.normal(40, 10, n),
        }
    )
    odds = -1.5 + 0.8 * table["calls"] + (table["channel"] == "web") - 0.05 * (table["age"] - 40)
    return table.assign(churned=(rng.random(n) < special.expit(odds)).astype(int))


def test_the_default_is_exact_and_adds_up():
    table = customers()
    model = churn.ChurnModel(random_state=0).fit(table)
    scorer = model.scorer_
    matrix = scorer.encoder.transform(table)
    shares = linear_shares(scorer, matrix)
    of_mean = scorer.calibrator.transform(
        scorer.classifier.predict_proba(np.asarray(scorer.means)[None])[:, 1]
    )
    added = special.logit(model.predict(table)["p_churn"]) - special.logit(of_mean)
    np.testing.assert_allclose(shares.sum(axis=1), added, rtol=1e-6, atol=1e-9)
    reasons = model.reasons(table, n_reasons=9)
    assert (reasons["contribution"] > 0).all()
    place = [scorer.encoder.used_columns.index(name) for name in reasons["variable"]]
    row = reasons["customer_id"].to_numpy()
    np.testing.assert_allclose(reasons["contribution"], shares[row, place])
    chance = model.predict(table)["p_churn"].to_numpy()[row]
    without = special.expit(special.logit(chance) - reasons["contribution"])
    np.testing.assert_allclose(reasons["chance_added"], chance - without)
    web = reasons[(reasons["variable"] == "channel")].groupby("level")["contribution"].mean()
    assert web["web"] > 0
    assert model.reasons(table.head(5), n_reasons=1)["rank"].eq(1).all()


def shapley(log_odds, row, other, blocks):
    """Shapley's values by all orders of the blocks."""
    shares = np.zeros(len(blocks))
    for order in itertools.permutations(range(len(blocks))):
        now = other.copy()
        before = log_odds(now[None])[0]
        for block in order:
            now[blocks[block]] = row[blocks[block]]
            after = log_odds(now[None])[0]
            shares[block] += after - before
            before = after
    return shares / math.factorial(len(blocks))


def test_drawn_values_are_shapleys():
    rng = np.random.default_rng(0)
    matrix, background = rng.normal(size=(4, 4)), rng.normal(size=(1, 4))
    blocks = [np.array([0]), np.array([1, 2]), np.array([3])]

    def log_odds(rows):
        return rows[:, 0] * rows[:, 1] + rows[:, 2] * rows[:, 3] ** 2 + rows[:, 0]

    found = sampled_shares(
        log_odds, matrix, background, blocks, rng=rng, n_orders=400, progress=False
    )
    for row, shares in zip(matrix, found, strict=True):
        exact = shapley(log_odds, row, background[0], blocks)
        np.testing.assert_allclose(shares, exact, atol=0.15)
    np.testing.assert_allclose(found.sum(axis=1), log_odds(matrix) - log_odds(background))


def test_a_forest_gives_reasons_too_in_any_order_of_rows():
    table = customers(300)
    forest = RandomForestClassifier(20, random_state=0)
    reasons = [
        churn.ChurnModel(estimator=forest, random_state=0).fit(part).reasons(table.head(9))
        for part in (table, table.sample(frac=1, random_state=1))
    ]
    pd.testing.assert_frame_equal(*reasons)
    assert reasons[0].groupby("customer_id")["rank"].max().le(3).all()


def test_every_learner_of_chances_has_them(tmp_path):
    table = customers().rename(columns={"churned": "responded"})
    model = response.ResponseModel(random_state=0).fit(table)
    found = model.reasons(table.head(20))
    model.save(tmp_path / "model.json")
    pd.testing.assert_frame_equal(
        response.ResponseModel.load(tmp_path / "model.json").reasons(table.head(20)), found
    )
    people = table.rename(columns={"responded": "valuable"})
    assert len(churn.ProspectModel(random_state=0).fit(people).reasons(people.head(20)))
    missing = table.head(1).assign(channel=None)
    assert set(model.reasons(missing, n_reasons=9)["level"]) <= {
        "(missing)",
        *map(str, missing[["calls"]].iloc[0]),
        f"{missing['age'].iloc[0]:.4g}",
    }
    assert model.reasons(table.head(3), n_reasons=1)["chance_added"].max() == pytest.approx(
        found[found["customer_id"] < 3].groupby("customer_id")["chance_added"].first().max()
    )
