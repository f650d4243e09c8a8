"""The difference of two means, less what was known before, of customers who hang together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import special

if TYPE_CHECKING:
    from crmkit._typing import Floats, Ints

__all__ = ["adjusted_difference", "linear_ratio"]


def adjusted_difference(
    treated: Floats, control: Floats, before: tuple[Floats, Floats],
    clusters: tuple[Ints, Ints] | None, level: float,
) -> tuple[float, float, float, float, float]:  # fmt: skip
    """Return the adjusted difference, its error, limits and p-value.

    Outcomes have shape (n1,) and (n0,), what was known `before` (n1, k) and (n0, k), of which k may
    be 0, and `clusters` are codes from 0, (n1,) and (n0,), which both arms may share. Each arm has
    a regression of its own, read at the mean of all (Lin 2013, section 4), which with one column
    and one slope is CUPED (Deng, Xu, Kohavi and Walker 2013). The variances of the two values stand
    in for those of Welch's test, and slopes that differ add the variance of the common mean.

    Customers of one cluster are added up before squaring, each sum divided by the root of the share
    of customers outside its cluster, and the degrees of freedom are those of Bell and McCaffrey
    (2002), Survey Methodology 28, 169-181; for a mean both are their formulas as they stand.
    """
    everybody = np.vstack(before)
    centre = everybody.mean(axis=0)
    if clusters is None:
        n1 = treated.size
        clusters = np.arange(n1), np.arange(n1, n1 + control.size)
    n_clusters = int(max(codes.max() for codes in clusters)) + 1
    one = _at_centre(treated, before[0] - centre, clusters[0], n_clusters)
    other = _at_centre(control, before[1] - centre, clusters[1], n_clusters)
    (mean1, slope1, part1, free1), (mean0, slope0, part0, free0) = one, other
    gap = slope1 - slope0
    spread = np.atleast_2d(np.cov(everybody, rowvar=False)) if gap.size else np.zeros((0, 0))
    shared = float(gap @ spread @ gap) / len(everybody)
    difference, variance = mean1 - mean0, float(np.sum((part1 - part0) ** 2)) + shared
    error = float(np.sqrt(variance))
    if error == 0:
        return difference, 0.0, difference, difference, float(difference == 0)
    var1, var0 = float(np.sum(part1**2)), float(np.sum(part0**2))
    freedom = (var1 + var0) ** 2 / (var1**2 / free1 + var0**2 / free0)
    reach = float(special.stdtrit(freedom, (1 + level) / 2)) * error
    p = 2 * float(special.stdtr(freedom, -abs(difference) / error))
    return difference, error, difference - reach, difference + reach, p


def _at_centre(
    outcome: Floats, before: Floats, cluster: Ints, n_clusters: int
) -> tuple[float, Floats, Floats, float]:
    """Return a regression's value at 0, its slopes, each cluster's part in it, and its freedom."""
    n = outcome.size
    design = np.column_stack([np.ones(n), before])
    found: Floats = np.linalg.lstsq(design, outcome, rcond=None)[0].astype(np.float64)
    rank = int(np.linalg.matrix_rank(design))
    rest = outcome - design @ found
    bread = np.linalg.pinv(design.T @ design)
    size = np.bincount(cluster, minlength=n_clusters).astype(np.float64)
    part = np.bincount(cluster, weights=(design @ bread[:, 0]) * rest, minlength=n_clusters)
    # With clusters of one this is robust to spread that differs (HC1), as amounts of money do.
    few = np.sqrt((n - 1) / max(n - rank, 1)) / np.sqrt(np.maximum(1 - size / n, 1 / n))
    weight = size**2 / np.maximum(n - size, 1)
    freedom = n**2 / float(np.sum(size**2) + weight.sum() ** 2 - np.sum(weight**2))
    return float(found[0]), found[1:], np.asarray(part * few), max(freedom - (rank - 1), 1.0)


def linear_ratio(above: Floats, below: Floats) -> Floats:
    """Return values, (n,), whose mean is the ratio of two sums and whose spread is its own.

    The delta method: ratio + (above - ratio x below) / mean of below.
    """
    ratio = above.sum() / below.sum()
    return np.asarray(ratio + (above - ratio * below) / below.mean())
