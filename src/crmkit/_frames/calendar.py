"""What `period` says: a word, or the first days of periods of one's own."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._checks import check_choice
from crmkit._frames.one_day import parse_day
from crmkit._periods import MONTHS, PERIODS, WEEKDAYS, Calendar, day_text
from crmkit.errors import InputError

if TYPE_CHECKING:
    from crmkit._periods import Period

__all__ = ["period_words", "read_period"]


def read_period(period: Period) -> Calendar:
    """Return `period` checked: whole days, weeks, months, quarters or years, or given periods."""
    if isinstance(period, (Sequence, np.ndarray, pd.Series, pd.Index)) and not isinstance(
        period, (str, bytes)
    ):
        return _given(list(period))
    if isinstance(period, str) and "/" in period:
        return _given(period.split("/"))
    unit, _, begin = check_choice(period, "period", PERIODS).partition("-")
    if unit == "week":
        # 1970-01-01, day 0, was a Thursday.
        return Calendar(unit, WEEKDAYS.index(begin or "monday") - WEEKDAYS.index("thursday"))
    return Calendar(unit, MONTHS.index(begin or "january"))


def period_words(calendar: Calendar) -> str:
    """Return what `read_period` reads as the same calendar; first days stand between slashes."""
    if calendar.first_days:
        return "/".join(day_text(day) for day in calendar.first_days)
    if calendar.unit == "week":
        begin = WEEKDAYS[(calendar.shift + WEEKDAYS.index("thursday")) % 7]
        return calendar.unit if begin == "monday" else f"{calendar.unit}-{begin}"
    return f"{calendar.unit}-{MONTHS[calendar.shift]}" if calendar.shift else calendar.unit


def _given(period: list[Any]) -> Calendar:
    """Return a calendar of given first days."""
    days = [parse_day(day, "period") for day in period]
    if len(days) < 2:
        raise InputError(
            "`period` must hold the first days of two periods at least: the last one given says "
            "where the one before it ends."
        )
    for before, day in pairwise(days):
        if day <= before:
            raise InputError(
                f"`period` must hold first days of periods in their order, but {day_text(day)} "
                f"follows {day_text(before)}. Sort them and drop repeated ones."
            )
    return Calendar("period", first_days=tuple(days))
