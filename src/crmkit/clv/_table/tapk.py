"""TAPK: transactions x items per transaction x what is earned per item, less acquisition cost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._checks import Problems, check_optional, number_array, quoted
from crmkit._frames import read_customers, rows_of, without
from crmkit._log import count_purchases, read_log
from crmkit.clv._math.accounting import tapk_value
from crmkit.clv._table.costs import acquisition_costs
from crmkit.clv._table.days import check_refunds
from crmkit.errors import InputError

if TYPE_CHECKING:
    from crmkit._log import PurchaseLog
    from crmkit._typing import Floats, Ints, KeepDropOrRaise

__all__ = ["tapk", "tapk_table"]

FACTORS = ("transactions", "items_per_transaction", "price", "acquisition_cost")


def tapk(customers: Any) -> pd.DataFrame:
    """Value each customer as T x A x P - K, with every factor in sight.

    T is the number of transactions over the relationship, A the items per transaction, P the
    price per item less what the item costs, K what it cost to win the customer.

    Parameters
    ----------
    customers : DataFrame
        One row per customer with ``customer_id``, ``transactions``, ``items_per_transaction``,
        ``price`` and ``acquisition_cost``; ``item_cost`` too, or prices are earned in full.
        :func:`tapk_table` makes one from a log.

    Returns
    -------
    pandas.DataFrame
        One row per customer, in the order of `customers`:

        * ``customer_id`` - as given.
        * ``transactions`` (float) - T, transactions over the relationship.
        * ``items_per_transaction`` (float) - A.
        * ``price`` (float) - amount per item; less ``item_cost`` it is P.
        * ``item_cost`` (float) - amount per item; 0 where not given.
        * ``acquisition_cost`` (float) - K, amount.
        * ``sales`` (float) - T x A x ``price``, amount.
        * ``lifetime_value`` (float) - T x A x P - K, amount.

    Raises
    ------
    MissingColumnsError
        If a factor is missing.
    InputError
        If a factor is not a finite number, or T or A is negative.

    See Also
    --------
    tapk_table : Estimate the factors from a log.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit import clv
    >>> customers = pd.DataFrame({
    ...     "customer_id": ["ann", "bob"],
    ...     "transactions": [20, 2],
    ...     "items_per_transaction": [3.0, 1.0],
    ...     "price": [5.0, 8.0],
    ...     "acquisition_cost": [40.0, 40.0],
    ... })
    >>> clv.tapk(customers)[["customer_id", "sales", "lifetime_value"]]
      customer_id  sales  lifetime_value
    0         ann  300.0           260.0
    1         bob   16.0           -24.0
    """
    table = read_customers(customers, needs=FACTORS, optional=("item_cost",))
    if "item_cost" not in table.columns:
        table = table.assign(item_cost=0.0)
    problems = Problems("customers")
    lows = {"transactions": 0.0, "items_per_transaction": 0.0}
    factors = {
        name: number_array(table[name], problems, name, low=lows.get(name))
        for name in (*FACTORS[:-1], "item_cost", FACTORS[-1])
    }
    problems.raise_if_any()
    sales, value = tapk_value(*factors.values())
    return pd.DataFrame(
        {"customer_id": table["customer_id"], **factors, "sales": sales, "lifetime_value": value}
    )


def tapk_table(
    transactions: Any,
    *,
    as_of: Any = None,
    acquisition_cost: Any = 0.0,
    customers: Any = None,
    expected_purchases: Any = None,
    margin: float | None = None,
    refunds: KeepDropOrRaise = "keep",
) -> pd.DataFrame:
    """Estimate T, A and P of every customer from the log, and join K.

    Parameters
    ----------
    transactions : DataFrame
        One row per order line with ``customer_id``, ``date`` and ``amount``; ``order_id`` tells
        the orders of one day apart, ``quantity`` counts the items (absent: one per row).
    as_of : date-like, optional
        Last day observed, inclusive. The default is the last date in the log.
    acquisition_cost : float or DataFrame
        K: one number for all; a table with ``customer_id`` and ``acquisition_cost``; or a table
        with any column of `customers`, such as ``channel``, and ``acquisition_cost``.
    customers : DataFrame, optional
        Customer table with the column that an `acquisition_cost` per channel refers to.
    expected_purchases : DataFrame, optional
        Table with ``customer_id`` and ``expected_purchases``, such as a purchase model's
        ``predict`` gives. Then T is what is still to come instead of what was, and A is items
        per purchase day, because that is what the models count.
    margin : float, optional
        As in :func:`cohort_value`.
    refunds : {"keep", "drop", "raise"}
        ``"keep"`` takes refunds off the price and the cost of items, ``"drop"`` ignores them,
        ``"raise"`` refuses them. A refund is never a transaction and its quantity no item; a
        customer with nothing but refunds is left out.

    Returns
    -------
    pandas.DataFrame
        One row per customer, sorted by ``customer_id``; what :func:`tapk` reads:

        * ``customer_id`` - as given.
        * ``transactions`` (float) - T: orders up to `as_of`, or expected purchase days.
        * ``items_per_transaction`` (float) - A: items per order, or per purchase day.
        * ``price`` (float) - net amount per item.
        * ``item_cost`` (float) - what of the price is not earned, by `margin` or the log's costs.
        * ``acquisition_cost`` (float) - K, amount.

    Raises
    ------
    MissingColumnsError
        If ``customer_id``, ``date`` or ``amount`` is missing.
    InputError
        If a customer spent money on no items, or has no acquisition cost or expectation.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit import clv
    >>> log = pd.DataFrame({
    ...     "customer_id": ["ann", "ann", "bob"],
    ...     "date": pd.to_datetime(["2024-01-01", "2024-01-21", "2024-01-11"]),
    ...     "amount": [10.0, 20.0, 5.0],
    ...     "quantity": [1, 2, 1],
    ... })
    >>> factors = clv.tapk_table(log, acquisition_cost=4.0)
    >>> factors[["customer_id", "transactions", "items_per_transaction", "price"]]
      customer_id  transactions  items_per_transaction  price
    0         ann           2.0                    1.5   10.0
    1         bob           1.0                    1.0    5.0
    >>> clv.tapk(factors)[["customer_id", "lifetime_value"]]
      customer_id  lifetime_value
    0         ann            26.0
    1         bob             1.0
    """
    share = check_optional(margin, "margin")
    optional = ("order_id", "quantity", *(("cost",) if share is None else ()))
    log = read_log(transactions, needs=("amount",), optional=optional, as_of=as_of)
    orders = expected_purchases is None
    occasions, items, amount, cost = _totals(log, refunds, orders=orders)
    table = pd.DataFrame({"customer_id": log.rows.customer_ids})
    if orders:
        table["transactions"] = occasions.astype(np.float64)
    else:
        table["transactions"] = _expected(table["customer_id"], expected_purchases, log.account)
    table["items_per_transaction"] = items / occasions
    some = np.maximum(items, np.finfo(np.float64).tiny)  # without items there is no money
    table["price"] = amount / some
    table["item_cost"] = cost / some if share is None else (1.0 - share) * table["price"]
    table["acquisition_cost"] = acquisition_costs(
        table["customer_id"], acquisition_cost, customers=customers, account=log.account
    )
    return log.noted(table)


def _totals(
    purchases: PurchaseLog, refunds: str, *, orders: bool
) -> tuple[Ints, Floats, Floats, Floats]:
    """Return occasions (orders or days), items, net amount and cost of each customer."""
    check_refunds(purchases, refunds)
    log, amount = purchases.rows, purchases.rows.amount
    bought = np.ones(amount.size, dtype=bool) if purchases.bought is None else purchases.bought
    quantity = log.quantity if log.has("quantity") else np.ones(amount.size)
    problems = Problems("transactions")
    problems.rows(
        bought & (quantity < 0.0),
        "column 'quantity' is negative beside a positive 'amount'",
        do="Give returned items a negative amount or a quantity of zero.",
    )
    problems.raise_if_any()
    n = log.n_customers
    occasions = count_purchases(log, "orders" if orders else "days", purchases.bought)
    items = _sums(log.customer[bought], quantity[bought], n)
    counted = bought if refunds == "drop" else slice(None)
    total = _sums(log.customer[counted], amount[counted], n)
    cost = np.zeros(n)
    if log.has("cost"):
        cost = _sums(log.customer[counted], log.cost[counted], n)
    itemless = np.flatnonzero((items == 0.0) & ((total != 0.0) | (cost != 0.0)))
    if itemless.size:
        names = log.customer_ids[itemless[:3]].tolist()
        raise InputError(
            f"`transactions`: {itemless.size:,} customers have money but no items (first: "
            f"{quoted(names)}), so there is no price per item. Correct `quantity`, or leave it "
            "out to count one item per row."
        )
    return occasions, items, total, cost


def _sums(codes: Ints, values: Floats, n: int) -> Floats:
    """Sum values by code; shape (n,)."""
    return np.bincount(codes, weights=values, minlength=n).astype(np.float64, copy=False)


def _expected(ids: pd.Series[Any], expected_purchases: Any, account: dict[str, Any]) -> Floats:
    """Look up what is still to come for each customer."""
    table = read_customers(
        expected_purchases, needs=("expected_purchases",), name="expected_purchases"
    )
    problems = Problems("expected_purchases")
    values = number_array(table["expected_purchases"], problems, "expected_purchases", low=0.0)
    problems.raise_if_any()
    row = rows_of(
        ids,
        table["customer_id"],
        name="transactions",
        other="expected_purchases",
        do="Predict for every customer of the log.",
    )
    account["expected_purchases_unmatched"] = without(row, len(table))
    found: Floats = values[row]
    return found
