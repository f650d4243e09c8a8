"""From the log to recency, frequency and monetary value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._checks import check_choice
from crmkit._frames import day_column, read_transactions
from crmkit.segmentation._math import decimal_sums, distinct_per_group

if TYPE_CHECKING:
    from crmkit._frames import Log
    from crmkit._typing import Bools, Ints


__all__ = ["count_purchases", "rfm_table"]


def rfm_table(transactions: Any, *, as_of: Any = None, frequency: str = "orders") -> pd.DataFrame:
    """Summarise each customer by recency, frequency and monetary value.

    Parameters
    ----------
    transactions : DataFrame
        The log, with columns ``customer_id``, ``date`` and ``amount``; ``order_id`` is used
        where there is one. Rows with a negative amount are refunds: they reduce the money, but
        are no purchase and no sign of life.
    as_of : str or datetime-like, optional
        Last day observed, inclusive; later rows are left out. The default is the last date in
        `transactions`, never today.
    frequency : {"orders", "days", "rows"}, default "orders"
        What counts as one purchase: a distinct ``order_id`` of the customer (without that column,
        a calendar day), a calendar day with a purchase, or a row of the log.

    Returns
    -------
    pandas.DataFrame
        One row per customer, sorted by ``customer_id``:

        * ``customer_id`` - as given.
        * ``recency_days`` (int) - days from the last purchase to `as_of`, at least 0.
        * ``frequency`` (int) - number of purchases; 0 for a customer with refunds only.
        * ``monetary`` (float) - mean net amount per purchase; 0 without a purchase.
        * ``total_amount`` (float) - net amount, refunds subtracted.
        * ``first_date`` (datetime) - day of the first purchase.
        * ``last_date`` (datetime) - day of the last purchase.

        A customer with refunds only is dated by them. ``attrs`` has ``as_of`` as ISO date and
        ``rows_after_as_of``, the number of rows left out.

    Raises
    ------
    MissingColumnsError
        If `transactions` lacks one of the three columns.
    InputError
        If a value is missing or infinite, or no row falls on or before `as_of`.

    See Also
    --------
    rfm_scores : Turn these values into scores from 1 to 5.

    Notes
    -----
    Recency looks back from `as_of`. The purchase models in :mod:`crmkit.clv` use the word for
    the time from the first to the last purchase.

    Examples
    --------
    >>> import pandas as pd
    >>> transactions = pd.DataFrame(
    ...     {
    ...         "customer_id": ["ann", "ann", "bob", "bob"],
    ...         "date": pd.to_datetime(["2025-01-01", "2025-01-21", "2025-01-11", "2025-01-15"]),
    ...         "amount": [10.0, 30.0, 5.0, -1.0],
    ...     }
    ... )
    >>> rfm = rfm_table(transactions, as_of="2025-01-31")
    >>> rfm[["customer_id", "recency_days", "frequency", "monetary", "total_amount"]]
      customer_id  recency_days  frequency  monetary  total_amount
    0         ann            10          2      20.0          40.0
    1         bob            20          1       4.0           4.0
    """
    check_choice(frequency, "frequency", ("orders", "days", "rows"))
    optional = ("order_id",) if frequency == "orders" else ()
    log = read_transactions(transactions, needs=("amount",), optional=optional, as_of=as_of)
    total = decimal_sums(log.customer, log.amount, log.n_customers)
    bought = log.amount >= 0
    purchase = None if bought.all() else bought
    purchases = count_purchases(log, frequency, purchase)
    first, last = _first_and_last(log, purchase)
    table = pd.DataFrame(
        {
            "customer_id": log.customer_ids,
            "recency_days": log.as_of - last,
            "frequency": purchases,
            "monetary": np.where(purchases > 0, total / np.maximum(purchases, 1), 0.0),
            "total_amount": total,
            "first_date": day_column(first),
            "last_date": day_column(last),
        }
    )
    table.attrs["as_of"] = str(np.datetime64(log.as_of, "D"))
    table.attrs["rows_after_as_of"] = log.rows_after_as_of
    return table


def count_purchases(log: Log, unit: str, keep: Bools | None) -> Ints:
    """Return per customer the distinct orders or days, or the rows, among the rows to `keep`."""
    rows = slice(None) if keep is None else keep
    customer = log.customer[rows]
    if unit == "rows":
        return np.bincount(customer, minlength=log.n_customers)
    if unit == "orders":
        return distinct_per_group(customer, log.order_code[rows], log.n_customers, log.order_span)
    first = int(log.day.min())
    span = int(log.day.max()) - first + 1
    return distinct_per_group(customer, log.day[rows] - first, log.n_customers, span)


def _first_and_last(log: Log, keep: Bools | None) -> tuple[Ints, Ints]:
    """Return per customer the first and last day among the rows to `keep`, else among all."""
    customer, day = log.customer, log.day
    if keep is not None:
        bought = np.bincount(customer[keep], minlength=log.n_customers) > 0
        relevant = keep | ~bought[customer]
        customer, day = customer[relevant], day[relevant]
    first = np.full(log.n_customers, np.iinfo(np.int64).max)
    last = np.full(log.n_customers, np.iinfo(np.int64).min)
    np.minimum.at(first, customer, day)
    np.maximum.at(last, customer, day)
    return first, last
