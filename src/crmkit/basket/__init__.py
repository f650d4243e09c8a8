"""Baskets: what is bought together, and what follows from it.

Itemsets are tuples of items in sorted order, in every table of this room.

>>> from crmkit import basket, datasets
>>> shop = datasets.make_transactions(500, random_state=0)
>>> itemsets = basket.frequent_itemsets(shop["transactions"], min_support=0.005)
>>> rules = basket.association_rules(itemsets, min_confidence=0.2, keep_redundant=False)
>>> bool((rules["p_adjusted"] < 0.01).any())
True
"""

from __future__ import annotations

from crmkit.basket._model import NextItem
from crmkit.basket._plot import plot_bundles, plot_network, plot_pairs, plot_rules
from crmkit.basket._report import (
    association_rules,
    itemset_value,
    productive_rules,
    rule_value,
    rule_windows,
    time_to_next,
)
from crmkit.basket._table import (
    as_baskets,
    frequent_itemsets,
    frequent_sequences,
    item_pairs,
    sequence_rules,
    support_table,
)

__all__ = [
    "NextItem",
    "as_baskets",
    "association_rules",
    "frequent_itemsets",
    "frequent_sequences",
    "item_pairs",
    "itemset_value",
    "plot_bundles",
    "plot_network",
    "plot_pairs",
    "plot_rules",
    "productive_rules",
    "rule_value",
    "rule_windows",
    "sequence_rules",
    "support_table",
    "time_to_next",
]
