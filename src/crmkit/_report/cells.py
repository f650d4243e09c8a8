"""How a table's cells and column names are written for people."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["amount", "cell", "day", "heading", "kinds", "number", "share"]

_MONEY = (
    "amount", "revenue", "profit", "cost", "value", "monetary", "spend", "equity", "loss",
)  # fmt: skip
_SHARES = ("rate", "increase", "support", "confidence_ab", "confidence_ba", "margin")
_UNCERTAINTY = ("std_error", "conf_low", "conf_high")


def kinds(names: Iterable[object]) -> list[str]:
    """Return what each column holds, by its name: text, money, share or number.

    An interval holds what the column before it holds.
    """
    found: list[str] = []
    for name in map(str, names):
        if name in _UNCERTAINTY and found:
            found.append(found[-1])
        elif name.endswith(("_id", "segment")):
            found.append("text")
        elif name.startswith(("p_", "share")) or "_share" in name or name.endswith(_SHARES):
            found.append("share")
        elif any(word in name.split("_") for word in _MONEY):
            found.append("money")
        else:
            found.append("number")
    return found


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
