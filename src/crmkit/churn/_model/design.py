"""Covariates of a regression in their own units, one level of each category left out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from crmkit._arguments import check_columns
from crmkit._checks import Problems, number_array, require_columns
from crmkit._learn import column_kind
from crmkit.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from crmkit._typing import Floats


__all__ = ["design_matrix", "learn_terms", "term_names"]

Term = dict[str, Any]


def learn_terms(
    frame: pd.DataFrame, columns: Sequence[str] | None, exclude: Sequence[str]
) -> list[Term]:
    """Return how each column enters: a number as it is, levels against the first of them.

    Columns that never vary, dates and those in `exclude` do not enter.
    """
    if columns is not None:
        columns = check_columns(columns, "columns")
        require_columns(frame.columns, columns, "customers")
    chosen = frame.columns if columns is None else columns
    terms: list[Term] = []
    for column in chosen:
        kind = "nothing" if column in exclude else column_kind(frame[column])
        if kind in ("numbers", "flags") and frame[column].nunique() > 1:
            terms.append({"column": column, "levels": []})
        if kind == "levels":
            levels = sorted(str(level) for level in frame[column].dropna().unique())
            if len(levels) > 1:
                terms.append({"column": column, "levels": levels})
    if not terms:
        raise InputError(f"`customers` has no column to learn from among {list(chosen)}.")
    return terms


def term_names(terms: list[Term]) -> list[str]:
    """Return the name of each column of the matrix."""
    return [
        name
        for term in terms
        for name in (
            [f"{term['column']}={level}" for level in term["levels"][1:]]
            if term["levels"]
            else [term["column"]]
        )
    ]


def design_matrix(terms: list[Term], frame: pd.DataFrame) -> Floats:
    """Return the covariates of each row, shape (rows, names)."""
    problems, blocks = Problems("customers"), []
    for term in terms:
        column: Any = frame[term["column"]]
        if not term["levels"]:
            blocks.append(number_array(column, problems, term["column"]))
            continue
        missing = column.isna().to_numpy()
        problems.rows(
            missing,
            f"column {term['column']!r} is missing",
            do="Fill or drop these rows first.",
        )
        text = column.astype(str).to_numpy(dtype=object)
        problems.rows(
            ~missing & ~np.isin(text, term["levels"]),
            f"column {term['column']!r} has a level that the model has not seen",
            do=f"It knows {term['levels']}.",
            values=text.tolist(),
        )
        blocks.extend((text == level).astype(np.float64) for level in term["levels"][1:])
    problems.raise_if_any()
    return np.column_stack(blocks)
