"""The DuckDB that this process reads tables with."""

from __future__ import annotations

import threading
from typing import Any

__all__ = ["duck"]

_KEPT = threading.local()


def duck() -> Any:
    """Return this thread's DuckDB; before 1.4 tables of one that nobody holds cannot be read."""
    import duckdb

    if not hasattr(_KEPT, "base"):
        _KEPT.base = duckdb.connect()
    return _KEPT.base
