"""Whether a value is what an annotation says: annotations are the schema of what is read back."""

from __future__ import annotations

import ast
import builtins
import collections.abc
import dataclasses
import importlib
import inspect
import sys
import types
import typing
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, TypeVar, Union

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["PARTS", "check_kinds", "json_part", "learned_types", "parameter_types", "part_types"]

_SEQUENCES = (collections.abc.Sequence, collections.abc.Iterable)


# What JSON carries beside its own types, by the name of the class.
PARTS: dict[str, Any] = {}
_Part = TypeVar("_Part")


def json_part(cls: type[_Part]) -> type[_Part]:
    """Register a class that JSON carries: a dataclass, by the names and kinds of its fields.

    Fields hold what `to_json` writes, other parts among them. A class that holds something else
    says how it is written by ``to_json_state`` and read by the class method ``from_json_state``.
    """
    PARTS[cls.__name__] = cls
    return cls


def _fits(value: Any, wanted: Any) -> bool:
    """Tell whether a value is of the kind that a type names; numpy's scalars are numbers too."""
    origin, inner = typing.get_origin(wanted), typing.get_args(wanted)
    if origin in (Union, types.UnionType):
        return any(_fits(value, kind) for kind in inner)
    if origin is Literal:
        return any(type(value) is type(word) and value == word for word in inner)
    if origin in (np.ndarray, NDArray):
        # NDArray is an alias of its own kind from numpy 2.5 on.
        kind = inner[0] if origin is NDArray else typing.get_args(inner[1])[0]
        return isinstance(value, np.ndarray) and np.issubdtype(value.dtype, kind)
    if origin is tuple:
        if not isinstance(value, tuple):
            return False
        kinds = [inner[0]] * len(value) if inner[1:] == (Ellipsis,) else inner
        return len(kinds) == len(value) and all(map(_fits, value, kinds))
    if origin in (dict, collections.abc.Mapping):
        return isinstance(value, dict) and all(
            _fits(key, inner[0]) and _fits(item, inner[1]) for key, item in value.items()
        )
    if origin is list or origin in _SEQUENCES:
        many = list if origin is list else (collections.abc.Sequence, np.ndarray)
        several = isinstance(value, many) and not isinstance(value, (str, bytes))
        return several and all(_fits(item, inner[0]) for item in value)
    return _is_a(value, wanted)


def _is_a(value: Any, wanted: Any) -> bool:
    """Tell whether a value is of a plain type."""
    if wanted is Any:
        return True
    if wanted in (None, types.NoneType):
        return value is None
    flag = isinstance(value, (bool, np.bool_))
    if wanted is bool:
        return flag
    if wanted is int:
        return isinstance(value, (int, np.integer)) and not flag
    if wanted is float:
        return isinstance(value, (int, float, np.integer, np.floating)) and not flag
    if getattr(wanted, "_is_protocol", False):
        return all(hasattr(value, name) for name in vars(wanted) if not name.startswith("_"))
    return isinstance(value, wanted)


def check_kinds(values: dict[str, Any], kinds: dict[str, Any], owner: str) -> None:
    """Raise ValueError if `values` are not exactly those named in `kinds`, each of its kind."""
    for name in sorted(values.keys() ^ kinds.keys()):
        what = "lacks" if name in kinds else "has something of the unknown name"
        raise ValueError(f"its {owner} {what} {name[:40]!r}")
    for name, kind in kinds.items():
        if not _fits(values[name], kind):
            raise ValueError(f"{name!r} of its {owner} is of the wrong kind")


def parameter_types(cls: Any) -> dict[str, Any]:
    """Return the kinds of a class's parameters by name."""
    start = cls.__init__
    written = inspect.get_annotations(start)
    return {n: _resolved(k, start.__module__) for n, k in written.items() if n != "return"}


def learned_types(cls: Any) -> dict[str, Any]:
    """Return the kinds of what ``fit`` learns: the annotated names that end in an underscore."""
    return _annotated(cls, lambda name: name.endswith("_") and not name.startswith("__"))


def part_types(cls: Any) -> dict[str, Any]:
    """Return the kinds of a dataclass's fields by name."""
    return _annotated(cls, {field.name for field in dataclasses.fields(cls)}.__contains__)


def _annotated(cls: Any, wanted: Callable[[str], bool]) -> dict[str, Any]:
    """Return what a class and its bases annotate, of the names wanted."""
    return {
        name: _resolved(kind, base.__module__)
        for base in reversed(cls.__mro__)
        for name, kind in inspect.get_annotations(base).items()
        if wanted(name)
    }


def _resolved(kind: Any, module: str) -> Any:
    """Return an annotation as a type; a module that postpones them holds text."""
    return _evaluated(kind, module) if isinstance(kind, str) else kind


@cache
def _evaluated(text: str, module: str) -> Any:
    """Return what the text of an annotation stands for in a module."""
    return eval(text, {}, _Names(module))  # noqa: S307


class _Names(dict[str, Any]):
    """What a module's names stand for, also those that it imports for type checkers alone."""

    def __init__(self, module: str) -> None:
        super().__init__(vars(sys.modules[module]))
        self.module = module

    def __missing__(self, name: str) -> Any:
        """Look an import up in the source; without a source any kind will do."""
        try:
            source = inspect.getsource(sys.modules[self.module])
        except OSError:
            return vars(builtins).get(name, Any)
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Import | ast.ImportFrom):
                for alias in node.names:
                    if (alias.asname or alias.name) == name:
                        return _imported(node, alias.name)
        return vars(builtins)[name]


def _imported(node: ast.Import | ast.ImportFrom, name: str) -> Any:
    """Return what an import statement brings."""
    if isinstance(node, ast.Import):
        return importlib.import_module(name)
    return getattr(importlib.import_module(str(node.module)), name)
