"""Distinct pairs of a customer and a number (a day, a period, an order): the dear part of a log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from crmkit._arrays import pieces, starts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from crmkit._typing import Floats, Ints


__all__ = ["distinct_pairs", "distinct_per_group"]

# A table of flags is far cheaper than sorting, as long as it is not much larger than the log.
_FLAGS_AT_LEAST = 20_000_000
_MANY = 1 << 20


def distinct_pairs(
    customer: Ints, number: Ints, *, shape: tuple[int, int], weights: Floats | None = None
) -> tuple[Ints, Ints, Floats | None]:
    """Return the distinct pairs of customer and number, sorted, and the weight of each.

    `customer` and `number` have shape (n,) and lie below the two limits in `shape`; the results
    have shape (m,).
    """
    size = shape[0] * shape[1]
    totals: Any = None
    pair: Any
    # Totals take eight times the room of flags.
    if size <= max(_FLAGS_AT_LEAST if weights is None else 0, 4 * customer.size):
        flags = np.zeros(size, dtype=bool)
        for rows in pieces(customer.size):
            flags[_keys(customer[rows], number[rows], shape[1])] = True
        pair = np.flatnonzero(flags)
        if weights is not None:
            key = _keys(customer, number, shape[1])
            totals = np.bincount(key, weights=weights, minlength=size)[pair]
    elif weights is None:
        key = _keys(customer, number, shape[1])
        key.sort()
        pair = key[starts(key)]
    else:
        key = _keys(customer, number, shape[1])
        order = np.argsort(key)
        key = key[order]
        start = np.flatnonzero(starts(key))
        pair, totals = key[start], np.add.reduceat(weights[order], start)
    who = pair // shape[1]
    return who, pair - who * shape[1], totals


def _keys(customer: Ints, number: Ints, span: int) -> Ints:
    """Return one number for each pair of a customer and a number below `span`."""
    key = customer * span
    key += number
    return key


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
    for rows in pieces(values.size):
        np.not_equal(owner[values[rows]], groups[rows], out=shared[rows])
    count = np.zeros(n_groups, dtype=np.int64)
    for rows in pieces(n_values, _MANY):
        part = owner[rows]
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
    keys = keys[starts(keys)]
    keys //= n_values
    return np.bincount(keys, minlength=n_groups)
