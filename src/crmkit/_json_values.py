"""What JSON has no type for, written as tagged dicts and read back under a strict schema."""

from __future__ import annotations

import base64
import dataclasses
import math
import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._schema import PARTS, check_kinds, part_types
from crmkit.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["from_json", "to_json"]

_ARRAYS = re.compile(r"[|<](b1|[iu][1248]|f[248]|M8\[(D|s|ms|us|ns)\])")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d+)?([+-]\d\d:\d\d)?")
_MISSING = {"NA": pd.NA, "NaT": pd.NaT}
_FLOATS = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}


def to_json(value: Any) -> Any:
    """Return a value in JSON's types; what JSON has no type for becomes a tagged dict."""
    if value is None or isinstance(value, (bool, str, int)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else {"$float": str(value)}
    if isinstance(value, (np.bool_, np.integer, np.floating)):
        return to_json(value.item())
    if value is pd.NA or value is pd.NaT:
        return {"$missing": "NA" if value is pd.NA else "NaT"}
    if isinstance(value, (np.datetime64, pd.Timestamp)):
        return {"$date": str(pd.Timestamp(value))}
    if isinstance(value, dict):
        return {"$dict": [[to_json(key), to_json(item)] for key, item in value.items()]}
    if isinstance(value, tuple):
        return {"$tuple": [to_json(item) for item in value]}
    if isinstance(value, list):
        return [to_json(item) for item in value]
    if isinstance(value, np.ndarray):
        return _array_to_json(value)
    if isinstance(value, pd.DataFrame):
        columns = [[to_json(name), _column_to_json(value[name])] for name in value.columns]
        return {"$frame": columns, "rows": len(value)}
    if PARTS.get(type(value).__name__) is type(value):
        return {"$part": type(value).__name__, "state": to_json(_state(value))}
    raise InputError(
        f"A {type(value).__name__} cannot be written to JSON. Save a model that uses crmkit's own "
        "learner, or keep this one with a tool of the estimator's makers, such as skops."
    )


def _array_to_json(value: np.ndarray[Any, Any]) -> dict[str, Any]:
    """Return an array: numbers and dates as exact bytes, text and mixed ones as a list."""
    if value.dtype.kind in "OU" and value.ndim == 1:
        return {"$objects": [to_json(item) for item in value.tolist()]}
    kind = value.dtype.newbyteorder("<").str
    if not _ARRAYS.fullmatch(kind):
        raise InputError(f"An array of type {value.dtype} cannot be written to JSON.")
    data = base64.b64encode(np.ascontiguousarray(value, dtype=kind).tobytes()).decode("ascii")
    return {"$array": data, "dtype": kind, "shape": list(value.shape)}


def _column_to_json(column: pd.Series[Any]) -> Any:
    """Return a column of a table as an array; text and mixed columns as lists."""
    kind = column.dtype
    plain = isinstance(kind, np.dtype) and kind.kind in "biufM"
    return to_json(column.to_numpy() if plain else column.astype(object).to_numpy(dtype=object))


def _state(part: Any) -> dict[str, Any]:
    """Return what a part is made of, by name."""
    if hasattr(part, "to_json_state"):
        state: dict[str, Any] = part.to_json_state()
        return state
    return {field.name: getattr(part, field.name) for field in dataclasses.fields(part)}


def from_json(value: Any) -> Any:
    """Return what `to_json` was given; raise some everyday error for what it never writes."""
    if isinstance(value, list):
        return [from_json(item) for item in value]
    if not isinstance(value, dict):
        return value
    reader = _READERS.get(frozenset(value))
    if reader is None:
        raise ValueError(f"it has a part with the names {sorted(value)[:5]}")
    return reader(value)


def _read_date(value: dict[str, Any]) -> pd.Timestamp:
    """Return a date; words such as "now", which would read the clock, are none."""
    if not _MOMENT.fullmatch(value["$date"]):
        raise ValueError("it has a date that is none")
    return pd.Timestamp(value["$date"])


def _read_dict(value: dict[str, Any]) -> dict[Any, Any]:
    """Return names and what belongs to them."""
    found = {from_json(name): from_json(item) for name, item in value["$dict"]}
    if len(found) < len(value["$dict"]):
        raise ValueError("a name occurs twice")
    return found


def _read_list(items: Any) -> list[Any]:
    """Return the items of a list, and of nothing else that could be walked through."""
    if not isinstance(items, list):
        raise TypeError("something that should be a list is none")
    return [from_json(item) for item in items]


def _read_array(value: dict[str, Any]) -> np.ndarray[Any, Any]:
    """Return an array whose bytes are exactly those that its type and shape ask for."""
    if not _ARRAYS.fullmatch(value["dtype"]):
        raise ValueError("it has an array of an unknown type")
    kind, shape = np.dtype(value["dtype"]), value["shape"]
    if not isinstance(shape, list) or not all(type(n) is int and n >= 0 for n in shape):
        raise ValueError("an array's shape is no list of lengths")
    content = base64.b64decode(value["$array"], validate=True)
    if len(content) != math.prod(shape) * kind.itemsize:
        raise ValueError("an array has another size than its shape")
    if kind.kind == "b" and content.strip(b"\0\1"):
        raise ValueError("an array of yes and no holds something else")
    return np.frombuffer(content, dtype=kind).reshape(shape).copy()


def _read_objects(value: dict[str, Any]) -> np.ndarray[Any, Any]:
    """Return an array of Python objects."""
    items = _read_list(value["$objects"])
    array = np.empty(len(items), dtype=object)
    array[:] = items
    return array


def _read_frame(value: dict[str, Any]) -> pd.DataFrame:
    """Return a table."""
    columns = {from_json(name): _read_column(part) for name, part in value["$frame"]}
    rows = value["rows"]
    if type(rows) is not int or any(len(column) != rows for column in columns.values()):
        raise ValueError("a table's columns are not of its length")
    if len(columns) < len(value["$frame"]) or not columns:
        raise ValueError("a table has a column twice, or none")
    return pd.DataFrame(columns, index=pd.RangeIndex(rows))


def _read_column(part: Any) -> Any:
    """Return a stored column; text gets this pandas' own text type."""
    column = from_json(part)
    if not isinstance(column, np.ndarray) or column.ndim != 1:
        raise TypeError("a table's column is none")
    return pd.Series(column.tolist()) if column.dtype == object else column


def _read_part(value: dict[str, Any]) -> Any:
    """Return a registered part whose fields are all there and of their kinds."""
    name = value["$part"]
    cls = PARTS.get(name) if isinstance(name, str) else None
    if cls is None:
        raise ValueError("it has a part of an unknown kind")
    state = from_json(value["state"])
    if hasattr(cls, "from_json_state"):
        return cls.from_json_state(state)
    kinds = part_types(cls)
    if state.keys() != kinds.keys():
        raise ValueError(f"its {name} lacks a part or has one too many")
    check_kinds(state, kinds, name)
    return cls(**state)


_READERS: dict[frozenset[str], Callable[[dict[str, Any]], Any]] = {
    frozenset({"$float"}): lambda value: _FLOATS[value["$float"]],
    frozenset({"$missing"}): lambda value: _MISSING[value["$missing"]],
    frozenset({"$date"}): _read_date,
    frozenset({"$dict"}): _read_dict,
    frozenset({"$tuple"}): lambda value: tuple(_read_list(value["$tuple"])),
    frozenset({"$array", "dtype", "shape"}): _read_array,
    frozenset({"$objects"}): _read_objects,
    frozenset({"$frame", "rows"}): _read_frame,
    frozenset({"$part", "state"}): _read_part,
}
