"""From the log to pairs, itemsets and sequences."""

from __future__ import annotations

from crmkit.basket._table.itemsets import frequent_itemsets
from crmkit.basket._table.pairs import item_pairs
from crmkit.basket._table.sequence_rules import sequence_rules
from crmkit.basket._table.sequences import frequent_sequences
from crmkit.basket._table.thresholds import support_table
from crmkit.basket._table.tickets import as_baskets

__all__ = [
    "as_baskets",
    "frequent_itemsets",
    "frequent_sequences",
    "item_pairs",
    "sequence_rules",
    "support_table",
]
