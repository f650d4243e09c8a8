"""What would fit, when a log does not fit into memory."""

from __future__ import annotations

import contextlib
import math
import os
from pathlib import Path
from typing import TYPE_CHECKING

from crmkit._files import as_path
from crmkit._opening import open_text
from crmkit.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["too_large"]

# Bytes that a row of a log takes at the peak of a report, and the address space that a report
# takes without any: measured on logs with customer, date and amount, and rounded up.
_PER_ROW, _ALWAYS = 550, 830_000_000


def too_large(log: str | None) -> str:
    """Return the sentence that says how much there is, how much may be used, and what would fit."""
    allowed = min(_limits(), default=0)
    rows, many = math.inf, ""
    if log is not None:
        with contextlib.suppress(OSError, InputError):
            path = as_path(log, "LOG")
            rows = _rows(path)
            many = f" for the {rows:,} rows of LOG {str(path)!r}"
    fit = ""
    if allowed:
        # Never as many as have just been too many.
        fitting = min(max(allowed - _ALWAYS, 0) / _PER_ROW, rows / 2)
        here = f"{allowed / 1e9:.1f} GB may be used here"
        fit = f": {here}, enough for about {float(f'{fitting:.2g}'):,.0f} rows"
    return (
        f"The memory does not suffice{many}{fit}. Give it more, or a log with fewer rows: one per "
        "order, a shorter period, or a sample of customers."
    )


def _rows(path: Path) -> int:
    """Count the rows of a log, little by little."""
    if path.suffix.lower() in (".parquet", ".pq"):
        from pyarrow import parquet

        return int(parquet.read_metadata(path).num_rows)
    with open_text(path, "latin-1") as text:
        lines = 0
        while piece := text.read(1 << 20):
            lines += piece.count("\n")
    return max(lines - 1, 0)


def _limits() -> Iterator[int]:
    """Return every limit of memory that this system names, in bytes."""
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        for kind in (resource.RLIMIT_AS, resource.RLIMIT_DATA):
            soft, _ = resource.getrlimit(kind)
            if soft != resource.RLIM_INFINITY:
                yield soft
    with contextlib.suppress(OSError, ValueError):
        yield int(Path("/sys/fs/cgroup/memory.max").read_text("ascii"))
    with contextlib.suppress(OSError, ValueError, AttributeError):
        yield os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
