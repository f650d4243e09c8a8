"""The tables of the models that count in whole periods: opportunities and renewals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._checks import check_number, check_optional
from crmkit._frames import ACCOUNT, day_column, parse_day, period_words, read_period
from crmkit._log import (
    PurchaseDays,
    PurchaseLog,
    at_most,
    check_covered,
    purchase_days,
    read_log,
)
from crmkit._periods import period_of, period_start
from crmkit.clv._table.days import check_refunds, read_until
from crmkit.errors import EmptyLogError

if TYPE_CHECKING:
    from crmkit._periods import Calendar, Period
    from crmkit._typing import Bools, Ints, KeepDropOrRaise


__all__ = ["contract_table", "last_closed", "opportunity_table"]


def opportunity_table(
    transactions: Any,
    *,
    period: Period = "year",
    as_of: Any = None,
    horizon_periods: int | None = None,
    observed_until: Any = None,
    refunds: KeepDropOrRaise = "keep",
) -> pd.DataFrame:
    """Count in how many later periods each customer bought, the table :class:`BGBB` learns from.

    Every calendar period after that of the first purchase is one opportunity to buy; several
    purchases in it are one. A period that has not ended by `as_of` is no opportunity yet.

    Parameters
    ----------
    transactions : DataFrame
        One row per order line with ``customer_id`` and ``date``.
    period : str or list of dates
        Calendar period of an opportunity, as in :func:`crmkit.churn.retention_table`.
    as_of : date-like, optional
        Last day observed, inclusive. The default is the last date in the log.
    horizon_periods : int, optional
        Holds out so many periods after those that ended by `as_of`, and counts what happened in
        them, for :func:`model_comparison` and :func:`forecast_table`.
    observed_until : date-like, optional
        Last day the log covers, inclusive, as in :func:`holdout_table`; with `horizon_periods`.
    refunds : {"keep", "drop", "raise"}
        As in :func:`purchase_table`; a period with nothing but refunds is not bought in.

    Returns
    -------
    pandas.DataFrame
        One row per customer whose first period has ended, sorted by ``customer_id``:

        * ``customer_id`` - as given.
        * ``cohort`` (datetime) - first day of the period of the first purchase.
        * ``frequency`` (int) - later periods with a purchase.
        * ``recency`` (int) - number of the last of them, counting from 1; 0 without any.
        * ``periods`` (int) - periods that ended since, bought in or not.
        * ``period_unit`` (str) - what a period is, as `period` says it; models read it.
        * ``as_of`` (datetime) - last day of the last period that ended: from here models look
          ahead.
        * ``holdout_periods`` (int) - periods held out. Optional.
        * ``holdout_frequency`` (int) - how many of them were bought in. Optional.

    Raises
    ------
    MissingColumnsError
        If a column is missing.
    InputError
        If no period has ended, or the log ends before the hold-out periods do.

    References
    ----------
    .. [1] Fader, P. S., Hardie, B. G. S. and Shang, J. (2010). Customer-base analysis in a
       discrete-time noncontractual setting. Marketing Science 29(6), 1086-1108.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit import clv
    >>> log = pd.DataFrame({
    ...     "customer_id": ["ann", "ann", "ann", "bob"],
    ...     "date": pd.to_datetime(["2020-05-01", "2021-07-01", "2023-02-01", "2022-12-01"]),
    ... })
    >>> table = clv.opportunity_table(log, period="year", as_of="2023-12-31")
    >>> table.drop(columns=["period_unit", "as_of"])
      customer_id     cohort  frequency  recency  periods
    0         ann 2020-01-01          2        3        3
    1         bob 2022-01-01          0        0        1
    """
    ahead = check_optional(horizon_periods, "horizon_periods") or 0
    calendar = read_period(period)
    log, active, closed = _periods(transactions, calendar, as_of, refunds, ahead, observed_until)
    ids, born, again = log.rows.customer_ids, active.day[active.first], active.repeat
    customer, when = active.customer[again], active.day[again]
    seen = when <= closed
    last = np.zeros(len(ids), dtype=np.int64)
    np.maximum.at(last, customer[seen], when[seen] - born[customer[seen]])
    table = pd.DataFrame(
        {
            "customer_id": ids,
            "cohort": day_column(period_start(born, calendar)),
            "frequency": np.bincount(customer[seen], minlength=len(ids)),
            "recency": last,
            "periods": closed - born,
        }
    )
    if ahead:
        later = customer[~seen & (when <= closed + ahead)]
        table["holdout_periods"] = ahead
        table["holdout_frequency"] = np.bincount(later, minlength=len(ids))
    return log.noted(_ended(table, born <= closed, calendar, closed, log.account))


def contract_table(
    transactions: Any,
    *,
    period: Period = "month",
    as_of: Any = None,
    grace_periods: int = 0,
    horizon_periods: int | None = None,
    observed_until: Any = None,
    refunds: KeepDropOrRaise = "keep",
) -> pd.DataFrame:
    """Turn a log of payments into renewals, the table the contract models learn from.

    Each calendar period with a payment is paid for. Who does not pay for a period has left at
    the end of the last one paid, as soon as that period and the periods of grace have ended. A
    later return is a new contract and does not count.

    Parameters
    ----------
    transactions : DataFrame
        One row per payment with ``customer_id`` and ``date``.
    period : str or list of dates
        Calendar period a payment covers, as in :func:`crmkit.churn.retention_table`.
    as_of : date-like, optional
        Last day observed, inclusive. The default is the last date in the log.
    grace_periods : int
        Unpaid periods in a row that do not end a contract.
    horizon_periods : int, optional
        Holds out so many periods after those that ended by `as_of`, and counts the renewals in
        them, for :func:`model_comparison` and :func:`forecast_table`.
    observed_until : date-like, optional
        Last day the log covers, inclusive, as in :func:`holdout_table`; with `horizon_periods`.
    refunds : {"keep", "drop", "raise"}
        As in :func:`purchase_table`.

    Returns
    -------
    pandas.DataFrame
        One row per customer whose first period has ended, sorted by ``customer_id``:

        * ``customer_id`` - as given.
        * ``cohort`` (datetime) - first day of the period of the first payment.
        * ``periods`` (int) - renewals so far; for who has left, the number of the period, from
          1, at whose end that happened.
        * ``churned`` (bool) - whether the customer has left.
        * ``period_unit`` (str) - what a period is, as `period` says it; models read it.
        * ``as_of`` (datetime) - last day of the last period that ended: from here models look
          ahead.
        * ``holdout_periods`` (int) - periods held out. Optional.
        * ``holdout_frequency`` (int) - renewals in them. Optional.

    Raises
    ------
    MissingColumnsError
        If a column is missing.
    InputError
        If no period has ended.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit import clv
    >>> log = pd.DataFrame({
    ...     "customer_id": ["ann", "ann", "ann", "bob"],
    ...     "date": pd.to_datetime(["2024-01-05", "2024-02-05", "2024-03-05", "2024-01-20"]),
    ... })
    >>> clv.contract_table(log, period="month", as_of="2024-03-31")
      customer_id     cohort  periods  churned period_unit      as_of
    0         ann 2024-01-01        2    False       month 2024-03-31
    1         bob 2024-01-01        1     True       month 2024-03-31
    """
    grace = check_number(grace_periods, "grace_periods")
    ahead = check_optional(horizon_periods, "horizon_periods") or 0
    calendar = read_period(period)
    log, active, closed = _periods(transactions, calendar, as_of, refunds, ahead, observed_until)
    ids, born = log.rows.customer_ids, active.day[active.first]
    paid = _paid_until(active, grace, len(ids))
    seen = active.until(closed)
    known = _paid_until(seen, grace, len(ids))
    churned = known + 1 + grace <= closed
    table = pd.DataFrame(
        {
            "customer_id": ids,
            "cohort": day_column(period_start(born, calendar)),
            "periods": known - born + churned,
            "churned": churned,
        }
    )
    if ahead:
        table["holdout_periods"] = ahead
        table["holdout_frequency"] = np.clip(paid - closed, 0, ahead)
    return log.noted(_ended(table, born <= closed, calendar, closed, log.account))


def _paid_until(active: PurchaseDays, grace: int, n: int) -> Ints:
    """Return the last period paid before a gap of more than `grace`, for each of n customers."""
    ends = np.diff(active.day, append=active.day[-1:]) > grace + 1
    ends[active.last] = True
    # The first end of each customer; reversed, so that the earliest assignment stays.
    position = np.flatnonzero(ends)[::-1]
    paid = np.zeros(n, dtype=np.int64)
    paid[active.customer[position]] = active.day[position]
    return paid


def _periods(
    transactions: Any,
    period: Calendar,
    as_of: Any,
    refunds: KeepDropOrRaise,
    ahead: int,
    observed_until: Any,
) -> tuple[PurchaseLog, PurchaseDays, int]:
    """Return the log, the periods bought in as its days, and the last period that ended.

    With periods `ahead` the log goes on for as many after it.
    """
    told = ahead or as_of is None
    log = read_until(transactions, observed_until) if told else read_log(transactions, as_of=as_of)
    check_refunds(log, refunds)
    number = period_of(log.rows.day, period)
    active = purchase_days(log.rows.customer, number, bought=log.bought)
    over = last_closed(log.rows.as_of, period)
    if not ahead:
        return log, active, over
    split = parse_day(as_of, "as_of")
    closed = last_closed(split, period)

    def last_day(number: int) -> int:
        return int(period_start(np.array([number + 1]), period)[0]) - 1

    check_covered(
        np.append(log.rows.day, log.rows.as_of),
        split,
        last_day(closed + ahead),
        observed_until=observed_until,
        latest=lambda last: last_day(last_closed(last, period) - ahead),
        less=lambda last: at_most("horizon_periods", last_closed(last, period) - closed),
    )
    return log, active, closed


def last_closed(day: int, period: Calendar) -> int:
    """Return the number of the last period that has ended by the end of a day."""
    return int(period_of(np.array([day + 1]), period)[0]) - 1


def _ended(
    table: pd.DataFrame, known: Bools, period: Calendar, closed: int, account: dict[str, float]
) -> pd.DataFrame:
    """Leave out customers whose first period has not ended; say what a period is, and till when."""
    if not known.any():
        raise EmptyLogError(
            f"`transactions` ends before the first {period} of any customer does. Choose a later "
            "`as_of` or a shorter `period`.",
            {ACCOUNT: account},
        )
    found: pd.DataFrame = table[known].reset_index(drop=True)
    place = len(found.columns) - 2 * ("holdout_periods" in found.columns)
    found.insert(place, "period_unit", period_words(period))
    last = period_start(np.array([closed + 1]), period) - 1
    found.insert(place + 1, "as_of", day_column(np.repeat(last, len(found))))
    return found
