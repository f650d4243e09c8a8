"""Reading tables of text and Parquet, and saying in words what is wrong with the file."""

from __future__ import annotations

import contextlib
import csv
from collections import Counter
from typing import TYPE_CHECKING, Any

import pandas as pd

from crmkit._checks import listed, require_columns
from crmkit.errors import InputError

if TYPE_CHECKING:
    import io
    from collections.abc import Iterator
    from pathlib import Path

__all__ = [
    "check_names",
    "check_width",
    "first_line",
    "parquet_names",
    "parquet_pieces",
    "parquet_rows",
    "read_cells",
    "read_parquet",
]

# A header of more letters or columns than this is no header of a table.
_LONGEST_HEADER, _MOST_COLUMNS = 20_000_000, 200_000
# Cells after the last column of which a line may have some, and how many are looked at.
_BEYOND = 4
# What stands in a cell without a value. An id may be such a word: only an empty id is missing.
_MISSING = ["", "#N/A", "#N/A N/A", "#NA", "-NaN", "-nan", "<NA>", "N/A", "NA", "NULL", "NaN"]
_MISSING += ["None", "n/a", "nan", "null", "1.#IND", "1.#QNAN", "-1.#IND", "-1.#QNAN"]


def check_names(
    path: Path, present: list[str], needs: list[str], wanted: list[str] | None, do: str
) -> list[str]:
    """Return the wanted columns among those present, or say what is wrong with the names."""
    require_columns(present, needs, "LOG", do=do)
    chosen = [name for name in present if name] if wanted is None else wanted
    times = Counter(present)
    chosen = [name for name in dict.fromkeys(chosen) if name in times]
    twice = [name for name in chosen if times[name] > 1]
    if twice:
        raise InputError(
            f"The file {str(path)!r} has several columns of the name(s) {listed(twice)}. Rename "
            "them, so that it is clear which is meant."
        )
    return chosen


def parquet_names(path: Path) -> list[str]:
    """Return the names of the columns of a Parquet file."""
    with _parquet(path) as parquet:
        return list(parquet.read_schema(path).names)


def parquet_rows(path: Path) -> int:
    """Return how many rows a Parquet file has."""
    with _parquet(path) as parquet:
        return int(parquet.read_metadata(path).num_rows)


def parquet_pieces(path: Path, wanted: list[str], rows: int) -> Iterator[Any]:
    """Yield the wanted columns of a Parquet file as Arrow, so many rows at a time."""
    with _parquet(path) as parquet, parquet.ParquetFile(path) as file:
        yield from file.iter_batches(batch_size=rows, columns=wanted)


def read_parquet(path: Path, needs: list[str], wanted: list[str] | None, do: str) -> pd.DataFrame:
    """Read a Parquet file, of which only the wanted columns."""
    chosen = check_names(path, parquet_names(path), needs, wanted, do)
    with _parquet(path) as parquet:
        frame: pd.DataFrame = parquet.read_table(path, columns=chosen).to_pandas()
    return frame


@contextlib.contextmanager
def _parquet(path: Path) -> Iterator[Any]:
    """Say in words what is wrong with a Parquet file, or that nothing here reads one."""
    try:
        from pyarrow import ArrowException, ArrowMemoryError, parquet
    except ImportError:
        raise InputError(
            'Reading Parquet needs pyarrow: python -m pip install "crmkit[data]".'
        ) from None
    try:
        yield parquet
    except (ArrowMemoryError, PermissionError):
        raise
    except (ArrowException, OSError) as error:
        raise InputError(
            f"The file {str(path)!r} is not readable Parquet: {' '.join(str(error).split())}"
        ) from None


def read_cells(
    path: Path,
    text: io.TextIOWrapper,
    separator: str,
    present: list[str],
    chosen: list[str],
    ids: set[str],
    numbers: set[str],
    *,
    quotes: bool = True,
    rows: int | None = None,
) -> Iterator[pd.DataFrame]:
    """Read the chosen of the present columns from text that stands behind its header.

    They come at once, or so many `rows` at a time.
    """
    # Columns go by their place. Cells beyond the last one are read too, because a parser told to
    # leave some out no longer notices a line with a cell too many, whose values would slip into
    # the wrong column.
    place_of = {name: str(place) for place, name in enumerate(present)}
    places = {place_of[name]: name for name in chosen}
    beyond = [str(len(present) + more) for more in range(_BEYOND)]
    exact = [place for place, name in places.items() if name in ids] + beyond
    as_text = [place for place, name in places.items() if name in ids | numbers] + beyond
    missing = {place: [""] if place in exact else _MISSING for place in [*places, *beyond]}
    # With another header: cells beyond the last column have names, too.
    headed: Any = _Headed(separator.join(map(str, range(len(present) + _BEYOND))) + "\n", text)
    options: Any = {
        "sep": separator,
        "usecols": [*places, *beyond],
        "dtype": dict.fromkeys(as_text, str),
        "keep_default_na": False,
        "na_values": missing,
        "low_memory": False,
        "index_col": False,
        "quoting": csv.QUOTE_MINIMAL if quotes else csv.QUOTE_NONE,
    }
    done = 0
    try:
        if rows is None:
            pieces: Any = [pd.read_csv(headed, **options)]
        else:
            pieces = pd.read_csv(headed, chunksize=rows, **options)
        for frame in pieces:
            long = frame[beyond].notna().any(axis=1).to_numpy()
            _refuse_long(path, long, done, present, separator)
            done += len(frame)
            yield frame[list(places)].rename(columns=places)
    except pd.errors.ParserError as error:
        if "out of memory" in str(error):
            raise MemoryError from None
        raise InputError(f"The file {str(path)!r} is not a regular table: {error}") from None


def _refuse_long(path: Path, long: Any, before: int, present: list[str], separator: str) -> None:
    """Raise if rows have cells behind the last column; `before` rows were read before these."""
    if long.any():
        raise InputError(
            f"The file {str(path)!r} is not a regular table: {int(long.sum()):,} of {len(long):,} "
            f"rows (first: row {before + int(long.argmax()) + 1:,} under the header) have more "
            f"cells than its header of {len(present):,}. Put cells that hold {separator!r} in "
            "quotes."
        )


def first_line(path: Path, text: io.TextIOWrapper) -> str:
    """Read a line that may be a header, if it is not too long to be one."""
    line = text.readline(_LONGEST_HEADER)
    if len(line) == _LONGEST_HEADER:
        raise InputError(
            f"The file {str(path)!r} is not a regular table: one of its first lines has more than "
            f"{_LONGEST_HEADER:,} letters."
        )
    return line


def check_width(path: Path, names: list[str]) -> None:
    """Raise if a header has more columns than can be read."""
    if len(names) > _MOST_COLUMNS:
        raise InputError(
            f"The file {str(path)!r} has {len(names):,} columns; at most {_MOST_COLUMNS:,} can be "
            "read. Export the few that are needed."
        )


class _Headed:
    """Text with another header: what a parser may read instead of the file itself."""

    def __init__(self, header: str, text: io.TextIOWrapper) -> None:
        self._header, self._text = header, text

    def __iter__(self) -> _Headed:
        """Return the text; pandas asks for lines only of parsers that are not used here."""
        return self

    def read(self, size: int = -1) -> str:
        """Return the header first, then what follows."""
        header, self._header = self._header, ""
        return header or self._text.read(size)
