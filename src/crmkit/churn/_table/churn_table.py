"""Features up to a day and the outcome after it, for one snapshot or many."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._arguments import optional_columns
from crmkit._checks import Problems, check_number, check_optional, number_array
from crmkit._frames import (
    day_column,
    day_numbers,
    parse_day,
    read_customers,
    rows_of,
    without,
)
from crmkit._log import bought_between, first_days, order_days, read_log
from crmkit.churn._math.features import snapshot
from crmkit.churn._table.observed import check_observed
from crmkit.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from crmkit._frames import Log
    from crmkit._log import PurchaseLog
    from crmkit._typing import Floats, Ints


__all__ = ["churn_table"]


def churn_table(
    transactions: Any,
    *,
    customers: Any = None,
    as_of: Any = None,
    horizon_days: int | None = None,
    lead_days: int = 0,
    recent_days: int = 56,
    active_days: int | None = None,
    discount: str | None = None,
    observed_until: Any = None,
) -> pd.DataFrame:
    """Describe each customer up to a day, and say whether that customer bought after it.

    Features come from days up to and including `as_of`. The outcome comes from the
    `horizon_days` days that begin `lead_days` after it. No option lets the two overlap, and an
    outcome that the log does not cover to its last day is refused.

    Parameters
    ----------
    transactions : DataFrame
        The log: ``customer_id`` and ``date``; with ``amount``, ``order_id`` and ``product`` where
        there are such columns. Refunds count as money but not as a purchase.
    customers : DataFrame, optional
        Further columns per ``customer_id``. With a date column ``known_at`` a customer may have
        several rows, and each snapshot takes the last one known on its `as_of`. Without it the
        columns are taken to be known from the start.
    as_of : date-like or list of these, optional
        Last day observed, inclusive. Several days give several snapshots per customer. The
        default is the last date in the log, which leaves no days for an outcome.
    horizon_days : int, optional
        Days after `as_of` and lead over which a customer who buys nothing counts as churned.
        Without it the table holds features only, for scoring.
    lead_days : int, default 0
        Days between `as_of` and the outcome, for instance the time an action needs.
    recent_days : int, default 56
        Length of the recent window, which trends compare with the window of equal length before
        it. Whole weeks keep weekdays balanced.
    active_days : int, optional
        Only customers who bought in the last `active_days` days up to `as_of`. The default keeps
        everyone who ever bought.
    discount : str, optional
        Name of the column of `transactions` with the discount granted, as a positive number.
    observed_until : str or datetime-like, optional
        Last day the log covers, inclusive, where that is not the day of its last row: a complete
        log with a quiet last day, or one with a stray later date.

    Returns
    -------
    pandas.DataFrame
        One row per customer and `as_of`, sorted by both:

        * ``customer_id`` - as given.
        * ``as_of`` (datetime) - last day the features know.
        * ``recency_days`` (int) - days since the last purchase.
        * ``tenure_days`` (int) - days since the first purchase.
        * ``orders`` (int) - orders so far.
        * ``purchase_days`` (int) - distinct days with a purchase.
        * ``recent_orders`` (int) - orders begun in the last `recent_days` days.
        * ``previous_orders`` (int) - orders begun in the `recent_days` days before those.
        * ``order_trend`` (float) - difference of the two over their sum, from -1 to 1.
        * ``mean_gap_days`` (float) - mean days between purchase days; missing with one only.
        * ``gap_variation`` (float) - standard deviation of these gaps over their mean; missing
          with one purchase day only.
        * ``gap_ratio`` (float) - recency over the mean gap; missing with one purchase day only.
        * ``total_amount`` (float) - net spend so far. This and the four that follow only where
          the log has ``amount``.
        * ``mean_order_amount`` (float) - net spend per order.
        * ``recent_amount`` (float) - net spend in the recent window.
        * ``amount_trend`` (float) - as ``order_trend``, of net spend.
        * ``refund_share`` (float) - refunds over gross spend, 0 to 1.
        * ``discount_share`` (float) - discount over the price before it, 0 to 1; only with
          `discount`.
        * ``products`` (int) - distinct products bought; only where the log has ``product``.
        * ``new_products`` (int) - products bought for the first time in the recent window; only
          where the log has ``product``.
        * the columns of `customers`, missing for those it does not list.
        * ``churned`` (int) - 1 if nothing was bought in the outcome days, else 0; only with
          `horizon_days`.

        ``attrs["account"]`` counts customers of one table that the other lacks.

    Raises
    ------
    MissingColumnsError
        If a needed column is absent.
    InputError
        If the log ends before the outcome does, which it also seems to do where a long stretch
        without any row is followed by stray ones, or nobody had bought by `as_of`.

    See Also
    --------
    ChurnModel : Learns the chance to churn from this table.
    backtest_table : Judges it on several days.

    Examples
    --------
    >>> import pandas as pd
    >>> transactions = pd.DataFrame(
    ...     {
    ...         "customer_id": ["ann", "ann", "bob", "ann", "bob"],
    ...         "date": pd.to_datetime(
    ...             ["2024-01-01", "2024-01-11", "2024-01-21", "2024-02-20", "2024-05-01"]
    ...         ),
    ...     }
    ... )
    >>> table = churn_table(transactions, as_of="2024-01-31", horizon_days=90)
    >>> table[["customer_id", "recency_days", "orders", "gap_ratio", "churned"]]
      customer_id  recency_days  orders  gap_ratio  churned
    0         ann            20       2        2.0        0
    1         bob            10       1        NaN        1
    """
    lead_days = check_number(lead_days, "lead_days")
    recent_days = check_number(recent_days, "recent_days")
    active_days = check_optional(active_days, "active_days")
    horizon_days = check_optional(horizon_days, "horizon_days")
    days = None if as_of is None else snapshot_days(as_of)
    purchases = _read(transactions, days, lead_days + (horizon_days or 0), discount)
    log, bought = purchases.rows, purchases.bought
    days = [log.as_of] if days is None else days
    after = None if horizon_days is None else (lead_days, lead_days + horizon_days)
    if after is not None:
        check_observed(log, days, after[1], observed_until)
    profile = None if customers is None else _read_profile(customers, log, purchases.account)

    amount = log.amount if log.has("amount") else None
    granted = None if discount is None else _granted(log, discount)
    orders = order_days(log.customer, log.day, log.order, amount, bought, discount=granted)
    pairs = None
    if log.has("product"):
        rows = slice(None) if bought is None else bought
        pairs = first_days(log.customer[rows], log.product[rows], log.day[rows])
    parts = []
    for day in days:
        features = snapshot(orders, pairs, log.n_customers, day, recent_days)
        keep = features["orders"] > 0
        if active_days is not None:
            keep &= features["recency_days"] < active_days
        found = np.flatnonzero(keep)
        columns: dict[str, Any] = {name: values[found] for name, values in features.items()}
        if profile is not None:
            columns |= _known_columns(profile, log.n_customers, day, found, columns)
        if after is not None:
            stayed = bought_between(orders, log.n_customers, day + after[0], day + after[1])
            columns["churned"] = (~stayed[found]).astype(np.int64)
        parts.append((found, np.full(found.size, day), columns))
    return purchases.noted(_stack(log, parts))


def snapshot_days(as_of: Any) -> list[int]:
    """Return one or several dates as distinct sorted days."""
    several = isinstance(as_of, (list, tuple, set, np.ndarray, pd.Index, pd.Series))
    days = sorted({parse_day(value, "as_of") for value in (as_of if several else [as_of])})
    if not days:
        raise InputError("`as_of` is an empty list. Give at least one date.")
    return days


def _read(
    transactions: Any, days: list[int] | None, ahead: int, discount: str | None
) -> PurchaseLog:
    """Read the log as far as features and outcome need it."""
    needs = optional_columns(discount=discount)
    until = None if days is None else np.datetime64(days[-1] + ahead, "D")
    log = read_log(transactions, needs=needs, optional=("order_id", "product"), as_of=until)
    if discount is not None and not log.rows.has("amount"):
        raise InputError("`discount` needs the column 'amount' in `transactions` beside it.")
    return log


def _granted(log: Log, discount: str) -> Floats:
    """Return the discount of each row."""
    problems = Problems("transactions")
    values = number_array(log.column(discount), problems, discount, low=0)
    problems.raise_if_any()
    return values


def _read_profile(
    customers: Any, log: Log, account: dict[str, Any]
) -> tuple[pd.DataFrame, Ints, Ints]:
    """Return further columns with the log's customer code and first known day of each row."""
    frame = read_customers(customers, unique=False)
    code = rows_of(
        frame["customer_id"],
        log.customer_ids,
        name="customers",
        other="transactions",
        account=account,
    )
    account["transactions_unmatched"] = without(code, log.n_customers)
    problems = Problems("customers")
    known = np.full(len(frame), np.iinfo(np.int64).min)
    if "known_at" in frame.columns:
        known = day_numbers(frame["known_at"], problems, "known_at")
    repeated = pd.DataFrame({"code": code, "known": known}).duplicated().to_numpy() & (code >= 0)
    problems.rows(
        repeated,
        "column 'customer_id' repeats an earlier row of the same date",
        do="Keep one row per customer, or give each its date in a column 'known_at'.",
    )
    problems.raise_if_any()
    order = np.lexsort((known, code))
    order = order[code[order] >= 0]
    columns = [name for name in frame.columns if name not in ("customer_id", "known_at")]
    return frame[columns].iloc[order], code[order], known[order]


def _known_columns(
    profile: tuple[pd.DataFrame, Ints, Ints],
    n_customers: int,
    day: int,
    found: Ints,
    taken: Iterable[str],
) -> dict[str, pd.Series[Any]]:
    """Return, for the customers found, what was known of them by a day."""
    frame, code, known = profile
    clash = [name for name in frame.columns if name in {*taken, "as_of", "churned"}]
    if clash:
        raise InputError(f"`customers` has column(s) {clash} that churn_table makes. Rename them.")
    rows = np.flatnonzero(known <= day)
    # Rows are sorted by customer and date: the last write is the latest known.
    latest = np.full(n_customers, -1, dtype=np.int64)
    latest[code[rows]] = rows
    at = latest[found]
    # Reindexing by a label that is not there leaves the value missing in the column's own way.
    labelled = frame.set_axis(pd.RangeIndex(len(frame)), axis=0).reindex(at)
    return {name: labelled[name] for name in labelled.columns}


def _stack(log: Log, parts: list[tuple[Ints, Ints, dict[str, Any]]]) -> pd.DataFrame:
    """Put the snapshots under one another, sorted by customer and day."""
    code = np.concatenate([found for found, _, _ in parts])
    day = np.concatenate([days for _, days, _ in parts])
    if not code.size:
        raise InputError(
            "`transactions` has no customer to describe: nobody bought (within `active_days`, if "
            "given) on or before `as_of`. Choose a later `as_of`."
        )
    names = list(parts[0][2])
    columns = {
        name: pd.concat([pd.Series(part[name]) for _, _, part in parts], ignore_index=True)
        for name in names
    }
    order = np.lexsort((day, code))
    frame = pd.DataFrame({"as_of": day_column(day), **columns}).iloc[order]
    frame.insert(0, "customer_id", log.customer_ids.take(code[order]))
    return frame.set_axis(pd.RangeIndex(len(frame)), axis=0)
