"""Covariates as designs, parameters that depend on them, and which effects are equal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import linalg

from crmkit._arguments import check_columns
from crmkit._checks import Problems, listed, number_array, quoted
from crmkit._kinds import column_kind
from crmkit._learn.terms import LevelTerm, learn_levels
from crmkit.clv._math.likelihood import natural_parameters, positions
from crmkit.clv._math.rows import Rows
from crmkit.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from crmkit._typing import Floats

__all__ = [
    "checked_ties",
    "column_names",
    "covariate_values",
    "designs_of",
    "learned_levels",
    "parameters_at",
    "same_said_twice",
    "standardised",
    "tie_matrix",
]

# A sum of standardised covariates whose variance is so little of theirs says nothing.
_NOTHING = 1e-9


def learned_levels(frame: pd.DataFrame, columns: Sequence[str]) -> dict[str, LevelTerm]:
    """Return which values the covariates of text have, by column."""
    found = {}
    problems = Problems("customers")
    for column in columns:
        if column_kind(frame[column]) == "levels":
            term = learn_levels(frame[column], problems, column)
            problems.raise_if_any()
            if term is None:
                raise InputError(
                    f"`customers`: column {column!r}, a covariate of text, tells no customers "
                    "apart: every value, or every value of enough customers, is the same. Leave "
                    "it out."
                )
            found[column] = term
    return found


def covariate_values(
    frame: pd.DataFrame,
    columns: Sequence[str],
    levels: Mapping[str, LevelTerm],
    problems: Problems,
) -> dict[str, Floats]:
    """Return covariates as numbers by name: of text whether it has each value but the first."""
    values = {}
    for column in columns:
        if column not in levels:
            values[column] = number_array(frame[column], problems, column)
            continue
        names = levels[column].names()
        block = np.zeros((len(frame), len(names)))
        levels[column].write(frame[column], problems, block)
        problems.rows(
            block.sum(axis=1) == 0.0,
            f"column {column!r} holds a value that the model has not learned from",
            do=f"It knows {listed(names)}.",
            values=frame[column],
        )
        values |= dict(zip(names[1:], block.T[1:], strict=True))
    return values


def same_said_twice(rows: Rows, n_names: int, tie: Floats) -> tuple[int, list[int]]:
    """Return how many free effects of standardised covariates are not told apart, and whose.

    The others are counted from the first effect. `tie` (p, f) says which are equal.
    """
    designs = [design for design in rows.designs if design is not None]
    if not designs:
        return 0, []
    weight = rows.weight / rows.weight.sum()
    blocks = []
    for design in designs:
        off = design - weight @ design
        blocks.append(off.T @ (off * weight[:, None]))
    ties = tie[n_names:]
    free = np.abs(ties).any(axis=0)
    about = linalg.block_diag(*blocks)
    share, axes = np.linalg.eigh(ties[:, free].T @ about @ ties[:, free])
    nothing = axes[:, share < _NOTHING]
    involved = np.abs(ties[:, free]) @ np.abs(nothing).sum(axis=1) > 1e-4
    return nothing.shape[1], np.flatnonzero(involved).tolist()


def designs_of(
    covariates: Sequence[Sequence[tuple[str, float, str]]], values: Mapping[str, Floats]
) -> tuple[Floats | None, ...]:
    """Return one design per parameter: its covariates, signed, or None without any."""
    return tuple(
        np.column_stack([sign * values[column] for column, sign, _ in triples]) if triples else None
        for triples in covariates
    )


def parameters_at(coefficients: Floats, designs: Sequence[Floats | None]) -> list[Any]:
    """Return the parameters at these coefficients: numbers, or arrays where there are designs."""
    where = positions([0 if design is None else design.shape[1] for design in designs])
    return natural_parameters(np.asarray(coefficients, dtype=np.float64), designs, where)


def column_names(covariates: Any, process: str) -> list[str]:
    """Return the covariates of a process as a list of column names."""
    return check_columns(covariates, f"{process}_covariates", empty=True, single=False)


def standardised(rows: Rows, spread: Floats, n_names: int, *, center: bool) -> tuple[Rows, Floats]:
    """Return the rows with covariates less their means, if `center`, over their deviations.

    And the matrix that turns their coefficients back into those of the covariates as given.
    """
    designs: list[Floats | None] = []
    back, position = np.diag(1.0 / spread), n_names
    for j, design in enumerate(rows.designs):
        if design is None:
            designs.append(None)
            continue
        own = slice(position, position + design.shape[1])
        mean = np.average(design, axis=0, weights=rows.weight) * center
        designs.append((design - mean) / spread[own])
        back[j, own] = -mean / spread[own]
        position = own.stop
    return Rows(rows.columns, tuple(designs), rows.weight, rows.inverse), back


def checked_ties(terms: Sequence[str], tie: Sequence[Sequence[str]]) -> Sequence[Sequence[str]]:
    """Return `tie` if it is a list of groups of terms."""
    for tied in tie if isinstance(tie, (list, tuple)) else [tie]:
        listed = isinstance(tied, (list, tuple)) and len(tied) > 1
        if not (listed and all(isinstance(term, str) and term in terms for term in tied)):
            raise InputError(
                f"`tie` must hold groups of two or more of the terms {list(terms)}; "
                f"got {quoted(tied)}."
            )
    return tie


def tie_matrix(terms: Sequence[str], tie: Sequence[Sequence[str]], spread: Floats) -> Floats:
    """Return (p, free): which free coefficient each term equals, in standardised units."""
    group = list(range(len(terms)))
    for tied in checked_ties(terms, tie):
        positions = [terms.index(term) for term in tied]
        merged = {group[position] for position in positions}
        group = [min(merged) if g in merged else g for g in group]
    free = sorted(set(group))
    matrix = np.zeros((len(terms), len(free)))
    for row, g in enumerate(group):
        matrix[row, free.index(g)] = spread[row]
    return matrix / np.maximum(matrix.max(axis=0), 1e-300)
