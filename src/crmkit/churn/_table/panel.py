"""What each customer did in the days before and after any date."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from crmkit._log import first_and_last, order_days

if TYPE_CHECKING:
    from crmkit._log import PurchaseLog
    from crmkit._typing import Floats, Ints

__all__ = ["Panel"]


class Panel:
    """A log by day, for totals per customer over any days; ``since`` is the first purchase day."""

    def __init__(self, purchases: PurchaseLog) -> None:
        log = purchases.rows
        amount = log.amount if log.has("amount") else None
        orders = order_days(log.customer, log.day, log.order, amount, purchases.bought)
        by_day = np.argsort(orders.day, kind="stable")
        self.day, self.customer = orders.day[by_day], orders.customer[by_day]
        self.purchase = orders.purchase[by_day]
        self.values = {"orders": orders.starts[by_day].astype(np.float64)}
        if orders.amount is not None:
            self.values["amount"] = orders.amount[by_day]
        self.n_customers, self.last_day = log.n_customers, log.as_of
        self.since, _ = first_and_last(log, purchases.bought)
        self.first_day = int(self.since.min())

    def totals(self, first: int, last: int) -> dict[str, Floats]:
        """Return totals per customer and measure, (n,) each, over the days `first` to `last`."""
        low, high = np.searchsorted(self.day, [first, last + 1])
        who = self.customer[low:high]
        return {
            name: np.bincount(who, values[low:high], self.n_customers).astype(np.float64)
            for name, values in self.values.items()
        }

    def days_since_purchase(self, first: int, last: int) -> Ints:
        """Return days from the last purchase to `last`, (n,); -1 for none since `first`."""
        low, high = np.searchsorted(self.day, [first, last + 1])
        rows = low + np.flatnonzero(self.purchase[low:high])
        since = np.full(self.n_customers, -1, dtype=np.int64)
        since[self.customer[rows]] = last - self.day[rows]
        return since
