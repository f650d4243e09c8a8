import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from crmkit import datasets, response
from crmkit.errors import InputError
from crmkit.response._math.money import resampled_moments
from crmkit.response._math.power import detectable_difference, needed_size


def test_bootstrap_has_the_error_and_skew_of_resampled_rows():
    rng = np.random.default_rng(0)
    values = np.where(rng.random(3000) < 0.02, rng.lognormal(4, 1, 3000), 0.0)
    fast = resampled_moments(values, 3000, 4000, np.random.default_rng(1))
    rows = values[rng.integers(0, 3000, (4000, 3000))]
    for one, other in zip(fast, (rows.mean(axis=1), rows.var(axis=1, ddof=1)), strict=True):
        assert one.std() == pytest.approx(other.std(), rel=0.06)
        assert np.quantile(one, [0.025, 0.5, 0.975]) == pytest.approx(
            np.quantile(other, [0.025, 0.5, 0.975]), rel=0.06
        )
    dense = rng.lognormal(0, 1, 20_000)
    mean, variance = resampled_moments(dense, 10_000, 2000, np.random.default_rng(2))
    assert mean.mean() == pytest.approx(dense.mean(), rel=0.003)
    assert mean.std() == pytest.approx(dense.std() / 100, rel=0.08)
    assert variance.mean() == pytest.approx(dense.var(), rel=0.02)


class OneCellEach:
    """Draws that show the cells: in the i-th resample every row falls into cell i."""

    def __init__(self, noise):
        self.noise, self.shares, self.first = noise, None, 0

    def multinomial(self, n, shares, size):
        self.shares, first, self.first = shares, self.first, self.first + size
        return n * np.eye(shares.size)[(first + np.arange(size)) % shares.size]

    def standard_normal(self, size):
        return np.full(size, self.noise)


def test_many_amounts_are_pooled_to_cells_of_their_mean_and_spread():
    values = np.random.default_rng(3).lognormal(0, 1, 5000)
    still, noisy = OneCellEach(0.0), OneCellEach(np.sqrt(values.size))
    cells = resampled_moments(values, values.size, 2000, still)[0]
    spread = resampled_moments(values, values.size, 2000, noisy)[0] - cells
    share = still.shares
    assert share.size == 2000
    assert share.sum() == pytest.approx(1)
    assert share @ cells == pytest.approx(values.mean())
    assert share @ (cells**2 + spread**2) == pytest.approx((values**2).mean())
    np.testing.assert_allclose(cells[-1000:], np.sort(values)[-1000:])
    np.testing.assert_allclose(spread[-1000:], 0.0, atol=1e-9)
    np.testing.assert_allclose(share[:1000] * values.size, 4.0)


def campaign(n=4000, effect=1.0, **kwargs):
    return datasets.make_campaign(n, random_state=2, effect=effect, **kwargs)


def test_words_of_the_verdict():
    words = {}
    for name, cost, effect in (("paid", 0.1, 2.0), ("dear", 5.0, 2.0), ("nothing", 0.1, 0.0)):
        result = response.campaign_result(
            campaign(effect=effect),
            outcome="responded",
            treated="treated",
            value=10,
            contact_cost=cost,
        )
        words[name] = result["verdict"].iloc[0]
    assert words == {
        "paid": "significant and profitable",
        "dear": "significant but not profitable",
        "nothing": "no effect shown",
    }
    worse = campaign().assign(responded=lambda t: (t["treated"] == 0) * 1)
    result = response.campaign_result(worse, outcome="responded", treated="treated")
    assert result["verdict"].iloc[0] == "significantly harmful"


def test_money_follows_from_the_lift():
    table = campaign(arms=("mail", "call"))
    result = response.campaign_result(
        table,
        outcome="responded",
        treated="arm",
        value=30,
        margin=0.5,
        contact_cost={"mail": 0.5, "call": 2.0},
        fixed_cost=100,
    )
    assert result["cost"].sum() == pytest.approx(
        100 + (table["arm"] == "mail").sum() * 0.5 + (table["arm"] == "call").sum() * 2
    )
    for row in result.itertuples():
        assert row.profit == pytest.approx(row.uplift * row.customers_treated * 15 - row.cost)
        assert row.roi == pytest.approx(row.profit / row.cost)
        assert row.profit_low <= row.profit <= row.profit_high
    assert (result["p_adjusted"] >= result["p_value"]).all()
    free = response.campaign_result(table, outcome="responded", treated="arm")
    assert free["roi"].isna().all()
    with pytest.raises(InputError, match="lacks the treatment"):
        response.campaign_result(
            table, outcome="responded", treated="arm", contact_cost={"mail": 1}
        )


def test_groups_are_compared_within():
    table = campaign()
    result = response.campaign_result(
        table, outcome="spend", treated="treated", by=["channel"], method="welch"
    )
    assert result["channel"].tolist() == ["phone", "shop", "web"]
    part = table[table["channel"] == "web"]
    one, other = (part.loc[part["treated"] == arm, "spend"] for arm in (1, 0))
    found = stats.ttest_ind(one, other, equal_var=False)
    row = result.iloc[2]
    assert row["p_value"] == pytest.approx(found.pvalue)
    assert row["conf_low"] == pytest.approx(found.confidence_interval().low)
    with pytest.raises(InputError, match="fewer than two"):
        response.campaign_result(table, outcome="spend", treated="treated", by="customer_id")
    with pytest.raises(InputError, match="which the result needs"):
        response.campaign_result(
            table.rename(columns={"channel": "p_value"}),
            outcome="spend",
            treated="treated",
            by="p_value",
        )
    with pytest.raises(InputError, match="newcombe"):
        response.campaign_result(table, outcome="spend", treated="treated", method="newcombe")


@given(
    base=st.floats(0.005, 0.6),
    uplift=st.floats(0.001, 0.3),
    share=st.floats(0.1, 0.9),
    power=st.floats(0.5, 0.95),
)
def test_size_and_lift_are_inverse(base, uplift, share, power):
    options = {"ratio": (1 - share) / share, "power": power, "confidence_level": 0.95}
    n = needed_size(base=base, spread=None, uplift=uplift, **options)
    back = detectable_difference(base=base, spread=None, n_treated=n, **options)
    assert back == pytest.approx(uplift, rel=1e-6)
    n = needed_size(base=None, spread=20.0, uplift=uplift, **options)
    assert detectable_difference(base=None, spread=20.0, n_treated=n, **options) == pytest.approx(
        uplift
    )


def test_power_is_what_was_asked_for():
    table = response.sample_size(base_rate=0.1, uplift=0.03, treated_share=0.7)
    n1, n0 = table[["customers_treated", "customers_control"]].iloc[0]
    rng = np.random.default_rng(3)
    a, b = rng.binomial(n1, 0.13, 4000), rng.binomial(n0, 0.1, 4000)
    rate = (a + b) / (n1 + n0)
    z = (a / n1 - b / n0) / np.sqrt(rate * (1 - rate) * (1 / n1 + 1 / n0))
    shown = np.abs(z) > stats.norm.ppf(0.975)
    assert shown.mean() == pytest.approx(0.8, abs=0.02)


def test_impossible_tests_are_refused():
    with pytest.raises(InputError, match="one of them"):
        response.sample_size(uplift=0.1)
    with pytest.raises(InputError, match="must not be 0"):
        response.sample_size(uplift=0.0, base_rate=0.1)
    with pytest.raises(InputError, match="between 0 and 1"):
        response.sample_size(uplift=0.5, base_rate=0.6)
    with pytest.raises(InputError, match="too few"):
        response.minimum_detectable_effect(base_rate=0.5, customers_treated=3, customers_control=3)


def test_sizes_and_balance_of_arms():
    table = campaign(20_000, treated_share=0.45)
    assert response.sample_ratio_test(table, treated="treated")["p_value"].iloc[0] < 1e-10
    planned = response.sample_ratio_test(table, treated="treated", expected={0: 0.55, 1: 0.45})
    assert planned["p_value"].iloc[0] > 0.001
    with pytest.raises(InputError, match="lacks the arm"):
        response.sample_ratio_test(table, treated="treated", expected={0: 1.0})
    old = table.assign(treated=(table["age"] > 46) * 1)
    balance = response.balance_table(old, treated="treated", columns=["age", "monetary", "channel"])
    assert balance["variable"].iloc[0] == "age"
    assert balance["balanced"].tolist()[:2] == [False, True]


def test_an_arm_that_was_planned_and_got_nobody_is_a_mismatch():
    arms = ["mail"] * 260 + ["control"] * 240
    table = pd.DataFrame({"customer_id": range(500), "arm": arms})
    plan = {"letter": 0.1, "control": 0.45, "mail": 0.45}
    found = response.sample_ratio_test(table, treated="arm", expected=plan)
    assert found["arm"].tolist() == ["control", "mail", "letter"]
    assert found["customers"].tolist() == [240, 260, 0]
    assert found["share"].iloc[2] == 0
    expected = stats.chisquare([240, 260, 0], [225, 225, 50]).pvalue
    np.testing.assert_allclose(found["p_value"], expected, rtol=1e-9)
    assert expected < 1e-12
    # Nobody was held out although half should have been.
    all_in = table.assign(treated=1)
    found = response.sample_ratio_test(all_in, treated="treated", expected={0: 0.5, 1: 0.5})
    assert found["customers"].tolist() == [500, 0]
    np.testing.assert_allclose(found["p_value"], stats.chi2.sf(500, 1), rtol=1e-9)
    with pytest.raises(InputError, match="fewer than two arms"):
        response.sample_ratio_test(all_in, treated="treated", expected={1: 1.0})
    with pytest.raises(InputError, match="positive shares that add up to 1"):
        response.sample_ratio_test(table, treated="arm", expected=plan | {"letter": 0.0})


def test_profit_is_highest_where_it_is_said_to_be():
    table = campaign(2000)
    score = np.round(1 / table["recency_days"], 2)
    scores = pd.DataFrame({"customer_id": table["customer_id"], "score": score})
    profit = response.profit_table(
        table, scores, value=30, margin=0.5, contact_cost=3, fixed_cost=20, n_points=10
    )
    best = -np.inf
    for cut in np.unique(score):
        reached = score >= cut
        best = max(best, table.loc[reached, "responded"].sum() * 15 - 3 * reached.sum() - 20)
    assert profit.loc[profit["best"], "profit"].tolist() == [best]
    assert profit["profit"].max() == best
    assert (profit["profit"] == profit["revenue"] - profit["cost"]).all()
    assert profit["customers"].is_monotonic_increasing
    assert profit["customers"].iloc[-1] == len(table)
    last = profit[profit["pays"]].iloc[0]
    assert last["score"] >= 3 / 15


def test_buyer_profile_compares_with_the_base():
    customers = pd.DataFrame(
        {
            "customer_id": range(8),
            "town": list("AAAABBBB"),
            "age": [20, 30, 40, 50, 60, 70, None, 25],
        }
    )
    transactions = pd.DataFrame(
        {
            "customer_id": [0, 1, 4, 4, 5, 99, 6],
            "date": pd.to_datetime(["2025-01-01"] * 6 + ["2025-03-01"]),
            "product": ["tea", "tea", "tea", "milk", "tea", "tea", "tea"],
            "amount": [2.0, 2.0, 2.0, 1.0, -2.0, 2.0, 2.0],
            "shelf": ["drink"] * 7,
        }
    )
    profile = response.buyer_profile(
        transactions, customers, product="tea", as_of="2025-02-01", n_bins=2
    )
    town = profile[profile["variable"] == "town"]
    # The return, the stranger and the later line make nobody a buyer.
    assert town["buyers"].tolist() == [2, 1]
    assert town["index"].tolist() == pytest.approx([400 / 3, 200 / 3])
    age = profile[profile["variable"] == "age"]
    assert age["level"].tolist() == ["20 to 40", "50 to 70", "(missing)"]
    assert age["customers"].tolist() == [4, 3, 1]
    for _, part in profile.groupby("variable"):
        assert part["share_buyers"].sum() == pytest.approx(1)
        assert part["share_base"].sum() == pytest.approx(1)
    shelf = response.buyer_profile(
        transactions, customers, product="drink", product_column="shelf", columns=["town"]
    )
    assert shelf["buyers"].sum() == 4
    for table in (profile, shelf):
        assert table.attrs["account"]["transactions_unmatched"] == 1
    assert shelf.attrs["account"]["customers_unmatched"] == 3
    for unknown in ("beer", ["tea", "beer"]):
        with pytest.raises(InputError, match=r"product .*`transactions`|`transactions` lacks"):
            response.buyer_profile(transactions, customers, product=unknown)
    with pytest.raises(InputError, match="do not write product alike"):
        response.buyer_profile(transactions, customers, product=["tea", "Milk"])
    with pytest.raises(InputError, match="none of `customers` bought"):
        response.buyer_profile(transactions, customers.iloc[[5]], product="tea")


def test_a_selection_leads_into_its_result():
    rng = np.random.default_rng(0)
    n = 6000
    people = pd.DataFrame({"customer_id": range(n), "ok": rng.random(n) < 0.8})
    scores = pd.DataFrame({"customer_id": range(n), "uplift": rng.uniform(-0.05, 0.2, n)})
    selection = response.select_targets(
        people, scores, consent="ok", value=30, contact_cost=1, holdout_share=0.2, random_state=0
    )
    chosen = selection["decision"] == "contact"
    came = people[["customer_id"]].assign(
        bought=rng.random(n) < 0.1 + np.where(chosen, scores["uplift"], 0.0)
    )
    planned = response.campaign_result(came, outcome="bought", selection=selection, value=30)
    row = planned.iloc[0]
    assert row["customers_treated"] == chosen.sum()
    assert row["customers_control"] == (selection["decision"] == "control").sum()
    assert row["cost"] == chosen.sum()
    assert row["planned_profit"] == pytest.approx(selection.loc[chosen, "expected_gain"].sum())
    assert row["profit_low"] < row["planned_profit"] < row["profit_high"]
    assert planned.attrs["account"]["in_no_arm"] == (selection["decision"] == "no contact").sum()
    # The same by hand; and nobody who was left alone for a reason is a treatment.
    merged = came.merge(selection[["customer_id", "decision"]], on="customer_id")
    by_hand = response.campaign_result(
        merged, outcome="bought", treated="decision", value=30, contact_cost=np.int64(1)
    )
    pd.testing.assert_frame_equal(
        by_hand.drop(columns="treatment"), planned.drop(columns=["treatment", "planned_profit"])
    )
    costs = merged.assign(each=1.0)
    again = response.campaign_result(
        costs, outcome="bought", treated="decision", value=30, contact_cost="each"
    )
    pd.testing.assert_frame_equal(again, by_hand)
    model = response.UpliftModel(random_state=0).fit(
        merged.merge(scores), outcome="bought", treated="decision"
    )
    assert model.account_["in_no_arm"] == (selection["decision"] == "no contact").sum()
    with pytest.raises(InputError, match="either `treated` or `selection`"):
        response.campaign_result(came, outcome="bought")
    with pytest.raises(InputError, match="nobody of the hold-out"):
        response.campaign_result(came[chosen], outcome="bought", selection=selection)
    with pytest.raises(InputError, match="column 'decision' is none of"):
        response.campaign_result(came, outcome="bought", selection=selection.assign(decision="yes"))


def test_offers_of_a_selection_are_arms():
    rng = np.random.default_rng(1)
    n = 3000
    people = pd.DataFrame({"customer_id": range(n), "ok": True})
    scores = pd.concat(
        people[["customer_id"]].assign(treatment=offer, score=rng.uniform(0, 0.2, n))
        for offer in ("card", "call")
    )
    selection = response.select_targets(
        people, scores, consent="ok", value=30, contact_cost={"card": 1, "call": 3},
        random_state=0,
    )  # fmt: skip
    came = people[["customer_id"]].assign(bought=rng.random(n) < 0.1)
    result = response.campaign_result(came, outcome="bought", selection=selection)
    contacted = selection[selection["decision"] == "contact"]
    assert result["treatment"].tolist() == ["call", "card"]
    assert result["customers_treated"].tolist() == [
        (contacted["treatment"] == offer).sum() for offer in ("call", "card")
    ]
    assert result["cost"].tolist() == [
        contacted.loc[contacted["treatment"] == offer, "cost"].sum() for offer in ("call", "card")
    ]


def with_a_past(seed, n=2000, effect=1.0):
    rng = np.random.default_rng(seed)
    level, arm = rng.lognormal(1, 1, n), (rng.random(n) < 0.5).astype(int)
    table = pd.DataFrame({"customer_id": range(n), "arm": arm})
    table["past"] = level + rng.normal(size=n)
    return table.assign(spend=level + effect * arm + rng.normal(size=n))


def test_what_was_known_before_shortens_the_interval():
    table = with_a_past(0)
    bare = response.campaign_result(table, outcome="spend", treated="arm", method="welch").iloc[0]
    row = response.campaign_result(table, outcome="spend", treated="arm", covariates="past").iloc[0]
    assert bare["std_error"] ** 2 > 5 * row["std_error"] ** 2  # as good as five times the customers
    assert row["conf_low"] < 1 < row["conf_high"]
    assert row["mean_treated"] == bare["mean_treated"]
    # One regression with the arm, what was known, centred, and both: the arm's coefficient.
    past = table["past"] - table["past"].mean()
    design = np.column_stack([np.ones(len(table)), table["arm"], past, table["arm"] * past])
    found = np.linalg.lstsq(design, table["spend"], rcond=None)[0]
    assert row["uplift"] == pytest.approx(found[1])
    rest = table["spend"] - design @ found
    bread = np.linalg.inv(design.T @ design)
    robust = bread @ (design.T @ (design * (rest.to_numpy() ** 2)[:, None])) @ bread
    assert row["std_error"] == pytest.approx(np.sqrt(robust[1, 1]), rel=0.01)


def test_covariates_that_tell_nothing_or_cannot_be_used():
    table = with_a_past(1).assign(noise=np.random.default_rng(2).normal(size=2000))
    bare = response.campaign_result(table, outcome="spend", treated="arm", method="welch").iloc[0]
    row = response.campaign_result(table, outcome="spend", treated="arm", covariates="noise").iloc[
        0
    ]
    assert row["std_error"] == pytest.approx(bare["std_error"], rel=0.02)
    part = table.assign(half=np.where(table.index < 8, "few", "many"))
    result = response.campaign_result(
        part, outcome="spend", treated="arm", covariates=["past", "noise"], by="half"
    ).set_index("half")
    assert result.loc["few", "verdict"] == "too few to tell"
    assert np.isfinite(result.loc["many", "uplift"])
    with pytest.raises(InputError, match="knows no `covariates`"):
        response.campaign_result(
            table, outcome="spend", treated="arm", covariates="past", method="bootstrap"
        )
    with pytest.raises(InputError, match="'past' is missing in 1 of"):
        response.campaign_result(
            table.assign(past=table["past"].where(table.index > 0)), outcome="spend",
            treated="arm", covariates="past",
        )  # fmt: skip


def test_a_small_group_spoils_no_other():
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"customer_id": range(403), "arm": [1, 0] * 201 + [1]})
    table["region"] = ["north", "south"] * 200 + ["isle"] * 3
    table["arm"] = np.where(table["region"] == "isle", 1, rng.integers(0, 2, 403))
    table["spend"] = rng.gamma(2, 10, 403)
    result = response.campaign_result(table, outcome="spend", treated="arm", by="region")
    isle = result.set_index("region").loc["isle"]
    assert isle[["customers_treated", "customers_control", "verdict"]].tolist() == [
        3,
        0,
        "too few to tell",
    ]
    assert np.isnan(isle["profit"])
    others = table[table["region"] != "isle"]
    alone = response.campaign_result(others, outcome="spend", treated="arm", by="region")
    pd.testing.assert_frame_equal(
        result[result["region"] != "isle"].reset_index(drop=True)[["mean_treated", "p_adjusted"]],
        alone[["mean_treated", "p_adjusted"]],
    )


def test_few_customers_prove_little():
    four = pd.DataFrame({"customer_id": range(4), "arm": [1, 1, 0, 0], "spent": [5.0, 5, 0, 0]})
    result = response.campaign_result(four, outcome="spent", treated="arm").iloc[0]
    assert result["p_value"] == pytest.approx(2 / 6)
    assert result["uplift"] == 5
    assert result[["std_error", "conf_low", "profit_high"]].isna().all()
    assert result["verdict"] == "too few to tell"
    forty = pd.DataFrame({"customer_id": range(40), "arm": [1, 0] * 20})
    forty["bought"] = (forty["customer_id"] < 8) & (forty["arm"] == 1)
    result = response.campaign_result(forty, outcome="bought", treated="arm").iloc[0]
    assert result["p_value"] == pytest.approx(0.106, abs=0.001)  # Fisher's exact test
    assert result["verdict"] == "no effect shown"
