"""What makes effects differ between customers, column by column."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy import special

from crmkit._arrays import adjust_p_values
from crmkit._checks import Problems
from crmkit._learn.levels import column_levels

if TYPE_CHECKING:
    from collections.abc import Callable

    from crmkit._learn.encoder import FeatureEncoder
    from crmkit._typing import Floats, Ints


__all__ = ["drivers_table"]

_PARTS, _LEVELS = 5, 8
# Customers a level needs to be compared, and rows on which columns are shuffled.
_FEWEST, _SHUFFLED = 20, 1000


def drivers_table(
    people: pd.DataFrame,
    encoder: FeatureEncoder,
    matrix: Floats,
    score: Floats,
    effect: Callable[[Ints, Floats], Floats],
    treatments: list[Any],
) -> pd.DataFrame:
    """Return one row per treatment and column, the one that matters most first.

    `score` (n, k) are doubly robust scores; ``effect(rows, matrix)`` gives the estimates (m, k) of
    some rows whose features were changed. Importance is Jansen's estimate of the total effect of a
    column, interactions included: half the mean squared change of the estimate when the column is
    drawn from somebody else, over its variance (Jansen 1999; Saltelli et al. 2010, table 2f). The
    test compares mean scores between parts of a column (Welch 1951) and asks no model.
    """
    at = np.unique(np.linspace(0, len(people) - 1, min(_SHUFFLED, len(people))).astype(np.int64))
    owner = np.asarray(encoder.feature_columns)
    as_is = effect(at, matrix[at])
    spread = as_is.var(axis=0)
    from_others = np.random.default_rng(0).permutation(at)
    rows = []
    for column in encoder.used_columns:
        block = np.flatnonzero(owner == column)
        changed = matrix[at].copy()
        changed[:, block] = matrix[from_others][:, block]
        moved = np.mean((effect(at, changed) - as_is) ** 2, axis=0) / 2
        codes, names = column_levels(people[column], Problems("customers"), column, _PARTS, _LEVELS)
        for a, treatment in enumerate(treatments):
            importance = moved[a] / spread[a] if spread[a] > 0 else 0.0
            p, low, high = _parts_apart(codes, score[:, a])
            rows.append(
                (
                    treatment, column, importance, p,
                    "" if low is None else names[low[0]], np.nan if low is None else low[1],
                    "" if high is None else names[high[0]], np.nan if high is None else high[1],
                )
            )  # fmt: skip
    table = pd.DataFrame(
        rows,
        columns=[
            "treatment", "variable", "importance", "p_value",
            "lowest_level", "lowest_uplift", "highest_level", "highest_uplift",
        ],
    )  # fmt: skip
    known = table["p_value"].notna()
    adjusted = np.full(len(table), np.nan)
    adjusted[known] = adjust_p_values(table.loc[known, "p_value"].to_numpy(), "bh")
    table.insert(4, "p_adjusted", adjusted)
    place = pd.Series(range(len(treatments)), index=pd.Index(treatments, dtype=object))
    order = np.lexsort((-table["importance"], table["treatment"].map(place)))
    return table.iloc[order].reset_index(drop=True)


def _parts_apart(
    codes: Ints, score: Floats
) -> tuple[float, tuple[int, float] | None, tuple[int, float] | None]:
    """Return Welch's p-value that all parts have one mean, and the lowest and highest part."""
    n = np.bincount(codes)
    mean = np.bincount(codes, weights=score) / np.maximum(n, 1)
    square = np.bincount(codes, weights=(score - mean[codes]) ** 2) / np.maximum(n - 1, 1)
    kept = np.flatnonzero((n >= _FEWEST) & (square > 0))
    if kept.size < 2:
        return np.nan, None, None
    weight = n[kept] / square[kept]
    share = weight / weight.sum()
    k, centre = kept.size, float(share @ mean[kept])
    loose = float(np.sum((1 - share) ** 2 / (n[kept] - 1)))
    between = float(weight @ (mean[kept] - centre) ** 2) / (k - 1)
    statistic = between / (1 + 2 * (k - 2) * loose / (k**2 - 1))
    p = float(special.fdtrc(k - 1, (k**2 - 1) / (3 * loose), statistic))
    low, high = kept[np.argmin(mean[kept])], kept[np.argmax(mean[kept])]
    return p, (int(low), float(mean[low])), (int(high), float(mean[high]))
