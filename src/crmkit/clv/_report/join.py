"""Matching two tables of customers by id."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from crmkit._checks import Problems, number_array
from crmkit._frames import read_customers
from crmkit.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from crmkit._typing import Floats

__all__ = ["numbers", "prediction_rows"]


def numbers(
    table: pd.DataFrame, columns: Iterable[str], *, name: str, low: float | None = None
) -> dict[str, Floats]:
    """Return columns as float arrays, all their problems named at once."""
    problems = Problems(name)
    arrays = {column: number_array(table[column], problems, column, low=low) for column in columns}
    problems.raise_if_any()
    return arrays


def prediction_rows(ids: pd.Series[Any], predictions: Any, *, needs: Iterable[str]) -> pd.DataFrame:
    """Return the rows of `predictions` that belong to `ids`, in their order."""
    table = read_customers(predictions, needs=tuple(needs), name="predictions")
    row = pd.Index(table["customer_id"]).get_indexer(pd.Index(ids))
    absent = row < 0
    if absent.any():
        raise InputError(
            f"`predictions` lacks {int(absent.sum()):,} of {len(ids):,} customers (first: "
            f"{ids[absent].head(3).tolist()!r}). Predict for the same table."
        )
    found: pd.DataFrame = table.iloc[row].reset_index(drop=True)
    return found
