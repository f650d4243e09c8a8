"""The DuckDB that this process reads tables with, and what it forgets: zones of time."""

from __future__ import annotations

import base64
import threading
from typing import Any

__all__ = ["as_parquet_holds", "duck", "zones_of_files", "zones_of_schema"]

_WIDE = ("HUGEINT", "UHUGEINT")  # what DuckDB's sums are and Parquet cannot hold
_ZONED = ("TIMESTAMP WITH TIME ZONE", "TIMESTAMPTZ_NS")

_KEPT = threading.local()


def duck() -> Any:
    """Return this thread's DuckDB; before 1.4 tables of one that nobody holds cannot be read."""
    import duckdb

    if not hasattr(_KEPT, "base"):
        _KEPT.base = duckdb.connect()
    return _KEPT.base


def zones_of_schema(schema: Any) -> dict[str, str]:
    """Return the time zone of each column of an Arrow schema that has one."""
    return {field.name: field.type.tz for field in schema if getattr(field.type, "tz", None)}


def zones_of_files(base: Any, pattern: str) -> dict[str, str]:
    """Return the time zones of the columns of Parquet files, where who wrote them noted any."""
    try:
        import pyarrow as pa
    except ImportError:
        return {}
    notes = base.execute(
        "SELECT DISTINCT value FROM parquet_kv_metadata(?) WHERE key = 'ARROW:schema'", [pattern]
    ).fetchall()
    zones: dict[str, str] = {}
    for (note,) in notes:
        zones |= zones_of_schema(pa.ipc.read_schema(pa.py_buffer(base64.b64decode(note))))
    return zones


def as_parquet_holds(column: str, kind: Any, zone: str | None) -> str:
    """Return a column as Parquet can hold it, stamps by the clock of their zone or the session's.

    DuckDB writes a stamp with a zone as a moment: whoever reads it has the clock of another zone.
    """
    name = '"' + column.replace('"', '""') + '"'
    if str(kind) in _WIDE:
        return f"{name}::BIGINT AS {name}"
    if str(kind) not in _ZONED:
        return name
    stamp = f"{name}::TIMESTAMPTZ"
    if zone is None:
        return f"{stamp}::TIMESTAMP AS {name}"
    if zone[0] not in "+-":
        return f"timezone('{zone}', {stamp}) AS {name}"
    minutes = int(zone[0] + "1") * (60 * int(zone[1:3]) + int(zone[-2:]))
    return f"timezone('UTC', {stamp}) + to_minutes({minutes}) AS {name}"
