"""Comparing models, and the correlation of spend and frequency."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from crmkit import clv, datasets
from crmkit._learn.concordance import concordance
from crmkit._learn.judging import area_under_curve, gini
from crmkit.errors import InputError


@pytest.fixture(scope="module")
def customers():
    log = datasets.make_transactions(600, random_state=6)["transactions"]
    return clv.holdout_table(log, as_of=log["date"].max() - pd.Timedelta(days=180))


def test_comparison_counts_what_the_models_say(customers):
    model = clv.BGNBD().fit(customers)
    table = clv.model_comparison(customers, models={"BG/NBD": model}).set_index("model")
    told = model.predict(customers, horizon_days=180)["expected_purchases"]
    gap = told - customers["holdout_frequency"]
    row = table.loc["BG/NBD"]
    assert row["aic"] == model.aic_
    assert row["mean_absolute_error"] == pytest.approx(gap.abs().mean())
    assert row["root_mean_squared_error"] == pytest.approx(np.sqrt((gap**2).mean()))
    assert row["bias"] == pytest.approx(gap.sum() / customers["holdout_frequency"].sum())
    came = customers["holdout_frequency"]
    assert row["concordance"] == pytest.approx(in_order(told, came))
    best = np.argsort(-told)[: len(told) // 10]
    assert row["top_decile_share"] == pytest.approx(came[best].sum() / came.sum(), abs=1e-6)
    rate = customers["frequency"].sum() / customers["T"].sum()
    assert table.loc["mean", "expected_total"] == pytest.approx(180 * rate * len(customers))
    luck = {"concordance": 0.5, "top_decile_share": 0.1, "gini": 0.0}
    assert table.loc["mean", list(luck)].tolist() == pytest.approx(list(luck.values()), abs=1e-12)
    # The log comes from the model's own process: it must beat both rules.
    assert (table["root_mean_squared_error"].idxmin(), table["n_parameters"].max()) == ("BG/NBD", 4)


def in_order(score, outcome):
    """Of all pairs of different outcomes, the share in the right order: one by one."""
    score, outcome = np.asarray(score), np.asarray(outcome)
    above = outcome[:, None] > outcome
    right = (score[:, None] > score) + 0.5 * (score[:, None] == score)
    return float((right * above).sum() / above.sum())


@pytest.mark.parametrize("levels", [3, 500])
def test_order_is_judged_pair_by_pair(levels):
    rng = np.random.default_rng(levels)
    score, outcome = rng.integers(0, levels, 300) / 7.0, rng.poisson(1.0, 300).astype(float)
    assert concordance(outcome, score)[0] == pytest.approx(in_order(score, outcome), rel=1e-12)
    yes = np.minimum(outcome, 1.0)
    assert concordance(yes, score)[0] == pytest.approx(area_under_curve(score, yes), rel=1e-12)
    # Gini's mean difference of the cumulative shares, ties at their mean, row by row.
    share = pd.Series(outcome).groupby(score).transform("mean").to_numpy()[np.argsort(score)]
    own, rank = np.sort(outcome), np.arange(1, 301)
    assert gini(score, outcome) == pytest.approx(
        (2 * rank - 301) @ share / ((2 * rank - 301) @ own), rel=1e-9
    )
    assert gini(outcome, outcome) == concordance(outcome, outcome)[0] == 1.0
    assert np.isnan(gini(score, np.ones(300)))


def test_with_a_model_of_spend_the_order_is_of_money(customers):
    model, spend = clv.MBGNBD().fit(customers), clv.GammaGamma().fit(customers)
    table = clv.model_comparison(customers, models={"m": model}, spend=spend).set_index("model")
    money = customers["holdout_frequency"] * customers["holdout_monetary_value"]
    told = model.predict(customers, horizon_days=180)["expected_purchases"]
    worth = told * spend.predict(customers)["expected_amount"]
    assert table.loc["m", "gini"] == pytest.approx(gini(worth, money), rel=1e-6)
    before = customers["frequency"] * customers["monetary_value"] / customers["T"]
    assert table.loc["as_before", "gini"] == pytest.approx(gini(before, money), rel=1e-6)
    assert table.loc["mean", "top_decile_share"] == pytest.approx(0.1)
    with pytest.raises(InputError, match="holdout_monetary_value"):
        clv.model_comparison(
            customers.drop(columns="holdout_monetary_value"), models={"m": model}, spend=9.9
        )


def test_comparison_wants_models_and_one_horizon(customers):
    for wrong in ({}, [clv.BGNBD()], {"a": clv.BGNBD}, {"a": clv.BGNBD()}):
        with pytest.raises(InputError, match="models"):
            clv.model_comparison(customers, models=wrong)
    mixed = customers.assign(holdout_days=np.arange(len(customers)) + 1)
    with pytest.raises(InputError, match="holdout_days"):
        clv.model_comparison(mixed, models={"a": clv.BGNBD().fit(customers)})


def test_correlation_equals_scipy():
    rng = np.random.default_rng(3)
    often = rng.poisson(3, 300)
    spend = rng.gamma(2, 10, 300) * (1 + 0.1 * often)
    table = pd.DataFrame(
        {"customer_id": range(300), "frequency": often, "monetary_value": spend * (often > 0)}
    )
    found = clv.spend_frequency_correlation(table).set_index("measure")
    seen = often > 0
    assert set(found["customers"]) == {seen.sum()}
    pearson = stats.pearsonr(often[seen], spend[seen])
    spearman = stats.spearmanr(often[seen], spend[seen])
    limits = pearson.confidence_interval()
    np.testing.assert_allclose(
        found.loc["pearson", ["correlation", "p_value", "conf_low", "conf_high"]].astype(float),
        [pearson.statistic, pearson.pvalue, limits.low, limits.high],
    )
    np.testing.assert_allclose(
        found.loc["spearman", ["correlation", "p_value"]].astype(float),
        [spearman.statistic, spearman.pvalue],
    )


def test_correlation_of_too_few_is_refused():
    table = pd.DataFrame(
        {"customer_id": range(4), "frequency": [1, 1, 1, 1], "monetary_value": [1.0, 2, 3, 4]}
    )
    with pytest.raises(InputError, match="a correlation needs four"):
        clv.spend_frequency_correlation(table)


def test_log_score_is_the_mean_log_probability(customers):
    model = clv.ParetoNBD().fit(customers)
    table = clv.model_comparison(customers, models={"Pareto/NBD": model})
    most = int(customers["holdout_frequency"].max())
    told = model.purchase_probabilities(customers, horizon_days=180, max_purchases=most)
    happened = told.merge(
        customers[["customer_id", "holdout_frequency"]],
        left_on=["customer_id", "purchases"],
        right_on=["customer_id", "holdout_frequency"],
    )
    assert len(happened) == len(customers)
    expected = np.log(happened["p_exactly"]).mean()
    assert table.loc[0, "holdout_log_score"] == pytest.approx(expected, rel=1e-9)


def test_maps_and_paths_say_what_they_cannot_draw(customers):
    odd = customers.assign(odd=np.arange(len(customers)) % 2)
    by = clv.ByGroup(model=clv.BGNBD(), by="odd").fit(odd)
    covariate = clv.BGNBD(purchase_covariates=["odd"]).fit(odd)
    for model in (by, covariate, clv.BGNBD, clv.GammaGamma()):
        with pytest.raises(InputError, match="map of frequency and recency"):
            clv.frequency_recency_table(odd, purchases=model)
    log = datasets.make_transactions(20, random_state=6)["transactions"]
    path = clv.BGNBD().fit(customers).alive_path(log)
    with pytest.raises(InputError, match="20 customers"):
        clv.plot_alive_path(path)
    few = path[path["customer_id"].isin(path["customer_id"].unique()[:2])]
    ax = clv.plot_alive_path(few)
    dots = sum(len(line.get_xdata()) for line in ax.lines if line.get_marker() == "o")
    assert dots == few.groupby("customer_id")["frequency"].max().sum()


def test_among_those_who_bought_once_a_model_gains_nothing_by_telling_less():
    model = clv.ParetoNBD()
    model.coefficients_, model.coefficient_draws_ = np.log([0.06, 60, 0.6, 120]), np.empty((0, 4))
    people = pd.DataFrame({"customer_id": range(4000), "T": np.linspace(60, 400, 4000)})
    table = model.simulate(people, random_state=1)
    came = model.simulate(table, horizon_days=180, random_state=2)["purchases"].to_numpy(float)
    assert (table["frequency"] == 0).mean() > 0.92
    told = model.predict(table, horizon_days=180)["expected_purchases"].to_numpy()
    rounded = [told, np.round(told, 1), np.round(told)]
    order = [concordance(came, score)[0] for score in rounded]
    assert order[0] > order[1] > order[2]
    # Spearman's correlation praises whoever tells those apart least who all bought nothing.
    ranks = [stats.spearmanr(came, score)[0] for score in rounded]
    assert ranks[0] < ranks[1] < ranks[2]
    before = concordance(came, (table["frequency"] / table["T"]).to_numpy())[0]
    assert order[0] > before + 0.02
