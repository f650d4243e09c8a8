"""Dates of a raw column: as dates of any kind, or as text in one known form; never guessed."""

from __future__ import annotations

import datetime as dt
import re
import warnings
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo, available_timezones

import numpy as np
import pandas as pd

from crmkit._checks import did_you_mean, quoted
from crmkit._frames.dates import local_moments, one_clock
from crmkit._frames.people import check_words
from crmkit._kinds import column_kind, is_number, missing_cells, unpacked
from crmkit.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from crmkit._checks import Problems
    from crmkit._typing import Bools, Ints

    Moments = tuple[NDArray[np.datetime64], Bools]

__all__ = ["check_format", "check_zone", "read_dates"]

# A whole date and what follows it; a year or a month alone is no date.
_ISO = re.compile(r"([0-9]{4})(?:([-/. ])([0-9]{1,2})\2([0-9]{1,2})|([0-9]{2})([0-9]{2}))(?![0-9])")
_OFFSET = re.compile(r"(Z|[+-][0-9]{2}(:?[0-9]{2})?)$")
_NOWHERE = np.datetime64("NaT", "us")
# The shortest date in full, 20250630 or 6/5/2025.
_SHORTEST = 8
# Where fewer cells of a sample differ than this share, each distinct one is read once.
_SAMPLE, _REPEATED = 4000, 0.97


def check_zone(tz: Any) -> dt.tzinfo | None:
    """Return the time zone of a name, or say what is wrong with it."""
    if tz is None or isinstance(tz, dt.tzinfo):
        return tz
    try:
        return ZoneInfo(tz)
    except (KeyError, ValueError, OSError, TypeError):
        hint = ""
        if isinstance(tz, str):
            zones = {_town(zone): zone for zone in sorted(available_timezones())}
            meant = zones.get(_town(tz)) or did_you_mean(tz, zones.values())
            hint = f" Did you mean {meant!r}?" if meant else ""
        raise InputError(
            f"`tz` must name a time zone, such as 'Europe/Amsterdam'; got {quoted(tz)}.{hint}"
        ) from None


def _town(zone: str) -> str:
    """Return the last part of a zone's name, as people write it."""
    return zone.strip().replace(" ", "_").rpartition("/")[2].lower()


def check_format(date_format: Any) -> None:
    """Raise unless `date_format` is made of codes that say at least the year."""
    wanted = "`date_format` must say how dates are written, year included, such as '%d/%m/%Y'"
    if not isinstance(date_format, str):
        raise InputError(f"{wanted}; got {quoted(date_format)}.")
    if not re.search("%[YyGcx]", date_format.replace("%%", "")):
        raise InputError(f"{wanted}; got {quoted(date_format)}, which says no year.")
    try:
        dt.datetime.strptime("", date_format)
    except re.error as error:  # a code that stands twice
        raise InputError(f"{wanted}; got {quoted(date_format)}: {error}.") from None
    except ValueError as error:
        if "does not match" not in str(error):
            raise InputError(f"{wanted}; got {quoted(date_format)}: {error}.") from None


def read_dates(
    series: pd.Series[Any],
    problems: Problems,
    column: str,
    *,
    date_format: str | None,
    zone: dt.tzinfo | None,
) -> Moments | None:
    """Return a raw column as naive moments, shape (n,), and which cells cannot be read.

    None if it holds no dates at all, which is noted.

    Text is read as ISO 8601 unless `date_format` says otherwise, because a parser that guesses
    turns 05/01 into May for one half of the world. Stamps keep their own clock, or get that of
    `zone` if they carry an offset.
    """
    found = local_moments(series, zone)
    if found is not None:
        return found, np.zeros(len(series), dtype=bool)
    series = unpacked(series)
    kind, before = column_kind(series), len(problems)
    if kind == "levels":
        check_words(series, problems, column)
    if len(problems) > before:
        return None
    if kind == "dates":
        problems.add(
            f"column {column!r} holds stamps with an offset beside stamps without one, or periods. "
            "Give all of them an offset, or none."
        )
    elif kind == "flags" or (kind == "numbers" and date_format is None):
        problems.add(f"column {column!r} holds {kind}, not dates. {_advice(series)}")
    else:
        return _read_text(series, problems, column, date_format, zone)
    return None


def _advice(series: pd.Series[Any]) -> str:
    """Say how numbers could be read as dates, judged by their size."""
    values = pd.to_numeric(series.astype(object), errors="coerce").dropna().astype(float)
    low, high = (values.min(), values.max()) if len(values) else (0.0, 0.0)
    if low >= 19000101 and high <= 22001231:
        return "They may be written as 20250630: say date_format='%Y%m%d'."
    if low >= 20_000 and high <= 60_000:
        return (
            "They look like day numbers of a spreadsheet: convert them first with "
            "pandas.to_datetime(column, unit='D', origin='1899-12-30')."
        )
    units = {"s": 1e8, "ms": 1e11, "us": 1e14, "ns": 1e17}
    unit = next((unit for unit, size in units.items() if low >= size and high < 1e2 * size), None)
    if unit is not None:
        return f"They may count from 1970: pandas.to_datetime(column, unit={unit!r})."
    return "Say how to read them with `date_format`, or convert them with pandas.to_datetime."


def _read_text(
    series: pd.Series[Any],
    problems: Problems,
    column: str,
    date_format: str | None,
    zone: dt.tzinfo | None,
) -> Moments | None:
    """Read text cells, and what dates and numbers stand between them."""
    cells, codes = _distinct_cells(series)
    read = _read_cells(cells, problems, column, date_format, zone)
    if read is None or codes is None:
        return read
    found, unreadable = read
    return np.append(found, _NOWHERE.astype(found.dtype))[codes], np.append(unreadable, False)[
        codes
    ]


def _distinct_cells(series: pd.Series[Any]) -> tuple[NDArray[Any], Ints | None]:
    """Return cells to read and which of them each row holds, -1 where missing; None: its own."""
    sample = series.iloc[:: max(len(series) // _SAMPLE, 1)]
    if len(series) > _SAMPLE and sample.nunique() < len(sample) * _REPEATED:
        codes, distinct = pd.factorize(series)
        return np.asarray(distinct, dtype=object), codes
    cells = series.to_numpy(dtype=object)
    if pd.api.types.infer_dtype(cells, skipna=False) == "string":
        return cells, None
    known = ~missing_cells(series)
    return cells[known], np.where(known, np.cumsum(known) - 1, -1)


def _read_cells(
    cells: NDArray[Any],
    problems: Problems,
    column: str,
    date_format: str | None,
    zone: dt.tzinfo | None,
) -> Moments | None:
    """Return the moment of each cell and which cannot be read; a blank one is missing."""
    parsed = _by_pandas(cells, date_format)
    left = np.ones(len(cells), dtype=bool) if parsed is None else np.asarray(parsed.isna())
    stamps = {cell: _stamp(cell, date_format) for cell in cells[left]}
    if parsed is None or any(stamp is not None for stamp in stamps.values()):
        stamps = {cell: _stamp(cell, date_format) for cell in cells}
        found = _by_one_clock(cells, stamps, problems, column, zone)
        if found is None:
            return None
    else:
        if parsed.tz is not None:
            parsed = (parsed if zone is None else parsed.tz_convert(zone)).tz_localize(None)
        found = parsed.to_numpy()
    unreadable = np.isnat(found)
    blank = [isinstance(cell, str) and not cell.strip() for cell in cells[unreadable]]
    unreadable[unreadable] = ~np.array(blank, dtype=bool)
    return found, unreadable


def _by_pandas(cells: NDArray[Any], date_format: str | None) -> pd.DatetimeIndex | None:
    """Parse text by pandas, which is fast, where all has one offset or none; else None."""
    if date_format is not None and re.search("%[zZ]", date_format):
        return None
    try:
        shortest = min(map(len, cells), default=_SHORTEST)
    except TypeError:
        return None  # not only text
    if shortest < _SHORTEST:
        # Shorter cells are no whole dates; pandas would read years, months and even the clock.
        cells = np.array([cell if len(cell) >= _SHORTEST else None for cell in cells], dtype=object)
    with warnings.catch_warnings():
        # pandas 2 warns of offsets that are not all the same, later ones refuse them.
        warnings.simplefilter("ignore", FutureWarning)
        try:
            form = date_format or "ISO8601"
            parsed = pd.to_datetime(cells, format=form, errors="coerce", cache=False)
        except ValueError:
            return None
    if not isinstance(parsed, pd.DatetimeIndex):
        return None
    if parsed.tz is not None:
        # pandas 2 gives a stamp without an offset that of the one before it.
        known = cells[np.asarray(parsed.notna())]
        offset = _OFFSET.search(known[0])
        if offset is None or not all(cell.endswith(offset[0]) for cell in known):
            return None
    return parsed


def _by_one_clock(
    cells: NDArray[Any],
    stamps: dict[Any, Any],
    problems: Problems,
    column: str,
    zone: dt.tzinfo | None,
) -> NDArray[np.datetime64] | None:
    """Return the moment of each cell; None, and a note, where offsets do not go together."""
    read = {cell: stamp for cell, stamp in stamps.items() if stamp is not None}
    offsets = {_offset(stamp) for stamp in read.values()}
    if len(offsets) > 1 and (zone is None or "none" in offsets):
        do = "Say in which zone a day begins and ends with `tz`, for example tz='Europe/Amsterdam'."
        if "none" in offsets:
            do = "Give every stamp an offset, or none."
        problems.add(f"column {column!r} mixes time zones {sorted(offsets)}. {do}")
        return None
    local = one_clock(list(read.values()), zone)
    assert local is not None
    known = dict(zip(read, local, strict=True))
    return np.array([known.get(cell, _NOWHERE) for cell in cells], dtype="datetime64[us]")


def _offset(stamp: Any) -> str:
    """Write the offset of a stamp from UTC."""
    offset = stamp.utcoffset() if isinstance(stamp, dt.datetime) else None
    return "none" if offset is None else f"{stamp:%z}"


def _stamp(cell: Any, date_format: str | None) -> dt.date | None:
    """Read one cell as a date or datetime; None if it is none in this form."""
    if isinstance(cell, np.datetime64):
        cell = cell.astype("datetime64[us]").item()
    if isinstance(cell, dt.date):
        return cell
    if date_format is not None and is_number(cell) and not isinstance(cell, bool):
        cell = str(int(cell)) if cell == int(cell) else ""
    if not isinstance(cell, str):
        return None
    text = cell.strip()
    try:
        if date_format is not None:
            return dt.datetime.strptime(text, date_format)
        found = _ISO.match(text)
        if found is None:
            return None
        day = "-".join(part.zfill(2) for part in found.group(1, 3, 4, 5, 6) if part)
        return dt.datetime.fromisoformat(day + text[found.end() :])
    except ValueError:
        return None
