"""Scores from 1 to k out of values: cut points, bins and bins within bins."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from crmkit._arrays import group_rank, rank_bins

if TYPE_CHECKING:
    from crmkit._typing import Floats, Ints


__all__ = ["bins_from_cuts", "nested_bins", "quantile_cuts", "snap_cut", "tie_safe_cuts"]


def tie_safe_cuts(values: Floats, n_bins: int) -> Floats:
    """Return the smallest value of each bin above the lowest, shape (n_bins - 1,).

    The bin of a value is ``floor(n_bins x share strictly below)``, so equal values share a bin.
    A bin that no value reaches has the lower end of the next one, or infinity above them all;
    ``bins_from_cuts`` then leaves it empty.
    """
    ordered = np.sort(values)
    bins = rank_bins(ordered, n_bins)
    first = np.searchsorted(bins, np.arange(1, n_bins), side="left")
    return np.append(ordered, np.inf)[first]


def quantile_cuts(values: Floats, n_bins: int) -> Floats:
    """Return quantiles plus 1, shape (n_bins - 1,): the cuts of R's package ``rfm``.

    The quantiles interpolate linearly (type 7 of Hyndman and Fan 1996). Adding 1 presumes whole
    numbers, so these cuts depend on the unit of money.
    """
    shares = np.arange(1, n_bins) / n_bins
    return np.quantile(values, shares) + 1.0


def bins_from_cuts(values: Floats, cuts: Floats) -> Ints:
    """Return how many cuts are at or below each value, shape (n,), from 0 to ``len(cuts)``."""
    return np.searchsorted(cuts, values, side="right").astype(np.int64)


def nested_bins(values: Floats, outer: Ints, n_bins: int) -> Ints:
    """Return tie-safe bins of `values` within each group of `outer`, shape (n,)."""
    _, codes = np.unique(outer, return_inverse=True)
    size = np.bincount(codes)
    return group_rank(codes, values) * n_bins // size[codes]


def snap_cut(cut: float, values: Floats) -> float:
    """Return the largest value that differs from `cut` by rounding only, else `cut`.

    A mean depends in its last digit on the order of the rows; where customers sit exactly on
    it, that digit would decide on which side they are.
    """
    near = values[np.abs(values - cut) <= 1e-12 * np.mean(np.abs(values))]
    return float(near.max()) if near.size else cut
