"""Tables of any engine, turned into pandas at the door."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from crmkit._checks import listed, quoted, require_columns
from crmkit._frames.plain import plain_columns
from crmkit.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["as_given", "table_columns", "to_pandas"]

# How engines say that what they were asked for is too large.
_FULL = ("OutOfMemoryError", "Java heap space", "maxResultSize", "Out of Memory Error")
_KINDS = "a DataFrame (pandas, Polars, PyArrow, DuckDB, PySpark or ibis)"


def _wrapped(table: Any, name: str) -> Any:
    """Return a narwhals frame around a table that is not pandas, or say what is wanted."""
    import narwhals as nw

    try:
        return nw.from_native(table)
    except TypeError:
        kind = type(table).__name__
        hint = " Pass it to pandas.DataFrame first." if isinstance(table, (list, dict)) else ""
        raise InputError(f"`{name}` must be {_KINDS}; got {kind}.{hint}") from None


def table_columns(table: Any, name: str) -> list[str]:
    """Return a table's column names without reading its rows."""
    if isinstance(table, pd.DataFrame):
        return list(table.columns)
    return list(_wrapped(table, name).collect_schema().names())


def to_pandas(
    table: Any,
    name: str,
    *,
    needs: Iterable[str] = (),
    optional: Iterable[str] | None = None,
    leave: tuple[str, ...] = (),
) -> pd.DataFrame:
    """Return the needed and the optional columns of a table as pandas; all, if `optional` is None.

    Engines read only the columns asked for. Columns other than ``customer_id`` and those to
    `leave` come in the plain form of their kind; a pandas frame keeps its index, and where nothing
    changes is itself.
    """
    frame = as_given(table, name, needs=needs, optional=optional)
    return plain_columns(frame, leave=("customer_id", *leave), names=("order_id", "product"))


def as_given(
    table: Any, name: str, *, needs: Iterable[str] = (), optional: Iterable[str] | None = None
) -> pd.DataFrame:
    """Return columns of a table as pandas with the types they have; see `to_pandas`."""
    needs = list(needs)
    if not isinstance(table, pd.DataFrame):
        frame = _wrapped(table, name)
        present = list(frame.collect_schema().names())
        require_columns(present, needs, name)
        wanted = present if optional is None else _pick(present, needs, optional)
        try:
            return _collected(frame.select(wanted))
        except Exception as error:
            if not any(word in str(error) for word in _FULL):
                raise
            raise InputError(
                f"`{name}` does not fit into memory here. Let crmkit.by_customer call the function "
                "on one part of the customers at a time, or give a sample of whole customers."
            ) from None
    _check_pandas(table, name, needs)
    if optional is None:
        return table
    wanted = _pick(table.columns, needs, optional)
    if len(wanted) == len(table.columns):
        return table.copy(deep=False)
    # Taken one by one: pandas 2 would copy the columns of a selection.
    return pd.DataFrame({column: table[column] for column in wanted}, copy=False)


def _collected(frame: Any) -> pd.DataFrame:
    """Return a frame of narwhals as pandas."""
    found: pd.DataFrame = (frame.collect() if hasattr(frame, "collect") else frame).to_pandas()
    return found


def _pick(present: Iterable[Any], needs: list[str], optional: Iterable[str]) -> list[str]:
    """Return the needed columns and those optional ones that are there, each once."""
    present = list(present)
    return list(dict.fromkeys([*needs, *(column for column in optional if column in present)]))


def _check_pandas(table: pd.DataFrame, name: str, needs: list[str]) -> None:
    """Check column names, including the two slips that only pandas makes possible."""
    columns = table.columns
    if isinstance(columns, pd.MultiIndex):
        raise InputError(
            f"`{name}` has columns of {columns.nlevels} levels, such as {quoted(columns[0])}. Give "
            "each a single name, as text."
        )
    if not columns.is_unique:
        twice = list(dict.fromkeys(columns[columns.duplicated()]))
        raise InputError(
            f"`{name}` has the column name(s) {listed(twice)} twice. Rename or drop one."
        )
    in_index = [column for column in needs if column not in columns and column in table.index.names]
    do = f"{in_index} is in the index: call reset_index() first." if in_index else ""
    require_columns(columns, needs, name, do=do)
