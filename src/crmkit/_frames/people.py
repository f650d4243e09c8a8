"""Reading a customer table: one row per customer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._checks import Problems
from crmkit._frames.engines import table_columns, to_pandas
from crmkit._frames.text_codes import arrow_text
from crmkit._kinds import is_number, missing_cells, unpacked
from crmkit.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from crmkit._typing import Bools

__all__ = ["check_ids", "check_words", "id_hashes", "read_customers"]

_CHUNK = 1 << 16


def read_customers(
    customers: Any,
    *,
    needs: Iterable[str] = (),
    optional: Iterable[str] | None = None,
    name: str = "customers",
    unique: bool = True,
    allow_empty: bool = False,
    named: bool = True,
) -> pd.DataFrame:
    """Return a customer table as pandas with a RangeIndex, its ids checked.

    `needs` are the columns that must exist beside ``customer_id``; `optional` limits what else is
    read (default: everything). `unique` is False for tables with several rows per customer,
    `named` False where rows may stand for many customers and lack ids.
    """
    ids = ["customer_id"] if named or "customer_id" in table_columns(customers, name) else []
    frame = to_pandas(customers, name, needs=[*ids, *needs], optional=optional)
    if frame.empty and not allow_empty:
        raise InputError(f"`{name}` has no rows.")
    # set_axis shares the data: the caller's frame keeps its index.
    frame = frame.set_axis(pd.RangeIndex(len(frame)), axis=0)
    problems = Problems(name)
    if ids:
        check_ids(frame["customer_id"], problems, unique=unique)
    problems.raise_if_any()
    return frame


def check_ids(ids: pd.Series[Any], problems: Problems, *, unique: bool, text: Any = None) -> None:
    """Note missing ids and, where each customer has one row, repeated ones.

    `text` is what `arrow_text` made of them, where that is known.
    """
    text = check_words(ids, problems, "customer_id", text)
    full = text is not None and not text.null_count
    missing = np.zeros(len(ids), dtype=bool) if full else missing_cells(ids)
    problems.rows(
        missing,
        "column 'customer_id' is missing",
        do="Drop these rows, or pass the table through the door with missing_customers='drop'.",
    )
    if unique and not problems and not _rising(ids):
        repeated = ids.duplicated().to_numpy() & ~missing
        problems.rows(
            np.asarray(repeated),
            "column 'customer_id' repeats an earlier row",
            do="Keep one row per customer.",
            values=ids.tolist() if repeated.any() else None,
        )


def check_words(series: pd.Series[Any], problems: Problems, column: str, text: Any = None) -> Any:
    """Note cells that cannot serve as names: lists and the like, and text that pandas may merge.

    The hash table of pandas ends a text at its first NUL, and cannot hold half a character. What
    was found of the column as an Arrow array of texts, `text` or made here, is returned.
    """
    if isinstance(series.dtype, pd.CategoricalDtype):
        series = pd.Series(series.dtype.categories)
    if not (pd.api.types.is_object_dtype(series.dtype) or series.dtype.kind == "O"):
        return None
    text = arrow_text(series) if text is None else text
    # Arrow takes no half character, so that a NUL is all there can be.
    if text is not None and not _has_nul(text):
        return text
    problems.rows(
        _unfit(series.to_numpy(dtype=object)),
        f"column {column!r} holds lists, or text with a NUL or half a character (a lone "
        "surrogate), which cannot tell rows apart",
        do="Write these values as plain text first.",
        values=series,
    )
    return text


def _has_nul(text: Any) -> bool:
    """Tell whether an Arrow array of texts holds a NUL."""
    data = text.buffers()[2]
    return data is not None and not np.frombuffer(data, dtype=np.uint8).all()


def _unfit(cells: NDArray[Any]) -> Bools:
    """Tell which cells are unhashable, or text that no hash table of pandas keeps apart."""
    unfit = np.zeros(len(cells), dtype=bool)
    if pd.api.types.infer_dtype(cells, skipna=True).startswith("mixed"):
        unfit = np.array([not _hashable(cell) for cell in cells], dtype=bool)
    for start in range(0, len(cells), _CHUNK):
        piece = cells[start : start + _CHUNK]
        try:
            text = "".join(piece)
        except TypeError:
            text = "".join([cell for cell in piece if isinstance(cell, str)])
        if not _sound(text):
            broken = [isinstance(cell, str) and not _sound(cell) for cell in piece]
            unfit[start : start + _CHUNK] |= np.array(broken, dtype=bool)
    return unfit


def _sound(text: str) -> bool:
    """Tell whether text is without NUL and lone surrogates."""
    if "\0" in text:
        return False
    try:
        return text.isascii() or bool(text.encode())
    except UnicodeEncodeError:
        return False


def _hashable(cell: Any) -> bool:
    """Tell whether a cell can be looked up; a tuple that holds a list cannot."""
    try:
        hash(cell)
    except TypeError:
        return False
    return True


def id_hashes(ids: pd.Series[Any]) -> NDArray[np.uint64]:
    """Return a hash of each id, shape (n,), by its value: equal for 7 and 7.0, not for "7"."""
    codes, distinct = pd.factorize(unpacked(ids))
    texts = np.array([_id_text(value) for value in distinct.tolist()], dtype=object)
    return np.asarray(pd.util.hash_array(texts), dtype=np.uint64)[codes]


def _id_text(value: Any) -> str:
    """Write an id so that equal ones, and no others, look equal."""
    if not is_number(value):
        return f"{type(value).__name__} {value}"
    if not isinstance(value, int) and float(value).is_integer():
        value = int(value)
    return f"number {value if isinstance(value, int) else float(value)!r}"


def _rising(ids: pd.Series[Any]) -> bool:
    """Tell whether ids are numbers that rise from row to row, as in sorted tables: none repeats."""
    if not (isinstance(ids.dtype, np.dtype) and ids.dtype.kind in "iuf"):
        return False
    values = ids.to_numpy()
    return bool((values[1:] > values[:-1]).all())
