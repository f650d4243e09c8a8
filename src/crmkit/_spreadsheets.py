"""Tables as text that a spreadsheet shows and never runs, and the way back."""

from __future__ import annotations

import csv
import html
import math
import re
import zipfile
from decimal import Decimal
from io import BytesIO
from numbers import Number
from typing import Any

import numpy as np
import pandas as pd

__all__ = ["csv_text", "without_apostrophes", "xlsx_bytes"]

_NO_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_KIND = "application/vnd.openxmlformats-officedocument.spreadsheetml"
# What every workbook of one sheet has beside the sheet (ECMA-376, part 1).
_XLSX = {
    "[Content_Types].xml": f'{_XML}<Types xmlns="{_PACKAGE}/content-types"><Default '
    'Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    f'<Override PartName="/xl/workbook.xml" ContentType="{_KIND}.sheet.main+xml"/><Override '
    f'PartName="/xl/worksheets/sheet1.xml" ContentType="{_KIND}.worksheet+xml"/></Types>',
    "_rels/.rels": f'{_XML}<Relationships xmlns="{_PACKAGE}/relationships"><Relationship '
    f'Id="r1" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
    "xl/workbook.xml": f'{_XML}<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets><sheet '
    'name="list" sheetId="1" r:id="r1"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": f'{_XML}<Relationships xmlns="{_PACKAGE}/relationships">'
    f'<Relationship Id="r1" Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/>'
    "</Relationships>",
}

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


def xlsx_bytes(table: pd.DataFrame) -> bytes:
    """Return a table as a workbook of one sheet: numbers as numbers, all else as text."""
    rows = [list(map(str, table.columns)), *table.astype(object).to_numpy().tolist()]
    cells = "".join(f"<row>{''.join(map(_xlsx_cell, row))}</row>" for row in rows)
    parts = dict(_XLSX) | {
        "xl/worksheets/sheet1.xml": f'{_XML}<worksheet xmlns="{_MAIN}"><sheetViews><sheetView '
        'workbookViewId="0"><pane ySplit="1" topLeftCell="A2" state="frozen"/></sheetView>'
        f"</sheetViews><sheetData>{cells}</sheetData></worksheet>"
    }
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file:
        for name, text in parts.items():
            # A fixed moment, so that equal tables are equal files.
            file.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), text.encode("utf-8"),
                          zipfile.ZIP_DEFLATED)  # fmt: skip
    return packed.getvalue()


def _xlsx_cell(value: Any) -> str:
    """Return a cell; text is never a formula in a workbook."""
    if pd.isna(value):
        return "<c/>"
    if isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < math.inf:
        return f"<c><v>{value!r}</v></c>"
    if isinstance(value, pd.Timestamp):
        value = f"{value:%Y-%m-%d}"
    text = html.escape(_NO_XML.sub("\ufffd", str(value)), quote=False)
    return f'<c t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>'
