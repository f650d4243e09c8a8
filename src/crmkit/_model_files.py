"""The file of a model: JSON text with its format, its version and a sum that shows damage."""

from __future__ import annotations

import hashlib
import json
import math
from typing import TYPE_CHECKING, Any, Protocol, Self, TypeVar

from crmkit._checks import quoted
from crmkit._files import as_path, check_file, write_file
from crmkit._json_values import from_json, to_json
from crmkit._version import __version__
from crmkit.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["STRANGE", "read_model", "write_model"]


class _Model(Protocol):
    """What a file can hold."""

    def to_json_state(self) -> dict[str, Any]:
        """Return parameters and what was learned."""

    @classmethod
    def from_json_state(cls, state: dict[str, Any]) -> Self:
        """Rebuild a model from them."""


_Kind = TypeVar("_Kind", bound=_Model)

_FORMAT = "crmkit-model"
# Counts up when files of this version can no longer be read by code that knew the one before.
_FORMAT_VERSION = 1
_NAMES = {"format", "format_version", "crmkit_version", "model", "parameters", "fitted", "sha256"}
_NO_MODEL = "holds no crmkit model. Write one with save()."
# What values that no model holds lead to, sooner or later.
STRANGE = (
    ArithmeticError, AttributeError, LookupError, MemoryError, RecursionError, TypeError, ValueError
)  # fmt: skip
# No model comes near these; a file beyond them was made to exhaust the memory.
_LARGEST, _MOST_NODES, _DEEPEST = 2**30, 50_000_000, 100


def write_model(path: Any, model: _Model) -> None:
    """Write a fitted model to a file."""
    file, name = check_file(path), type(model).__name__
    try:
        state = model.to_json_state()
    except ValueError as error:
        raise InputError(f"This {name} cannot be saved: {error}.") from error
    stored = {
        "format": _FORMAT,
        "format_version": _FORMAT_VERSION,
        "crmkit_version": __version__,
        "model": name,
        **{part: to_json(value) for part, value in state.items()},
    }
    stored["sha256"] = _checksum(stored)
    write_file(file, json.dumps(stored, allow_nan=False), private=True)


def read_model(path: Any, cls: type[_Kind]) -> _Kind:
    """Return the model of this class that a file holds."""
    stored = _read_json(as_path(path, "path"))
    shown = f"`path` {quoted(path)}"
    if not isinstance(stored, dict) or stored.get("format") != _FORMAT:
        raise InputError(f"{shown} {_NO_MODEL}")
    version, writer = stored.get("format_version"), stored.get("crmkit_version")
    if type(version) is not int or version < 1:
        raise InputError(f"{shown} tells no version of its form. Fit the model again and save it.")
    if version > _FORMAT_VERSION:
        raise InputError(
            f"{shown} was written by crmkit {quoted(writer)} in form {version}; crmkit "
            f"{__version__} reads forms up to {_FORMAT_VERSION}. Update crmkit, or fit the model "
            "again with this one."
        )
    if stored.get("model") != cls.__name__:
        raise InputError(
            f"{shown} holds a {quoted(stored.get('model'))}; load it with that class, not with "
            f"{cls.__name__}."
        )
    try:
        if stored.keys() != _NAMES or not isinstance(writer, str):
            raise ValueError(f"its names are not {sorted(_NAMES)}")
        if stored.pop("sha256") != _checksum(stored):
            raise ValueError("its content is not what was saved")
        state = {name: from_json(stored[name]) for name in ("parameters", "fitted")}
        if not state["fitted"]:
            raise ValueError("it was never fitted")
        return cls.from_json_state(state)
    except STRANGE as error:
        raise InputError(
            f"{shown}, written by crmkit {quoted(writer)}, is damaged or was changed: "
            f"{quoted(str(error))}. Fit the model again and save it."
        ) from error


def _read_json(file: Path) -> Any:
    """Return what a JSON file holds."""
    shown = f"`path` {quoted(file)}"
    # A pipe or a device may never end.
    if not file.is_file():
        what = "is a folder, not a file" if file.is_dir() else "is no file"
        raise InputError(f"{shown} {what}. Check the path.")
    try:
        with file.open("rb") as opened:
            content = opened.read(_LARGEST + 1)
    except OSError as error:
        raise InputError(f"{shown} cannot be read: {error.strerror}.") from None
    if len(content) > _LARGEST or sum(map(content.count, (b",", b"[", b"{"))) > _MOST_NODES:
        raise InputError(f"{shown} is larger than any crmkit model. Check the path.")
    try:
        stored = json.loads(
            content.decode("utf-8"),
            object_pairs_hook=_once,
            parse_constant=_number,
            parse_float=_number,
        )
        _check_depth(stored)
    except (ValueError, RecursionError, MemoryError):
        raise InputError(f"{shown} {_NO_MODEL}") from None
    return stored


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object none of whose names occurs twice."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name occurs twice")
    return found


def _number(text: str) -> float:
    """Return a number; NaN and infinity are written in another way."""
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("a number is none")
    return number


def _check_depth(value: Any) -> None:
    """Refuse what is nested deeper than any model, before it is walked through by recursion."""
    level: list[Any] = [[value]]
    for _ in range(_DEEPEST):
        parts = [part.values() if isinstance(part, dict) else part for part in level]
        level = [inner for part in parts for inner in part if isinstance(inner, (dict, list))]
        if not level:
            return
    raise ValueError("it is nested too deep")


def _checksum(stored: dict[str, Any]) -> str:
    """Return the SHA-256 of the content, however it is laid out."""
    text = json.dumps(stored, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("ascii")).hexdigest()
