"""Fitted coefficients as tables, and equal effects as a matrix."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from crmkit._arrays import normal_quantile
from crmkit._checks import check_number, quoted
from crmkit.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crmkit._typing import Floats

__all__ = ["checked_ties", "covariance_table", "parameter_table", "tie_matrix"]


def parameter_table(
    terms: Sequence[str],
    n_names: int,
    coefficients: Floats,
    covariance: Floats,
    confidence_level: float,
) -> pd.DataFrame:
    """Return term, estimate, std_error and interval; the first `n_names` terms are positive."""
    level = check_number(confidence_level, "confidence_level")
    error = np.sqrt(np.maximum(np.diag(covariance), 0.0))
    width = normal_quantile(level) * error
    positive = np.arange(len(terms)) < n_names
    estimate = np.where(positive, np.exp(np.where(positive, coefficients, 0.0)), coefficients)
    factor = np.exp(np.minimum(width, 600.0))
    return pd.DataFrame(
        {
            "term": list(terms),
            "estimate": estimate,
            "std_error": np.where(positive, estimate * error, error),
            "conf_low": np.where(positive, estimate / factor, coefficients - width),
            "conf_high": np.where(positive, estimate * factor, coefficients + width),
        }
    )


def covariance_table(
    terms: Sequence[str], n_names: int, coefficients: Floats, covariance: Floats
) -> pd.DataFrame:
    """Return the covariance of the estimates, one row and one column per term."""
    positive = np.arange(len(terms)) < n_names
    slope = np.where(positive, np.exp(np.where(positive, coefficients, 0.0)), 1.0)
    natural = covariance * np.outer(slope, slope)
    return pd.DataFrame({"term": list(terms), **dict(zip(terms, natural.T, strict=True))})


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
