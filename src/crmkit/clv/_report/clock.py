"""Repeat purchases on a clock of days, or of calendar periods."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from crmkit._frames import period_words, read_period
from crmkit._log import purchase_days
from crmkit._periods import period_of, period_start
from crmkit.clv._table.periods import last_closed
from crmkit.errors import InputError

if TYPE_CHECKING:
    from crmkit._log import PurchaseDays
    from crmkit._periods import Calendar, Period
    from crmkit._typing import Ints
    from crmkit.clv._model.periods import PeriodModel

__all__ = ["Clock", "calendar_of", "in_days", "in_periods"]


@dataclass(frozen=True, slots=True)
class Clock:
    """Repeat purchases on a clock whose ticks are days or calendar periods.

    ``first`` (n,) is when each customer came; ``buyer`` and ``bought`` (m,) tell who bought again
    and when. Periods of the table end at ticks ``ends``, on days ``last_day`` (k,).
    """

    first: Ints
    buyer: Ints
    bought: Ints
    ends: Ints
    last_day: Ints
    split: int
    tick_days: float


def in_days(days: PurchaseDays, split: int, end: int, length: int) -> Clock:
    """Count days, in periods of some days that end at the split."""
    first = days.day[days.first]
    before = -(-(split - int(first.min()) + 1) // length)
    after = -(-(end - split) // length)
    ends = np.minimum(split + length * np.arange(1 - before, after + 1), end)
    return Clock(first, *_repeats(days), ends, ends, split, 1.0)


def in_periods(
    days: PurchaseDays, split: int, end: int, period: Calendar, model: PeriodModel
) -> Clock:
    """Count calendar periods that have ended, those after the split as held out."""
    active = purchase_days(days.customer, period_of(days.day, period))
    first, last = active.day[active.first], last_closed(end, period)
    ends = np.arange(int(first.min()) + 1, last + 1)
    if not ends.size:
        raise InputError(f"`transactions` has no {period} that ended after a first purchase.")
    if "churned" in model._columns:
        # Who pays again after a gap has a new contract.
        place = np.arange(active.day.size) - np.repeat(active.first, active.count)
        run = active.day - np.repeat(active.day[active.first], active.count) == place
        active = purchase_days(active.customer[run], active.day[run])
    buyer, bought = _repeats(active)
    over = bought <= last
    tick = model._period()
    return Clock(
        first,
        buyer[over],
        bought[over],
        ends,
        period_start(ends + 1, period) - 1,
        last_closed(split, period),
        tick,
    )


def calendar_of(model: PeriodModel, period: Period | None) -> Calendar:
    """Return the periods that the model counts in."""
    if model.period_ is None:
        return read_period(period or "")
    if period is not None and period_words(read_period(period)) != model.period_:
        raise InputError(f"`period` is {period!r}, but the model counts in {model.period_!r}.")
    return read_period(model.period_)


def _repeats(days: PurchaseDays) -> tuple[Ints, Ints]:
    """Return who bought again and when, each of shape (m,); customers are numbered through."""
    buyer = np.repeat(np.arange(days.first.size), days.count)
    return buyer[days.repeat], days.day[days.repeat]
