"""Lists as links in the page that a browser saves as files: no script, no network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from crmkit._spreadsheets import csv_text

if TYPE_CHECKING:
    import pandas as pd

    from crmkit._report.language import Language

__all__ = ["Download", "as_download"]

# What of an address may stand as it is: the fewer signs are written as %XX, the smaller the page.
_SAFE = "!$()*+,-./:;=?@[]_{|}~"
# A page has three lists, and all of it stays below 1.5 MB.
_MOST = 300_000
_ROWS = 5_000


@dataclass(frozen=True, slots=True)
class Download:
    """A file inside the page: its name, its address, its rows and those that it has no room for."""

    name: str
    address: str
    rows: int
    more: int


def as_download(table: pd.DataFrame, name: str, words: Language) -> Download:
    """Return a table as CSV that the reader's own spreadsheet opens, in the marks of the language.

    The first signs say that it is UTF-8; the best of a long list are taken.
    """
    named = table.head(_ROWS).rename(columns=words.heading)
    rows, text = len(named), ""
    while True:
        text = quote(
            csv_text(
                named.head(rows), separator=words.form["separator"], decimal=words.form["decimal"]
            ),
            safe=_SAFE,
        )
        if len(text) <= _MOST:
            break
        rows = int(0.98 * rows * _MOST / len(text))
    return Download(
        f"{name}.csv", f"data:text/csv;charset=utf-8,%EF%BB%BF{text}", rows, len(table) - rows
    )
