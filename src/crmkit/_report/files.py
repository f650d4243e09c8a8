"""Reading a log from a file, and saying in words what is wrong with the file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from crmkit._checks import require_columns
from crmkit._spreadsheets import without_apostrophes
from crmkit.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["read_table"]

_PARQUET = (".parquet", ".pq")
_TEXT = (".csv", ".tsv", ".txt")
_PACKED = (".gz", ".bz2", ".xz", ".zip", ".zst")


def read_table(
    path: str | Path,
    *,
    columns: Iterable[str] | None = None,
    ids: Iterable[str] = (),
    decimal: str = ".",
    encoding: str = "utf-8",
) -> pd.DataFrame:
    """Read a CSV, TSV or Parquet file; of `columns` those it has, of text `ids` as they stand.

    Ids are kept as text because 00123 and 123 may be two customers. The separator of a text
    file is read off its first line.
    """
    path = Path(path)
    suffix = next((s for s in reversed(path.suffixes) if s.lower() not in _PACKED), "").lower()
    if not path.is_file():
        raise InputError(f"There is no file {str(path)!r}. Check the path.")
    if path.stat().st_size == 0:
        raise InputError(f"The file {str(path)!r} is empty.")
    if suffix in _PARQUET:
        return _parquet(path, columns)
    if suffix in _TEXT:
        return _text(path, columns, list(ids), decimal, encoding)
    raise InputError(
        f"The file {str(path)!r} is of no kind that can be read; give a name that ends in "
        ".csv, .tsv or .parquet (text may be packed: .csv.gz)."
    )


def _wanted(present: list[str], columns: Iterable[str] | None) -> list[str]:
    """Return the present columns among those wanted."""
    return present if columns is None else [c for c in dict.fromkeys(columns) if c in present]


def _parquet(path: Path, columns: Iterable[str] | None) -> pd.DataFrame:
    """Read a Parquet file, of which only the wanted columns."""
    try:
        from pyarrow import ArrowException, parquet
    except ImportError:
        raise InputError(
            'Reading Parquet needs pyarrow: python -m pip install "crmkit[data]".'
        ) from None
    try:
        present = parquet.read_schema(path).names
        frame: pd.DataFrame = parquet.read_table(
            path, columns=_wanted(present, columns)
        ).to_pandas()
    except (ArrowException, OSError) as error:
        raise InputError(f"The file {str(path)!r} is not readable Parquet: {error}") from None
    _refuse_strangers(list(present), frame, columns)
    return frame


def _text(
    path: Path, columns: Iterable[str] | None, ids: list[str], decimal: str, encoding: str
) -> pd.DataFrame:
    """Read a text file with a header line."""
    options: dict[str, Any] = {"encoding": encoding, "decimal": decimal}
    try:
        line = _first_line(path, encoding)
        separator = max(",;\t|", key=line.count) if any(map(line.count, ",;\t|")) else ","
        present = list(pd.read_csv(path, sep=separator, nrows=0, **options).columns)
        text = {name: str for name in ids if name in present}
        # Every column is read, because a parser told to skip some no longer notices lines with a
        # cell too many, whose values would slip into the wrong column.
        frame = pd.read_csv(path, sep=separator, dtype=text, **options)
    except pd.errors.EmptyDataError:
        raise InputError(f"The file {str(path)!r} is empty.") from None
    except pd.errors.ParserError as error:
        raise InputError(f"The file {str(path)!r} is not a regular table: {error}") from None
    except UnicodeError:
        raise InputError(
            f"The file {str(path)!r} is not {encoding} text. Name its encoding, for example "
            "encoding='latin-1'."
        ) from None
    if not isinstance(frame.index, pd.RangeIndex):
        raise InputError(
            f"The file {str(path)!r} is not a regular table: its lines have more cells than its "
            "header."
        )
    frame = frame[_wanted(present, columns)]
    frame = pd.DataFrame({name: without_apostrophes(frame[name]) for name in frame.columns})
    _refuse_strangers(present, frame, columns)
    return frame


def _first_line(path: Path, encoding: str) -> str:
    """Return the header line as text."""
    # A separator that no text holds makes pandas read the whole line as one cell, packed or not.
    options: dict[str, Any] = {"header": None, "nrows": 1, "dtype": str, "quoting": 3}
    return str(pd.read_csv(path, sep="\x1f", encoding=encoding, **options).iloc[0, 0])


def _refuse_strangers(
    present: list[str], frame: pd.DataFrame, columns: Iterable[str] | None
) -> None:
    """Raise if the file has none of the wanted columns, naming those it has."""
    if columns is not None and frame.shape[1] == 0:
        require_columns(present, list(columns)[:2], "LOG", do="Say what the file calls them.")
