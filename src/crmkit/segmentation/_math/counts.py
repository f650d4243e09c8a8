"""Counting distinct values per group, the dear part of summarising a log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from crmkit._typing import Floats, Ints


__all__ = ["distinct_per_group", "group_quantile"]

_CHUNK = 1 << 20


def distinct_per_group(groups: Ints, values: Ints, n_groups: int, n_values: int) -> Ints:
    """Return how many distinct values each group has, shape (n_groups,).

    `groups` and `values`, shape (n,), are codes below `n_groups` and `n_values`, whose product
    fits an int64. Where values are many and mostly belong to one group, as orders belong to
    customers, a table of one owner per value counts them; only rows of a value with several
    groups are left to sort.
    """
    if not n_groups <= n_values <= 4 * values.size:
        return _sorted_count(groups, values, n_groups, n_values)
    owner: NDArray[Any] = np.full(n_values, -1, dtype=np.int32 if n_groups < 2**31 else np.int64)
    owner[values] = groups
    shared = np.zeros(values.size, dtype=bool)
    for start in range(0, values.size, _CHUNK):
        rows = slice(start, start + _CHUNK)
        np.not_equal(owner[values[rows]], groups[rows], out=shared[rows])
    count = np.zeros(n_groups, dtype=np.int64)
    for start in range(0, n_values, _CHUNK):
        part = owner[start : start + _CHUNK]
        count += np.bincount(part[part >= 0], minlength=n_groups)
    if shared.any():
        count += _sorted_count(groups[shared], values[shared], n_groups, n_values)
    return count


def _sorted_count(groups: Ints, values: Ints, n_groups: int, n_values: int) -> Ints:
    """Count by sorting packed pairs in place, in 32 bits where they fit."""
    kind: Any = np.int32 if n_groups * n_values < 2**31 else np.int64
    keys: NDArray[Any] = groups.astype(kind)
    keys *= n_values
    keys += values.astype(kind, copy=False)
    keys.sort()
    new = np.ones(keys.size, dtype=bool)
    np.not_equal(keys[1:], keys[:-1], out=new[1:])
    keys = keys[new]
    keys //= n_values
    return np.bincount(keys, minlength=n_groups)


def group_quantile(values: Floats, groups: Ints, q: float) -> Floats:
    """Return the quantile (type 7) of each group, shape (n_groups,); no group may be empty."""
    ordered = values[np.lexsort((values, groups))]
    size = np.bincount(groups)
    start = np.cumsum(size) - size
    place = q * (size - 1)
    below = np.floor(place).astype(np.int64)
    low = ordered[start + below]
    high = ordered[start + np.minimum(below + 1, size - 1)]
    return np.asarray(low + (place - below) * (high - low))
