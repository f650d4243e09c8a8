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

from typing import TYPE_CHECKING

from crmkit._lazy import attach

if TYPE_CHECKING:
    from crmkit.basket._model.next_item import NextItem
    from crmkit.basket._plot.bundles import plot_bundles
    from crmkit.basket._plot.network import plot_network
    from crmkit.basket._plot.pairs import plot_pairs
    from crmkit.basket._plot.rules import plot_rules
    from crmkit.basket._report.productive import productive_rules
    from crmkit.basket._report.rules import association_rules
    from crmkit.basket._report.value import itemset_value, rule_value
    from crmkit.basket._report.waiting import time_to_next
    from crmkit.basket._report.windows import rule_windows
    from crmkit.basket._table.itemsets import frequent_itemsets
    from crmkit.basket._table.pairs import item_pairs
    from crmkit.basket._table.sequence_rules import sequence_rules
    from crmkit.basket._table.sequences import frequent_sequences
    from crmkit.basket._table.thresholds import support_table
    from crmkit.basket._table.tickets import as_baskets

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

__getattr__, __dir__ = attach(__name__)
