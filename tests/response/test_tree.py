import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy import stats

from crmkit import datasets, response
from crmkit.errors import InputError
from crmkit.response._math.tree import Coded, _split_variable, grow_tree, leaf_of, rate_criterion
from crmkit.response._table.coding import RuleCells, condition


@given(seed=st.integers(0, 1000), n=st.integers(60, 400), gaps=st.booleans(), odd=st.booleans())
@example(seed=509, n=60, gaps=False, odd=False)  # rare levels on the side of few
def test_rules_partition_the_customers_and_can_be_run(seed, n, gaps, odd):
    rng = np.random.default_rng(seed)
    name = "odd name" if odd else "x"
    table = pd.DataFrame(
        {
            "customer_id": np.arange(n),
            name: rng.integers(0, 6, n) / 2,
            "g": rng.choice(["a", "b's", 'c "d"', "e"], n),
            "flag": rng.random(n) < 0.5,
        }
    )
    table["y"] = (rng.random(n) < 0.1 + 0.3 * (table[name] > 1) + 0.4 * (table["g"] == "a")) * 1
    if gaps:
        table[name] = table[name].where(rng.random(n) > 0.2)
        table["g"] = table["g"].where(rng.random(n) > 0.2, None)
    tree = response.response_tree(table, outcome="y", min_customers=15, alpha=0.5)
    assert tree["customers"].sum() == n
    assert tree["responders"].sum() == table["y"].sum()
    assert tree["rate"].is_monotonic_decreasing
    if len(tree) == 1:
        assert tree["rule"].tolist() == ["all customers"]
        return
    assert (tree["customers"] >= 15).all()
    seen = set()
    for row in tree.itertuples():
        group = table.query(row.rule, engine="python")
        assert len(group) == row.customers
        assert group["y"].sum() == row.responders
        assert not seen & set(group["customer_id"])
        seen |= set(group["customer_id"])


def test_first_split_is_the_best_of_all():
    rng = np.random.default_rng(4)
    x, g = rng.integers(0, 5, 300), rng.integers(0, 3, 300)
    y = (rng.random(300) < 0.2 + 0.1 * x).astype(int)
    coded = [Coded(x.astype(np.uint8), 6, True), Coded(g.astype(np.uint8), 4, False)]
    regions = grow_tree(coded, y, 2, rate_criterion(10), max_leaves=2, alpha=0.5)
    left = leaf_of(coded, regions) == 0
    best = max(_chi2(x <= cut, y) for cut in range(4))
    best = max(
        best,
        *(
            _chi2(np.isin(g, subset), y)
            for k in (1, 2)
            for subset in itertools.combinations(range(3), k)
        ),
    )
    assert _chi2(left, y) == pytest.approx(best)


def _chi2(left, y):
    table = pd.crosstab(left, y)
    return stats.chi2_contingency(table, correction=False).statistic


def test_rare_levels_are_told_from_missing_ones():
    words = [*["often"] * 200, *(f"rare {number // 5}" for number in range(200)), *[None] * 200]
    table = pd.DataFrame({"customer_id": np.arange(600), "word": words})
    table["y"] = np.repeat([0, 1, 0], 200) != (np.arange(600) % 10 == 0)
    tree = response.response_tree(table, outcome="y", min_customers=50)
    assert tree["rule"].tolist() == [
        "word not in ['often'] and word.notna()", "(word in ['often'] or word.isna())"
    ]  # fmt: skip
    assert tree["rate"].tolist() == [0.9, 0.1]


@pytest.mark.parametrize(("ordered", "gaps"), list(itertools.product([True, False], repeat=2)))
def test_the_ways_to_split_are_counted(ordered, gaps):
    codes = np.repeat([0, 1, 2, 3, 4], 40 if gaps else [50, 50, 50, 50, 0])
    cells = np.zeros((5, 2))
    np.add.at(cells, (codes, np.arange(200) % 2), 1)
    found = _split_variable(Coded(codes, 5, ordered), cells, rate_criterion(1.0))[1]
    present = [0, 1, 2, 3, 4][: 4 + gaps]
    ways = set()
    for size in range(1, len(present)):
        for left in itertools.combinations(present, size):
            known = [code in left for code in range(4)]
            if not ordered or np.count_nonzero(np.diff(known)) <= 1:
                ways.add(frozenset([left, tuple(code for code in present if code not in left)]))
    assert found == len(ways)


def test_the_shorter_list_of_levels_is_told():
    rule = RuleCells("g", None, ["a", "b", "c", "d"], pooled=False, gaps=False)
    assert condition(rule, np.array([True, True, False, True, False])) == "g not in ['c']"
    assert condition(rule, np.array([False, True, False, False, False])) == "g in ['b']"


def test_noise_is_not_divided():
    rng = np.random.default_rng(5)
    divided = 0
    for _ in range(60):
        table = pd.DataFrame(rng.normal(size=(400, 4)), columns=list("abcd"))
        table["g"] = rng.choice(list("uvwxyz"), 400)
        table["y"], table["customer_id"] = rng.integers(0, 2, 400), np.arange(400)
        divided += len(response.response_tree(table, outcome="y", min_customers=20)) > 1
    # Bonferroni: at most 5 % of trees on noise are divided at all.
    assert divided <= 6


def test_uplift_tree_recovers_the_group_and_is_honest():
    rng = np.random.default_rng(6)
    n = 20_000
    table = pd.DataFrame(
        {"customer_id": range(n), "x": rng.normal(size=n), "z": rng.normal(size=n)}
    )
    table["arm"] = rng.choice(["none", "mail"], n)
    effect = np.where(table["x"] > 0.5, 0.15, 0.0)
    table["y"] = (rng.random(n) < 0.2 + effect * (table["arm"] == "mail")).astype(int)
    options = {"outcome": "y", "treated": "arm", "control": "none"}
    tree = response.uplift_tree(table, **options)
    assert len(tree) == 2
    assert all("x" in rule for rule in tree["rule"])
    assert tree["customers"].sum() == n / 2
    assert (tree["conf_low"] < [0.15, 0.0]).all()
    assert (tree["conf_high"] > [0.13, 0.0]).all()
    money = response.uplift_tree(
        table.assign(y=table["y"] * 10.0 * (1 + table["z"] ** 2)), **options
    )
    assert all("x" in rule for rule in money["rule"])
    assert len(money) == 2


def test_trees_need_their_inputs():
    campaign = datasets.make_campaign(500, random_state=0)
    with pytest.raises(InputError, match="no control group"):
        response.uplift_tree(campaign, outcome="responded", treated="arm", control="nobody")
    with pytest.raises(InputError, match="max_segments"):
        response.response_tree(campaign, outcome="responded", max_segments=0)
