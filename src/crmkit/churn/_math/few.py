"""Limits for the chance to stay that do not take few customers for many."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import special

if TYPE_CHECKING:
    from crmkit._typing import Floats


__all__ = ["beta_limits"]

_HALVINGS = 55


def beta_limits(
    at_risk: Floats, events: Floats, ends: Floats, remaining: Floats, confidence_level: float
) -> tuple[Floats, Floats]:
    """Return limits for the chance to stay through parts of a curve, shapes (m,).

    Part j holds the event times ``ends[0, j]`` .. ``ends[1, j]`` - 1 of the curve, and
    ``remaining[j]`` are known to have stayed beyond it. One time of d events among n keeps a
    share that is at most Beta(n - d + 1, d), and all of them their product; at least it is that
    times Beta(remaining, 1), for the next may leave at once (Fay, Brittain and Proschan 2013,
    Biostatistics 14, 723-736, whose limits are Clopper and Pearson's where everybody is watched
    to the end). Products are taken for beta by their first two moments. The limits are those of
    an even mixture of the two (mid-p: Fay and Brittain 2016, Stat. Med. 35, 2726-2740).
    """
    least = np.maximum(at_risk - events, 0.0)
    some = events > 0
    log_mean = np.where(some, np.log((least + 1) / (at_risk + 1)), 0.0)
    log_spread = np.where(some, np.log1p(events / ((least + 1) * (at_risk + 2))), 0.0)
    first, last = ends
    mean, spread = (
        total[last] - total[first]
        for total in (np.r_[0.0, np.cumsum(log_mean)], np.r_[0.0, np.cumsum(log_spread)])
    )
    left = np.maximum(remaining, 1e-12)
    highest = _beta(mean, spread)
    lowest = _beta(mean + np.log(left / (left + 1)), spread + np.log1p(1 / (left * (left + 2))))
    tail = (1 - confidence_level) / 2
    return _quantile(lowest, highest, tail), _quantile(lowest, highest, 1 - tail)


def _beta(log_mean: Floats, log_spread: Floats) -> tuple[Floats, Floats]:
    """Return a, b of the beta with this mean and log of second moment over squared mean.

    Where nothing is random a is infinite, and the value 1.
    """
    mean, rest = np.exp(log_mean), -np.expm1(log_mean)
    beyond = 1 - np.exp(log_mean + log_spread)
    variance = mean * np.expm1(log_spread)
    sure = variance <= 0
    size = np.where(sure, 1.0, beyond / np.where(sure, 1.0, variance))
    return np.where(sure, np.inf, mean * size), np.where(sure, 1.0, rest * size)


def _quantile(
    lowest: tuple[Floats, Floats], highest: tuple[Floats, Floats], level: float
) -> Floats:
    """Return where the mean of two beta distribution functions reaches a level."""
    low, high = np.zeros(lowest[0].size), np.ones(lowest[0].size)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        reached = np.zeros(middle.size)
        for a, b in (lowest, highest):
            known = np.isfinite(a)
            safe = np.where(known, np.maximum(a, 1e-300), 1.0)
            reached += np.where(known, special.betainc(safe, np.maximum(b, 1e-300), middle), 0.0)
        below = reached / 2 < level
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return np.where(low > 1 - 1e-12, 1.0, np.where(high < 1e-9, 0.0, (low + high) / 2))
