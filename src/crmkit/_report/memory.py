"""Whether a log fits into memory, in how many parts it does, and what would fit."""

from __future__ import annotations

import contextlib
import math
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from crmkit._files import as_path
from crmkit._opening import open_text
from crmkit.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crmkit._reading.steps import Begun

__all__ = ["Plan", "make_plan", "too_large"]

# Bytes that a row of a log takes at the peak of a report, and the address space that a report
# takes without any: measured on logs with customer, date and amount, and rounded up.
_PER_ROW, _ALWAYS = 550, 830_000_000
# Of the memory that there is, what a page may take where nothing is said; and of that, what a part
# of the log may take beside the tables of all customers.
_SHARE, _OF_PART = 0.6, 0.25
_LEAST_ROWS = 1000
# What the tables of a page take for each customer at the peak, with ids that are whole numbers and
# with others: rounded up from pages of 1.5 to 4.1 million customers (483 to 628 bytes) and from one
# of 1.5 million with text of 16 letters (1,223).
_PER_NUMBER, _PER_TEXT = 650, 1250
_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}


@dataclass(frozen=True)
class Plan:
    """In how many parts a log is read (0: in one piece), in what memory, and why, in a sentence."""

    n_parts: int
    memory: int
    words: str

    def check_customers(self, n: int, ids: pd.Series[Any]) -> None:
        """Raise if the tables of so many customers, with ids such as these, would not fit."""
        needed = _ALWAYS + n * (_PER_NUMBER if pd.api.types.is_integer_dtype(ids) else _PER_TEXT)
        if needed > self.memory:
            raise InputError(
                f"LOG has {n:,} customers, whose tables take about {needed / 1e9:.1f} GB, more "
                f"than the {self.memory / 1e9:.1f} GB that may be used. Say a larger `memory`, or "
                "give a sample of whole customers."
            )


def make_plan(begun: Begun, engine: str, memory: Any) -> Plan:
    """Say how a log is read, by its rows and their widths as the first ones show them."""
    asked = engine
    may = _bytes(memory) if memory is not None else int(_SHARE * min(_limits(), default=8 * 10**9))
    files, wanted = begun.files, begun.wanted
    rows = files.count()
    if rows is None:
        why = "only tables in text, Parquet or a database can be read in parts"
        if engine == "duckdb":
            raise InputError(f"LOG cannot be read with engine='duckdb': {why}. Leave it out.")
        return Plan(0, may, f"LOG is read in one piece by pandas: {why}.")
    sample = files.sample[wanted]
    wide = sample.memory_usage(index=False, deep=True).sum() / max(len(sample), 1)
    per_row = _PER_ROW + 2 * float(wide)
    needed = _ALWAYS + rows * per_row
    large, here = f"about {needed / 1e9:.1f} GB", f"{may / 1e9:.1f} GB may be used"
    how = f"LOG has about {float(f'{rows:.3g}'):,.0f} rows: read"
    n_parts = max(math.ceil(rows * per_row / (_OF_PART * may)), 1)
    n_parts = min(n_parts, max(rows // _LEAST_ROWS, 1))
    if engine == "auto" and needed > may and n_parts == 1 and memory is None:
        # What may be used is then a guess of ours, and no reason to refuse so small a log.
        engine, here = "pandas", f"{here}, but one part would take as much"
    if engine == "pandas" or (engine == "auto" and needed <= may):
        said = ", as `engine` says," if asked == "pandas" else ""
        return Plan(0, may, f"{how} in one piece by pandas{said} in {large} of memory; {here}.")
    why = "as `engine` says" if engine == "duckdb" else f"in one piece it would take {large}"
    return Plan(
        n_parts, may, f"{how} in {n_parts:,} parts of whole customers, by DuckDB: {why}; {here}."
    )


def _bytes(text: Any) -> int:
    """Read how much memory is meant."""
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([kmgt]?)i?b?\s*", str(text), re.I)
    number = int(float(found[1]) * _UNITS[found[2].lower()]) if found else 0
    if not number:
        raise InputError(f"`memory` must be an amount such as '4GB' or '800MB'; got {text!r}.")
    return number


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
        f"The memory does not suffice{many}{fit}. Say a smaller `memory`, so that the log is read "
        "in parts, or give a log with fewer rows: one per order, a shorter period, or a sample of "
        "customers."
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
