"""From the log to recency, frequency and monetary value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from crmkit._checks import check_choice
from crmkit._frames import day_column, read_customers, with_account
from crmkit._log import count_purchases, first_and_last, read_log
from crmkit._money import decimal_sums
from crmkit._periods import day_text
from crmkit.segmentation._math import group_quantile
from crmkit.segmentation._table.everybody import everybody

if TYPE_CHECKING:
    from crmkit._log import PurchaseLog
    from crmkit._typing import Floats

__all__ = ["rfm_table"]

Frequency = Literal["orders", "days", "rows"]
Monetary = Literal["mean", "median", "max", "min", "total"]


def rfm_table(
    transactions: Any,
    *,
    customers: Any = None,
    since: Any = None,
    as_of: Any = None,
    frequency: Frequency = "orders",
    monetary: Monetary = "mean",
) -> pd.DataFrame:
    """Summarise each customer by recency, frequency and monetary value.

    Parameters
    ----------
    transactions : DataFrame
        The log, with columns ``customer_id``, ``date`` and ``amount``; ``order_id`` is used
        where there is one. Rows with a negative amount are refunds: they reduce the money, but
        are no purchase and no sign of life.
    customers : DataFrame, optional
        Further customers, by ``customer_id``, who stand in the result even if they bought nothing.
    since : date-like, optional
        First day counted, inclusive; earlier rows are left out. The default is the first date in
        `transactions`.
    as_of : date-like, optional
        Last day observed, inclusive. The default is the last date in the log, never today;
        later rows are left out.
    frequency : {"orders", "days", "rows"}, default "orders"
        What counts as one purchase: a distinct ``order_id`` of the customer (without that column,
        a calendar day), a calendar day with a purchase, or a row of the log.
    monetary : {"mean", "median", "max", "min", "total"}, default "mean"
        Which money stands in column ``monetary``: net amount per purchase; its median, largest or
        smallest amount, each less the refunds that name the same purchase; or the net total.

    Returns
    -------
    pandas.DataFrame
        One row per customer, sorted by ``customer_id``:

        * ``customer_id`` - as given.
        * ``recency_days`` (int) - days from the last purchase to `as_of`, at least 0.
        * ``frequency`` (int) - number of purchases.
        * ``monetary`` (float) - mean net amount per purchase, or what `monetary` says instead.
        * ``total_amount`` (float) - net amount, refunds subtracted.
        * ``first_date`` (datetime) - day of the first purchase from `since` on.
        * ``last_date`` (datetime) - day of the last purchase.

        Who is in `customers` and bought nothing has 0 in ``frequency``, ``monetary`` and
        ``total_amount``, and no days.

        A customer with refunds only has bought nothing and is left out: ``attrs["account"]`` says
        how many these are (``customers_without_purchase``) and their money
        (``amount_without_purchase``). ``attrs`` has ``as_of`` as ISO date, and
        ``rows_after_as_of`` and ``rows_before_since``, the number of rows left out.

    Raises
    ------
    MissingColumnsError
        If a table lacks a column.
    InputError
        If a value is missing or infinite, or no row falls into the days asked for.

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
    check_choice(monetary, "monetary", Monetary)
    optional = ("order_id",) if frequency == "orders" else ()
    purchases = read_log(
        transactions, needs=("amount",), optional=optional, as_of=as_of, since=since
    )
    log = purchases.rows
    total = decimal_sums(log.customer, log.amount, log.n_customers)
    count = count_purchases(log, frequency, purchases.bought)
    first, last = first_and_last(log, purchases.bought)
    money = total if monetary == "total" else total / count
    if monetary in ("median", "max", "min"):
        money = _per_purchase(
            purchases, frequency, {"min": 0.0, "median": 0.5, "max": 1.0}[monetary]
        )
    table = pd.DataFrame(
        {
            "customer_id": log.customer_ids,
            "recency_days": log.as_of - last,
            "frequency": count,
            "monetary": money,
            "total_amount": total,
            "first_date": day_column(first),
            "last_date": day_column(last),
        }
    )
    account: dict[str, Any] = {}
    if customers is not None:
        table = _with_customers(table, customers, account)
    table.attrs["as_of"] = day_text(log.as_of)
    table.attrs["rows_after_as_of"] = log.rows_after_as_of
    table.attrs["rows_before_since"] = log.rows_before_since
    return with_account(purchases.noted(table), account)


def _per_purchase(purchases: PurchaseLog, unit: Frequency, q: float) -> Floats:
    """Return a quantile of each customer's money per purchase, shape (n,)."""
    log, bought = purchases.rows, purchases.bought
    if unit == "rows":
        rows = slice(None) if bought is None else bought
        return group_quantile(log.amount[rows], log.customer[rows], q)
    within = log.order_code if unit == "orders" else log.day - log.day.min()
    keys, code = np.unique(log.customer * (int(within.max()) + 1) + within, return_inverse=True)
    money = decimal_sums(code, log.amount, keys.size)
    # Refunds that name no purchase are none.
    is_one = np.bincount(code if bought is None else code[bought], minlength=keys.size) > 0
    who = np.empty(keys.size, dtype=np.int64)
    who[code] = log.customer
    return group_quantile(money[is_one], who[is_one], q)


def _with_customers(table: pd.DataFrame, customers: Any, account: dict[str, Any]) -> pd.DataFrame:
    """Add those customers who bought nothing."""
    people = {"customers": read_customers(customers, optional=())}
    ids, places = everybody(table["customer_id"], people, account)
    row = np.full(len(ids), -1)
    row[places["transactions"]] = np.arange(len(table))
    every = table.reindex(np.where(row < 0, len(table), row)).reset_index(drop=True)
    nothing = {"frequency": 0, "monetary": 0.0, "total_amount": 0.0}
    every = every.assign(customer_id=ids).fillna(nothing).astype({"frequency": np.int64})
    return every if every["recency_days"].isna().any() else every.astype({"recency_days": np.int64})
