"""The customers behind one cell of a cohort table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._checks import check_number
from crmkit._frames import ACCOUNT, day_column, parse_day, with_account
from crmkit._periods import day_text, period_of
from crmkit.churn._math.cohorts import active_runs
from crmkit.churn._table.presence import Spent, read_presence, run_length
from crmkit.errors import EmptyLogError, InputError

if TYPE_CHECKING:
    from crmkit._periods import Period
    from crmkit.churn._table.contracts import Ends
    from crmkit.churn._table.presence import Activity, Ages


__all__ = ["cohort_customers"]


def cohort_customers(
    transactions: Any,
    *,
    cohort: Any,
    age: int,
    period: Period = "month",
    as_of: Any = None,
    activity: Activity = "exact",
    window_periods: int = 3,
    ages: Ages = "calendar",
    ends: Ends | None = None,
    grace_days: int = 0,
) -> pd.DataFrame:
    """List the customers behind one cell of a cohort table: who is still there and who is not.

    Parameters
    ----------
    transactions : DataFrame
        Transactions or contracts, as for :func:`cohort_table`.
    cohort : date-like
        Any day in the period of the first purchase.
    age : int
        Periods since then.
    period, as_of, activity, window_periods, ages, ends, grace_days
        As in :func:`cohort_table`.

    Returns
    -------
    pandas.DataFrame
        One row per customer of the cohort, sorted by ``customer_id``:

        * ``customer_id`` - as given.
        * ``active`` (bool) - whether the customer counts as active at that age.
        * ``first_date`` (datetime) - day of the first purchase, or of the first contract.
        * ``last_date`` (datetime) - day of the last purchase, or last day under contract, by
          `as_of`.
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
    presence = read_presence(
        transactions, period, as_of, [], ages=ages, ends=ends, grace_days=grace_days
    )
    calendar = presence.calendar
    wanted = int(period_of(np.array([day]), calendar)[0]) - presence.first_number
    member = presence.cohort == wanted
    if not member.any():
        raise EmptyLogError(
            f"`cohort`: no customer came in the {calendar} of {day_text(day)}.",
            {ACCOUNT: presence.account},
        )
    if age >= presence.whole_ages[member].min():
        raise InputError(
            f"`age`: the cohort of {day_text(day)} cannot be observed at {age} "
            f"{calendar}s, which end after `as_of` ({day_text(presence.as_of)})."
        )
    row, start, stop = active_runs(presence.customer, presence.age, window=window)
    active = np.zeros(member.size, dtype=bool)
    active[presence.customer[row[(start <= age) & (age < stop)]]] = True

    first, last = presence.first_and_last()
    table = {
        "customer_id": presence.customer_ids[member],
        "active": active[member],
        "first_date": day_column(first[member]),
        "last_date": day_column(last[member]),
    }
    if isinstance(presence.money, Spent):
        spent = np.bincount(presence.money.customer, weights=presence.money.amount)
        table["amount"] = spent[member]
    return with_account(pd.DataFrame(table), presence.account)
