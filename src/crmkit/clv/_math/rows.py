"""Compression: customers with equal histories are one row with a weight."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["distinct_rows"]

FloatArray = NDArray[np.float64]

_FEW = 1_000_000


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
        code, n_codes = _codes(column, ranked=False)
        if n_keys * n_codes >= 4 * key.size + _FEW:
            # Too many to count: number only those that occur.
            key, n_keys = _codes(key)
            code, n_codes = _codes(code)
        key = key * n_codes + code
        n_keys *= n_codes
    key, n_keys = _codes(key)
    first = np.empty(n_keys, dtype=np.int64)
    first[key[::-1]] = np.arange(key.size - 1, -1, -1)
    return first, key


def _codes(values: NDArray[Any], *, ranked: bool = True) -> tuple[NDArray[np.int64], int]:
    """Return codes in the order of the values, and their number; `ranked` ones leave no gaps."""
    low, high = values.min(), values.max()
    span = float(high) - float(low)
    whole = values.dtype.kind == "i"
    if span < 4.0 * values.size + _FEW and (whole or np.array_equal(values, np.floor(values))):
        # Whole numbers in a small range: counting is faster than sorting.
        code = (values - low).astype(np.int64)
        if not ranked:
            return code, int(span) + 1
        present = np.zeros(int(span) + 1, dtype=bool)
        present[code] = True
        rank = np.cumsum(present) - 1
        return rank[code], int(rank[-1]) + 1
    found, code = np.unique(values, return_inverse=True)
    return code.astype(np.int64, copy=False).ravel(), found.size
