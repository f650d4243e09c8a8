"""Names that are imported when they are first asked for, as PEP 562 lets modules do it.

What a module shows stands once, where type checkers and readers look for it: in its own imports
under ``if TYPE_CHECKING``. A table function then loads no model, and so none of scikit-learn.
"""

from __future__ import annotations

import ast
import inspect
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["attach"]


def attach(module: str) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return ``__getattr__`` and ``__dir__`` of a module that shows what it imports for types."""
    shown = sys.modules[module]
    try:
        text = inspect.getsource(shown)
    except OSError:
        raise ImportError(
            f"{module} says in its source what it shows, and that is not here. Install crmkit with "
            "its .py files."
        ) from None
    where = {
        name.asname or name.name: (line.module, name.name)
        for block in ast.parse(text).body
        if isinstance(block, ast.If) and ast.unparse(block.test) == "TYPE_CHECKING"
        for line in block.body
        if isinstance(line, ast.ImportFrom) and line.module
        for name in line.names
    }

    def get(name: str) -> Any:
        if name not in where:
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        source, given = where[name]
        value = getattr(import_module(source), given)
        setattr(shown, name, value)  # found at once from now on
        return value

    return get, lambda: sorted(where)
