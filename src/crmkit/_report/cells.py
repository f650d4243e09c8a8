"""How a table's cells and column names are written for people."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pandas as pd

from crmkit._columns import kind_of

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["amount", "cell", "day", "heading", "kinds", "number", "share"]

# How each kind of the glossary is written; what is not named here is text.
_WRITTEN = {
    "money": "money",
    **dict.fromkeys(("share", "probability", "p_value"), "share"),
    **dict.fromkeys(("count", "number", "days", "ratio", "score"), "number"),
}


def kinds(names: Iterable[object]) -> list[str]:
    """Return how each column is written, by the glossary: text, money, share or number."""
    written: list[str] = []
    kind = "number"
    for name in map(str, names):
        kind = kind_of(name, kind)
        written.append(_WRITTEN.get(kind, "text"))
    return written


def heading(name: object) -> str:
    """Return a column's name as words."""
    words = str(name).replace("_", " ")
    for short, full in (
        ("p alive", "chance alive"),
        ("confidence ab", "of a, share with b"),
        ("confidence ba", "of b, share with a"),
        ("p churn", "chance of leaving"),
        ("lift given sizes", "lift"),
        ("conf low", "low"),
        ("conf high", "high"),
    ):
        words = words.replace(short, full)
    return words[:1].upper() + words[1:]


def day(moment: pd.Timestamp) -> str:
    """Write a date in words."""
    return f"{moment.day} {moment:%B %Y}"


def number(value: float) -> str:
    """Write a count, or a number with three figures that matter."""
    if math.isnan(value):
        return "–"
    if value == round(value) or abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:,.{max(0, 2 - math.floor(math.log10(abs(value))))}f}"


def amount(value: float, currency: str) -> str:
    """Write money: cents only where they matter."""
    if math.isnan(value):
        return "–"
    digits = 0 if abs(value) >= 1000 else 2
    text = f"{abs(value):,.{digits}f}"
    sign = "−" if value < 0 and float(text.replace(",", "")) != 0 else ""
    return f"{sign}{currency}{text}"


def share(value: float) -> str:
    """Write a share as a percentage."""
    if math.isnan(value):
        return "–"
    percent = 100 * value
    if percent == 0 or abs(percent) >= 99.95:
        return f"{percent:.0f}%"
    return f"{percent:.{1 if abs(percent) >= 0.1 else 2}f}%"


def cell(value: Any, kind: str, currency: str) -> str:
    """Write one cell of a column of that kind."""
    if isinstance(value, tuple):
        return " + ".join(str(item) for item in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if kind == "text" or not isinstance(value, (int, float)):
        if pd.isna(value):
            return "–"
        return f"{value:%Y-%m-%d}" if isinstance(value, pd.Timestamp) else str(value)
    if kind == "money":
        return amount(value, currency)
    return share(value) if kind == "share" else number(value)
