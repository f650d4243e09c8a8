"""Which purchases stay once refunds are booked, and what those are worth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from crmkit._log import PurchaseDays
    from crmkit._typing import Floats

__all__ = ["kept_columns"]

# What rounding leaves of an amount that was given back, as a share of the customer's largest.
_NOTHING = 1e-9


def kept_columns(days: PurchaseDays, *, logs: bool) -> dict[str, NDArray[Any]]:
    """Return how many purchases stay and, on request, moments of their logs; shape (n,)."""
    if not days.first.size:
        empty = {"kept_purchases": np.zeros(0, dtype=np.int64)}
        return empty | dict.fromkeys(["log_amount_mean", "log_amount_std"] * logs, np.zeros(0))
    amount, first, count = _settled(days), days.first, days.count
    largest = np.maximum.reduceat(np.abs(amount), first)
    stays = amount > np.repeat(_NOTHING * largest, count)
    kept = np.add.reduceat(stays.astype(np.int64), first)
    if not logs:
        return {"kept_purchases": kept}
    log = np.log(np.where(stays, amount, 1.0))
    mean = np.add.reduceat(log, first) / np.maximum(kept, 1)
    off = np.where(stays, log - np.repeat(mean, count), 0.0)
    spread = np.sqrt(np.add.reduceat(off**2, first) / np.maximum(kept, 1))
    return {"kept_purchases": kept, "log_amount_mean": mean, "log_amount_std": spread}


def _settled(days: PurchaseDays) -> Floats:
    """Return the amounts, what a refund takes beyond its day's amount taken off the days before.

    A refund is booked on the last purchase day before it and may be of an earlier purchase. What
    is left to give back on a customer's first day is of a purchase before the log.
    """
    assert days.amount is not None
    again = days.repeat
    short = np.flatnonzero((days.amount < 0.0) & again)
    if not short.size:
        return days.amount
    amount = days.amount.copy()
    while short.size:
        owed = amount[short]
        amount[short] = 0.0
        amount[short - 1] += owed
        before = short - 1
        short = before[(amount[before] < 0.0) & again[before]]
    return amount
