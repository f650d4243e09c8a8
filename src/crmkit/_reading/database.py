"""Tables of a database: of SQLite or DuckDB in a file, or of PostgreSQL behind an address."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pandas as pd

from crmkit._reading.best import best_table
from crmkit.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from crmkit._reading.account import Account

__all__ = ["is_address", "read_duckdb", "read_postgres", "read_sqlite"]

# The tables that a name without a schema leads to.
_VISIBLE = """
SELECT table_name FROM information_schema.tables WHERE table_schema = ANY (current_schemas(false))
"""


def is_address(path: Any) -> bool:
    """Tell whether a path is the address of a database."""
    return isinstance(path, str) and path.startswith(("postgres://", "postgresql://"))


def read_postgres(address: str, table: str | None, account: Account) -> pd.DataFrame:
    """Return the table of a PostgreSQL database that looks most like a log."""
    try:
        import psycopg
    except ImportError:
        raise InputError(
            'Reading PostgreSQL needs psycopg: python -m pip install "psycopg[binary]".'
        ) from None
    try:
        if "password" in psycopg.conninfo.conninfo_to_dict(address):
            raise InputError(
                "The address of LOG holds a password, which would be shown wherever the page says "
                "what it was made of. Leave it out, and keep it in PGPASSWORD or in ~/.pgpass."
            )
        with psycopg.connect(address) as base:
            base.read_only = True
            tables = [name for (name,) in base.execute(_VISIBLE).fetchall()]
            return _read(address, tables, table, account, "PostgreSQL", base.execute)
    except psycopg.Error as error:
        raise InputError(
            f"The database {address!r} cannot be read ({' '.join(str(error).split())})."
        ) from None


def read_sqlite(path: Path, table: str | None, account: Account) -> pd.DataFrame:
    """Return the table of a SQLite database that looks most like a log."""
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as base:
            tables = [
                name
                for (name,) in base.execute(
                    "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') "
                    "AND name NOT LIKE 'sqlite_%'"
                )
            ]
            return _read(path, tables, table, account, "SQLite", base.execute)
    except sqlite3.Error as error:
        raise _unreadable(path, "SQLite", error) from None


def read_duckdb(path: Path, table: str | None, account: Account) -> pd.DataFrame:
    """Return the table of a DuckDB database that looks most like a log."""
    try:
        import duckdb
    except ImportError:
        raise InputError(
            f"Reading the database {str(path)!r} needs duckdb: python -m pip install "
            '"crmkit[duckdb]".'
        ) from None
    try:
        with closing(duckdb.connect(str(path), read_only=True)) as base:
            tables = [row[0] for row in base.execute("SHOW TABLES").fetchall()]
            return _read(path, tables, table, account, "DuckDB", base.execute)
    except duckdb.Error as error:
        raise _unreadable(path, "DuckDB", error) from None


def _read(
    path: str | Path,
    tables: list[str],
    said: str | None,
    account: Account,
    kind: str,
    execute: Callable[[str], Any],
) -> pd.DataFrame:
    """Choose a table and read it whole."""

    def run(table: str, limit: str) -> Any:
        name = table.replace('"', '""')
        return execute(f'SELECT * FROM "{name}"{limit}')  # noqa: S608 - a name in quotes

    names = {
        table: [column[0] for column in run(table, " LIMIT 0").description] for table in tables
    }
    chosen = best_table(path, names, said, "table")
    why = f"it is one of {len(tables)} tables" if len(tables) > 1 else "it is the only table"
    sure = "likely" if len(tables) > 1 else "certain"
    account.note("kind", f"{kind}, table {chosen!r}", why, sure, table=chosen)
    return pd.DataFrame(run(chosen, "").fetchall(), columns=pd.Index(names[chosen], dtype=object))


def _unreadable(path: Path, kind: str, error: Exception) -> InputError:
    """Say that a database cannot be read."""
    return InputError(
        f"The file {str(path)!r} is a {kind} database that cannot be read "
        f"({' '.join(str(error).split())})."
    )
