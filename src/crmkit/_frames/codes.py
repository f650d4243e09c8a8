"""Values in, codes out: which of the distinct values, in sorted order, each row holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._frames.text_codes import arrow_text, text_keys
from crmkit._kinds import unpacked
from crmkit.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from crmkit._typing import Ints


__all__ = ["above", "keyed_codes", "sorted_codes"]

_CHUNK = 1 << 20


def sorted_codes(values: pd.Series[Any]) -> tuple[Ints, pd.Index[Any]]:
    """Return codes into the distinct values, which come sorted; -1 where missing.

    Values of several types (7 and "7a") cannot be compared: they are sorted within their type.
    """
    return keyed_codes(values, text_keys(arrow_text(values)))


def keyed_codes(
    values: pd.Series[Any], keys: tuple[Ints, int] | None
) -> tuple[Ints, pd.Index[Any]]:
    """Return codes as `sorted_codes` does, where `text_keys` of the values are known.

    The keys become the codes.
    """
    if isinstance(values.dtype, pd.CategoricalDtype):
        # Unused levels must not become customers, and level order must not matter.
        levels, level = values.dtype.categories, values.cat.codes.to_numpy(dtype=np.int64)
        used = np.flatnonzero(np.bincount(level + 1, minlength=len(levels) + 1)[1:])
        place = np.full(len(levels) + 1, -1, dtype=np.int64)  # the last place is that of code -1
        place[used], distinct = sorted_codes(pd.Series(levels[used]))
        return place[level], distinct
    values = unpacked(values)
    if isinstance(values.dtype, np.dtype) and values.dtype.kind in "iu" and len(values):
        whole = values.to_numpy()
        low, high = int(whole.min()), int(whole.max())
        if high - low < 4 * len(whole):
            codes, places = _dense_codes(above(whole, low), high - low + 1)
            wide = np.uint64 if whole.dtype.kind == "u" else np.int64
            return codes, pd.Index((places.astype(wide) + wide(low)).astype(whole.dtype))
    if keys is not None:
        codes, places = _dense_codes(*keys)
        return codes, pd.Index(values.array[_one_row_each(codes, len(places))])
    try:
        codes, found = pd.factorize(values)
    except TypeError:
        raise InputError(
            f"column {values.name!r} holds lists or the like, which cannot be told apart. "
            "Write each as one text or number."
        ) from None
    distinct = pd.Index(found)
    order = _sorting(distinct)
    place = np.empty(len(distinct) + 1, dtype=np.int64)
    place[order] = np.arange(len(distinct))
    place[-1] = -1  # where the code of a missing value leads
    return place[codes], distinct[order]


def _sorting(distinct: pd.Index[Any]) -> Ints:
    """Return the positions of distinct values in their sorted order."""
    text = arrow_text(distinct.to_series())
    if text is not None:
        import pyarrow.compute as pc

        return np.asarray(pc.sort_indices(text), dtype=np.int64)
    try:
        return np.asarray(distinct.argsort(), dtype=np.int64)
    except TypeError:
        by_type = sorted(range(len(distinct)), key=lambda i: _by_type(distinct[i]))
        return np.asarray(by_type, dtype=np.int64)


def _dense_codes(numbers: Ints, span: int) -> tuple[Ints, Ints]:
    """Make codes of whole numbers below a span, in their place; return the distinct numbers, too.

    A table look-up does it, without hashing.
    """
    present = np.zeros(span, dtype=bool)
    present[numbers] = True
    place = np.cumsum(present, dtype=np.int64)
    place -= 1
    for start in range(0, numbers.size, _CHUNK):
        numbers[start : start + _CHUNK] = place[numbers[start : start + _CHUNK]]
    return numbers, np.flatnonzero(present)


def above(values: NDArray[Any], low: int) -> Ints:
    """Return how far whole numbers of any width lie above the smallest, without overflow."""
    wide = values if values.dtype.itemsize == 8 else values.astype(np.int64)
    return (wide - wide.dtype.type(low)).astype(np.int64, copy=False)


def _one_row_each(codes: Ints, n: int) -> Ints:
    """Return for each code a row that holds it."""
    rows = np.empty(n, dtype=np.int64)
    for start in range(0, codes.size, _CHUNK):
        piece = codes[start : start + _CHUNK]
        rows[piece] = np.arange(start, start + piece.size)
    return rows


def _by_type(value: Any) -> tuple[str, Any]:
    """Return a sort key that never compares values of two types."""
    number = isinstance(value, (int, float, np.number)) and not isinstance(value, bool)
    kind = "" if number else type(value).__name__
    return (kind, value if number or isinstance(value, str) else repr(value))
