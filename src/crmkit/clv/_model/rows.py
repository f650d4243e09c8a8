"""Covariates as designs, and parameters that depend on them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from crmkit._arguments import check_columns
from crmkit.clv._math.likelihood import natural_parameters, positions
from crmkit.clv._math.rows import Rows

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from crmkit._typing import Floats

__all__ = ["column_names", "designs_of", "parameters_at", "standardised"]


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
