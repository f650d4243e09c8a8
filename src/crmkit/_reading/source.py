"""What a file holds, before anything is decided about its columns: names, some rows, a reader."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from crmkit._files import file_to_read
from crmkit._opening import PACKED, is_workbook, open_bytes, open_text
from crmkit._reading.database import Table, is_address, read_duckdb, read_postgres, read_sqlite
from crmkit._reading.encoding import find_encoding
from crmkit._reading.files import (
    check_names,
    check_width,
    first_line,
    parquet_names,
    parquet_pieces,
    parquet_rows,
    read_cells,
    read_parquet,
)
from crmkit._reading.json_rows import read_json
from crmkit._reading.layout import NAMES, find_layout
from crmkit._reading.words import about_people, roles_of
from crmkit._reading.workbook import read_workbook
from crmkit._spreadsheets import without_apostrophes
from crmkit.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from crmkit._reading.account import Account

__all__ = ["Opening", "Source", "open_source"]

_SAMPLE, _ROWS, _PEEK = 1 << 18, 2000, 4096
_PACKED = 6  # how many times as long text is as packed
_JSON = (b"[", b"{")


@dataclass(frozen=True)
class Opening:
    """What the caller says about the file itself; what is None is inferred."""

    encoding: str | None = None
    separator: str | None = None
    header_line: int | None = None
    table: str | None = None
    # Names that the header must hold.
    named: tuple[str, ...] = ()


@dataclass(frozen=True)
class Source:
    """A table in a file: the names of its columns, its first rows, and how to read columns."""

    names: list[str]
    sample: pd.DataFrame
    read: Callable[[list[str]], pd.DataFrame]
    # How many rows there are, about, and the columns chosen of so many rows at a time, as pandas or
    # Arrow: for what may not fit into memory.
    count: Callable[[], int] | None = None
    pieces: Callable[[list[str], int], Iterator[Any]] | None = None


def open_source(path: Any, opening: Opening, account: Account) -> Source:
    """Find the table in a file of any kind, or behind the address of a database."""
    if is_address(path):
        return _of_table(read_postgres(path, opening.table, account))
    path = file_to_read(path, "LOG")
    if is_workbook(path):
        named = set(opening.named)
        return _of_frame(read_workbook(path, opening.table, opening.header_line, named, account))
    with path.open("rb") as file:
        begin = file.read(16)
    if begin.startswith(b"PAR1"):
        return _parquet(path, opening, account)
    if begin.startswith(b"SQLite format 3"):
        return _of_table(read_sqlite(path, opening.table, account))
    if begin[8:12] == b"DUCK":
        return _of_table(read_duckdb(path, opening.table, account))
    with open_bytes(path) as stream:
        text = stream.peek(_PEEK)[:_PEEK].removeprefix(b"\xef\xbb\xbf").lstrip()
    if text.startswith(_JSON) and re.match(rb"\[?\s*\{?\s*[\"}]", text):
        return _of_frame(read_json(path, account))
    return _text(path, opening, account)


def _parquet(path: Path, opening: Opening, account: Account) -> Source:
    """Find the table in a Parquet file, of which only columns that may mean something are read."""
    names = parquet_names(path)
    account.note("kind", "Parquet", "how the file begins", "certain")
    some = [name for name, roles in zip(names, roles_of(names), strict=True) if roles]
    wanted = check_names(path, names, [], [*some, *about_people(names), *opening.named], "")
    begin: Any = next(parquet_pieces(path, wanted, _ROWS), None)
    frame = read_parquet(path, [], wanted, "") if begin is None else begin.to_pandas()
    return Source(
        names,
        frame.reindex(columns=names),
        lambda chosen: read_parquet(path, [], chosen, "")[chosen],
        lambda: parquet_rows(path),
        lambda chosen, rows: parquet_pieces(path, chosen, rows),
    )


def _of_frame(frame: pd.DataFrame) -> Source:
    """Return a table that is in memory already as a source."""
    frame = frame.set_axis([str(name).strip() for name in frame.columns], axis=1)
    return Source(list(frame.columns), frame.head(_ROWS), lambda chosen: frame[chosen])


def _of_table(table: Table) -> Source:
    """Return a table of a database as a source, of which only columns that are chosen are read."""
    given = dict(zip([str(name).strip() for name in table.names], table.names, strict=True))
    names = list(given)

    def named(frame: pd.DataFrame) -> pd.DataFrame:
        return frame.set_axis([str(name).strip() for name in frame.columns], axis=1)

    def pieces(chosen: list[str], rows: int) -> Iterator[pd.DataFrame]:
        return map(named, table.pieces([given[name] for name in chosen], rows))

    return Source(
        names,
        named(table.read(table.names, _ROWS)),
        lambda chosen: named(table.read([given[name] for name in chosen], None)),
        table.count,
        pieces,
    )


def _text(path: Path, opening: Opening, account: Account) -> Source:
    """Find the table in a file of text."""
    if opening.table is not None:
        raise InputError(
            f"`table` names {opening.table!r}, but the file {str(path)!r} is text, which holds one "
            "table. Leave `table` out."
        )
    encoding = opening.encoding or find_encoding(path, account)
    with open_text(path, encoding) as text:
        begin = text.read(_SAMPLE)
        begin += first_line(path, text)
    if not begin.strip():
        raise InputError(f"The file {str(path)!r} is empty.")
    layout = find_layout(begin, opening.named, opening.separator, opening.header_line)
    names = layout.names
    check_width(path, names)
    shown = NAMES.get(layout.separator, layout.separator)
    how = "the line sep= says so" if layout.said else "the header and the rows below it agree"
    account.note(
        "kind",
        f"text, cells end with {shown!r}",
        how if opening.separator is None else "as said",
        "certain" if layout.alike > 0.9 else "likely",
        separator=shown,
    )
    if layout.lines_before or opening.header_line:
        account.note(
            "header",
            f"line {layout.lines_before + 1}",
            f"it names columns; {layout.lines_before:,} lines above it do not",
            "certain",
            header_line=layout.lines_before + 1,
        )

    def pieces(chosen: list[str], size: int | None) -> Iterator[pd.DataFrame]:
        check_names(path, names, chosen, chosen, "")
        with open_text(path, encoding) as text:
            for _ in range(layout.lines_before + layout.lines_of_header):
                text.readline()
            every = set(chosen)
            for piece in read_cells(
                path, text, layout.separator, names, chosen, every, every, quotes=layout.quotes,
                rows=size,
            ):  # fmt: skip
                frame = piece
                if layout.padded:
                    frame = frame.apply(lambda column: column.str.strip())
                    frame = frame.mask(frame == "")
                for name in chosen:
                    if frame[name].str.startswith("'", na=False).any():
                        bare = without_apostrophes(frame[name])
                        if size is not None and not bare.equals(frame[name]):
                            raise InputError(
                                f"Column {name!r} of LOG holds texts with an apostrophe in front, "
                                "which are taken off only where a file is read in one piece. Take "
                                "them off, or say engine='pandas'."
                            )
                        frame[name] = bare
                yield frame[chosen]

    def count() -> int:
        """Reckon from the first lines how many there are."""
        size = path.stat().st_size * (_PACKED if path.suffix.lower() in PACKED else 1)
        return int(size / max(len(begin.encode(encoding)), 1) * max(begin.count("\n"), 1))

    rows = layout.rows[:-1] if len(begin) >= _SAMPLE else layout.rows
    width = len(names)
    cells = [[cell.strip() or None for cell in (row + [""] * width)[:width]] for row in rows]
    sample = pd.DataFrame(cells, columns=pd.Index(names, dtype=object), dtype=object)
    return Source(names, sample, lambda chosen: next(pieces(chosen, None)), count, pieces)
