"""Comparing models, and the correlation of spend and frequency."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from crmkit import clv, datasets
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
    rank = stats.spearmanr(told, customers["holdout_frequency"]).statistic
    assert row["rank_correlation"] == pytest.approx(rank)
    rate = customers["frequency"].sum() / customers["T"].sum()
    assert table.loc["mean", "expected_total"] == pytest.approx(180 * rate * len(customers))
    assert table.loc["mean", "rank_correlation"] == 0.0
    # The log comes from the model's own process: it must beat both rules.
    assert (table["root_mean_squared_error"].idxmin(), table["n_parameters"].max()) == ("BG/NBD", 4)


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
