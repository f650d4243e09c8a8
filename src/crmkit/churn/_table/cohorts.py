"""Retention and money of the customers who came together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._arrays import wilson_interval
from crmkit._checks import check_number, check_optional
from crmkit._frames import ROWWISE, day_column, note_by, read_by, with_account
from crmkit._periods import period_start
from crmkit.churn._math.cohorts import active_runs, cohort_activity
from crmkit.churn._table.contracts import CONTRACT_COLUMNS
from crmkit.churn._table.presence import Paid, read_presence, run_length
from crmkit.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from crmkit._periods import Period
    from crmkit._typing import Bools, Floats, Ints
    from crmkit.churn._table.contracts import Ends
    from crmkit.churn._table.presence import Activity, Ages, Presence, Spent


__all__ = ["cohort_table"]

_COLUMNS = (
    "cohort",
    "age",
    "customers",
    "active",
    "retention_rate",
    "conf_low",
    "conf_high",
    "amount",
    "first_revenue",
    "revenue",
    "gross_revenue_retention",
    "net_revenue_retention",
)
_MOST_CELLS = 20_000_000


def cohort_table(
    transactions: Any,
    *,
    period: Period = "month",
    as_of: Any = None,
    activity: Activity = "exact",
    window_periods: int = 3,
    ages: Ages = "calendar",
    ends: Ends | None = None,
    grace_days: int = 0,
    by: str | Iterable[str] | None = None,
    customers: Any = None,
    max_age: int | None = None,
    confidence_level: float = 0.95,
) -> pd.DataFrame:
    """Follow the customers who came in the same period: how many come back or stay, and money.

    Parameters
    ----------
    transactions : DataFrame
        Transactions with columns ``customer_id`` and ``date``, and ``amount`` for the money;
        a refund is money, but no activity. Or contracts, as in :func:`retention_table`: a
        customer comes with the first that is no trial.
    period : {"day", "week", "month", "quarter", "year"} or list of dates, default "month"
        Calendar period of cohorts and ages, or first days, as in :func:`retention_table`.
    as_of : date-like, optional
        Last day observed, inclusive. The default is the last ``date``, of contracts the last
        ``start_date``. Cells whose period has not ended by then are not observable.
    activity : {"exact", "unbounded", "rolling"}, default "exact"
        Who counts as active at an age: customers active in that very period (contracts: at its
        end); in that period or any later one; or in the `window_periods` periods that end with it.
    window_periods : int, default 3
        Length of the window of ``activity="rolling"``.
    ages : {"calendar", "customer"}, default "calendar"
        Whether age 1 is the period after that of the first purchase, or begins when a whole
        period has passed since each customer's own first day: on the 15th for who came on a 15th.
    ends, grace_days
        As in :func:`retention_table`, for contracts.
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
        * ``age`` (int) - periods since then; 0 is the first period itself, or begins on the
          customer's first day.
        * ``customers`` (int) - customers in the cohort.
        * ``active`` (float) - customers active at that age; NaN where not observable.
        * ``retention_rate`` (float) - active / customers; NaN where not observable.
        * ``conf_low`` (float) - lower limit of the retention rate (Wilson).
        * ``conf_high`` (float) - upper limit of the retention rate.
        * ``amount`` (float) - what the cohort spent in that very period, less what it was given
          back in it, whatever the `activity`; NaN where not observable. Only where
          `transactions` has amounts.
        * ``first_revenue`` (float) - monthly revenue of the cohort, each customer on the first
          day. This and the next three only for contracts with money.
        * ``revenue`` (float) - their monthly revenue at the end of that age; only for contracts.
        * ``gross_revenue_retention`` (float) - of the first revenue, the share that each customer
          still pays, without what some pay more; only for contracts.
        * ``net_revenue_retention`` (float) - revenue / first revenue; only for contracts.

        ``attrs["account"]`` counts whom the table leaves out, such as customers only on trial.

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
    A cell is observable when its period has ended by `as_of` for everybody in it. It is NaN, never
    0, otherwise: an average over cells filled with 0 understates retention the more, the higher the
    age. Unbounded retention knows returns up to `as_of` only, so its last observable cells equal
    the exact ones and compare badly with cells that had longer to come true.

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
    columns = read_by(by, reserved=_COLUMNS, rowwise=(*ROWWISE, *CONTRACT_COLUMNS))
    presence = read_presence(
        transactions,
        period,
        as_of,
        columns if customers is None else [],
        ages=ages,
        ends=ends,
        grace_days=grace_days,
    )
    group, groups = presence.groups(columns, customers)
    cohort = presence.cohort
    n_cohorts = int(cohort.max()) + 1
    unit, place = np.unique(group * n_cohorts + cohort, return_inverse=True)
    unit_group, unit_cohort = np.divmod(unit, n_cohorts)
    # A cell is seen when its age is over for everybody in it.
    whole = np.full(unit.size, np.iinfo(np.int64).max)
    np.minimum.at(whole, place, presence.whole_ages)
    n_ages = max(int(whole.max()), 1)
    if max_age is not None:
        n_ages = min(n_ages, max_age + 1)
    shape = (unit.size, n_ages)
    if unit.size * n_ages > _MOST_CELLS:
        raise InputError(
            f"The table would have {unit.size:,} cohorts by {n_ages:,} ages. Choose a longer "
            "`period` or a `max_age`."
        )

    age = np.arange(n_ages)
    seen = (age < whole[:, None]).ravel()
    row, start, stop = active_runs(presence.customer, presence.age, window=window)
    active = cohort_activity(place[presence.customer[row]], start, stop, shape=shape).ravel()
    size = np.repeat(np.bincount(place, minlength=unit.size), n_ages)
    low, high = wilson_interval(active, size, confidence_level)
    came = period_start(unit_cohort + presence.first_number, presence.calendar)
    table = {
        "cohort": np.repeat(day_column(came), n_ages),
        "age": np.tile(age, unit.size),
        "customers": size,
        "active": np.where(seen, active, np.nan),
        "retention_rate": np.where(seen, active / size, np.nan),
        "conf_low": np.where(seen, low, np.nan),
        "conf_high": np.where(seen, high, np.nan),
    }
    if isinstance(presence.money, Paid):
        table |= _revenues(presence, presence.money, place, shape, seen)
    elif presence.money is not None:
        table["amount"] = np.where(seen, _amounts(presence.money, place, shape), np.nan)
    front = groups.iloc[np.repeat(unit_group, n_ages)].reset_index(drop=True)
    whole_table = note_by(pd.concat([front, pd.DataFrame(table)], axis=1), columns)
    return with_account(whole_table, presence.account)


def _revenues(
    presence: Presence, paid: Paid, place: Ints, shape: tuple[int, int], seen: Bools
) -> dict[str, Any]:
    """Return what each cohort pays at each age, of what it paid on its first days."""
    cell = place[presence.customer] * shape[1] + presence.age
    inside = presence.age < shape[1]
    opening = np.repeat(np.bincount(place, weights=paid.first, minlength=shape[0]), shape[1])
    least = np.minimum(paid.value, paid.first[presence.customer])

    def total(units: Ints) -> Floats:
        # Whole units: exact as long as a cohort's are fewer than 2**53.
        found = np.bincount(cell[inside], weights=units[inside], minlength=shape[0] * shape[1])
        return found.astype(np.float64, copy=False)

    def share(part: Floats) -> Floats:
        return np.divide(part, opening, out=np.full(part.size, np.nan), where=seen & (opening > 0))

    return {
        "first_revenue": opening / paid.scale,
        "revenue": np.where(seen, total(paid.value) / paid.scale, np.nan),
        "gross_revenue_retention": share(total(least)),
        "net_revenue_retention": share(total(paid.value)),
    }


def _amounts(spent: Spent, place: Ints, shape: tuple[int, int]) -> Floats:
    """Return what each cohort spent at each age, cell by cell."""
    width = int(spent.number.max()) + 1
    # A cell's number is its row's beginning plus its age; all but the period is per customer.
    begin = place * width - spent.offset
    cell = begin[spent.customer]
    cell += spent.number
    amount = spent.amount
    if spent.bought is not None:
        # A refund before the first age is of a purchase outside the log.
        since = spent.number >= spent.offset[spent.customer]
        cell, amount = cell[since], amount[since]
    total = np.bincount(cell, weights=amount, minlength=shape[0] * width)
    amounts = np.zeros(shape)
    known = min(shape[1], width)
    amounts[:, :known] = total.reshape(shape[0], width)[:, :known]
    return amounts.ravel()
