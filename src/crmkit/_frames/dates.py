"""Dates in, whole days out. Inside crmkit a day is an integer: days since 1970-01-01."""

from __future__ import annotations

import contextlib
import datetime as dt
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._kinds import column_kind, unpacked

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from crmkit._checks import Problems
    from crmkit._typing import Bools, Ints

__all__ = [
    "DATE_UNIT",
    "day_column",
    "day_numbers",
    "is_far",
    "local_moments",
    "moments",
    "note_far",
    "one_clock",
]

# Results carry dates in the unit that this pandas gives dates read from text, so that they
# compare, merge and concatenate with the caller's own.
DATE_UNIT = np.datetime_data(pd.to_datetime(["2024-01-01"]).to_numpy().dtype)[0]

# The days that every pandas can hold, whole years of them.
_FIRST, _LAST = (int(np.datetime64(day, "D").astype(np.int64)) for day in ("1678", "2262"))


def day_column(days: ArrayLike) -> NDArray[np.datetime64]:
    """Return day numbers, shape (n,), as dates in pandas' own unit; in a wider one if need be."""
    days = np.asarray(days, dtype=np.int64)
    unit = "us" if is_far(days).any() else DATE_UNIT
    return days.astype("datetime64[D]").astype(f"datetime64[{unit}]")


def is_far(days: Ints) -> Bools:
    """Tell which days, shape (n,), lie outside the years 1678 to 2261: they stand for no date."""
    return (days < _FIRST) | (days >= _LAST)


def moments(series: pd.Series[Any]) -> NDArray[np.datetime64] | None:
    """Return a datetime-like column as naive moments by its own clock; None if it is not one.

    A stamp with a time zone or an offset keeps its wall-clock time: the calendar day a customer
    saw. A mixture of stamps with and without one has no clock.
    """
    return local_moments(series, None)


def local_moments(series: pd.Series[Any], zone: dt.tzinfo | None) -> NDArray[np.datetime64] | None:
    """Return moments as in `moments`; those with a zone or an offset by the clock of `zone`."""
    series = _numpy_dates(unpacked(series))
    dtype = series.dtype
    if isinstance(dtype, pd.DatetimeTZDtype):
        if zone is not None:
            series = series.dt.tz_convert(zone)
        return series.dt.tz_localize(None).to_numpy()
    if isinstance(dtype, np.dtype) and dtype.kind == "M":
        return series.to_numpy()
    if len(series) and isinstance(series.iloc[0], str):
        return None  # one text is enough
    kind = column_kind(series)
    if kind == "nothing":
        return np.full(len(series), np.datetime64("NaT", "us"), dtype="datetime64[us]")
    dates = kind == "dates" and pd.api.types.is_object_dtype(dtype)
    return _object_moments(series, zone) if dates else None


def _numpy_dates(series: pd.Series[Any]) -> pd.Series[Any]:
    """Return an Arrow-backed date or timestamp column as pandas' own; any other as it is."""
    dtype = series.dtype
    if not isinstance(dtype, pd.ArrowDtype) or dtype.kind != "M":
        return series
    kind: Any = dtype.pyarrow_dtype
    if getattr(kind, "tz", None) is not None:
        return series.astype(pd.DatetimeTZDtype(kind.unit, kind.tz))
    naive: Any = np.dtype(f"datetime64[{getattr(kind, 'unit', 's')}]")
    return series.astype(naive)


def _object_moments(
    series: pd.Series[Any], zone: dt.tzinfo | None
) -> NDArray[np.datetime64] | None:
    """Return a column of date or datetime objects (with gaps) as naive moments."""
    missing = series.isna().to_numpy()
    present = series.to_numpy()[~missing].tolist()
    if not all(isinstance(value, (dt.date, np.datetime64)) for value in present):
        return None  # periods
    local = one_clock(present, zone)
    if local is None:
        return None
    out = np.full(len(series), np.datetime64("NaT", "us"), dtype="datetime64[us]")
    out[~missing] = local
    return out


def one_clock(values: list[Any], zone: dt.tzinfo | None) -> NDArray[np.datetime64] | None:
    """Return date or datetime objects as moments, aware ones by their own clock or that of `zone`.

    None if some datetimes have an offset and some have none; plain dates go with either.
    """
    aware = [getattr(value, "tzinfo", None) is not None for value in values]
    if any(aware):
        stamps = [isinstance(value, (dt.datetime, np.datetime64)) for value in values]
        if sum(stamps) > sum(aware):
            return None
        values = [
            _local(value, zone) if has_zone else value
            for value, has_zone in zip(values, aware, strict=True)
        ]
    return np.array(values, dtype="datetime64[us]")


def _local(value: dt.datetime, zone: dt.tzinfo | None) -> dt.datetime:
    """Return an aware datetime without its offset, by its own clock or that of `zone`."""
    # At an end of the calendar there may be no such clock.
    with contextlib.suppress(OverflowError):
        value = value if zone is None else value.astimezone(zone)
    return value.replace(tzinfo=None)


def day_numbers(
    series: pd.Series[Any], problems: Problems, column: str, *, missing: int | None = None
) -> Ints:
    """Return a date column as day numbers and note text, numbers, missing and far dates.

    With `missing`, dates may be missing and count as that day; far ones, such as 9999-12-31 for
    "no end", come as they are.
    """
    found = moments(series)
    if found is None:
        problems.add(
            f"column {column!r} must hold dates; it holds {_what(series)}. Pass the table through "
            "crmkit.as_transactions, or convert it with pandas.to_datetime(..., format=...)."
        )
        return np.zeros(len(series), dtype=np.int64)
    gaps = np.isnat(found)
    days = found.astype("datetime64[D]").view(np.int64)
    if missing is not None:
        return np.where(gaps, missing, days)
    problems.rows(gaps, f"column {column!r} is missing", do="Fill or drop these rows first.")
    note_far(days, ~gaps, problems, column)
    return days


def note_far(days: Ints, known: Bools, problems: Problems, column: str) -> None:
    """Note dates outside the years 1678 to 2261 among the known ones."""
    ends = np.array([days.min(), days.max()]) if len(days) else days
    if is_far(ends).any():  # two numbers tell whether all rows must be looked at
        problems.rows(
            is_far(days) & known,
            f"column {column!r} lies outside the years 1678 to 2261",
            do="Such a date stands for no date: correct or drop these rows.",
            values=days.view("datetime64[D]"),
        )


def _what(series: pd.Series[Any]) -> str:
    """Say what a column holds that holds no dates."""
    kind = column_kind(series)
    if kind == "dates":
        return "stamps with and without an offset, or periods"
    words = {"levels": "text", "numbers": "numbers", "flags": "flags", "nothing": "nothing"}
    return words[kind]
