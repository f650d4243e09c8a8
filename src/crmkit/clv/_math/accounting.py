"""Accounting value: what a customer is worth by arithmetic, without a purchase model.

Arrays in, arrays out; shapes broadcast. Rates are per period, times are in periods.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from crmkit._typing import Floats, Ints

__all__ = [
    "day_count_years",
    "discount_factor",
    "geometric_sum",
    "margin_multiple",
    "mean_cumulative",
    "period_rate",
    "tapk_value",
    "year_month_day",
]


DAYS_PER_YEAR = 365.0
"""Days in the year of every annual rate, so that a horizon of 365 days is one year."""


def tapk_value(
    transactions: Floats,
    items_per_transaction: Floats,
    price: Floats,
    item_cost: Floats,
    acquisition_cost: Floats,
) -> tuple[Floats, Floats]:
    """Sales ``T * A * price`` and value ``T * A * (price - cost) - K``, each of shape (n,)."""
    items = transactions * items_per_transaction
    return items * price, items * (price - item_cost) - acquisition_cost


def period_rate(annual_rate: float, period_days: float) -> float:
    """Rate per period of `period_days` that compounds to `annual_rate` in 365 days."""
    return float(np.expm1(np.log1p(annual_rate) * period_days / DAYS_PER_YEAR))


def discount_factor(years: ArrayLike, annual_rate: float) -> Floats:
    """``(1 + annual_rate) ** -years``; negative years compound past amounts forward."""
    factor: Floats = np.exp(-np.log1p(annual_rate) * np.asarray(years, dtype=np.float64))
    return factor


def year_month_day(day: Ints) -> tuple[Ints, Ints, Ints]:
    """Calendar year, month (1 to 12) and day of the month of days since 1970-01-01."""
    date = day.astype("datetime64[D]")
    month = date.astype("datetime64[M]")
    months = month.astype(np.int64)
    of_month = (date - month).astype(np.int64) + 1
    return months // 12 + 1970, months % 12 + 1, of_month


def _actual_actual(start: int, day: Ints) -> Floats:
    """Years by the actual/actual (ISDA) rule: every day counts 1 / days in its own year."""

    def position(value: Ints) -> Floats:
        year = value.astype("datetime64[D]").astype("datetime64[Y]")
        first = year.astype("datetime64[D]").astype(np.int64)
        following = (year + np.timedelta64(1, "Y")).astype("datetime64[D]").astype(np.int64)
        share: Floats = (value - first) / (following - first)
        return share + year.astype(np.int64)

    return position(day) - position(np.full(1, start, dtype=np.int64))


def _thirty_360(start: int, day: Ints) -> Floats:
    """Years by the 30E/360 rule: every month has 30 days, the 31st counts as the 30th."""
    year, month, of_month = year_month_day(day)
    year0, month0, of_month0 = year_month_day(np.full(1, start, dtype=np.int64))
    days = (
        360 * (year - year0)
        + 30 * (month - month0)
        + (np.minimum(of_month, 30) - np.minimum(of_month0, 30))
    )
    years: Floats = days / 360.0
    return years


def day_count_years(start: int, day: Ints, day_count: str) -> Floats:
    """Years from `start` to each `day`, both in days since 1970-01-01; shape (n,).

    `day_count` is ``"actual/365"``, ``"actual/360"``, ``"actual/actual"`` or ``"30/360"``.
    """
    if day_count == "actual/actual":
        return _actual_actual(start, day)
    if day_count == "30/360":
        return _thirty_360(start, day)
    years: Floats = (day - start) / float(day_count.split("/")[1])
    return years


def margin_multiple(
    retention: Floats,
    *,
    rate: float,
    growth: ArrayLike = 0.0,
    n_periods: int | None = None,
    first_payment: str = "after_renewal",
) -> Floats:
    """Return what one unit of margin per period is worth today; shape of `retention`.

    With ``q = r (1 + g) / (1 + i)`` the margins form a geometric series. Gupta and Lehmann
    (2003) pay the first margin at the end of the first period to those who renewed:
    ``r / (1 + i - r (1 + g))`` for an infinite life, times ``1 - q ** n`` for a finite one.
    ``"period_end"`` pays it at the end of the first period for certain, ``"now"`` today.

    An infinite life with ``q >= 1`` has no finite value and gives infinity.
    """
    ratio = retention * (1.0 + np.asarray(growth, dtype=np.float64)) / (1.0 + rate)
    first = {
        "after_renewal": retention / (1.0 + rate),
        "period_end": np.full_like(retention, 1.0 / (1.0 + rate)),
        "now": np.ones_like(retention),
    }[first_payment]
    return first * geometric_sum(ratio, n_periods)


def geometric_sum(ratio: Floats, n: int | None) -> Floats:
    """``1 + q + ... + q ** (n - 1)`` for q >= 0 without cancellation near q = 1."""
    if n is None:
        with np.errstate(divide="ignore"):
            return np.where(ratio < 1.0, 1.0 / np.maximum(1.0 - ratio, 0.0), np.inf)
    # expm1 keeps the digits that 1 - q ** n and 1 - q lose near q = 1.
    safe = np.where((ratio > 0.0) & (ratio != 1.0), ratio, 0.5)
    log_ratio = np.log(safe)
    total = np.expm1(n * log_ratio) / np.expm1(log_ratio)
    return np.where(ratio == 1.0, float(n), np.where(ratio > 0.0, total, float(n > 0)))


def mean_cumulative(group: Ints, age: Ints, value: Floats, left: Ints) -> tuple[Ints, Ints, Floats]:
    """Estimate the mean cumulative value of each group by age (Nelson 2003).

    Each row, shape (m,), tells of a group and an age what its units earned and how many of them
    were observed up to that age and no longer. What was earned counts over the number of units
    still observed at that age. Returns group, age and cumulative mean, ordered by group and age,
    one entry per distinct pair.
    """
    span = int(age.max(initial=0)) + 1
    key, place = np.unique(group * span + age, return_inverse=True)
    total = np.bincount(place.ravel(), weights=value, minlength=key.size)
    gone = np.concatenate([[0], np.cumsum(np.bincount(place.ravel(), left, key.size))])
    of = key // span
    at_risk = gone[np.searchsorted(of, of, side="right")] - gone[:-1]
    running = np.cumsum(total / at_risk)
    first = np.searchsorted(of, np.arange(int(of.max(initial=0)) + 1))
    before = np.r_[0.0, running][first]
    return of, key - of * span, running - before[of]
