"""Retention and churn rates per calendar period."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._checks import check_number, check_optional
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
from crmkit.churn._table.rate_columns import customer_rates, revenue_rates
from crmkit.churn._table.rate_sums import rate_sums

if TYPE_CHECKING:
    from collections.abc import Iterable

    from crmkit._periods import Period
    from crmkit._typing import Ints
    from crmkit.churn._table.contracts import Ends


__all__ = ["retention_table"]


def retention_table(
    transactions: Any,
    *,
    period: Period = "month",
    as_of: Any = None,
    window_days: int | None = None,
    span_periods: int = 1,
    ends: Ends | None = None,
    grace_days: int = 0,
    by: str | Iterable[str] | None = None,
    customers: Any = None,
    rate_days: float | None = None,
    confidence_level: float = 0.95,
) -> pd.DataFrame:
    """Count who stays, leaves, arrives and returns in each calendar period.

    From transactions, a customer is active in a period when a row falls into it. From contracts,
    a customer is active when a contract runs at the period's end, and a period compares its end
    with its beginning, so that customers gained meanwhile never enter its rates. Either way
    ``active`` is the ``active`` of the period before plus ``new`` plus ``reactivated`` minus
    ``lost``, exactly, and ``revenue`` moves by its headings to the cent.

    Parameters
    ----------
    transactions : DataFrame
        Transactions with columns ``customer_id`` and ``date``, and ``amount`` for the revenue
        columns. Or contracts, with ``start_date`` and ``end_date``, as the notes describe them.
    period : {"day", "week", "month", "quarter", "year"} or list of dates, default "month"
        Calendar period. Weeks begin on Monday and years in January unless the word goes on:
        "week-sunday", "quarter-april", "year-april". Or the first days of periods of your own, a
        4-4-5 calendar's for instance, and that of the period after the last.
    as_of : date-like, optional
        Last day observed, inclusive. The default is the last ``date``, of contracts the last
        ``start_date``: an end may lie ahead.
    window_days : int, optional
        For transactions: count customers as active at the end of a period when they were active
        in this many days up to then. The default is the period itself. A window much longer than
        the time between purchases reports a loss late; a shorter one reports losses that are none.
    span_periods : int, default 1
        Compare each period with the one so many periods before: 12 months give trailing
        twelve-month rates, customer by customer. "The period before" then means that one.
    ends : {"exclusive", "inclusive"}, optional
        For contracts: whether ``end_date`` is the first day no longer served, as is assumed, or
        the last day served. Without a word, ends that look like last days served are refused.
    grace_days : int, default 0
        For contracts: a renewal so many days late is on time. A period is then complete when
        these days are over as well.
    by : str or list of str, optional
        Columns that make the groups; customers without a value are a group of their own. Of
        `customers` if given, else of `transactions`, where they must be constant per customer.
    customers : DataFrame, optional
        One row per customer, with ``customer_id`` and the columns of `by`.
    rate_days : float, optional
        Express the rates per this many days instead of per period, for example 365.25 for annual
        churn out of monthly periods: what remains after one period is raised to the power
        ``rate_days / length of the period``.
    confidence_level : float, default 0.95
        Level of the interval for the retention rate.

    Returns
    -------
    pandas.DataFrame
        One row per period, from the first to the one that holds `as_of`, after the columns of
        `by`:

        * ``<by>`` - the columns of `by`, if given.
        * ``period`` (datetime) - first day of the period.
        * ``complete`` (bool) - whether the period (and `grace_days`) ended by `as_of`. The rates
          of a period in progress are NaN, its counts are those so far.
        * ``active`` (int) - customers active in (contracts: at the end of) the period.
        * ``retained`` (int) - of these, active in the period before as well.
        * ``new`` (int) - of these, active for the first time.
        * ``reactivated`` (int) - of these, active before, but not in the period before.
        * ``lost`` (int) - customers active in the period before but not (in a period in progress:
          not yet) in this one.
        * ``trials`` (int) - customers in a trial who pay for nothing; not among ``active``. This
          and the next two only for contracts.
        * ``converted`` (int) - of ``new``, those who had a trial before; only for contracts.
        * ``paused`` (int) - of ``active``, those whose contracts all pause; only for contracts.
        * ``lost_<reason>`` (int) - of ``lost``, those whose last contract ended for that reason,
          for contracts with a column ``reason``; ``lost_unknown`` where it is empty.
        * ``retention_rate`` (float) - retained / active in the period before; NaN where there
          was nobody.
        * ``conf_low`` (float) - lower limit of the retention rate (Wilson).
        * ``conf_high`` (float) - upper limit of the retention rate.
        * ``churn_rate`` (float) - 1 - retention rate.
        * ``revenue`` (float) - amount in the period, or in the window; contracts: monthly revenue
          at the period's end. This and the next columns only where the table has money.
        * ``revenue_new`` (float) - of this, from new customers.
        * ``revenue_reactivated`` (float) - of this, from reactivated customers.
        * ``revenue_expansion`` (float) - what retained customers pay more than the period before.
        * ``revenue_converted`` (float) - of ``revenue_new``, from customers who had a trial; this
          and the next only for contracts.
        * ``revenue_resumed`` (float) - what customers pay again after a pause; only for contracts.
        * ``revenue_contraction`` (float) - what retained customers pay less.
        * ``revenue_lost`` (float) - what lost customers paid in the period before.
        * ``revenue_paused`` (float) - what customers in a pause paid before; only for contracts.
        * ``revenue_lost_<reason>`` (float) - of ``revenue_lost``, by reason as above.
        * ``revenue_churn_rate`` (float) - (lost + contraction + paused) / revenue of the period
          before; NaN where that is not positive.
        * ``gross_revenue_retention`` (float) - 1 - revenue churn rate.
        * ``net_revenue_retention`` (float) - what the customers of the period before pay now over
          what they paid then: above 1 where expansion and resumed pay outweigh all losses.

        ``attrs["account"]`` counts contracts that begin after `as_of`, rows that repeat another,
        late renewals, and customers who came and left between two periods' ends and are in no row.

    Raises
    ------
    MissingColumnsError
        If a needed column is absent.
    InputError
        If a value cannot be used, or nothing happened by `as_of`.

    See Also
    --------
    cohort_table : The same customers by when they came.

    Notes
    -----
    A refund is no activity: it lowers the revenue of the period it falls in or, where the customer
    bought nothing in that period, of the last one before it with a purchase. In a log that begins
    in mid-life of the business the first periods show customers as new who only return. Of 15
    customers, one in a hundred of whom leaves in a period, intervals of 95 % hold 86 %.

    A table of contracts has one row per contract: ``customer_id``, ``start_date`` and ``end_date``,
    missing (or far ahead, as 9999-12-31 is) while the end is open. A customer may have several, at
    once or with gaps. An upgrade, a downgrade or a new price is a new row. For the revenue columns
    it has ``monthly_revenue``, or ``amount`` and ``billing_months``: 1200 for 12 months is 100 a
    month, so that annual contracts stand beside monthly ones. ``billing`` says "paid", "trial" or
    "paused"; left out, a contract of revenue 0 is a trial. Somebody in a trial, or on a free plan,
    is no customer yet, and no loss when it ends; somebody in a pause still is one. ``reason`` says
    why a contract ended, "voluntary" or "failed payment" for instance.

    References
    ----------
    .. [1] Gold, C. (2020). *Fighting Churn with Data*. Manning. Chapter 2 (contracts: customers
       and revenue).
    .. [2] Wilson, E. B. (1927). Probable inference, the law of succession, and statistical
       inference. *J. Am. Stat. Assoc.* 22, 209-212.

    Examples
    --------
    >>> import pandas as pd
    >>> transactions = pd.DataFrame(
    ...     {
    ...         "customer_id": ["ann", "bob", "ann", "cem", "bob", "cem"],
    ...         "date": pd.to_datetime(
    ...             ["2025-01-03", "2025-01-20", "2025-02-11", "2025-02-12", "2025-03-01",
    ...              "2025-03-31"]
    ...         ),
    ...     }
    ... )
    >>> retention_table(transactions)[
    ...     ["period", "active", "retained", "new", "reactivated", "lost", "churn_rate"]
    ... ]
          period  active  retained  new  reactivated  lost  churn_rate
    0 2025-01-01       2         0    2            0     0         NaN
    1 2025-02-01       2         1    1            0     1         0.5
    2 2025-03-01       2         1    0            1     1         0.5
    """
    return in_one(retention_table, locals())


def _rates(
    sums: pd.DataFrame,
    *,
    period: Period,
    span_periods: int,
    grace_days: int,
    by: Any,
    rate_days: float | None,
    confidence_level: float,
) -> pd.DataFrame:
    """Return the rates of sums, those of the same group and period added up."""
    calendar = read_period(period)
    confidence_level = check_number(confidence_level, "confidence_level")
    rate_days = check_optional(rate_days, "rate_days")
    span = check_number(span_periods, "span_periods")
    as_of, columns = sums.attrs["as_of"], read_by(by)
    group, groups = group_codes(sums, columns)
    first, last = int(sums["period"].min()), int(sums["period"].max())
    starts = period_start(np.arange(first, last + 2), calendar)
    last_days = starts[1:] - 1
    shape = (len(groups), last_days.size)
    place = group * shape[1] + sums["period"].to_numpy() - first

    def total(values: Ints) -> Ints:
        found = np.zeros(shape[0] * shape[1], dtype=np.int64)
        np.add.at(found, place, values)
        return found

    complete = np.tile(last_days + check_number(grace_days, "grace_days") <= as_of, len(groups))
    factor: Any = 1.0
    if rate_days is not None:
        length = starts[1:] - starts[np.maximum(np.arange(last_days.size) + 1 - span, 0)]
        factor = np.tile(rate_days / length, len(groups))
    # A reason that nobody of a part left for is no column of its sums.
    whole = {
        str(name): sums[name].fillna(0).to_numpy(dtype=np.int64)
        for name in sums.columns
        if name not in {*columns, "period", ".scale"}
    }
    common: Any = {"complete": complete, "factor": factor}
    counts = {name: total(whole[name]) for name in whole if not name.startswith("revenue")}
    table = {"period": day_column(np.tile(starts[:-1], len(groups))), "complete": complete}
    table |= customer_rates(counts, shape, span, confidence_level=confidence_level, **common)
    if ".scale" in sums:
        scales = sums[".scale"].to_numpy()
        units = {
            name: total(one_scale(whole[name], scales)[0])
            for name in whole
            if name.startswith("revenue")
        }
        table |= revenue_rates(units, float(scales.min()), shape, span, **common)
    front = groups.iloc[np.repeat(np.arange(len(groups)), last_days.size)].reset_index(drop=True)
    result = note_by(pd.concat([front, pd.DataFrame(table)], axis=1), columns)
    return with_account(result, sums.attrs[ACCOUNT])


in_two_steps(retention_table, first=rate_sums, rest=_rates)
