"""Work cut into spans that fit the memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray


def spans(costs: NDArray[np.integer], budget: int) -> Iterator[tuple[int, int]]:
    """Cut consecutive entries into spans of at most `budget` cost, at least one entry each."""
    total = np.cumsum(costs, dtype=np.int64)
    start, spent = 0, 0
    while start < len(costs):
        stop = max(int(np.searchsorted(total, spent + budget, side="right")), start + 1)
        yield start, stop
        spent = int(total[stop - 1])
        start = stop
