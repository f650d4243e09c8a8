"""Columns of a table as numbers, for tables that judge."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmkit._checks import Problems, number_array

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd

    from crmkit._typing import Floats

__all__ = ["numbers"]


def numbers(
    table: pd.DataFrame, columns: Iterable[str], *, name: str, low: float | None = None
) -> dict[str, Floats]:
    """Return columns as float arrays, all their problems named at once."""
    problems = Problems(name)
    arrays = {column: number_array(table[column], problems, column, low=low) for column in columns}
    problems.raise_if_any()
    return arrays
