"""What customers do next, drawn event by event: purchases with their times, exactly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from crmkit._typing import Bools, Floats, Ints

__all__ = ["Ahead", "buying_stages", "chance_of_leaving", "points_in_time", "renewing"]


@dataclass(frozen=True, slots=True)
class Ahead:
    """Purchases of n customers: whose each is, (e,), after how many days, and who stays, (n,)."""

    owner: Ints
    when: Floats
    alive: Bools


def chance_of_leaving(a: Floats, b: Floats, rng: np.random.Generator) -> Floats:
    """Draw the chance at which each customer drops out: 1, 2, ..., at most 1e15."""
    x, y = rng.gamma(a), rng.gamma(b)
    p = x / np.maximum(x + y, 1e-300)
    with np.errstate(divide="ignore", over="ignore"):
        survived = np.floor(np.log1p(-rng.random(a.shape)) / np.log1p(-np.minimum(p, 1.0 - 1e-16)))
    chance: Floats = 1.0 + np.minimum(np.nan_to_num(survived, nan=1e15), 1e15)
    return chance


def points_in_time(count: Ints, length: Floats, rng: np.random.Generator) -> tuple[Ints, Floats]:
    """Draw `count` points in (0, length) for each customer, in their order: owners and times."""
    owner = np.repeat(np.arange(count.size), count)
    share = np.sort(owner + rng.random(owner.size)) - owner
    return owner, share * length[owner]


def buying_stages(
    alive: Bools,
    rate: Floats,
    chances: Floats,
    stage: Ints,
    days: float,
    rng: np.random.Generator,
    *,
    k: int,
) -> Ahead:
    """Draw purchases at every k-th stage, of whom the one at the last of the chances leaves."""
    count = rng.poisson(rate * days) * alive
    owner, when = points_in_time(count, np.full(rate.size, days), rng)
    first = np.cumsum(count) - count
    passed = stage[owner] + 1 + np.arange(owner.size) - first[owner]
    bought = (passed % k == 0) & (passed // k <= chances[owner])
    return Ahead(owner[bought], when[bought], alive & ((stage + count) // k < chances))


def renewing(lived: Floats, most: int, period_days: float) -> tuple[Ints, Floats]:
    """Return owners and times of the periods that each customer lives to see, up to `most`."""
    seen = np.minimum(lived, most).astype(np.int64)
    owner = np.repeat(np.arange(seen.size), seen)
    number = np.arange(owner.size) - (np.cumsum(seen) - seen)[owner] + 1
    return owner, number * period_days
