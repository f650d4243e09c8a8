"""Baskets: what is bought together.

>>> from crmkit import basket, datasets
"""

from __future__ import annotations

from crmkit.basket._report import association_rules
from crmkit.basket._table import frequent_itemsets, item_pairs

__all__ = ["association_rules", "frequent_itemsets", "item_pairs"]
