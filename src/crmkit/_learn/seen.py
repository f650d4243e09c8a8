"""Which rows a model has learned from: scores of these flatter it."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd

from crmkit._kinds import is_number
from crmkit._learn.scorer import row_fingerprints

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from crmkit._typing import Floats


__all__ = ["SeenRows", "in_sample"]

_WHOLE = re.compile("-?(0|[1-9][0-9]{0,17})")


@dataclass(frozen=True, slots=True)
class SeenRows:
    """Hashes of the rows that a model learned from, sorted; with their days where it had some.

    A hash can be found by trying ids, so a saved model holds none: whoever has the file must not
    learn from it who was in the training table.
    """

    rows: NDArray[np.uint64]
    snapshots: NDArray[np.uint64] | None

    @classmethod
    def of(cls, frame: pd.DataFrame, matrix: Floats) -> Self:
        """Remember rows by id, encoded features (n, p) and, where there is one, ``as_of``."""
        rows = row_fingerprints(frame["customer_id"], matrix)
        snapshots = np.sort(_with_day(rows, frame)) if "as_of" in frame.columns else None
        return cls(np.sort(rows), snapshots)

    def mark(self, frame: pd.DataFrame, matrix: Floats) -> NDArray[np.bool_]:
        """Tell of each row, shape (n,), whether it is one of these.

        The same customer with the same features on another day is another snapshot. Where no id
        is one of these, but is written like one ("7" and 7), that one is meant.
        """
        found = self._found(frame, matrix)
        if found.any():
            return found
        return self._found(frame.assign(customer_id=_other_kind(frame["customer_id"])), matrix)

    def _found(self, frame: pd.DataFrame, matrix: Floats) -> NDArray[np.bool_]:
        """Tell of each row, shape (n,), whether its id and features are among these."""
        rows = row_fingerprints(frame["customer_id"], matrix)
        if self.snapshots is not None and "as_of" in frame.columns:
            return np.isin(_with_day(rows, frame), self.snapshots)
        return np.isin(rows, self.rows)


def _other_kind(ids: pd.Series[Any]) -> pd.Series[Any]:
    """Return whole numbers as text, and text that is a whole number as such."""

    def other(value: Any) -> Any:
        if isinstance(value, str):
            return int(value) if _WHOLE.fullmatch(value) else value
        whole = is_number(value) and math.isfinite(value) and value == int(value)
        return str(int(value)) if whole else value

    distinct = pd.Series(ids.unique(), dtype=object)
    meant = dict(zip(distinct, map(other, distinct), strict=True))
    return ids.astype(object).map(meant).astype(object)


def in_sample(seen: SeenRows | None, frame: pd.DataFrame, matrix: Floats) -> Any:
    """Return the column ``in_sample``: missing where a model from a file does not know."""
    if seen is None:
        return pd.array([pd.NA] * len(frame), dtype="boolean")
    return seen.mark(frame, matrix)


def _with_day(rows: NDArray[np.uint64], frame: pd.DataFrame) -> NDArray[np.uint64]:
    """Mix the day of each row into its hash."""
    days = row_fingerprints(frame["as_of"], np.empty((len(frame), 0)))
    return rows ^ (days * np.uint64(0x9E3779B97F4A7C15))
