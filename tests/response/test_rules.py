import numpy as np
import pandas as pd
import pytest

from crmkit import datasets, response
from crmkit.errors import InputError, MissingColumnsError

KNOWN = ["age", "recency_days", "frequency", "channel", "newsletter"]


@pytest.fixture(scope="module")
def past():
    table = datasets.make_campaign(6000, random_state=1)
    rng = np.random.default_rng(0)
    table["age"] = table["age"].where(rng.random(6000) < 0.9)
    words = rng.choice(["a", "b's", 'c"', "d`e", None], 6000, p=[0.4, 0.3, 0.15, 0.1, 0.05])
    table["odd name"] = pd.Series(words, dtype=object)
    table["responded"] |= (table["odd name"] == "b's") & (rng.random(6000) < 0.1)
    return table


@pytest.mark.parametrize("columns", [KNOWN, [*KNOWN, "odd name"], ["odd name"]])
def test_a_tree_says_of_everybody_what_query_says(past, columns):
    tree = response.response_tree(past, outcome="responded", columns=columns, max_segments=6)
    assert len(tree) > 1
    scores = response.rule_scores(past, tree)
    assert scores["customer_id"].tolist() == past["customer_id"].tolist()
    assert scores["segment"].value_counts().sort_index().tolist() == tree["customers"].tolist()
    assert scores.attrs["account"] == {"without_rule": 0}
    for row in tree.itertuples():
        inside = past.query(row.rule)["customer_id"]
        mine = scores[scores["customer_id"].isin(inside)]
        assert (mine["segment"] == row.segment).all()
        assert (mine["p_response"] == row.rate).all()


def test_bins_say_of_everybody_what_query_says(past):
    columns = [*KNOWN, "odd name", "monetary"]
    bins = response.woe_table(past, outcome="responded", columns=columns)
    scores = response.rule_scores(past, bins)
    assert len(scores) == len(past) * len(columns)
    assert scores["variable"].tolist()[: len(columns)] == columns
    assert scores["customer_id"].iloc[: len(columns)].nunique() == 1
    found = scores.groupby(["variable", "bin"])["customer_id"].nunique()
    wanted = bins.set_index(["variable", "bin"])["customers"]
    pd.testing.assert_series_equal(found.sort_index(), wanted.sort_index(), check_names=False)
    for row in bins.itertuples():
        assert len(past.query(row.rule)) == row.customers
    mine = scores.merge(bins[["variable", "bin", "woe", "rate"]], on=["variable", "bin"])
    assert (mine["woe_x"] == mine["woe_y"]).all()
    assert (mine["p_response"] == mine["rate"]).all()


def test_rules_of_effects_score_new_customers(past):
    tree = response.uplift_tree(
        past, outcome="responded", treated="treated", columns=KNOWN, min_customers=60
    )
    scores = response.rule_scores(past, tree)
    told = scores.groupby("segment")["uplift"].first()
    assert told.tolist() == tree["uplift"].tolist()
    chosen = response.select_targets(past, scores, consent="email_consent", random_state=0)
    assert (chosen.loc[chosen["decision"] == "contact", "expected_gain"] > 0).all()


def test_a_file_and_other_types_change_nothing(past, tmp_path):
    columns = [*KNOWN, "odd name"]
    tree = response.response_tree(past, outcome="responded", columns=columns)
    bins = response.woe_table(past, outcome="responded", columns=columns)
    other = past.astype({"channel": "category", "newsletter": int, "age": "Float64"})
    for rules in (tree, bins):
        rules.to_csv(tmp_path / "rules.csv", index=False)
        read = pd.read_csv(tmp_path / "rules.csv")
        expected = response.rule_scores(past, rules)
        pd.testing.assert_frame_equal(
            response.rule_scores(other, read), expected, check_dtype=False, atol=1e-15
        )


def test_whom_no_rule_fits_has_the_rate_of_all():
    past = pd.DataFrame({"customer_id": range(400), "age": np.arange(400) % 50})
    past["channel"] = np.where(past["age"] % 2, "web", "shop")
    past["responded"] = (past["age"] > 30).astype(int)
    new = pd.DataFrame({"customer_id": [1, 2], "age": [40, None], "channel": ["web", "fax"]})
    tree = response.response_tree(past, outcome="responded", columns=["age"])
    scores = response.rule_scores(new, tree)
    assert scores["segment"].tolist() == [1, pd.NA]
    assert scores["p_response"].tolist() == pytest.approx([1.0, past["responded"].mean()])
    assert scores.attrs["account"] == {"without_rule": 1}
    bins = response.woe_table(past, outcome="responded", columns=["age", "channel"])
    scores = response.rule_scores(new, bins)
    assert scores["bin"].isna().tolist() == [False, False, True, True]
    assert scores["woe"].tolist()[2:] == [0.0, 0.0]
    gains = response.select_targets(
        new.assign(ok=True), response.rule_scores(new, bins[bins["variable"] == "age"]),
        consent="ok", score="p_response", holdout_share=0,
    )  # fmt: skip
    assert gains["decision"].tolist() == ["contact", "contact"]


SPECIAL = [10.0, 20, 30, 40, 50, -999, -999, "refused", "refused", None] * 60


def coded(values):
    table = pd.DataFrame({"customer_id": range(len(values)), "income": pd.Series(values)})
    rate = {"refused": 0.1, -999: 0.8, "-999": 0.8}
    rng = np.random.default_rng(3)
    chance = [
        rate[value] if value in rate else 0.3 + (value is not None and float(value) > 25) * 0.3
        for value in values
    ]
    return table.assign(responded=(rng.random(len(values)) < chance).astype(int))


@pytest.mark.parametrize("as_text", [False, True])
def test_special_codes_are_bins_of_their_own(as_text):
    values = [one if one is None or not as_text else str(one) for one in SPECIAL]
    table = coded(values)
    codes = {"income": [-999, "refused"]}
    bins = response.woe_table(
        table, outcome="responded", columns="income", special_codes=codes, max_bins=2
    )
    assert bins["bin"].tolist() == ["< 30", ">= 30", "-999", "refused", "(missing)"]
    assert bins["customers"].tolist() == [120, 180, 120, 120, 60]
    plain = table[table["income"].isin(["-999", -999])]
    assert bins["responders"].iloc[2] == plain["responded"].sum()
    scores = response.rule_scores(table, bins)
    found = scores.groupby("bin")["customer_id"].size()
    assert found[bins["bin"]].tolist() == bins["customers"].tolist()
    assert scores.attrs["account"] == {"without_rule": 0}
    drivers = response.response_drivers(
        table, outcome="responded", columns=["income"], special_codes=[-999, "refused"], max_bins=2
    )
    assert drivers[["kind", "bins"]].to_numpy().tolist() == [["number", 5]]
    assert drivers["missing_share"].iloc[0] == pytest.approx(0.1)


def test_special_codes_among_numbers_and_words():
    table = coded([one for one in SPECIAL if one != "refused"])
    table["income"] = table["income"].astype(float)
    bins = response.woe_table(
        table, outcome="responded", columns="income", special_codes=[-999, 888], max_bins=2
    )
    assert bins["bin"].tolist() == ["< 30", ">= 30", "-999", "(missing)"]
    for row in bins.itertuples():
        assert len(table.query(row.rule)) == row.customers
    assert bins["rule"].iloc[0].endswith("income not in [-999]")
    words = pd.Series(["a", "b", "n/a", "c", "c"] * 80, name="word")
    table = pd.DataFrame({"customer_id": range(400), "word": words})
    table["responded"] = [1, 0, 1, 0, 0] * 40 + [1, 0, 0, 1, 0] * 40
    bins = response.woe_table(table, outcome="responded", columns="word", special_codes=["n/a"])
    assert bins["bin"].iloc[-1] == "n/a"
    assert bins["customers"].sum() == 400
    for wrong, message in (
        ({"words": [1]}, "lacks"),
        ("n/a", "`special_codes` must be a list"),
        ({"word": "n/a"}, "`special_codes` must be a list"),
    ):
        with pytest.raises(InputError, match=message):
            response.woe_table(table, outcome="responded", columns="word", special_codes=wrong)


def test_what_is_no_rule_is_refused_and_nothing_is_run(tmp_path):
    customers = pd.DataFrame({"customer_id": [1, 2], "x": [1.0, 2.0]})
    rules = pd.DataFrame({"rule": ["x < 2", "x >= 2"], "rate": [0.1, 0.2], "customers": [5, 5]})
    assert response.rule_scores(customers, rules)["p_response"].tolist() == [0.1, 0.2]
    for wrong in (
        "x < y", "x.sum() > 1", "__import__('os')", "x < 1 < 2", "not x < 2", "x ==", "", 7, None,
        "@x < 2", "x in 'ab'", "x < (lambda: 1)()", "[x for x in (1, 2)]", "x.isna(1)",
    ):  # fmt: skip
        with pytest.raises(InputError, match="holds what is no rule in 1 of 2 rows"):
            response.rule_scores(customers, rules.assign(rule=[wrong, "x >= 2"]))
    with pytest.raises(InputError, match="two rules fit in 1 of 2 rows"):
        response.rule_scores(customers, rules.assign(rule=["x < 5", "x >= 2"]))
    with pytest.raises(MissingColumnsError, match="'y'"):
        response.rule_scores(customers, rules.assign(rule=["y < 5", "x >= 2"]))
    with pytest.raises(InputError, match="needs rows, and a column 'rate' or 'uplift'"):
        response.rule_scores(customers, rules.drop(columns="rate"))
    with pytest.raises(InputError, match="holds dates"):
        response.rule_scores(customers.assign(x=pd.Timestamp("2025-01-01")), rules)
