"""Sums, means and growth of groups of customers, with the intervals that their number leaves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from crmkit._arrays import mean_interval
from crmkit._money import decimal_sums

if TYPE_CHECKING:
    from crmkit._typing import Floats, Ints


__all__ = ["group_growth", "group_means"]


def group_means(
    values: Floats, codes: Ints, k: int, confidence_level: float
) -> tuple[Floats, Floats, Floats, Floats]:
    """Return sum, mean and Student's limits of the mean of each group, each of shape (k,)."""
    n = np.bincount(codes, minlength=k).astype(np.float64)
    total = decimal_sums(codes, values, k)
    mean = np.divide(total, n, out=np.full(k, np.nan), where=n > 0)
    square = np.bincount(codes, weights=(values - mean[codes]) ** 2, minlength=k)
    _, _, low, high = mean_interval(np.zeros(k), square, n, confidence_level)
    return total, mean, mean + low, mean + high


def group_growth(
    before: Floats, now: Floats, codes: Ints, k: int, confidence_level: float
) -> tuple[Floats, Floats, Floats, Floats]:
    """Return what each group had before, its growth and limits of that, each of shape (k,).

    Growth is a ratio of sums less 1. Its limits are those of the logarithm of the ratio, by the
    linear expansion of a ratio of means (Cochran 1977, section 6.4) with Student's quantile. The
    ratio is missing where nothing was before, the limits also where there are less than two
    customers or nothing is now.
    """
    n = np.bincount(codes, minlength=k).astype(np.float64)
    was, has = decimal_sums(codes, before, k), decimal_sums(codes, now, k)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(was > 0, has / was, np.nan)
        off = now - ratio[codes] * before
        square = np.bincount(codes, weights=off**2, minlength=k)
        error = np.sqrt(square * n / (n - 1)) / has
        t = special.stdtrit(np.maximum(n - 1, 1), 0.5 + confidence_level / 2)
        known = (n > 1) & (has > 0)
        low, high = (np.where(known, ratio * np.exp(z * error), np.nan) for z in (-t, t))
    return was, ratio - 1, low - 1, high - 1
