"""How long it takes from one item to the next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._arrays import normal_quantile, wilson_interval
from crmkit._checks import check_number
from crmkit._frames import ACCOUNT, with_account
from crmkit._two_steps import in_two_steps
from crmkit.basket._math.waiting import waiting_times
from crmkit.basket._table.histories import read_histories
from crmkit.basket._table.history_parts import add_buyers, count_buyers
from crmkit.basket._table.order_parts import add_waits, both_orders, count_waits, find_in_order

if TYPE_CHECKING:
    from collections.abc import Iterable

    from crmkit.basket._math.waiting import Waits
    from crmkit.basket._table.history_parts import Buyers


def time_to_next(
    transactions: Any,
    *,
    horizon_days: int = 90,
    min_support: float | None = None,
    include: Iterable[Any] | None = None,
    exclude: Iterable[Any] | None = None,
    confidence_level: float = 0.95,
    as_of: Any = None,
) -> pd.DataFrame:
    """Tell how long customers take from the first purchase of an item to the next of another.

    Customers who have not bought the other item yet count for as long as they were followed, to
    `as_of` (Kaplan-Meier), so that recent buyers do not distort the wait.

    Parameters
    ----------
    transactions : DataFrame
        The log with ``customer_id``, ``date`` and ``product``. A refund is no purchase.
    horizon_days : int, default 90
        Days to look ahead, for ``p_within``.
    min_support : float or int, optional
        Smallest support, of customers with both in this order: a share of all customers as
        a float up to 1, or a number of customers as an integer. The default is 0.01, at least 5
        customers.
    include, exclude : list of items, optional
        Look only at these items; leave these out.
    confidence_level : float, default 0.95
        Level of the interval of ``p_within``.
    as_of : date-like, optional
        Last day observed, inclusive. The default is the last date in the log.

    Returns
    -------
    pandas.DataFrame
        One row per ordered pair, by falling ``p_within``, then events, then items; with an item
        after itself the time to buying it again:

        * ``item`` - the item bought first.
        * ``next_item`` - the item bought on a later day.
        * ``customers`` (int) - customers who bought ``item``.
        * ``events`` (int) - those of them who bought ``next_item`` later.
        * ``median_days`` (float) - days after which half have bought it; missing where fewer than
          half are known to.
        * ``p_within`` (float) - share that buys it within `horizon_days`.
        * ``std_error`` (float) - of ``p_within``, by Greenwood's formula.
        * ``conf_low`` (float) - lower limit of ``p_within``, on the log-log scale; Wilson's where
          nobody or everybody bought.
        * ``conf_high`` (float) - upper limit.

    Raises
    ------
    MissingColumnsError
        If a column is absent.
    InputError
        If an option is out of range.

    References
    ----------
    .. [1] Kaplan, E. L. and Meier, P. (1958). Nonparametric estimation from incomplete
       observations. *Journal of the American Statistical Association* 53(282), 457-481.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit import basket
    >>> transactions = pd.DataFrame(
    ...     {
    ...         "customer_id": [1, 1, 2, 2, 3],
    ...         "date": pd.to_datetime(
    ...             ["2025-01-01", "2025-02-01", "2025-01-05", "2025-01-20", "2025-01-09"]
    ...         ),
    ...         "product": ["printer", "ink", "printer", "ink", "ink"],
    ...     }
    ... )
    >>> waits = basket.time_to_next(transactions, horizon_days=20, min_support=2)
    >>> waits[["item", "next_item", "customers", "events", "median_days", "p_within"]]
          item next_item  customers  events  median_days  p_within
    0  printer       ink          2       2         15.0       0.5
    """
    horizon = check_number(horizon_days, "horizon_days")
    read = read_histories(transactions, min_support, include, exclude, as_of)
    log = read.log
    waits = waiting_times(read.lines, min_count=read.min_count, horizon=horizon, last_day=log.as_of)
    return read.history.noted(_told(waits, log.product_ids, confidence_level))


def _added(
    counted: pd.DataFrame, *, buyers: Buyers, horizon_days: int, confidence_level: float
) -> pd.DataFrame:
    """Add up the waits of all parts."""
    waits = add_waits(counted, buyers, horizon=check_number(horizon_days, "horizon_days"))
    table = _told(waits, buyers.items, confidence_level)
    return with_account(table, counted.attrs.get(ACCOUNT, {}))


in_two_steps(
    time_to_next,
    before=[("buyers", count_buyers, add_buyers), ("pairs", find_in_order, both_orders)],
    first=count_waits,
    rest=_added,
)


def _told(waits: Waits, items: pd.Index[Any], confidence_level: float) -> pd.DataFrame:
    """Write the waits of pairs, with their intervals, the surest first."""
    confidence_level = check_number(confidence_level, "confidence_level")
    survival = waits.survival
    extreme = (survival >= 1) | (survival < 1e-200)
    z = normal_quantile(confidence_level)
    log_survival = np.log(np.where(extreme, 0.5, survival))
    reach = np.exp(z * np.sqrt(waits.variance) / np.abs(log_survival))
    bought = np.where(survival >= 1, 0, waits.customers)
    edge_low, edge_high = wilson_interval(bought, waits.customers, confidence_level)
    table = pd.DataFrame(
        {
            "item": items[waits.first],
            "next_item": items[waits.second],
            "customers": waits.customers,
            "events": waits.events,
            "median_days": waits.median,
            "p_within": 1 - survival,
            "std_error": survival * np.sqrt(waits.variance),
            "conf_low": np.where(extreme, edge_low, -np.expm1(log_survival / reach)),
            "conf_high": np.where(extreme, edge_high, -np.expm1(log_survival * reach)),
        }
    )
    order = np.lexsort((waits.second, waits.first, -waits.events, survival))
    return table.take(order).reset_index(drop=True)
