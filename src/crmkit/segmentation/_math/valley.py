"""Whether fewer customers lie between two sides than on either: what makes groups of a crowd."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import special

if TYPE_CHECKING:
    from crmkit._typing import Floats, Ints


__all__ = ["deepest_valley", "spread_ties", "valley_counts", "valley_p"]

_CELLS = 120
# Of the width of a kernel that suits one normal (Silverman 1986, eq. 3.31): many groups are narrow.
_WIDTHS = (1.0, 0.4)


def spread_ties(matrix: Floats) -> Floats:
    """Spread equal values of each column evenly over the room up to their neighbours.

    Counts and flags lie on a few points, and what lies between two of them is no valley. The
    spread depends on the order of rows alone, and in every column otherwise.
    """
    result = np.array(matrix)
    for at, column in enumerate(matrix.T):
        distinct, codes, count = np.unique(column, return_inverse=True, return_counts=True)
        if distinct.size < 2 or distinct.size == column.size:
            continue
        gap = np.diff(distinct)
        below = np.concatenate((gap[:1], gap)) / 2
        above = np.concatenate((gap, gap[-1:])) / 2
        order = np.random.default_rng(at).permutation(column.size)
        order = order[np.argsort(codes[order], kind="stable")]
        place = np.arange(column.size) - np.repeat(np.cumsum(count) - count, count)
        share = np.empty(column.size)
        share[order] = (place + 0.5) / count[codes[order]]
        moved = distinct[codes] - below[codes] + share * (below + above)[codes]
        result[:, at] = np.where(count[codes] > 1, moved, column)
    return result


def deepest_valley(values: Floats, least: float) -> tuple[float, Floats]:
    """Return how sure the surest valley of a projection, (n,), is, and where it lies, (3,).

    Its left side, its bottom and its right side are peaks and trough of a smoothed histogram with
    at least `least` customers on either side. How sure is the lesser difference of counts on a
    side and at the bottom, in deviations; 0 where there is no valley.
    """
    ordered, n = np.sort(values), len(values)
    low, quarter, three, high = ordered[[n // 500, n // 4, 3 * n // 4, -1 - n // 500]]
    nothing = (0.0, np.full(3, np.nan))
    if not high > low:
        return nothing
    step = (high - low) / _CELLS
    edges = low + step * np.arange(_CELLS + 1)
    below = np.searchsorted(ordered, edges).astype(np.float64)
    count = np.diff(below)
    spread = min(float(values.std()), (three - quarter) / 1.349 or np.inf)
    best = nothing
    for width in _WIDTHS:
        reach = max(width * 0.9 * spread * n**-0.2 / step, 1.0)
        offset = np.arange(-int(4 * reach), int(4 * reach) + 1)
        kernel = np.exp(-0.5 * (offset / reach) ** 2)
        smooth = np.convolve(count, kernel / kernel.sum(), "full")[len(offset) // 2 :][:_CELLS]
        bottoms = np.flatnonzero((smooth[1:-1] <= smooth[:-2]) & (smooth[1:-1] < smooth[2:])) + 1
        for bottom in bottoms[(below[bottoms] >= least) & (n - below[bottoms + 1] >= least)]:
            left = int(smooth[:bottom].argmax())
            right = bottom + int(smooth[bottom:].argmax())
            cells, half = np.array([left, bottom, right]), min(bottom - left, right - bottom) // 3
            on_left, between, on_right = (
                below[np.minimum(cells + half + 1, _CELLS)] - below[np.maximum(cells - half, 0)]
            )
            side = min(on_left, on_right)
            sure = float((side - between) / np.sqrt(max(side + between, 1.0)))
            if sure > best[0]:
                best = sure, low + (cells + 0.5) * step
    return best


def valley_counts(values: Floats, place: Floats) -> Ints:
    """Count values in three windows of one width around a valley's left, bottom and right, (3,)."""
    half = min(place[1] - place[0], place[2] - place[1]) / 3
    ordered = np.sort(values)
    return np.searchsorted(ordered, place + half, "right") - np.searchsorted(ordered, place - half)


def valley_p(values: Floats, place: Floats) -> float:
    """Return the chance of so few values at the bottom if there is no valley, by others' places.

    Without a valley one of the sides holds no more than the bottom in the long run, so that the
    larger of two binomial p-values is right, whatever the distribution. Marginals of a
    log-concave density, also of one cut off by planes, have no valley (Prekopa 1973).
    """
    on_left, between, on_right = valley_counts(values, place)
    return max(float(special.bdtr(between, between + side, 0.5)) for side in (on_left, on_right))
