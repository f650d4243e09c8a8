"""Tables of a database: of SQLite or DuckDB in a file, or of PostgreSQL behind an address."""

from __future__ import annotations

import sqlite3
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from crmkit._reading.best import best_table
from crmkit.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from crmkit._reading.account import Account

__all__ = ["Table", "is_address", "read_duckdb", "read_postgres", "read_sqlite"]

# The tables that a name without a schema leads to.
_VISIBLE = """
SELECT table_name FROM information_schema.tables WHERE table_schema = ANY (current_schemas(false))
"""


def is_address(path: Any) -> bool:
    """Tell whether a path is the address of a database."""
    return isinstance(path, str) and path.startswith(("postgres://", "postgresql://"))


@dataclass(frozen=True)
class Table:
    """A table of a database: the names of its columns, and how to ask for its rows.

    `opened` gives what executes a query; the rows of one come as they are fetched.
    """

    name: str
    names: list[str]
    opened: Callable[[], AbstractContextManager[Callable[[str], Any]]]

    def read(self, chosen: list[str], most: int | None) -> pd.DataFrame:
        """Return the chosen columns of all rows, or of the first."""
        with self.opened() as execute:
            rows = execute(_select(self.name, chosen, most)).fetchall()
        return pd.DataFrame(rows, columns=pd.Index(chosen, dtype=object))

    def pieces(self, chosen: list[str], rows: int) -> Iterator[pd.DataFrame]:
        """Yield the chosen columns, so many rows at a time."""
        with self.opened() as execute:
            found = execute(_select(self.name, chosen, None))
            while some := found.fetchmany(rows):
                yield pd.DataFrame(some, columns=pd.Index(chosen, dtype=object))

    def count(self) -> int:
        """Return how many rows there are."""
        with self.opened() as execute:
            return int(execute(f"SELECT count(*) FROM {_quoted(self.name)}").fetchall()[0][0])  # noqa: S608 - a name in quotes


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _select(table: str, chosen: list[str], most: int | None) -> str:
    columns = ", ".join(map(_quoted, chosen)) or "*"
    limit = "" if most is None else f" LIMIT {most}"
    return f"SELECT {columns} FROM {_quoted(table)}{limit}"  # noqa: S608 - names in quotes


def read_postgres(address: str, table: str | None, account: Account) -> Table:
    """Return the table of a PostgreSQL database that looks most like a log."""
    try:
        import psycopg
    except ImportError:
        raise InputError(
            'Reading PostgreSQL needs psycopg: python -m pip install "psycopg[binary]".'
        ) from None

    @contextmanager
    def opened() -> Iterator[Callable[[str], Any]]:
        try:
            if "password" in psycopg.conninfo.conninfo_to_dict(address):
                raise InputError(
                    "The address of LOG holds a password, which would be shown wherever the page "
                    "says what it was made of. Leave it out, and keep it in PGPASSWORD or in "
                    "~/.pgpass."
                )
            with psycopg.connect(address) as base:
                base.read_only = True
                # A cursor that the server keeps, or all rows would come at once.
                with base.cursor("crmkit") as cursor:
                    yield cursor.execute
        except psycopg.Error as error:
            raise InputError(
                f"The database {address!r} cannot be read ({' '.join(str(error).split())})."
            ) from None

    return _chosen(address, _VISIBLE, table, account, "PostgreSQL", opened)


def read_sqlite(path: Path, table: str | None, account: Account) -> Table:
    """Return the table of a SQLite database that looks most like a log."""
    uri = f"{path.absolute().as_uri()}?mode=ro"

    @contextmanager
    def opened() -> Iterator[Callable[[str], Any]]:
        try:
            with closing(sqlite3.connect(uri, uri=True)) as base:
                yield base.execute
        except sqlite3.Error as error:
            raise _unreadable(path, "SQLite", error) from None

    tables = (
        "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') "
        "AND name NOT LIKE 'sqlite_%'"
    )
    return _chosen(path, tables, table, account, "SQLite", opened)


def read_duckdb(path: Path, table: str | None, account: Account) -> Table:
    """Return the table of a DuckDB database that looks most like a log."""
    try:
        import duckdb
    except ImportError:
        raise InputError(
            f"Reading the database {str(path)!r} needs duckdb: python -m pip install "
            '"crmkit[duckdb]".'
        ) from None

    @contextmanager
    def opened() -> Iterator[Callable[[str], Any]]:
        try:
            with closing(duckdb.connect(str(path), read_only=True)) as base:
                yield base.execute
        except duckdb.Error as error:
            raise _unreadable(path, "DuckDB", error) from None

    return _chosen(path, "SHOW TABLES", table, account, "DuckDB", opened)


def _chosen(
    path: str | Path,
    tables: str,
    said: str | None,
    account: Account,
    kind: str,
    opened: Callable[[], AbstractContextManager[Callable[[str], Any]]],
) -> Table:
    """Choose a table among those that a query names."""
    names = {}
    with opened() as execute:
        found = [row[0] for row in execute(tables).fetchall()]
    for table in found:
        with opened() as execute:
            described = execute(_select(table, [], 0)).description
            names[table] = [column[0] for column in described]
    chosen = best_table(path, names, said, "table")
    why = f"it is one of {len(names)} tables" if len(names) > 1 else "it is the only table"
    sure = "likely" if len(names) > 1 else "certain"
    account.note("kind", f"{kind}, table {chosen!r}", why, sure, table=chosen)
    return Table(chosen, names[chosen], opened)


def _unreadable(path: Path, kind: str, error: Exception) -> InputError:
    """Say that a database cannot be read."""
    return InputError(
        f"The file {str(path)!r} is a {kind} database that cannot be read "
        f"({' '.join(str(error).split())})."
    )
