"""Smooth functions of one number, needed at very many points: computed at few of them.

What is expected of a customer depends on the count of purchases and, smoothly, on the length of
observation. With a million customers of whom a few dozen share a count, Chebyshev polynomials in
the logarithm of the length give all digits for the price of a few thousand quadratures.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from crmkit._typing import Floats, Ints

    # Positions of rows (m,) and their arguments (m,) -> values (q, m).
    Function = Callable[[Ints, Floats], Floats]

__all__ = ["smooth"]


_NODES = 32
# Singularities of functions of ln(length) lie pi away from the real axis: on a piece of this
# length 32 nodes leave an error of about 1e-16.
_PIECE = 2.0
# The last coefficients must be so far below the smallest value, or the piece is not interpolated.
_TAIL = 2e-14
_BLOCK = 4096


def smooth(function: Function, group: Ints, at: Floats) -> Floats:
    """Return ``function(rows, at)``, shape (q, n), for all n rows.

    `function` is analytic in its argument `at`, shape (n,), and the same for rows of one `group`.
    """
    n, n_groups = at.size, int(group.max()) + 1
    rows = np.arange(n)
    if n < 2 * _NODES * n_groups:
        return function(rows, at)
    low = float(at.min())
    n_pieces = max(1, math.ceil((float(at.max()) - low) / _PIECE))
    width = max((float(at.max()) - low) / n_pieces, 1e-300)
    piece = np.minimum(((at - low) / width).astype(np.int64), n_pieces - 1)
    cell = group * n_pieces + piece
    crowded = np.flatnonzero(np.bincount(cell, minlength=n_groups * n_pieces) > 2 * _NODES)
    if not crowded.size:
        return function(rows, at)
    member = np.empty(n_groups * n_pieces, dtype=np.int64)
    member[cell] = rows
    # Chebyshev nodes of each crowded cell, and the polynomials through them.
    angle = np.pi * (np.arange(_NODES) + 0.5) / _NODES
    start = low + width * (crowded % n_pieces)
    nodes = start[:, None] + width * (np.cos(angle) + 1.0) / 2.0
    values = function(np.repeat(member[crowded], _NODES), nodes.ravel())
    values = values.reshape(-1, crowded.size, _NODES)
    cosines = np.cos(np.arange(_NODES)[:, None] * angle) * (2.0 / _NODES)
    cosines[0] /= 2.0
    coefficients = values @ cosines.T
    tail, least = np.abs(coefficients[..., -2:]).max(axis=2), np.abs(values).min(axis=2)
    exact = (tail <= _TAIL * least).all(axis=0)
    place = np.full(n_groups * n_pieces, -1, dtype=np.int64)
    place[crowded[exact]] = np.flatnonzero(exact)
    place = place[cell]
    result = np.empty((len(values), n))
    others = np.flatnonzero(place < 0)
    result[:, others] = function(others, at[others])
    inside = np.flatnonzero(place >= 0)
    terms = np.ascontiguousarray(np.moveaxis(coefficients, 2, 0))
    for begin in range(0, inside.size, _BLOCK):
        block = inside[begin : begin + _BLOCK]
        x = 2.0 * (at[block] - low - width * piece[block]) / width - 1.0
        result[:, block] = _sum(terms, place[block], x)
    return result


def _sum(terms: Floats, place: Ints, x: Floats) -> Floats:
    """Sum Chebyshev polynomials at x in (-1, 1), (m,), by Clenshaw's recurrence: (q, m)."""
    twice = 2.0 * x
    now = terms[-1][:, place]
    before = np.zeros_like(now)
    for term in terms[-2:0:-1]:
        now, before = term[:, place] + twice * now - before, now
    result: Floats = terms[0][:, place] + x * now - before
    return result
