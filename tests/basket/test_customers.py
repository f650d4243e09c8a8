"""Who stands behind a count, against loops, wherever a count is."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from basket._logs import baskets_of, log_of
from crmkit import basket
from crmkit.basket._math import mining, prefixes


def of_customers(baskets, n):
    """Give the orders to n customers in turn, an order a day."""
    log = log_of(baskets).rename(columns={"customer_id": "order_id"})
    days = pd.to_timedelta(log["order_id"], unit="D")
    return log.assign(customer_id=log["order_id"] % n, date=log["date"] + days, amount=1.0)


def witnesses(log):
    """Return what counts the customers with an order, of some days, that holds some items."""
    rows = log.groupby("order_id").agg({"product": set, "customer_id": "first", "date": "first"})
    orders = list(rows.itertuples(index=False, name=None))

    def count(items, first=pd.Timestamp.min, last=pd.Timestamp.max):
        wanted = set(items)
        return len({c for held, c, day in orders if wanted <= held and first <= day <= last})

    return count


@given(
    baskets_of(n_items=6),
    st.integers(1, 4),
    st.sampled_from([1, 7, 1 << 20]),
    st.sampled_from([-1e9, 1e9, prefixes.BEGIN]),
    st.sampled_from(["all", "closed", "maximal"]),
)
def test_customers_of_itemsets_equal_brute_force(baskets, n, cells, begin, family):
    log = of_customers(baskets, n)
    count = witnesses(log)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mining, "CELLS", cells)
        patch.setattr(prefixes, "BEGIN", begin)  # lists, bitsets, or what is quicker
        found = basket.frequent_itemsets(log, min_support=2, family=family)
    assert found["customers"].tolist() == [count(items) for items in found["itemset"]]
    best = basket.frequent_itemsets(log, n_best=5, min_length=2)
    assert best["customers"].tolist() == [count(items) for items in best["itemset"]]
    ever = basket.frequent_itemsets(log, min_support=1, unit="customer")
    assert (ever["customers"] == ever["count"]).all()


@given(baskets_of(n_items=4), st.integers(1, 4))
def test_customers_of_rules_values_and_windows_equal_brute_force(baskets, n):
    log = of_customers([*baskets, ["item 0"], ["item 1"]], n)
    count = witnesses(log)
    itemsets = basket.frequent_itemsets(log, min_support=1)
    value = basket.itemset_value(itemsets, log)
    assert value["customers"].tolist() == [count(items) for items in value["itemset"]]
    rules = basket.association_rules(itemsets, min_confidence=0.001)
    for table in (rules, basket.rule_value(rules, log)):
        unions = table["antecedent"] + table["consequent"]
        assert table["customers"].tolist() == [count(items) for items in unions]
    for row in basket.rule_windows(rules.head(5), log, n_windows=2).itertuples():
        both = row.antecedent + row.consequent
        assert row.customers == count(both, row.window_start, row.window_end)
    untold = basket.association_rules(itemsets.drop(columns="customers"), min_confidence=0.001)
    pd.testing.assert_frame_equal(untold, rules.drop(columns="customers"))


def test_many_orders_of_few_customers_and_groups():
    rng = np.random.default_rng(0)
    n = 3000
    log = pd.DataFrame({"order_id": rng.integers(0, 600, n), "product": rng.integers(0, 12, n)})
    log["customer_id"] = log["order_id"] % 7
    log["date"] = pd.Timestamp("2025-01-01")
    log["group"] = log["product"] % 2
    found = basket.frequent_itemsets(log, min_support=3, max_length=3, groups=["group"])
    with_groups = pd.concat(
        [log.assign(product=log["product"].astype(object)),
         log.assign(product="group=" + log["group"].astype(str))]
    )  # fmt: skip
    count = witnesses(with_groups)
    some = found.sample(40, random_state=0)
    assert some["customers"].tolist() == [count(items) for items in some["itemset"]]


@pytest.mark.parametrize("begin", [-1e9, 1e9])
@pytest.mark.parametrize("cells", [500, 1 << 20])
def test_customers_whose_orders_fill_many_words(monkeypatch, begin, cells):
    monkeypatch.setattr(prefixes, "BEGIN", begin)
    monkeypatch.setattr(mining, "CELLS", cells)
    rng = np.random.default_rng(5)
    share = [0.5, 0.2, 0.1, 0.1, 0.05, 0.04, 0.01]
    owner = np.sort(rng.choice(7, 900, p=share))
    holds = rng.random((900, 6)) < [0.9, 0.8, 0.7, 0.3, 0.1, 0.02]
    holds[owner == 0, 4:] = False
    order, item = np.nonzero(holds)
    log = pd.DataFrame({"customer_id": owner[order], "order_id": order, "product": item})
    found = basket.frequent_itemsets(log.assign(date=pd.Timestamp("2025-01-01")), min_support=1)
    for row in found.itertuples():
        assert row.customers == len(np.unique(owner[holds[:, list(row.itemset)].all(axis=1)]))
