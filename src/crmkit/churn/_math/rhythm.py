"""Purchase gaps and the rhythm of each customer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from crmkit._typing import Floats, Ints


__all__ = ["gap_quantile", "rhythm_factor"]


def gap_quantile(time: Floats, survival: Floats, share: float) -> float:
    """Return the first time by which `share` of the gaps that close at all have closed.

    Some customers never return, so the curve, shape (m,), may level off far above 0; the share is
    taken of the drop from 1 to its end. Without any drop the answer is its last time.
    """
    closed = 1 - survival
    if closed[-1] <= 0:
        return float(time[-1])
    # A relative hair guards quantiles that fall on a step against rounding.
    reached = closed >= share * closed[-1] * (1 - 1e-12)
    return float(time[np.argmax(reached)])


def rhythm_factor(customer: Ints, gap: Ints, *, group: Ints) -> Floats:
    """Return how many times slower each customer buys than the customer's group.

    The factor is the geometric mean of the customer's own gaps over that of the group's, drawn
    towards 1 the more, the fewer the gaps and the less customers differ: the log mean of n gaps
    gets weight n / (n + k), with k the ratio of the variance of log gaps within customers to that
    between them, by the moments of a one-way layout with random effects (Searle, Casella and
    McCulloch 1992, *Variance Components*, sec. 3.6). Without gaps it is 1. `customer` and `gap`
    have shape (g,), `group` and the result one entry per customer.
    """
    n = np.bincount(customer, minlength=group.size).astype(np.float64)
    value = np.log(gap)
    mean = np.bincount(customer, weights=value, minlength=group.size) / np.maximum(n, 1)
    n_groups = int(group.max()) + 1 if group.size else 0
    in_group = np.bincount(group, weights=n, minlength=n_groups)
    level = np.bincount(group, weights=n * mean, minlength=n_groups) / np.maximum(in_group, 1)
    apart = np.where(n > 0, mean - level[group], 0.0)

    total, have = n.sum(), np.count_nonzero(n)
    freedom_within, freedom_between = total - have, have - np.count_nonzero(in_group)
    if freedom_within <= 0 or freedom_between <= 0:
        return np.ones(group.size)
    within = float(((value - mean[customer]) ** 2).sum()) / freedom_within
    squares = np.bincount(group, weights=n**2, minlength=n_groups)
    typical = (total - (squares / np.maximum(in_group, 1)).sum()) / freedom_between
    between = (float((n * apart**2).sum()) / freedom_between - within) / typical
    if between <= 0:
        return np.ones(group.size)
    return np.asarray(np.exp(apart * n / (n + within / between)), dtype=np.float64)
