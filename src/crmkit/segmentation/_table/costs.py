"""Activity-based costing: what each customer did, and what each pool costs per unit of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from crmkit._arguments import optional_columns
from crmkit._checks import Problems, check_choice, check_optional, number_array, quoted
from crmkit._frames import read_customers, table_columns, to_pandas
from crmkit._log import count_purchases, read_rows
from crmkit._money import decimal_sums
from crmkit._periods import day_text
from crmkit.errors import InputError
from crmkit.segmentation._math import discount_lines, share_cost
from crmkit.segmentation._table.everybody import everybody, seated

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from crmkit._frames import Log
    from crmkit._typing import Bools, Floats, Ints


__all__ = ["Account", "Pool", "lowered_and_refunded", "money_table", "read_account"]

LOG_DRIVERS = (
    "customers", "orders", "lines", "units", "returns", "gross_revenue", "revenue",
)  # fmt: skip
MONEY = (
    "gross_revenue", "discount", "refunds", "revenue", "goods_returned", "direct_cost",
)  # fmt: skip
ZeroDriver = Literal["raise", "unallocated"]


@dataclass(frozen=True, slots=True)
class Pool:
    """A cost pool and what it costs each customer; ``units`` and ``attributed`` have shape (n,)."""

    name: str
    driver: str
    cost: float
    capacity: float
    units: Floats
    attributed: Floats

    @property
    def account(self) -> dict[str, Any]:
        """Tell what a unit costs and how much of the pool customers bear."""
        used = float(self.units.sum())
        left = self.cost if used == 0 else self.cost * (1 - used / self.capacity)
        return {
            "pool": self.name,
            "driver": self.driver,
            "cost": self.cost,
            "customers": int(np.count_nonzero(self.units)),
            "driver_units": used,
            "capacity": float(self.capacity),
            "rate": self.cost / self.capacity if self.capacity else 0.0,
            "allocated": self.cost - left,
            "unallocated": left,
        }


@dataclass(frozen=True, slots=True)
class Account:
    """Money per customer, by the name of its column, and the pools; arrays have shape (n,)."""

    customer_ids: pd.Index[Any]
    columns: dict[str, NDArray[Any]]
    pools: list[Pool]
    account: dict[str, Any]


def money_table(
    transactions: Any, *, margin: float | None, discount: str | None, since: Any, as_of: Any
) -> pd.DataFrame:
    """Return money and units of drivers per customer of the log."""
    margin = check_optional(margin, "margin")
    named = "order_id" in table_columns(transactions, "transactions")
    log, bought = read_rows(
        transactions,
        needs=("amount", *optional_columns(discount=discount)),
        optional=("order_id", "quantity", "cost"),
        as_of=as_of,
        since=since,
    )
    if margin is not None and log.has("cost"):
        raise InputError(
            "`margin` stands in for direct cost, and `transactions` has a column 'cost'. "
            "Leave one of the two out."
        )
    money, units = _by_customer(log, bought, margin, discount, named=named)
    table = pd.DataFrame({"customer_id": log.customer_ids, **money, **units})
    table.attrs["as_of"] = day_text(log.as_of)
    table.attrs["rows_after_as_of"] = log.rows_after_as_of
    table.attrs["rows_before_since"] = log.rows_before_since
    return table


def read_account(
    earned: pd.DataFrame,
    *,
    cost_pools: Any,
    activity: Any,
    customers: Any,
    zero_driver: ZeroDriver,
) -> Account:
    """Return money and shared cost of every customer of a `money_table` or the other tables."""
    check_choice(zero_driver, "zero_driver", ZeroDriver)
    tables = {
        name: read_customers(table, optional=None if name == "activity" else (), name=name)
        for name, table in (("activity", activity), ("customers", customers))
        if table is not None
    }
    account: dict[str, Any] = {}
    ids, places = everybody(pd.Index(earned["customer_id"]), tables, account)
    known = {
        str(name): seated(earned[name].to_numpy(), places["transactions"], len(ids))
        for name in earned.columns.drop("customer_id")
    }
    money = {name: known[name] for name in MONEY}
    units = {name: known[name] for name in LOG_DRIVERS if name in known}
    units["customers"] = np.ones(len(ids))
    # Who was given back more than paid takes part in no revenue, and lowers nobody's share.
    units["revenue"] = np.maximum(money["revenue"], 0.0)
    pools = _read_pools(cost_pools)
    problems = Problems("cost_pools")
    own = tables.get("activity", pd.DataFrame(columns=["customer_id"]))
    for driver in pools["driver"].unique() if pools is not None else ():
        if driver in own.columns:
            found = Problems("activity")
            values = number_array(own[driver], found, driver, low=0)
            found.raise_if_any()
            units[driver] = seated(values, places["activity"], len(ids))
        elif driver not in LOG_DRIVERS:
            there = [column for column in own.columns if column != "customer_id"]
            problems.add(
                f"there is no driver {quoted(driver)}. The log gives {list(LOG_DRIVERS)}, "
                "`activity` "
                f"gives {there}."
            )
    if pools is not None and "revenue" in pools["driver"].to_list():
        account["customers_below_zero_revenue"] = int((money["revenue"] < 0).sum())
    shared = [] if pools is None else _share(pools, units, problems, zero_driver)
    problems.raise_if_any()
    orders = known["orders"].astype(np.int64)
    return Account(ids, {"orders": orders} | money, shared, account)


def lowered_and_refunded(log: Log, bought: Bools | None, *, named: bool) -> tuple[Bools, Bools]:
    """Tell which rows lower an order they stand in, and which are refunds; each of shape (n,).

    `named` says whether the log names orders; without that nobody can tell the two apart.
    """
    off = np.zeros(log.day.size, dtype=bool)
    if bought is None:
        return off, off
    if named and log.has("amount"):
        quantity = log.quantity if log.has("quantity") else None
        off = discount_lines(log.customer, log.order_code, log.day, log.amount, quantity)
    return off, ~bought & ~off


def _by_customer(
    log: Log, bought: Bools | None, margin: float | None, discount: str | None, *, named: bool
) -> tuple[dict[str, Floats], dict[str, NDArray[Any]]]:
    """Return money by column and units by driver, per customer of the log."""
    n, customer, amount = log.n_customers, log.customer, log.amount
    off, back = (np.flatnonzero(rows) for rows in lowered_and_refunded(log, bought, named=named))

    def total(values: Floats, rows: Ints) -> Floats:
        return decimal_sums(customer[rows], values[rows], n)

    def without(values: Floats, rows: Ints) -> Floats:
        """Return the sums over the other rows."""
        values = values.copy()
        values[rows] = 0.0
        return decimal_sums(customer, values, n)

    revenue, refunds = decimal_sums(customer, amount, n), -total(amount, back)
    granted = -total(amount, off)
    apart = np.concatenate((off, back))
    if discount is not None:
        problems = Problems("transactions")
        values = number_array(log.column(discount), problems, discount, low=0)
        problems.raise_if_any()
        granted = granted + without(values, apart)
    if log.has("cost"):
        direct, returned = decimal_sums(customer, log.cost, n), -total(log.cost, back)
    else:
        share = 0.0 if margin is None else 1 - margin
        direct, returned = revenue * share, refunds * share
    money = {
        "gross_revenue": without(amount, back) if back.size else revenue,
        "discount": granted,
        "refunds": refunds,
        "revenue": revenue,
        "goods_returned": returned,
        "direct_cost": direct,
    }
    lines = np.bincount(customer, minlength=n) - np.bincount(customer[apart], minlength=n)
    units: dict[str, NDArray[Any]] = {
        "orders": count_purchases(log, "orders", bought),
        "lines": lines,
        "units": lines,
        "returns": np.bincount(customer[back], minlength=n),
    }
    if log.has("quantity"):
        units["units"] = without(log.quantity, apart)
    # What is not negative is written without a sign.
    return {name: values + 0.0 for name, values in money.items()}, units


def _read_pools(cost_pools: Any) -> pd.DataFrame | None:
    """Return the pools with columns pool, cost, driver and capacity (NaN: what was used)."""
    if cost_pools is None:
        return None
    needs = ["pool", "cost", "driver"]
    frame = to_pandas(cost_pools, "cost_pools", needs=needs, optional=["capacity"])
    if frame.empty:
        raise InputError("`cost_pools` has no rows. Leave it out if no cost is shared.")
    problems = Problems("cost_pools")
    out = pd.DataFrame({"pool": frame["pool"].to_numpy(dtype=object)})
    out["driver"] = frame["driver"].to_numpy(dtype=object)
    for column in ("pool", "driver"):
        text = [isinstance(value, str) and value.strip() != "" for value in out[column]]
        problems.rows(~np.array(text), f"column {column!r} is not a name", do="Name it.")
    problems.rows(
        (out["pool"].duplicated() | (out["pool"] == "direct")).to_numpy(),
        "column 'pool' repeats a name or uses 'direct'",
        do="Give each pool a name of its own.",
        values=out["pool"].tolist(),
    )
    out["cost"] = number_array(frame["cost"], problems, "cost")
    out["capacity"] = np.nan
    if "capacity" in frame.columns:
        capacity = number_array(
            frame["capacity"], problems, "capacity", allow_missing=True, low=0, low_open=True
        )
        out["capacity"] = capacity
    problems.raise_if_any()
    return out


def _share(
    pools: pd.DataFrame, units: dict[str, Floats], problems: Problems, zero_driver: ZeroDriver
) -> list[Pool]:
    """Share every pool over the customers who caused it."""
    shared = []
    for name, driver, cost, capacity in zip(
        pools["pool"], pools["driver"], pools["cost"], pools["capacity"], strict=True
    ):
        if driver not in units:
            continue
        used = units[driver]
        total = float(used.sum())
        if (used < 0).any():
            problems.add(
                f"driver {quoted(driver)} of pool {quoted(name)} is negative for "
                f"{int((used < 0).sum()):,} "
                "customers, so it cannot share a cost. Choose another driver."
            )
        elif np.isnan(capacity) and total == 0 and zero_driver == "raise":
            problems.add(
                f"nobody has any {quoted(driver)}, the driver of pool {quoted(name)}. Choose "
                "another driver, "
                "or keep the pool apart with zero_driver='unallocated'."
            )
        elif capacity < total * (1 - 1e-12):
            problems.add(
                f"pool {quoted(name)} has a capacity of {capacity:g} {driver}, and customers used "
                f"{total:g}. Correct the capacity, or leave it out."
            )
        base = total if np.isnan(capacity) else capacity
        shared.append(Pool(name, driver, cost, base, used, share_cost(cost, used, base)))
    return shared
