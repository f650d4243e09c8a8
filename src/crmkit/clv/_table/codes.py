"""Groups of customers: one code per distinct combination of columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._frames import sorted_codes
from crmkit.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crmkit._typing import Ints


__all__ = ["column_names", "column_part", "combined"]


def column_names(by: str | Sequence[str] | None) -> list[str]:
    """Return `by` as a list of column names."""
    return [by] if isinstance(by, str) else list(by or ())


def column_part(values: pd.Series[Any], *, argument: str = "customers") -> tuple[str, Ints, Any]:
    """Return a column's name, a code per row, shape (n,), and its distinct values, sorted."""
    missing = int(values.isna().sum())
    if missing:
        raise InputError(
            f"`{argument}`: column {values.name!r} is missing for {missing:,} customers. Name "
            "these, for example 'unknown', or drop them."
        )
    place, distinct = sorted_codes(values)
    return str(values.name), place, distinct


def combined(parts: Sequence[tuple[str, Ints, Any]], n: int) -> tuple[Ints, pd.DataFrame]:
    """Return a group code for each of n rows and what each group is, sorted by the columns."""
    code = np.zeros(n, dtype=np.int64)
    for _, place, labels in parts:
        code = code * len(labels) + place
    used, group = np.unique(code, return_inverse=True)
    table: dict[str, Any] = {}
    rest = used
    for name, _, labels in reversed(parts):
        table[name] = labels[rest % len(labels)]
        rest = rest // len(labels)
    ordered = {name: table[name] for name, _, _ in parts}
    return group.ravel(), pd.DataFrame(ordered, index=pd.RangeIndex(used.size))
