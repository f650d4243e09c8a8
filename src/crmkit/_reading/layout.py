"""How a table lies in rows of cells: its separator, its header below a preamble."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from crmkit._reading.words import roles_of
from crmkit.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Layout", "find_header", "find_layout"]

_SEPARATORS = ",;\t|^~"
_ROWS, _DEEPEST = 400, 60
_SAID = re.compile(r"sep=(.)\s*", re.IGNORECASE)
# A cell of data, not of a header: begins with a figure, a sign or a currency before one.
_FIGURES = re.compile(r"\s*[-+(€$£]*\s*\d[\d.,:/\-+ T()€$£%]*Z?\s*")
NAMES = {"\t": "tab", "|": "|", ",": ",", ";": ";"}


@dataclass(frozen=True)
class Layout:
    """Where a table stands in text: its separator, the lines before its header, its names."""

    separator: str
    lines_before: int
    lines_of_header: int
    names: list[str]
    rows: list[list[str]]
    quotes: bool
    said: bool
    padded: bool
    alike: float

    @property
    def score(self) -> tuple[int, float, int]:
        """Return how much this looks like a table: names known, rows alike, columns."""
        known = len({role for roles in roles_of(self.names) for role in roles})
        return min(known, 3), round(self.alike, 1), len(self.names)


def find_layout(
    text: str, given: Iterable[str], separator: str | None, header: int | None
) -> Layout:
    """Find the table in the beginning of a text; `given` are names that its header must hold."""
    said = _SAID.fullmatch(text.split("\n", 1)[0].strip("\ufeff\r") + "\n")
    known = separator or (said and said[1])
    layouts = []
    for mark in [known] if known else _SEPARATORS:
        layout = _read(text, mark, set(given), header, said=bool(said))
        if layout is not None:
            layouts.append(layout)
    if not layouts:
        raise InputError(
            "No line of LOG's first ones names columns, each by words of its own. Put a line of "
            "names above the data, or say in which line they are with `header_line`."
        )
    return max(layouts, key=lambda layout: layout.score)


def _read(
    text: str, separator: str, given: set[str], header: int | None, *, said: bool
) -> Layout | None:
    """Read the first rows of a text with a separator, and find the header among them."""
    # Where no cell stands in quotes, a quote is a mark of inches, as in exports with tabs.
    quotes = separator != "\t" or bool(re.search(r'(^|\t)"[^\t]*"(\t|\r?$)', text, re.M))
    form: Any = {"delimiter": separator, "quoting": csv.QUOTE_MINIMAL if quotes else csv.QUOTE_NONE}
    reader = csv.reader(io.StringIO(text, newline=""), **form)
    rows, ends = [], [0]
    try:
        for row in reader:
            rows.append(row)
            ends.append(reader.line_num)
            if len(rows) > _ROWS:
                break
    except csv.Error:
        if len(rows) < 2:
            return None
    if said:
        rows[0] = []
    if header is None:
        at = find_header(rows, given)
    else:
        at = ends.index(header - 1) if header - 1 in ends[:-1] else None
    if at is None:
        return None
    names = [name.strip() for name in rows[at]]
    width = len(names)
    below = [row for row in rows[at + 1 :] if any(cell.strip() for cell in row)]
    alike = sum(len(row) == width for row in below) / max(len(below), 1)
    return Layout(
        separator=separator,
        lines_before=ends[at],
        lines_of_header=ends[at + 1] - ends[at],
        names=names,
        rows=below,
        quotes=quotes,
        said=said,
        padded=any(cell != cell.strip() for cell in rows[at]),
        alike=alike if below else 1.0,
    )


def find_header(rows: list[list[str]], given: set[str]) -> int | None:
    """Return the row that names columns: the one of most known names, else the first of words."""
    filled = [[str(cell).strip() for cell in row] for row in rows[:_DEEPEST]]
    widths = Counter(len(row) for row in rows if len(row) > 1)
    scores = []
    for row in filled:
        cells = [cell for cell in row if cell]
        words = [cell for cell in cells if not _FIGURES.fullmatch(cell)]
        known = {role for roles in roles_of(cells) for role in roles}
        named = given & set(cells)
        scores.append((len(known) + 3 * len(named)) if 2 * len(words) > len(cells) else 0)
    best = max(scores, default=0)
    # Above a table may stand a title that is a name, too: a header has more than one.
    if best >= 2 or (best and not widths):
        return scores.index(best)
    usual = widths.most_common(1)[0][0] if widths else 1
    for place, row in enumerate(filled):
        cells = [cell for cell in row if cell]
        if len(row) == usual and cells and not any(map(_FIGURES.fullmatch, cells)):
            return place
    return None
