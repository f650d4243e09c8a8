"""Old names keep working for a while, and say what they are called now."""

from __future__ import annotations

import functools
import warnings
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from crmkit.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["renamed_name", "renamed_parameters"]

_P = ParamSpec("_P")
_R = TypeVar("_R")


def renamed_parameters(
    since: str, **new_names: str
) -> Callable[[Callable[_P, _R]], Callable[_P, _R]]:
    """Let a function take keywords by their old names: ``renamed_parameters("0.3", old="new")``."""

    def decorate(function: Callable[_P, _R]) -> Callable[_P, _R]:
        @functools.wraps(function)
        def call(*args: _P.args, **kwargs: _P.kwargs) -> _R:
            keywords: dict[str, Any] = kwargs
            for old, new in new_names.items():
                if old not in keywords:
                    continue
                if new in keywords:
                    raise InputError(f"`{old}` is the old name of `{new}`: give `{new}` alone.")
                _warn(f"`{old}` of {function.__name__}", f"`{new}`", since)
                keywords[new] = keywords.pop(old)
            return function(*args, **kwargs)

        return call

    return decorate


def renamed_name(module: str, name: str, since: str, **new_names: str) -> Any:
    """Return what a module's old name stands for; its ``__getattr__`` calls this."""
    from importlib import import_module

    if name not in new_names:
        raise AttributeError(f"module {module!r} has no attribute {name!r}")
    _warn(f"{module}.{name}", f"{module}.{new_names[name]}", since, frames=4)
    return getattr(import_module(module), new_names[name])


def _warn(old: str, new: str, since: str, *, frames: int = 3) -> None:
    """Say it to the user's line, so many frames up."""
    message = f"{old} is called {new} since crmkit {since}. The old name will go."
    warnings.warn(message, FutureWarning, stacklevel=frames)
