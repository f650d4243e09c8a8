"""Retention and money of the customers who came together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._arrays import wilson_interval
from crmkit._checks import check_number
from crmkit._frames import (
    ACCOUNT,
    day_column,
    group_codes,
    note_by,
    read_by,
    read_period,
    with_account,
)
from crmkit._money import one_scale
from crmkit._periods import period_start
from crmkit._two_steps import in_one, in_two_steps
from crmkit.churn._table.cohort_cells import check_size, cohort_cells

if TYPE_CHECKING:
    from collections.abc import Iterable

    from crmkit._periods import Period
    from crmkit._typing import Ints
    from crmkit.churn._table.contracts import Ends
    from crmkit.churn._table.presence import Activity, Ages


__all__ = ["cohort_table"]


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
    return in_one(cohort_table, locals())


def _rates(
    cells: pd.DataFrame, *, period: Period, by: Any, confidence_level: float
) -> pd.DataFrame:
    """Return the rates of cells, those of the same group, cohort and age added up."""
    confidence_level = check_number(confidence_level, "confidence_level")
    columns = read_by(by)
    row, units = group_codes(cells, [*columns, "cohort"])
    age = cells["age"].to_numpy()
    width = int(age.max()) + 1

    def total(values: Any) -> Any:
        found = np.zeros((len(units), width), dtype=values.dtype)
        np.add.at(found, (row, age), values)
        return found

    # Whoever has no cell of an age is in the first, and the age is not over for them.
    size = total(cells["customers"].to_numpy())[:, :1]
    seen = total(cells[".ended"].to_numpy()) == size
    n_ages = max(int(seen.sum(axis=1).max()), 1)
    check_size((len(units), n_ages))
    seen, size = seen[:, :n_ages].ravel(), np.repeat(size, n_ages)
    sums = {
        name: total(cells[name].to_numpy())[:, :n_ages].ravel()
        for name in ("active", "amount")
        if name in cells
    }
    active = sums["active"]
    low, high = wilson_interval(active, size, confidence_level)
    came = period_start(units.pop("cohort").to_numpy(), read_period(period))
    table = {
        "cohort": np.repeat(day_column(came), n_ages),
        "age": np.tile(np.arange(n_ages), len(units)),
        "customers": size,
        "active": np.where(seen, active, np.nan),
        "retention_rate": np.where(seen, active / size, np.nan),
        "conf_low": np.where(seen, low, np.nan),
        "conf_high": np.where(seen, high, np.nan),
    }
    if "amount" in cells:
        table["amount"] = np.where(seen, sums["amount"], np.nan)
    if "revenue" in cells:
        first, scale = _units(cells, "first_revenue")
        opening = np.repeat(total(first)[:, 0], n_ages)
        kept, revenue = (
            total(_units(cells, name)[0])[:, :n_ages].ravel() for name in (".kept", "revenue")
        )
        known = seen & (opening > 0)
        nothing = np.full(opening.size, np.nan)
        table |= {
            "first_revenue": opening / scale,
            "revenue": np.where(seen, revenue / scale, np.nan),
            "gross_revenue_retention": np.divide(kept, opening, out=nothing.copy(), where=known),
            "net_revenue_retention": np.divide(revenue, opening, out=nothing, where=known),
        }
    front = units.iloc[np.repeat(np.arange(len(units)), n_ages)].reset_index(drop=True)
    result = note_by(pd.concat([front, pd.DataFrame(table)], axis=1), columns)
    return with_account(result, cells.attrs[ACCOUNT])


def _units(cells: pd.DataFrame, name: str) -> tuple[Ints, float]:
    """Return money of cells in whole units, and how many make one."""
    return one_scale(cells[name].to_numpy(), cells[".scale"].to_numpy())


in_two_steps(cohort_table, first=cohort_cells, rest=_rates)
