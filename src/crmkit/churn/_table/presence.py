"""In which calendar periods each customer was active."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from crmkit._checks import check_choice, check_number
from crmkit._log import PurchaseDays, PurchaseLog, purchase_days, read_log
from crmkit._periods import period_of

if TYPE_CHECKING:
    from crmkit._periods import Calendar
    from crmkit._typing import Ints


__all__ = ["Presence", "read_presence", "run_length"]

Activity = Literal["exact", "unbounded", "rolling"]


@dataclass(frozen=True, slots=True)
class Presence:
    """In which periods customers bought, numbered from that of the first purchase.

    ``row_period`` has one entry per row of the log; ``active`` holds periods as its days, and
    ``cohort`` is each customer's first. ``n_complete`` periods have ended by the log's last day,
    the next may be in progress.
    """

    log: PurchaseLog
    row_period: Ints
    active: PurchaseDays
    first_number: int
    n_complete: int

    @property
    def cohort(self) -> Ints:
        """The period of each customer's first purchase, shape (n,)."""
        return self.active.day[self.active.first]


def run_length(activity: Activity, window_periods: int) -> int | None:
    """Return for how many periods one activity counts; None means up to the last activity."""
    check_choice(activity, "activity", Activity)
    length = int(check_number(window_periods, "window_periods"))
    return {"exact": 1, "rolling": length, "unbounded": None}[activity]


def read_presence(transactions: Any, period: Calendar, as_of: Any, columns: list[str]) -> Presence:
    """Read the log and find in which periods each customer was active."""
    log = read_log(transactions, needs=columns, as_of=as_of)
    rows = log.rows
    first_day = rows.day.min() if log.bought is None else rows.day[log.bought].min()
    reach = np.array([first_day, rows.as_of + 1])
    low, running = (int(number) for number in period_of(reach, period))
    number = period_of(rows.day, period, since=low)
    active = purchase_days(rows.customer, number, bought=log.bought)
    return Presence(log, number, active, low, running - low)
