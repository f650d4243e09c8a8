"""Logs with refunds added, and what of a result refunds may change: money."""

from __future__ import annotations

import numpy as np
import pandas as pd

from crmkit._columns import column, kind_of

# Columns of another kind than money that are made of money.
OF_MONEY = {
    "kept_purchases",
    "amount_trend",
    "customers_paid_back",
    "discount_share",
    "index",
    "lever",
    "gross_revenue_retention",
    "net_revenue_retention",
    "paid_back",
    "payback_days",
    "quantity",
    "refund_share",
    "returned_rate",
    "revenue_churn_rate",
    "share_of_wallet",
    "valuable",
    "value_high",
    "value_low",
}
# Columns whose values name what their row is about, and the names that are money, or refunds.
ROWS_OF_MONEY = {
    "measure": {"amount"},
    "variable": OF_MONEY,
    "driver": {"returns", "revenue"},
    "event": {"first refund"},
    "finding": {
        "rows",
        "after_as_of",
        "repeated_rows",
        "refunds_same_day",
        "refunds_later_day",
        "refunds_without_purchase",
    },
}
# What depends on the rows of money too, where there are some.
OF_ALL_ROWS = {"p_adjusted", "rank"}


def is_money(name):
    return name in OF_MONEY or (column(name) is not None and kind_of(name) == "money")


def with_refunds(log, seed, *, stranger=None):
    """Append refunds: of what was bought and what never was, in orders that are and that are not,
    on days on which the customer bought and on others; of a `stranger` if given.

    The last date stays, so that it is still the last day observed.
    """
    rng = np.random.default_rng(seed)
    n = max(len(log) // 4, 20)
    rows = log.iloc[rng.integers(0, len(log), n)].reset_index(drop=True)
    other = log.iloc[rng.integers(0, len(log), n)].reset_index(drop=True)
    for name in log.columns.difference(["customer_id", "amount", "quantity", "cost"]):
        rows[name] = rows[name].where(rng.random(n) < 0.5, other[name])
    if "order_id" in log:
        fresh = pd.Series(np.arange(n) + int(log["order_id"].max()) + 1)
        rows["order_id"] = rows["order_id"].where(rng.random(n) < 0.6, fresh)
    if "product" in log:
        rows["product"] = rows["product"].where(rng.random(n) < 0.8, "never sold")
    for name in log.columns.intersection(["amount", "quantity", "cost"]):
        rows[name] = -rows[name].abs().clip(lower=1) * rng.integers(1, 4, n)
    if stranger is not None:
        rows["customer_id"] = stranger
    return pd.concat([log, rows], ignore_index=True).astype(log.dtypes.to_dict())


def without_amounts(log):
    """Return a log whose quantities alone tell refunds."""
    plain = log.drop(columns=["amount", "cost"], errors="ignore")
    return plain if "quantity" in plain else plain.assign(quantity=1)


def without_money(result, *, also=()):
    """Return a result less its money, in an order that money did not make."""
    if not isinstance(result, pd.DataFrame):
        return result
    rest = result
    for name, money in ROWS_OF_MONEY.items():
        if name in rest:
            rest = rest[[not (value in money or is_money(str(value))) for value in rest[name]]]
    dropped = {name for name in rest if is_money(name) or name in also}
    if len(rest) < len(result):
        dropped |= OF_ALL_ROWS
    rest = rest.drop(columns=[name for name in rest if name in dropped])
    keys = rest.select_dtypes(exclude="number").astype(str)
    order = keys.sort_values(list(keys), kind="stable").index if len(keys.columns) else rest.index
    return rest.loc[order].reset_index(drop=True)
