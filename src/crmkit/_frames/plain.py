"""One form for each kind of column, so that the type it came in cannot change an answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._frames.dates import DATE_UNIT, moments
from crmkit._kinds import as_floats, column_kind, unpacked

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from crmkit._typing import Bools

__all__ = ["plain_column", "plain_columns"]

_WORDS: Any = pd.Series(["a"]).dtype
_MOMENTS = np.dtype(f"datetime64[{DATE_UNIT}]")
_SPANS: Any = np.dtype(f"timedelta64[{DATE_UNIT}]")
_PLAIN = [np.dtype(np.int64), np.dtype(np.float64), np.dtype(bool), _MOMENTS, _SPANS]
if not pd.api.types.is_object_dtype(_WORDS):  # pandas 3
    _PLAIN.append(_WORDS)
# A float holds every whole number up to here.
_EXACT = 2**53
# Some days less than a count of nanoseconds reaches, before and after 1970.
_REACH = 106_000


def plain_columns(
    frame: pd.DataFrame, *, leave: tuple[str, ...] = (), names: tuple[str, ...] = ()
) -> pd.DataFrame:
    """Return a table whose columns, but for those to `leave`, are plain; itself where all are.

    What stands in the columns `names` is a name, and date objects there remain what they are.
    """
    plain = frame
    for place, (name, dtype) in enumerate(zip(frame.columns, frame.dtypes, strict=True)):
        if name in leave or dtype in _PLAIN:
            continue
        given = frame.iloc[:, place]
        column = plain_column(given)
        if name in names and given.dtype == object and column.dtype.kind == "M":
            continue
        if column is not given:
            plain = plain.copy(deep=False) if plain is frame else plain
            plain.isetitem(place, column.array)
    return plain


def plain_column(series: pd.Series[Any]) -> pd.Series[Any]:
    """Return a column in the form that pandas gives its values when it is left alone.

    Whole numbers become int64, other numbers float64 with NaN where one is missing, flags bool,
    words pandas' own text, moments naive ones of their own clock. Ordered categories of words
    stay as they are, and so does what its plain form would alter.
    """
    dtype = series.dtype
    if dtype in _PLAIN:
        return series
    kind, loose = column_kind(series), unpacked(series)
    found: Any = None
    if kind == "dates":
        found = _dates(loose)
    elif kind == "flags":
        values, _ = as_floats(loose)
        found = _flags(values == 1, np.isnan(values))
    elif kind == "numbers":
        found = _numbers(loose)
    elif pd.api.types.infer_dtype(loose, skipna=True) == "string":
        found = _words(loose)
    if found is None:
        return loose
    return pd.Series(found, index=series.index)


def _dates(series: pd.Series[Any]) -> NDArray[np.datetime64] | None:
    """Return moments in pandas' own unit; None where that unit does not reach."""
    found = moments(series)
    if found is None:
        return None
    days = found.astype("datetime64[D]").astype(np.int64)[~np.isnat(found)]
    return found.astype(_MOMENTS) if (np.abs(days) < _REACH).all() else None


def _flags(values: Bools, missing: Bools) -> Any:
    """Return flags as bool, or as pandas' own type for flags where some are missing."""
    return pd.arrays.BooleanArray(values, missing) if missing.any() else values


def _numbers(series: pd.Series[Any]) -> Any:
    """Return numbers as int64, uint64 or float64; None where some would be rounded or are broken.

    Durations stay durations.
    """
    inferred = pd.api.types.infer_dtype(series, skipna=True)
    if inferred.startswith("timedelta"):
        return series.astype(_SPANS)
    values, broken = as_floats(series)
    if broken is not None or inferred != "integer":
        return values if broken is None else None
    missing = np.isnan(values)
    if missing.any():
        return values if (np.abs(values[~missing]) <= _EXACT).all() else None
    low, high = (values.min(), values.max()) if values.size else (0.0, 0.0)
    if low >= -(2.0**63) and high < 2.0**63:
        return series.to_numpy(dtype=np.int64)
    return series.to_numpy(dtype=np.uint64) if low >= 0 and high < 2.0**64 else None


def _words(series: pd.Series[Any]) -> Any:
    """Return text as pandas' own text type; None where that cannot hold it."""
    gaps = series.isna()
    if series.dtype == _WORDS and not any(cell is pd.NA for cell in series[gaps]):
        return None  # pandas 2 keeps text as objects
    cells = series.astype(object).where(~gaps, np.nan)
    try:
        return cells.astype(_WORDS)
    except UnicodeEncodeError:
        return None
