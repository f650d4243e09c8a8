"""The same values in columns of other types, which must not change an answer."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pandas as pd

from crmkit._kinds import column_kind


def _arrow(column, make):
    import pyarrow as pa

    cells = [None if pd.isna(cell) else cell for cell in column.astype(object)]
    return pd.Series(pd.arrays.ArrowExtensionArray(make(pa.array(cells))), index=column.index)


def _decimals(column):
    if column_kind(column) != "numbers" or column.dtype.kind not in "iuf":
        return column
    known = [None if pd.isna(cell) else Decimal(float(cell)) for cell in column]
    return pd.Series(known, index=column.index, dtype=object)


def _arrow_decimals(column):
    import pyarrow as pa

    cells = _decimals(column)
    if cells is column or not (column.dropna() * 2**10 % 1 == 0).all():
        return column
    return _arrow(cells, lambda values: values.cast(pa.decimal256(60, 10)))


def _dictionary(column):
    if pd.api.types.infer_dtype(column, skipna=True) != "string":
        return column
    return _arrow(column, lambda cells: cells.dictionary_encode())


def _narrow(column):
    """Return the narrowest type that holds every value."""
    if not isinstance(column.dtype, np.dtype):
        return column
    if column.dtype.kind == "M":
        days = [None if pd.isna(moment) else moment.date() for moment in column]
        dates = pd.Series(days, index=column.index, dtype=object)
        return dates if (column.dropna() == column.dropna().dt.normalize()).all() else column
    for narrow in ("int8", "int16", "int32", "float16", "float32"):
        if column.dtype.kind in "if" and column.dtype.kind == np.dtype(narrow).kind:
            with np.errstate(over="ignore"):
                small = column.astype(narrow)
            if small.astype(column.dtype).equals(column):
                return small
    return column


def _swapped(column):
    if column.dtype.kind in "iuf" and isinstance(column.dtype, np.dtype):
        return column.astype(column.dtype.newbyteorder(">"))
    return column.astype("datetime64[s]") if column.dtype.kind == "M" else column


def _whole(column):
    return column.astype(float) if pd.api.types.is_integer_dtype(column.dtype) else column


def _sparse(column):
    plain = isinstance(column.dtype, np.dtype) and column.dtype.kind in "bif"
    return column.astype(pd.SparseDtype(column.dtype)) if plain else column


# Each by the change it makes to a column; one that cannot be stored so stays as it is.
COLUMN_TYPES = {
    "object": lambda column: column.astype(object),
    "nullable": lambda column: column.convert_dtypes(),
    "arrow": lambda column: column.convert_dtypes(dtype_backend="pyarrow"),
    "category": lambda column: column.astype("category"),
    "dictionary": _dictionary,
    "decimal": _decimals,
    "arrow decimal": _arrow_decimals,
    "narrow": _narrow,
    "big-endian": _swapped,
    "whole as float": _whole,
    "sparse": _sparse,
}
# Ids that are the same values in another type.
SAME_IDS = {
    "nullable": lambda ids: ids.astype("Int64"),
    "category": lambda ids: ids.astype("category"),
    "float": lambda ids: ids.astype(float),
    "object": lambda ids: ids.astype(object),
}
NEEDS_ARROW = {"arrow", "dictionary", "arrow decimal"}


def retyped(tables, kind, *, turn=0):
    """Change the type of every column but the ids; with `turn`, each next column to the next."""
    kinds = list(COLUMN_TYPES)
    found = {}
    for name, table in tables.items():
        changed = {}
        for place, column in enumerate(table.columns):
            at = (kinds.index(kind) + place * turn) % len(kinds)
            if column != "customer_id":
                changed[column] = COLUMN_TYPES[kinds[at]](table[column])
        found[name] = table.assign(**changed)
    return found
