"""How dates are written: proved by the dates themselves, or asked."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._checks import quoted
from crmkit._reading.words import plain, words_for
from crmkit.errors import InputError

if TYPE_CHECKING:
    from crmkit._reading.account import Account

__all__ = ["COUNTED", "find_dates", "looks_like_date"]

_ISO = re.compile(r"\s*\d{4}([-/. ]?)(0\d|1[0-2])\1([0-2]\d|3[01])(?!\d).*")
_STAMP = re.compile(
    r"(?:19|2[01])\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?:[01]\d|2[0-3])(?:[0-5]\d){2}"
)
_LOOSE = re.compile(r"\s*(\d{4})([-/. ])(\d{1,2})\2(\d{1,2})(?!\d).*")
# Day, month and year in any order, the month in figures or as a word, and what follows.
_PARTS = re.compile(
    r"\s*(?:[^\W\d]+,\s*)?(\d{1,4}|[^\W\d]+)(\.?[-/. ]\s*|\. de |\s+de\s+)(\d{1,2}|[^\W\d]+)"
    r"(,? de |[-/.,]? ?)(\d{4}|\d{2})(?!\d)(.*)"
)
_TIME = re.compile(
    r"(,?[T ]+)(\d{1,2})([:.])(\d{2})(?:\3(\d{2})(?:[.,]\d{1,9})?)?( ?[AaPp]\.?[Mm]\.?)?"
    r"( ?(?:Uhr|uur|h))?( ?(?:Z|UTC|GMT|[+-]\d{2}:?\d{2}))?\s*"
)
# What stands in a date beside its parts: 1st, "at", the name of a zone; a day of the week.
_BESIDE = (
    (re.compile(r"(?<=\d)(?:st|nd|rd|th|er|º|ª|e)(?=\W)", re.I), ""),
    (re.compile(r"\s+(?:à|at|om|um|a las)\s+(?=\d)", re.I), " "),
    (re.compile(r"\bGMT(?=[+-])"), ""),
    (re.compile(r"\s*\([^)]*\)\s*$"), ""),
)
_DAY = re.compile(r"^\s*[^\W\d]+[.,]{0,2}\s+")
_OFFSET = re.compile(r"\s*([+-]\d{2}):?(\d{2})$|\s*(Z|UTC|GMT)$")
_NORTH, _NORTHERN_SUMMER = set(range(3, 12)), set(range(5, 10))
# Counted dates: the origin and the unit of each, and between which numbers they lie.
COUNTED = {
    "excel": ("1899-12-30", "D", 20_000, 80_000),
    "excel-1904": ("1904-01-01", "D", 18_000, 80_000),
    "unix-s": ("1970-01-01", "s", 3e8, 5e9),
    "unix-ms": ("1970-01-01", "ms", 3e11, 5e12),
    "unix-us": ("1970-01-01", "us", 3e14, 5e15),
    "unix-ns": ("1970-01-01", "ns", 3e17, 5e18),
}
# So many cells show in what way all are written.
_SAMPLE = 1000
_MISSING = {"", "-", "na", "n/a", "nan", "null", "none", "nat", "#n/a", "0000-00-00"}


def looks_like_date(cell: Any) -> bool:
    """Tell whether a cell may be a date in some form."""
    if isinstance(cell, (int, float, np.number)) and not isinstance(cell, bool):
        return _counted(float(cell)) is not None or 19_000_101 <= float(cell) <= 22_001_231
    if not isinstance(cell, str):
        return hasattr(cell, "year")
    try:
        number = float(cell)
    except ValueError:
        return bool(_ISO.match(cell) or _LOOSE.match(cell) or _parts(cell) or _parts(_bare(cell)))
    return bool(_ISO.match(cell) or _STAMP.fullmatch(cell)) or _counted(number) is not None


def find_dates(
    column: pd.Series[Any], account: Account, date_format: str | None, tz: str | None
) -> tuple[pd.Series[Any], str | None]:
    """Return a column of dates that the door can read, and their format (None: ISO)."""
    name = str(column.name)
    if date_format in COUNTED:
        return _from_numbers(pd.to_numeric(column, errors="coerce"), str(date_format)), None
    if pd.api.types.is_datetime64_any_dtype(column.dtype) or date_format is not None:
        return column, date_format
    codes, distinct = pd.factorize(column.astype(object))
    cells = list(distinct)
    if cells and not any(isinstance(cell, str) for cell in cells):
        if not isinstance(cells[0], (int, float, np.number)):
            return column, None
        numbers = np.array([float(cell) for cell in cells])
    else:
        numbers = _as_numbers(cells)
    if cells and all(_STAMP.fullmatch(str(cell)) for cell in cells[:_SAMPLE]):
        return column, "%Y%m%d%H%M%S"
    if numbers is not None:
        return _numeric(column, numbers, name, account)
    cells = [None if str(c).strip().casefold() in _MISSING else str(c).strip() for c in cells]
    known = [cell for cell in cells if cell is not None]
    cells, offsets = _one_clock(cells, tz, account)
    some = known[:: max(len(known) // _SAMPLE, 1)]
    if sum(bool(_ISO.match(cell) or _LOOSE.match(cell)) for cell in some) * 2 >= len(some):
        account.note(
            "dates", "year, month, day", f"{quoted(known[0])} begins with the year", "certain",
            date_format=None,
        ) if known else None  # fmt: skip
        changed = offsets or any(cell is None for cell in cells)
        return (_spread(cells, codes, column) if changed else column), None
    cells, form = _in_parts(cells, name, account)
    return _spread(cells, codes, column), form


def _spread(cells: list[Any], codes: Any, column: pd.Series[Any]) -> pd.Series[Any]:
    """Return distinct cells as the column that they came from."""
    values = np.array([*cells, None], dtype=object)[codes]
    return pd.Series(values, index=column.index, name=column.name, dtype=object)


def _as_numbers(cells: list[Any]) -> Any:
    """Return the numbers that cells are, if all are; 20250630 is no number but a date."""
    if not cells:
        return None
    try:
        numbers = np.array([float(cell) for cell in cells])
    except (TypeError, ValueError):
        return None
    return None if all(_ISO.fullmatch(str(cell)) for cell in cells) else numbers


def _counted(number: float) -> str | None:
    """Return the way of counting that a number of this size may come from."""
    fits = (name for name, (_, _, low, high) in COUNTED.items() if low <= number <= high)
    return next(fits, None)


def _numeric(
    column: pd.Series[Any], numbers: Any, name: str, account: Account
) -> tuple[pd.Series[Any], str | None]:
    """Read dates that are counted from a day, or written as one number."""
    if ((numbers >= 19_000_101) & (numbers <= 22_001_231)).all():
        return column.map(lambda cell: str(int(cell)), na_action="ignore"), None
    ways = {_counted(number) for number in numbers if not np.isnan(number)}
    if len(ways) != 1 or None in ways:
        return column, None
    (way,) = ways
    assert way is not None
    read = _from_numbers(pd.to_numeric(column, errors="coerce"), way)
    first, last = read.min(), read.max()
    account.note(
        "dates", way, f"the numbers of column {name!r} are {first:%Y-%m-%d} to {last:%Y-%m-%d}",
        "likely", date_format=way,
    )  # fmt: skip
    return read, None


def _from_numbers(numbers: pd.Series[Any], way: str) -> pd.Series[Any]:
    """Return counted dates as dates, to the second."""
    origin, unit, _, _ = COUNTED[way]
    seconds = numbers.to_numpy(dtype=float, na_value=np.nan)
    seconds = seconds * {"D": 86_400, "s": 1, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}[unit]
    out = np.full(len(seconds), np.datetime64("NaT", "s"))
    known = ~np.isnan(seconds)
    out[known] = np.datetime64(origin, "s") + np.round(seconds[known]).astype("timedelta64[s]")
    return pd.Series(out, index=numbers.index, name=numbers.name)


def _one_clock(cells: list[Any], tz: str | None, account: Account) -> tuple[list[Any], bool]:
    """Take off offsets that differ by the hour of summer time: the clock is one shop's."""
    if tz is not None:
        return cells, False
    if not any(cell and _OFFSET.search(cell, 10) for cell in cells[:_SAMPLE]):
        return cells, False
    found: dict[int, str] = {}
    months: dict[int, set[int]] = {}
    for cell in cells:
        match = _OFFSET.search(cell, 10) if cell and _LOOSE.match(cell) else None
        if match:
            minutes = 0 if match[3] else int(match[1]) * 60 + int(match[1][0] + match[2])
            found.setdefault(minutes, cell)
            months.setdefault(minutes, set()).add(int(cell[5:7]))
    if len(found) != 2 or max(found) - min(found) != 60:
        return cells, False
    summer, winter = months[max(found)], months[min(found)]
    # North of the equator clocks are forward from March to November, south of it else.
    if not (
        (summer <= _NORTH and not winter & _NORTHERN_SUMMER)
        or (winter <= _NORTH and not summer & _NORTHERN_SUMMER)
    ):
        return cells, False
    account.note(
        "clock", "as written", f"offsets such as {' and '.join(map(quoted, found.values()))} are "
        "winter and summer of one place", "likely", tz=None,
    )  # fmt: skip
    return [cell if cell is None else _OFFSET.sub("", cell) for cell in cells], True


def _bare(cell: str) -> str:
    """Return a date without what stands beside its parts."""
    for mark, instead in _BESIDE:
        cell = mark.sub(instead, cell)
    return (cell if _parts(cell) else _DAY.sub("", cell)).strip()


def _parts(cell: str) -> tuple[str, ...] | None:
    """Take a date apart: three parts, the marks between them, and what follows."""
    found = _PARTS.match(cell)
    if found is None or (found[6].strip() and not _TIME.fullmatch(found[6])):
        return None
    words = [part for part in found.group(1, 3) if not part.isdigit()]
    if len(words) > 1 or any(plain(word) not in words_for("month") for word in words):
        return None
    return found.groups()


def _in_parts(cells: list[Any], name: str, account: Account) -> tuple[list[Any], str | None]:
    """Return cells and the format of dates in three parts, proved or asked."""
    filled = [cell for cell in cells if cell is not None]
    if filled and _parts(filled[0]) is None:
        cells = [cell if cell is None else _bare(cell) for cell in cells]
        filled = [cell for cell in cells if cell is not None]
    # Many moments are of few days: what follows the first blank is looked at once, in the first.
    days = list(dict.fromkeys(cell.partition(" ")[0] for cell in filled))
    if not all(map(_parts, days[:_SAMPLE])):
        days = filled
    taken = list(map(_parts, days))
    good = [parts for parts in taken if parts is not None]
    if 2 * len(good) < len(taken) or not good:
        return cells, None  # the door says which cells are no dates
    whole = _parts(filled[0]) or good[0]
    good[0] = (*good[0][:5], whole[5])
    first, last = good[0], f"%{'Y' if len(good[0][4]) == 4 else 'y'}"
    months = words_for("month")
    if not (first[0].isdigit() and first[2].isdigit()):
        day_first = first[0].isdigit()
        read = {cell: _parts(cell) for cell in filled}
        out = [
            cell if (parts := read.get(cell)) is None else _worded(parts, months) for cell in cells
        ]
        clock = _clock(first[5])
        account.note(
            "dates", "day, month, year" if day_first else "month, day, year",
            f"the month is a word: {quoted(_joined(first))}", "certain", date_format=None,
        )  # fmt: skip
        return out, f"%d-%m-{last}{clock}"
    order, proof = _order(good, name)
    codes = {"d": "%d", "m": "%m", "y": last}
    mark = first[1].strip() or " "
    form = mark.join(codes[part] for part in order) if first[1] == first[3] else ""
    form = form or f"{codes[order[0]]}{first[1]}{codes[order[1]]}{first[3]}{codes[order[2]]}"
    form += _clock(first[5])
    words = {"d": "day", "m": "month", "y": "year"}
    account.note(
        "dates", ", ".join(words[part] for part in order), proof, "certain", date_format=form
    )
    return cells, form


def _joined(parts: tuple[str, ...]) -> str:
    """Return a date that was taken apart."""
    return "".join(parts).strip()


def _worded(parts: tuple[str, ...], months: dict[str, str]) -> str:
    """Write a date whose month is a word in figures."""
    one, _, two, _, year, rest = parts
    if one.isdigit() and two.isdigit():
        return _joined(parts)  # another way than the first date's: the door says which cells
    day, month = (one, months[plain(two)]) if one.isdigit() else (two, months[plain(one)])
    return f"{int(day):02d}-{int(month):02d}-{year}{rest}"


def _order(good: list[tuple[str, ...]], name: str) -> tuple[str, str]:
    """Return the order of day, month and year in figures, and what proves it."""
    table = np.array([(int(p[0]), int(p[2]), int(p[4])) for p in good])
    top = table.max(axis=0)
    shown = [_joined(good[int(place)]) for place in table.argmax(axis=0)]
    # Two figures first may be a year, if the last ones can be days: then few years tell.
    if len(good[0][4]) == 2 and top[2] <= 31 and top[1] <= 12:
        distinct = [len(np.unique(table[:, place])) for place in (0, 2)]
        if min(distinct) > 5 or max(distinct) < 3 * min(distinct):
            raise _ask(name, _joined(good[0]), ("%d-%m-%y", "%y-%m-%d"), good[0])
        if distinct[0] < distinct[1]:
            return "ymd", f"column {name!r} has only {distinct[0]} first parts: years"
    if top[0] > 12 and top[1] > 12:
        raise InputError(
            f"Column {name!r} of LOG writes the day first in some dates ({shown[0]!r}) and second "
            f"in others ({shown[1]!r}). Correct the file, or say `date_format` and "
            "missing_dates='drop'."
        )
    if top[0] > 12:
        return "dmy", f"{shown[0]!r} has a day above 12 first"
    if top[1] > 12:
        return "mdy", f"{shown[1]!r} has a day above 12 second"
    raise _ask(name, _joined(good[0]), ("%d-%m-%Y", "%m-%d-%Y"), good[0])


def _ask(name: str, cell: str, forms: tuple[str, str], parts: tuple[str, ...]) -> InputError:
    """Ask which of two ways dates are written in."""
    mark = parts[1].strip() or " "
    year = "%Y" if len(parts[4]) == 4 else "%y"
    one, other = (form.replace("%Y", year).replace("-", mark) + _clock(parts[5]) for form in forms)
    return InputError(
        f"Column {name!r} of LOG holds dates such as {cell!r}, and none of them tells which part "
        f"is the day. Say date_format='{one}' or date_format='{other}'."
    )


def _clock(rest: str) -> str:
    """Return the format of the time of day that follows a date."""
    found = _TIME.fullmatch(rest)
    if found is None:
        return ""
    gap, _, mark, _, seconds, half, word, offset = found.groups()
    form = gap + ("%I" if half else "%H") + mark + "%M" + (f"{mark}%S" if seconds else "")
    form += ".%f" if re.search(r"[.,]\d+", rest[found.end(5) :] if seconds else "") else ""
    form += (" %p" if half[0] == " " else "%p") if half else ""
    form += word or ""
    if offset:
        form += (" " if offset[0] == " " else "") + ("%Z" if offset.strip().isalpha() else "%z")
    return form
