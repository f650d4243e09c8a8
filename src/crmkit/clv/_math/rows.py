"""Compression: customers with equal histories are computed once."""

from __future__ import annotations

from dataclasses import dataclass
from types import EllipsisType
from typing import TYPE_CHECKING, Any

import numpy as np

from crmkit._typing import Ints

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from crmkit._typing import Bools, Floats

__all__ = ["ALL", "Index", "Rows", "alike_rows", "distinct_rows"]

# Positions in an array; `ALL` stands for every position in its place and copies nothing.
Index = Ints | EllipsisType

ALL = ...
_FEW = 1_000_000


@dataclass(frozen=True, slots=True)
class Rows:
    """Distinct customers: model columns, one design per parameter, and who is which row."""

    columns: dict[str, Floats]
    designs: tuple[Floats | None, ...]
    weight: Floats
    inverse: Index

    def where(self, chosen: Bools | slice) -> Rows:
        """Return some of the rows, for a likelihood; who is which row is of all of them still."""
        return Rows(
            {name: column[chosen] for name, column in self.columns.items()},
            tuple(None if design is None else design[chosen] for design in self.designs),
            self.weight[chosen],
            self.inverse,
        )


def alike_rows(columns: Sequence[Floats]) -> tuple[Index, Index]:
    """Return a position of each kind of row, and for every row which kind it is.

    Equal rows are found where that costs next to nothing, by counting whole numbers in small
    ranges. Sorting takes longer than most predictions: otherwise every row is its own kind.
    """
    size = columns[0].size
    if not size:
        return ALL, ALL
    lows = [float(column.min()) for column in columns]
    spans = [float(column.max()) - low + 1.0 for column, low in zip(columns, lows, strict=True)]
    n_keys = float(np.prod(spans))
    if n_keys > 4.0 * size + 1000.0 or not all(_whole(column) for column in columns):
        return ALL, ALL
    key = np.zeros(size, dtype=np.int64)
    for column, low, span in zip(columns, lows, spans, strict=True):
        key *= int(span)
        key += (column - low).astype(np.int64)
    kind = _ranks(key, int(n_keys))
    first = np.empty(int(kind.max()) + 1, dtype=np.int64)
    first[kind] = np.arange(size)
    return first, kind


def distinct_rows(
    columns: Sequence[NDArray[Any]],
) -> tuple[Ints, Ints]:
    """Return the first position of each distinct row, and for every row which one it equals.

    The distinct rows come in the order of their values, so that the result does not depend on
    the order of the customers.
    """
    key = np.zeros(columns[0].size, dtype=np.int64)
    n_keys = 1
    for column in columns:
        code, n_codes = _codes(column, ranked=False)
        if n_keys * n_codes >= 4 * key.size + _FEW:
            # Too many to count: number only those that occur.
            key, n_keys = _codes(key)
            code, n_codes = _codes(code)
        key = key * n_codes + code
        n_keys *= n_codes
    key, n_keys = _codes(key)
    first = np.empty(n_keys, dtype=np.int64)
    first[key[::-1]] = np.arange(key.size - 1, -1, -1)
    return first, key


def _codes(values: NDArray[Any], *, ranked: bool = True) -> tuple[Ints, int]:
    """Return codes in the order of the values, and their number; `ranked` ones leave no gaps."""
    low, high = values.min(), values.max()
    span = float(high) - float(low)
    whole = values.dtype.kind == "i"
    if span < 4.0 * values.size + _FEW and (whole or _whole(values)):
        # Whole numbers in a small range: counting is faster than sorting.
        code = (values - low).astype(np.int64)
        if not ranked:
            return code, int(span) + 1
        rank = _ranks(code, int(span) + 1)
        return rank, int(rank.max()) + 1
    found, code = np.unique(values, return_inverse=True)
    return code.astype(np.int64, copy=False).ravel(), found.size


def _ranks(code: Ints, n_codes: int) -> Ints:
    """Return codes from 0 without gaps, in the same order."""
    present = np.zeros(n_codes, dtype=bool)
    present[code] = True
    rank = np.cumsum(present, dtype=np.int64) - 1
    return rank[code]


def _whole(values: Floats) -> bool:
    """Tell whether all values are whole numbers."""
    return np.array_equal(values, np.floor(values))
