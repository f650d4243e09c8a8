"""Tables as text that a spreadsheet shows and never runs, and the way back."""

from __future__ import annotations

import csv
import re
from decimal import Decimal
from numbers import Number
from typing import Any

import numpy as np
import pandas as pd

__all__ = ["csv_text", "without_apostrophes"]

# What makes a spreadsheet compute a cell, also in the wide forms of East Asian text. Apostrophes
# before it are counted in, so that one more can be told from one that was there.
_FORMULA = re.compile(r"'*[=+\-@\t\r\n＝＋－＠]")
_PROTECTED = re.compile(r"'+[=+\-@\t\r\n＝＋－＠]")
_PLAIN_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


def csv_text(table: pd.DataFrame, *, separator: str = ",", decimal: str = ".") -> str:
    """Return a table as CSV in which no text is a formula: one like it gets an apostrophe.

    Numbers stay as they are, but for their mark of decimals. Text stands in quotes, so that a
    spreadsheet with another separator does not begin a cell in the middle of one.
    """
    safe = {at: _safe_column(table.iloc[:, at]) for at in range(table.shape[1])}
    frame = pd.DataFrame(safe, index=table.index)
    frame.columns = pd.Index([_safe(name) for name in table.columns], dtype=object)
    return frame.to_csv(
        index=False, sep=separator, decimal=decimal, quoting=csv.QUOTE_NONNUMERIC,
        lineterminator="\n",
    )  # fmt: skip


def _safe_column(column: pd.Series[Any]) -> pd.Series[Any]:
    """Return a column without formulas."""
    kind = column.dtype
    if isinstance(kind, np.dtype) and kind.kind in "biufM":
        return column
    if pd.api.types.is_numeric_dtype(kind):
        return column
    return pd.Series([_safe(value) for value in column], index=column.index, dtype=object)


def _safe(value: Any) -> Any:
    """Return a cell that is no formula; numbers and what is missing are none."""
    if isinstance(value, (Number, Decimal)) or value is None or value is pd.NA or value is pd.NaT:
        return value
    text = str(value)
    return f"'{text}" if _FORMULA.match(text) else value


def without_apostrophes(column: pd.Series[Any]) -> pd.Series[Any]:
    """Return a column of text as it was before `csv_text` wrote it.

    A column that `csv_text` cannot have written, because a formula in it has no apostrophe, is
    left alone, and so is one in which different texts would become the same.
    """
    if pd.api.types.is_numeric_dtype(column.dtype):
        return column
    texts = [value for value in column.dropna().unique() if isinstance(value, str)]
    before = {text: text[1:] if _PROTECTED.match(text) else text for text in texts}
    changed = [text for text in texts if before[text] != text]
    bare = [text for text in texts if _FORMULA.match(text) and before[text] == text]
    strange = any(not _PLAIN_NUMBER.fullmatch(text) for text in bare)
    if not changed or strange or len(set(before.values())) < len(texts):
        return column
    return column.map(lambda value: before[value] if isinstance(value, str) else value)
