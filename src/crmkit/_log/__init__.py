"""What a purchase is: the floor through which every room reads a log.

A row with a negative amount (in a log without amounts, a negative quantity) is a refund: it changes
money and units, and makes no order, no purchase day, no basket and no owner. Who has no purchase is
no customer. docs/concepts/purchases.md says it at length.
"""

from __future__ import annotations

from crmkit._log.counts import count_purchases, first_and_last
from crmkit._log.coverage import at_most, check_covered
from crmkit._log.order_days import OrderDays, bought_between, first_days, order_days
from crmkit._log.pairs import distinct_pairs, distinct_per_group
from crmkit._log.purchase_days import PurchaseDays, purchase_days
from crmkit._log.purchases import Money, PurchaseLog, read_log, read_rows

__all__ = [
    "Money",
    "OrderDays",
    "PurchaseDays",
    "PurchaseLog",
    "at_most",
    "bought_between",
    "check_covered",
    "count_purchases",
    "distinct_pairs",
    "distinct_per_group",
    "first_and_last",
    "first_days",
    "order_days",
    "purchase_days",
    "read_log",
    "read_rows",
]
