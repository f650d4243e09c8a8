import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize, stats

from crmkit import churn, datasets, response
from crmkit._arrays import wilson_interval
from crmkit._learn.levels import number_texts
from crmkit.errors import InputError
from crmkit.response._math.binning import information, merge_cells, number_cells
from crmkit.response._math.logistic import Profile, fit_logistic, fit_penalised
from crmkit.response._table.bins import _bin
from crmkit.response._table.variables import Variable


@given(
    values=st.lists(st.integers(-3, 30), min_size=1, max_size=400),
    n_cells=st.integers(2, 12),
    seed=st.integers(0, 9),
)
def test_cells_count_every_customer_once(values, n_cells, seed):
    x = np.array(values, dtype=float)
    y = np.random.default_rng(seed).random(x.size) < 0.4
    cells = number_cells(x, x[y], n_cells)
    codes = np.searchsorted(cells.edges, x, side="right")
    size = np.bincount(codes, minlength=cells.events.size)
    assert (size > 0).all()
    assert (size == cells.events + cells.others).all()
    assert (np.bincount(codes, weights=y, minlength=size.size) == cells.events).all()
    heavy = [v for v in np.unique(x) if (x == v).sum() * n_cells > x.size]
    for value in heavy:
        own = np.searchsorted(cells.edges, value, side="right")
        assert size[own] == (x == value).sum()


def test_quantile_cells_of_many_numbers_are_even():
    x = np.random.default_rng(0).normal(size=10_000)
    cells = number_cells(x, x[:100], 50)
    assert (cells.events + cells.others == 200).all()


@given(
    cells=st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=8),
    max_bins=st.integers(1, 5),
    min_size=st.integers(0, 12),
    monotone=st.booleans(),
)
def test_merging_is_exact(cells, max_bins, min_size, monotone):
    events, others = np.array(cells, dtype=float).T
    if events.sum() == 0 or others.sum() == 0:
        return
    starts = merge_cells(events, others, max_bins=max_bins, min_size=min_size, monotone=monotone)
    found = _value(events, others, starts)
    best = -np.inf
    for k in range(max_bins):
        for cuts in itertools.combinations(range(1, events.size), k):
            trial = np.array([0, *cuts])
            size = np.add.reduceat(events + others, trial)
            rate = np.add.reduceat(events, trial) / np.maximum(size, 1)
            if k and (size < max(min_size, 1e-9)).any():
                continue
            steps = np.diff(rate)
            if monotone and not ((steps >= 0).all() or (steps <= 0).all()):
                continue
            best = max(best, _value(events, others, trial))
    assert found == pytest.approx(best, abs=1e-9)


def _value(events, others, starts):
    return information(np.add.reduceat(events, starts), np.add.reduceat(others, starts))[1].sum()


@pytest.fixture(scope="module")
def people():
    campaign = datasets.make_campaign(4000, random_state=3)
    rng = np.random.default_rng(0)
    p = np.where(np.abs(campaign["age"] - 45) > 12, 0.4, 0.1)
    campaign["responded"] = (rng.random(4000) < p).astype(int)
    campaign["noise"] = rng.normal(size=4000)
    campaign["leak"] = campaign["responded"] * 3.0 + rng.normal(size=4000)
    campaign["code"] = [f"id{i}" for i in range(4000)]
    campaign["score"] = np.where(rng.random(4000) < 0.3, np.nan, campaign["age"])
    return campaign


def test_a_rate_that_falls_and_rises_again_is_found(people):
    table = response.response_drivers(
        people, outcome="responded", columns=["age", "noise", "leak", "code", "score"]
    ).set_index("variable")
    assert table.loc["age", "information_value"] > 0.3
    assert table.loc["age", "p_adjusted"] < 1e-10
    assert table.loc["noise", "p_adjusted"] > 0.01
    assert table.loc["leak", "flag"] == "suspiciously strong"
    # An id tells nothing, however many levels it has.
    assert table.loc["code", "information_value"] == 0
    assert table.loc["score", "missing_share"] == pytest.approx(0.3, abs=0.03)
    assert (table["auc"].between(0.5, 1)).all()
    rising = response.response_drivers(people, outcome="responded", columns=["age"], monotone=True)
    assert rising["information_value"].iloc[0] < table.loc["age", "information_value"]


def test_known_at_tells_leaks_from_strong_variables(people):
    options = {"outcome": "responded", "columns": ["age", "leak"], "as_of": "2025-06-30"}
    early = response.response_drivers(
        people, known_at={"leak": "2025-06-30", "age": "2025-01-01"}, **options
    )
    assert set(early["flag"]) == {""}
    late = response.response_drivers(people, known_at={"leak": "2025-07-01"}, **options)
    assert late.set_index("variable").loc["leak", "flag"] == "known too late"
    with pytest.raises(InputError, match="as_of"):
        response.response_drivers(
            people, outcome="responded", columns=["age"], known_at={"age": "2025-01-01"}
        )


def test_bins_add_up_to_the_driver(people):
    columns = ["age", "channel", "score"]
    table = response.woe_table(people, outcome="responded", columns=columns)
    drivers = response.response_drivers(people, outcome="responded", columns=columns)
    total = table.groupby("variable")["information_value"].sum()
    for _, row in drivers.iterrows():
        assert total[row["variable"]] == pytest.approx(row["information_value"])
    for _, part in table.groupby("variable"):
        assert part["customers"].sum() == len(people)
        assert part["responders"].sum() == people["responded"].sum()
        assert part["share"].sum() == pytest.approx(1)
    low, high = wilson_interval(table["responders"], table["customers"])
    np.testing.assert_allclose(table["conf_low"], low)
    np.testing.assert_allclose(table["conf_high"], high)
    assert "(missing)" in set(table.loc[table["variable"] == "score", "bin"])


@given(scale=st.sampled_from([0.01, 1.0, 1000.0]), shift=st.sampled_from([0.0, -50.0]))
def test_units_do_not_matter(scale, shift):
    rng = np.random.default_rng(1)
    x = rng.integers(0, 40, 600).astype(float)
    y = (rng.random(600) < 0.2 + 0.01 * x).astype(int)
    base, moved = (
        response.response_drivers(
            pd.DataFrame({"customer_id": range(600), "x": values, "y": y}), outcome="y"
        )
        for values in (x, x * scale + shift)
    )
    pd.testing.assert_frame_equal(base.drop(columns="best_bin"), moved.drop(columns="best_bin"))


def test_nothing_to_explain_is_said(people):
    with pytest.raises(InputError, match="nobody"):
        response.response_drivers(people.assign(responded=0), outcome="responded")
    with pytest.raises(InputError, match="no column"):
        response.response_drivers(people[["customer_id", "responded"]], outcome="responded")
    with pytest.raises(InputError, match="dates"):
        response.woe_table(
            people.assign(since=pd.Timestamp("2025-01-01")), outcome="responded", columns=["since"]
        )


def test_logistic_regression_has_published_errors():
    # Hosmer and Lemeshow's CHDAGE data in groups cannot be had here; a two-by-two table has a
    # closed form: log odds ratio and the root of the summed reciprocals (Woolf 1955).
    a, b, c, d = 30.0, 70.0, 10.0, 90.0
    x = np.repeat([1.0, 1.0, 0.0, 0.0], [30, 70, 10, 90])
    y = np.repeat([1.0, 0.0, 1.0, 0.0], [30, 70, 10, 90])
    fit = fit_logistic(x[:, None], y)
    assert fit.coefficient[1] == pytest.approx(np.log(a * d / (b * c)), abs=1e-12)
    woolf = np.sqrt(1 / a + 1 / b + 1 / c + 1 / d)
    assert np.sqrt(fit.covariance[1, 1]) == pytest.approx(woolf, abs=1e-12)
    assert fit.coefficient[0] == pytest.approx(np.log(c / d), abs=1e-12)
    assert fit.covariance[0, 0] == pytest.approx(1 / c + 1 / d, abs=1e-12)


def test_odds_ratios_recover_the_truth():
    rng = np.random.default_rng(2)
    n = 20_000
    x, g = rng.normal(5, 1000, n), rng.choice(["a", "b", "c"], n, p=[0.5, 0.3, 0.2])
    eta = -1 + 0.0005 * x + 0.7 * (g == "b")
    y = (rng.random(n) < 1 / (1 + np.exp(-eta))).astype(int)
    table = response.odds_ratios(
        pd.DataFrame({"customer_id": range(n), "x": x, "g": g, "y": y}), outcome="y"
    )
    assert table["level"].tolist() == ["", "b", "c"]
    truth = np.exp([0.0005, 0.7, 0.0])
    assert ((table["conf_low"] < truth) & (truth < table["conf_high"])).all()


def test_what_is_real_stands_before_noise_though_few_respond():
    places = []
    for seed in range(8):
        rng = np.random.default_rng(seed)
        n = 3000
        real = rng.integers(0, 3, n)
        weight = np.exp(0.55 * real)
        y = np.zeros(n, dtype=int)
        y[rng.choice(n, 60, replace=False, p=weight / weight.sum())] = 1
        table = pd.DataFrame(rng.normal(size=(n, 10))).add_prefix("noise")
        table = table.assign(customer_id=range(n), real=real, y=y)
        drivers = response.response_drivers(table, outcome="y")
        places.append(drivers["variable"].tolist().index("real"))
        assert (drivers["information_corrected"] >= 0).all()
        noise = drivers[drivers["variable"] != "real"]
        assert noise["information_corrected"].mean() < 0.1 < noise["information_value"].mean()
    assert np.mean(places) < 2


def test_labels_tell_bins_apart():
    rng = np.random.default_rng(0)
    n = 4000
    precise = 123456.7 + rng.random(n) / 100
    table = pd.DataFrame({"customer_id": range(n), "precise": precise})
    table["responded"] = (rng.random(n) < 0.2 + 20 * (precise - 123456.7)).astype(int)
    bins = response.woe_table(table, outcome="responded")
    assert bins["bin"].is_unique
    assert len(bins) > 3
    profile = churn.retention_profile(table.rename(columns={"responded": "churned"}))
    assert profile["level"].is_unique
    assert number_texts([0.1 + 0.2, 0.3]) == ["0.30000000000000004", "0.3"]
    assert number_texts([1234567.0, 0.25, 1 / 3]) == ["1234567", "0.25", "0.3333"]


def test_copies_are_said_in_words():
    n = 200
    base = pd.DataFrame({"customer_id": range(n), "x": np.arange(n) % 7, "y": np.arange(n) % 2})
    with pytest.raises(InputError, match=r"\['copy'\] are combinations"):
        response.odds_ratios(base.assign(copy=base["x"] * 2 + 1), outcome="y")


def test_a_far_predictor_is_no_separation():
    rng = np.random.default_rng(0)
    n = 20_000
    spend = rng.lognormal(4, 1.2, n)
    y = (rng.random(n) < 1 / (1 + np.exp(-(0.02 * spend - 2)))).astype(int)
    table = pd.DataFrame({"customer_id": range(n), "spend": spend, "y": y})
    row = response.odds_ratios(table, outcome="y").iloc[0]
    assert (0.02 * spend - 2).max() > 30
    assert row["method"] == "maximum likelihood"
    assert row["coefficient"] == pytest.approx(0.02, abs=4 * row["std_error"])
    hundred = response.odds_ratios(table, outcome="y", per=100).iloc[0]
    assert hundred["odds_ratio"] == pytest.approx(np.exp(100 * row["coefficient"]))
    assert hundred["conf_low"] == pytest.approx(row["conf_low"] ** 100)
    deviation = response.odds_ratios(table, outcome="y", per={"spend": "std"}).iloc[0]
    assert deviation["per"] == pytest.approx(spend.std())
    with pytest.raises(InputError, match=r"`per` names \['income'\]"):
        response.odds_ratios(table, outcome="y", per={"income": 100})


def test_what_separates_gets_a_finite_row():
    # With one level each, Firth's penalty adds half a customer to every cell.
    a, b, c, d = 12, 0, 20, 40
    table = pd.DataFrame(
        {
            "customer_id": range(a + b + c + d),
            "channel": ["web"] * (a + b) + ["shop"] * (c + d),
            "y": [1] * a + [0] * b + [1] * c + [0] * d,
        }
    )
    row = response.odds_ratios(table, outcome="y", min_customers=5).iloc[0]
    assert row["method"] == "Firth"
    assert row["coefficient"] == pytest.approx(
        np.log((a + 0.5) * (d + 0.5) / ((b + 0.5) * (c + 0.5))), abs=1e-6
    )
    assert row["conf_low"] > 1
    assert row["p_value"] < 0.001
    whole = table.assign(leak=table["y"] * 2.0)
    both = response.odds_ratios(whole, outcome="y", min_customers=5).set_index("variable")
    assert both.loc["leak", "conf_low"] > 1
    assert np.isfinite(both["odds_ratio"]).all()


def test_profile_limits_are_where_the_penalised_likelihood_says():
    rng = np.random.default_rng(1)
    x = np.column_stack([rng.normal(size=40), rng.integers(0, 2, 40)])
    y = (rng.random(40) < 1 / (1 + np.exp(-x[:, 0]))).astype(float)
    design = np.column_stack([np.ones(40), x])

    def loss(beta):
        eta = design @ beta
        p = 1 / (1 + np.exp(-eta))
        size = np.linalg.slogdet(design.T @ (design * (p * (1 - p))[:, None]))[1]
        return np.sum(np.logaddexp(0, eta) - y * eta) - size / 2

    best = optimize.minimize(loss, np.zeros(3), method="BFGS", options={"gtol": 1e-9})
    fit = fit_penalised(x, y)
    np.testing.assert_allclose(fit.coefficient, best.x, atol=1e-5)
    low, high, p = Profile(x, y).limits(0, 0.95)
    for limit in (low, high):
        held = optimize.minimize(
            lambda rest, limit=limit: loss(np.array([rest[0], limit, rest[1]])), np.zeros(2)
        )
        assert 2 * (held.fun - best.fun) == pytest.approx(stats.chi2.ppf(0.95, 1), abs=1e-3)
    none = optimize.minimize(lambda rest: loss(np.array([rest[0], 0.0, rest[1]])), np.zeros(2))
    assert p == pytest.approx(stats.chi2.sf(2 * (none.fun - best.fun), 1), abs=1e-4)


def test_columns_missing_together_share_one_mark():
    rng = np.random.default_rng(3)
    table = pd.DataFrame({"customer_id": range(500), "y": rng.integers(0, 2, 500)})
    gone = rng.random(500) < 0.2
    for name in ("u", "v"):
        table[name] = np.where(gone, np.nan, rng.normal(size=500))
    found = response.odds_ratios(table, outcome="y")
    assert found["level"].tolist() == ["", "(missing)", ""]


def households():
    rng = np.random.default_rng(12)
    home = np.arange(300) // 3
    x = rng.normal(size=300) + rng.normal(size=100)[home]
    pull = rng.normal(size=100)[home]
    y = (rng.random(300) < 1 / (1 + np.exp(-(-0.5 + 0.5 * x + pull)))).astype(int)
    return pd.DataFrame({"customer_id": range(300), "x": x, "home": home, "responded": y})


def test_odds_ratios_of_households_have_the_errors_of_statsmodels():
    table = households()
    row = response.odds_ratios(table, outcome="responded", columns=["x"], cluster="home").iloc[0]
    plain = response.odds_ratios(table, outcome="responded", columns=["x"]).iloc[0]
    # statsmodels 0.15.0: Logit(...).fit(cov_type="cluster"), without its correction.
    assert row["coefficient"] == pytest.approx(0.50421135, rel=1e-6)
    assert row["std_error"] == pytest.approx(0.10952287 * np.sqrt(100 / 99), rel=1e-6)
    assert row["std_error"] > plain["std_error"]
    alone = response.odds_ratios(
        table, outcome="responded", columns=["x"], cluster="customer_id"
    ).iloc[0]
    assert alone["std_error"] == pytest.approx(plain["std_error"], rel=0.1)
    every = response.odds_ratios(table, outcome="responded", cluster="home")
    assert every["variable"].tolist() == ["x"]
    with pytest.raises(InputError, match="has 4 clusters"):
        response.odds_ratios(
            table.assign(home=table["home"] % 4), outcome="responded", cluster="home"
        )
    with pytest.raises(InputError, match="'home' is missing"):
        response.odds_ratios(
            table.assign(home=table["home"].where(table["x"] > 0)),
            outcome="responded",
            cluster="home",
        )


def test_a_column_without_a_number_has_no_bins():
    table = pd.DataFrame({"customer_id": range(200), "x": np.nan, "z": np.arange(200) % 5})
    bins = response.woe_table(table.assign(y=np.arange(200) % 3 == 0), outcome="y")
    assert set(bins["variable"]) == {"z"}
    assert bins["customers"].sum() == 200


def test_a_number_nobody_has_is_one_bin_of_the_missing():
    variable = Variable("age", np.full(40, np.nan), None, [], [], [])
    found = _bin(variable, np.tile([0.0, 1.0, 1.0, 1.0], 10), max_bins=5, min_bin_share=0.05)
    assert found.labels == ["(missing)"]
    for counts in (found.events, found.cell_events):
        assert counts.tolist() == [30]
    for counts in (found.others, found.cell_others):
        assert counts.tolist() == [10]
