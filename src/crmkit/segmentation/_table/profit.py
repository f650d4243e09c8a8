"""What each customer earns us, after the costs it causes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from crmkit._frames import with_account
from crmkit._two_steps import in_one, in_two_steps
from crmkit.segmentation._table.costs import money_table, read_account

if TYPE_CHECKING:
    from crmkit.segmentation._table.costs import ZeroDriver


__all__ = ["customer_profit"]


def customer_profit(
    transactions: Any,
    *,
    cost_pools: Any = None,
    activity: Any = None,
    customers: Any = None,
    margin: float | None = None,
    discount: str | None = None,
    zero_driver: ZeroDriver = "raise",
    since: Any = None,
    as_of: Any = None,
) -> pd.DataFrame:
    """Attribute revenue, direct cost and shared cost to customers by activity-based costing.

    Parameters
    ----------
    transactions : DataFrame
        The log, with columns ``customer_id``, ``date`` and ``amount``; ``cost`` (direct cost of
        the row), ``order_id`` and ``quantity`` are used where they are there.
    cost_pools : DataFrame, optional
        Shared costs, one row per pool: ``pool`` (its name), ``cost`` (money of the period; a
        rebate or a bonus from suppliers is negative) and ``driver`` (what causes it). A driver is
        a column of `activity`, or one of ``customers`` (one unit each), ``orders``, ``lines``
        (rows that are no refund), ``units`` (their quantity), ``returns`` (rows that are
        refunds), ``gross_revenue`` and ``revenue`` (who has less than nothing bears nothing),
        which follow from the log. A column ``capacity`` may give the units that the pool's
        money could serve [2]_; what is not used is then not put on customers.
    activity : DataFrame, optional
        One row per customer with columns of drivers the log does not know, such as
        ``service_calls`` or ``visits``, at least 0. A customer without a row has none.
        Customers who bought nothing but caused cost belong in it.
    customers : DataFrame, optional
        Further customers, by ``customer_id``, who stand in the result even if they bought nothing.
    margin : float, optional
        Share of revenue left after direct cost, for a log without ``cost``: 0.3 takes 70% of
        revenue as direct cost. Without both, direct cost is 0.
    discount : str, optional
        Name of the column of `transactions` with the discount granted, as a positive number.
    zero_driver : {"raise", "unallocated"}, default "raise"
        What to do with a pool whose driver nobody has. It is never spread over revenue instead.
    since : date-like, optional
        First day counted, inclusive. The default is the first date in `transactions`. Pools and
        activity should be those of the days from here to `as_of`.
    as_of : date-like, optional
        Last day observed, inclusive. The default is the last date in the log.

    Returns
    -------
    pandas.DataFrame
        One row per customer of the days counted, of `activity` or of `customers`, sorted by
        ``customer_id``:

        * ``customer_id`` - as given.
        * ``orders`` (int) - number of orders.
        * ``gross_revenue`` (float) - amount of what was bought, before refunds.
        * ``discount`` (float) - what `discount` says was taken off before that, and negative rows
          that lower an order instead of giving it back.
        * ``refunds`` (float) - money given back, at least 0.
        * ``revenue`` (float) - net amount, refunds subtracted.
        * ``goods_returned`` (float) - direct cost that refunds gave back.
        * ``direct_cost`` (float) - traced cost, less goods returned.
        * ``<pool>_cost`` (float) - one column per pool: the pool's cost x the customer's driver
          units / all driver units (or the capacity).
        * ``profit`` (float) - revenue minus direct cost and pools.

        ``attrs["pools"]`` is a list with one entry per pool, a table with ``pandas.DataFrame``:
        its ``pool``, ``driver`` and ``cost``, the ``customers`` who have some of the driver, all
        ``driver_units``, the ``capacity`` over which cost is shared, the ``rate`` of one unit, and
        ``allocated`` and ``unallocated`` money, which add up to the cost to the cent.

    Raises
    ------
    MissingColumnsError
        If a table lacks a column.
    InputError
        If a value cannot be used, a driver is unknown or zero for everybody, or a capacity is less
        than what was used.

    Notes
    -----
    A negative row lowers an order, and is no refund, if it names the order (``order_id``) on a day
    on which something was bought in it, sends no goods back (its ``quantity``, where there is one,
    is not negative) and leaves the order some money on that day. With a ``quantity`` it may take
    all of it, as a voucher does; without, an order undone to the last cent was cancelled.

    See Also
    --------
    loss_makers : Who loses money, why, and what would help.
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
    >>> profit = customer_profit(transactions, cost_pools=pools, activity=activity, margin=0.5)
    >>> profit[["customer_id", "revenue", "direct_cost", "delivery_cost", "service_cost", "profit"]]
      customer_id  revenue  direct_cost  delivery_cost  service_cost  profit
    0         ann    100.0         50.0           10.0           0.0    40.0
    1         bob     30.0         15.0            5.0          15.0    -5.0
    2         cid      0.0          0.0            0.0           5.0    -5.0
    >>> pd.DataFrame(profit.attrs["pools"])[["pool", "driver_units", "rate", "unallocated"]]
           pool  driver_units  rate  unallocated
    0  delivery           3.0   5.0          0.0
    1   service           4.0   5.0          0.0
    """
    return in_one(customer_profit, locals())


def _shared(
    earned: pd.DataFrame, *, cost_pools: Any, activity: Any, customers: Any, zero_driver: ZeroDriver
) -> pd.DataFrame:
    """Share the cost of pools over what everybody earned."""
    account = read_account(
        earned,
        cost_pools=cost_pools,
        activity=activity,
        customers=customers,
        zero_driver=zero_driver,
    )
    money = account.columns
    shared = {f"{pool.name}_cost": pool.attributed for pool in account.pools}
    cost = sum(shared.values(), start=money["direct_cost"])
    table = pd.DataFrame(
        {"customer_id": account.customer_ids, **money, **shared, "profit": money["revenue"] - cost}
    )
    table.attrs = {**earned.attrs, "pools": [pool.account for pool in account.pools]}
    return with_account(table, account.account)


in_two_steps(customer_profit, first=money_table, rest=_shared)
