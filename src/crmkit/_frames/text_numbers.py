"""Numbers written as text, in the one form that the caller names."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from crmkit._checks import number_array, quoted
from crmkit._kinds import column_kind
from crmkit.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

    from crmkit._checks import Problems
    from crmkit._typing import Floats

__all__ = ["NumberForm"]

# What typesetters put where a keyboard has a blank or an apostrophe.
_ALIKE = str.maketrans({"\u00a0": " ", "\u2009": " ", "\u202f": " ", "\u2019": "'", "\u2212": "-"})
_DO = (
    "If these are numbers, say how they are written with `decimal` and `thousands`, for example "
    "decimal=',' and thousands='.' for 1.234,56."
)


class NumberForm:
    """How numbers are written: their decimal mark and the mark between thousands, if any."""

    def __init__(self, decimal: Any, thousands: Any) -> None:
        self.given = decimal is not None or thousands is not None
        self._decimal = "." if decimal is None else _mark(decimal, "decimal")
        self._thousands = "" if thousands is None else _mark(thousands, "thousands")
        if self._decimal == self._thousands:
            raise InputError(
                f"`decimal` and `thousands` must be different marks; both are {self._decimal!r}. "
                "Name the other one too."
            )
        point, mark = re.escape(self._decimal), re.escape(self._thousands)
        grouped = rf"\d{{1,3}}(?:{mark}\d{{2,3}})*{mark}\d{{3}}|" if mark else ""
        self._form = re.compile(
            rf"[+-]?(?:(?:{grouped}\d+)(?:{point}\d*)?|{point}\d+)(?:[eE][+-]?\d+)?", re.ASCII
        )

    def read(
        self,
        series: pd.Series[Any],
        problems: Problems,
        column: str,
        *,
        allow_missing: bool = False,
    ) -> Floats:
        """Return a column as float64, text in this form read, blanks as missing; note the rest."""
        if self.given and column_kind(series) == "levels":
            cells = series.astype(object)
            read = {cell: self._number(cell) for cell in cells.unique()}
            series = cells.map(read)
        return number_array(series, problems, column, allow_missing=allow_missing, do=_DO)

    def _number(self, cell: Any) -> Any:
        """Return the number that a cell says; the cell itself if it says none."""
        if not isinstance(cell, str):
            return cell
        text = cell.translate(_ALIKE).strip()
        if not text:
            return None
        if not self._form.fullmatch(text):
            return cell
        return float(text.replace(self._thousands, "").replace(self._decimal, "."))


def _mark(value: Any, name: str) -> str:
    """Return a mark in a number, or say what it must be."""
    if isinstance(value, str) and len(value) == 1:
        mark = value.translate(_ALIKE)
        if not (mark.isalnum() or mark in "+-\x00" or (name == "decimal" and mark == " ")):
            return mark
    raise InputError(
        f"`{name}` must be the one mark that stands in the numbers, such as ',' or '.'; "
        f"got {quoted(value)}."
    )
