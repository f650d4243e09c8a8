"""New customers over the same number of days since their first purchase."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._arrays import starts
from crmkit._checks import Problems, check_number, check_optional
from crmkit._frames import (
    ACCOUNT,
    day_column,
    parse_day,
    read_customers,
    rows_of,
    sorted_codes,
    with_account,
    without,
)
from crmkit._log import distinct_pairs, first_and_last, read_log
from crmkit._two_steps import in_one, in_two_steps
from crmkit.errors import InputError

if TYPE_CHECKING:
    from crmkit._frames import Log
    from crmkit._typing import Bools, Floats, Ints


__all__ = ["Acquired", "acquired_customers", "acquisition_table", "read_newcomers"]

_MADE = ("first_date", "first_product", "first_month", "first_season")


@dataclass(frozen=True, slots=True)
class Acquired:
    """New customers, observed for the whole window or not, and their money by age.

    ``table`` has one row per customer acquired, sorted by id, with ``observed`` (bool) beside the
    columns of ``acquisition_table``. ``row``, ``age`` (days since the first purchase) and
    ``money`` tell the money of each day within the window, shapes (m,), where it was asked for.
    """

    table: pd.DataFrame
    row: Ints
    age: Ints
    money: Floats | None


def acquisition_table(
    transactions: Any,
    *,
    customers: Any = None,
    as_of: Any = None,
    window_days: int = 180,
    retained_days: int | None = None,
    acquired_from: Any = None,
    margin: float = 1.0,
    valuable_share: float = 0.2,
) -> pd.DataFrame:
    """Describe new customers by how they came and by what became of them in equal time.

    Parameters
    ----------
    transactions : DataFrame
        The log: ``customer_id`` and ``date``; with ``amount`` and ``product`` where there are
        such columns.
    customers : DataFrame, optional
        One row per ``customer_id`` with what was known when the customer came: channel,
        campaign, region and the like.
    as_of : date-like, optional
        Last day observed, inclusive. The default is the last date in the log.
    window_days : int, default 180
        Days counted for every customer, the day of the first purchase being the first. Customers
        whose window is not over by `as_of` are left out.
    retained_days : int, optional
        A customer is retained who buys in the last `retained_days` days of the window. The
        default is half the window.
    acquired_from : str or datetime-like, optional
        Leave out customers who bought before this day, for a log that begins in the middle of
        its customers' lives. The default takes first rows for first purchases.
    margin : float, default 1.0
        Share of the amount that counts as value.
    valuable_share : float, default 0.2
        The best share of customers by value is called valuable; equals at the edge are too.

    Returns
    -------
    pandas.DataFrame
        One row per customer observed for the whole window, sorted by ``customer_id``:

        * ``customer_id`` - as given.
        * ``first_date`` (datetime) - day of the first purchase.
        * ``first_month`` (str) - its month, as ``2025-01``.
        * ``first_season`` (str) - its quarter of the year, as ``Q1``.
        * ``first_product`` - the product with the highest amount on that day (ties: the first by
          name); only where the log has ``product``.
        * the columns of `customers`, missing for those it does not list.
        * ``retained`` (int) - 1 if the customer bought in the last `retained_days`.
        * ``value`` (float) - `margin` x net amount in the window; only where the log has
          ``amount``.
        * ``valuable`` (int) - 1 for the best `valuable_share` by value; only where the log has
          ``amount``.

        ``attrs["account"]`` counts customers of one table that the other lacks.

    Raises
    ------
    MissingColumnsError
        If a needed column is absent.
    InputError
        If nobody's window is over by `as_of`.

    See Also
    --------
    acquisition_profile : Compares channels, regions, seasons and first products by it.
    ProspectModel : Learns from it which prospects resemble valuable customers.

    Examples
    --------
    >>> import pandas as pd
    >>> transactions = pd.DataFrame(
    ...     {
    ...         "customer_id": ["ann", "ann", "bob", "cem"],
    ...         "date": pd.to_datetime(["2025-01-01", "2025-01-28", "2025-01-05", "2025-02-20"]),
    ...         "amount": [10.0, 20.0, 5.0, 8.0],
    ...     }
    ... )
    >>> table = acquisition_table(transactions, window_days=30)
    >>> table[["customer_id", "first_season", "retained", "value"]]
      customer_id first_season  retained  value
    0         ann           Q1         1   30.0
    1         bob           Q1         0    5.0
    """
    return in_one(acquisition_table, locals())


def read_newcomers(
    transactions: Any,
    *,
    as_of: Any,
    window_days: int,
    retained_days: int | None,
    acquired_from: Any,
    margin: float,
    acquisition_cost: str | None = None,
) -> pd.DataFrame:
    """Return a row per customer with how it came and what became of it in the window.

    With an `acquisition_cost` a row for each day of the window with money follows, for payback.
    """
    window = check_number(window_days, "window_days")
    if window < 2:
        raise InputError("`window_days` must be at least 2, so that a part of it can be the last.")
    half = check_optional(retained_days, "retained_days", high=window - 1) or window // 2
    margin = check_number(margin, "margin")
    found_in = read_log(transactions, optional=("product",), as_of=as_of)
    log, n = found_in.rows, found_in.rows.n_customers
    bought = np.ones(len(log.day), dtype=bool) if found_in.bought is None else found_in.bought
    first, _ = first_and_last(log, found_in.bought)
    came = np.ones(n, dtype=bool)
    if acquired_from is not None:
        came = first >= parse_day(acquired_from, "acquired_from")
    age = log.day - first[log.customer]
    inside = (age >= 0) & (age < window)
    late = inside & bought & (age >= window - half)
    columns: dict[str, Any] = {
        "customer_id": log.customer_ids,
        "first_day": first,
        "came": came,
        "observed": came & (first + window - 1 <= log.as_of),
        "retained": (np.bincount(log.customer[late], minlength=n) > 0).astype(np.int64),
    }
    if log.has("product"):
        columns["first_product"] = _first_products(log, first, bought)
    if log.has("amount"):
        money = margin * log.amount[inside]
        columns["value"] = np.bincount(log.customer[inside], weights=money, minlength=n)
    table = pd.DataFrame(columns)
    if log.has("amount") and acquisition_cost is not None:
        who, day, money = distinct_pairs(
            log.customer[inside], age[inside], shape=(n, window), weights=money
        )
        order = np.argsort(np.r_[np.arange(n), who], kind="stable")
        table = table.take(np.r_[np.arange(n), who][order])
        table = table.assign(
            age=np.r_[np.full(n, -1), day][order], money=np.r_[np.zeros(n), money][order]
        ).reset_index(drop=True)
    return found_in.noted(table)


def _described(
    newcomers: pd.DataFrame,
    *,
    customers: Any,
    window_days: int,
    acquired_from: Any,
    valuable_share: float,
) -> pd.DataFrame:
    """Return the customers observed for the whole window."""
    table = acquired_customers(
        newcomers,
        customers=customers,
        window_days=window_days,
        acquired_from=acquired_from,
        valuable_share=valuable_share,
    ).table
    return table[table["observed"].to_numpy()].drop(columns="observed").reset_index(drop=True)


in_two_steps(acquisition_table, first=read_newcomers, rest=_described)


def acquired_customers(
    newcomers: pd.DataFrame,
    *,
    customers: Any,
    window_days: int,
    acquired_from: Any,
    valuable_share: float,
) -> Acquired:
    """Return every customer acquired, observed in full or not; see ``acquisition_table``."""
    valuable_share = check_number(valuable_share, "valuable_share")
    account = dict(newcomers.attrs[ACCOUNT])
    code, ids = sorted_codes(newcomers["customer_id"])
    everyone = newcomers[starts(code)]
    came, observed = everyone["came"].to_numpy(), everyone["observed"].to_numpy()
    if not observed.any():
        raise InputError(
            f"`transactions` has no customer whose {window_days} days since the first purchase are "
            "over by `as_of`. Choose a shorter `window_days`"
            + ("." if acquired_from is None else " or an earlier `acquired_from`.")
        )
    found = everyone[came].reset_index(drop=True)
    columns = _first_columns(found)
    if customers is not None:
        columns |= _profile_columns(customers, ids, np.flatnonzero(came), account)
    columns["retained"] = found["retained"]
    if "value" in found:
        value = found["value"].to_numpy()
        # The edge is a value somebody has, so the best share is never empty.
        edge = np.quantile(value[observed[came]], 1 - valuable_share, method="higher")
        columns |= {"value": value, "valuable": (value >= edge).astype(np.int64)}
    table = pd.DataFrame({"observed": observed[came], **columns})
    table.insert(0, "customer_id", ids[came])
    with_account(table, account)
    if "money" not in newcomers:
        return Acquired(table, code[:0], code[:0], None)
    dated = came[code] & (newcomers["age"].to_numpy() >= 0)
    row = (np.cumsum(came) - 1)[code[dated]]
    age, money = (newcomers[name].to_numpy()[dated] for name in ("age", "money"))
    return Acquired(table, row, age, money)


def _first_columns(found: pd.DataFrame) -> dict[str, Any]:
    """Return what the first purchase day itself tells."""
    date = pd.Series(day_column(found["first_day"].to_numpy()))
    columns: dict[str, Any] = {
        "first_date": date,
        "first_month": date.dt.strftime("%Y-%m"),
        "first_season": "Q" + date.dt.quarter.astype(str),
    }
    return columns | {name: found[name] for name in found.columns if name == "first_product"}


def _first_products(log: Log, first: Ints, bought: Bools) -> pd.Series[Any]:
    """Return the product with the most money on the first day of each customer."""
    rows = np.flatnonzero(bought & (log.day == first[log.customer]) & (log.product >= 0))
    who, what = log.customer[rows], log.product[rows]
    spent = log.amount[rows] if log.has("amount") else np.zeros(rows.size)
    pair, codes = np.unique(who * (len(log.product_ids) + 1) + what, return_inverse=True)
    total = np.bincount(codes, weights=spent, minlength=pair.size)
    who, what = np.divmod(pair, len(log.product_ids) + 1)
    # The last write of a customer wins: the highest total, among equals the first by name.
    order = np.lexsort((-what, total, who))
    best = np.full(log.n_customers, -1)
    best[who[order]] = what[order]
    return pd.Series(log.product_ids).reindex(best).reset_index(drop=True)


def _profile_columns(
    customers: Any, ids: pd.Index[Any], found: Ints, account: dict[str, Any]
) -> dict[str, Any]:
    """Return the columns of a customer table for the customers found."""
    frame = read_customers(customers)
    problems = Problems("customers")
    clash = [c for c in frame.columns if c in {*_MADE, "retained", "value", "valuable", "observed"}]
    if clash:
        problems.add(f"column(s) {clash} are names that acquisition_table makes. Rename them.")
    problems.raise_if_any()
    row = rows_of(
        ids,
        frame["customer_id"],
        name="transactions",
        other="customers",
        account=account,
    )
    account["customers_unmatched"] = without(row, len(frame))
    labelled = frame.reindex(row[found]).reset_index(drop=True)
    return {name: labelled[name] for name in labelled.columns if name != "customer_id"}
