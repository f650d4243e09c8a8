import numpy as np
import pandas as pd
import pytest
from scipy import stats

from crmkit import datasets, response
from crmkit.errors import InputError
from crmkit.response._math.looks import (
    any_time_level,
    any_time_p_value,
    bounds,
    looked_p_value,
)
from crmkit.response._math.money import studentised_difference


def in_households(seed=0, n=600):
    rng = np.random.default_rng(seed)
    house = np.sort(rng.integers(0, n // 3, n))
    arm = rng.integers(0, 2, n // 3)[house]
    spend = rng.gamma(2, 10, n // 3)[house] + rng.gamma(1, 5, n) + 2 * arm
    orders = 1 + rng.poisson(2, n)
    past = spend + rng.normal(0, 8, n)
    columns = {"house": house, "arm": arm, "spend": spend, "orders": orders, "past": past}
    return pd.DataFrame({"customer_id": range(n), **columns})


def test_households_count_by_the_definition():
    table = in_households()
    row = response.campaign_result(table, outcome="spend", treated="arm", cluster="house").iloc[0]
    parts, freedoms = [], []
    for arm in (1, 0):
        part = table[table["arm"] == arm]
        n = len(part)
        # The fit of a mean, its hat matrix, and Bell and McCaffrey's adjusted residuals.
        hat, rest = np.full((n, n), 1 / n), (part["spend"] - part["spend"].mean()).to_numpy()
        variance, vectors = 0.0, []
        for house in part["house"].unique():
            own = np.flatnonzero(part["house"] == house)
            apart = np.eye(own.size) - hat[np.ix_(own, own)]
            values, sides = np.linalg.eigh(apart)
            root = sides @ np.diag(values**-0.5) @ sides.T
            variance += float((np.ones(own.size) / n) @ root @ rest[own]) ** 2
            vectors.append((np.eye(n) - hat)[:, own] @ root @ np.ones(own.size) / n)
        inner = np.array(vectors) @ np.array(vectors).T
        parts.append(variance)
        freedoms.append(np.trace(inner) ** 2 / np.sum(inner**2))
    assert row["std_error"] == pytest.approx(np.sqrt(sum(parts)))
    freedom = sum(parts) ** 2 / sum(v**2 / f for v, f in zip(parts, freedoms, strict=True))
    reach = stats.t.ppf(0.975, freedom) * row["std_error"]
    assert row["conf_high"] - row["uplift"] == pytest.approx(reach)
    # Everybody in a household of their own is Welch's test.
    alone = response.campaign_result(table, outcome="spend", treated="arm", cluster="customer_id")
    bare = response.campaign_result(table, outcome="spend", treated="arm", method="welch")
    pd.testing.assert_frame_equal(alone, bare)
    assert row["std_error"] > 1.3 * bare["std_error"].iloc[0]


def test_households_of_which_both_arms_have_some():
    table = in_households(1)
    table["arm"] = np.arange(len(table)) % 2
    found = response.campaign_result(table, outcome="spend", treated="arm", cluster="house")
    bare = response.campaign_result(table, outcome="spend", treated="arm", method="welch")
    # What a household's members share drops out of a comparison within it.
    assert found["std_error"].iloc[0] < 0.95 * bare["std_error"].iloc[0]
    adjusted = response.campaign_result(
        table, outcome="spend", treated="arm", cluster="house", covariates="past"
    )
    assert adjusted["std_error"].iloc[0] < found["std_error"].iloc[0]
    few = table.assign(house=table["house"] % 4)
    with pytest.raises(InputError, match="five clusters"):
        response.campaign_result(few, outcome="spend", treated="arm", cluster="house")
    with pytest.raises(InputError, match="'house' is missing in 1 of"):
        response.campaign_result(
            table.assign(house=table["house"].where(table.index > 0)), outcome="spend",
            treated="arm", cluster="house",
        )  # fmt: skip
    with pytest.raises(InputError, match="knows no `cluster`"):
        response.campaign_result(
            table, outcome="spend", treated="arm", cluster="house", method="bootstrap"
        )


def test_a_ratio_is_that_of_two_sums_and_earns_nothing():
    table = in_households(2)
    row = response.campaign_result(
        table, outcome="spend", treated="arm", denominator="orders", contact_cost=1
    ).iloc[0]
    sums = table.groupby("arm")[["spend", "orders"]].sum()
    ratio = sums["spend"] / sums["orders"]
    assert row[["mean_control", "mean_treated"]].tolist() == pytest.approx(ratio.tolist())
    assert row["uplift"] == pytest.approx(ratio[1] - ratio[0])
    assert row[["profit", "roi_low", "incremental_outcome"]].isna().all()
    assert row["cost"] == (table["arm"] == 1).sum()
    with pytest.raises(InputError, match="'orders' must be at least 0"):
        response.campaign_result(
            table.assign(orders=-1), outcome="spend", treated="arm", denominator="orders"
        )
    nobody = table.assign(orders=table["orders"] * table["arm"])
    with pytest.raises(InputError, match="in every row"):
        response.campaign_result(nobody, outcome="spend", treated="arm", denominator="orders")


def test_amounts_of_few_buyers_are_tested_as_by_permutation():
    rng = np.random.default_rng(0)
    treated = np.where(rng.random(400) < 0.05, rng.lognormal(0, 1.5, 400), 0.0)
    control = np.where(rng.random(100) < 0.05, rng.lognormal(0, 1.5, 100), 0.0)
    found = studentised_difference(
        treated, control, 0.95, n_draws=20_000, rng=np.random.default_rng(1)
    )
    both = np.concatenate([treated, control])
    observed = abs(stats.ttest_ind(treated, control, equal_var=False).statistic)
    shuffled = np.random.default_rng(2).permuted(np.tile(both, (20_000, 1)), axis=1)
    ratio = stats.ttest_ind(shuffled[:, :400], shuffled[:, 400:], axis=1, equal_var=False).statistic
    one_sided = min((ratio >= found[0] / found[1]).mean(), (ratio <= found[0] / found[1]).mean())
    assert observed == pytest.approx(abs(found[0] / found[1]))
    assert found[4] == pytest.approx(2 * one_sided, abs=0.05)
    # Far from 0 the p-value goes on falling instead of ending at the number of draws.
    tiny = studentised_difference(treated + 5, control, 0.95, n_draws=500, rng=rng)[4]
    assert 0 < tiny < 1e-6
    wide = [
        studentised_difference(treated, control, level, n_draws=500, rng=np.random.default_rng(1))
        for level in (0.9, 0.99, 0.9999, 0.9999999)
    ]
    assert np.all(np.diff([row[2] for row in wide]) < 0)
    assert np.all(np.diff([row[3] for row in wide]) > 0)


def test_looks_are_shares_that_rise():
    table = datasets.make_campaign(1000, random_state=2)
    test = {"outcome": "responded", "treated": "treated"}
    for looks in ([0.4, 0.2], [0.5, 0.5], [0.5, 1.2]):
        with pytest.raises(InputError, match="`looks` must be shares"):
            response.campaign_result(table, **test, looks=looks)
    once = response.campaign_result(table, **test)
    planned = response.campaign_result(table, **test, looks=[1.0])
    np.testing.assert_allclose(planned["p_value"], once["p_value"], rtol=1e-4)
    np.testing.assert_allclose(planned["conf_low"], once["conf_low"], rtol=1e-6)
    early = response.campaign_result(table, **test, looks=[0.2])
    any_time = response.campaign_result(table, **test, looks=0.2)
    for wider in (early, any_time):
        assert (wider["conf_low"] < once["conf_low"]).all()
        assert (wider["p_value"] > once["p_value"]).all()
    assert (response.campaign_result(table, **test, looks=3)["conf_low"] < once["conf_low"]).all()


def test_an_interval_at_any_time_ends_at_0_where_its_test_says():
    for share in (0.1, 1.0, 4.0):
        z = -stats.norm.ppf((1 - any_time_level(share, 0.05)) / 2)
        assert any_time_p_value(z, share, 0.05) == pytest.approx(0.05)
    for looks in ([0.3], [0.2, 0.5, 1.0]):
        limit = bounds(looks, 0.05)[-1]
        assert looked_p_value(limit, looks) == pytest.approx(0.05, rel=1e-4)


def test_plans_for_clusters_covariates_looks_arms_and_a_return():
    options = {"std_dev": 20.0, "uplift": 2.0}
    plain = response.sample_size(**options).iloc[0]
    assert plain["customers_treated"] == 1570

    def treated(**more):
        return response.sample_size(**options, **more)["customers_treated"].iloc[0]

    assert treated(explained_share=0.8) == 314
    assert treated(cluster_size=3, correlation=0.25) == pytest.approx(1570 * 1.5, abs=1)
    assert treated(break_even=1.0) == pytest.approx(4 * 1570, abs=4)
    # gsDesign: five looks that spend like O'Brien and Fleming need 1.025 times as many.
    assert treated(looks=[0.2, 0.4, 0.6, 0.8, 1.0]) == pytest.approx(1.025 * 1570, rel=0.002)
    assert treated(looks=1) > 1.5 * 1570
    arms = response.sample_size(**options, n_treatments=3, treated_share=0.75).iloc[0]
    z = stats.norm.ppf(1 - 0.025 / 3) + stats.norm.ppf(0.8)
    assert arms["customers_treated"] == np.ceil(2 * z**2 * 100)
    assert arms["customers"] == 4 * arms["customers_treated"]
    for more in (
        {"break_even": 1.0}, {"explained_share": 0.5}, {"looks": [0.5, 1.0]},
        {"cluster_size": 2, "correlation": 0.1}, {"n_treatments": 1},
    ):  # fmt: skip
        for kind in ({"std_dev": 20.0}, {"base_rate": 0.1}):
            least = more.get("break_even", 0.0) / (1 if "std_dev" in kind else 100)
            given = {**more, **({"break_even": least} if "break_even" in more else {})}
            found = response.minimum_detectable_effect(
                customers_treated=3000, customers_control=2000, **kind, **given
            )["uplift"].iloc[0]
            back = response.sample_size(uplift=found, treated_share=0.6, **kind, **given).iloc[0]
            assert back["customers_treated"] == pytest.approx(3000, abs=2)
    with pytest.raises(InputError, match="must be above `break_even`"):
        response.sample_size(std_dev=20.0, uplift=1.0, break_even=1.5)
    with pytest.raises(InputError, match="must end with 1"):
        response.sample_size(std_dev=20.0, uplift=1.0, looks=[0.2, 0.4])
    with pytest.raises(InputError, match="too few"):
        response.minimum_detectable_effect(
            customers_treated=300, customers_control=300, base_rate=0.5, break_even=0.6
        )
