"""Who is a customer on a day and who has left after it: by purchases, or by contracts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._frames import rows_of, sorted_codes
from crmkit._log import bought_between
from crmkit.churn._math.contracts import NEVER, bridged
from crmkit.churn._math.rates import TRIAL
from crmkit.churn._table.contracts import read_contracts

if TYPE_CHECKING:
    from crmkit._frames import Log
    from crmkit._log import OrderDays, PurchaseLog
    from crmkit._typing import Bools, Floats, Ints


__all__ = ["Buyers", "Subscribers", "read_subscribers"]


@dataclass(frozen=True, slots=True)
class Buyers:
    """Customers who bought: who buys nothing in the outcome days has left."""

    orders: OrderDays
    n_customers: int

    def present(self, day: int, features: dict[str, Any]) -> tuple[Bools, dict[str, Any]]:  # noqa: ARG002
        """Tell who had bought by a day, and describe them."""
        return features["orders"] > 0, features

    def left(self, after: int, until: int) -> tuple[Bools, Bools]:
        """Tell of whom there is an outcome, everybody, and who has left by its last day."""
        stayed = bought_between(self.orders, self.n_customers, after, until)
        return np.ones(self.n_customers, dtype=bool), ~stayed


@dataclass(frozen=True, slots=True)
class Subscribers:
    """Contracts of the customers of a log, and of others, in codes of both; trials left out.

    ``end`` is the day on which a contract ends as written, late renewals not bridged.
    """

    customer: Ints
    start: Ints
    end: Ints
    value: Floats | None
    grace: int
    n_customers: int

    def present(self, day: int, features: dict[str, Any]) -> tuple[Bools, dict[str, Any]]:
        """Tell who has a contract on a day, by what was known then, and describe them."""
        runs, rows = self._running(day, day)
        first = np.full(self.n_customers, NEVER)
        np.minimum.at(first, self.customer, self.start)
        bought = features["orders"] > 0
        found = features | {
            name: np.where(bought, features[name], np.nan)
            for name in ("recency_days", "tenure_days")
        }
        found["contract_days"] = day - first
        if self.value is not None:
            found["monthly_revenue"] = np.bincount(
                self.customer[rows], weights=self.value[rows], minlength=self.n_customers
            )
        return runs, found

    def left(self, after: int, until: int) -> tuple[Bools, Bools]:
        """Tell who is a customer when the outcome begins, and who of them is none at its end.

        The first by what is known then; a renewal that came in time after the end counts.
        """
        here, there = self._running(after, after)[0], self._running(until, until + self.grace)[0]
        return here, here & ~there

    def _running(self, day: int, known: int) -> tuple[Bools, Ints]:
        """Tell who has a contract on a day, by what is known on another, and which rows run."""
        rows = np.flatnonzero(self.start <= known)
        who, start = self.customer[rows], self.start[rows]
        until = bridged(who, start, self.end[rows], grace=self.grace, as_of=known)
        runs = (start <= day) & (day < until)
        return np.bincount(who[runs], minlength=self.n_customers) > 0, rows[runs]


def read_subscribers(
    contracts: Any, purchases: PurchaseLog, *, ends: Any, grace_days: Any
) -> tuple[PurchaseLog, Subscribers]:
    """Return the log with the customers of both tables, and the contracts in its codes."""
    book = read_contracts(contracts, as_of=None, ends=ends, grace_days=grace_days, name="contracts")
    book = book.take(book.state != TRIAL)
    log = purchases.rows
    place = rows_of(
        book.customer_ids,
        log.customer_ids,
        name="contracts",
        other="transactions",
        account=purchases.account,
    )
    new = np.flatnonzero(place < 0)
    place[new] = log.n_customers + np.arange(new.size)
    ids = pd.Series(log.customer_ids.append(book.customer_ids.take(new)))
    code, both = sorted_codes(ids)
    met = np.zeros(log.n_customers + new.size, dtype=bool)
    met[place] = True
    purchases.account["customers_without_contract"] = int((~met).sum())
    wide: Log = replace(log, customer_ids=both, customer=code[log.customer])
    subscribers = Subscribers(
        customer=code[place][book.customer],
        start=book.start,
        end=book.end,
        value=book.value,
        grace=book.grace,
        n_customers=len(both),
    )
    return replace(purchases, rows=wide), subscribers
