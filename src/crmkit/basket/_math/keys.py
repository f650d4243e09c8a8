"""Whole numbers that stand for rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    IntArray = NDArray[np.int64]


def distinct(keys: IntArray) -> IntArray:
    """Return the distinct keys, sorted; for many keys faster than a hash table."""
    keys = np.sort(keys)
    return keys[np.append(True, keys[1:] != keys[:-1])[: len(keys)]]
