"""Dates in, whole days out. Inside crmkit a day is an integer: days since 1970-01-01."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._checks import quoted
from crmkit.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from crmkit._checks import Problems
    from crmkit._typing import Ints

__all__ = ["DATE_UNIT", "day_column", "day_numbers", "moments", "parse_day", "parse_text"]

# Results carry dates in the unit that this pandas gives dates read from text, so that they
# compare, merge and concatenate with the caller's own.
DATE_UNIT = np.datetime_data(pd.to_datetime(["2024-01-01"]).to_numpy().dtype)[0]


def day_column(days: ArrayLike) -> NDArray[np.datetime64]:
    """Return day numbers, shape (n,), as dates in pandas' own unit."""
    return (
        np.asarray(days, dtype=np.int64).astype("datetime64[D]").astype(f"datetime64[{DATE_UNIT}]")
    )


def parse_day(value: Any, name: str) -> int:
    """Return one date, given as text or a datetime-like, as a day number."""
    try:
        known = isinstance(value, (str, dt.date, np.datetime64))
        stamp = pd.Timestamp(value) if known else pd.NaT
    except (ValueError, TypeError, OverflowError):
        stamp = pd.NaT
    if pd.isna(stamp):
        raise InputError(f"`{name}` must be a date such as '2025-06-30'; got {quoted(value)}.")
    return int(np.datetime64(stamp.replace(tzinfo=None), "D").astype(np.int64))


def moments(series: pd.Series[Any]) -> NDArray[np.datetime64] | None:
    """Return a datetime-like column as naive moments by its own clock; None if it is not one.

    A column with a time zone keeps its wall-clock time: the calendar day a customer saw.
    """
    dtype = series.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        series = series.astype(dtype.categories.dtype)
        dtype = series.dtype
    if isinstance(dtype, pd.DatetimeTZDtype):
        return series.dt.tz_localize(None).to_numpy()
    if isinstance(dtype, np.dtype) and dtype.kind == "M":
        return series.to_numpy()
    if isinstance(dtype, pd.ArrowDtype):
        return _arrow_moments(series, str(dtype))
    if isinstance(dtype, np.dtype) and dtype.kind == "O" and len(series):
        return _object_moments(series)
    return None


def _arrow_moments(series: pd.Series[Any], kind: str) -> NDArray[np.datetime64] | None:
    """Return an Arrow-backed date or timestamp column as naive moments."""
    if kind.startswith("timestamp"):
        if "tz=" in kind:
            series = series.dt.tz_localize(None)
        return series.to_numpy(dtype="datetime64[us]", na_value=np.datetime64("NaT", "us"))
    if kind.startswith("date"):
        return np.asarray(series.astype(object).where(series.notna(), None), dtype="datetime64[D]")
    return None


def _object_moments(series: pd.Series[Any]) -> NDArray[np.datetime64] | None:
    """Return a column of date or datetime objects (with gaps) as naive moments."""
    missing = series.isna().to_numpy()
    present = series.to_numpy()[~missing]
    if not present.size or not all(
        isinstance(value, (dt.date, np.datetime64)) for value in present
    ):
        return None
    zones = {value.utcoffset() for value in present if isinstance(value, dt.datetime)}
    if len(zones) > 1:
        return None
    out = np.full(len(series), np.datetime64("NaT", "us"), dtype="datetime64[us]")
    out[~missing] = [_naive(value) for value in present]
    return out


def _naive(value: Any) -> np.datetime64:
    """Return a date or datetime object as a moment by its own clock."""
    if isinstance(value, dt.datetime):
        value = value.replace(tzinfo=None)
    return np.datetime64(value, "us")


def day_numbers(series: pd.Series[Any], problems: Problems, column: str) -> Ints:
    """Return a date column as day numbers and note text, numbers and missing dates."""
    found = moments(series)
    if found is None:
        kind = "text" if _is_text(series) else str(series.dtype)
        problems.add(
            f"column {column!r} must hold dates; it holds {kind}. Pass the table through "
            "crmkit.as_transactions, or convert it with pandas.to_datetime(..., format=...)."
        )
        return np.zeros(len(series), dtype=np.int64)
    problems.rows(
        np.isnat(found), f"column {column!r} is missing", do="Fill or drop these rows first."
    )
    return found.astype("datetime64[D]").view(np.int64)


def _is_text(series: pd.Series[Any]) -> bool:
    """Tell whether a column holds text."""
    return pd.api.types.is_string_dtype(series.dtype) or series.dtype == object


def parse_text(
    series: pd.Series[Any], problems: Problems, column: str, date_format: str | None, tz: str | None
) -> NDArray[np.datetime64]:
    """Return a raw column as naive moments: dates of any kind, or text in one known format.

    Text is read as ISO 8601 unless `date_format` says otherwise, because a parser that guesses
    turns 05/01 into May for one half of the world. Moments of several zones need `tz`.
    """
    if tz is not None and isinstance(series.dtype, pd.DatetimeTZDtype):
        series = series.dt.tz_convert(tz)
    found = moments(series)
    if found is not None and tz is None:
        return found
    if found is not None and not _has_offsets(series):
        return found
    if found is None and pd.api.types.is_numeric_dtype(series.dtype) and date_format is None:
        problems.add(
            f"column {column!r} holds numbers, not dates. Say how to read them with `date_format`, "
            "for example '%Y%m%d', or convert seconds with pandas.to_datetime(..., unit='s')."
        )
        return np.full(len(series), np.datetime64("NaT", "us"), dtype="datetime64[us]")
    text = series.astype(object).where(series.notna(), None)
    if date_format is not None:
        text = text.map(lambda value: value if value is None else _plain(value))
    return _parsed(text, problems, column, date_format, tz)


def _plain(value: Any) -> str:
    """Write a cell as text; a whole number read as 19970101.0 loses its fraction."""
    if isinstance(value, float) and value == int(value):
        value = int(value)
    return str(value).strip()


def _has_offsets(series: pd.Series[Any]) -> bool:
    """Tell whether a column of datetime objects carries UTC offsets."""
    return series.dtype == object and any(
        isinstance(value, dt.datetime) and value.tzinfo is not None for value in series
    )


def _parsed(
    text: pd.Series[Any], problems: Problems, column: str, date_format: str | None, tz: str | None
) -> NDArray[np.datetime64]:
    """Parse text cells and note those that are no date and those of several zones."""
    # As moments in UTC every zone parses; the difference to the same text read without its
    # offset tells whether one clock or several wrote the column.
    form = date_format or "ISO8601"
    world = pd.to_datetime(text, format=form, errors="coerce", utc=True)
    problems.rows(
        (world.isna() & text.notna()).to_numpy(),
        f"column {column!r} is not a date"
        + (f" of the format {date_format!r}" if date_format else " in ISO form (2025-06-30)"),
        do="Correct these rows or say how dates are written with `date_format`.",
        values=text.tolist(),
    )
    if tz is not None:
        return world.dt.tz_convert(tz).dt.tz_localize(None).to_numpy()
    if date_format is not None and "%z" not in date_format:
        return world.dt.tz_localize(None).to_numpy()  # "-2025" at the end is a year, no offset
    known = text[world.notna()]
    offsets = known.astype(str).str.extract(r"\d[T ]?\d*:?\d+.*?(Z|[+-]\d{2}:?\d{2})$")[0]
    zones = sorted(offsets.fillna("none").unique())
    if len(zones) > 1:
        problems.add(
            f"column {column!r} mixes time zones {zones}. Say in which zone a day begins and ends "
            "with `tz`, for example tz='Europe/Amsterdam'."
        )
    if zones and zones != ["none"]:
        local = text.where(world.notna(), None).str.replace(
            r"\s*(Z|[+-]\d{2}:?\d{2})$", "", regex=True
        )
        form = form.replace("%z", "").rstrip()
        return pd.to_datetime(local, format=form, errors="coerce").to_numpy()
    return world.dt.tz_localize(None).to_numpy()
