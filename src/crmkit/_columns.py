"""What every result column means, its kind, and with it how it is written."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from importlib.resources import files
from typing import Literal, get_args

__all__ = ["KINDS", "Column", "column", "glossary", "kind_of"]

Kind = Literal[
    "id", "text", "date", "flag", "count", "number", "days", "money", "share", "ratio", "score",
    "probability", "p_value", "limit",
]  # fmt: skip
KINDS: tuple[str, ...] = get_args(Kind)

# A column whose name a user's own column, arm or word completes, by the rest of its name.
_OPEN = {
    "*_cost": "money",
    "*_share": "share",
    "*_rate": "share",
    "*_breadth": "number",
    "*_consent": "flag",
    "revenue_lost_*": "money",
    "lost_*": "count",
}


@dataclass(frozen=True, slots=True)
class Column:
    """A result column: a `limit` has the kind of the estimate that it limits."""

    name: str
    kind: str
    meaning: str


@cache
def glossary() -> dict[str, Column]:
    """Return all result columns by name."""
    text = files("crmkit").joinpath("_columns.csv").read_text(encoding="utf-8")
    return {row["name"]: Column(**row) for row in csv.DictReader(text.splitlines())}


def column(name: str) -> Column | None:
    """Return what is known about a result column; None for a column of the user's own."""
    known = glossary().get(name)
    if known is not None:
        return known
    kind = next((kind for form, kind in _OPEN.items() if fnmatchcase(name, form)), None)
    return None if kind is None else Column(name, kind, "")


def kind_of(name: str, before: str = "number") -> str:
    """Return the kind of a column; a limit's is that of what it limits, else `before`.

    ``gain_low`` limits ``gain``; ``conf_low``, ``conf_high`` and ``std_error`` limit the estimate
    that stands before them, whose kind is `before`.
    """
    known = column(name)
    if known is None:
        return "text"
    if known.kind != "limit":
        return known.kind
    limited = glossary().get(name.rpartition("_")[0])
    return before if limited is None else limited.kind
