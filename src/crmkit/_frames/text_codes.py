"""Codes of text ids of one length, such as C0012345, without hashing each of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd
    from numpy.typing import NDArray

    from crmkit._typing import Ints

__all__ = ["arrow_text", "give_back", "text_keys"]

_CHUNK = 1 << 16
_LONGEST = 32


def text_keys(text: Any) -> tuple[Ints, int] | None:
    """Return whole numbers below a span that are equal and sorted as the texts of an Arrow array.

    None where there is no such array, or the numbers would lie far apart. Where all texts have as
    many bytes, each position is a digit whose base is the range of bytes found there: ids of one
    letter and seven digits become numbers below 10 million. Bytes of UTF-8 sort as the characters.
    """
    letters = None if text is None else _byte_table(text)
    if letters is None or not letters.size:
        return None
    low, high = letters[0].copy(), letters[0].copy()
    for piece in _pieces(letters):
        np.minimum(low, piece.min(axis=1), out=low)
        np.maximum(high, piece.max(axis=1), out=high)
    bases = [int(top) - int(bottom) + 1 for bottom, top in zip(low, high, strict=True)]
    span = 1
    for base in bases:
        span *= base
    if span >= 4 * len(letters):
        return None
    keys = np.empty(len(letters), dtype=np.int64)
    for number, piece in enumerate(_pieces(letters)):
        key = keys[number * _CHUNK : (number + 1) * _CHUNK]
        key[:] = 0
        for base, bottom, digit in zip(bases, low, piece, strict=True):
            if base > 1:
                key *= base
                key += digit - bottom
    return keys, span


def _pieces(letters: NDArray[np.uint8]) -> Iterator[NDArray[np.uint8]]:
    """Cut the table into pieces of shape (positions, rows), each position contiguous."""
    for start in range(0, len(letters), _CHUNK):
        yield np.ascontiguousarray(letters[start : start + _CHUNK].T)


def arrow_text(values: pd.Series[Any]) -> Any:
    """Return a column of texts as an Arrow array, None where it is no such or pyarrow is not there.

    Texts may be Python objects, which pandas 2 keeps: Arrow then takes them in one pass.
    """
    objects = values.dtype == object
    if not objects and getattr(values.dtype, "storage", None) != "pyarrow":
        return None
    try:
        import pyarrow as pa
    except ImportError:
        return None
    try:
        text = pa.array(values.to_numpy() if objects else values.array, from_pandas=True)
    except (pa.ArrowException, UnicodeError, ValueError, OverflowError):
        return None
    if isinstance(text, pa.ChunkedArray):
        text = text.combine_chunks()
    return text if pa.types.is_string(text.type) or pa.types.is_large_string(text.type) else None


def give_back() -> None:
    """Give the system back the memory of texts that Arrow no longer needs; it would keep it."""
    import pyarrow as pa

    pa.default_memory_pool().release_unused()


def _byte_table(text: Any) -> NDArray[np.uint8] | None:
    """Return the bytes of an Arrow array of texts as (rows, length), if all are as long."""
    import pyarrow as pa

    kinds = {pa.string(): np.int32, pa.large_string(): np.int64}
    if text.null_count or not len(text):
        return None
    _, ends, data = text.buffers()
    offsets = np.frombuffer(ends, dtype=kinds[text.type])[text.offset :][: len(text) + 1]
    length = int(offsets[1] - offsets[0])
    if not 0 < length <= _LONGEST or not (np.diff(offsets) == length).all():
        return None
    letters = np.frombuffer(data, dtype=np.uint8)[offsets[0] : offsets[-1]]
    return letters.reshape(len(text), length)
