"""Measures of a rule from its four counts, by their standard names.

With n baskets, n_a of them with the antecedent, n_c with the consequent and n_ac with both. Where a
formula reads 0 / 0 the sides are independent (one is in every basket) and the measure takes its
value of independence; a positive number over zero is infinite.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from crmkit._arrays import starts
from crmkit.basket._math import hypergeometric

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from crmkit._typing import Floats, Ints


HYPER_LEVEL = 0.99  # the quantile of hyper-lift in Hahsler and Hornik (2007)


def _ratio(over: Floats, under: Floats, at_independence: float) -> Floats:
    """Divide; positive over zero is infinite, zero over zero the value of independence."""
    safe = np.where(under == 0, 1.0, under)
    edge = np.where(over > 0, np.inf, at_independence)
    return np.where(under == 0, edge, over / safe)


def _distinct_rows(*columns: Floats) -> tuple[Ints, Ints]:
    """Return a row of each distinct one, and for every row which distinct one it is."""
    group, size = np.zeros(len(columns[0]), dtype=np.int64), 1
    for column in columns:
        codes = column.astype(np.int64)
        codes -= codes.min(initial=np.iinfo(np.int64).max)
        width = int(codes.max(initial=0)) + 1
        if size * width >= 2**63:
            group = np.unique(group, return_inverse=True)[1]
            codes = np.unique(codes, return_inverse=True)[1]
            size = width = len(group)
        group, size = group * width + codes, size * width
    order = np.argsort(group)
    new = starts(group[order])
    which = np.empty(len(order), dtype=np.int64)
    which[order] = np.cumsum(new) - 1
    return order[new], which


def symmetric_measures(
    n: ArrayLike, n_a: ArrayLike, n_c: ArrayLike, n_ac: ArrayLike
) -> dict[str, Floats]:
    """Return the measures that do not tell antecedent from consequent, each of shape (m,)."""
    n, a, c, x = (np.asarray(value, dtype=np.float64) for value in (n, n_a, n_c, n_ac))
    excess = x * n - a * c
    either = a + c - x
    spread = a * (n - a) * c * (n - c)
    phi = _ratio(excess, np.sqrt(spread), 0.0)
    # rules share their counts with many others, and exact tails are dear
    first, which = _distinct_rows(n, a, c, x)
    p_value = hypergeometric.upper_tail(x[first], n[first], a[first], c[first])[which]
    first, which = _distinct_rows(n, a, c)
    chance = hypergeometric.quantile(HYPER_LEVEL, n[first], a[first], c[first])[which]
    return {
        "lift": x * n / (a * c),
        "leverage": excess / n**2,
        "cosine": x / np.sqrt(a * c),
        "jaccard": x / either,
        "kulczynski": (x / a + x / c) / 2,
        "imbalance_ratio": np.abs(a - c) / either,
        "odds_ratio": _ratio(x * (n - either), (a - x) * (c - x), 1.0),
        "phi": phi,
        "chi_squared": n * phi**2,
        "hyper_lift": _ratio(x, chance, 1.0),
        "hyper_confidence": 1 - p_value,
        "p_value": p_value,
    }


def directed_measures(
    n: ArrayLike, n_a: ArrayLike, n_c: ArrayLike, n_ac: ArrayLike
) -> dict[str, Floats]:
    """Return the measures of the rule from antecedent to consequent, each of shape (m,)."""
    n, a, c, x = (np.asarray(value, dtype=np.float64) for value in (n, n_a, n_c, n_ac))
    confidence = x / a
    excess = x * n - a * c
    gain = _ratio(excess, a * (n - c), 0.0)  # (confidence - P(c)) / (1 - P(c))
    loss = excess / (a * c)  # (confidence - P(c)) / P(c)
    return {
        "confidence": confidence,
        "conviction": _ratio(a * (n - c), n * (a - x), 1.0),
        "zhang": _ratio(excess, np.maximum(x * (n - a), a * (c - x)), 0.0),
        "certainty": np.where(excess > 0, gain, loss),
    }
