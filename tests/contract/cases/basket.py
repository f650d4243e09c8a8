"""Cases of crmkit.basket."""

import numpy as np
import pandas as pd

from contract.cases._case import FunctionCase, ModelCase, PlotCase
from crmkit import basket


def log():
    rng = np.random.default_rng(3)
    n = 600
    return pd.DataFrame(
        {
            "customer_id": rng.integers(100, 140, n),
            "date": pd.Timestamp("2025-01-01") + pd.to_timedelta(rng.integers(0, 20, n), unit="D"),
            "product": rng.choice(list("abcdefgh"), n, p=np.arange(8, 0, -1) / 36),
            "amount": np.round(rng.lognormal(1, 1, n), 2),
        }
    )


def pairs():
    return basket.item_pairs(log())


def itemsets():
    return basket.frequent_itemsets(log())


def rules():
    return basket.association_rules(itemsets())


def unwanted():
    ids = np.arange(100, 145)
    return pd.DataFrame({"customer_id": ids, "item": np.array(list("abc"))[ids % 3]})


def one_hot():
    table = pd.crosstab(log()["customer_id"], log()["product"]).gt(0).rename_axis("order_id")
    return table.reset_index().rename_axis(None, axis=1)


LINES = {"transactions": ("customer_id", "date", "product")}

CASES = [
    FunctionCase(basket.as_baskets, lambda: {"baskets": one_hot()}),
    FunctionCase(basket.item_pairs, lambda: {"transactions": log()}, needs=LINES),
    FunctionCase(basket.support_table, lambda: {"transactions": log()}, needs=LINES),
    FunctionCase(
        basket.frequent_itemsets,
        lambda: {"transactions": log()},
        kwargs={"min_support": 0.02, "family": "closed"},
        needs=LINES,
    ),
    FunctionCase(
        basket.association_rules,
        lambda: {"itemsets": itemsets()},
        kwargs={"max_consequent": None},
        needs={"itemsets": ("itemset", "count", "support")},
        numbers={"itemsets": ("count", "support")},
        may_be_empty=("itemsets",),
    ),
    FunctionCase(
        basket.productive_rules,
        lambda: {"itemsets": basket.frequent_itemsets(log(), min_support=5), "transactions": log()},
        kwargs={"confidence_level": 0.01},
        needs={"itemsets": ("itemset", "count", "support"), **LINES},
        numbers={"itemsets": ("count", "support"), "transactions": ("amount",)},
        may_be_empty=("itemsets",),
    ),
    FunctionCase(
        basket.itemset_value,
        lambda: {"itemsets": itemsets().head(12), "transactions": log()},
        needs={"itemsets": ("itemset",), "transactions": (*LINES["transactions"], "amount")},
        numbers={"transactions": ("amount",)},
        may_be_empty=("itemsets",),
    ),
    FunctionCase(
        basket.rule_value,
        lambda: {"rules": rules().head(12), "transactions": log()},
        needs={
            "rules": ("antecedent", "consequent"),
            "transactions": (*LINES["transactions"], "amount"),
        },
        numbers={"transactions": ("amount",)},
        may_be_empty=("rules",),
    ),
    FunctionCase(
        basket.rule_windows,
        lambda: {"rules": rules().head(12), "transactions": log()},
        needs={"rules": ("antecedent", "consequent"), **LINES},
        may_be_empty=("rules",),
    ),
    FunctionCase(
        basket.frequent_sequences,
        lambda: {"transactions": log()},
        kwargs={"min_support": 4, "max_length": 3, "max_together": 2},
        needs=LINES,
    ),
    FunctionCase(
        basket.sequence_rules,
        lambda: {"transactions": log()},
        kwargs={"max_gap_days": 6, "max_together": 2},
        needs=LINES,
    ),
    FunctionCase(
        basket.time_to_next,
        lambda: {"transactions": log()},
        kwargs={"horizon_days": 5},
        needs=LINES,
    ),
    ModelCase(
        basket.NextItem,
        lambda: {"transactions": log()},
        parameters={"horizon_days": 5, "half_life_days": 30, "min_support": 2},
        predict_kwargs={"exclude_owned": False, "n_items": 3},
        predict_tables=lambda: {"transactions": log(), "unwanted": unwanted()},
        may_be_empty=("unwanted",),
        methods={"evaluate": {"horizon_days": 5, "exclude_owned": False}},
        needs=LINES["transactions"],
    ),
    PlotCase(
        basket.plot_bundles, lambda: {"value": basket.itemset_value(itemsets().head(30), log())}
    ),
    PlotCase(basket.plot_network, lambda: {"rules": rules()}),
    PlotCase(basket.plot_pairs, lambda: {"pairs": pairs()}),
    PlotCase(basket.plot_rules, lambda: {"rules": rules()}),
]
