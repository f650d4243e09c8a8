"""Calendar periods as whole numbers, so that periods can be counted, subtracted and shifted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from crmkit._typing import Ints


__all__ = ["Period", "day_text", "months_later", "period_of", "period_start"]

Period = Literal["day", "week", "month", "quarter", "year"]

# Months in one period; days and weeks have no months and are counted in days instead.
_MONTHS = {"month": 1, "quarter": 3, "year": 12}
_DAYS = {"day": 1, "week": 7}

# 1970-01-01, day 0, was a Thursday; weeks begin on Monday as in ISO 8601.
_MONDAY = {"day": 0, "week": 3}


def day_text(day: int) -> str:
    """Write a day, a number since 1970-01-01, as people do: 2025-06-30."""
    return str(np.datetime64(int(day), "D"))


def period_of(day: Ints, period: str, *, since: int = 0) -> Ints:
    """Return the number, from `since` on, of the period that holds each day, shape (n,).

    A log has many rows and few days, so the calendar is worked out once per day of its span.
    """
    if not day.size:
        return np.zeros(0, dtype=np.int64)
    # Entry d of this calendar is day d; days before 1970 stand, as d counts, from its end.
    low, high = min(int(day.min()), 0), max(int(day.max()), -1)
    calendar = np.r_[np.arange(high + 1), np.arange(low, 0)]
    if period in _DAYS:
        numbers = (calendar + _MONDAY[period]) // _DAYS[period]
    else:
        months = calendar.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
        numbers = months // _MONTHS[period]
    return (numbers - since)[day]


def period_start(number: Ints, period: str) -> Ints:
    """Return the first day, since 1970-01-01, of each numbered period, shape (m,)."""
    if period in _DAYS:
        return number * _DAYS[period] - _MONDAY[period]
    months = (number * _MONTHS[period]).astype("datetime64[M]")
    return months.astype("datetime64[D]").astype(np.int64)


def months_later(day: Ints, months: Ints) -> Ints:
    """Return the same day of the month so many months later, shape (n,).

    Where that month has no such day, as 30 February, it is the month's last.
    """
    month = day.astype("datetime64[D]").astype("datetime64[M]")
    later = month + months
    last = (later + 1).astype("datetime64[D]").astype(np.int64) - 1
    within = day - month.astype("datetime64[D]").astype(np.int64)
    return np.minimum(later.astype("datetime64[D]").astype(np.int64) + within, last)
