"""Retention and churn rates per calendar period."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._arrays import wilson_interval
from crmkit._checks import Problems, check_choice, check_number, check_optional, number_array
from crmkit._frames import (
    day_column,
    day_numbers,
    is_far,
    parse_day,
    read_customers,
    sorted_codes,
    table_columns,
    with_account,
)
from crmkit._log import purchase_days, read_log
from crmkit._periods import Period, day_text, period_of, period_start
from crmkit.churn._math.rates import GrowthAccounts, growth_accounts, rescale, seen_periods
from crmkit.errors import InputError

if TYPE_CHECKING:
    from crmkit._typing import Bools, Floats, Ints


__all__ = ["retention_table"]

_NEVER = np.iinfo(np.int64).max


@dataclass(frozen=True, slots=True)
class _Spells:
    """Who counts as a customer from which day until which (exclusive); arrays of shape (n,)."""

    customer: Ints
    start: Ints
    until: Ints
    value: Floats | None
    as_of: int
    account: dict[str, float]


def retention_table(
    transactions: Any,
    *,
    period: Period = "month",
    as_of: Any = None,
    window_days: int | None = None,
    rate_days: float | None = None,
    confidence_level: float = 0.95,
) -> pd.DataFrame:
    """Count who stays, leaves, arrives and returns in each calendar period.

    From transactions, a customer is active in a period when a row falls into it. From contracts,
    a customer is active when a contract runs at the period's end, and a period compares its end
    with its beginning, so that customers gained meanwhile never enter its rates. Either way
    ``active`` is the ``active`` of the period before plus ``new`` plus ``reactivated`` minus
    ``lost``, exactly.

    Parameters
    ----------
    transactions : DataFrame
        Transactions with columns ``customer_id`` and ``date``, and ``amount`` for the revenue
        columns. Or contracts, recognised by a column ``start_date``: one row per contract with
        ``customer_id``, ``start_date``, ``end_date`` (the first day no longer served; missing,
        or outside the years 1678 to 2261 as 9999-12-31 is, while the contract runs) and, for the
        revenue columns, ``monthly_revenue``.
    period : {"day", "week", "month", "quarter", "year"}, default "month"
        Calendar periods of the table. Weeks begin on Monday.
    as_of : date-like, optional
        Last day observed, inclusive. The default is the last date in the table; name it where
        contracts have ends that lie ahead.
    window_days : int, optional
        For transactions: count customers as active at the end of a period when they were active
        in this many days up to then. The default is the period itself. A window much longer than
        the time between purchases reports a loss late; a shorter one reports losses that are none.
    rate_days : float, optional
        Express the rates per this many days instead of per period, for example 365.25 for annual
        churn out of monthly periods: what remains after one period is raised to the power
        ``rate_days / length of the period``.
    confidence_level : float, default 0.95
        Level of the interval for the retention rate.

    Returns
    -------
    pandas.DataFrame
        One row per period, from the first to the one that holds `as_of`:

        * ``period`` (datetime) - first day of the period.
        * ``complete`` (bool) - whether the period ended by `as_of`. The rates of a period in
          progress are NaN, its counts are those so far.
        * ``active`` (int) - customers active in (contracts: at the end of) the period.
        * ``retained`` (int) - of these, active in the period before as well.
        * ``new`` (int) - of these, active for the first time.
        * ``reactivated`` (int) - of these, active before, but not in the period before.
        * ``lost`` (int) - customers active in the period before but not (in a period in progress:
          not yet) in this one.
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
        * ``revenue_contraction`` (float) - what retained customers pay less.
        * ``revenue_lost`` (float) - what lost customers paid in the period before.
        * ``revenue_churn_rate`` (float) - (lost + contraction) / revenue of the period before;
          NaN where that is not positive.
        * ``net_revenue_retention`` (float) - 1 - revenue churn rate + expansion / revenue of the
          period before: above 1 where expansion outweighs all losses.

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
    in mid-life of the business the first periods show customers as new who only return.

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
    check_choice(period, "period", Period)
    confidence_level = check_number(confidence_level, "confidence_level")
    window_days = check_optional(window_days, "window_days")
    rate_days = check_optional(rate_days, "rate_days")
    if "start_date" in table_columns(transactions, "transactions"):
        if window_days is not None:
            raise InputError(
                "`window_days` is for transactions; a contract itself says when it runs."
            )
        spells = _contract_spells(transactions, as_of)
    else:
        spells = _activity_spells(transactions, as_of, period, window_days)

    number = period_of(np.array([spells.start.min(), spells.as_of]), period)
    starts = period_start(np.arange(number[0], number[1] + 2), period)
    complete = starts[1:] - 1 <= spells.as_of
    ends = np.minimum(starts[1:] - 1, spells.as_of)
    first, last = seen_periods(spells.start, spells.until, ends)
    accounts = growth_accounts(
        spells.customer, first, last, n_periods=ends.size, value=spells.value
    )
    factor = 1.0 if rate_days is None else rate_days / np.diff(starts)
    table = {"period": day_column(starts[:-1]), "complete": complete}
    table |= _customer_columns(accounts, complete, factor, confidence_level)
    if accounts.revenue is not None:
        table |= _revenue_columns(accounts, complete, factor)
    return with_account(pd.DataFrame(table), spells.account)


def _activity_spells(
    transactions: Any, as_of: Any, period: Period, window_days: int | None
) -> _Spells:
    """Read transactions as spells of activity, one per customer and period, or day."""
    log = read_log(transactions, as_of=as_of)
    rows = log.rows
    number = rows.day if window_days is not None else period_of(rows.day, period)
    amount = rows.amount if rows.has("amount") else None
    active = purchase_days(rows.customer, number, amount, log.bought)
    if window_days is not None:
        start, until = active.day, active.day + window_days
    else:
        start, until = period_start(active.day, period), period_start(active.day + 1, period)
    return _Spells(active.customer, start, until, active.amount, rows.as_of, log.account)


def _contract_spells(contracts: Any, as_of: Any) -> _Spells:
    """Read contracts as spells, those that have begun by `as_of`."""
    frame = read_customers(
        contracts,
        needs=("start_date", "end_date"),
        optional=("monthly_revenue",),
        name="transactions",
        unique=False,
    )
    problems = Problems("transactions")
    start = day_numbers(frame["start_date"], problems, "start_date")
    until = day_numbers(frame["end_date"], problems, "end_date", missing=_NEVER)
    until[is_far(until)] = _NEVER
    problems.rows(
        until < start, "column 'end_date' lies before 'start_date'", do="Correct these rows."
    )
    value = None
    if "monthly_revenue" in frame.columns:
        value = number_array(frame["monthly_revenue"], problems, "monthly_revenue")
    problems.raise_if_any()
    known = np.r_[start, until[until < _NEVER]]
    last_day = int(known.max()) if as_of is None else parse_day(as_of, "as_of")
    begun = start <= last_day
    if not begun.any():
        raise InputError(
            f"`transactions` has no contract that starts on or before `as_of` "
            f"({day_text(last_day)}). Choose a later `as_of`."
        )
    codes, _ = sorted_codes(frame["customer_id"])
    return _Spells(
        codes[begun],
        start[begun],
        until[begun],
        None if value is None else value[begun],
        last_day,
        {},
    )


def _customer_columns(
    accounts: GrowthAccounts,
    complete: Bools,
    factor: Floats | float,
    confidence_level: float,
) -> dict[str, Any]:
    """Return customers by heading and their retention and churn rates."""
    opening = np.r_[0, accounts.active[:-1]]
    retained = opening - accounts.lost
    known = complete & (opening > 0)
    rate = np.divide(retained, opening, out=np.full(opening.size, np.nan), where=known)
    low, high = wilson_interval(retained, opening, confidence_level)
    rate = rescale(rate, factor)
    return {
        "active": accounts.active,
        "retained": retained,
        "new": accounts.new,
        "reactivated": accounts.reactivated,
        "lost": accounts.lost,
        "retention_rate": rate,
        "conf_low": np.where(known, rescale(low, factor), np.nan),
        "conf_high": np.where(known, rescale(high, factor), np.nan),
        "churn_rate": 1 - rate,
    }


def _revenue_columns(
    accounts: GrowthAccounts, complete: Bools, factor: Floats | float
) -> dict[str, Any]:
    """Return revenue by heading and its churn and net retention rates."""
    names = ("", "_new", "_reactivated", "_expansion", "_contraction", "_lost")
    columns = {f"revenue{name}": getattr(accounts, f"revenue{name}") for name in names}
    opening = np.r_[0.0, columns["revenue"][:-1]]
    known = complete & (opening > 0)
    gone = columns["revenue_lost"] + columns["revenue_contraction"]
    nowhere = np.full(opening.size, np.nan)
    kept = np.divide(opening - gone, opening, out=nowhere.copy(), where=known)
    grown = np.divide(columns["revenue_expansion"], opening, out=nowhere.copy(), where=known)
    columns["revenue_churn_rate"] = 1 - rescale(kept, factor)
    columns["net_revenue_retention"] = rescale(kept + grown, factor)
    return columns
