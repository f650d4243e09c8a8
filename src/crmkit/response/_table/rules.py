"""Rules read back: who of a table fits a condition that a tree or a table of bins wrote."""

from __future__ import annotations

import ast
import functools
import re
from typing import TYPE_CHECKING, Any

import numpy as np

from crmkit._checks import Problems, quoted, require_columns
from crmkit._frames import sorted_codes
from crmkit._kinds import column_kind
from crmkit._learn.levels import level_text
from crmkit._learn.terms import read_numbers
from crmkit.errors import InputError
from crmkit.response._table.coding import EVERYONE
from crmkit.response._table.variables import as_number

if TYPE_CHECKING:
    import pandas as pd

    from crmkit._typing import Bools, Floats

__all__ = ["read_rules"]

# A column's name between backticks, unless it is part of a word between quotes.
_WORDS = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|`[^`]+`""")
_ABOUT = {
    ast.GtE: np.greater_equal,
    ast.Gt: np.greater,
    ast.LtE: np.less_equal,
    ast.Lt: np.less,
}


def read_rules(rules: pd.Series[Any], customers: pd.DataFrame) -> list[Bools]:
    """Return who fits each rule, (n,) each. Nothing in a rule is run: it is read part by part."""
    problems = Problems("rules")
    parsed = [_parse(rule) for rule in rules]
    problems.rows(
        np.array([one is None for one in parsed]),
        "column 'rule' holds what is no rule",
        do="Give the table that response_tree, uplift_tree or woe_table made.",
        values=rules.tolist(),
    )
    problems.raise_if_any()
    names = [name for one in parsed if one is not None for name in one[1]]
    require_columns(customers.columns, list(dict.fromkeys(names)), "customers")
    columns = {name: _Column(customers[name]) for name in dict.fromkeys(names)}
    return [_fits(one[0], one[1], columns, len(customers)) for one in parsed if one is not None]


def _parse(rule: Any) -> tuple[ast.expr | None, list[str]] | None:
    """Return a rule as a tree of conditions, and the columns by the numbers they have in it."""
    if not isinstance(rule, str):
        return None
    if rule == EVERYONE:
        return None, []
    names: list[str] = []

    def numbered(found: re.Match[str]) -> str:
        if found[0][0] != "`":
            return found[0]
        names.append(found[0][1:-1])
        return f"_{len(names) - 1}_"

    try:
        tree = ast.parse(_WORDS.sub(numbered, rule), mode="eval").body
    except (SyntaxError, ValueError, RecursionError):
        return None
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and not re.fullmatch(r"_\d+_", node.id):
            names.append(node.id)
            node.id = f"_{len(names) - 1}_"
    return (tree, names) if _is_rule(tree) else None


def _is_rule(node: ast.expr) -> bool:
    """Tell whether an expression is put together as rules are."""
    match node:
        case ast.BoolOp(values=parts):
            return all(_is_rule(part) for part in parts)
        case ast.Compare(left=ast.Name(), ops=[op], comparators=[limit]):
            try:
                value = ast.literal_eval(limit)
            except (ValueError, TypeError):
                return False
            if isinstance(op, (ast.In, ast.NotIn)):
                return isinstance(value, list)
            return type(op) in _ABOUT and isinstance(value, (int, float))
        case ast.Call(func=ast.Attribute(value=ast.Name(), attr="isna" | "notna")):
            return not node.args and not node.keywords
    return False


def _fits(node: ast.expr | None, names: list[str], columns: dict[str, _Column], n: int) -> Bools:
    """Return who fits, (n,)."""

    def column(name: ast.expr) -> _Column:
        assert isinstance(name, ast.Name)
        return columns[names[int(name.id.strip("_"))]]

    match node:
        case ast.BoolOp(op=op, values=parts):
            together = np.logical_and if isinstance(op, ast.And) else np.logical_or
            return functools.reduce(together, [_fits(one, names, columns, n) for one in parts])
        case ast.Compare(left=name, ops=[op], comparators=[limit]):
            value = ast.literal_eval(limit)
            if isinstance(op, (ast.In, ast.NotIn)):
                return column(name).within(value) ^ isinstance(op, ast.NotIn)
            return np.asarray(_ABOUT[type(op)](column(name).numbers, value), dtype=bool)
        case ast.Call(func=ast.Attribute(value=name, attr=asked)):
            return column(name).missing ^ (asked == "notna")
    return np.ones(n, dtype=bool)


class _Column:
    """A column as rules ask of it: numbers, who is missing, and who holds one of some values."""

    def __init__(self, series: pd.Series[Any]) -> None:
        problems = Problems("customers")
        kind = column_kind(series)
        self._texts: list[str] | None = None
        if kind in ("numbers", "flags"):
            self.numbers: Floats = read_numbers(series, problems, str(series.name))
            self.missing: Bools = np.isnan(self.numbers)
        elif kind == "dates":
            raise InputError(
                f"`customers`: column {quoted(series.name)} of the rules holds dates; they ask for "
                "numbers or levels."
            )
        else:
            self._codes, distinct = sorted_codes(series)
            self._texts = [level_text(one) for one in distinct]
            self.numbers = np.array([*(as_number(one) for one in distinct), np.nan])[self._codes]
            self.missing = self._codes < 0
        problems.raise_if_any()

    def within(self, values: list[Any]) -> Bools:
        """Tell who holds one of the values; they count by what they say, not by their type."""
        if self._texts is None:
            return np.isin(self.numbers, [as_number(one) for one in values])
        wanted = {level_text(one) for one in values}
        return np.array([*(text in wanted for text in self._texts), False])[self._codes]
