"""From the log to pairs and itemsets."""

from __future__ import annotations

from crmkit.basket._table.itemsets import frequent_itemsets
from crmkit.basket._table.pairs import item_pairs

__all__ = ["frequent_itemsets", "item_pairs"]
