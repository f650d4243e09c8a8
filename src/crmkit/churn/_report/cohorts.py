"""What cohorts say together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from crmkit._arrays import wilson_interval
from crmkit._checks import Problems, check_number, number_array
from crmkit._frames import group_codes, note_by, split_by, to_pandas
from crmkit.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["retention_curve"]

_RETENTION = ("gross_revenue_retention", "net_revenue_retention")


def retention_curve(cohorts: Any, *, confidence_level: float = 0.95) -> pd.DataFrame:
    """Pool all cohorts into one curve by age, each age from the cohorts that can be observed at it.

    Parameters
    ----------
    cohorts : DataFrame
        Result of :func:`cohort_table`.
    confidence_level : float, default 0.95
        Level of the interval.

    Returns
    -------
    pandas.DataFrame
        One row per age that at least one cohort has reached, after the columns by which `cohorts`
        was split:

        * ``<by>`` - the columns by which `cohorts` was split, if it was.
        * ``age`` (int) - periods since the first.
        * ``cohorts`` (int) - cohorts that can be observed at that age.
        * ``customers`` (int) - customers in these cohorts.
        * ``active`` (int) - of these, active at that age.
        * ``retention_rate`` (float) - active / customers.
        * ``conf_low`` (float) - lower limit of the retention rate (Wilson).
        * ``conf_high`` (float) - upper limit of the retention rate.
        * ``amount_per_customer`` (float) - what these cohorts spent in the period of that age, per
          customer once acquired. Only where `cohorts` has amounts.
        * ``gross_revenue_retention`` (float) - of the first revenue of these cohorts, the share
          that each customer still pays. This and the next only where `cohorts` is of contracts.
        * ``net_revenue_retention`` (float) - what they pay over what they paid on their first days;
          only for contracts.

    Raises
    ------
    MissingColumnsError
        If a needed column is absent.
    InputError
        If a number cannot be used, or no cohort can be observed at all.

    Notes
    -----
    Higher ages rest on older cohorts only. A curve can therefore rise: not because customers
    return, but because the younger cohorts, no longer in it, were worse. The column ``cohorts``
    shows where that may happen. The interval takes customers of all cohorts as alike: where
    cohorts differ, 20 to 40 % coming back, intervals of 95 % hold the mean of cohorts in 75 %.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit import churn
    >>> transactions = pd.DataFrame(
    ...     {
    ...         "customer_id": [1, 2, 1, 3, 2],
    ...         "date": pd.to_datetime(
    ...             ["2025-01-03", "2025-01-20", "2025-02-11", "2025-02-12", "2025-03-31"]
    ...         ),
    ...     }
    ... )
    >>> retention_curve(churn.cohort_table(transactions))[
    ...     ["age", "cohorts", "customers", "active", "retention_rate"]
    ... ].round(3)
       age  cohorts  customers  active  retention_rate
    0    0        2          3       3           1.000
    1    1        2          3       1           0.333
    2    2        1          2       1           0.500
    """
    confidence_level = check_number(confidence_level, "confidence_level")
    frame = to_pandas(cohorts, "cohorts", needs=("cohort", "age", "customers", "active"))
    columns = split_by(cohorts, "cohort")
    problems = Problems("cohorts")
    active = number_array(frame["active"], problems, "active", allow_missing=True, low=0)
    size = number_array(frame["customers"], problems, "customers", low=0)
    amount = None
    if "amount" in frame.columns:
        amount = number_array(frame["amount"], problems, "amount", allow_missing=True)
    revenue = {
        name: number_array(frame[name], problems, name, allow_missing=True)
        for name in ("first_revenue", *_RETENTION)
        if name in frame.columns
    }
    problems.raise_if_any()
    seen = ~np.isnan(active)
    if not seen.any():
        raise InputError("`cohorts` has no cell that can be observed.")

    code, groups = group_codes(frame.loc[seen], [*columns, "age"])

    def total(values: Any = None) -> Any:
        return np.bincount(code, weights=None if values is None else values[seen])

    customers, stayed = total(size), total(active)
    low, high = wilson_interval(stayed, customers, confidence_level)
    table = groups.assign(
        cohorts=total(),
        customers=customers.astype(np.int64),
        active=stayed.astype(np.int64),
        retention_rate=stayed / customers,
        conf_low=low,
        conf_high=high,
    )
    if amount is not None:
        table = table.assign(amount_per_customer=total(amount) / customers)
    if len(revenue) == 1 + len(_RETENTION):
        opening = total(revenue["first_revenue"])
        for name in _RETENTION:
            kept = total(np.nan_to_num(revenue[name]) * revenue["first_revenue"])
            share = np.divide(kept, opening, out=np.full(kept.size, np.nan), where=opening > 0)
            table[name] = share
    return note_by(table, columns)
