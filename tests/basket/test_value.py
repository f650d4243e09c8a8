"""Money and windows of itemsets and rules against loops."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from basket._logs import baskets_of, log_of
from crmkit import basket
from crmkit.basket._math.sizes import size_model
from crmkit.errors import InputError


def priced(baskets):
    log = log_of(baskets)
    n = np.arange(len(log))
    return log.assign(
        amount=1.0 + (n * 7) % 11,
        quantity=1 + n % 3,
        date=pd.Timestamp("2025-01-01") + pd.to_timedelta(log["customer_id"] * 3, unit="D"),
    )


def orders_with(log, items):
    return [order for _, order in log.groupby("customer_id") if set(items) <= set(order["product"])]


@given(baskets_of(n_items=5))
def test_itemset_value(baskets):
    log = priced(baskets)
    value = basket.itemset_value(basket.frequent_itemsets(log, min_support=1), log)
    for row in value.itertuples():
        orders = orders_with(log, row.itemset)
        inside = [order[order["product"].isin(row.itemset)] for order in orders]
        assert row.count == len(orders)
        assert row.amount == pytest.approx(sum(o["amount"].sum() for o in inside))
        assert row.quantity == pytest.approx(sum(o["quantity"].sum() for o in inside))
        assert row.order_amount == pytest.approx(sum(o["amount"].sum() for o in orders))
    assert value["amount"].is_monotonic_decreasing


def test_single_items_add_up_to_all_money():
    log = priced([["a", "b", "b"], ["a", "c"], ["c"]])
    itemsets = basket.frequent_itemsets(log, min_support=1, max_length=1)
    assert basket.itemset_value(itemsets, log)["amount"].sum() == log["amount"].sum()


@given(baskets_of(n_items=4))
def test_rule_value(baskets):
    log = priced(baskets)
    itemsets = basket.frequent_itemsets(log, min_support=1)
    rules = basket.association_rules(itemsets, min_confidence=0, max_consequent=None)
    value = basket.rule_value(rules, log)
    both = value.merge(rules, on=["antecedent", "consequent"])
    assert len(both) == len(rules)
    assert (both["count_x"] == both["count_y"]).all()
    size = [len(set(items)) for items in baskets]
    has = pd.crosstab(log["customer_id"], log["product"]).gt(0)
    model = size_model(has.sum().to_numpy(), has.sum(axis=1).to_numpy())
    place = {item: code for code, item in enumerate(sorted(log["product"].unique()))}
    p = model.p[model.row][:, model.column]
    for row in both.itertuples():
        expected = 0.0
        for number, items in enumerate(baskets):
            if set(row.antecedent) <= set(items):
                chance, free = 1.0, sum(1 - p[place[i], number] for i in row.antecedent)
                spread = sum(q * (1 - q) for q in p[:, number])
                for held, item in enumerate(row.consequent, len(row.antecedent)):
                    q = p[place[item], number]
                    fits = max(1 - (1 - q) * free / max(spread, 1e-300), 0)
                    chance *= q * fits if size[number] > held else 0
                    free += 1 - q
                expected += chance
        assert row.expected_count == pytest.approx(expected, abs=1e-9)
    for row in value.head(10).itertuples():
        orders = orders_with(log, row.antecedent + row.consequent)
        then = sum(o.loc[o["product"].isin(row.consequent), "amount"].sum() for o in orders)
        first = sum(o.loc[o["product"].isin(row.antecedent), "amount"].sum() for o in orders)
        assert row.consequent_amount == pytest.approx(then)
        assert row.amount == pytest.approx(then + first)
        extra = then / row.count * (row.count - row.expected_count)
        assert row.extra_amount == pytest.approx(extra)


@given(baskets_of(n_items=4, max_orders=12))
def test_added_money_counts_each_line_once(baskets):
    log = priced(baskets)
    rules = basket.association_rules(
        basket.frequent_itemsets(log, min_support=1), min_confidence=0, max_consequent=None
    )
    paid = log.groupby(["customer_id", "product"])["amount"].sum().to_dict()
    counted = set()
    for row in basket.rule_value(rules, log).itertuples():
        money, union = 0.0, row.antecedent + row.consequent
        for number, items in enumerate(baskets):
            then = {(number, item) for item in row.consequent}
            if set(union) <= set(items) and not then & counted:
                money += sum(paid[line] for line in then)
                counted |= {(number, item) for item in union}
        share = 1 - row.expected_count / row.count if row.extra_amount > 0 else 0.0
        assert row.added_amount == pytest.approx(money * share, abs=1e-9)


@given(baskets_of(n_items=4), st.integers(1, 3))
def test_windows_are_logs_of_their_own(baskets, n_windows):
    log = priced(baskets)
    if n_windows > (log["date"].max() - log["date"].min()).days + 1:
        n_windows = 1
    rules = basket.association_rules(basket.frequent_itemsets(log, min_support=1))
    windows = basket.rule_windows(rules, log, n_windows=n_windows)
    assert len(windows) == n_windows * len(rules)
    for start, part in windows.groupby("window_start"):
        end = part["window_end"].iloc[0]
        lines = log[(log["date"] >= start) & (log["date"] <= end)]
        assert (part["orders"] == lines["customer_id"].nunique()).all()
        for row in part.itertuples():
            n = [len(orders_with(lines, s)) for s in (row.antecedent, row.consequent)]
            n_both = len(orders_with(lines, row.antecedent + row.consequent))
            assert row.count == n_both
            if all(n):
                assert row.lift == pytest.approx(n_both * row.orders / (n[0] * n[1]))
            else:
                assert np.isnan(row.lift)
    starts = windows["window_start"].drop_duplicates().sort_values()
    ends = windows["window_end"].drop_duplicates().sort_values()
    if len(windows):
        assert starts.iloc[0] == log["date"].min()
        assert ends.iloc[-1] == log["date"].max()
        gaps = starts.to_numpy()[1:] - ends.to_numpy()[:-1]
        assert (gaps == np.timedelta64(1, "D")).all()


def test_interval_covers_and_a_change_is_seen():
    rng = np.random.default_rng(0)
    n = 4000
    a = rng.random(n) < 0.3
    late = np.arange(n) >= n // 2
    steady = np.where(a, rng.random(n) < 0.5, rng.random(n) < 0.2)
    broken = np.where(a & ~late, rng.random(n) < 0.6, rng.random(n) < 0.2)
    has = {"base": np.ones(n, bool), "a": a, "steady": steady, "broken": broken}
    lines = [pd.DataFrame({"customer_id": np.flatnonzero(h), "product": k}) for k, h in has.items()]
    log = pd.concat(lines, ignore_index=True)
    log["date"] = pd.Timestamp("2025-01-01") + pd.to_timedelta(log["customer_id"] // 40, unit="D")
    rules = pd.DataFrame({"antecedent": [("a",)] * 2, "consequent": [("steady",), ("broken",)]})
    windows = basket.rule_windows(rules, log, n_windows=2)
    p = windows.groupby("consequent")["p_stable"].first()
    assert p[("steady",)] > 0.01
    assert p[("broken",)] < 1e-6
    true = 0.5 / (0.3 * 0.5 + 0.7 * 0.2)
    part = windows[windows["consequent"] == ("steady",)]
    assert ((part["conf_low"] < true) & (true < part["conf_high"])).all()


def test_unknown_items_are_named():
    log = priced([["a", "b"]])
    for function in (basket.rule_value, basket.rule_windows):
        with pytest.raises(InputError, match="lacks"):
            function(pd.DataFrame({"antecedent": [("a",)], "consequent": [("z",)]}), log)
    rules = pd.DataFrame({"antecedent": [("a",)], "consequent": [("b",)]})
    with pytest.raises(InputError, match="n_windows"):
        basket.rule_windows(rules, log, n_windows=9)


def test_groups_are_items_but_never_beside_their_own():
    log = log_of([["cola", "chips"], ["lemonade", "chips"], ["cola", "nuts"], ["lemonade"]])
    kinds = {"cola": "drink", "lemonade": "drink", "chips": "snack", "nuts": "snack"}
    log["kind"] = log["product"].map(kinds)
    found = basket.frequent_itemsets(log, min_support=1, groups=["kind"])
    counts = dict(zip(found["itemset"], found["count"], strict=True))
    assert counts[("kind=drink", "kind=snack")] == 3
    assert counts[("cola", "kind=snack")] == 2
    for itemset in counts:
        assert not any(kinds.get(i) and f"kind={kinds[i]}" in itemset for i in itemset)
    plain = basket.frequent_itemsets(log, min_support=1)
    assert set(plain["itemset"]) <= set(counts)
    with pytest.raises(InputError, match="groups"):
        basket.frequent_itemsets(log, groups="kind")
    with pytest.raises(InputError, match="'product' of a log has a meaning of its own"):
        basket.frequent_itemsets(log, min_support=1, groups=["product"])


@given(baskets_of(n_items=9))
def test_groups_equal_filtered_brute_force(baskets):
    log = log_of(baskets)
    log["group"] = log["product"].str[-1].astype(int) // 3
    found = basket.frequent_itemsets(log, min_support=1, groups=["group"])
    beside = [[*items, *(f"group={int(item[-1]) // 3}" for item in items)] for items in baskets]
    every = basket.frequent_itemsets(log_of(beside), min_support=1)
    ok = [
        not any(f"group={int(i[-1]) // 3}" in items for i in items if i.startswith("item"))
        for items in every["itemset"]
    ]
    expected = {
        frozenset(i): c for i, c in zip(every["itemset"][ok], every["count"][ok], strict=True)
    }
    assert {
        frozenset(i): c for i, c in zip(found["itemset"], found["count"], strict=True)
    } == expected
