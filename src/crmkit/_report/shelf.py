"""Tables of all customers that a page is done with: on disk where the log was read in parts."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from crmkit._reading.dealing import room

if TYPE_CHECKING:
    from pathlib import Path

    from crmkit._report.pieces import Section

__all__ = ["Shelf", "Shelved", "opened"]

# So many rows are kept at hand: what a page shows, and what it can be asked for as a list.
_AT_HAND = 10_000


@dataclass(frozen=True, slots=True)
class Shelved:
    """A table in a file of its own, and its first rows, which are all that a page shows."""

    file: str
    first: pd.DataFrame
    rows: int

    @property
    def columns(self) -> pd.Index[Any]:
        """Return the names of the columns."""
        return self.first.columns

    def __len__(self) -> int:
        """Return the number of rows."""
        return self.rows

    def head(self, n: int) -> pd.DataFrame:
        """Return the first rows, of which no more are at hand than a page may show."""
        return self.first.head(n)

    def open(self) -> pd.DataFrame:
        """Return the whole table."""
        return pd.read_parquet(self.file)


@dataclass(frozen=True, slots=True)
class Shelf:
    """Where large tables go that are not reckoned with again; nowhere if the log is in memory."""

    folder: Path | None = None

    def put(self, table: Any) -> Any:
        """Return a table, from disk if it is long."""
        if self.folder is None or len(table) <= _AT_HAND or isinstance(table, Shelved):
            return table
        import pyarrow as pa
        from pyarrow import parquet

        with room(self.folder):
            handle, file = tempfile.mkstemp(dir=self.folder, suffix=".parquet")
            os.close(handle)
            bare = table.reset_index(drop=True)
            bare.attrs = {}
            parquet.write_table(pa.Table.from_pandas(bare, preserve_index=False), file)
        return Shelved(file, bare.head(_AT_HAND).copy(), len(table))

    def section(self, section: Section) -> Section:
        """Return a chapter whose long tables are on disk."""
        sheets = tuple(replace(sheet, table=self.put(sheet.table)) for sheet in section.sheets)
        return replace(section, sheets=sheets)


def opened(table: Any) -> pd.DataFrame:
    """Return a table of the page, wherever it is."""
    found: pd.DataFrame = table.open() if isinstance(table, Shelved) else table
    return found
