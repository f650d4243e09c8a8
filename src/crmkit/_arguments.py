"""Arguments that are no numbers: names of columns, lists and mappings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from typing import Any

import pandas as pd

from crmkit._checks import check_number, quoted
from crmkit.errors import InputError

__all__ = [
    "check_column",
    "check_columns",
    "check_level",
    "check_list",
    "check_mapping",
    "check_numbers",
    "check_text",
    "columns_named",
    "is_level",
    "numbers_by",
    "optional_columns",
]


def check_column(value: Any, name: str) -> str:
    """Return `value` if it can be the name of a column."""
    if isinstance(value, str) and value:
        return str(value)
    raise InputError(f"`{name}` must be the name of a column, as text; got {quoted(value)}.")


def check_text(value: Any, name: str) -> str:
    """Return `value` if it is text, of which any will do."""
    if isinstance(value, str):
        return str(value)
    raise InputError(f"`{name}` must be text; got {quoted(value)}.")


def columns_named(**arguments: Any) -> list[str]:
    """Return the columns that arguments name, checked under the arguments' own names."""
    return [check_column(value, name) for name, value in arguments.items()]


def optional_columns(**arguments: Any) -> list[str]:
    """Return the columns that those arguments name which are not None."""
    return columns_named(**{name: value for name, value in arguments.items() if value is not None})


def check_columns(value: Any, name: str, *, empty: bool = False, single: bool = True) -> list[str]:
    """Return the names in a list of columns, each once, or a single one, as a list.

    `empty` and `single` tell whether no column, and one name alone, are an answer.
    """
    names = [value] if single and isinstance(value, str) else _items(value)
    if names is None or not all(isinstance(one, str) and one for one in names):
        wanted = "a column name or a list of them" if single else "a list of column names"
        raise InputError(f"`{name}` must be {wanted}; got {quoted(value)}.")
    if not names and not empty:
        raise InputError(f"`{name}` is empty. Name at least one column.")
    if len(set(names)) < len(names):
        raise InputError(f"`{name}` names a column twice: {quoted(names)}.")
    return [str(one) for one in names]


def check_numbers(value: Any, name: str) -> list[Any]:
    """Return a list of one or more numbers, each of which `check_number` lets pass."""
    numbers = _items(value)
    if not numbers:
        raise InputError(f"`{name}` must be a list of numbers; got {quoted(value)}.")
    return [check_number(number, name) for number in numbers]


def check_list(value: Any, name: str, what: str) -> list[Any]:
    """Return a list (a set will do) of hashable things, or say that it is none.

    One thing alone is no list, and neither is text.
    """
    things = list(value) if isinstance(value, Set) else _items(value)
    try:
        hash(tuple(things or ()))
    except TypeError:
        things = None
    if things is None:
        raise InputError(f"`{name}` must be a list of {what}; got {quoted(value)}.")
    return things


def check_level(value: Any, name: str, levels: list[Any]) -> Any:
    """Return `value` if it is one of the levels of a column."""
    if is_level(value, levels):
        return value
    raise InputError(f"`{name}` must be one of {quoted(levels)}; got {quoted(value)}.")


def is_level(value: Any, levels: list[Any]) -> bool:
    """Tell whether a value, whatever it is, is one of the levels of a column."""
    try:
        return value in dict.fromkeys(levels)
    except TypeError:  # it cannot be hashed, so it is no level
        return False


def check_mapping(value: Any, name: str, what: str) -> dict[Any, Any]:
    """Return a mapping as a dict, or say what it should map."""
    if not isinstance(value, Mapping):
        raise InputError(f"`{name}` must be a mapping of {what}; got {quoted(value)}.")
    return dict(value)


def numbers_by(value: Any, name: str, levels: Iterable[Any], what: str) -> list[Any]:
    """Return the number of each level out of a mapping that must have them all."""
    given = check_mapping(value, name, f"{what}s to numbers")
    missing = [level for level in levels if level not in given]
    if missing:
        raise InputError(f"`{name}` lacks the {what}(s) {quoted(missing)}.")
    return [check_number(given[level], name) for level in levels]


def _items(value: Any) -> list[Any] | None:
    """Return the members of a list, tuple, index, array or iterator in their order, else None."""
    if isinstance(value, (str, bytes, Mapping, Set, pd.DataFrame)):
        return None
    return list(value) if isinstance(value, Iterable) else None
