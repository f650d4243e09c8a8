"""Pieces of a table as Arrow, all of one schema: what is read a piece at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from crmkit.errors import InputError

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["in_arrow"]


def in_arrow(piece: Any, schema: pa.Schema | None) -> pa.Table:
    """Return a piece, of pandas or Arrow, in the schema of the first one; None makes one."""
    import pyarrow as pa

    if isinstance(piece, pa.RecordBatch):
        table = pa.Table.from_batches([piece])
        try:
            return table if schema is None else table.cast(schema)
        except (pa.ArrowException, ValueError):
            raise _of_two_kinds(table.column_names, schema, table.schema) from None
    columns = {}
    for name in map(str, piece.columns):
        kind = _kind(piece[name]) if schema is None else schema.field(name).type
        try:
            columns[name] = pa.Array.from_pandas(piece[name], type=kind)
        except (pa.ArrowException, TypeError, ValueError):
            columns[name] = _again(piece[name], name, kind)
    return pa.table(columns)


def _kind(column: pd.Series[Any]) -> pa.DataType:
    """Return the type that a column has in all pieces, by the cells of the first."""
    import pyarrow as pa

    kind = pa.Array.from_pandas(column.head(0), type=None).type
    if column.dtype == object or isinstance(column.dtype, pd.StringDtype):
        try:
            kind = pa.Array.from_pandas(column.dropna()).type
        except (pa.ArrowException, TypeError):
            raise _mixed(str(column.name)) from None
    if pa.types.is_decimal(kind):
        return pa.float64()
    return pa.string() if pa.types.is_null(kind) or pa.types.is_large_string(kind) else kind


def _again(column: pd.Series[Any], name: str, kind: pa.DataType) -> Any:
    """Return decimals as floats, or say that a column holds what does not go together."""
    import pyarrow as pa

    if not pa.types.is_floating(kind):
        raise _mixed(name)
    try:
        return pa.Array.from_pandas(pd.to_numeric(column.astype(object)).astype(float), type=kind)
    except (pa.ArrowException, TypeError, ValueError):
        raise _mixed(name) from None


def _mixed(name: str) -> InputError:
    return InputError(
        f"Column {name!r} of LOG holds values of several kinds, such as numbers and text, which "
        "cannot be read in parts. Make them one kind, or say engine='pandas'."
    )


def _of_two_kinds(names: list[str], one: pa.Schema, other: pa.Schema) -> InputError:
    """Say which column files hold in several ways."""
    name = next((n for n in names if one.field(n).type != other.field(n).type), names[0])
    return InputError(
        f"Column {name!r} of LOG is {one.field(name).type} in one file and "
        f"{other.field(name).type} in another, which cannot be read in parts. Make them one kind, "
        "or say engine='pandas'."
    )
