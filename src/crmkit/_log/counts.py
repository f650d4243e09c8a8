"""Orders, days and rows that are purchases, per customer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from crmkit._log.pairs import distinct_per_group

if TYPE_CHECKING:
    from crmkit._frames import Log
    from crmkit._typing import Bools, Ints


__all__ = ["count_purchases", "first_and_last"]


def count_purchases(log: Log, unit: str, bought: Bools | None) -> Ints:
    """Return per customer the distinct orders or days, or the rows, among the purchases."""
    rows = slice(None) if bought is None else bought
    customer = log.customer[rows]
    if unit == "rows":
        return np.bincount(customer, minlength=log.n_customers)
    if unit == "orders":
        return distinct_per_group(customer, log.order_code[rows], log.n_customers, log.order_span)
    first = int(log.day.min())
    span = int(log.day.max()) - first + 1
    return distinct_per_group(customer, log.day[rows] - first, log.n_customers, span)


def first_and_last(log: Log, bought: Bools | None) -> tuple[Ints, Ints]:
    """Return each customer's first and last purchase day; every customer must have one."""
    customer, day = log.customer, log.day
    if bought is not None:
        customer, day = customer[bought], day[bought]
    first = np.full(log.n_customers, np.iinfo(np.int64).max)
    last = np.full(log.n_customers, np.iinfo(np.int64).min)
    np.minimum.at(first, customer, day)
    np.maximum.at(last, customer, day)
    return first, last
