"""How good a segment is: effect sizes, separation, stability, drift."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from crmkit._arrays import mean_interval, normal_quantile

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

    from crmkit._typing import Floats, Ints


__all__ = [
    "adjusted_rand",
    "best_jaccard",
    "cohens_h",
    "explained_by_column",
    "explained_interval",
    "population_stability",
    "share_of_total",
    "within_interval",
]


def explained_by_column(matrix: Floats, codes: Ints, columns: Sequence[str]) -> dict[str, float]:
    """Return the share of the variance of each table column that lies between segments.

    Eta squared (Fisher 1925), over all columns of `matrix`, (n, p), that one of `columns`, (p,),
    is written as.
    """
    n = np.maximum(np.bincount(codes), 1)
    between, total = dict.fromkeys(columns, 0.0), dict.fromkeys(columns, 0.0)
    for name, values in zip(columns, matrix.T, strict=True):
        centred = values - values.mean()
        between[name] += float(np.sum(np.bincount(codes, weights=centred) ** 2 / n))
        total[name] += float(centred @ centred)
    return {name: between[name] / (total[name] or 1.0) for name in between}


def within_interval(
    own: Floats, every: Floats, codes: Ints, confidence_level: float
) -> tuple[Floats, Floats, Floats]:
    """Return per segment how much of the scatter vanishes within it, and limits, (k,) each.

    1 - (mean of `own` in the segment) / (mean of `every` of all), from square distances of shape
    (n,). Mean distances are skewed, so the limits are Student's on the logarithm of their ratio.
    """
    n = np.bincount(codes).astype(np.float64)
    overall = float(every.mean())
    if not overall > 0:
        return np.zeros(n.size), np.zeros(n.size), np.zeros(n.size)
    total = np.bincount(codes, weights=own)
    mean, error, _, _ = mean_interval(total, np.bincount(codes, weights=own**2), n)
    ratio, relative = mean / overall, error / np.maximum(mean, 1e-300)
    relative = np.hypot(relative, float(every.std()) / overall / np.sqrt(len(every)))
    t = special.stdtrit(np.maximum(n - 1, 1), 0.5 + confidence_level / 2)
    return 1 - ratio, 1 - ratio * np.exp(t * relative), 1 - ratio * np.exp(-t * relative)


def explained_interval(
    own: Floats, every: Floats, confidence_level: float
) -> tuple[float, float, float]:
    """Return the share of scatter that segments explain of unseen customers, and its limits.

    1 - sum(own) / sum(every) over square distances, (n,), of which rows without are left out; the
    limits are normal, from the linear expansion of the ratio.
    """
    known = np.isfinite(own)
    own, every = own[known], every[known]
    if len(own) < 2 or not every.sum() > 0:
        return 0.0, 0.0, 0.0
    share = 1 - float(own.sum() / every.sum())
    off = every - own - share * every
    half = normal_quantile(confidence_level) * float(np.sqrt(np.sum(off**2)) / every.sum())
    return share, share - half, share + half


def share_of_total(
    values: Floats, codes: Ints, confidence_level: float
) -> tuple[Floats, Floats, Floats]:
    """Return the share of the sum of `values`, (n,), that each segment holds, and limits, (k,).

    Fieller's limits (1954) of a ratio of means; none where the total may as well be 0.
    """
    n, total = len(values), float(values.sum())
    t = float(special.stdtrit(max(n - 1, 1), 0.5 + confidence_level / 2)) ** 2 * n / max(n - 1, 1)
    held = np.bincount(codes, weights=values)
    square = np.bincount(codes, weights=values**2)
    a = total**2 - t * (square.sum() - total**2 / n)
    b = held * total - t * (square - held * total / n)
    c = held**2 - t * (square - held**2 / n)
    nothing = np.full(held.size, np.nan)
    if a <= 0:
        return held / total, nothing, nothing
    half = np.sqrt(np.maximum(b**2 - a * c, 0.0))
    return held / total, (b - half) / a, (b + half) / a


def adjusted_rand(tables: ArrayLike) -> Floats:
    """Return the adjusted Rand index of cross tables of two partitions, (..., k, k).

    1 where they agree, about 0 where they have nothing to do with each other (Hubert and Arabie
    1985, eq. 5); 1 too where both put everybody in one.
    """
    tables = np.asarray(tables, dtype=np.float64)

    def pairs(counts: Floats) -> Floats:
        return np.asarray(counts * (counts - 1) / 2)

    both = pairs(tables).sum(axis=(-2, -1))
    first = pairs(tables.sum(axis=-1)).sum(axis=-1)
    second = pairs(tables.sum(axis=-2)).sum(axis=-1)
    chance = first * second / np.maximum(pairs(tables.sum(axis=(-2, -1))), 1.0)
    most = (first + second) / 2
    same = most == chance
    return np.where(same, 1.0, (both - chance) / np.where(same, 1.0, most - chance))


def best_jaccard(first: Ints, second: Ints, n_first: int) -> Floats:
    """Return for each cluster of `first` its best Jaccard overlap with one of `second`.

    Both label the same customers, shape (n,), from 0. The result has shape (n_first,); a cluster
    without customers has 0 (Hennig 2007, Comput. Stat. Data Anal. 52, 258, section 2).
    """
    n_second = int(second.max()) + 1 if second.size else 1
    both = np.bincount(first * n_second + second, minlength=n_first * n_second)
    both = both.reshape(n_first, n_second).astype(np.float64)
    either = both.sum(axis=1, keepdims=True) + both.sum(axis=0, keepdims=True) - both
    return np.max(both / np.maximum(either, 1.0), axis=1)


def population_stability(
    before: Floats, after: Floats, confidence_level: float
) -> tuple[float, float, float]:
    """Return the population stability index of two counts by class, (k,), and its limits.

    The sum of ``(a - e) ln(a / e)`` over the shares e before and a after. Half a customer is added
    to every count, so that an empty class gives a large and not an infinite part. Divided by
    1 / n + 1 / m it is about noncentral chi-square of k - 1 degrees of freedom, which is what the
    limits invert: two samples of one population differ by more than nothing.
    """
    unit = 1 / before.sum() + 1 / after.sum()
    expected = (before + 0.5) / np.sum(before + 0.5)
    actual = (after + 0.5) / np.sum(after + 0.5)
    index = float(np.sum((actual - expected) * np.log(actual / expected)))
    df, tail = len(before) - 1, (1 - confidence_level) / 2
    limits = [
        float(special.chndtrinc(index / unit, df, p)) * unit
        if df and special.chdtr(df, index / unit) > p
        else 0.0
        for p in (1 - tail, tail)
    ]
    return index, limits[0], limits[1]


def cohens_h(p: Floats, q: Floats) -> Floats:
    """Return the difference of two shares on the arcsine scale (Cohen 1988, eq. 6.2.1)."""
    return np.asarray(2 * (np.arcsin(np.sqrt(p)) - np.arcsin(np.sqrt(q))))
