"""Cumulative value per cohort."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._frames import ACCOUNT, group_codes, read_by, read_period, with_account
from crmkit._periods import period_of, period_start
from crmkit._two_steps import in_one, in_two_steps
from crmkit.clv._table.groups import read_earnings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crmkit._periods import Period
    from crmkit._typing import KeepDropOrRaise

__all__ = ["cohort_value"]


def cohort_value(
    transactions: Any,
    *,
    period: Period = "month",
    as_of: Any = None,
    customers: Any = None,
    by: str | Sequence[str] | None = None,
    margin: float | None = None,
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
    margin : float, optional
        Share of the amount that is earned. The default is what the log's ``cost`` leaves of it, if
        it has that column, else 1: all of it.
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
    return in_one(cohort_value, locals())


def _earned(
    transactions: Any,
    *,
    period: Period,
    as_of: Any,
    customers: Any,
    by: str | Sequence[str] | None,
    margin: float | None,
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
