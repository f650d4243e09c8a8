"""Smooth functions of one number, needed at very many points: computed at few of them.

What is expected of a customer depends on the count of purchases and, smoothly, on the length of
observation. With a million customers of whom a few dozen share a count, Chebyshev polynomials in
the logarithm of the length give all digits for the price of a few thousand quadratures.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from crmkit._typing import Bools, Floats, Ints

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
    rows = np.arange(at.size)
    cells = _cells(group, at)
    if cells is None or not cells.crowded.size:
        return function(rows, at)
    terms, resolved = _polynomials(function, cells)
    polynomial_of_cell = np.full(cells.member.size, -1, dtype=np.int64)
    polynomial_of_cell[cells.crowded[resolved]] = np.flatnonzero(resolved)
    polynomial = polynomial_of_cell[cells.cell]
    result = np.empty((terms.shape[1], at.size))
    others = np.flatnonzero(polynomial < 0)
    result[:, others] = function(others, at[others])
    inside = np.flatnonzero(polynomial >= 0)
    for begin in range(0, inside.size, _BLOCK):
        block = inside[begin : begin + _BLOCK]
        x = 2.0 * (at[block] - cells.start[cells.cell[block]]) / cells.width - 1.0
        result[:, block] = _sum(terms, polynomial[block], x)
    return result


@dataclass(frozen=True, slots=True)
class _Cells:
    """Rows by group and piece of the line: ``cell`` (n,) of each row.

    ``member`` is a row of each cell, ``start`` where its piece begins, ``width`` how long all
    pieces are, ``crowded`` the cells with enough rows to interpolate.
    """

    cell: Ints
    member: Ints
    start: Floats
    width: float
    crowded: Ints


def _cells(group: Ints, at: Floats) -> _Cells | None:
    """Cut the line into pieces short enough for the polynomials; None if rows are too few."""
    n_groups = int(group.max()) + 1
    if at.size < 2 * _NODES * n_groups:
        return None
    low = float(at.min())
    n_pieces = max(1, math.ceil((float(at.max()) - low) / _PIECE))
    width = max((float(at.max()) - low) / n_pieces, 1e-300)
    piece = np.minimum(((at - low) / width).astype(np.int64), n_pieces - 1)
    cell, n_cells = group * n_pieces + piece, n_groups * n_pieces
    member = np.empty(n_cells, dtype=np.int64)
    member[cell] = np.arange(at.size)
    start: Floats = low + width * (np.arange(n_cells) % n_pieces).astype(np.float64)
    crowded = np.flatnonzero(np.bincount(cell, minlength=n_cells) > 2 * _NODES)
    return _Cells(cell, member, start, width, crowded)


def _polynomials(function: Function, cells: _Cells) -> tuple[Floats, Bools]:
    """Return Chebyshev coefficients of the crowded cells, (nodes, q, c), and which resolve it."""
    angle = np.pi * (np.arange(_NODES) + 0.5) / _NODES
    nodes = cells.start[cells.crowded, None] + cells.width * (np.cos(angle) + 1.0) / 2.0
    values = function(np.repeat(cells.member[cells.crowded], _NODES), nodes.ravel())
    values = values.reshape(-1, cells.crowded.size, _NODES)
    cosines = np.cos(np.arange(_NODES)[:, None] * angle) * (2.0 / _NODES)
    cosines[0] /= 2.0
    coefficients = values @ cosines.T
    tail, least = np.abs(coefficients[..., -2:]).max(axis=2), np.abs(values).min(axis=2)
    resolved = (tail <= _TAIL * least).all(axis=0)
    return np.ascontiguousarray(np.moveaxis(coefficients, 2, 0)), resolved


def _sum(terms: Floats, place: Ints, x: Floats) -> Floats:
    """Sum Chebyshev polynomials at x in (-1, 1), (m,), by Clenshaw's recurrence: (q, m)."""
    twice = 2.0 * x
    now = terms[-1][:, place]
    before = np.zeros_like(now)
    for term in terms[-2:0:-1]:
        now, before = term[:, place] + twice * now - before, now
    result: Floats = terms[0][:, place] + x * now - before
    return result
