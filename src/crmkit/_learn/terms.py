"""One column of a customer table as columns of a matrix: a number, or levels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._checks import Problems, number_array
from crmkit._estimator import json_part

if TYPE_CHECKING:
    from crmkit._typing import Floats, Ints


__all__ = [
    "MISSING",
    "OTHER",
    "LevelTerm",
    "NumberTerm",
    "learn_levels",
    "learn_numbers",
    "level_text",
    "read_numbers",
]

MISSING = "(missing)"
OTHER = "(other)"
_RARE = 10
_MOST_LEVELS = 40


@json_part
@dataclass(frozen=True, slots=True)
class NumberTerm:
    """A number held from ``low`` to ``high``, as a logarithm where ``unit`` is not 0, standardised.

    Missing values stand at the mean and are marked by a column of their own where there are some.
    """

    column: str
    low: float
    high: float
    unit: float
    mean: float
    spread: float
    missing: bool

    def names(self) -> list[str]:
        """Name the matrix columns."""
        return [self.column, f"{self.column} {MISSING}"] if self.missing else [self.column]

    def told(self) -> dict[str, Any]:
        """Say what is done to the column."""
        how = "logarithm, standardised" if self.unit else "standardised"
        return {"transformation": how, "low": self.low, "high": self.high}

    def write(self, series: pd.Series[Any], problems: Problems, block: Floats) -> None:
        """Write a table's column into `block`, shape (rows, names)."""
        values = read_numbers(series, problems, self.column)
        missing = np.isnan(values)
        inside = np.clip(values, self.low, self.high)
        if self.unit:
            inside = _signed_log(inside, self.unit)
        block[:, 0] = np.where(missing, 0.0, (inside - self.mean) / self.spread)
        if self.missing:
            block[:, 1] = missing


@json_part
@dataclass(frozen=True, slots=True)
class LevelTerm:
    """Words: one column per frequent level, one for the ``pooled`` rare ones, one for missing."""

    column: str
    levels: list[str]
    pooled: int
    missing: bool

    def names(self) -> list[str]:
        """Name the matrix columns."""
        levels = [*self.levels, *([OTHER] if self.pooled else []), *([MISSING] * self.missing)]
        return [f"{self.column}={level}" for level in levels]

    def told(self) -> dict[str, Any]:
        """Say what is done to the column."""
        how = "one column per level"
        return {"transformation": how, "levels": ", ".join(self.levels), "pooled": self.pooled}

    def write(self, series: pd.Series[Any], problems: Problems, block: Floats) -> None:
        """Write a table's column into `block`, shape (rows, names)."""
        codes, text = _read_levels(series, problems, self.column)
        place = {level: at for at, level in enumerate(self.levels)}
        other = len(place) if self.pooled else -1
        missing = block.shape[1] - 1 if self.missing else -1
        target = np.array([*(place.get(level, other) for level in text), missing], dtype=np.int64)
        at = target[codes]
        rows = np.flatnonzero(at >= 0)
        block[rows, at[rows]] = 1.0


def learn_numbers(series: pd.Series[Any], problems: Problems, column: str) -> NumberTerm | None:
    """Learn range, transformation, mean and spread of a column; None where it never varies.

    A skewed column of one sign is written as a logarithm where that is less skewed. Where values
    cross zero a logarithm would tear apart what is near it, so they stay as they are.
    """
    values = read_numbers(series, problems, column)
    # Sorting first makes the sums, to the last bit, the same for any order of the rows.
    known = np.sort(values[np.isfinite(values)])
    missing = bool(known.size < values.size)
    if not known.size or (known[0] == known[-1] and not missing):
        return None
    size = np.abs(known[known != 0])
    unit = 0.0
    mean, spread, skew = _moments(known)
    if size.size and abs(skew) > 1 and known[0] * known[-1] >= 0:
        typical = float(np.median(size))
        log_mean, log_spread, log_skew = _moments(_signed_log(known, typical))
        if abs(log_skew) < abs(skew):
            unit, mean, spread = typical, log_mean, log_spread
    low, high = float(known[0]), float(known[-1])
    return NumberTerm(column, low, high, unit, mean, spread if spread > 0 else 1.0, missing)


def learn_levels(series: pd.Series[Any], problems: Problems, column: str) -> LevelTerm | None:
    """Learn which levels have a column of their own; None where all rows hold the same.

    Levels held by fewer than 10 rows (5 % of a small table) are pooled, and so are those beyond
    the 40 most frequent.
    """
    codes, text = _read_levels(series, problems, column)
    counts: dict[str, int] = {}
    for level, count in zip(text, np.bincount(codes + 1, minlength=len(text) + 1)[1:], strict=True):
        counts[level] = counts.get(level, 0) + int(count)
    counts = {level: count for level, count in counts.items() if count}
    enough = max(2, min(_RARE, codes.size // 20))
    ranked = sorted(counts, key=lambda level: (-counts[level], level))
    kept = [level for level in ranked if counts[level] >= enough][:_MOST_LEVELS]
    missing = bool((codes < 0).any())
    term = LevelTerm(column, sorted(kept), len(ranked) - len(kept), missing)
    return term if len(term.names()) > 1 else None


def read_numbers(series: pd.Series[Any], problems: Problems, column: str) -> Floats:
    """Return a column as numbers; durations count as days."""
    if pd.api.types.is_timedelta64_dtype(series.dtype):
        series = series.dt.total_seconds() / 86_400
    return number_array(series, problems, column, allow_missing=True)


def _read_levels(series: pd.Series[Any], problems: Problems, column: str) -> tuple[Ints, list[str]]:
    """Return codes, -1 where missing, and the text of each level, whole numbers without point."""
    try:
        codes, distinct = pd.factorize(series)
    except TypeError:
        problems.add(f"column {column!r} holds lists or other containers. Leave it out.")
        return np.full(len(series), -1), []
    return np.asarray(codes, dtype=np.int64), [level_text(level) for level in distinct]


def level_text(level: Any) -> str:
    """Write a level as text; a whole number read as 2.0 loses its fraction."""
    return str(int(level)) if isinstance(level, float) and level.is_integer() else str(level)


def _signed_log(values: Floats, unit: float) -> Floats:
    """Return sign(x) log(1 + |x| / unit)."""
    return np.sign(values) * np.log1p(np.abs(values) / unit)


def _moments(values: Floats) -> tuple[float, float, float]:
    """Return mean, standard deviation and skewness."""
    mean = float(values.mean())
    deviation = values - mean
    spread = float(np.sqrt(np.mean(deviation**2)))
    skew = float(np.mean((deviation / spread) ** 3)) if spread > 0 else 0.0
    return mean, spread, skew
