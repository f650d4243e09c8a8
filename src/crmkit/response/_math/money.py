"""Bootstrap of skewed amounts at a cost that does not grow with the number of customers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from crmkit._arrays import starts

if TYPE_CHECKING:
    from crmkit._typing import Floats


__all__ = ["bootstrap_means"]

_CELLS = 2000


def bootstrap_means(values: Floats, *, n_draws: int, rng: np.random.Generator) -> Floats:
    """Return the means of `n_draws` resamples of values (n,), shape (n_draws,).

    A resample is a multinomial draw over the distinct values, of which zero is usually by far
    the commonest. Of more than 2,000 the largest thousand, which carry a skewed mean, stay as
    they are and the others are pooled to cells with a mean and a spread.
    """
    distinct, count = np.unique(values, return_counts=True)
    if distinct.size <= _CELLS:
        cells, size = distinct, count.astype(np.float64)
        spread = np.zeros(cells.size)
    else:
        keep = _CELLS // 2
        low, low_count = distinct[:-keep], count[:-keep].astype(np.float64)
        before = np.cumsum(low_count) - low_count
        cell = np.floor(before * keep / low_count.sum()).astype(np.int64)
        begin = np.flatnonzero(starts(cell))
        pooled = np.add.reduceat(low_count, begin)
        mean = np.add.reduceat(low_count * low, begin) / pooled
        square = np.add.reduceat(low_count * low**2, begin) / pooled
        cells = np.r_[mean, distinct[-keep:]]
        size = np.r_[pooled, count[-keep:]]
        spread = np.r_[np.sqrt(np.maximum(square - mean**2, 0.0)), np.zeros(keep)]
    n = values.size
    means = np.empty(n_draws)
    for start in range(0, n_draws, 250):
        stop = min(start + 250, n_draws)
        drawn = rng.multinomial(n, size / n, size=stop - start).astype(np.float64)
        total = drawn @ cells
        if spread.any():
            total += np.sqrt(drawn @ spread**2) * rng.standard_normal(stop - start)
        means[start:stop] = total / n
    return means
