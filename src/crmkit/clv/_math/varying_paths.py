"""Covariates over time: piecewise constant paths, and the pieces that a span of time cuts out.

Customers whose covariates change on the same days to the same values share a path, so that
customers who are alike can be found and are computed once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from crmkit._arrays import ranges
from crmkit.clv._math.rows import distinct_rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["Paths", "blocks", "make_paths"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

# Pieces handled at once, so that temporaries stay in the cache.
_BLOCK = 4096


@dataclass(frozen=True, slots=True)
class Paths:
    """Runs of constant covariates, path after path; m runs, v distinct vectors of q covariates.

    ``start`` and ``end`` (m,) are days since 1970-01-01; a path's last run never ends. ``code``
    (m,) says which of the ``values`` (v, q) holds, ``key`` (m,) orders the runs of all paths.
    """

    start: FloatArray
    end: FloatArray
    code: IntArray
    values: FloatArray
    key: IntArray
    origin: int
    span: int

    def run(self, path: IntArray, day: FloatArray) -> IntArray:
        """Return the run of each path that holds on each day; both (n,)."""
        inside = np.clip(day - self.origin, 0, self.span - 1).astype(np.int64)
        return np.searchsorted(self.key, path * self.span + inside, side="right") - 1

    def at(self, path: IntArray, day: FloatArray) -> FloatArray:
        """Return the covariates of each path on each day, (n, q)."""
        return self.values[self.code[self.run(path, np.floor(day))]]

    def count(self, path: IntArray, low: FloatArray, high: FloatArray) -> IntArray:
        """Return how many pieces the spans of time [low, high) have, at least one; (n,)."""
        last = self.run(path, np.ceil(high) - 1.0)
        return np.maximum(last - self.run(path, np.floor(low)), 0) + 1

    def cut(self, path: IntArray, low: FloatArray, high: FloatArray) -> tuple[FloatArray, IntArray]:
        """Return lengths in days and codes of the pieces of [low, high), both (n, m).

        Rows with fewer pieces than others end in pieces of no length.
        """
        count = self.count(path, low, high)
        piece = np.arange(int(count.max()))
        run = self.run(path, np.floor(low))[:, None] + np.minimum(piece, count[:, None] - 1)
        begin = np.maximum(self.start[run], low[:, None])
        length = np.minimum(self.end[run], high[:, None]) - begin
        return np.where(piece < count[:, None], np.maximum(length, 0.0), 0.0), self.code[run]


def make_paths(
    path: IntArray, day: IntArray, columns: Sequence[FloatArray]
) -> tuple[Paths, IntArray]:
    """Return the distinct paths, and for every path 0, 1, ... which of them it is.

    One row per path and first day of a period, sorted by both, each path present; a value holds
    until the path's next row, the first one also before. Periods that change nothing are merged.
    """
    kind, code = distinct_rows(columns)
    values = np.column_stack([column[kind] for column in columns])
    new = np.ones(path.size, dtype=bool)
    new[1:] = (path[1:] != path[:-1]) | (code[1:] != code[:-1])
    path, day, code = path[new], day[new], code[new]
    first = np.flatnonzero(np.diff(path, prepend=-1))
    day[first] = day.min()
    kept, which = _distinct(first, np.diff(first, append=path.size), day, code)
    count = np.diff(first, append=path.size)[kept]
    of, row = ranges(first[kept], count)
    day, code = day[row], code[row]
    origin = int(day.min())
    span = int(day.max()) - origin + 1
    end = np.full(of.size, np.inf)
    end[:-1] = np.where(of[1:] == of[:-1], day[1:], np.inf)
    key = of * span + (day - origin)
    return Paths(day.astype(np.float64), end, code, values, key, origin, span), which


def _distinct(
    first: IntArray, count: IntArray, day: IntArray, code: IntArray
) -> tuple[IntArray, IntArray]:
    """Return a position of each kind of path, and for every path which kind it is.

    Paths are told apart run by run, until each stands alone or has no further run.
    """
    kept, kind = distinct_rows([count])
    for run in range(int(count.max())):
        if kept.size == kind.size:
            break
        here = count > run
        row = np.where(here, first + run, 0)
        now = [np.where(here, values[row], 0) for values in (day, code)]
        kept, kind = distinct_rows([kind, *now])
    return kept, kind


def blocks(size: IntArray, beside: IntArray | None = None) -> Iterator[IntArray]:
    """Cut rows (n,) into blocks of rows alike in `size` and small enough for the cache.

    Cheaper pieces `beside` those in `size` may be more, but not without bound.
    """
    beside = np.ones_like(size) if beside is None else beside
    order = np.lexsort((-beside, -size))
    place = 0
    while place < size.size:
        rows = order[place : place + max(1, _BLOCK // int(size[order[place]]))]
        rows = rows[: max(1, 8 * _BLOCK // int(beside[rows].max()))]
        yield rows
        place += rows.size
