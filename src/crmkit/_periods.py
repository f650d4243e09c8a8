"""Calendar periods as whole numbers, so that periods can be counted, subtracted and shifted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from crmkit.errors import InputError

if TYPE_CHECKING:
    from crmkit._typing import Ints


__all__ = [
    "MONTHS",
    "PERIODS",
    "UNITS",
    "WEEKDAYS",
    "Calendar",
    "Period",
    "day_text",
    "days_later",
    "days_of_period",
    "months_later",
    "period_of",
    "period_start",
    "periods_since",
]

# What is given as `period`: a word, or the first days of periods of one's own.
Period: TypeAlias = str | Sequence[Any]

# Months in one period; days and weeks have no months and are counted in days instead.
_MONTHS = {"month": 1, "quarter": 3, "year": 12}
_DAYS = {"day": 1, "week": 7}
UNITS = (*_DAYS, *_MONTHS)
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MONTHS = (
    *("january", "february", "march", "april", "may", "june", "july"),
    *("august", "september", "october", "november", "december"),
)
# Every word that names periods; weeks begin on Monday as in ISO 8601 and years in January, unless
# the word says otherwise.
PERIODS = (
    *("day", "week", "month", "quarter", "year"),
    *(f"week-{day}" for day in WEEKDAYS),
    *(f"{unit}-{month}" for unit in ("quarter", "year") for month in MONTHS),
)


@dataclass(frozen=True, slots=True)
class Calendar:
    """Periods by word or, of unit "period", by their first days, ascending.

    ``shift`` is how many days after Thursday (1970-01-01, day 0) a week begins, or how many months
    after January a year. The last of ``first_days`` only says where the period before it ends.
    """

    unit: str
    shift: int = 0
    first_days: tuple[int, ...] = ()

    def __str__(self) -> str:
        """Return the unit, as it stands in sentences."""
        return self.unit


def day_text(day: int) -> str:
    """Write a day, a number since 1970-01-01, as people do: 2025-06-30."""
    return str(np.datetime64(int(day), "D"))


def period_of(day: Ints, period: Calendar, *, since: int = 0) -> Ints:
    """Return the number, from `since` on, of the period that holds each day, shape (n,).

    A log has many rows and few days, so the calendar is worked out once per day of its span.
    """
    if not day.size:
        return np.zeros(0, dtype=np.int64)
    # Entry d of this calendar is day d; days before 1970 stand, as d counts, from its end.
    low, high = min(int(day.min()), 0), max(int(day.max()), -1)
    calendar = np.r_[np.arange(high + 1), np.arange(low, 0)]
    if period.first_days:
        _check_within(period, int(day.min()), int(day.max()))
        first = np.array(period.first_days, dtype=np.int64)
        place = np.searchsorted(first, calendar, side="right")
        numbers = np.asarray(place, dtype=np.int64) - 1
    elif period.unit in _DAYS:
        numbers = (calendar - period.shift) // _DAYS[period.unit]
    else:
        numbers = (_month(calendar) - period.shift) // _MONTHS[period.unit]
    return (numbers - since)[day]


def period_start(number: Ints, period: Calendar) -> Ints:
    """Return the first day, since 1970-01-01, of each numbered period, shape (m,)."""
    if period.first_days:
        first = np.array(period.first_days)
        if number.size and int(number.max()) >= first.size:
            raise InputError(_ends_early(period))
        return first[number]
    if period.unit in _DAYS:
        return number * _DAYS[period.unit] + period.shift
    return _first_of_month(number * _MONTHS[period.unit] + period.shift)


def periods_since(first: Ints, day: Ints, period: Calendar) -> Ints:
    """Return how many whole periods lie between two days, of any weekday or day of the month."""
    if period.unit in _DAYS:
        return (day - first) // _DAYS[period.unit]
    months = _month(day) - _month(first)
    months -= months_later(first, months) > day
    return months // _MONTHS[period.unit]


def days_of_period(period: Calendar) -> float:
    """Return how long a period is on average, over four hundred years or over those given."""
    if period.first_days:
        return (period.first_days[-1] - period.first_days[0]) / (len(period.first_days) - 1)
    if period.unit in _DAYS:
        return float(_DAYS[period.unit])
    return 146_097.0 / 4_800.0 * _MONTHS[period.unit]


def _check_within(period: Calendar, low: int, high: int) -> None:
    """Refuse days that lie outside the given periods."""
    if low < period.first_days[0]:
        raise InputError(
            f"`period` begins on {day_text(period.first_days[0])}, but the table on "
            f"{day_text(low)}. Add the first days of earlier periods."
        )
    if high > period.first_days[-1]:
        raise InputError(_ends_early(period))


def _ends_early(period: Calendar) -> str:
    """Say that periods are missing at the end."""
    return (
        f"`period`: its last day {day_text(period.first_days[-1])} begins a period whose end is "
        "not given, and the table reaches into it. Add the first days of later periods."
    )


def _month(day: Ints) -> Ints:
    """Return the month of each day, a number since January 1970."""
    return day.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)


def _first_of_month(month: Ints) -> Ints:
    """Return the first day of each month, a number since January 1970."""
    return month.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)


def months_later(day: Ints, months: Ints) -> Ints:
    """Return the same day of the month so many months later, shape (n,).

    Where that month has no such day, as 30 February, it is the month's last.
    """
    month = _month(day)
    last = _first_of_month(month + months + 1) - 1
    return np.minimum(_first_of_month(month + months) + day - _first_of_month(month), last)


def days_later(day: Ints, number: int, unit: str) -> Ints:
    """Return the day so many days, weeks, months, quarters or years later, shape (n,).

    Months end where they end: six months after 31 December are 30 June.
    """
    if unit in _DAYS:
        return day + number * _DAYS[unit]
    return months_later(day, np.full(day.shape, number * _MONTHS[unit]))
