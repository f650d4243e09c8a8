"""How a table's cells and column names are written for people."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

__all__ = ["amount", "cell", "heading", "number", "share"]

_MONEY = (
    "amount", "revenue", "profit", "cost", "value", "monetary", "spend", "equity", "budget",
    "price", "gain", "loss",
)  # fmt: skip
_SHARES = ("share", "rate", "support", "confidence", "churn_rate", "margin")
_PLAIN = ("score", "lift", "index", "leverage", "conviction", "_id", "segment")


def heading(name: object) -> str:
    """Return a column's name as words."""
    words = str(name).replace("_", " ")
    for short, full in (
        ("p alive", "chance alive"),
        ("p churn", "chance of leaving"),
        ("conf low", "low"),
        ("conf high", "high"),
    ):
        words = words.replace(short, full)
    return words[:1].upper() + words[1:]


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
    digits = 0 if abs(percent) >= 99.95 or percent == 0 else 1
    return f"{percent:.{digits if abs(percent) >= 0.1 else 2}f}%"


def cell(value: Any, column: object, currency: str) -> str:
    """Write one cell by what its column's name says it holds."""
    name = str(column)
    if isinstance(value, tuple):
        return " + ".join(str(item) for item in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not isinstance(value, (int, float)) or name.endswith("_id"):
        if pd.isna(value):
            return "–"
        return f"{value:%Y-%m-%d}" if isinstance(value, pd.Timestamp) else str(value)
    if name.startswith("p_") or any(name.endswith(word) for word in _SHARES):
        return share(value)
    if any(word in name for word in _MONEY) and not any(word in name for word in _PLAIN):
        return amount(value, currency)
    return number(value)
