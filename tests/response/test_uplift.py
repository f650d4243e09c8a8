import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from crmkit import datasets, response
from crmkit._learn import FeatureEncoder
from crmkit._learn.effect_drivers import drivers_table
from crmkit._learn.effects import fit_effects
from crmkit.errors import InputError
from crmkit.response._math import qini

KNOWN = ["age", "recency_days", "frequency", "monetary", "messages_received", "channel"]
TEST = {"outcome": "responded", "treated": "treated"}


@pytest.fixture(scope="module")
def campaign():
    return datasets.make_campaign(16_000, random_state=3)


@pytest.mark.sweep(2)
@pytest.mark.parametrize("method", ["auto", "t", "s", "x", "dr"])
@pytest.mark.parametrize("outcome", ["responded", "spend"])
def test_every_learner_finds_whom_the_mail_changes(campaign, method, outcome):
    past, later = campaign[:12_000], campaign[12_000:]
    model = response.UpliftModel(method=method, random_state=0)
    model.fit(past, outcome=outcome, treated="treated", columns=KNOWN)
    truth = "true_uplift" if outcome == "responded" else "true_spend_uplift"
    scores = model.predict(later)
    assert np.corrcoef(scores["uplift"], later[truth])[0, 1] > 0.6
    effect = model.effects_.iloc[0]
    assert effect["conf_low"] < past[truth].mean() < effect["conf_high"]
    assert abs(effect["slope"] - 1) < 3 * effect["slope_std_error"]
    assert not scores["in_sample"].any()
    assert (model.scores_["customer_id"].to_numpy() == past["customer_id"].to_numpy()).all()


def test_scores_of_seen_rows_are_refused_for_judging(campaign):
    model = response.UpliftModel(method="t").fit(campaign, treated="treated", columns=KNOWN)
    seen = model.predict(campaign)
    assert seen["in_sample"].all()
    for judge in (response.qini_table, response.uplift_table, response.policy_value):
        with pytest.raises(InputError, match="out-of-fold"):
            judge(campaign, seen, **TEST)
        assert len(judge(campaign, model.scores_, **TEST))


def test_several_treatments_and_any_estimator():
    arms = datasets.make_campaign(6000, random_state=4, arms=("mail", "call"))
    model = response.UpliftModel(
        estimator=HistGradientBoostingClassifier(max_iter=20),
        effect_estimator=HistGradientBoostingRegressor(max_iter=20),
        n_folds=2,
        random_state=1,
    ).fit(arms, treated="arm", columns=KNOWN)
    scores = model.predict(arms)
    assert scores["treatment"].tolist()[:4] == ["call", "mail", "call", "mail"]
    assert len(scores) == 12_000
    table = response.uplift_table(
        arms, model.scores_, outcome="responded", treated="arm", treatment="mail"
    )
    assert table["customers"].iloc[-1] == (arms["arm"] != "call").sum()
    with pytest.raises(InputError, match="several treatments"):
        response.uplift_table(arms, model.scores_, outcome="responded", treated="arm")
    chosen = response.select_targets(
        arms,
        model.scores_,
        consent="email_consent",
        value=20,
        contact_cost={"mail": 0.5, "call": 2.0},
        budget=800,
        random_state=0,
    )
    contact = chosen["decision"] == "contact"
    assert chosen.loc[contact, "cost"].sum() <= 800
    assert set(chosen.loc[contact, "treatment"]) <= {"mail", "call"}
    with pytest.raises(InputError, match="classifier"):
        response.UpliftModel(estimator=HistGradientBoostingClassifier()).fit(
            arms, outcome="spend", treated="arm", columns=KNOWN
        )


def chosen_by_age(n=20_000):
    """A campaign sent more to the old, on whom it works less: not random, but explained by age."""
    table = datasets.make_campaign(n, random_state=8)
    rng = np.random.default_rng(9)
    table["chance"] = 1 / (1 + np.exp(-(table["age"] - 46) / 12))
    table["treated"] = (rng.random(n) < table["chance"]).astype(int)
    p = table["true_p_control"] + table["treated"] * table["true_uplift"]
    # Older customers also buy more by themselves, so that a plain comparison misleads.
    p = np.clip(p + 0.004 * (table["age"] - 46), 0.01, 0.99)
    return table.assign(responded=(rng.random(n) < p).astype(int))


@pytest.mark.parametrize("propensity", ["estimated", "chance", {1: "chance"}])
def test_known_or_estimated_chances_undo_the_choice(propensity):
    table = chosen_by_age()
    with pytest.raises(InputError, match="arms differ"):
        response.UpliftModel().fit(table, treated="treated", columns=KNOWN)
    # What is tried here is the same for every method; this one is cheap.
    model = response.UpliftModel(method="dr", propensity=propensity, random_state=0)
    model.fit(table, treated="treated", columns=KNOWN)
    effect = model.effects_.iloc[0]
    truth = table["true_uplift"].mean()
    assert abs(effect["average_uplift"] - truth) < 3 * effect["std_error"]
    naive = table.groupby("treated")["responded"].mean().diff().iloc[1]
    assert abs(naive - truth) > 3 * effect["std_error"]


def test_single_arm_data_are_refused(campaign):
    treated = campaign[campaign["treated"] == 1]
    with pytest.raises(InputError, match="no control group"):
        response.UpliftModel().fit(treated, treated="treated", columns=KNOWN)
    with pytest.raises(InputError, match="nobody but the control group"):
        response.UpliftModel().fit(campaign[campaign["treated"] == 0], treated="treated")
    with pytest.raises(InputError, match="no control group"):
        response.campaign_result(treated, **TEST)


def test_no_difference_gives_everyone_the_average():
    rng = np.random.default_rng(11)
    n = 3000
    table = pd.DataFrame({"customer_id": range(n), "x": 1.0, "treated": rng.integers(0, 2, n)})
    table["x"] = rng.normal(size=n)
    table["responded"] = (rng.random(n) < 0.2).astype(int)
    model = response.UpliftModel(random_state=0).fit(table, treated="treated")
    if model.effects_["slope"].iloc[0] <= 0:
        assert model.scores_["uplift"].nunique() == 1
    else:
        assert model.effects_["slope"].iloc[0] < 3 * model.effects_["slope_std_error"].iloc[0]


def scores_of(campaign, values):
    return pd.DataFrame({"customer_id": campaign["customer_id"], "score": values})


@pytest.mark.parametrize("y0", [30, 150])
def test_the_best_orders_are_those_of_scikit_uplift(y0):
    """Its perfect curves sort by formulas of outcome and arm; the second has two cases."""
    arm = np.repeat([0, 0, 1, 1], [80, y0, 100, 60])
    outcome = np.repeat([0.0, 1.0, 0.0, 1.0], [80, y0, 100, 60])
    second = outcome if y0 > 100 else arm
    areas = []
    for score, which in (((2 * arm - 1) * outcome, 2), (2 * (arm == outcome) + second, 1)):
        arms = qini.scored_arms(score, arm, outcome)
        curve = qini.gain_curve(arms)
        areas.append(np.trapezoid(curve[which], curve[0]))
    np.testing.assert_allclose(qini._best_areas(arms, arms.n.sum(axis=0)), areas)


def test_drawn_sums_of_money_scatter_as_those_of_resampled_rows():
    rng = np.random.default_rng(0)
    score, arm, money = rng.integers(0, 3, 900), rng.integers(0, 2, 900), rng.gamma(0.5, 8, 900)
    arms = qini.scored_arms(score.astype(float), arm, money)
    fast = qini.bootstrap(arms, n_draws=4000, binary=False, rng=rng)
    rows = rng.integers(0, 900, (4000, 900))
    cell = (2 - score) * 2 + arm  # the best score first
    for k in range(6):
        slow = np.where(cell[rows] == k, money[rows], 0.0).sum(axis=1)
        drawn = fast.total.reshape(4000, 6)[:, k]
        assert drawn.mean() == pytest.approx(slow.mean(), rel=0.02)
        assert drawn.std() == pytest.approx(slow.std(), rel=0.06)


def test_constant_score_has_qini_zero(campaign):
    table = response.qini_summary(campaign, scores_of(campaign, 1.0), **TEST)
    others = table["definition"] != "auuc_share_of_total"
    assert (table.loc[others, ["estimate", "std_error", "conf_low", "conf_high"]] == 0).all(
        axis=None
    )
    assert table.loc[~others, "estimate"].tolist() == [0.5]
    curve = response.qini_table(campaign, scores_of(campaign, 1.0), **TEST)
    assert curve["share"].tolist() == [0, 1]


@given(seed=st.integers(0, 500), levels=st.integers(1, 9), money=st.booleans())
def test_qini_ignores_row_order_and_monotone_rescaling(seed, levels, money):
    rng = np.random.default_rng(seed)
    n = 120
    table = pd.DataFrame({"customer_id": range(n), "treated": np.arange(n) % 2})
    table["responded"] = rng.integers(0, 2, n) * (rng.integers(1, 9, n) if money else 1)
    score = rng.integers(0, levels, n)
    base = response.qini_summary(table, scores_of(table, score), n_draws=20, **TEST)
    moved = response.qini_summary(
        table.sample(frac=1, random_state=seed),
        scores_of(table, np.exp(score / 3.0)),
        n_draws=20,
        **TEST,
    )
    pd.testing.assert_frame_equal(base, moved)
    assert len(base) == (4 if money and table["responded"].max() > 1 else 7)


def test_the_true_order_beats_others_and_the_curve_ends_at_the_average(campaign):
    best, noise = (
        response.qini_summary(campaign, scores_of(campaign, values), **TEST).iloc[0]
        for values in (campaign["true_uplift"], np.random.default_rng(1).random(len(campaign)))
    )
    assert best["conf_low"] > 0
    assert noise["conf_low"] < 0 < noise["conf_high"]
    assert best["estimate"] > noise["estimate"]
    curve = response.qini_table(campaign, scores_of(campaign, campaign["true_uplift"]), **TEST)
    uplift = response.campaign_result(campaign, **TEST)["uplift"].iloc[0]
    assert curve["gain"].iloc[-1] == pytest.approx(uplift)
    assert curve["qini"].iloc[-1] == pytest.approx(uplift * campaign["treated"].sum())
    assert curve["customers"].iloc[-1] == len(campaign)
    assert (curve["conf_low"] <= curve["gain"]).all()


def test_deciles_add_up_and_all_has_an_error_of_its_own(campaign):
    table = response.uplift_table(campaign, scores_of(campaign, campaign["true_uplift"]), **TEST)
    parts, whole = table.iloc[:-1], table.iloc[-1]
    assert parts["customers"].sum() == whole["customers"] == len(campaign)
    assert whole["std_error"] < parts["std_error"].min()
    np.testing.assert_allclose(whole["score_mean"], campaign["true_uplift"].mean())


def test_policy_values_agree_and_doubly_robust_is_sharper(campaign):
    model = response.UpliftModel(method="t", random_state=0)
    model.fit(campaign, treated="treated", columns=KNOWN)
    options = {**TEST, "value": 20, "contact_cost": 1, "shares": (0, 0.3, 1.0), "score": "uplift"}
    ipw, robust = (
        response.policy_value(campaign, model.scores_, method=method, **options)
        for method in ("ipw", "dr")
    )
    assert (robust["std_error"] < ipw["std_error"]).all()
    assert ipw["gain"].iloc[0] == 0
    top = campaign["true_uplift"] * 20 - 1
    order = model.scores_["uplift"].to_numpy().argsort()[::-1][: int(0.3 * len(campaign))]
    truth = top.iloc[order].sum() / len(campaign)
    for table in (ipw, robust):
        row = table.iloc[1]
        assert row["gain_low"] < truth < row["gain_high"]
        assert row["customers"] == pytest.approx(0.3 * len(campaign))


def offered(n, seed):
    """Two offers beside a control group: each works for those whose number has its sign."""
    rng = np.random.default_rng(seed)
    x, arm = rng.uniform(-1, 1, n), rng.choice(["none", "call", "card"], n, p=[0.4, 0.2, 0.4])
    effect = {"call": 0.4 * np.maximum(x, 0), "card": 0.2 * np.maximum(-x, 0)}
    chance = 0.1 + np.select([arm == "call", arm == "card"], [effect["call"], effect["card"]], 0.0)
    table = pd.DataFrame({"customer_id": range(n), "x": x, "arm": arm})
    table["responded"] = (rng.random(n) < chance).astype(int)
    scores = [
        pd.DataFrame({"customer_id": range(n), "treatment": name, "uplift": effect[name]})
        for name in ("card", "call")
    ]
    marks = pd.concat(scores, ignore_index=True)
    return table, marks.assign(expected_control=0.1)


@pytest.mark.parametrize("method", ["ipw", "dr"])
def test_the_value_of_the_best_of_several_offers(method):
    options = {"outcome": "responded", "treated": "arm", "control": "none", "score": "uplift"}
    costs = {"call": 1.0, "card": 0.2}
    covered = []
    for seed in range(20):
        table, scores = offered(3000, seed)
        row = response.policy_value(
            table, scores, value=10, contact_cost=costs, shares=(1.0,), method=method, **options
        ).iloc[0]
        x = np.linspace(-1, 1, 20_001)
        best = np.maximum(4 * np.maximum(x, 0) - 1.0, 2 * np.maximum(-x, 0) - 0.2)
        covered.append(row["gain_low"] < best.mean() < row["gain_high"])
    assert np.mean(covered) > 0.8
    # One by one, and by the slow way: means of those who happened to get their best offer.
    only = response.policy_value(table, scores, treatment="card", contact_cost=costs, **options)
    plain = response.policy_value(table, scores, treatment="card", contact_cost=0.2, **options)
    pd.testing.assert_frame_equal(only, plain)
    wide = scores.pivot(index="customer_id", columns="treatment", values="uplift")
    choice = (10 * wide - pd.Series(costs)).idxmax(axis=1).to_numpy()
    share = table["arm"].value_counts(normalize=True)
    lucky = (table["arm"] == choice) * table["responded"] / table["arm"].map(share)
    if method == "ipw":
        cost = pd.Series(choice).map(costs).mean()
        assert row["value"] == pytest.approx(10 * lucky.mean() - cost)
    with pytest.raises(InputError, match="lacks the treatment"):
        response.policy_value(table, scores, contact_cost={"call": 1}, **options)
    with pytest.raises(InputError, match="is for one treatment"):
        response.policy_value(table, scores, propensity=0.5, **options)


def test_ties_on_the_edge_are_contacted_in_part(campaign):
    table = response.policy_value(campaign, scores_of(campaign, 1.0), shares=(0.25,), **TEST)
    assert table["customers"].iloc[0] == pytest.approx(0.25 * len(campaign))


def simulated(kind, n, seed):
    """Six numbers, half of the customers treated, and the true effect of each."""
    rng = np.random.default_rng(seed)
    x, arm = rng.uniform(-1, 1, (n, 6)), rng.integers(0, 2, n)
    if kind == "yes or no":
        odds = -1.5 + 1.5 * x[:, 0] + x[:, 1]
        alone = 1 / (1 + np.exp(-odds))
        effect = 1 / (1 + np.exp(-(odds + 0.5 + x[:, 2]))) - alone
        outcome = (rng.random(n) < alone + effect * arm).astype(int)
    else:
        noise = 0.5 if kind == "interaction" else 1.0
        effect = {
            "linear": 0.5 + 0.5 * x[:, 0] + 0.3 * x[:, 2],
            "interaction": x[:, 0] * x[:, 1],
            "step": 1.0 * ((x[:, 0] > 0) & (x[:, 2] > -0.3)),
            "none": np.full(n, 0.3),
        }[kind]
        outcome = x[:, 0] + x[:, 1] + effect * arm + noise * rng.normal(size=n)
    table = pd.DataFrame(x).add_prefix("x").assign(outcome=outcome, treated=arm, effect=effect)
    return table.rename_axis("customer_id").reset_index()


# The best of econml 0.17.0's learners (linear and forest DRLearner, causal forest, T and X with
# forests and boosting) at 2,000 customers, mean of three draws. One draw may be a fifth worse.
@pytest.mark.wide
@pytest.mark.parametrize(
    ("kind", "best"), [("yes or no", 0.049), ("interaction", 0.154), ("none", 0.070)]
)
def test_the_choice_is_as_good_as_the_best_peer(kind, best, long):
    errors, draws = [], 6 if long else 1
    for draw in range(draws):
        past, later = simulated(kind, 2000, 1 + 100 * draw), simulated(kind, 4000, 2 + 100 * draw)
        model = response.UpliftModel(random_state=0)
        model.fit(past, outcome="outcome", columns=[f"x{i}" for i in range(6)])
        error = model.predict(later)["uplift"] - later["effect"]
        if draws == 1 and kind == "none":
            error -= error.mean()  # how far the average of one draw is off is no method's doing
        errors.append(np.sqrt(np.mean(error**2)))
    assert np.mean(errors) < (1.2 if draws == 1 else 1.1) * best
    weights = model.methods_.groupby("treatment")["weight"].sum()
    assert weights.tolist() == pytest.approx([1.0])
    assert (model.methods_["weight"] >= 0).all()
    chosen = model.methods_.nlargest(1, "weight").iloc[0]
    if kind == "interaction":
        assert (chosen["method"], chosen["learner"]) == ("t", "mixed")
        assert chosen["extra_loss"] < -0.05


def test_trees_are_kept_exactly_in_a_file(tmp_path):
    past, later = simulated("step", 1000, 3), simulated("step", 300, 4)
    columns = [f"x{i}" for i in range(6)]
    model = response.UpliftModel(random_state=0).fit(past, outcome="outcome", columns=columns)
    assert model.methods_.query("weight > 0")["learner"].isin(["forest", "boosted", "mixed"]).any()
    model.save(tmp_path / "model.json")
    again = response.UpliftModel.load(tmp_path / "model.json").predict(later)
    known = model.predict(later)
    pd.testing.assert_frame_equal(again.drop(columns="in_sample"), known.drop(columns="in_sample"))


def test_trees_say_what_scikit_learn_says():
    from sklearn.tree import DecisionTreeRegressor

    from crmkit._learn.trees import TreeStyle, fit_trees

    table = simulated("step", 500, 5)
    x, y = table[[f"x{i}" for i in range(6)]].to_numpy(), table["outcome"].to_numpy()
    ours = fit_trees(x, y, TreeStyle(1, depth=6, leaf=0.02, share=1.0), 0).mean(x)
    theirs = DecisionTreeRegressor(max_depth=6, min_samples_leaf=10, random_state=0).fit(x, y)
    np.testing.assert_allclose(ours, theirs.predict(x))


def test_a_forest_is_the_mean_of_its_trees_down_to_the_deepest_leaf():
    from sklearn.tree import DecisionTreeRegressor

    from crmkit._learn.trees import TreeStyle, fit_trees

    x = np.arange(100.0)[:, None]
    alike = fit_trees(x, np.full(100, 3.0), TreeStyle(7, depth=3, leaf=0.05, share=0.5), 0)
    np.testing.assert_allclose(alike.mean(x), 3.0)
    y = 10.0 ** (x[:, 0] // 5)  # each split parts the largest from the rest
    deep = DecisionTreeRegressor(max_depth=12, min_samples_leaf=5).fit(x, y)
    assert deep.get_depth() == 12
    ours = fit_trees(x, y, TreeStyle(1, depth=12, leaf=0.01, share=1.0), 0).mean(x)
    np.testing.assert_allclose(ours, deep.predict(x))


def test_few_customers_and_given_estimators_are_learned_without_trees():
    table = datasets.make_campaign(600, random_state=4)
    few = response.UpliftModel().fit(table, columns=KNOWN)
    assert set(few.methods_["learner"]) == {"linear", "none"}
    given = response.UpliftModel(
        estimator=HistGradientBoostingClassifier(max_iter=5),
        effect_estimator=HistGradientBoostingRegressor(max_iter=5),
        n_folds=2,
    ).fit(table, columns=KNOWN)
    assert set(given.methods_["learner"]) == {"given", "none"}
    one = response.UpliftModel(method="x").fit(table, columns=KNOWN).methods_
    assert one[["method", "weight"]].to_numpy().tolist() == [["x", 1.0], ["average", 0.0]]


def test_scores_of_imputed_effects_know_nothing_of_their_own_row():
    # No effect at all: estimates that had seen their row would go with its score.
    slopes = []
    for seed in range(12):
        rng = np.random.default_rng(seed)
        table = pd.DataFrame(rng.normal(size=(300, 12))).add_prefix("x")
        table = table.assign(customer_id=range(300), treated=np.arange(300) % 2)
        table["outcome"] = rng.normal(size=300)
        model = response.UpliftModel(method="x", n_folds=5).fit(table, outcome="outcome")
        row = model.effects_.iloc[0]
        slopes.append(row["slope"] / row["slope_std_error"])
    assert abs(np.mean(slopes)) < 3 / np.sqrt(12)


def test_what_drives_the_effect_is_told():
    table = simulated("linear", 4000, 6)
    model = response.UpliftModel(method="t", random_state=0)
    model.fit(table, outcome="outcome", columns=[f"x{i}" for i in range(6)])
    drivers = model.drivers_
    assert drivers["variable"].tolist()[:2] == ["x0", "x2"]
    # By hand: x0 makes 25 of 34 parts of the variance.
    assert drivers["importance"].tolist()[:2] == pytest.approx([25 / 34, 9 / 34], abs=0.15)
    assert (drivers["p_adjusted"].head(2) < 0.001).all()
    assert (drivers["p_adjusted"].tail(4) > 0.01).all()
    assert drivers["lowest_uplift"].iloc[0] < 0.3
    assert drivers["highest_uplift"].iloc[0] > 0.7


def test_parts_are_tested_as_welch_does():
    from scipy import stats

    from crmkit._learn.effect_drivers import _parts_apart

    rng = np.random.default_rng(0)
    codes = rng.integers(0, 2, 200)
    score = rng.normal(0.3 * codes, 1 + codes)
    expected = stats.ttest_ind(score[codes == 0], score[codes == 1], equal_var=False)
    p, low, high = _parts_apart(codes, score)
    assert p == pytest.approx(expected.pvalue)
    assert low[1] == pytest.approx(min(score[codes == c].mean() for c in (0, 1)))
    assert high[1] == pytest.approx(max(score[codes == c].mean() for c in (0, 1)))
    assert np.isnan(_parts_apart(np.zeros(50, dtype=np.int64), rng.normal(size=50))[0])


def test_the_curve_in_money(campaign):
    scores = scores_of(campaign, campaign["true_uplift"])
    plain = response.qini_table(campaign, scores, n_draws=50, **TEST)
    money = response.qini_table(
        campaign, scores, n_draws=50, value=20, margin=0.5, contact_cost=0.4, **TEST
    )
    cost = 0.4 * plain["share"]
    np.testing.assert_allclose(money["gain"], 10 * plain["gain"] - cost, atol=1e-12)
    np.testing.assert_allclose(money["random"], 10 * plain["random"] - cost, atol=1e-12)
    np.testing.assert_allclose(money["qini"], plain["qini"])
    assert ((money["conf_low"] <= money["gain"]) & (money["gain"] <= money["conf_high"])).all()
    earned = response.campaign_result(campaign, value=20, margin=0.5, contact_cost=0.4, **TEST)
    each = earned["profit"].iloc[0] / earned["customers_treated"].iloc[0]
    assert money["gain"].iloc[-1] == pytest.approx(each)


def test_means_of_yes_or_no_are_chances_and_those_of_money_are_money():
    rng = np.random.default_rng(3)
    x = rng.normal(size=(600, 1))
    arm = rng.integers(0, 2, 600)
    chances = np.full((600, 2), 0.5)
    yes = (x[:, 0] + 0.1 * rng.normal(size=600) > 0).astype(float)
    for method in ("t", "s"):
        mean = fit_effects(x, yes, arm, chances, method=method)[1].mean
        assert mean.min() >= 0
        assert mean.max() <= 1
        # A line would lie beyond both.
        assert mean.max() > 0.99
    # Money of 0 and 1 among others: no third class, but an amount.
    money = np.where(yes > 0, 40.0 * np.abs(x[:, 0]), rng.integers(0, 2, 600))
    mean = fit_effects(x, money, arm, chances, method="t")[1].mean
    assert mean.mean() == pytest.approx(money.mean(), rel=0.05)
    assert mean.max() > 20


def test_columns_matter_by_their_share_of_how_estimates_vary():
    people = pd.DataFrame({"customer_id": range(400), "a": np.arange(400) % 7, "b": 1.0})
    people["b"] = np.random.default_rng(2).permutation(400)
    encoder = FeatureEncoder().fit(people)
    matrix = encoder.transform(people)
    score = np.random.default_rng(1).normal(size=(400, 2))
    of_a = np.flatnonzero(np.asarray(encoder.feature_columns) == "a")

    def effect(rows, features):
        """Give one treatment the effect of column a, in small money, and one the same for all."""
        return np.c_[1e-3 * features[:, of_a].sum(axis=1), np.full(len(rows), 0.25)]

    table = drivers_table(people, encoder, matrix, score, effect, ["mail", "call"])
    share = table.set_index(["treatment", "variable"])["importance"]
    assert share["mail", "a"] == pytest.approx(1, abs=0.15)
    assert share["mail", "b"] == 0
    assert share["call"].tolist() == [0, 0]
