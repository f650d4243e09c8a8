"""Who counts as a customer from which day until which: from transactions, or from contracts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from crmkit._log import purchase_days
from crmkit._money import decimal_units
from crmkit._periods import period_of, period_start
from crmkit.churn._math.rates import PAID, Spells, growth_moves, seen_periods, standing

if TYPE_CHECKING:
    from crmkit._log import PurchaseLog
    from crmkit._periods import Calendar
    from crmkit._typing import Bools, Floats, Ints
    from crmkit.churn._math.rates import Moves, Standing
    from crmkit.churn._table.contracts import Contracts


__all__ = ["Accounts", "DaySpells", "activity_spells", "contract_spells"]


@dataclass(frozen=True, slots=True)
class DaySpells:
    """Spells of customers from day ``start`` until before day ``until``; arrays of shape (n,).

    ``state`` is PAID, PAUSED or TRIAL, ``tried`` has one entry per customer. ``value`` is None
    where no money is known; ``tried`` and ``reason`` where spells are no contracts, or have none.
    """

    customer: Ints
    start: Ints
    until: Ints
    state: Ints
    value: Floats | None
    reason: Ints | None
    reasons: list[str]
    tried: Bools | None
    as_of: int
    grace: int
    account: dict[str, float]

    def compared(self, ends: Ints, span: int) -> Accounts:
        """Compare the days `ends`, each with the one `span` before it."""
        first, last = seen_periods(self.start, self.until, ends)
        value, scale = (None, 1.0) if self.value is None else decimal_units(self.value)
        spells = Spells(self.customer, first, last, self.state, value, self.reason)
        if self.reason is not None:
            spells = spells.take(np.argsort(self.until, kind="stable"))
        now = standing(spells, n_periods=ends.size)
        moves = growth_moves(now, spells, n_periods=ends.size, span=span)
        return Accounts(now, moves, span, scale, self.reasons, self.tried)


@dataclass(frozen=True, slots=True)
class Accounts:
    """How customers stand in each period and how they moved; money in units, `scale` of them one.

    ``reasons`` and ``tried`` are those of the spells.
    """

    now: Standing
    moves: Moves
    span: int
    scale: float
    reasons: list[str]
    tried: Bools | None


def activity_spells(log: PurchaseLog, period: Calendar, window_days: int | None) -> DaySpells:
    """Return activity in transactions as spells, one per customer and period, or day."""
    rows = log.rows
    number = rows.day if window_days is not None else period_of(rows.day, period)
    amount = rows.amount if rows.has("amount") else None
    active = purchase_days(rows.customer, number, amount, log.bought)
    if window_days is not None:
        start, until = active.day, active.day + window_days
    else:
        # Many rows, few periods: each is worked out once.
        low = int(active.day.min())
        first_days = period_start(np.arange(low, int(active.day.max()) + 2), period)
        start, until = first_days[active.day - low], first_days[active.day - low + 1]
    return DaySpells(
        customer=active.customer,
        start=start,
        until=until,
        state=np.full(start.size, PAID),
        value=active.amount,
        reason=None,
        reasons=[],
        tried=None,
        as_of=rows.as_of,
        grace=0,
        account=log.account,
    )


def contract_spells(book: Contracts) -> DaySpells:
    """Return contracts as spells."""
    return DaySpells(
        customer=book.customer,
        start=book.start,
        until=book.until,
        state=book.state,
        value=book.value,
        reason=book.reason,
        reasons=book.reasons,
        tried=book.tried,
        as_of=book.as_of,
        grace=book.grace,
        account=book.account,
    )
