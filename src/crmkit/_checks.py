"""Sentences about bad input: collect every problem of a table, then say all of them at once."""

from __future__ import annotations

import datetime as dt
import difflib
import math
import os
from decimal import Decimal
from numbers import Real
from typing import TYPE_CHECKING, Any, get_args

import numpy as np
import pandas as pd

from crmkit._kinds import as_floats
from crmkit._parameters import FAR, RULES
from crmkit.errors import InputError, MissingColumnsError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from crmkit._parameters import Rule
    from crmkit._typing import Bools, Floats

__all__ = [
    "Problems",
    "check_choice",
    "check_flag",
    "check_number",
    "check_optional",
    "did_you_mean",
    "listed",
    "number_array",
    "quoted",
    "random_generator",
    "require_columns",
]

_SHOWN = 3
_COLUMNS_SHOWN = 20
_LONGEST = 80
# No column of numbers below this adds up to more than a float can hold.
_HUGE = 1e290


class Problems:
    """All that is wrong with one table, raised as one error."""

    def __init__(self, argument: str) -> None:
        self.argument = argument
        self._sentences: list[str] = []

    def add(self, sentence: str) -> None:
        """Note a problem in a whole sentence."""
        self._sentences.append(sentence)

    def rows(self, mask: Bools, what: str, *, do: str, values: Any = None) -> None:
        """Note a problem of the rows in `mask`, if any, and show the first of their `values`."""
        found = np.flatnonzero(np.asarray(mask, dtype=bool))
        if not found.size:
            return
        first = ", ".join(str(row) for row in found[:_SHOWN])
        sentence = f"{what} in {found.size:,} of {len(mask):,} rows (first at row {first})"
        if values is not None:
            cells = values.iloc if isinstance(values, pd.Series) else values
            sentence += f": [{', '.join(quoted(cells[int(row)]) for row in found[:_SHOWN])}]"
        self.add(f"{sentence}. {do}")

    def __len__(self) -> int:
        """Return how many problems were noted."""
        return len(self._sentences)

    def raise_if_any(self) -> None:
        """Raise one InputError that names them all."""
        if self._sentences:
            raise InputError(f"`{self.argument}`: " + " ".join(self._sentences))


def did_you_mean(name: object, present: Iterable[object]) -> str | None:
    """Return the present name most like `name`, whatever its case and underscores."""
    if not isinstance(name, str) or len(name) > _LONGEST:
        return None
    folded = {str(column).lower().replace("_", "").replace(" ", ""): column for column in present}
    close = difflib.get_close_matches(name.lower().replace("_", ""), list(folded), n=1, cutoff=0.75)
    return str(folded[close[0]]) if close else None


def require_columns(
    present: Iterable[object], needed: Iterable[object], argument: str, *, do: str = ""
) -> None:
    """Raise MissingColumnsError that names what is absent, what is there and the likely slip."""
    present = list(present)
    missing = [column for column in needed if column not in present]
    if not missing:
        return
    hints = {column: did_you_mean(column, present) for column in missing[:_COLUMNS_SHOWN]}
    meant = [f"For {column!r}, did you mean {hint!r}?" for column, hint in hints.items() if hint]
    sentence = f"`{argument}` lacks the column(s) {listed(missing)}; it has {listed(present)}."
    tail = do or "Rename with DataFrame.rename."
    raise MissingColumnsError(" ".join([sentence, *meant, tail]))


def listed(columns: Iterable[Any]) -> str:
    """Write the names of columns, not all of very many."""
    columns = list(columns)
    shown = ", ".join(quoted(column) for column in columns[:_COLUMNS_SHOWN])
    more = len(columns) - _COLUMNS_SHOWN
    return f"[{shown}]" if more <= 0 else f"[{shown}, and {more:,} more]"


def quoted(value: object) -> str:
    """Write a value as it stands in code, in at most 80 characters."""
    if isinstance(value, (dt.date, np.datetime64)):
        return str(value)
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, os.PathLike):
        value = os.fspath(value)
    try:
        text = repr(value[: 2 * _LONGEST] if isinstance(value, (str, bytes)) else value)
    except Exception:  # a number with thousands of figures, a class of somebody's own
        return f"a value of type {type(value).__name__}"
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."


def check_number(
    value: Any,
    name: str,
    *,
    rule: str | None = None,
    low: float | None = None,
    high: float | None = None,
) -> Any:
    """Return `value` as float (int where whole numbers are asked for) or say what it must be.

    The limits are those of the parameter's name in ``RULES``, without what stands in brackets
    after it, or of the name in `rule`. `low` and `high` narrow them, where another parameter does.
    """
    limits = RULES[rule or name.partition("[")[0]]
    least = limits.low if low is None else low
    most = limits.high if high is None else high
    number = _as_number(value, limits)
    if number == math.inf or (
        number is not None
        and (
            (number > least or (number == least and not limits.low_open))
            and (number < most or (number == most and not limits.high_open))
        )
    ):
        return number
    infinite = isinstance(value, (float, np.floating)) and math.isinf(value) and not limits.endless
    kind = "a whole number" if limits.integer else "a finite number" if infinite else "a number"
    bounds = []
    if least > -FAR:
        bounds.append(f"{'above' if limits.low_open else 'at least'} {_written(least)}")
    if most < FAR or (number is not None and number > most):
        bounds.append(f"{'below' if limits.high_open else 'at most'} {_written(most)}")
    wanted = f"`{name}` must be {kind} {' and '.join(bounds)}".rstrip()
    hint = ""
    if number is not None and most in (1, 2) and most < number <= 100 and not limits.integer:
        hint = f" Write {number:g} % as {number / 100:g}."
    raise InputError(f"{wanted}; got {quoted(value)}.{hint}")


def _as_number(value: Any, limits: Rule) -> Any:
    """Return a value as a number of the kind that is asked for, None if it is none."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (Real, Decimal)):
        return None
    try:
        if limits.integer:
            whole = int(value)  # type: ignore[arg-type]
            return whole if whole == value else None
        number = float(value)
    except (ValueError, OverflowError):  # not a number, infinite, or beyond what a float holds
        return None
    return number if math.isfinite(number) or (limits.endless and number > 0) else None


def _written(limit: float) -> str:
    """Write a limit: whole numbers in full, with marks between thousands."""
    return f"{limit:,.0f}" if limit == int(limit) else f"{limit:g}"


def check_optional(value: Any, name: str, **limits: Any) -> Any:
    """Return None, or the number that `check_number` lets pass."""
    return None if value is None else check_number(value, name, **limits)


def random_generator(random_state: Any, *, fixed: int | None = None) -> np.random.Generator:
    """Return a generator for a seed; without one, for `fixed` or, without that, drawn anew."""
    seed = check_optional(random_state, "random_state")
    return np.random.default_rng(fixed if seed is None else seed)


def check_flag(value: Any, name: str) -> bool:
    """Return `value` if it is True or False."""
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    raise InputError(f"`{name}` must be True or False; got {quoted(value)}.")


def check_choice(value: Any, name: str, allowed: Any) -> Any:
    """Return `value` if it is one of the words of a ``Literal`` type or a list, else say them."""
    allowed = list(get_args(allowed) or allowed)
    if not isinstance(value, str) or value not in allowed:
        hint = did_you_mean(value, allowed)
        tail = f" Did you mean {hint!r}?" if hint else ""
        raise InputError(f"`{name}` must be one of {allowed}; got {quoted(value)}.{tail}")
    return value


def number_array(
    series: pd.Series[Any],
    problems: Problems,
    column: str,
    *,
    allow_missing: bool = False,
    low: float | None = None,
    low_open: bool = False,
    do: str = "Convert it first, for example with pandas.to_numeric.",
) -> Floats:
    """Return a column as float64 and note text, missing and infinite values and those below `low`.

    Numbers and flags of any type are numbers; text is not, even where it looks like one, because
    its decimal mark is anyone's guess; `do` says what to do about it.
    """
    values, broken = as_floats(series)
    if values.size and broken is None and _within(values, low, low_open=low_open):
        return values
    if broken is not None:
        problems.rows(
            broken,
            f"column {column!r} is not a number",
            do=do,
            values=series,
        )
    missing = np.isnan(values)
    if not allow_missing:
        problems.rows(
            missing if broken is None else missing & ~broken,
            f"column {column!r} is missing",
            do="Fill or drop these rows first.",
        )
    infinite = np.isinf(values)
    problems.rows(
        infinite, f"column {column!r} is infinite", do="Correct or drop these rows first."
    )
    with np.errstate(over="ignore"):
        if not infinite.any() and np.isinf(np.nansum(np.abs(values))):
            problems.rows(
                np.abs(values) > _HUGE,
                f"column {column!r} adds up to more than a number can hold (1.8e308)",
                do="Correct or drop these rows first.",
                values=series,
            )
    if low is not None:
        below = ~missing & ~infinite & ((values <= low) if low_open else (values < low))
        bound = f"{'above' if low_open else 'at least'} {low:g}"
        problems.rows(
            below,
            f"column {column!r} must be {bound} but is not",
            do="Correct or drop these rows first.",
            values=series,
        )
    return values


def _within(values: Floats, low: float | None, *, low_open: bool) -> bool:
    """Tell whether all values are of a usual size and not below `low`; NaN fails both."""
    least, most = float(values.min()), float(values.max())
    bound = -_HUGE if low is None else low
    return most < _HUGE and (least > bound if low_open or low is None else least >= bound)
