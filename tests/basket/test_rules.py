"""Rules against brute force."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from basket._logs import baskets_of, brute_force, log_of
from crmkit import basket
from crmkit._arrays import adjust_p_values
from crmkit.basket._math import hypergeometric
from crmkit.basket._math import rules as rule_math
from crmkit.errors import InputError


def brute_rules(baskets, min_count, min_confidence, max_antecedent, max_consequent):
    """Return confidence and improvement of every rule, and the number of rules looked at."""
    counts = brute_force(baskets, min_count)
    counts[()] = len(baskets)
    rules, tested = {}, 0
    for union in counts:
        for size in range(1, len(union)):
            for right in combinations(union, size):
                left = tuple(sorted(set(union) - set(right)))
                if len(left) > (max_antecedent or 99) or len(right) > (max_consequent or 99):
                    continue
                tested += 1
                confidence = counts[union] / counts[left]
                parts = [part for k in range(len(left)) for part in combinations(left, k)]
                general = max(
                    counts[tuple(sorted((*part, *right)))] / counts[part] for part in parts
                )
                if confidence >= min_confidence:
                    rules[left, right] = (confidence, confidence - general)
    return rules, tested


@given(
    baskets_of(n_items=6),
    st.integers(1, 3),
    st.sampled_from([0.0, 0.3, 0.5, 1.0]),
    st.sampled_from([None, 1, 2]),
    st.sampled_from([None, 1, 2]),
)
def test_equals_brute_force(baskets, min_count, min_confidence, max_antecedent, max_consequent):
    expected, tested = brute_rules(
        baskets, min_count, min_confidence, max_antecedent, max_consequent
    )
    itemsets = basket.frequent_itemsets(log_of(baskets), min_support=min_count)
    rules = basket.association_rules(
        itemsets,
        min_confidence=min_confidence,
        max_antecedent=max_antecedent,
        max_consequent=max_consequent,
        adjust="bonferroni",
    )
    found = {
        (row.antecedent, row.consequent): (row.confidence, row.improvement)
        for row in rules.itertuples()
    }
    assert found.keys() == expected.keys()
    for rule, values in expected.items():
        assert found[rule] == pytest.approx(values, abs=1e-12)
    np.testing.assert_allclose(rules["p_adjusted"], np.minimum(rules["p_value"] * tested, 1))
    assert (rules["redundant"] == (rules["improvement"] <= 0)).all()


@given(baskets_of(n_items=6), st.sets(st.integers(0, 5)), st.sets(st.integers(0, 5)))
def test_chosen_sides_equal_brute_force(baskets, lefts, rights):
    every, _ = brute_rules(baskets, 1, 0.3, None, None)
    allowed, _ = brute_rules(baskets, 1, 0.0, None, None)
    present = {item for items in baskets for item in items}
    left = sorted({f"item {i}" for i in lefts} & present)
    right = sorted({f"item {i}" for i in rights} & present)
    rules = basket.association_rules(
        basket.frequent_itemsets(log_of(baskets), min_support=1),
        min_confidence=0.3,
        max_consequent=None,
        antecedent=left,
        consequent=right,
        adjust="bonferroni",
    )
    inside = [r for r in allowed if set(r[0]) <= set(left) and set(r[1]) <= set(right)]
    found = dict(
        zip(
            zip(rules["antecedent"], rules["consequent"], strict=True),
            rules["improvement"],
            strict=True,
        )
    )
    assert found == pytest.approx({r: every[r][1] for r in inside if r in every}, abs=1e-12)
    np.testing.assert_allclose(rules["p_adjusted"], np.minimum(rules["p_value"] * len(inside), 1))


@given(baskets_of(n_items=6), st.sampled_from([1, 3, 17]))
def test_bounded_temporaries_change_nothing(baskets, cells):
    itemsets = basket.frequent_itemsets(log_of(baskets), min_support=1)
    expected = basket.association_rules(itemsets, max_consequent=None)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rule_math, "CELLS", cells)
        patch.setattr(hypergeometric, "CELLS", cells)
        found = basket.association_rules(itemsets, max_consequent=None)
    pd.testing.assert_frame_equal(found, expected, check_exact=True)


def test_sides_can_be_chosen():
    baskets = [["a", "b", "c"], ["a", "b"], ["b", "c"], ["a", "c"], ["a"]]
    itemsets = basket.frequent_itemsets(log_of(baskets), min_support=1)
    every = basket.association_rules(itemsets, min_confidence=0, max_consequent=None)
    to_b = basket.association_rules(itemsets, min_confidence=0, consequent=["b"])
    assert set(to_b["consequent"]) == {("b",)}
    assert len(to_b) == (every["consequent"] == ("b",)).sum()
    from_a = basket.association_rules(
        itemsets, min_confidence=0, antecedent=["a"], max_consequent=None
    )
    assert set(from_a["antecedent"]) == {("a",)}
    assert set(from_a["consequent"]) == {("b",), ("c",), ("b", "c")}
    # fewer rules are tested, so less is to be paid for it
    both = from_a.merge(every, on=["antecedent", "consequent"])
    assert (both["p_adjusted_x"] <= both["p_adjusted_y"]).all()
    with pytest.raises(InputError, match="no item of `consequent` occurs in `itemsets`"):
        basket.association_rules(itemsets, consequent=["z"])


def test_redundant_rules_can_be_left_out():
    baskets = [["a", "b", "c"], ["a", "b", "c"], ["b", "c"], ["a"], ["d"]]
    itemsets = basket.frequent_itemsets(log_of(baskets), min_support=1)
    rules = basket.association_rules(itemsets)
    needed = basket.association_rules(itemsets, keep_redundant=False)
    assert 0 < len(needed) < len(rules)
    assert not needed["redundant"].any()
    assert isinstance(needed.index, pd.RangeIndex)


def test_incomplete_itemsets_are_refused():
    itemsets = basket.frequent_itemsets(log_of([["a", "b"], ["a", "b"]]), min_support=1)
    with pytest.raises(InputError, match="not all of its parts"):
        basket.association_rules(itemsets[itemsets["length"] > 1])
    with pytest.raises(InputError, match="twice"):
        basket.association_rules(pd.concat([itemsets, itemsets]))
    with pytest.raises(InputError, match="no tuple"):
        basket.association_rules(itemsets.assign(itemset="a, b"))
    with pytest.raises(InputError, match="over one number of orders"):
        basket.association_rules(itemsets.assign(support=[1.0, 0.5, 0.25]))


def test_itemsets_survive_parquet(tmp_path):
    pytest.importorskip("pyarrow")
    itemsets = basket.frequent_itemsets(log_of([["a", "b"], ["a", "b"], ["c"]]), min_support=1)
    itemsets.to_parquet(tmp_path / "itemsets.parquet")
    stored = pd.read_parquet(tmp_path / "itemsets.parquet")
    pd.testing.assert_frame_equal(
        basket.association_rules(stored), basket.association_rules(itemsets)
    )


def test_adjustment_pays_for_all_rules_tested():
    rng = np.random.default_rng(2)
    baskets = [[int(i) for i in rng.integers(0, 15, 5)] for _ in range(200)]
    itemsets = basket.frequent_itemsets(log_of(baskets), min_support=3)
    every = basket.association_rules(itemsets, min_confidence=0)
    for method in ("bh", "by", "holm", "bonferroni"):
        strict = basket.association_rules(itemsets, min_confidence=0.5, adjust=method)
        lower = adjust_p_values(strict["p_value"], method)
        assert (strict["p_adjusted"] >= lower - 1e-15).all()
        full = every.assign(p_adjusted=adjust_p_values(every["p_value"], method))
        both = strict.merge(full, on=["antecedent", "consequent"])
        counted = adjust_p_values(strict["p_value"], method, n_more=len(every) - len(strict))
        np.testing.assert_allclose(strict["p_adjusted"], counted)
        ones = np.append(strict["p_value"], np.ones(len(every) - len(strict)))
        np.testing.assert_allclose(counted, adjust_p_values(ones, method)[: len(strict)])
        assert (both["p_adjusted_x"] >= both["p_adjusted_y"] - 1e-15).all()
    # among items drawn at random no rule may stand
    assert (every["p_adjusted"] > 0.01).all()
