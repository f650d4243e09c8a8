"""Columns of a customer table as variables: numbers or levels, and values that are codes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from crmkit._arguments import check_columns, check_list
from crmkit._checks import Problems, require_columns
from crmkit._frames import sorted_codes
from crmkit._learn import column_kind
from crmkit._learn.levels import level_text
from crmkit._learn.terms import read_numbers
from crmkit.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pandas as pd

    from crmkit._typing import Floats, Ints


__all__ = ["Variable", "as_number", "read_variables"]


@dataclass(frozen=True, slots=True)
class Variable:
    """One column: ``numbers`` (n,), NaN where missing, or ``codes`` (n,) into ``levels``, -1.

    ``values`` are the levels as the table has them. Where a row holds one of the ``special``
    values, ``at_special`` (n,) says which, elsewhere -1, and the row is missing otherwise.
    """

    name: str
    numbers: Floats | None
    codes: Ints | None
    levels: list[str]
    values: list[Any]
    special: list[Any]
    at_special: Ints | None = None

    @property
    def kind(self) -> str:
        """Return "number" or "level"."""
        return "number" if self.numbers is not None else "level"


def read_variables(
    customers: pd.DataFrame,
    columns: str | Sequence[str] | None,
    *,
    exclude: Iterable[str] = (),
    special_codes: Any = None,
    name: str = "customers",
) -> list[Variable]:
    """Read the columns asked for, or all but the id, the excluded ones and dates."""
    left_out = {"customer_id", *exclude}
    if columns is None:
        chosen = [column for column in customers.columns if column not in left_out]
    else:
        chosen = check_columns(columns, "columns")
        require_columns(customers.columns, chosen, name)
    special = _special_codes(special_codes, chosen)
    problems = Problems(name)
    found = []
    for column in chosen:
        kind = column_kind(customers[column])
        if kind in ("numbers", "flags", "levels"):
            found.append(_read(customers[column], kind, special.get(column, []), problems))
        elif columns is not None:
            what = "dates: write it as days before the contact" if kind == "dates" else "nothing"
            problems.add(f"column {column!r} holds {what}.")
    problems.raise_if_any()
    if not found:
        raise InputError(f"`{name}` has no column to look at: give some that describe customers.")
    return found


def as_number(value: Any) -> float:
    """Return a value as a number, NaN where it is none; text may be one."""
    try:
        return float(value)
    except (TypeError, ValueError):
        return float("nan")


def _special_codes(given: Any, chosen: list[str]) -> dict[str, list[Any]]:
    """Return the special codes of each column, from one list for all or a list per column."""
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        return dict.fromkeys(chosen, check_list(given, "special_codes", "values, or of columns"))
    require_columns(chosen, check_columns(list(given), "special_codes", empty=True), "columns")
    return {column: check_list(given[column], "special_codes", "values") for column in given}


def _plain(value: Any) -> Any:
    """Return a value as Python's own type, so that its repr can be read back."""
    return value.item() if isinstance(value, np.generic) else value


def _read(series: pd.Series[Any], kind: str, special: list[Any], problems: Problems) -> Variable:
    """Read one column; without its special codes, words that all are numbers are numbers."""
    name, special = str(series.name), [_plain(one) for one in special]
    if kind == "numbers":
        numbers = read_numbers(series, problems, name)
        found = [one for one in special if np.isfinite(as_number(one))]
        at = np.full(numbers.size, -1)
        for place, one in enumerate(found):
            at[numbers == as_number(one)] = place
        if not (at >= 0).any():
            return Variable(name, numbers, None, [], [], [])
        return Variable(name, np.where(at >= 0, np.nan, numbers), None, [], [], found, at)
    codes, distinct = sorted_codes(series)
    values = [_plain(one) for one in distinct]
    levels = [level_text(one) for one in values]
    places = {level_text(one): place for place, one in enumerate(special)}
    coded = np.array([places.get(level, -1) for level in levels] + [-1])
    if not (coded >= 0).any():
        return Variable(name, None, codes, levels, values, [])
    kept = np.flatnonzero(coded[:-1] < 0)
    read = np.array([as_number(values[int(i)]) for i in kept])
    code_of = np.full(len(coded), -1)
    code_of[kept] = np.arange(kept.size)
    rest, at = code_of[codes], coded[codes]
    # What the table calls a code: 7 is known by "7" too.
    written = {int(coded[i]): values[i] for i in np.flatnonzero(coded >= 0).tolist()}
    found = [written.get(place, one) for place, one in enumerate(special)]
    if kept.size and np.isfinite(read).all():
        return Variable(name, np.append(read, np.nan)[rest], None, [], [], found, at)
    levels, values = [levels[i] for i in kept], [values[i] for i in kept]
    return Variable(name, None, rest, levels, values, found, at)
