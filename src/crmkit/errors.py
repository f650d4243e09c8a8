"""Everything crmkit raises on purpose.

CrmkitError
├── InputError (also ValueError)       an argument or a table cannot be used as it is
│   └── MissingColumnsError            a table lacks columns that are needed
└── ConvergenceError (also RuntimeError)   a fit found no usable optimum

LeakWarning (a UserWarning)            a column seems to hold the very outcome to be learned

A model that is used before ``fit`` raises scikit-learn's ``NotFittedError``.
"""

from __future__ import annotations

__all__ = ["ConvergenceError", "CrmkitError", "InputError", "LeakWarning", "MissingColumnsError"]


class CrmkitError(Exception):
    """Base of all errors that crmkit raises on purpose."""


class InputError(CrmkitError, ValueError):
    """An argument or a table cannot be used as it is; the message says what to do."""


class MissingColumnsError(InputError):
    """A table lacks columns that are needed."""


class ConvergenceError(CrmkitError, RuntimeError):
    """A fit found no usable optimum."""


class LeakWarning(UserWarning):
    """A column alone tells the outcome too well for something that was known before it."""
