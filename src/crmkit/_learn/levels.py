"""Columns of any kind as a few named levels, so that groups of customers can be compared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._arrays import rank_bins
from crmkit._frames import sorted_codes
from crmkit._kinds import column_kind
from crmkit._learn.terms import MISSING, OTHER, level_text, read_numbers

if TYPE_CHECKING:
    from collections.abc import Iterable

    from crmkit._checks import Problems
    from crmkit._typing import Floats, Ints


__all__ = ["MISSING", "OTHER", "column_levels", "level_text", "number_levels", "number_texts"]

_MOST_DIGITS = 17


def column_levels(
    series: pd.Series[Any], problems: Problems, column: str, n_bins: int, max_levels: int
) -> tuple[Ints, list[str]]:
    """Return a level code per row, shape (n,), and the levels' names in their natural order.

    Numbers with at most `n_bins` distinct values are their own levels; others are cut into
    `n_bins` parts of equal size that keep equal values together, named by their lowest and
    highest value. Of more than `max_levels` words the rarest are pooled as ``(other)``. Missing
    values are a level; so are all values of a date column that is not numbers or words.
    """
    if column_kind(series) in ("numbers", "flags"):
        codes, names = number_levels(read_numbers(series, problems, column), n_bins)
    else:
        codes, names = _word_levels(series, problems, column, max_levels)
    if (codes < 0).any():
        codes = np.where(codes < 0, len(names), codes)
        names = [*names, MISSING]
    return codes, names


def number_texts(values: Iterable[float], digits: int = 4) -> list[str]:
    """Write numbers, whole ones in full, with as many digits as tell different ones apart."""
    numbers = [float(value) for value in values]
    several = len(set(numbers))
    for shown in range(digits, _MOST_DIGITS):
        texts = [f"{n:.0f}" if n.is_integer() else f"{n:.{shown}g}" for n in numbers]
        if len(set(texts)) == several:
            return texts
    return [f"{n:.0f}" if n.is_integer() else repr(n) for n in numbers]


def number_levels(values: Floats, n_bins: int) -> tuple[Ints, list[str]]:
    """Cut numbers (n,) into bins named by the lowest and highest value they hold; -1 for NaN."""
    codes = np.full(len(values), -1, dtype=np.int64)
    known = np.isfinite(values)
    present = values[known]
    distinct = np.unique(present)
    if distinct.size <= n_bins:
        codes[known] = np.searchsorted(distinct, present)
        return codes, number_texts(distinct, 6)
    _, bins = np.unique(rank_bins(present, n_bins), return_inverse=True)
    codes[known] = bins
    low = np.full(bins.max() + 1, np.inf)
    high = -low
    np.minimum.at(low, bins, present)
    np.maximum.at(high, bins, present)
    texts = number_texts(np.r_[low, high])
    pairs = zip(texts[: low.size], texts[low.size :], strict=True)
    return codes, [a if a == b else f"{a} to {b}" for a, b in pairs]


def _word_levels(
    series: pd.Series[Any], problems: Problems, column: str, max_levels: int
) -> tuple[Ints, list[str]]:
    """Return words as levels, by name or as their type orders them, the rarest of many pooled."""
    try:
        codes, distinct = sorted_codes(series)
        if isinstance(series.dtype, pd.CategoricalDtype) and series.dtype.ordered:
            used = series.cat.remove_unused_categories().cat
            codes, distinct = np.asarray(used.codes, dtype=np.int64), used.categories
    except TypeError:
        problems.add(f"column {column!r} holds lists or other containers. Leave it out.")
        return np.zeros(len(series), dtype=np.int64), [OTHER]
    names = [level_text(value) for value in distinct]
    if len(names) <= max_levels:
        return codes, names
    counts = np.bincount(codes[codes >= 0], minlength=len(names))
    ranked = sorted(range(len(names)), key=lambda at: (-counts[at], names[at]))
    kept = sorted(ranked[: max_levels - 1])
    place = np.full(len(names) + 1, len(kept), dtype=np.int64)
    place[kept] = np.arange(len(kept))
    place[-1] = -1
    return place[codes], [*(names[at] for at in kept), OTHER]
