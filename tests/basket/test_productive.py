"""Few rules that say something: against brute force, on shuffled lines, and on a real shop."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import crmkit
from basket._logs import baskets_of, brute_force, log_of
from crmkit import basket
from crmkit.basket._math.sizes import chance_of_as_many, size_model
from crmkit.errors import InputError


def brute_rules(log):
    """Return count, expectation, best simpler lift and p-value of every rule, the slow way."""
    has = pd.crosstab(log["order_id"], log["product"]).gt(0)
    customer = log.groupby("order_id")["customer_id"].first().reindex(has.index).to_numpy()
    items = has.columns.tolist()
    size = has.sum(axis=1).to_numpy()
    model = size_model(has.sum().to_numpy(), size)
    p = pd.DataFrame(model.p[model.row][:, model.column].T, columns=items)
    spread = (p * (1 - p)).sum(axis=1)

    def chances(left, right):
        free = sum(1 - p[i] for i in left)
        fits = np.maximum(1 - (1 - p[right]) * free / np.maximum(spread, 1e-300), 0)
        return (p[right] * fits).to_numpy() * (size > len(left)) * has[list(left)].all(axis=1)

    found = {}
    for union in brute_force([row[row].index.tolist() for _, row in has.iterrows()], 1):
        for right in union:
            left = tuple(i for i in union if i != right)
            if left:
                chance = chances(left, right).to_numpy()
                both = has[list(union)].all(axis=1).to_numpy()
                found[left, right] = [both.sum(), max(chance.sum(), 1e-300), chance, both]
    lifts = {rule: row[0] / row[1] for rule, row in found.items()}
    for (left, right), row in found.items():
        parts = [part for k in range(1, len(left)) for part in combinations(left, k)]
        simpler = max([1.0, *(lifts[part, right] for part in parts)])
        count, expected, chance, both = row
        off = both - count * chance / expected
        own = [np.flatnonzero(customer == c) for c in np.unique(customer)]
        excess = sum(off[t].sum() ** 2 - (off[t] ** 2).sum() for t in own)
        spread_of = 1 + max(excess, 0) / count
        found[left, right] = (
            count,
            expected,
            simpler,
            float(chance_of_as_many(count, simpler * expected)),
            float(chance_of_as_many(count, simpler * expected, spread_of)),
        )
    return found


@given(baskets_of(n_items=5, max_orders=16), st.integers(2, 6))
def test_equals_brute_force(baskets, n_customers):
    log = log_of(baskets)
    log = log.assign(order_id=log["customer_id"], customer_id=log["customer_id"] % n_customers)
    every = brute_rules(log)
    rules = basket.productive_rules(
        basket.frequent_itemsets(log, min_support=1),
        log,
        n_best=None,
        confidence_level=0.3,
        adjust="bonferroni",
    )
    n = len(every)
    good = {rule for rule, row in every.items() if min(row[4] * n, 1) <= 0.7}
    assert rules.attrs["account"]["rules_looked_at"] == n
    assert rules.attrs["account"]["rules_productive"] == len(good)
    for row in rules.itertuples():
        count, expected, simpler, _, p_value = every[row.antecedent, row.consequent[0]]
        assert (row.antecedent, row.consequent[0]) in good
        assert row.count == count
        assert row.expected_given_sizes == pytest.approx(expected)
        assert row.lift_simpler == pytest.approx(simpler)
        assert row.p_value == pytest.approx(p_value, rel=1e-6)
        assert row.p_adjusted == pytest.approx(min(p_value * n, 1))
    # each once: no two rules of the same items, and each shown first counts most of its orders
    unions = [
        frozenset(a + c) for a, c in zip(rules["antecedent"], rules["consequent"], strict=True)
    ]
    assert len(set(unions)) == len(unions)
    assert set(unions) <= {frozenset((*left, right)) for left, right in good}


def shop(n=4000, seed=0):
    """Orders of two sizes; jam goes with bread, and bread with jam and tea only by way of jam."""
    rng = np.random.default_rng(seed)
    large = rng.choice([0.5, 2.0], n)[:, None]
    names = ["red mug small", "red mug large", "red mug tall", "bread", "jam", "tea", "salt", "oil"]
    has = rng.random((n, 8)) < 0.12 * large
    has[:, 4] |= has[:, 3] & (rng.random(n) < 0.5)
    has[:, :3] |= (rng.random(n) < 0.04)[:, None]
    order, item = np.nonzero(has)
    return pd.DataFrame({"order_id": order, "product": np.array(names)[item], "amount": 1.0 + item})


def test_only_what_says_something_is_told_once():
    log = shop()
    itemsets = basket.frequent_itemsets(log, min_support=5)
    rules = basket.productive_rules(itemsets, log)
    told = {frozenset(a + c) for a, c in zip(rules["antecedent"], rules["consequent"], strict=True)}
    assert len(rules) == 2
    assert frozenset(("bread", "jam")) in told
    mugs = rules[rules["product_line"].notna()].iloc[0]
    assert mugs["product_line"] == "RED MUG"
    assert mugs["variants"] >= 3
    account = rules.attrs["account"]
    assert account["rules_looked_at"] == len(basket.association_rules(itemsets, min_confidence=0.0))
    assert account["rules_beyond_n_best"] == 0
    assert len(basket.productive_rules(itemsets, log, n_best=1)) == 1
    # the same by a column of product lines, and without money
    log["kind"] = log["product"].where(~log["product"].str.contains("mug"), "mugs")
    kinds = basket.productive_rules(itemsets, log, line="kind")
    assert kinds["product_line"].dropna().tolist() == ["mugs"]
    bare = basket.productive_rules(itemsets, log.drop(columns="amount"))
    assert "extra_amount" not in bare
    assert set(bare["variants"]) == set(rules["variants"])


def test_shuffled_lines_say_nothing():
    log = shop()
    shuffled = log.assign(product=log["product"].sample(frac=1, random_state=0).to_numpy())
    rules = basket.productive_rules(basket.frequent_itemsets(shuffled, min_support=5), shuffled)
    assert rules.empty
    true = basket.association_rules(basket.frequent_itemsets(log, min_support=5))
    best = basket.rule_value(true, log)["extra_amount"].head(10).sum()
    chance = basket.association_rules(basket.frequent_itemsets(shuffled, min_support=5))
    noise = basket.rule_value(chance, shuffled)["extra_amount"].head(10).sum()
    assert noise < 0.25 * best  # a small shop; see below for a real one


def test_parts_and_items_must_be_there():
    log = log_of([["a", "b"]] * 6)
    itemsets = basket.frequent_itemsets(log)
    with pytest.raises(InputError, match="not all of its parts"):
        basket.productive_rules(itemsets[itemsets["length"] == 2], log)
    with pytest.raises(InputError, match="Pass the log"):
        basket.productive_rules(itemsets, log_of([["a", "c"]] * 6))
    assert basket.productive_rules(itemsets, log).empty


@pytest.fixture(scope="module")
def retail(reference_data):
    raw = pd.read_parquet(reference_data / "online_retail.parquet")
    paid = (raw["Quantity"] * raw["UnitPrice"]).round(2)
    return crmkit.as_transactions(
        raw.assign(paid=paid, product=raw["Description"].astype(object)),
        customer_id="CustomerID",
        date="InvoiceDate",
        amount="paid",
        order_id="InvoiceNo",
        missing_customers="drop",
    )


def test_online_retail_in_dozens(retail):
    itemsets = basket.frequent_itemsets(retail, min_support=0.005)
    every = basket.association_rules(itemsets, keep_redundant=False)
    rules = basket.productive_rules(itemsets, retail, n_best=None)
    assert len(every) > 6000
    assert len(rules) < 450
    assert len(basket.productive_rules(itemsets, retail)) == 50
    assert (rules["lift_given_sizes"] > rules["lift_simpler"]).all()
    # each line once: no more money than there is
    assert basket.rule_value(every, retail)["added_amount"].sum() < retail["amount"].sum()


def test_shuffled_retail_is_worth_nothing(retail):
    itemsets = basket.frequent_itemsets(retail, min_support=0.005, max_length=2)
    rules = basket.association_rules(itemsets)
    true = basket.rule_value(rules, retail)["extra_amount"].head(10).sum()
    lines = retail["product"].sample(frac=1, random_state=0).to_numpy()
    shuffled = retail.assign(product=lines)
    noise = basket.association_rules(
        basket.frequent_itemsets(shuffled, min_support=0.005, max_length=2)
    )
    chance = basket.rule_value(noise, shuffled)["extra_amount"].head(10).sum()
    assert chance < 0.05 * true
