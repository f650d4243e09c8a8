"""Compression: customers with equal histories are one row with a weight."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["distinct_rows"]

FloatArray = NDArray[np.float64]


def distinct_rows(
    columns: Sequence[FloatArray],
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the first position of each distinct row, and for every row which one it equals.

    The distinct rows come in the order of their values, so that the result does not depend on
    the order of the customers.
    """
    key = np.zeros(columns[0].size, dtype=np.int64)
    n_keys = 1
    for column in columns:
        code, n_codes = _codes(column)
        if n_keys * n_codes >= 2**62:
            key, n_keys = _codes(key)
        key = key * n_codes + code
        n_keys *= n_codes
    key, n_keys = _codes(key)
    first = np.empty(n_keys, dtype=np.int64)
    first[key[::-1]] = np.arange(key.size - 1, -1, -1)
    return first, key


def _codes(values: NDArray[np.generic]) -> tuple[NDArray[np.int64], int]:
    """Return the rank of each value among the distinct values, and their number."""
    low, high = values.min(), values.max()
    span = float(high) - float(low)
    if span < 4.0 * values.size + 1e6 and np.array_equal(values, np.floor(values)):
        # Whole numbers in a small range: counting is faster than sorting.
        whole = (values - low).astype(np.int64)
        present = np.zeros(int(span) + 1, dtype=bool)
        present[whole] = True
        rank = np.cumsum(present) - 1
        return rank[whole], int(rank[-1]) + 1
    found, code = np.unique(values, return_inverse=True)
    return code.astype(np.int64, copy=False).ravel(), found.size
