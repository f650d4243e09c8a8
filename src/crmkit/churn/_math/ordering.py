"""Sort rows by several whole numbers at the price of one sort."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from crmkit._typing import Ints


__all__ = ["order_by"]

_MOST = 2**62


def order_by(*keys: Ints) -> Ints:
    """Return the order of rows by the first key, then the second and so on; keys have shape (n,).

    Keys are packed into one integer where their ranges allow; one sort of 64-bit integers costs a
    fraction of a sort by several keys. Rows equal in all keys come in any order.
    """
    if not keys[0].size:
        return np.empty(0, dtype=np.int64)
    lows = [int(key.min()) for key in keys]
    spans = [int(key.max()) - low + 1 for key, low in zip(keys, lows, strict=True)]
    room = 1
    for span in spans:
        room *= span
    if room >= _MOST:
        return np.asarray(np.lexsort(keys[::-1]), dtype=np.int64)
    packed = np.zeros(keys[0].size, dtype=np.int64)
    for key, low, span in zip(keys, lows, spans, strict=True):
        packed *= span
        packed += key - low
    return np.asarray(np.argsort(packed), dtype=np.int64)
