"""When the cost of winning a cohort is earned back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from crmkit._frames import ACCOUNT, group_codes, note_by, read_by, with_account
from crmkit._two_steps import in_one, in_two_steps
from crmkit.clv._math.accounting import mean_cumulative
from crmkit.clv._table.costs import acquisition_costs
from crmkit.clv._table.groups import read_earnings

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from crmkit._periods import Period
    from crmkit._typing import KeepDropOrRaise

__all__ = ["payback_table"]

_RESULT = (
    *("customers", "acquisition_cost", "observed_days", "value_per_customer", "paid_back"),
    *("payback_days", "customers_paid_back", "net_value"),
)


def payback_table(
    transactions: Any,
    *,
    acquisition_cost: Any,
    period: Period | None = "month",
    as_of: Any = None,
    customers: Any = None,
    by: str | Sequence[str] | None = None,
    margin: float | None = None,
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
    margin : float, optional
        As in :func:`cohort_value`.
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
    return in_one(payback_table, locals())


def _earned_by_age(
    transactions: Any,
    *,
    acquisition_cost: Any,
    period: Period | None,
    as_of: Any,
    customers: Any,
    by: str | Sequence[str] | None,
    margin: float | None,
    annual_discount_rate: float,
    refunds: KeepDropOrRaise,
) -> pd.DataFrame:
    """Return money per group and day since the first purchase, and who is observed until then."""
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
    n = len(found.ids)
    own = np.bincount(found.customer, weights=found.value, minlength=n) - cost
    age = np.r_[found.age, found.log.rows.as_of - found.first_day]
    span = int(age.max()) + 1
    key, row = np.unique(
        np.r_[found.group[found.customer], found.group] * span + age, return_inverse=True
    )
    bought, last = row[: found.age.size], row[found.age.size :]
    sums = {
        "customers": np.bincount(last, minlength=key.size),
        "acquisition_cost": np.bincount(last, weights=cost, minlength=key.size),
        "observed_days": key % span,
        "customers_paid_back": np.bincount(last[own >= 0.0], minlength=key.size),
        "net_value": np.bincount(bought, weights=found.value, minlength=key.size),
    }
    read_by(by, reserved=_RESULT)
    return found.log.noted(found.labels.iloc[key // span].reset_index(drop=True).assign(**sums))


def _paid_back(earned: pd.DataFrame) -> pd.DataFrame:
    """Add up the same groups and ages, and tell when the mean value reached the mean cost."""
    labels = [*earned.columns[:-5]]
    group, table = group_codes(earned, labels)
    left, cost, age, back, value = (earned[name].to_numpy() for name in earned.columns[-5:])
    n_groups = len(table)
    size, paid = np.zeros((2, n_groups), dtype=np.int64)
    np.add.at(size, group, left)
    np.add.at(paid, group, back)
    cost = np.bincount(group, weights=cost)
    observed = np.zeros(n_groups, dtype=np.int64)
    np.maximum.at(observed, group, np.where(left > 0, age, 0))

    of, day, mean = mean_cumulative(group, age, value, left)
    final = np.zeros(n_groups)
    final[of] = mean  # The last of each group's values stays.
    # The order in which money is added up decides nothing.
    reached = mean >= (cost / size)[of] * (1 - 1e-12)
    payback = np.full(n_groups, np.nan)
    payback[of[reached][::-1]] = day[reached][::-1]
    columns = {
        "customers": size,
        "acquisition_cost": cost / size,
        "observed_days": observed,
        "value_per_customer": final,
        "paid_back": ~np.isnan(payback),
        "payback_days": payback,
        "customers_paid_back": paid,
        "net_value": np.bincount(group, weights=value) - cost,
    }
    return with_account(note_by(table.assign(**columns), labels), earned.attrs[ACCOUNT])


in_two_steps(payback_table, first=_earned_by_age, rest=_paid_back)
