"""Activity-based costing: what each customer did, and what each pool costs per unit of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from crmkit._checks import Problems, check_choice, number_array
from crmkit._frames import (
    read_customers,
    rows_of,
    sorted_codes,
    to_pandas,
    without,
)
from crmkit._frames.join import by_value
from crmkit._log import count_purchases, read_rows
from crmkit.errors import InputError
from crmkit.segmentation._math import decimal_sums, share_cost

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from crmkit._frames import Log
    from crmkit._typing import Bools, Floats, Ints


__all__ = ["Account", "Pool", "read_account"]

LOG_DRIVERS = ("orders", "lines", "units", "returns", "revenue")
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
    def unallocated(self) -> float:
        """Return the money of the pool that no customer caused."""
        used = float(self.units.sum())
        return self.cost if used == 0 else self.cost * (1 - used / self.capacity)


@dataclass(frozen=True, slots=True)
class Account:
    """Money and pools per customer; the arrays have shape (n,)."""

    customer_ids: pd.Index[Any]
    revenue: Floats
    direct_cost: Floats
    pools: list[Pool]
    as_of: int
    rows_after_as_of: int
    unmatched: dict[str, int]


def read_account(
    transactions: Any,
    *,
    cost_pools: Any,
    activity: Any,
    margin: float | None,
    zero_driver: ZeroDriver,
    as_of: Any,
) -> Account:
    """Return revenue, traced cost and shared cost of every customer of the log or of `activity`."""
    check_choice(zero_driver, "zero_driver", ZeroDriver)
    log, bought = read_rows(
        transactions, needs=("amount",), optional=("order_id", "quantity", "cost"), as_of=as_of
    )
    if margin is not None and log.has("cost"):
        raise InputError(
            "`margin` stands in for direct cost, and `transactions` has a column 'cost'. "
            "Leave one of the two out."
        )
    ids, places = pd.Index(log.customer_ids), None
    units: dict[str, Floats] = {}
    unmatched: dict[str, int] = {}
    if activity is not None:
        table = read_customers(activity, name="activity")
        ids, places = _all_customers(log, table, unmatched)
    seat = np.arange(log.n_customers) if places is None else places[: log.n_customers]

    def seated(values: NDArray[Any]) -> Floats:
        """Spread one value per customer of the log over all customers."""
        out = np.zeros(len(ids))
        out[seat] = values
        return out

    pools = _read_pools(cost_pools)
    problems = Problems("cost_pools")
    for driver in pools["driver"].unique() if pools is not None else ():
        if activity is not None and driver in table.columns:
            found = Problems("activity")
            values = number_array(table[driver], found, driver, low=0)
            found.raise_if_any()
            units[driver] = np.zeros(len(ids))
            units[driver][places[log.n_customers :]] = values  # type: ignore[index]
        elif driver in LOG_DRIVERS:
            units[driver] = seated(_log_driver(log, bought, driver))
        else:
            there = [] if activity is None else [c for c in table.columns if c != "customer_id"]
            problems.add(
                f"there is no driver {driver!r}. The log gives {list(LOG_DRIVERS)}, `activity` "
                f"gives {there}."
            )
    revenue = decimal_sums(log.customer, log.amount, log.n_customers)
    if log.has("cost"):
        direct = decimal_sums(log.customer, log.cost, log.n_customers)
    else:
        direct = revenue * (0.0 if margin is None else 1 - margin)
    shared = [] if pools is None else _share(pools, units, problems, zero_driver)
    problems.raise_if_any()
    after = log.rows_after_as_of
    return Account(ids, seated(revenue), seated(direct), shared, log.as_of, after, unmatched)


def _all_customers(
    log: Log, table: pd.DataFrame, unmatched: dict[str, int]
) -> tuple[pd.Index[Any], Ints]:
    """Return all ids, sorted, and the place of those of the log and then of the table."""
    ids, others = pd.Series(log.customer_ids), pd.Series(by_value(table["customer_id"]))
    row = rows_of(others, ids, name="activity", other="transactions", account=unmatched)
    unmatched["transactions_unmatched"] = without(row, log.n_customers)
    places, distinct = sorted_codes(pd.concat([ids, others], ignore_index=True))
    return distinct, places


def _log_driver(log: Log, bought: Bools | None, driver: str) -> NDArray[Any]:
    """Return one of the drivers that follow from the log, per customer of the log."""
    if driver == "revenue":
        return decimal_sums(log.customer, log.amount, log.n_customers)
    if driver == "orders":
        return count_purchases(log, "orders", bought)
    if bought is None:
        bought = np.ones(log.day.size, dtype=bool)
    if driver == "units" and log.has("quantity"):
        weights = np.where(bought, log.quantity, 0.0)
        return np.bincount(log.customer, weights=weights, minlength=log.n_customers)
    rows = ~bought if driver == "returns" else bought
    return np.bincount(log.customer[rows], minlength=log.n_customers)


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
    out["cost"] = number_array(frame["cost"], problems, "cost", low=0)
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
                f"driver {driver!r} of pool {name!r} is negative for {int((used < 0).sum()):,} "
                "customers, so it cannot share a cost. Choose another driver."
            )
        elif np.isnan(capacity) and total == 0 and zero_driver == "raise":
            problems.add(
                f"nobody has any {driver!r}, the driver of pool {name!r}. Choose another driver, "
                "or keep the pool apart with zero_driver='unallocated'."
            )
        elif capacity < total * (1 - 1e-12):
            problems.add(
                f"pool {name!r} has a capacity of {capacity:g} {driver}, and customers used "
                f"{total:g}. Correct the capacity, or leave it out."
            )
        base = total if np.isnan(capacity) else capacity
        shared.append(Pool(name, driver, cost, base, used, share_cost(cost, used, base)))
    return shared
