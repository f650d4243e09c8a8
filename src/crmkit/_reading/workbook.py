"""Sheets of a spreadsheet's workbook, old or new, as rows of cells."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._reading.best import best_table
from crmkit._reading.layout import find_header
from crmkit.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

    from crmkit._reading.account import Account

__all__ = ["read_workbook"]

_LOOKED_AT = 400


def read_workbook(
    path: Path, table: str | None, header_line: int | None, named: set[str], account: Account
) -> pd.DataFrame:
    """Return the table of the sheet that looks most like a log; `named` are names it must have."""
    try:
        import python_calamine as calamine
    except ImportError:
        raise InputError(
            f"Reading the workbook {str(path)!r} needs python-calamine: python -m pip install "
            '"crmkit[excel]". Or save the sheet as CSV.'
        ) from None
    try:
        book = calamine.load_workbook(str(path))
        sheets = {name: book.get_sheet_by_name(name).to_python() for name in book.sheet_names}
    except (calamine.CalamineError, OSError, ValueError) as error:
        raise InputError(
            f"The file {str(path)!r} is a workbook that cannot be read "
            f"({' '.join(str(error).split())}). Open it and save it again, without a password."
        ) from None
    headers = {name: _header(rows, header_line, named) for name, rows in sheets.items()}
    names = {
        sheet: [] if at is None else [str(cell).strip() for cell in sheets[sheet][at]]
        for sheet, at in headers.items()
    }
    sheet = best_table(path, names, table, "sheet")
    at = headers[sheet]
    if at is None:
        raise InputError(
            f"No row of sheet {sheet!r} of LOG names columns. Put a row of names above the data, "
            "or say which row they are in with `header_line`."
        )
    account.note(
        "kind", f"workbook, sheet {sheet!r}",
        f"it is one of {len(sheets)} sheets" if len(sheets) > 1 else "it is the only sheet",
        "certain" if len(sheets) == 1 else "likely", table=sheet,
    )  # fmt: skip
    if at:
        account.note(
            "header", f"row {at + 1}", f"it names columns; {at:,} rows above it do not", "certain",
            header_line=at + 1,
        )  # fmt: skip
    below = sheets[sheet][at + 1 :]
    columns = {
        place: _column([row[place] for row in below])
        for place, name in enumerate(names[sheet])
        if name
    }
    frame = pd.DataFrame(columns)
    return frame.set_axis([names[sheet][place] for place in columns], axis=1)


def _header(rows: list[list[Any]], line: int | None, named: set[str]) -> int | None:
    """Return the row of a sheet that names its columns."""
    if line is not None:
        return line - 1 if 0 < line <= len(rows) else None
    texts = [[str(cell) for cell in row] for row in rows[:_LOOKED_AT]]
    return find_header(texts, named)


def _column(cells: list[Any]) -> pd.Series[Any]:
    """Return the cells of a column under the type that all of them have."""
    cells = [None if cell == "" else cell for cell in cells]
    kinds = {type(cell) for cell in cells if cell is not None}
    if kinds and kinds <= {int, float}:
        numbers = np.array([np.nan if cell is None else float(cell) for cell in cells])
        whole = np.isfinite(numbers) & (numbers == np.floor(numbers)) & (np.abs(numbers) < 2**53)
        if (whole | np.isnan(numbers)).all():
            return pd.Series(numbers).astype("Int64")
        return pd.Series(numbers)
    if kinds and kinds <= {dt.datetime, dt.date}:
        return pd.Series(pd.to_datetime(pd.Series(cells, dtype=object)))
    if str in kinds:
        cells = [_text(cell) if isinstance(cell, (int, float)) else cell for cell in cells]
    return pd.Series(cells, dtype=object)


def _text(number: float) -> str:
    """Write a number that stands among words as it is shown."""
    return str(int(number)) if number == int(number) else repr(number)
