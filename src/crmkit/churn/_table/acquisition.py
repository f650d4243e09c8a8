"""New customers over the same number of days since their first purchase."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._checks import Problems, check_number, check_optional
from crmkit._frames import day_column, parse_day, read_customers, rows_of, without
from crmkit._log import first_and_last, read_log
from crmkit.errors import InputError

if TYPE_CHECKING:
    from crmkit._frames import Log
    from crmkit._typing import Bools, Floats, Ints


__all__ = ["Acquired", "acquired_customers", "acquisition_table"]

_MADE = ("first_date", "first_product", "first_month", "first_season")


@dataclass(frozen=True, slots=True)
class Acquired:
    """New customers, observed for the whole window or not, and their money by age.

    ``table`` has one row per customer acquired, sorted by id, with ``observed`` (bool) beside the
    columns of ``acquisition_table``. ``row``, ``age`` (days since the first purchase) and
    ``money`` hold the log's rows within the window, shapes (m,); ``money`` is None without
    amounts.
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
    acquired = acquired_customers(
        transactions,
        customers,
        as_of=as_of,
        window_days=window_days,
        retained_days=retained_days,
        acquired_from=acquired_from,
        margin=margin,
        valuable_share=valuable_share,
    )
    table = acquired.table[acquired.table["observed"].to_numpy()].drop(columns="observed")
    return table.reset_index(drop=True)


def acquired_customers(
    transactions: Any,
    customers: Any,
    *,
    as_of: Any,
    window_days: int,
    retained_days: int | None,
    acquired_from: Any,
    margin: float,
    valuable_share: float,
) -> Acquired:
    """Return every customer acquired, observed in full or not; see ``acquisition_table``."""
    window = check_number(window_days, "window_days")
    if window < 2:
        raise InputError("`window_days` must be at least 2, so that a part of it can be the last.")
    half = check_optional(retained_days, "retained_days", high=window - 1) or window // 2
    margin = check_number(margin, "margin")
    valuable_share = check_number(valuable_share, "valuable_share")
    found_in = read_log(transactions, optional=("product",), as_of=as_of)
    log, n = found_in.rows, found_in.rows.n_customers
    bought = np.ones(len(log.day), dtype=bool) if found_in.bought is None else found_in.bought
    first, _ = first_and_last(log, found_in.bought)
    came = np.ones(n, dtype=bool)
    if acquired_from is not None:
        came = first >= parse_day(acquired_from, "acquired_from")
    observed = came & (first + window - 1 <= log.as_of)
    if not observed.any():
        raise InputError(
            f"`transactions` has no customer whose {window} days since the first purchase are over "
            "by `as_of`. Choose a shorter `window_days`"
            + ("." if acquired_from is None else " or an earlier `acquired_from`.")
        )
    found = np.flatnonzero(came)
    place = np.full(n, -1)
    place[found] = np.arange(found.size)
    row, age = place[log.customer], log.day - first[log.customer]
    inside = (row >= 0) & (age >= 0) & (age < window)
    late = inside & bought & (age >= window - half)
    retained = np.bincount(row[late], minlength=found.size) > 0
    columns = _first_columns(log, first, found, bought)
    if customers is not None:
        columns |= _profile_columns(customers, log, found, found_in.account)
    columns["retained"] = retained.astype(np.int64)
    money = None
    if log.has("amount"):
        money = margin * log.amount[inside]
        value = np.bincount(row[inside], weights=money, minlength=found.size)
        # The edge is a value somebody has, so the best share is never empty.
        edge = np.quantile(value[observed[found]], 1 - valuable_share, method="higher")
        columns |= {"value": value, "valuable": (value >= edge).astype(np.int64)}
    table = pd.DataFrame({"observed": observed[found], **columns})
    table.insert(0, "customer_id", log.customer_ids.take(found))
    return Acquired(found_in.noted(table), row[inside], age[inside], money)


def _first_columns(log: Log, first: Ints, found: Ints, bought: Bools) -> dict[str, Any]:
    """Return what the first purchase day itself tells."""
    date = pd.Series(day_column(first[found]))
    columns: dict[str, Any] = {
        "first_date": date,
        "first_month": date.dt.strftime("%Y-%m"),
        "first_season": "Q" + date.dt.quarter.astype(str),
    }
    if log.has("product"):
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
        names = pd.Series(log.product_ids)
        columns["first_product"] = names.reindex(best[found]).reset_index(drop=True)
    return columns


def _profile_columns(
    customers: Any, log: Log, found: Ints, account: dict[str, Any]
) -> dict[str, Any]:
    """Return the columns of a customer table for the customers found."""
    frame = read_customers(customers)
    problems = Problems("customers")
    clash = [c for c in frame.columns if c in {*_MADE, "retained", "value", "valuable", "observed"}]
    if clash:
        problems.add(f"column(s) {clash} are names that acquisition_table makes. Rename them.")
    problems.raise_if_any()
    row = rows_of(
        log.customer_ids,
        frame["customer_id"],
        name="transactions",
        other="customers",
        account=account,
    )
    account["customers_unmatched"] = without(row, len(frame))
    labelled = frame.reindex(row[found]).reset_index(drop=True)
    return {name: labelled[name] for name in labelled.columns if name != "customer_id"}
