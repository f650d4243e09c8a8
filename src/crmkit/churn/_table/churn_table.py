"""Features up to a day and the outcome after it, for one snapshot or many."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from crmkit._arguments import optional_columns
from crmkit._checks import Problems, check_choice, check_number, check_optional, number_array
from crmkit._frames import ACCOUNT, day_column, parse_day
from crmkit._log import check_covered, first_days, order_days, read_log
from crmkit.churn._math.features import snapshot
from crmkit.churn._table.outcomes import Buyers, read_subscribers
from crmkit.churn._table.profile import known_columns, read_profile
from crmkit.errors import EmptyLogError, InputError

if TYPE_CHECKING:
    from crmkit._frames import Log
    from crmkit._log import PurchaseLog
    from crmkit._typing import Floats, Ints
    from crmkit.churn._table.contracts import Ends


__all__ = ["churn_table"]

Outcome = Literal["churned", "stayed"]


def churn_table(
    transactions: Any,
    *,
    customers: Any = None,
    as_of: Any = None,
    horizon_days: int | None = None,
    outcome: Outcome = "churned",
    lead_days: int = 0,
    recent_days: int = 56,
    active_days: int | None = None,
    discount: str | None = None,
    observed_until: Any = None,
    contracts: Any = None,
    ends: Ends | None = None,
    grace_days: int = 0,
) -> pd.DataFrame:
    """Describe each customer up to a day, and say whether that customer bought or stayed after it.

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
    outcome : {"churned", "stayed"}, default "churned"
        Column with the outcome, as leaving or as its opposite, for what counts a success as 1:
        :class:`WinBackModel`, ``campaign_result`` of the response room.
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
    contracts : DataFrame, optional
        Contracts, as in :func:`retention_table`. Rows are then the customers with a contract on
        `as_of`, as known on that day, with or without a row in the log, which may be of any
        events; and who has no contract on the last outcome day has churned.
    ends, grace_days
        As in :func:`retention_table`, for `contracts`.

    Returns
    -------
    pandas.DataFrame
        One row per customer and `as_of`, sorted by both:

        * ``customer_id`` - as given.
        * ``as_of`` (datetime) - last day the features know.
        * ``recency_days`` (int) - days since the last purchase; with `contracts` missing for who
          has none.
        * ``tenure_days`` (int) - days since the first purchase, missing likewise.
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
        * ``contract_days`` (int) - days since the first contract began; only with `contracts`.
        * ``monthly_revenue`` (float) - what the contracts of the day come to; only with
          `contracts` that have money.
        * the columns of `customers`, missing for those it does not list.
        * ``churned`` (int) - 1 if nothing was bought in the outcome days (of `contracts`: if none
          is left on the last of them), else 0; only with `horizon_days`.
        * ``stayed`` (int) - 1 - churned, in its place; only with ``outcome="stayed"``.

        ``attrs["account"]`` counts customers of one table that the other lacks, and those left out
        because their contracts ended between `as_of` and the outcome.

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
    check_choice(outcome, "outcome", Outcome)
    days = None if as_of is None else snapshot_days(as_of)
    grace = check_number(grace_days, "grace_days")
    if contracts is None and (ends is not None or grace):
        raise InputError("`ends` and `grace_days` are for `contracts`, which is not given.")
    purchases = _read(transactions, days, lead_days + (horizon_days or 0) + grace, discount)
    subscribers = None
    if contracts is not None:
        purchases, subscribers = read_subscribers(
            contracts, purchases, ends=ends, grace_days=grace_days
        )
    log, bought = purchases.rows, purchases.bought
    days = [log.as_of] if days is None else days
    after = None if horizon_days is None else (lead_days, lead_days + horizon_days)
    if after is not None:
        check_covered(
            # Two tables of one export reach as far as the later of them.
            log.day if subscribers is None else np.append(log.day, subscribers.start),
            days[-1],
            days[-1] + after[1] + grace,
            goes_on=bool(log.rows_after_as_of),
            observed_until=observed_until,
            tables="`transactions`" if subscribers is None else "`transactions` with `contracts`",
            less=lambda _: "leave out `horizon_days` to score",
        )
    profile = None if customers is None else read_profile(customers, log, purchases.account)

    amount = log.amount if log.has("amount") else None
    granted = None if discount is None else _granted(log, discount)
    orders = order_days(log.customer, log.day, log.order, amount, bought, discount=granted)
    pairs = None
    if log.has("product"):
        rows = slice(None) if bought is None else bought
        pairs = first_days(log.customer[rows], log.product[rows], log.day[rows])
    members = Buyers(orders, log.n_customers) if subscribers is None else subscribers
    parts, gone_early = [], 0
    for day in days:
        features = snapshot(orders, pairs, log.n_customers, day, recent_days)
        keep, features = members.present(day, features)
        if active_days is not None:
            keep &= (features["orders"] > 0) & (features["recency_days"] < active_days)
        if after is not None:
            known, churned = members.left(day + after[0], day + after[1])
            gone_early += int((keep & ~known).sum())
            keep &= known
        found = np.flatnonzero(keep)
        columns: dict[str, Any] = {name: values[found] for name, values in features.items()}
        if profile is not None:
            columns |= known_columns(profile, log.n_customers, day, found, columns)
        if after is not None:
            left = churned[found].astype(np.int64)
            columns[outcome] = left if outcome == "churned" else 1 - left
        parts.append((found, np.full(found.size, day), columns))
    if subscribers is not None and after is not None:
        purchases.account["left_during_lead"] = gone_early
    return purchases.noted(_stack(log, parts, purchases.account))


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


def _stack(
    log: Log, parts: list[tuple[Ints, Ints, dict[str, Any]]], account: dict[str, float]
) -> pd.DataFrame:
    """Put the snapshots under one another, sorted by customer and day."""
    code = np.concatenate([found for found, _, _ in parts])
    day = np.concatenate([days for _, days, _ in parts])
    if not code.size:
        raise EmptyLogError(
            "`transactions` has no customer to describe: nobody bought (within `active_days`, if "
            "given), or has a contract, on or before `as_of`. Choose a later `as_of`.",
            {ACCOUNT: account},
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
