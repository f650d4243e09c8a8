"""Cumulative value per cohort, and when the cost of winning it is earned back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._frames import ACCOUNT, group_codes, note_by, read_by, read_period, with_account
from crmkit._periods import period_of, period_start
from crmkit._two_steps import in_two_steps
from crmkit.clv._math.accounting import mean_cumulative
from crmkit.clv._table.costs import acquisition_costs
from crmkit.clv._table.groups import read_earnings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crmkit._periods import Period
    from crmkit._typing import KeepDropOrRaise

__all__ = ["cohort_value", "payback_table"]


def cohort_value(
    transactions: Any,
    *,
    period: Period = "month",
    as_of: Any = None,
    customers: Any = None,
    by: str | Sequence[str] | None = None,
    margin: float = 1.0,
    annual_discount_rate: float = 0.10,
    refunds: KeepDropOrRaise = "keep",
) -> pd.DataFrame:
    """Follow what each cohort of new customers has earned, period by period.

    Parameters
    ----------
    transactions : DataFrame
        One row per order line with ``customer_id``, ``date`` and ``amount``.
    period : str or list of dates
        Calendar period of the first purchase, which makes the cohort, and of the ages, as in
        :func:`crmkit.churn.retention_table`.
    as_of : date-like, optional
        Last day observed, inclusive. The default is the last date in the log.
    customers : DataFrame, optional
        Customer table with the columns in `by`.
    by : str or list of str, optional
        Columns that make the groups; customers without a value are a group of their own. Of
        `customers`, such as ``channel``.
    margin : float
        Share of the amount that is earned.
    annual_discount_rate : float
        Rate per year at which each purchase is discounted to the customer's first purchase day;
        0 adds up what came in.
    refunds : {"keep", "drop", "raise"}
        As in :func:`purchase_table`.

    Returns
    -------
    pandas.DataFrame
        One row per cohort, group and age, in that order, without gaps:

        * ``cohort`` (datetime) - first day of the period of the first purchase.
        * ``<by>`` - the columns named in `by`.
        * ``age`` (int) - periods since then; 0 is the period of the first purchase.
        * ``complete`` (bool) - whether that period had ended by `as_of`; the last row of each
          cohort may be a part of a period.
        * ``customers`` (int) - customers in the cohort.
        * ``amount`` (float) - spent in that period.
        * ``value`` (float) - margin earned in that period, discounted.
        * ``cumulative_value`` (float) - margin earned so far, discounted.
        * ``cumulative_value_per_customer`` (float) - the same per customer of the cohort.

    Raises
    ------
    MissingColumnsError
        If a column is missing.
    InputError
        If there is no purchase, or a customer is not in `customers`.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit import clv
    >>> log = pd.DataFrame({
    ...     "customer_id": ["ann", "ann", "bob"],
    ...     "date": pd.to_datetime(["2024-01-05", "2024-02-21", "2024-01-31"]),
    ...     "amount": [10.0, 20.0, 5.0],
    ... })
    >>> table = clv.cohort_value(log, margin=0.5, annual_discount_rate=0, as_of="2024-02-29")
    >>> table[["cohort", "age", "customers", "amount", "cumulative_value"]]
          cohort  age  customers  amount  cumulative_value
    0 2024-01-01    0          2    15.0               7.5
    1 2024-01-01    1          2    20.0              17.5
    """
    earned = _earned(
        transactions,
        period=period,
        as_of=as_of,
        customers=customers,
        by=by,
        margin=margin,
        annual_discount_rate=annual_discount_rate,
        refunds=refunds,
    )
    return _cumulated(earned)


def _earned(
    transactions: Any,
    *,
    period: Period,
    as_of: Any,
    customers: Any,
    by: str | Sequence[str] | None,
    margin: float,
    annual_discount_rate: float,
    refunds: KeepDropOrRaise,
) -> pd.DataFrame:
    """Return customers and money per cohort, group and age."""
    calendar = read_period(period)
    found = read_earnings(
        transactions,
        period=period,
        customers=customers,
        by=by,
        as_of=as_of,
        margin=margin,
        annual_discount_rate=annual_discount_rate,
        refunds=refunds,
    )
    n_groups = len(found.labels)
    born = np.zeros(n_groups, dtype=np.int64)
    born[found.group] = period_of(found.first_day, calendar)
    now = int(period_of(np.array([found.log.rows.as_of]), calendar)[0])
    length = now - born + 1
    start = np.cumsum(length) - length
    group = np.repeat(np.arange(n_groups), length)
    age = np.arange(group.size) - start[group]

    bought = found.group[found.customer]
    cell = start[bought] + period_of(found.day, calendar) - born[bought]
    following = period_start(born[group] + age + 1, calendar)
    columns = {
        "age": age,
        "complete": following - 1 <= found.log.rows.as_of,
        "customers": np.bincount(found.group, minlength=n_groups)[group],
        "amount": np.bincount(cell, weights=found.amount, minlength=group.size),
        "value": np.bincount(cell, weights=found.value, minlength=group.size),
    }
    read_by(by, reserved=(*columns, "cumulative_value", "cumulative_value_per_customer"))
    return found.log.noted(found.labels.iloc[group].reset_index(drop=True).assign(**columns))


def _cumulated(earned: pd.DataFrame) -> pd.DataFrame:
    """Add up the money of the same cohort, group and age, and over the ages."""
    *labels, customers, amount, value = earned.columns
    row, table = group_codes(earned, labels)
    size = np.zeros(len(table), dtype=np.int64)
    np.add.at(size, row, earned[customers].to_numpy())
    total = np.bincount(row, weights=earned[value], minlength=len(table))
    cohort, _ = group_codes(table, labels[:-2])
    cumulative = pd.Series(total).groupby(cohort).cumsum().to_numpy()
    columns = {
        "customers": size,
        "amount": np.bincount(row, weights=earned[amount], minlength=len(table)),
        "value": total,
        "cumulative_value": cumulative,
        "cumulative_value_per_customer": cumulative / size,
    }
    return with_account(table.assign(**columns), earned.attrs[ACCOUNT])


in_two_steps(cohort_value, first=_earned, rest=_cumulated)


def payback_table(
    transactions: Any,
    *,
    acquisition_cost: Any,
    period: Period | None = "month",
    as_of: Any = None,
    customers: Any = None,
    by: str | Sequence[str] | None = None,
    margin: float = 1.0,
    annual_discount_rate: float = 0.10,
    refunds: KeepDropOrRaise = "keep",
) -> pd.DataFrame:
    """Tell when the cost of winning customers is earned back, by cohort and channel.

    Customers of one cohort are observed for different lengths of time. The mean value at each
    age therefore grows by what was earned at that age per customer still under observation (the
    mean cumulative function), so that late comers do not drag it down.

    Parameters
    ----------
    transactions : DataFrame
        One row per order line with ``customer_id``, ``date`` and ``amount``.
    acquisition_cost : float or DataFrame
        One number for all; a table with ``customer_id`` and ``acquisition_cost``; or a table
        with any column of `customers`, such as ``channel``, and ``acquisition_cost``.
    period : str, list of dates or None
        Calendar period of the first purchase, which makes the cohort, as in
        :func:`crmkit.churn.retention_table`; None takes all cohorts together.
    as_of : date-like, optional
        Last day observed, inclusive. The default is the last date in the log.
    customers : DataFrame, optional
        Customer table with the columns in `by` and for the cost.
    by : str or list of str, optional
        Columns that make the groups; customers without a value are a group of their own. Of
        `customers`, such as ``channel``.
    margin : float
        Share of the amount that is earned.
    annual_discount_rate : float
        Rate per year at which each purchase is discounted to the customer's first purchase day;
        0 adds up what came in.
    refunds : {"keep", "drop", "raise"}
        As in :func:`purchase_table`.

    Returns
    -------
    pandas.DataFrame
        One row per cohort and group:

        * ``cohort`` (datetime) - first day of the period of the first purchase; only with a
          `period`.
        * ``<by>`` - the columns named in `by`.
        * ``customers`` (int) - customers in the group.
        * ``acquisition_cost`` (float) - mean cost per customer, amount.
        * ``observed_days`` (int) - longest time any of them was observed.
        * ``value_per_customer`` (float) - mean margin earned over `observed_days`, amount.
        * ``paid_back`` (bool) - whether the mean value reached the mean cost.
        * ``payback_days`` (float) - days from the first purchase until it first did; missing
          while it has not.
        * ``customers_paid_back`` (int) - customers who on their own have earned their cost back.
        * ``net_value`` (float) - margin earned less cost, of the whole group, amount.

    Raises
    ------
    MissingColumnsError
        If a column is missing.
    InputError
        If there is no purchase, or a customer or a cost cannot be found.

    References
    ----------
    .. [1] Nelson, W. B. (2003). Recurrent Events Data Analysis for Product Repairs, Disease
       Recurrences, and Other Applications. SIAM. (Mean cumulative function.)

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit import clv
    >>> log = pd.DataFrame({
    ...     "customer_id": ["ann", "ann", "bob"],
    ...     "date": pd.to_datetime(["2024-01-05", "2024-02-21", "2024-01-31"]),
    ...     "amount": [10.0, 20.0, 6.0],
    ... })
    >>> terms = {"acquisition_cost": 12.0, "annual_discount_rate": 0}
    >>> table = clv.payback_table(log, as_of="2024-03-31", **terms)
    >>> table[["customers", "value_per_customer", "paid_back", "payback_days"]]
       customers  value_per_customer  paid_back  payback_days
    0          2                18.0       True          47.0
    """
    found = read_earnings(
        transactions,
        period=period,
        customers=customers,
        by=by,
        as_of=as_of,
        margin=margin,
        annual_discount_rate=annual_discount_rate,
        refunds=refunds,
    )
    cost = acquisition_costs(
        found.ids, acquisition_cost, customers=customers, account=found.log.account
    )
    n_groups, n = len(found.labels), len(found.ids)
    size = np.bincount(found.group, minlength=n_groups)
    mean_cost = np.bincount(found.group, weights=cost, minlength=n_groups) / size
    follow_up = found.log.rows.as_of - found.first_day
    observed = np.zeros(n_groups, dtype=np.int64)
    np.maximum.at(observed, found.group, follow_up)

    group, age, value = mean_cumulative(
        found.group[found.customer], found.age, found.value, found.group, follow_up
    )
    final = np.zeros(n_groups)
    final[group] = value  # The last of each group's values stays.
    reached = value >= mean_cost[group]
    payback = np.full(n_groups, np.nan)
    payback[group[reached][::-1]] = age[reached][::-1]
    own = np.bincount(found.customer, weights=found.value, minlength=n) - cost
    columns = {
        "customers": size,
        "acquisition_cost": mean_cost,
        "observed_days": observed,
        "value_per_customer": final,
        "paid_back": ~np.isnan(payback),
        "payback_days": payback,
        "customers_paid_back": np.bincount(found.group[own >= 0.0], minlength=n_groups),
        "net_value": np.bincount(found.group, weights=own, minlength=n_groups),
    }
    read_by(by, reserved=columns)
    table = found.labels.assign(**columns)
    return found.log.noted(note_by(table, list(found.labels.columns)))
