"""What a purchase model says about the time after T, and how that time is measured."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Protocol

import numpy as np

from crmkit._checks import Problems, check_number
from crmkit.clv._math.accounting import DAYS_PER_YEAR
from crmkit.errors import InputError

if TYPE_CHECKING:
    from crmkit._typing import Floats

__all__ = ["Future", "check_horizon", "check_length", "check_rate", "daily_rate", "purchases_ahead"]

_THOUSAND_YEARS = 1_000.0 * DAYS_PER_YEAR


class Future(Protocol):
    """What a model says about customers' behaviour after T, arrays of shape (n,)."""

    @property
    def p_alive(self) -> Floats:
        """P(alive at T)."""

    def survival(self, days: float) -> Floats:
        """Return P(alive at T + days)."""

    def expected(self, days: float, rate: float = 0.0) -> Floats:
        """Return expected purchases in (T, T + days], discounted at `rate` per day."""

    def at_least(self, days: float, counts: Floats) -> Floats:
        """Return P(at least `counts` purchases in (T, T + days]), shape (n, m)."""

    def exactly(self, days: float, counts: Floats) -> Floats:
        """Return P(`counts` purchases in (T, T + days]), shape (n, m)."""


def check_length(length: Floats, column: str, *, most: float = _THOUSAND_YEARS, do: str) -> None:
    """Refuse histories whose every period or purchase could not be written down."""
    problems = Problems("customers")
    problems.rows(length > most, f"column {column!r} is above {most:,.0f}", do=do)
    problems.raise_if_any()


def daily_rate(annual_discount_rate: float) -> float:
    """Return the continuous rate per day of an annual rate; 365 days are a year."""
    return math.log1p(annual_discount_rate) / DAYS_PER_YEAR


def check_horizon(horizon_days: float) -> float:
    """Return the horizon; it may be infinite."""
    return float(check_number(horizon_days, "horizon_days", rule="days_ahead"))


def check_rate(annual_discount_rate: float) -> float:
    """Return the continuous daily rate of an annual one."""
    return daily_rate(check_number(annual_discount_rate, "annual_discount_rate", rule="rate_ahead"))


def purchases_ahead(future: Future, days: float, rate: float = 0.0) -> Floats:
    """Return expected purchases, or say in words that no number means anything.

    Over an infinite time without discounting, a mean of which most lies beyond a thousand years
    is as good as infinite: it tells where the search for rare dropout happened to stop.
    """
    value = future.expected(days, rate)
    told = value
    if math.isinf(days) and rate == 0.0:
        told = np.where(future.expected(_THOUSAND_YEARS) >= value / 2.0, value, np.inf)
    if not np.isfinite(told).all():
        raise InputError(
            f"`horizon_days` {days}: the fitted model gives no finite expectation over so long a "
            "time, or puts most of it beyond a thousand years, because dropout is too rare or "
            "becomes ever rarer. Choose a finite horizon, or give an annual_discount_rate."
        )
    return value
