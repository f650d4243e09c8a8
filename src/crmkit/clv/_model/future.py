"""How the time after T is measured, and what a model may say about it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from crmkit._checks import Problems, check_number, quoted
from crmkit._frames import day_numbers
from crmkit._periods import UNITS, days_later
from crmkit.clv._math.accounting import DAYS_PER_YEAR
from crmkit.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

    from crmkit._typing import Floats
    from crmkit.clv._math.law import Future

__all__ = ["check_horizon", "check_length", "check_rate", "daily_rate", "purchases_ahead"]

_THOUSAND_YEARS = 1_000.0 * DAYS_PER_YEAR


def check_length(length: Floats, column: str, *, most: float, do: str) -> None:
    """Refuse histories whose every period or purchase could not be written down."""
    problems = Problems("customers")
    problems.rows(length > most, f"column {column!r} is above {most:,.0f}", do=do)
    problems.raise_if_any()


def daily_rate(annual_discount_rate: float) -> float:
    """Return the continuous rate per day of an annual rate; 365 days are a year."""
    return math.log1p(annual_discount_rate) / DAYS_PER_YEAR


def check_horizon(horizon_days: float | str, customers: pd.DataFrame) -> float:
    """Return the horizon in days; it may be infinite, or words such as "6 months"."""
    if not isinstance(horizon_days, str):
        return float(check_number(horizon_days, "horizon_days", rule="days_ahead"))
    number, _, unit = horizon_days.strip().partition(" ")
    unit = unit.strip().removesuffix("s")
    if not number.isdecimal() or len(number) > 4 or unit not in UNITS:
        raise InputError(
            "`horizon_days` must be a number of days or words such as '6 months' or '1 year'; "
            f"got {quoted(horizon_days)}."
        )
    if "as_of" not in customers.columns:
        raise InputError(
            f"`horizon_days` is {horizon_days!r}, whose days depend on where they begin, and "
            "`customers` has no column 'as_of' that says it. Add it, or give days."
        )
    problems = Problems("customers")
    days = np.unique(day_numbers(customers["as_of"], problems, "as_of"))
    problems.raise_if_any()
    if days.size > 1:
        raise InputError("`customers`: column 'as_of' must be the same day in all rows.")
    return float((days_later(days, int(number), unit) - days).sum())


def check_rate(annual_discount_rate: float) -> float:
    """Return the continuous daily rate of an annual one."""
    return daily_rate(check_number(annual_discount_rate, "annual_discount_rate", rule="rate_ahead"))


def purchases_ahead(future: Future, days: float, rate: float = 0.0) -> Floats:
    """Return expected purchases, or say in words that no number means anything.

    Over an infinite time without discounting, a mean of which most lies beyond a thousand years
    is as good as infinite: it tells where the search for rare dropout happened to stop.
    """
    value = future.expected(days, rate)
    told = value
    if math.isinf(days) and rate == 0.0:
        told = np.where(future.expected(_THOUSAND_YEARS) >= value / 2.0, value, np.inf)
    if not np.isfinite(told).all():
        raise InputError(
            f"`horizon_days` {days}: the fitted model gives no finite expectation over so long a "
            "time, or puts most of it beyond a thousand years, because dropout is too rare or "
            "becomes ever rarer. Choose a finite horizon, or give an annual_discount_rate."
        )
    return value
