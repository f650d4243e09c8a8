"""What each customer earns us, after the costs it causes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from crmkit._checks import check_optional
from crmkit._frames import with_account
from crmkit._periods import day_text
from crmkit.segmentation._table.costs import read_account

if TYPE_CHECKING:
    from crmkit.segmentation._table.costs import ZeroDriver


__all__ = ["customer_profit"]


def customer_profit(
    transactions: Any,
    *,
    cost_pools: Any = None,
    activity: Any = None,
    margin: float | None = None,
    zero_driver: ZeroDriver = "raise",
    as_of: Any = None,
) -> pd.DataFrame:
    """Attribute revenue, direct cost and shared cost to customers by activity-based costing.

    Parameters
    ----------
    transactions : DataFrame
        The log, with columns ``customer_id``, ``date`` and ``amount``; ``cost`` (direct cost of
        the row), ``order_id`` and ``quantity`` are used where they are there.
    cost_pools : DataFrame, optional
        Shared costs, one row per pool: ``pool`` (its name), ``cost`` (money of the period) and
        ``driver`` (what causes it). A driver is a column of `activity`, or one of ``orders``,
        ``lines`` (rows that are no refund), ``units`` (their quantity), ``returns`` (rows that
        are refunds) and ``revenue``, which follow from the log. A column ``capacity`` may give
        the units that the pool's money could serve [2]_; what is not used is then not put on
        customers.
    activity : DataFrame, optional
        One row per customer with columns of drivers the log does not know, such as
        ``service_calls`` or ``visits``, at least 0. A customer without a row has none.
        Customers who bought nothing but caused cost belong in it.
    margin : float, optional
        Share of revenue left after direct cost, for a log without ``cost``: 0.3 takes 70% of
        revenue as direct cost. Without both, direct cost is 0.
    zero_driver : {"raise", "unallocated"}, default "raise"
        What to do with a pool whose driver nobody has. It is never spread over revenue instead.
    as_of : str or datetime-like, optional
        Last day observed, inclusive. The default is the last date in `transactions`. Pools and
        activity should be those of the days that the log covers.

    Returns
    -------
    pandas.DataFrame
        One row per customer of the log or of `activity`, sorted by ``customer_id``:

        * ``customer_id`` - as given.
        * ``revenue`` (float) - net amount, refunds subtracted.
        * ``direct_cost`` (float) - traced cost.
        * ``<pool>_cost`` (float) - one column per pool: the pool's cost x the customer's driver
          units / all driver units (or the capacity).
        * ``profit`` (float) - revenue minus all these costs.

        ``attrs["unallocated"]`` gives the money of each pool that no customer bears; with it the
        columns add up to the pools to the cent. :func:`cost_rates` shows both as a table.

    Raises
    ------
    MissingColumnsError
        If a table lacks a column.
    InputError
        If a value cannot be used, a driver is unknown, negative or zero for everybody, or a
        capacity is less than what was used.

    See Also
    --------
    loss_makers : Who loses money, because of which pool.
    whale_curve : How profit cumulates over customers.

    References
    ----------
    .. [1] Kaplan, R. S. and Narayanan, V. G. (2001). Measuring and managing customer
       profitability. *Journal of Cost Management*, 15(5), 5-15.
    .. [2] Kaplan, R. S. and Anderson, S. R. (2004). Time-driven activity-based costing.
       *Harvard Business Review*, 82(11), 131-138.

    Examples
    --------
    >>> import pandas as pd
    >>> transactions = pd.DataFrame(
    ...     {
    ...         "customer_id": ["ann", "ann", "bob"],
    ...         "date": pd.to_datetime(["2025-01-01", "2025-01-21", "2025-01-11"]),
    ...         "amount": [60.0, 40.0, 30.0],
    ...     }
    ... )
    >>> pools = pd.DataFrame(
    ...     {"pool": ["delivery", "service"], "cost": [15.0, 20.0], "driver": ["orders", "calls"]}
    ... )
    >>> activity = pd.DataFrame({"customer_id": ["bob", "cid"], "calls": [3, 1]})
    >>> customer_profit(transactions, cost_pools=pools, activity=activity, margin=0.5)
      customer_id  revenue  direct_cost  delivery_cost  service_cost  profit
    0         ann    100.0         50.0           10.0           0.0    40.0
    1         bob     30.0         15.0            5.0          15.0    -5.0
    2         cid      0.0          0.0            0.0           5.0    -5.0
    """
    margin = check_optional(margin, "margin")
    account = read_account(
        transactions,
        cost_pools=cost_pools,
        activity=activity,
        margin=margin,
        zero_driver=zero_driver,
        as_of=as_of,
    )
    columns: dict[str, Any] = {
        "customer_id": account.customer_ids,
        "revenue": account.revenue,
        "direct_cost": account.direct_cost,
    }
    columns |= {f"{pool.name}_cost": pool.attributed for pool in account.pools}
    cost = sum((pool.attributed for pool in account.pools), start=account.direct_cost)
    table = pd.DataFrame(columns | {"profit": account.revenue - cost})
    table.attrs["as_of"] = day_text(account.as_of)
    table.attrs["rows_after_as_of"] = account.rows_after_as_of
    table.attrs["unallocated"] = {pool.name: pool.unallocated for pool in account.pools}
    return with_account(table, account.unmatched)
