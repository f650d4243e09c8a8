"""The rows of the files of a log, dealt out to other files by customer, a piece at a time."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._checks import quoted
from crmkit._files import with_room
from crmkit._reading.arrow import in_arrow
from crmkit._reading.files import parquet_rows
from crmkit._reading.together import FILE
from crmkit.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from crmkit._reading.steps import Begun
    from crmkit._typing import Ints

__all__ = ["deal", "room"]

_AT_ONCE = 500_000  # rows that are read and dealt out at a time
# A part of so many times as many rows as others have may not fit, unless it is small.
_TWICE, _SMALL = 2, 200_000


def deal(begun: Begun, folder: Path, n_parts: int) -> list[Path]:
    """Write each row to the file of its customer's part, and return the files that have rows."""
    customer = begun.found["customer_id"][0]
    with room(folder):
        paths = list(_dealt(begun, customer, folder, n_parts))
    _refuse_large(paths, customer, n_parts)
    return paths


def room(folder: Path) -> AbstractContextManager[None]:
    """Say it in one sentence where there is no room left for the parts."""
    return with_room(
        f"LOG is dealt out to files in {str(folder.parent)!r}, and that disk is full. Set "
        "TMPDIR to a folder with room for the log as Parquet, twice."
    )


def _refuse_large(raw: list[Path], customer: str, n_parts: int) -> None:
    """Raise if one customer has more rows than a part is meant to have."""
    rows = [parquet_rows(path) for path in raw]
    usual = sum(rows) / n_parts
    for path in (path for path, n in zip(raw, rows, strict=True) if n > _TWICE * usual):
        counts = pd.read_parquet(path, columns=[customer])[customer].value_counts()
        if counts.iloc[0] > max(usual, _SMALL):
            raise InputError(
                f"Customer {quoted(counts.index[0])} of LOG has {counts.iloc[0]:,} rows, more than "
                f"the {usual:,.0f} of a part. Say guests='{counts.index[0]}' to leave these rows "
                "out if it stands for many, or a larger `memory`."
            )


def _dealt(begun: Begun, customer: str, folder: Path, n_parts: int) -> Iterator[Path]:
    """Deal all rows out to files by a hash of the customer, and name the files that have any."""
    from pyarrow import parquet

    paths = [folder / f"raw-{part:05d}.parquet" for part in range(n_parts)]
    writers: dict[int, Any] = {}
    schema: Any = None
    n_rows, nobody = 0, begun.asked.guests or []
    with ExitStack() as stack:
        for file, source in enumerate(begun.files.sources):
            assert source.pieces is not None  # or there are no parts
            for piece in source.pieces(begun.wanted, _AT_ONCE):
                table = in_arrow(piece, schema)
                part = _part_of(table.column(customer).to_pandas(), nobody, n_parts, n_rows)
                n_rows += len(part)
                schema = schema or table.schema
                if len(begun.files.sources) > 1:
                    table = table.append_column(FILE, [np.full(len(part), file, dtype=np.int32)])
                order = np.argsort(part, kind="stable")
                ends = np.cumsum(np.bincount(part, minlength=n_parts))
                table = table.take(order)
                for place in np.flatnonzero(np.diff(ends, prepend=0)).tolist():
                    first = ends[place - 1] if place else 0
                    if place not in writers:
                        writers[place] = stack.enter_context(
                            parquet.ParquetWriter(paths[place], table.schema)
                        )
                    writers[place].write_table(table.slice(first, ends[place] - first))
    if not writers:
        raise InputError("LOG has no rows.")
    return (paths[place] for place in sorted(writers))


def _part_of(ids: pd.Series[Any], nobody: list[str], n_parts: int, before: int) -> Ints:
    """Return the part of each row by its customer's id; without one, or of `nobody`, any.

    Ids that differ by case, blanks or zeros in front may be asked about: they go to one part.
    """
    codes, distinct = pd.factorize(ids)
    cells: Any = np.asarray(distinct)
    none = np.zeros(len(cells) + 1, dtype=bool)
    none[-1] = True
    if nobody:
        none[:-1] = pd.Series(cells).astype(object).map(str).isin(nobody)
    if cells.dtype.kind not in "iuf":
        bare = [" ".join(str(cell).split()).casefold() for cell in cells.tolist()]
        cells = np.array([cell.lstrip("0") if cell.isdigit() else cell for cell in bare], object)
    part = np.r_[(pd.util.hash_array(cells) % np.uint64(n_parts)).astype(np.int64), 0]
    anywhere = (before + np.arange(len(ids))) % n_parts
    return np.where(none[codes], anywhere, part[codes])
