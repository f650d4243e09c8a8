"""Growth accounting: who was there, who came, who left and who came back, period by period."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from crmkit._arrays import starts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from crmkit._typing import Bools, Floats, Ints


__all__ = ["GrowthAccounts", "growth_accounts", "rescale", "seen_periods"]


@dataclass(frozen=True, slots=True)
class GrowthAccounts:
    """Customers, and their revenue by the same headings, per period; all of shape (n_periods,).

    ``active[t] = active[t - 1] + new[t] + reactivated[t] - lost[t]`` holds exactly, and
    ``revenue`` moves by ``revenue_new + revenue_reactivated + revenue_expansion
    - revenue_contraction - revenue_lost``. The revenue arrays are None where no value is known.
    """

    active: Ints
    new: Ints
    reactivated: Ints
    lost: Ints
    revenue: Floats | None
    revenue_new: Floats | None
    revenue_reactivated: Floats | None
    revenue_expansion: Floats | None
    revenue_contraction: Floats | None
    revenue_lost: Floats | None


def seen_periods(start: Ints, until: Ints, ends: Ints) -> tuple[Ints, Ints]:
    """Return the first and the last period at whose end each spell [start, until) is running.

    `start` and `until` have shape (n,), `ends` holds the last day of each period, ascending,
    shape (m,). A spell that no period's end falls into has its last before its first.
    """
    first = np.searchsorted(ends, start, side="left").astype(np.int64)
    last = np.searchsorted(ends, until, side="left").astype(np.int64) - 1
    return first, last


def growth_accounts(
    customer: Ints, first: Ints, last: Ints, *, n_periods: int, value: Floats | None = None
) -> GrowthAccounts:
    """Account for customers who are active from period `first` to `last`, both inclusive.

    Each row, shape (n,), is one spell of one customer; spells may overlap and touch. `value` is
    what a spell is worth in every period it covers. Only the periods in which something changes
    are looked at: +1 where a spell begins, -1 after it ends, summed per customer and period.
    """
    seen = (last >= first) & (first < n_periods)
    customer, first, last = customer[seen], first[seen], last[seen]
    width = n_periods + 1
    after = np.minimum(last + 1, n_periods)
    key = np.concatenate([customer * width + first, customer * width + after])
    step = np.ones(customer.size, dtype=np.int64)
    order = np.argsort(key, kind="stable")
    key = key[order]
    point = np.flatnonzero(starts(key))
    who, when = key[point] // width, key[point] % width

    # Every customer's steps add up to nothing, so one running total serves all customers.
    change = _total_per_point(np.concatenate([step, -step])[order], point)
    now = np.cumsum(change)
    before = now - change
    came = (before == 0) & (now > 0)
    left = (before > 0) & (now == 0)
    first_time = came & starts(who)
    back = came & ~first_time

    def count(mask: Bools) -> Ints:
        return np.bincount(when[mask], minlength=width)[:n_periods].astype(np.int64)

    new, reactivated, lost = count(first_time), count(back), count(left)
    active = np.cumsum(new + reactivated - lost)
    if value is None:
        return GrowthAccounts(active, new, reactivated, lost, *[None] * 6)

    value = value[seen]
    gain = _total_per_point(np.concatenate([value, -value])[order], point)
    stayed = (before > 0) & (now > 0)

    def money(mask: Bools, sign: float = 1.0) -> Floats:
        total = np.bincount(when[mask], weights=gain[mask], minlength=width)[:n_periods]
        return np.asarray(sign * total + 0.0, dtype=np.float64)

    moves = {
        "revenue_new": money(first_time),
        "revenue_reactivated": money(back),
        "revenue_expansion": money(stayed & (gain > 0)),
        "revenue_contraction": money(stayed & (gain < 0), -1.0),
        "revenue_lost": money(left, -1.0),
    }
    up = moves["revenue_new"] + moves["revenue_reactivated"] + moves["revenue_expansion"]
    revenue = np.cumsum(up - moves["revenue_contraction"] - moves["revenue_lost"])
    revenue = np.where(active == 0, 0.0, revenue)
    return GrowthAccounts(active, new, reactivated, lost, revenue, **moves)


def _total_per_point(values: Any, point: NDArray[np.intp]) -> Any:
    """Add up sorted `values` from each starting `point` to the next."""
    return np.add.reduceat(values, point) if point.size else values[:0]


def rescale(rate: Floats, factor: Floats | float) -> Floats:
    """Return the share that is left after `factor` periods when `rate` is left after one.

    Shares compound: ``rate ** factor``. Undefined, and NaN, below zero.
    """
    safe = np.where(rate >= 0, rate, np.nan)
    return np.asarray(safe**factor, dtype=np.float64)
