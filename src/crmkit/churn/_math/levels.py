"""Compare groups of customers with the base: rates, means and tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import special

if TYPE_CHECKING:
    from crmkit._typing import Floats


__all__ = ["shrunk_means", "shrunk_rates", "two_sided_p"]


def two_sided_p(
    events: Floats, n: Floats, total_events: float, total: float, inflation: Floats | float = 1.0
) -> Floats:
    """Return p-values, shape (m,), of each group's rate against the rate of all others.

    Pearson's chi-square of the 2 x 2 table with one degree of freedom, over the `inflation` of the
    variance by rows that hang together; 1 where there are no others or all outcomes are equal,
    since nothing can then differ.
    """
    other_events, others = total_events - events, total - n
    cross = events * (others - other_events) - other_events * (n - events)
    spread = n * others * total_events * (total - total_events)
    square = np.divide(cross**2 * total, spread, out=np.zeros(len(n)), where=spread > 0)
    return np.asarray(special.chdtrc(1.0, square / inflation))


def shrunk_rates(events: Floats, n: Floats) -> Floats:
    """Return rates of m groups drawn towards the rate of all, the more the smaller the group.

    Beta-binomial empirical Bayes by moments: the prior's strength is what the spread between the
    groups beyond chance implies; without such spread every group gets the common rate.
    """
    base = float(events.sum() / n.sum())
    binomial = base * (1 - base)
    between = _variance_between(events / n, n, np.full(len(n), binomial))
    if binomial == 0 or between <= 0:
        return np.full(len(n), base)
    strength = max(binomial / between - 1, 0.0)
    return np.asarray((events + strength * base) / (n + strength))


def shrunk_means(mean: Floats, variance: Floats, n: Floats) -> Floats:
    """Return means of m groups drawn towards the mean of all, by normal empirical Bayes.

    `variance` is the variance of single values within each group (0 where n is 1).
    """
    base = float(np.sum(mean * n) / n.sum())
    freedom = np.maximum(n - 1, 0)
    pooled = float(np.sum(variance * freedom) / max(freedom.sum(), 1.0))
    between = _variance_between(mean, n, np.full(len(n), pooled))
    if pooled == 0:
        return mean
    if between <= 0:
        return np.full(len(n), base)
    weight = between / (between + pooled / n)
    return np.asarray(base + weight * (mean - base))


def _variance_between(mean: Floats, n: Floats, within: Floats) -> float:
    """Return the variance of true group means (DerSimonian and Laird 1986); may be < 0."""
    if len(n) < 2 or not np.all(within > 0):
        return 0.0
    weight = n / within
    centre = float(np.sum(weight * mean) / weight.sum())
    q = float(np.sum(weight * (mean - centre) ** 2))
    scale = float(weight.sum() - np.sum(weight**2) / weight.sum())
    return (q - (len(n) - 1)) / scale if scale > 0 else 0.0
