"""Numbers as people and systems write them: marks, currency signs, forms of the negative."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._checks import quoted
from crmkit._reading.words import currency_signs
from crmkit.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from crmkit._reading.account import Account
    from crmkit._typing import Floats

__all__ = ["Marks", "Written", "looks_like_number", "written"]

_ALIKE = str.maketrans({"\u00a0": " ", "\u2009": " ", "\u202f": " ", "\u2019": "'", "\u2212": "-"})
_CORE = re.compile(r"\d[\d.,' ]*(?:[eE][+-]?\d+)?|[.,]\d+")
_THREE = re.compile(r"[1-9]\d{0,2}([.,])\d{3}")
_ONE_MARK = re.compile(r"\d*([.,])(\d*)")
# Figures in groups of three (in India two), or without groups, and what follows them.
_WHOLE = re.compile(
    r"(?:\d{1,3}(?:([.,' ])\d{2,3}(?:\1\d{2,3})*)?(?<=\d\d\d)|\d+)(?:[.,]\d*)?(?:[eE][+-]?\d+)?"
    r"|[.,]\d+"
)
# Dutch and German prices without cents: 12,- and 12,--.
_NO_CENTS = re.compile(r"(?<=\d)[.,](?:-+|[–—])(?=\s|\)|$)")
_RARE = 0.2
_MISSING = {"", "-", "--", "na", "n/a", "nan", "null", "none", "#n/a", "(null)", "."}


@dataclass
class Marks:
    """What the cells of number columns say about the marks in them."""

    decimal: dict[str, str] = field(default_factory=dict)  # a mark, and a cell that proves it
    thousands: dict[str, str] = field(default_factory=dict)
    # Cells such as 1.240, by the mark that stands in them.
    either: dict[str, list[str]] = field(default_factory=dict)
    marked: Counter[str] = field(default_factory=Counter)  # cells with a mark
    places: int = 0  # the most figures after a decimal mark


@dataclass
class Written:
    """The distinct cells of a column, which of them each row holds, and what they say."""

    name: str
    codes: Any
    cores: list[str | None]  # figures and marks; None where missing; "" where no number
    negative: list[bool]
    cells: list[Any]
    currencies: dict[str, str]
    values: Floats | None  # where the cells are numbers already

    def unreadable(self) -> Any:
        """Return which rows hold something that is no number."""
        bad = np.array([core == "" for core in self.cores] + [False], dtype=bool)
        return bad[self.codes]

    def read(self, decimal: str, thousands: str) -> Floats:
        """Return the column as numbers under these marks, NaN where missing or no number."""
        if self.values is not None:
            return self.values
        drop = str.maketrans("", "", "' " + thousands)
        out = np.full(len(self.cores) + 1, np.nan)
        for place, core in enumerate(self.cores):
            if core:
                text = core.translate(drop).replace(decimal, ".")
                try:
                    value = float(text)
                except ValueError:
                    self.cores[place] = ""
                    continue
                out[place] = -value if self.negative[place] else value
        return out[self.codes]


def looks_like_number(cell: Any) -> bool:
    """Tell whether a cell is a number in some form, with a currency or not."""
    if isinstance(cell, (int, float, np.number)):
        return True
    return isinstance(cell, str) and bool(_split(cell)[0])


def written(column: pd.Series[Any]) -> Written:
    """Take the cells of a column apart."""
    name = str(column.name)
    if pd.api.types.is_numeric_dtype(column.dtype):
        values = column.to_numpy(dtype=float, na_value=np.nan)
        return Written(name, np.zeros(len(column), dtype=int), [], [], [], {}, values)
    codes, distinct = pd.factorize(column.astype(object))
    cells = list(distinct)
    cores: list[str | None] = []
    negative: list[bool] = []
    currencies: dict[str, str] = {}
    for cell in cells:
        core, below, currency = _split(cell)
        cores.append(core)
        negative.append(below)
        if currency:
            currencies.setdefault(currency, str(cell))
    return Written(name, codes, cores, negative, cells, currencies, None)


_PLAIN = re.compile(r"-?(?:\d+(?:[.,]\d+)?|\d{1,3}(?:(?:\.\d{3})+(?:,\d+)?|(?:,\d{3})+(?:\.\d+)?))")


def _split(cell: Any) -> tuple[str | None, bool, str]:
    """Return figures and marks of a cell, whether it is negative, and its currency."""
    if not isinstance(cell, str):
        number = repr(float(cell)) if isinstance(cell, (int, float, np.number)) else str(cell)
        cell = number.removesuffix(".0")
    if _PLAIN.fullmatch(cell):
        return cell.lstrip("-"), cell[0] == "-", ""
    text = _NO_CENTS.sub("", cell.translate(_ALIKE).strip())
    if text.casefold() in _MISSING:
        return None, False, ""
    found = _CORE.search(text)
    if found is None:
        return "", False, ""
    core = found[0].strip()
    if not _WHOLE.fullmatch(core):
        return "", False, ""
    before, after = text[: found.start()].strip(), text[found.start() + len(found[0]) :].strip()
    currency = ""
    around = f"{before} {after}".casefold()
    for sign, means in currency_signs().items():
        if sign in around:
            around, currency = around.replace(sign, "", 1), means
            break
    left = re.sub(r"\bkr\.?", " ", around).strip()
    below = left.replace(" ", "") in {"-", "()", "(-)"}
    # A sign or a currency stands before or behind; any other word makes it no number.
    return (core if below or left in {"", "+"} else ""), below, currency


def gather(columns: Iterable[Written]) -> Marks:
    """Return what the cells of several columns prove about their marks."""
    marks = Marks()
    for column in columns:
        for core in column.cores:
            if core:
                _weigh(core, marks)
    return marks


def _weigh(core: str, marks: Marks) -> None:
    """Add what one number says."""
    if core.isdigit():
        return
    if "e" in core or "E" in core:
        return
    last = max(core.rfind("."), core.rfind(","))
    if last < 0:
        return
    mark, other = core[last], ",."[core[last] == ","]
    marks.marked[mark] += 1
    if _THREE.fullmatch(core):
        marks.either.setdefault(mark, []).append(core)
    elif core.count(mark) > 1:
        marks.thousands.setdefault(mark, core)
    else:
        marks.decimal.setdefault(mark, core)
        marks.places = max(marks.places, len(core) - last - 1)
        if other in core:
            marks.thousands.setdefault(other, core)


def settle(
    marks: Marks, account: Account, decimal: str | None, thousands: str | None
) -> tuple[str, str]:
    """Return the decimal mark and the mark between thousands, or ask for them."""
    if decimal is not None or thousands is not None:
        point = decimal or ("," if thousands == "." else ".")
        return point, thousands or ""
    points = list(marks.decimal)
    if len(points) > 1:
        one, other = (marks.decimal[mark] for mark in points)
        raise InputError(
            f"LOG writes numbers in two ways, {one!r} and {other!r}. Say which mark is which with "
            "`decimal` and `thousands`, or correct the file."
        )
    # A mark between thousands leaves the other one for decimals.
    between = list(marks.thousands)
    point = points[0] if points else (",."[between[0] == ","] if between else "")
    for mark, cells in marks.either.items():
        # Beside 8.95 a rare 1.240 may be another hand's; where many have three places, all do.
        rare = marks.places <= 2 and len(cells) < _RARE * marks.marked[mark]
        rare = rare and ",."[mark == ","] not in marks.thousands
        if not point or (point == mark and rare):
            raise _either(mark, cells[0])
    other = ",."[point == ","] if point else ""
    if not point:
        return ".", ""
    proof = marks.decimal.get(point) or (marks.either.get(other) or [""])[0]
    grouped = marks.thousands.get(other) or next(iter(marks.either.get(other, [])), "")
    if proof and point == ",":
        account.note("decimal mark", point, f"{proof!r}", "certain", decimal=point)
    if grouped:
        value = grouped.replace(other, "").replace(point, ".")
        account.note(
            "thousands", other, f"{grouped!r} is {value}, as {proof!r} shows", "certain",
            thousands=other,
        )  # fmt: skip
    return point, other


def _either(mark: str, cell: str) -> InputError:
    """Ask whether a number such as 1.240 has thousands or decimals."""
    other = ",."[mark == ","]
    whole, part = cell.replace(mark, ""), cell.replace(mark, ".")
    return InputError(
        f"LOG writes {quoted(cell)}, which may be {whole} or {part}, and nothing else in it tells. "
        f"Say decimal={other!r} and thousands={mark!r} for {whole}, or decimal={mark!r} for {part}."
    )
