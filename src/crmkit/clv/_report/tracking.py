"""Purchases of the whole base over time, beside what a model expects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._checks import check_number
from crmkit._frames import day_column, parse_day, read_customers, read_transactions
from crmkit.clv._table.costs import lookup
from crmkit.clv._table.days import purchase_days
from crmkit.clv._table.purchases import holdout_days
from crmkit.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]

__all__ = ["tracking_table"]


def tracking_table(
    transactions: Any,
    *,
    purchases: Any,
    as_of: Any,
    horizon_days: int | None = None,
    period_days: int = 7,
    customers: Any = None,
    refunds: str = "keep",
) -> pd.DataFrame:
    """Follow actual and expected repeat purchases, before and after the end of calibration.

    The expectation knows only when each customer came, not what the customer did: it is what
    the model says about a base of new customers. A model that tracks in the calibration period
    and drifts afterwards has the wrong idea of how customers leave.

    Parameters
    ----------
    transactions : DataFrame
        One row per order line with ``customer_id`` and ``date``.
    purchases : fitted model
        Of repeat purchases, fitted on the purchase table up to `as_of`.
    as_of : date-like
        Last day of the calibration period, inclusive. Customers who came later are left out.
    horizon_days : int, optional
        Days to follow after `as_of`. Default: up to the last date in the log.
    period_days : int
        Length of a period; periods end on `as_of` and whole periods before and after it.
    customers : DataFrame, optional
        Customer table with the covariates of the model, if it has any.
    refunds : {"keep", "drop", "raise"}
        As in :func:`purchase_table`.

    Returns
    -------
    pandas.DataFrame
        One row per period:

        * ``period_end`` (datetime) - last day of the period; the last period may be shorter.
        * ``holdout`` (bool) - whether the period lies after `as_of`.
        * ``actual`` (int) - repeat purchases in the period.
        * ``expected`` (float) - expected repeat purchases in the period.
        * ``actual_cumulative`` (int) - repeat purchases so far.
        * ``expected_cumulative`` (float) - expected repeat purchases so far.

    Raises
    ------
    MissingColumnsError
        If a column is missing.
    InputError
        If nobody bought by `as_of`, or the log ends before the hold-out period.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit import clv, datasets
    >>> log = datasets.make_transactions(300, random_state=0)["transactions"]
    >>> as_of = log["date"].max() - pd.Timedelta(days=100)
    >>> model = clv.BGNBD().fit(clv.purchase_table(log, as_of=as_of))
    >>> table = clv.tracking_table(log, purchases=model, as_of=as_of, period_days=28)
    >>> table["holdout"].sum()
    np.int64(4)
    """
    if isinstance(purchases, type) or not hasattr(purchases, "_future"):
        raise InputError(
            f"`purchases` must be a fitted model such as BGNBD or ParetoNBD; got {purchases!r}."
        )
    length = check_number(period_days, "period_days", low=1, integer=True)
    log = read_transactions(transactions, optional=("amount",))
    split = parse_day(as_of, "as_of")
    end = log.as_of
    if split < log.as_of or horizon_days is not None:
        split, end = holdout_days(log, as_of=as_of, horizon_days=horizon_days)
    seen = log.day <= end
    amount = log.amount[seen] if log.has("amount") else None
    days = purchase_days(log.customer[seen], log.day[seen], amount, refunds=refunds)
    first = days.day[days.first]
    if not (first <= split).any():
        raise InputError("`transactions` has no purchase on or before `as_of`.")

    born = int(first.min())
    before = -(-(split - born + 1) // length)
    after = -(-(end - split) // length)
    ends = np.minimum(split + length * np.arange(1 - before, after + 1), end)
    came = np.repeat(first, days.count)
    repeat = days.day[(came <= split) & (days.day > came)]
    actual = np.bincount(np.searchsorted(ends, repeat), minlength=ends.size)

    ids = pd.Series(log.customer_ids[days.customer[days.first]], name="customer_id")
    known = first <= split
    total = _expected_by(
        purchases, ids[known].reset_index(drop=True), first[known], ends, customers
    )
    return pd.DataFrame(
        {
            "period_end": day_column(ends),
            "holdout": ends > split,
            "actual": actual,
            "expected": np.diff(total, prepend=0.0),
            "actual_cumulative": np.cumsum(actual),
            "expected_cumulative": total,
        }
    )


def _expected_by(
    model: Any, ids: pd.Series[Any], first: Ints, ends: Ints, customers: Any
) -> Floats:
    """Return the expected repeat purchases up to each day in `ends`, shape (periods,)."""
    names = sorted({name for triples in model._covariates() for name, _, _ in triples})
    new = pd.DataFrame({name: lookup(ids, customers, name) for name in names}, index=ids.index)
    pattern = new.groupby(names).ngroup().to_numpy() if names else np.zeros(len(ids), np.int64)
    kinds = new.assign(customer_id=pattern, frequency=0, recency=0.0, T=0.0)
    kinds = read_customers(kinds.drop_duplicates("customer_id").sort_values("customer_id"))
    _, rows = model._rows(kinds)

    born = np.arange(int(first.min()), int(first.max()) + 1)
    counts = np.zeros((len(kinds), born.size))
    np.add.at(counts, (pattern, first - born[0]), 1.0)
    # Days are whole, so few distinct ages cover every pair of arrival and period.
    oldest = int(ends[-1] - born[0])
    used = np.zeros(oldest + 1, dtype=bool)
    for day in ends:
        used[np.maximum(day - born, 0)] = True
    curve = np.zeros((len(kinds), oldest + 1))
    for age in np.flatnonzero(used[1:]) + 1:
        curve[:, age], _ = model._with_gradient(
            rows,
            lambda theta, columns, t=float(age): model._future(theta, columns).expected(t),
            gradient=False,
        )
    return np.array([np.sum(counts * curve[:, np.maximum(day - born, 0)]) for day in ends])
