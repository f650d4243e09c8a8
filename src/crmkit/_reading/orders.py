"""Amounts of whole orders among the lines of each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from crmkit._typing import Floats, Ints

__all__ = ["among_lines", "once"]


def once(values: Floats, order: Ints) -> Floats:
    """Return amounts that stand on one or all lines of an order on its first line only."""
    again = pd.Series(order).duplicated().to_numpy() & (order >= 0)
    return np.where(again, 0.0, values)


def among_lines(order: Ints, values: Floats, weight: Floats) -> Floats:
    """Share what the lines of an order hold together among them, by weight; evenly without any."""
    codes = np.where(order >= 0, order, order.max(initial=-1) + 1 + np.arange(len(order)))
    _, codes = np.unique(codes, return_inverse=True)
    whole = np.bincount(codes, weights=np.nan_to_num(values))
    weights, lines = np.bincount(codes, weights=weight), np.bincount(codes)
    part = np.where(
        weights[codes] > 0, weight / np.where(weights > 0, weights, 1.0)[codes], 1.0 / lines[codes]
    )
    known = np.bincount(codes, weights=np.isfinite(values))[codes] > 0
    return np.where(known, whole[codes] * part, np.nan)
