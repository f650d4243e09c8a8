"""Everything crmkit raises on purpose.

CrmkitError
├── InputError (also ValueError)       an argument or a table cannot be used as it is
│   ├── MissingColumnsError            a table lacks columns that are needed
│   └── EmptyLogError                  nobody in a log bought in the days asked for
└── ConvergenceError (also RuntimeError)   a fit found no usable optimum

LeakWarning (a UserWarning)            a column seems to hold the very outcome to be learned

A model that is used before ``fit`` raises scikit-learn's ``NotFittedError``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "ConvergenceError",
    "CrmkitError",
    "EmptyLogError",
    "InputError",
    "LeakWarning",
    "MissingColumnsError",
]


class CrmkitError(Exception):
    """Base of all errors that crmkit raises on purpose."""


class InputError(CrmkitError, ValueError):
    """An argument or a table cannot be used as it is; the message says what to do."""


class MissingColumnsError(InputError):
    """A table lacks columns that are needed."""


class EmptyLogError(InputError):
    """Nobody in a log bought in the days asked for; ``attrs`` counts what was left out."""

    def __init__(self, message: str, attrs: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.attrs = dict(attrs or {})

    def __reduce__(self) -> tuple[type[EmptyLogError], tuple[str, dict[str, Any]]]:
        """Keep the counts on the way from one process to another."""
        return EmptyLogError, (str(self), self.attrs)


class ConvergenceError(CrmkitError, RuntimeError):
    """A fit found no usable optimum."""


class LeakWarning(UserWarning):
    """A column alone tells the outcome too well for something that was known before it."""
