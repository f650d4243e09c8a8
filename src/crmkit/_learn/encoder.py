"""Turn the columns of a customer table into a matrix that any learner accepts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._checks import Problems, number_array, require_columns
from crmkit.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from crmkit._typing import Floats, Ints


__all__ = ["FeatureEncoder", "column_kind"]

_NUMBERS = {"boolean", "integer", "floating", "mixed-integer-float", "decimal"}
_DATES = {"date", "datetime", "datetime64", "period"}
_RARE = 10
_MOST_LEVELS = 40


def column_kind(series: pd.Series[Any]) -> str:
    """Tell whether a column holds numbers, levels, dates or nothing at all."""
    dtype = series.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        return "levels"
    if pd.api.types.is_numeric_dtype(dtype) or pd.api.types.is_timedelta64_dtype(dtype):
        return "numbers"
    if dtype.kind == "M" or isinstance(dtype, pd.PeriodDtype):
        return "dates"
    inferred = pd.api.types.infer_dtype(series, skipna=True)
    if inferred == "empty":
        return "nothing"
    if inferred in _NUMBERS:
        return "numbers"
    return "dates" if inferred in _DATES else "levels"


class FeatureEncoder:
    """Learns from one customer table how to write any later one as a float64 matrix.

    Numbers are standardised; a skewed one is first written as sign(x) log(1 + |x| / median),
    which no change of units alters. Values outside the range seen are held at its ends, missing
    ones stand at the mean and are marked by a column of their own. Levels become one column
    each; those held by fewer than 10 rows (5 % of a small table) are pooled as ``(other)``,
    where unseen levels go too, and missing is a level. ``customer_id``, dates, columns that
    never vary and those in `exclude` are not used.

    After ``fit``: ``feature_names`` (p,) and ``feature_columns`` (p,), the table's column behind
    each feature; ``state`` and ``from_state`` carry it through JSON.
    """

    def __init__(
        self, *, columns: Sequence[str] | None = None, exclude: Iterable[str] = ()
    ) -> None:
        self.columns = None if columns is None else list(columns)
        self.exclude = {"customer_id", *exclude}
        self.terms: list[dict[str, Any]] = []

    @property
    def feature_names(self) -> list[str]:
        """Name of each column of the matrix."""
        return [name for term in self.terms for name in _names(term)]

    @property
    def feature_columns(self) -> list[str]:
        """Table column behind each column of the matrix."""
        return [term["column"] for term in self.terms for _ in _names(term)]

    @property
    def used_columns(self) -> list[str]:
        """Table columns that a later table must have."""
        return [term["column"] for term in self.terms]

    def fit(self, customers: pd.DataFrame, *, name: str = "customers") -> FeatureEncoder:
        """Learn which columns are usable and how each is written."""
        if self.columns is None:
            chosen = [column for column in customers.columns if column not in self.exclude]
        else:
            require_columns(customers.columns, self.columns, name)
            chosen = [column for column in self.columns if column not in self.exclude]
        problems = Problems(name)
        terms: list[dict[str, Any] | None] = []
        for column in chosen:
            if not isinstance(column, str):
                problems.add(f"column name {column!r} is not text. Rename it.")
                continue
            kind = column_kind(customers[column])
            if kind == "dates" and self.columns is not None:
                problems.add(f"column {column!r} holds dates. Write it as days before `as_of`.")
            if kind == "numbers":
                values = _numbers(customers[column], problems, column)
                terms.append(_learn_numbers(column, values))
            elif kind == "levels":
                terms.append(_learn_levels(column, *_levels(customers[column], problems, column)))
        problems.raise_if_any()
        self.terms = [term for term in terms if term is not None]
        if not self.terms:
            raise InputError(
                f"`{name}` has no column to learn from: {list(customers.columns)} are ids, dates, "
                "outcomes or never vary. Add columns that describe the customers."
            )
        return self

    def transform(self, customers: pd.DataFrame, *, name: str = "customers") -> Floats:
        """Write a table as a matrix of shape (rows, features) in the order of its rows."""
        require_columns(
            customers.columns,
            self.used_columns,
            name,
            do="Give it the columns the model was fitted on.",
        )
        matrix = np.zeros((len(customers), len(self.feature_names)))
        problems, at = Problems(name), 0
        for term in self.terms:
            width = len(_names(term))
            block = matrix[:, at : at + width]
            if term["kind"] == "numbers":
                values = _numbers(customers[term["column"]], problems, term["column"])
                _write_numbers(term, values, block)
            else:
                found = _levels(customers[term["column"]], problems, term["column"])
                _write_levels(term, *found, block)
            at += width
        problems.raise_if_any()
        return matrix

    def state(self) -> dict[str, Any]:
        """Return what was learned as plain lists, numbers and text."""
        return {"terms": self.terms}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> FeatureEncoder:
        """Rebuild an encoder from `state`."""
        encoder = cls()
        encoder.terms = [dict(term) for term in state["terms"]]
        return encoder


def _names(term: dict[str, Any]) -> list[str]:
    """Name the matrix columns of one term."""
    column = term["column"]
    if term["kind"] == "numbers":
        return [column, f"{column} (missing)"] if term["missing"] else [column]
    names = [f"{column}={level}" for level in term["levels"]]
    if term["other"]:
        names.append(f"{column}=(other)")
    return [*names, f"{column}=(missing)"] if term["missing"] else names


def _numbers(series: pd.Series[Any], problems: Problems, column: str) -> Floats:
    """Return a column as numbers; durations count as days."""
    if pd.api.types.is_timedelta64_dtype(series.dtype):
        series = series.dt.total_seconds() / 86_400
    return number_array(series, problems, column, allow_missing=True)


def _levels(series: pd.Series[Any], problems: Problems, column: str) -> tuple[Ints, list[str]]:
    """Return codes, -1 where missing, and the text of each level, whole numbers without point."""
    try:
        codes, distinct = pd.factorize(series)
    except TypeError:
        problems.add(f"column {column!r} holds lists or other containers. Leave it out.")
        return np.full(len(series), -1), []
    text = [
        str(int(level)) if isinstance(level, float) and level.is_integer() else str(level)
        for level in distinct
    ]
    return np.asarray(codes, dtype=np.int64), text


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


def _learn_numbers(column: str, values: Floats) -> dict[str, Any] | None:
    """Learn range, transformation, mean and spread of a numeric column."""
    # Sorting first makes the sums, to the last bit, the same for any order of the rows.
    known = np.sort(values[~np.isnan(values)])
    missing = bool(known.size < values.size)
    if not known.size or (known[0] == known[-1] and not missing):
        return None
    size = np.abs(known[known != 0])
    unit = 0.0
    mean, spread, skew = _moments(known)
    if size.size and abs(skew) > 1:
        typical = float(np.median(size))
        log_mean, log_spread, log_skew = _moments(_signed_log(known, typical))
        if abs(log_skew) < abs(skew):
            unit, mean, spread = typical, log_mean, log_spread
    return {
        "column": column,
        "kind": "numbers",
        "low": float(known[0]),
        "high": float(known[-1]),
        "unit": unit,
        "mean": mean,
        "spread": spread if spread > 0 else 1.0,
        "missing": missing,
    }


def _learn_levels(column: str, codes: Ints, text: list[str]) -> dict[str, Any] | None:
    """Learn which levels are frequent enough for a column of their own."""
    counts: dict[str, int] = {}
    for level, count in zip(text, np.bincount(codes + 1, minlength=len(text) + 1)[1:], strict=True):
        counts[level] = counts.get(level, 0) + int(count)
    counts = {level: count for level, count in counts.items() if count}
    enough = max(2, min(_RARE, codes.size // 20))
    ranked = sorted(counts, key=lambda level: (-counts[level], level))
    kept = [level for level in ranked if counts[level] >= enough][:_MOST_LEVELS]
    term = {
        "column": column,
        "kind": "levels",
        "levels": sorted(kept),
        "other": len(kept) < len(ranked),
        "missing": bool((codes < 0).any()),
    }
    return term if len(_names(term)) > 1 else None


def _write_numbers(term: dict[str, Any], values: Floats, block: Floats) -> None:
    """Write a numeric column, and its mark of missing values, into `block`."""
    missing = np.isnan(values)
    inside = np.clip(values, term["low"], term["high"])
    if term["unit"]:
        inside = _signed_log(inside, term["unit"])
    block[:, 0] = np.where(missing, 0.0, (inside - term["mean"]) / term["spread"])
    if term["missing"]:
        block[:, 1] = missing


def _write_levels(term: dict[str, Any], codes: Ints, text: list[str], block: Floats) -> None:
    """Write one indicator column per learned level into `block`."""
    place = {level: at for at, level in enumerate(term["levels"])}
    other = len(place) if term["other"] else -1
    missing = block.shape[1] - 1 if term["missing"] else -1
    target = np.array([*(place.get(level, other) for level in text), missing], dtype=np.int64)
    at = target[codes]
    rows = np.flatnonzero(at >= 0)
    block[rows, at[rows]] = 1.0
