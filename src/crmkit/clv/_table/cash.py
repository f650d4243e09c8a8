"""Dated cash flows and what they are worth today."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pandas as pd

from crmkit._checks import check_choice, check_number
from crmkit._frames import parse_day, read_transactions
from crmkit.clv._math.accounting import day_count_years, discount_factor

__all__ = ["net_present_value"]

DayCount = Literal["actual/365", "actual/360", "actual/actual", "30/360"]


def net_present_value(
    cash_flows: Any,
    *,
    annual_discount_rate: float,
    as_of: Any,
    day_count: DayCount = "actual/365",
) -> pd.DataFrame:
    """Value dated cash flows of each customer on one day.

    Money in is positive, money out (acquisition, service, refunds) negative. Every flow counts:
    later ones are discounted to `as_of`, earlier ones compounded forward to it.

    Parameters
    ----------
    cash_flows : DataFrame
        One row per flow with ``customer_id``, ``date`` and ``amount``; dates may lie in the
        future.
    annual_discount_rate : float
        Rate per year, such as 0.10; above -1.
    as_of : date-like
        Day of the valuation.
    day_count : {"actual/365", "actual/360", "actual/actual", "30/360"}
        How days become years. ``"actual/365"`` is spreadsheets' XNPV; ``"actual/actual"`` gives
        each day its share of its own calendar year; ``"30/360"`` counts months of 30 days.

    Returns
    -------
    pandas.DataFrame
        One row per customer, sorted by ``customer_id``:

        * ``customer_id`` - as given.
        * ``net_present_value`` (float) - value on `as_of`, amount.

    Raises
    ------
    MissingColumnsError
        If a column is missing.
    InputError
        If a date or an amount is missing or not finite, or the rate is -1 or less.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit import clv
    >>> flows = pd.DataFrame({
    ...     "customer_id": ["ann", "ann", "ann"],
    ...     "date": pd.to_datetime(["2025-01-01", "2026-01-01", "2027-01-01"]),
    ...     "amount": [-100.0, 110.0, 121.0],
    ... })
    >>> clv.net_present_value(flows, annual_discount_rate=0.10, as_of="2025-01-01").round(2)
      customer_id  net_present_value
    0         ann              100.0
    """
    rate = check_number(annual_discount_rate, "annual_discount_rate")
    check_choice(day_count, "day_count", DayCount)
    start = parse_day(as_of, "as_of")
    log = read_transactions(cash_flows, needs=("customer_id", "date", "amount"), name="cash_flows")
    factor = discount_factor(day_count_years(start, log.day, day_count), rate)
    value = np.bincount(log.customer, weights=log.amount * factor, minlength=log.n_customers)
    return pd.DataFrame({"customer_id": log.customer_ids, "net_present_value": value})
