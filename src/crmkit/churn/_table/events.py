"""Events of customers: from a table, or found in the log itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._arguments import check_list, check_mapping
from crmkit._checks import Problems, quoted
from crmkit._frames import day_numbers, read_customers, rows_of, sorted_codes, without
from crmkit._log import read_log
from crmkit.errors import InputError

if TYPE_CHECKING:
    from crmkit._log import PurchaseLog
    from crmkit._typing import Ints

__all__ = ["REFUND", "read_events"]

REFUND = "first refund"


def read_events(
    transactions: Any, events: Any, as_of: Any
) -> tuple[PurchaseLog, pd.Index[Any], Ints, Ints, Ints]:
    """Return the log, the kinds of events, and of each event its kind, customer row and day.

    Customers that the log does not know have row -1.
    """
    groups: dict[str, list[Any]] = {}
    if isinstance(events, str):
        if events != REFUND:
            raise InputError(
                f"`events` must be a table, groups of products by name, or {REFUND!r}; got "
                f"{quoted(events)}."
            )
    elif isinstance(events, dict):
        groups = {
            str(name): check_list(some, "events", "products")
            for name, some in check_mapping(events, "events", "names to products").items()
        }
    else:
        purchases = read_log(transactions, optional=("order_id",), as_of=as_of)
        return purchases, *_of_table(purchases, events)
    needs = ("product",) if groups else ()
    purchases = read_log(transactions, needs=needs, optional=("order_id",), as_of=as_of)
    return purchases, *_of_log(purchases, groups)


def _of_table(purchases: PurchaseLog, events: Any) -> tuple[pd.Index[Any], Ints, Ints, Ints]:
    """Read a table of events."""
    frame = read_customers(events, needs=["date"], optional=["event"], name="events", unique=False)
    problems = Problems("events")
    day = day_numbers(frame["date"], problems, "date")
    kind, names = np.zeros(len(frame), dtype=np.int64), pd.Index(["event"])
    if "event" in frame.columns:
        kind, names = sorted_codes(frame["event"])
    problems.rows(kind < 0, "column 'event' is missing", do="Name or drop these events first.")
    problems.raise_if_any()
    log = purchases.rows
    customer = rows_of(
        frame["customer_id"],
        log.customer_ids,
        name="events",
        other="transactions",
        account=purchases.account,
    )
    purchases.account["transactions_unmatched"] = without(customer, log.n_customers)
    return names, kind, customer, day


def _of_log(
    purchases: PurchaseLog, groups: dict[str, list[Any]]
) -> tuple[pd.Index[Any], Ints, Ints, Ints]:
    """Find first purchases of groups of products, or without these first refunds."""
    log, bought = purchases.rows, purchases.bought
    marks, unmatched = {}, 0
    if not groups:
        if bought is None:
            raise InputError(
                "`transactions` has no refund, which are rows with an amount (without amounts, a "
                "quantity) below 0: pass other `events`."
            )
        marks[REFUND] = ~bought
    for name, group in groups.items():
        missed: dict[str, Any] = {}
        code = rows_of(
            group,
            log.product_ids,
            name=f"events[{quoted(name)}]",
            other="transactions",
            account=missed,
            key="products_unmatched",
            what="product",
        )
        unmatched += missed["products_unmatched"]
        mark = np.isin(log.product, code[code >= 0])
        marks[name] = mark if bought is None else mark & bought
    if groups:
        purchases.account["products_unmatched"] = unmatched
    kinds, customers, days = [], [], []
    for number, mark in enumerate(marks.values()):
        kinds.append(np.full(int(mark.sum()), number))
        customers.append(log.customer[mark])
        days.append(log.day[mark])
    names = pd.Index(list(marks))
    return names, np.concatenate(kinds), np.concatenate(customers), np.concatenate(days)
