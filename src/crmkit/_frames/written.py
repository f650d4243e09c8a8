"""Tables that come one after another, written to one Parquet file that need not fit into memory."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from crmkit._files import temporary_folder, whole_file, with_room
from crmkit.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from contextlib import AbstractContextManager
    from pathlib import Path

    import pandas as pd

__all__ = ["write_tables"]


def write_tables(tables: Iterable[pd.DataFrame], path: Path, attrs: dict[str, Any]) -> None:
    """Write all tables to one file, whole or not at all; `attrs` may still fill meanwhile.

    What a column holds is known when the last table has come: one may have only missing values in
    it, or whole numbers, where another has text or fractions. So each goes into a file of its own
    first.
    """
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        raise InputError("`out` needs pyarrow: python -m pip install pyarrow.") from None
    with temporary_folder() as folder:
        parts = []
        for number, table in enumerate(tables):
            table.attrs = {}
            parts.append(folder / f"{number}.parquet")
            with _room(folder.parent, "Set TMPDIR to a folder with room for the result."):
                pq.write_table(pa.Table.from_pandas(table, preserve_index=False), parts[-1])
        schemas = [pq.read_schema(part) for part in parts]
        try:
            schema = pa.unify_schemas(
                [one.remove_metadata() for one in schemas], promote_options="permissive"
            )
        except (pa.ArrowTypeError, pa.ArrowInvalid) as error:
            raise InputError(
                f"The results of the parts do not go into one file for `out`: {error}. Make the "
                "columns of the table of one type each."
            ) from None
        # Where pandas looks for the attrs of a table.
        notes = {**(schemas[0].metadata or {}), b"PANDAS_ATTRS": json.dumps(attrs, default=_plain)}
        with (
            _room(path.parent, "Nothing was written. Make room, or choose another place."),
            whole_file(path) as file,
            pq.ParquetWriter(file, schema.with_metadata(notes)) as writer,
        ):
            for part in parts:
                for batch in pq.ParquetFile(part).iter_batches():
                    columns = pa.Table.from_batches([batch]).select(schema.names)
                    writer.write_table(columns.cast(writer.schema))


def _room(folder: Path, do: str) -> AbstractContextManager[None]:
    """Say it in one sentence where there is no room left."""
    return with_room(f"`out`: the disk of {str(folder)!r} is full. {do}")


def _plain(value: Any) -> Any:
    """Return a number of numpy as one of Python, anything else as text."""
    return value.item() if hasattr(value, "item") else str(value)
