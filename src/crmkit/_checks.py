"""Sentences about bad input: collect every problem of a table, then say all of them at once."""

from __future__ import annotations

import difflib
import math
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit.errors import InputError, MissingColumnsError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from crmkit._typing import Bools, Floats

__all__ = [
    "Problems",
    "check_choice",
    "check_number",
    "did_you_mean",
    "number_array",
    "require_columns",
]

_SHOWN = 3

# What a parameter of this name may be, wherever it stands: the arguments of `check_number`.
LIMITS: dict[str, dict[str, Any]] = {
    "confidence_level": {"low": 0, "high": 1, "low_open": True, "high_open": True},
    "power": {"low": 0, "high": 1, "low_open": True, "high_open": True},
}


class Problems:
    """All that is wrong with one table, raised as one error."""

    def __init__(self, argument: str) -> None:
        self.argument = argument
        self._sentences: list[str] = []

    def add(self, sentence: str) -> None:
        """Note a problem in a whole sentence."""
        self._sentences.append(sentence)

    def rows(self, mask: Bools, what: str, *, do: str, values: Sequence[Any] | None = None) -> None:
        """Note a problem of the rows in `mask`, if there are any."""
        found = np.flatnonzero(np.asarray(mask, dtype=bool))
        if not found.size:
            return
        shown = ", ".join(str(row) for row in found[:_SHOWN])
        sentence = f"{what} in {found.size:,} of {len(mask):,} rows (first at row {shown})"
        if values is not None:
            sentence += f": {[values[row] for row in found[:_SHOWN]]!r}"
        self.add(f"{sentence}. {do}")

    def __bool__(self) -> bool:
        """Tell whether anything was noted."""
        return bool(self._sentences)

    def raise_if_any(self) -> None:
        """Raise one InputError that names them all."""
        if self._sentences:
            raise InputError(f"`{self.argument}`: " + " ".join(self._sentences))


def did_you_mean(name: str, present: Iterable[object]) -> str | None:
    """Return the present name most like `name`, whatever its case and underscores."""
    folded = {str(column).lower().replace("_", "").replace(" ", ""): column for column in present}
    close = difflib.get_close_matches(name.lower().replace("_", ""), list(folded), n=1, cutoff=0.75)
    return str(folded[close[0]]) if close else None


def require_columns(
    present: Iterable[object], needed: Iterable[str], argument: str, *, do: str = ""
) -> None:
    """Raise MissingColumnsError that names what is absent, what is there and the likely slip."""
    present = list(present)
    missing = [column for column in needed if column not in present]
    if not missing:
        return
    hints = {column: did_you_mean(column, present) for column in missing}
    meant = [f"For {column!r}, did you mean {hint!r}?" for column, hint in hints.items() if hint]
    sentence = " ".join([f"`{argument}` lacks the column(s) {missing}; it has {present}.", *meant])
    raise MissingColumnsError(f"{sentence} {do or 'Rename with DataFrame.rename.'}")


def check_number(
    value: Any,
    name: str,
    *,
    low: float | None = None,
    high: float | None = None,
    low_open: bool = False,
    high_open: bool = False,
    integer: bool = False,
) -> Any:
    """Return `value` as float (int if `integer`) or say in which range it must lie.

    A name in ``LIMITS`` carries its own range.
    """
    if name in LIMITS:
        return _in_range(value, name, **LIMITS[name])
    return _in_range(
        value, name, low=low, high=high, low_open=low_open, high_open=high_open, integer=integer
    )


def _in_range(
    value: Any,
    name: str,
    *,
    low: float | None = None,
    high: float | None = None,
    low_open: bool = False,
    high_open: bool = False,
    integer: bool = False,
) -> Any:
    """Return `value` as a number within limits."""
    infinite = isinstance(value, (float, np.floating)) and math.isinf(value)
    kind = "a whole number" if integer else "a finite number" if infinite else "a number"
    limits = []
    if low is not None:
        limits.append(f"above {low:g}" if low_open else f"at least {low:g}")
    if high is not None:
        limits.append(f"below {high:g}" if high_open else f"at most {high:g}")
    wanted = f"`{name}` must be {kind}" + (f" {' and '.join(limits)}" if limits else "")
    if isinstance(value, (bool, np.bool_)) or not isinstance(
        value, (int, float, np.number, Decimal)
    ):
        raise InputError(f"{wanted}; got {value!r}.")
    number = float(value)
    bad = not math.isfinite(number) or (integer and number != int(number))
    if low is not None:
        bad = bad or number < low or (low_open and number == low)
    if high is not None:
        bad = bad or number > high or (high_open and number == high)
    if bad:
        raise InputError(f"{wanted}; got {value!r}.")
    return int(number) if integer else number


def check_choice(value: Any, name: str, allowed: Iterable[str]) -> str:
    """Return `value` if it is one of the allowed words, else say which are."""
    allowed = list(allowed)
    if not isinstance(value, str) or value not in allowed:
        hint = did_you_mean(str(value), allowed)
        tail = f" Did you mean {hint!r}?" if hint else ""
        raise InputError(f"`{name}` must be one of {allowed}; got {value!r}.{tail}")
    return value


def number_array(
    series: pd.Series[Any],
    problems: Problems,
    column: str,
    *,
    allow_missing: bool = False,
    low: float | None = None,
    low_open: bool = False,
) -> Floats:
    """Return a column as float64 and note text, missing and infinite values and those below `low`.

    Decimal, nullable, Arrow-backed and boolean columns are numbers; text is not, even where it
    looks like one, because its decimal mark is anyone's guess.
    """
    try:
        if not (pd.api.types.is_numeric_dtype(series.dtype) or _holds_numbers(series)):
            raise TypeError  # noqa: TRY301
        values = series.to_numpy(dtype=np.float64, na_value=np.nan)
    except (TypeError, ValueError):
        text = np.array([not _is_number(value) for value in series], dtype=bool)
        problems.rows(
            text,
            f"column {column!r} is not a number",
            do="Convert it first, for example with pandas.to_numeric.",
            values=series.tolist(),
        )
        return np.full(len(series), np.nan)
    if values.size and _within(values, low, low_open=low_open):
        return values
    missing = np.isnan(values)
    if not allow_missing:
        problems.rows(missing, f"column {column!r} is missing", do="Fill or drop these rows first.")
    infinite = np.isinf(values)
    problems.rows(
        infinite, f"column {column!r} is infinite", do="Correct or drop these rows first."
    )
    if low is not None:
        below = ~missing & ~infinite & ((values <= low) if low_open else (values < low))
        bound = f"{'above' if low_open else 'at least'} {low:g}"
        problems.rows(
            below,
            f"column {column!r} must be {bound} but is not",
            do="Correct or drop these rows first.",
            values=series.tolist() if below.any() else None,
        )
    return values


def _within(values: Floats, low: float | None, *, low_open: bool) -> bool:
    """Tell whether all values are finite and not below `low`, in two passes; NaN fails both."""
    least, most = float(values.min()), float(values.max())
    bound = -math.inf if low is None else low
    return most < math.inf and (least > bound if low_open or low is None else least >= bound)


def _is_number(value: Any) -> bool:
    """Tell whether one cell of an object column is a number or missing."""
    if isinstance(value, (int, float, np.number, Decimal)):
        return True
    return value is None or value is pd.NA or value is pd.NaT


def _holds_numbers(series: pd.Series[Any]) -> bool:
    """Tell whether an object or Arrow decimal column holds nothing but numbers."""
    if pd.api.types.is_object_dtype(series.dtype):
        return all(_is_number(value) for value in series)
    return "decimal" in str(series.dtype)
