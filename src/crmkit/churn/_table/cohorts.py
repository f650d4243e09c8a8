"""Retention and money of the customers who came together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._arrays import wilson_interval
from crmkit._checks import check_number, check_optional
from crmkit._frames import (
    ROWWISE,
    customer_groups,
    day_column,
    note_by,
    parse_day,
    read_by,
    read_period,
)
from crmkit._log import first_and_last
from crmkit._periods import day_text, period_of, period_start
from crmkit.churn._math.cohorts import active_runs, cohort_activity
from crmkit.churn._table.presence import Presence, read_presence, run_length
from crmkit.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from crmkit._periods import Period
    from crmkit._typing import Ints
    from crmkit.churn._table.presence import Activity


__all__ = ["cohort_customers", "cohort_table"]

_COLUMNS = (
    "cohort",
    "age",
    "customers",
    "active",
    "retention_rate",
    "conf_low",
    "conf_high",
    "amount",
)
_MOST_CELLS = 20_000_000


def cohort_table(
    transactions: Any,
    *,
    period: Period = "month",
    as_of: Any = None,
    activity: Activity = "exact",
    window_periods: int = 3,
    by: str | Iterable[str] | None = None,
    customers: Any = None,
    max_age: int | None = None,
    confidence_level: float = 0.95,
) -> pd.DataFrame:
    """Follow the customers who first bought in the same period: how many come back, and money.

    Parameters
    ----------
    transactions : DataFrame
        Transactions with columns ``customer_id`` and ``date``, and ``amount`` for the money;
        a refund is money, but no activity.
    period : {"day", "week", "month", "quarter", "year"} or list of dates, default "month"
        Calendar period of cohorts and ages, or first days, as in :func:`retention_table`.
    as_of : date-like, optional
        Last day observed, inclusive. The default is the last date in the log. Cells whose
        period has not ended by then are not observable.
    activity : {"exact", "unbounded", "rolling"}, default "exact"
        Who counts as active at an age: customers active in that very period; in that period or
        any later one; or in the `window_periods` periods that end with it.
    window_periods : int, default 3
        Length of the window of ``activity="rolling"``.
    by : str or list of str, optional
        Columns that make the groups; customers without a value are a group of their own. Of
        `customers` if given, else of `transactions`, where they must be constant per
        customer.
    customers : DataFrame, optional
        One row per customer, with ``customer_id`` and the columns of `by`.
    max_age : int, optional
        Last age in the table. The default is as far as the log reaches.
    confidence_level : float, default 0.95
        Level of the interval for the retention rate.

    Returns
    -------
    pandas.DataFrame
        One row per cohort and age, after the columns of `by`:

        * ``<by>`` - the columns of `by`, if given.
        * ``cohort`` (datetime) - first day of the period of the first purchase.
        * ``age`` (int) - periods since then; 0 is the first period itself.
        * ``customers`` (int) - customers in the cohort.
        * ``active`` (float) - customers active at that age; NaN where not observable.
        * ``retention_rate`` (float) - active / customers; NaN where not observable.
        * ``conf_low`` (float) - lower limit of the retention rate (Wilson).
        * ``conf_high`` (float) - upper limit of the retention rate.
        * ``amount`` (float) - what the cohort spent in that very period, less what it was given
          back in it, whatever the `activity`; NaN where not observable. Only where
          `transactions` has amounts.

    Raises
    ------
    MissingColumnsError
        If a needed column is absent.
    InputError
        If a value cannot be used, `customers` lacks a customer, or the table would be too large.

    See Also
    --------
    retention_curve : All cohorts pooled, by age.
    cohort_customers : Who is in one cell.

    Notes
    -----
    A cell is observable when its period has ended by `as_of`. It is NaN, never 0, otherwise: an
    average over cells filled with 0 understates retention the more, the higher the age. Unbounded
    retention knows returns up to `as_of` only, so its last observable cells equal the exact ones
    and compare badly with cells that had longer to come true.

    Examples
    --------
    >>> import pandas as pd
    >>> transactions = pd.DataFrame(
    ...     {
    ...         "customer_id": [1, 2, 1, 3, 2],
    ...         "date": pd.to_datetime(
    ...             ["2025-01-03", "2025-01-20", "2025-02-11", "2025-02-12", "2025-03-31"]
    ...         ),
    ...     }
    ... )
    >>> cohort_table(transactions)[["cohort", "age", "customers", "active", "retention_rate"]]
          cohort  age  customers  active  retention_rate
    0 2025-01-01    0          2     2.0             1.0
    1 2025-01-01    1          2     1.0             0.5
    2 2025-01-01    2          2     1.0             0.5
    3 2025-02-01    0          1     1.0             1.0
    4 2025-02-01    1          1     0.0             0.0
    5 2025-02-01    2          1     NaN             NaN
    """
    window = run_length(activity, window_periods)
    confidence_level = check_number(confidence_level, "confidence_level")
    max_age = check_optional(max_age, "max_age")
    columns = read_by(by, reserved=_COLUMNS, rowwise=ROWWISE)
    calendar = read_period(period)
    own = columns if customers is None else []
    presence = read_presence(transactions, calendar, as_of, own)
    log = presence.log
    group, groups = customer_groups(
        log.purchases if columns else log.rows, columns, customers, log.account
    )
    bought, cohort = presence.active, presence.cohort

    n_ages = max(presence.n_complete, 1)
    if max_age is not None:
        n_ages = min(n_ages, max_age + 1)
    n_cohorts = int(cohort.max()) + 1
    unit, place = np.unique(group * n_cohorts + cohort, return_inverse=True)
    unit_group, unit_cohort = np.divmod(unit, n_cohorts)
    shape = (unit.size, n_ages)
    if unit.size * n_ages > _MOST_CELLS:
        raise InputError(
            f"The table would have {unit.size:,} cohorts by {n_ages:,} ages. Choose a longer "
            "`period` or a `max_age`."
        )

    age = np.arange(n_ages)
    seen = (unit_cohort[:, None] + age < presence.n_complete).ravel()
    row, start, stop = active_runs(
        bought.customer, bought.day - cohort[bought.customer], window=window
    )
    active = cohort_activity(place[bought.customer[row]], start, stop, shape=shape).ravel()
    size = np.repeat(np.bincount(place, minlength=unit.size), n_ages)
    low, high = wilson_interval(active, size, confidence_level)
    came = period_start(unit_cohort + presence.first_number, calendar)
    table = {
        "cohort": np.repeat(day_column(came), n_ages),
        "age": np.tile(age, unit.size),
        "customers": size,
        "active": np.where(seen, active, np.nan),
        "retention_rate": np.where(seen, active / size, np.nan),
        "conf_low": np.where(seen, low, np.nan),
        "conf_high": np.where(seen, high, np.nan),
    }
    if presence.log.rows.has("amount"):
        table["amount"] = np.where(seen, _amounts(presence, place, shape), np.nan)
    front = groups.iloc[np.repeat(unit_group, n_ages)].reset_index(drop=True)
    whole = note_by(pd.concat([front, pd.DataFrame(table)], axis=1), columns)
    return presence.log.noted(whole)


def cohort_customers(
    transactions: Any,
    *,
    cohort: Any,
    age: int,
    period: Period = "month",
    as_of: Any = None,
    activity: Activity = "exact",
    window_periods: int = 3,
) -> pd.DataFrame:
    """List the customers behind one cell of a cohort table: who is still there and who is not.

    Parameters
    ----------
    transactions : DataFrame
        Transactions with columns ``customer_id`` and ``date``, and ``amount`` for the money;
        a refund is money, but no activity.
    cohort : date-like
        Any day in the period of the first purchase.
    age : int
        Periods since then.
    period, as_of, activity, window_periods
        As in :func:`cohort_table`.

    Returns
    -------
    pandas.DataFrame
        One row per customer of the cohort, sorted by ``customer_id``:

        * ``customer_id`` - as given.
        * ``active`` (bool) - whether the customer counts as active at that age.
        * ``first_date`` (datetime) - day of the first purchase.
        * ``last_date`` (datetime) - day of the last purchase by `as_of`.
        * ``amount`` (float) - what the customer spent by `as_of`. Only where `transactions` has
          amounts.

    Raises
    ------
    MissingColumnsError
        If a needed column is absent.
    InputError
        If a value cannot be used, no customer came in that period, or the cell is not observable.

    Examples
    --------
    >>> import pandas as pd
    >>> transactions = pd.DataFrame(
    ...     {
    ...         "customer_id": [1, 2, 1, 3],
    ...         "date": pd.to_datetime(["2025-01-03", "2025-01-20", "2025-02-11", "2025-02-28"]),
    ...     }
    ... )
    >>> cohort_customers(transactions, cohort="2025-01-01", age=1)
       customer_id  active first_date  last_date
    0            1    True 2025-01-03 2025-02-11
    1            2   False 2025-01-20 2025-01-20
    """
    window = run_length(activity, window_periods)
    age = check_number(age, "age")
    day = parse_day(cohort, "cohort")
    calendar = read_period(period)
    presence = read_presence(transactions, calendar, as_of, [])
    wanted = int(period_of(np.array([day]), calendar)[0]) - presence.first_number
    bought, cohort, log = presence.active, presence.cohort, presence.log.rows
    member = cohort == wanted
    if not member.any():
        raise InputError(f"`cohort`: no customer came in the {calendar} of {day_text(day)}.")
    if wanted + age >= presence.n_complete:
        raise InputError(
            f"`age`: the cohort of {day_text(day)} cannot be observed at {age} "
            f"{calendar}s, which end after `as_of` ({day_text(log.as_of)})."
        )
    row, start, stop = active_runs(
        bought.customer, bought.day - cohort[bought.customer], window=window
    )
    active = np.zeros(member.size, dtype=bool)
    active[bought.customer[row[(start <= age) & (age < stop)]]] = True

    first, last = first_and_last(log, presence.log.bought)
    table = {
        "customer_id": log.customer_ids[member],
        "active": active[member],
        "first_date": day_column(first[member]),
        "last_date": day_column(last[member]),
    }
    if log.has("amount"):
        table["amount"] = np.bincount(log.customer, weights=log.amount)[member]
    return presence.log.noted(pd.DataFrame(table))


def _amounts(presence: Presence, place: Ints, shape: tuple[int, int]) -> Any:
    """Return what each cohort spent at each age, cell by cell."""
    log = presence.log.rows
    width = int(presence.row_period.max()) + 1
    # A cell's number is its row's beginning plus its age; all but the period is per customer.
    begin = place * width - presence.cohort
    cell = begin[log.customer]
    cell += presence.row_period
    amount = log.amount
    if presence.log.bought is not None:
        # A refund before the first period is of a purchase outside the log.
        since = presence.row_period >= presence.cohort[log.customer]
        cell, amount = cell[since], amount[since]
    total = np.bincount(cell, weights=amount, minlength=shape[0] * width)
    amounts = np.zeros(shape)
    known = min(shape[1], width)
    amounts[:, :known] = total.reshape(shape[0], width)[:, :known]
    return amounts.ravel()
