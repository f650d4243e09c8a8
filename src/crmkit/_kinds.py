"""What kind of thing a column is: read from its values, whatever type stores them."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal, InvalidOperation
from numbers import Real
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from crmkit._typing import Bools, Floats

__all__ = [
    "as_floats", "column_kind", "is_number", "may_hold_text", "missing_cells", "unpacked"
]  # fmt: skip

Kind = Literal["numbers", "flags", "levels", "dates", "nothing"]

_REAL = ("boolean", "integer", "floating", "mixed-integer-float", "decimal")
_INFERRED: dict[str, Kind] = {
    **dict.fromkeys((*_REAL[1:], "complex", "timedelta", "timedelta64"), "numbers"),
    "boolean": "flags",
    **dict.fromkeys(("date", "datetime", "datetime64", "period"), "dates"),
    **dict.fromkeys(("string", "bytes", "categorical", "interval", "time"), "levels"),
    "empty": "nothing",
}


def column_kind(series: pd.Series[Any]) -> Kind:
    """Tell whether a column holds numbers, flags (True and False), levels, dates or nothing.

    Durations are numbers; a column without any value is nothing, whatever its type. Numbers that
    are kept as a category are numbers: write them as text to make levels of them.
    """
    series = unpacked(series)
    kind = _kind_of_type(series.dtype)
    if kind is None:
        inferred = pd.api.types.infer_dtype(series, skipna=True)
        return _INFERRED.get(inferred) or _kind_of_cells(series)
    # Only a column that begins with a gap can be all gaps.
    gap = not len(series) or (pd.isna(series.iloc[0]) and series.isna().all())
    return "nothing" if gap else kind


def may_hold_text(series: pd.Series[Any]) -> bool:
    """Tell whether a column may hold words, by its type alone."""
    return series.dtype.kind not in "biufmM"


def unpacked(series: pd.Series[Any]) -> pd.Series[Any]:
    """Return what a column says where its type is a way to store it: categories, sparse, Arrow's.

    Ordered categories of words stay, because their order says something.
    """
    dtype = series.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        levels = dtype.categories
        words = _kind_of_type(levels.dtype) or _INFERRED.get(levels.inferred_type, "levels")
        return series if dtype.ordered and words == "levels" else series.astype(levels.dtype)
    if isinstance(dtype, pd.SparseDtype):
        return series.astype(dtype.subtype)
    if isinstance(dtype, pd.ArrowDtype) and str(dtype).startswith("dictionary"):
        import pyarrow as pa

        cells = pa.array(series.array).dictionary_decode()
        return pd.Series(pd.arrays.ArrowExtensionArray(cells), index=series.index)
    if isinstance(dtype, pd.ArrowDtype) and str(dtype).startswith("null"):
        return series.astype(object)
    return series


def _kind_of_type(dtype: Any) -> Kind | None:
    """Return the kind that a type alone settles, None where the cells must be looked at."""
    if pd.api.types.is_bool_dtype(dtype):
        return "flags"
    if pd.api.types.is_numeric_dtype(dtype) or dtype.kind == "m":
        return "numbers"
    if dtype.kind == "M" or isinstance(dtype, pd.PeriodDtype):
        return "dates"
    return None if pd.api.types.is_object_dtype(dtype) else "levels"


def _kind_of_cells(series: pd.Series[Any]) -> Kind:
    """Return the kind of a column whose cells are of several types."""
    present = series.to_numpy()[~missing_cells(series)]
    if all(is_number(cell) for cell in present):
        return "numbers"
    dates = (dt.date, np.datetime64)
    return "dates" if all(isinstance(cell, dates) for cell in present) else "levels"


def missing_cells(series: pd.Series[Any]) -> Bools:
    """Tell which cells are missing."""
    try:
        return np.asarray(series.isna(), dtype=bool)
    except InvalidOperation:  # a Decimal that signals when it is compared, even with itself
        return np.array([not isinstance(cell, Decimal) and pd.isna(cell) for cell in series])


def is_number(cell: Any) -> bool:
    """Tell whether one cell of an object column is a number or a flag."""
    return isinstance(cell, (Real, Decimal, np.bool_)) and not isinstance(cell, np.timedelta64)


def as_floats(series: pd.Series[Any]) -> tuple[Floats, Bools | None]:
    """Return a column as float64, NaN where missing, and which cells hold something else.

    The second is None where every cell is a number, a flag or missing. Durations, text that
    looks like a number and complex numbers are something else.
    """
    dtype = series.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        values, broken = as_floats(pd.Series(dtype.categories))
        codes = series.cat.codes.to_numpy()  # -1, the last, where missing
        return np.append(values, np.nan)[codes], _taken(broken, codes)
    series = unpacked(series)
    dtype = series.dtype
    if dtype.kind in "biuf" and isinstance(dtype, np.dtype):
        return series.to_numpy(dtype=np.float64), None
    if dtype.kind in "biuf" and "decimal" not in str(dtype):
        return series.to_numpy(dtype=np.float64, na_value=np.nan), None
    missing = missing_cells(series)
    values = np.full(len(series), np.nan)
    cells = series.to_numpy(dtype=object)[~missing]
    if pd.api.types.infer_dtype(cells, skipna=False) in _REAL:
        try:
            values[~missing] = cells.astype(np.float64)
        except (TypeError, ValueError, ArithmeticError):
            pass  # some cell is out of range: look at each
        else:
            return values, None
    read = [_as_float(cell) for cell in cells]
    values[~missing] = [np.nan if value is None else value for value in read]
    broken = np.zeros(len(series), dtype=bool)
    broken[~missing] = [value is None for value in read]
    return values, broken if broken.any() else None


def _taken(broken: Bools | None, codes: Any) -> Bools | None:
    """Return for each row whether its category is broken."""
    if broken is None:
        return None
    rows: Bools = np.append(broken, False)[codes]
    return rows if rows.any() else None


def _as_float(cell: Any) -> float | None:
    """Return one cell as a float; None if it is no number."""
    if not is_number(cell):
        return None
    try:
        return float(cell)
    except OverflowError:
        return np.inf if cell > 0 else -np.inf
    except ValueError:  # a signalling NaN
        return None
