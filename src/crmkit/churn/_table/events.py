"""Events that the log itself tells."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._arguments import check_list, check_mapping
from crmkit._frames import day_column, rows_of
from crmkit._log import read_log
from crmkit.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["first_events"]


def first_events(
    transactions: Any,
    *,
    products: Mapping[str, Iterable[Any]] | None = None,
    as_of: Any = None,
) -> pd.DataFrame:
    """Find each customer's first refund, and the first purchase of given groups of products.

    Parameters
    ----------
    transactions : DataFrame
        The log: ``customer_id`` and ``date``; ``amount``, or without it ``quantity``, for refunds
        (rows below 0), ``product`` for products.
    products : mapping of str to products, optional
        Groups of products whose first purchase is an event, under the name the event gets, for
        example ``{"first baby product": ["nappies", "baby food"]}``.
    as_of : str or datetime-like, optional
        Last day observed, inclusive. The default is the last date in the log.

    Returns
    -------
    pandas.DataFrame
        One row per customer and event, sorted by both; no row where nobody has one:

        * ``customer_id`` - as given.
        * ``date`` (datetime) - first day of the event.
        * ``event`` (str) - ``first refund``, or the name of the group.

    Raises
    ------
    MissingColumnsError
        If a needed column is absent.
    InputError
        If there is neither an amount to tell refunds by nor a group of products.

    Examples
    --------
    >>> import pandas as pd
    >>> transactions = pd.DataFrame(
    ...     {
    ...         "customer_id": ["ann", "ann", "bob"],
    ...         "date": pd.to_datetime(["2025-01-01", "2025-01-09", "2025-01-05"]),
    ...         "amount": [10.0, -10.0, 5.0],
    ...     }
    ... )
    >>> first_events(transactions)
      customer_id       date         event
    0         ann 2025-01-09  first refund
    """
    groups = {} if products is None else check_mapping(products, "products", "names to products")
    groups = {name: check_list(some, "products", "products") for name, some in groups.items()}
    purchases = read_log(transactions, needs=["product"] if groups else [], as_of=as_of)
    log = purchases.rows
    if not groups and not (log.has("amount") or log.has("quantity")):
        raise InputError(
            "`transactions` has no column 'amount' to tell refunds by. Add it, or name `products`."
        )
    bought = np.ones(len(log.day), dtype=bool) if purchases.bought is None else purchases.bought
    marks = {"first refund": ~bought}
    purchases.account["products_unmatched"] = 0
    for name, group in groups.items():
        missed: dict[str, int] = {}
        codes = rows_of(
            group,
            log.product_ids,
            name=f"products[{name!r}]",
            other="transactions",
            account=missed,
            key="products_unmatched",
            what="product",
        )
        purchases.account["products_unmatched"] += missed["products_unmatched"]
        marks[name] = bought & np.isin(log.product, codes[codes >= 0])
    parts = []
    for name, mark in marks.items():
        first = np.full(log.n_customers, np.iinfo(np.int64).max)
        np.minimum.at(first, log.customer[mark], log.day[mark])
        found = np.flatnonzero(first < np.iinfo(np.int64).max)
        parts.append(pd.DataFrame({"code": found, "day": first[found], "event": name}))
    table = pd.concat(parts, ignore_index=True).sort_values(["code", "event"], ignore_index=True)
    result = pd.DataFrame(
        {
            "customer_id": log.customer_ids.take(table["code"].to_numpy()),
            "date": day_column(table["day"].to_numpy()),
            "event": table["event"],
        }
    )
    return purchases.noted(result)
