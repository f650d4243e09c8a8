"""From the log to recency, frequency and monetary value."""

from __future__ import annotations

from typing import Any, Literal

import pandas as pd

from crmkit._checks import check_choice
from crmkit._frames import day_column
from crmkit._log import count_purchases, first_and_last, read_log
from crmkit._periods import day_text
from crmkit.segmentation._math import decimal_sums

__all__ = ["rfm_table"]

Frequency = Literal["orders", "days", "rows"]


def rfm_table(
    transactions: Any, *, as_of: Any = None, frequency: Frequency = "orders"
) -> pd.DataFrame:
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
        * ``frequency`` (int) - number of purchases, at least 1.
        * ``monetary`` (float) - mean net amount per purchase.
        * ``total_amount`` (float) - net amount, refunds subtracted.
        * ``first_date`` (datetime) - day of the first purchase.
        * ``last_date`` (datetime) - day of the last purchase.

        A customer with refunds only has bought nothing and is left out: ``attrs["account"]`` says
        how many these are (``customers_without_purchase``) and their money
        (``amount_without_purchase``). ``attrs`` has ``as_of`` as ISO date and
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
    check_choice(frequency, "frequency", Frequency)
    optional = ("order_id",) if frequency == "orders" else ()
    purchases = read_log(transactions, needs=("amount",), optional=optional, as_of=as_of)
    log = purchases.rows
    total = decimal_sums(log.customer, log.amount, log.n_customers)
    count = count_purchases(log, frequency, purchases.bought)
    first, last = first_and_last(log, purchases.bought)
    table = pd.DataFrame(
        {
            "customer_id": log.customer_ids,
            "recency_days": log.as_of - last,
            "frequency": count,
            "monetary": total / count,
            "total_amount": total,
            "first_date": day_column(first),
            "last_date": day_column(last),
        }
    )
    table.attrs["as_of"] = day_text(log.as_of)
    table.attrs["rows_after_as_of"] = log.rows_after_as_of
    return purchases.noted(table)
