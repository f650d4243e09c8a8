"""Turn the columns of a customer table into a matrix that any learner accepts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from crmkit._arguments import check_columns
from crmkit._checks import Problems, listed, require_columns
from crmkit._estimator import json_part
from crmkit._kinds import column_kind
from crmkit._learn.terms import LevelTerm, NumberTerm, learn_levels, learn_numbers
from crmkit.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

    from crmkit._typing import Floats


__all__ = ["FeatureEncoder"]


@json_part
@dataclass(frozen=True)
class FeatureEncoder:
    """Learns from one customer table how to write any later one as a float64 matrix.

    Numbers are standardised; a skewed one of one sign is first written as sign(x) log(1 + |x| /
    median), which no change of units alters. Values outside the range seen are held at its ends,
    missing ones stand at the mean and are marked by a column of their own. Levels become one
    column each; those held by fewer than 10 rows (5 % of a small table) are pooled as
    ``(other)``, where unseen levels go too, and missing is a level. ``customer_id``, dates,
    columns that never vary and those in `exclude` are not used.

    ``fit`` returns an encoder with ``terms``, and leaves this one as it is.
    """

    columns: Any = None
    exclude: Any = ()
    terms: tuple[NumberTerm | LevelTerm, ...] = ()

    @property
    def feature_names(self) -> list[str]:
        """Name of each column of the matrix, (p,)."""
        return [name for term in self.terms for name in term.names()]

    @property
    def feature_columns(self) -> list[str]:
        """Table column behind each column of the matrix, (p,)."""
        return [term.column for term in self.terms for _ in term.names()]

    @property
    def used_columns(self) -> list[str]:
        """Table columns that a later table must have."""
        return [term.column for term in self.terms]

    def looked_at(self, customers: pd.DataFrame) -> list[str]:
        """Table columns that may be used: those named, or all that are not left out."""
        chosen = (
            customers.columns if self.columns is None else check_columns(self.columns, "columns")
        )
        return [column for column in chosen if column not in {"customer_id", *self.exclude}]

    def fit(self, customers: pd.DataFrame, *, name: str = "customers") -> FeatureEncoder:
        """Learn which columns are usable and how each is written."""
        if self.columns is not None:
            require_columns(customers.columns, check_columns(self.columns, "columns"), name)
        problems = Problems(name)
        terms: list[NumberTerm | LevelTerm | None] = []
        for column in self.looked_at(customers):
            if not isinstance(column, str):
                problems.add(f"column name {column!r} is not text. Rename it.")
                continue
            kind = column_kind(customers[column])
            if kind == "dates" and self.columns is not None:
                problems.add(f"column {column!r} holds dates. Write it as days before `as_of`.")
            if kind in ("numbers", "flags"):
                terms.append(learn_numbers(customers[column], problems, column))
            elif kind == "levels":
                terms.append(learn_levels(customers[column], problems, column))
        problems.raise_if_any()
        used = tuple(term for term in terms if term is not None)
        if not used:
            raise InputError(
                f"`{name}` has no column to learn from: {listed(customers.columns)} are ids, "
                "dates, outcomes or never vary. Add columns that describe the customers."
            )
        return replace(self, terms=used)

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
            width = len(term.names())
            term.write(customers[term.column], problems, matrix[:, at : at + width])
            at += width
        problems.raise_if_any()
        return matrix
