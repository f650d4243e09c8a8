"""Quantiles of groups."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from crmkit._typing import Floats, Ints


__all__ = ["group_quantile"]


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
