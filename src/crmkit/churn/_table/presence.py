"""In which calendar periods each customer was active."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from crmkit._checks import check_choice, check_number
from crmkit._frames import read_transactions
from crmkit._periods import PERIODS, period_of
from crmkit.churn._math.cohorts import distinct_pairs

if TYPE_CHECKING:
    from crmkit._frames import Log
    from crmkit._typing import Ints


__all__ = ["Presence", "read_presence", "run_length"]

KINDS = ("exact", "unbounded", "rolling")


@dataclass(frozen=True, slots=True)
class Presence:
    """Distinct pairs of customer and period, numbered from the log's first period.

    ``row_period`` has one entry per row of the log; ``customer`` and ``period`` have shape (m,),
    sorted; ``cohort`` is each customer's first period. ``n_complete`` periods have ended by the
    log's last day, the next may be in progress.
    """

    log: Log
    row_period: Ints
    customer: Ints
    period: Ints
    cohort: Ints
    first_number: int
    n_complete: int


def run_length(kind: str, window_periods: int) -> int | None:
    """Return for how many periods one activity counts; None means up to the last activity."""
    check_choice(kind, "kind", KINDS)
    length = int(check_number(window_periods, "window_periods"))
    return {"exact": 1, "rolling": length, "unbounded": None}[kind]


def read_presence(transactions: Any, period: str, as_of: Any, columns: list[str]) -> Presence:
    """Read the log and find in which periods each customer was active."""
    check_choice(period, "period", PERIODS)
    log = read_transactions(transactions, needs=columns, optional=("amount",), as_of=as_of)
    reach = np.array([log.day.min(), log.day.max(), log.as_of + 1])
    low, high, running = (int(number) for number in period_of(reach, period))
    number = period_of(log.day, period, since=low)
    shape = (log.n_customers, high - low + 1)
    customer, present, _ = distinct_pairs(log.customer, number, shape=shape)
    first = np.flatnonzero(np.r_[True, customer[1:] != customer[:-1]])
    return Presence(log, number, customer, present, present[first], low, running - low)
