"""Covariates of a regression in their own units, one level of each category left out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from crmkit._arguments import check_columns
from crmkit._checks import Problems, number_array, require_columns
from crmkit._estimator import json_part
from crmkit._kinds import column_kind
from crmkit.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from crmkit._typing import Floats


__all__ = ["Covariate", "covariate_columns", "design_matrix", "learn_terms", "term_names"]


@json_part
@dataclass(frozen=True, slots=True)
class Covariate:
    """A column as it enters: a number in its own unit or, if it has ``levels``, each but the first.

    The first level is what the others are compared with.
    """

    column: str
    levels: list[str]

    def names(self) -> list[str]:
        """Name the matrix columns."""
        return [f"{self.column}={level}" for level in self.levels[1:]] or [self.column]

    def told(self) -> dict[str, Any]:
        """Say what is done to the column."""
        if not self.levels:
            return {"transformation": "in its own unit"}
        how = f"one column per level, against {self.levels[0]!r}"
        return {"transformation": how, "levels": ", ".join(self.levels)}


def covariate_columns(
    frame: pd.DataFrame, columns: Sequence[str] | None, exclude: Sequence[str]
) -> list[str]:
    """Return the columns that may enter: those named, or all but the excluded ones."""
    if columns is not None:
        columns = check_columns(columns, "columns")
        require_columns(frame.columns, columns, "customers")
    chosen = frame.columns if columns is None else columns
    return [column for column in chosen if column not in exclude]


def learn_terms(frame: pd.DataFrame, chosen: Sequence[str]) -> list[Covariate]:
    """Return how each column enters; columns that never vary and dates do not."""
    terms = []
    for column in chosen:
        kind = column_kind(frame[column])
        if kind in ("numbers", "flags") and frame[column].nunique() > 1:
            terms.append(Covariate(column, []))
        if kind == "levels":
            levels = sorted(str(level) for level in frame[column].dropna().unique())
            if len(levels) > 1:
                terms.append(Covariate(column, levels))
    if not terms:
        raise InputError(f"`customers` has no column to learn from among {list(chosen)}.")
    return terms


def term_names(terms: list[Covariate]) -> list[str]:
    """Return the name of each column of the matrix."""
    return [name for term in terms for name in term.names()]


def design_matrix(terms: list[Covariate], frame: pd.DataFrame) -> Floats:
    """Return the covariates of each row, shape (rows, names)."""
    problems, blocks = Problems("customers"), []
    for term in terms:
        column: Any = frame[term.column]
        if not term.levels:
            blocks.append(number_array(column, problems, term.column))
            continue
        missing = column.isna().to_numpy()
        problems.rows(
            missing,
            f"column {term.column!r} is missing",
            do="Fill or drop these rows first.",
        )
        text = column.astype(str).to_numpy(dtype=object)
        problems.rows(
            ~missing & ~np.isin(text, term.levels),
            f"column {term.column!r} has a level that the model has not seen",
            do=f"It knows {term.levels}.",
            values=text.tolist(),
        )
        blocks.extend((text == level).astype(np.float64) for level in term.levels[1:])
    problems.raise_if_any()
    return np.column_stack(blocks)
