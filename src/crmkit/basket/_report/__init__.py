"""Tables that explain what is bought together."""

from __future__ import annotations

from crmkit.basket._report.productive import productive_rules
from crmkit.basket._report.rules import association_rules
from crmkit.basket._report.value import itemset_value, rule_value
from crmkit.basket._report.waiting import time_to_next
from crmkit.basket._report.windows import rule_windows

__all__ = [
    "association_rules",
    "itemset_value",
    "productive_rules",
    "rule_value",
    "rule_windows",
    "time_to_next",
]
