"""Shares of a few counts, drawn towards those of all: empirical Bayes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from crmkit._typing import Floats


__all__ = ["Shrunk", "base_weight", "shrink_shares"]

# As good as endless: customers who do not differ, or of whom nobody can tell.
_MOST = 1e9


@dataclass(frozen=True, slots=True)
class Shrunk:
    """Shares of customers, shape (n, k), those of all, shape (k,), and what these weigh."""

    shares: Floats
    base: Floats
    weight: float


def base_weight(counts: Floats) -> float:
    """Return how many counts the shares of all weigh, from counts of shape (n, k).

    Customers' true shares are taken to follow a Dirichlet distribution around those of all; its
    concentration is 1 / rho - 1, where rho is the intraclass correlation of the counts, estimated
    by the analysis of variance (Weir and Cockerham 1984, *Evolution* 38, 1358; for two levels
    Ridout, Demetrio and Firth 1999, *Biometrics* 55, 137).
    """
    size = counts.sum(axis=1)
    counts, size = counts[size > 0], size[size > 0]
    m, total = size.size, size.sum()
    if m < 2 or total <= m:
        return _MOST
    own, every = counts / size[:, None], counts.sum(axis=0) / total
    between = float(size @ ((own - every) ** 2).sum(axis=1)) / (m - 1)
    within = float(size @ (own * (1 - own)).sum(axis=1)) / float(total - m)
    typical = (total - (size**2).sum() / total) / (m - 1)
    if between <= within:
        return _MOST
    rho = (between - within) / (between + (typical - 1) * within)
    return float(min(1 / rho - 1, _MOST))


def shrink_shares(
    counts: Floats, base: Floats | None = None, weight: float | None = None
) -> Shrunk:
    """Return shares ``(count + weight x base) / (counts + weight)``: the mean a posteriori.

    `base` and `weight` are learned from the counts unless they are given.
    """
    if base is None:
        base = counts.sum(axis=0) / max(counts.sum(), 1.0)
    if weight is None:
        weight = base_weight(counts)
    size = counts.sum(axis=1, keepdims=True) + weight
    shares = np.where(size > 0, (counts + weight * base) / np.where(size > 0, size, 1.0), base)
    return Shrunk(shares, base, weight)
