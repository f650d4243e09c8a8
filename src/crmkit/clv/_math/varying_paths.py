"""Covariates over time: piecewise constant paths, and the pieces that a span of time cuts out.

Customers whose covariates change on the same days to the same values share a path, so that
customers who are alike can be found and are computed once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from crmkit._arrays import ranges
from crmkit.clv._math.rows import distinct_rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from crmkit._typing import Floats, Ints

__all__ = ["Paths", "blocks", "make_paths"]


# Pieces handled at once, so that temporaries stay in the cache.
_BLOCK = 4096


@dataclass(frozen=True, slots=True)
class Paths:
    """Runs of constant covariates, path after path; m runs, v distinct vectors of q covariates.

    ``start`` and ``end`` (m,) are days since 1970-01-01; a path's last run never ends. ``code``
    (m,) says which of the ``values`` (v, q) holds, ``key`` (m,) orders the runs of all paths.
    """

    start: Floats
    end: Floats
    code: Ints
    values: Floats
    key: Ints
    origin: int
    span: int

    def run(self, path: Ints, day: Floats) -> Ints:
        """Return the run of each path that holds on each day; both (n,)."""
        inside = np.clip(day - self.origin, 0, self.span - 1).astype(np.int64)
        return np.searchsorted(self.key, path * self.span + inside, side="right") - 1

    def at(self, path: Ints, day: Floats) -> Floats:
        """Return the covariates of each path on each day, (n, q)."""
        return self.values[self.code[self.run(path, np.floor(day))]]

    def count(self, path: Ints, low: Floats, high: Floats) -> Ints:
        """Return how many pieces the spans of time [low, high) have, at least one; (n,)."""
        last = self.run(path, np.ceil(high) - 1.0)
        return np.maximum(last - self.run(path, np.floor(low)), 0) + 1

    def cut(self, path: Ints, low: Floats, high: Floats) -> tuple[Floats, Ints]:
        """Return lengths in days and codes of the pieces of [low, high), both (n, m).

        Rows with fewer pieces than others end in pieces of no length.
        """
        count = self.count(path, low, high)
        piece = np.arange(int(count.max()))
        run = self.run(path, np.floor(low))[:, None] + np.minimum(piece, count[:, None] - 1)
        begin = np.maximum(self.start[run], low[:, None])
        length = np.minimum(self.end[run], high[:, None]) - begin
        return np.where(piece < count[:, None], np.maximum(length, 0.0), 0.0), self.code[run]


def make_paths(path: Ints, day: Ints, columns: Sequence[Floats]) -> tuple[Paths, Ints]:
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


def _distinct(first: Ints, count: Ints, day: Ints, code: Ints) -> tuple[Ints, Ints]:
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


def blocks(size: Ints, beside: Ints | None = None) -> Iterator[Ints]:
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
