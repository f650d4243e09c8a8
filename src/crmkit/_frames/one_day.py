"""One day as an argument: read in full or refused, never guessed and never off the clock."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import numpy as np

from crmkit._checks import quoted
from crmkit._frames.dates import is_far
from crmkit.errors import InputError

__all__ = ["parse_day"]

_FULL = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})([T ][0-9:.,]+ ?(Z|[+-][0-9]{2}(:?[0-9]{2})?)?)?")
# How people write a day when they do not write it in full, separators made one.
_FORMS = (
    *("%d %m %Y", "%m %d %Y", "%Y %m %d", "%Y %d %m", "%d %m %y", "%m %d %y", "%y %m %d"),
    *("%d %b %Y", "%d %B %Y", "%b %d %Y", "%B %d %Y", "%d %b %y", "%Y%m%d", "%d%m%Y", "%m%d%Y"),
)


def parse_day(value: Any, name: str) -> int:
    """Return one date, in full ISO form or date-like, as a day number.

    The day is that of the clock it was written by. Anything else is refused with the readings it
    could have, because 09/12/2011 is September to one half of the world.
    """
    day = _from_text(value) if isinstance(value, str) else _from_object(value)
    if day is None:
        raise InputError(
            f"`{name}` must be a date such as '2025-06-30'; got {quoted(value)}.{_readings(value)}"
        )
    number = int(np.datetime64(day, "D").astype(np.int64))
    if is_far(np.array([number])).any():
        raise InputError(f"`{name}` must lie in the years 1678 to 2261; got {quoted(value)}.")
    return number


def _from_text(text: str) -> dt.date | None:
    """Return the date of text in full ISO form, with or without a time."""
    found = _FULL.fullmatch(text.strip())
    try:
        return found and dt.datetime.fromisoformat(found[0]).date()
    except ValueError:
        return None


def _from_object(value: Any) -> Any:
    """Return a date-like object as something that numpy reads as a day, or None."""
    if isinstance(value, np.datetime64):
        # A year or a month is no day.
        whole = not np.isnat(value) and np.datetime_data(value.dtype)[0] not in ("Y", "M", "W")
        return value if whole else None
    if isinstance(value, dt.datetime):
        # pandas' NaT is a datetime without a date.
        return value.replace(tzinfo=None).date() if value == value else None  # noqa: PLR0124
    return value if isinstance(value, dt.date) else None


def _readings(value: Any) -> str:
    """Say which days a value could mean."""
    text = str(value).strip() if isinstance(value, (str, int, np.integer)) else ""
    if text.lower() in ("today", "now", "yesterday", "tomorrow"):
        return " The clock is never read: write the day."
    plain = re.sub(r"[\s,/.\-]+", " ", text[:40])
    found = []
    for form in _FORMS:
        try:
            day = dt.datetime.strptime(plain, form).date()
        except ValueError:
            continue
        if 1900 <= day.year < 2200 and day not in found:
            found.append(day)
    if not found:
        return ""
    meant = " or ".join(f"{day.day} {day:%B %Y}" for day in found[:3])
    return f" It could mean {meant}: write {' or '.join(f'{day}' for day in found[:3])}."
