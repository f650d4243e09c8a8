"""Which purchases stay once refunds are booked, what those are worth, and what they earn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from crmkit._log import PurchaseDays
    from crmkit._typing import Floats

__all__ = ["kept_columns", "margin_columns"]

# What rounding leaves of an amount that was given back, as a share of the customer's largest.
_NOTHING = 1e-9


def kept_columns(days: PurchaseDays, *, logs: bool) -> dict[str, NDArray[Any]]:
    """Return how many purchases stay and, on request, moments of their logs; shape (n,)."""
    if not days.first.size:
        empty = {"kept_purchases": np.zeros(0, dtype=np.int64)}
        return empty | dict.fromkeys(["log_amount_mean", "log_amount_std"] * logs, np.zeros(0))
    amount, first, count = _settled(days), days.first, days.count
    largest = np.maximum.reduceat(np.abs(amount), first)
    # Of who gave back more than all that the log has, for what was bought before it, nothing stays.
    stays = amount > np.repeat(_NOTHING * largest, count)
    stays &= np.repeat(np.add.reduceat(amount, first) > _NOTHING * largest, count)
    kept = np.add.reduceat(stays.astype(np.int64), first)
    if not logs:
        return {"kept_purchases": kept}
    log = np.log(np.where(stays, amount, 1.0))
    mean = np.add.reduceat(log, first) / np.maximum(kept, 1)
    off = np.where(stays, log - np.repeat(mean, count), 0.0)
    spread = np.sqrt(np.add.reduceat(off**2, first) / np.maximum(kept, 1))
    return {"kept_purchases": kept, "log_amount_mean": mean, "log_amount_std": spread}


def margin_columns(days: PurchaseDays, cost: Floats) -> dict[str, NDArray[Any]]:
    """Return what share of amounts was earned, how far days lie off, and how many tell it; (n,).

    `cost`, shape (m,), is that of each day. With p the day's share of the customer's amounts, the
    variance of a day is ``sum p off^2 / (1 - sum p^2)``, and ``1 / sum p^2`` days of one amount
    would tell as much as these do.
    """
    if not days.first.size:
        return dict.fromkeys(["margin", "margin_std", "margin_orders"], np.zeros(0))
    assert days.amount is not None
    first, count = days.first, days.count
    total = np.add.reduceat(days.amount, first)
    total = np.where(total > 0.0, total, np.nan)
    margin = 1.0 - np.add.reduceat(cost, first) / total
    stays = days.amount > 0.0
    amount = np.where(stays, days.amount, 0.0)
    share = amount / np.repeat(np.add.reduceat(amount, first), count).clip(1e-300)
    off = np.divide(days.amount - cost, days.amount, out=np.zeros_like(amount), where=stays)
    off -= np.repeat(margin, count)
    spread, alike = (np.add.reduceat(share * one, first) for one in (off**2, share))
    more = alike < 1.0 - 1e-9
    variance = np.divide(spread, 1.0 - alike, out=np.zeros_like(alike), where=more)
    told = np.where(np.isnan(margin), 0.0, 1.0 / alike.clip(1e-300))
    return {
        "margin": margin,
        "margin_std": np.sqrt(np.nan_to_num(variance)),
        "margin_orders": told,
    }


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
