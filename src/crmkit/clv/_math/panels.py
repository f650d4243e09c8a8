"""Integrals over times of what may fall by many orders, each with as many nodes as it needs."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from crmkit.clv._math.special import LOG_NOTHING, gauss_legendre

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from crmkit._typing import Floats, Ints

__all__ = ["panels"]

# Points of a grid, and how often it looks for the part that matters.
_GRID, _NARROWED = 9, 5
# Nodes of each of two rules, and for what they give twelve digits: so far may the log fall, so long
# may the part be on its axis, so much may b y grow.
_RULES = (
    (8, 4.0, 1.2, 1.0),
    (12, 16.0, 1.5, 2.0),
    (16, 32.0, 2.0, 3.0),
    (24, 32.0, 4.0, 6.0),
    (32, np.inf, np.inf, np.inf),
)


def panels(
    log: Callable[[Floats, Ints], Floats],
    start: Floats,
    end: Floats,
    *,
    pace: Floats,
    scale: Floats,
    bend: Floats,
) -> Iterator[tuple[Ints, Floats, Floats]]:
    """Yield rows with nodes and log-weights, (m, 2 k), of an integral of e^log over (start, end).

    On the axis of ``w = ln(scale + y)`` the part that matters is found by ever finer grids; two
    Gauss-Legendre rules meet where a hump of f may `bend` it, since its singularities lie above
    and below that point, or in the middle. Shorter and flatter parts need fewer nodes.
    """
    least, start = (scale + start)[:, None], start[:, None]
    low, high = np.zeros_like(least), np.log1p((end[:, None] - start) / least)
    middle = np.log1p(np.maximum(bend[:, None] - start, 0.0) / least)
    grid, rows = np.linspace(0.0, 1.0, _GRID), np.arange(end.size)
    fall = np.empty_like(end)
    for _ in range(_NARROWED):
        width = high[rows] - low[rows]
        value = log(start[rows] + least[rows] * np.expm1(low[rows] + width * grid), rows)
        top = value.max(axis=1, keepdims=True)
        fall[rows] = top[:, 0] - value.min(axis=1)
        steep = fall[rows] > LOG_NOTHING
        rows, width, matters = rows[steep], width[steep], (value > top - LOG_NOTHING)[steep]
        if not rows.size:
            break
        high[rows] -= width * np.maximum(matters[:, ::-1].argmax(axis=1) - 1, 0)[:, None] * grid[1]
        low[rows] += width * np.maximum(matters.argmax(axis=1) - 1, 0)[:, None] * grid[1]
    middle = np.where((middle > low) & (middle < high), middle, (low + high) / 2.0)
    aged = pace * (least * (np.exp(high) - np.exp(low)))[:, 0]
    left = np.ones(end.size, dtype=bool)
    for n_nodes, *most in _RULES:
        which = left & (fall < most[0]) & ((high - low)[:, 0] < most[1]) & (aged < most[2])
        left &= ~which
        rows = np.flatnonzero(which)
        if rows.size:
            nodes, weights = gauss_legendre(n_nodes)
            sides = [low[rows], middle[rows], high[rows]]
            w = np.hstack([a + (b - a) * nodes for a, b in pairwise(sides)])
            with np.errstate(divide="ignore"):
                log_width = np.hstack([np.log((b - a) * weights) for a, b in pairwise(sides)])
            yield rows, start[rows] + least[rows] * np.expm1(w), log_width + w + np.log(least[rows])
