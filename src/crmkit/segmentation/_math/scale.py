"""A scale on which a few far values do not decide."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from crmkit._typing import Floats


__all__ = ["robust_unit", "squash"]

# How many standard deviations of a normal lie between its 5 % and its 95 % quantile.
_NORMAL_RANGE = 3.2897
_STRAIGHT = 3.0


def robust_unit(matrix: Floats) -> tuple[Floats, Floats]:
    """Return the centre and the unit of each column of `matrix`, (n, p), both of shape (p,).

    Median, and the range of the inner nine tenths in units of which a normal has deviation 1.
    Columns of at most two values stay as they are; one that hardly ever varies has its deviation.
    """
    low, centre, high = np.quantile(matrix, [0.05, 0.5, 0.95], axis=0)
    unit = (high - low) / _NORMAL_RANGE
    unit = np.where(unit > 0, unit, matrix.std(axis=0))
    ends = (matrix == matrix.min(axis=0)) | (matrix == matrix.max(axis=0))
    as_it_is = ends.all(axis=0) | (unit == 0)
    return np.where(as_it_is, 0.0, centre), np.where(as_it_is, 1.0, unit)


def squash(matrix: Floats, centre: Floats, unit: Floats) -> Floats:
    """Write each column in its units from its centre, beyond three of them as a logarithm.

    Straight where nearly all values lie, so that what crosses zero keeps its shape; far values
    stay apart, but ten times as far is not ten times as much.
    """
    away = (matrix - centre) / unit
    far = np.maximum(np.abs(away) - _STRAIGHT, 0.0)
    return np.sign(away) * (np.abs(away) - far + np.log1p(far))
