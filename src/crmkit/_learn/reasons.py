"""Which columns raise a customer's chance, and by how much."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy import special

from crmkit._progress import steps

if TYPE_CHECKING:
    from collections.abc import Callable

    from crmkit._learn.scorer import Scorer
    from crmkit._typing import Floats, Ints

__all__ = ["linear_shares", "reasons_frame", "sampled_shares"]

_EDGE = 1e-12


def linear_shares(scorer: Scorer, matrix: Floats) -> Floats | None:
    """Return what each column adds to the log odds of each row, shape (n, k); None if not linear.

    For a logistic regression that is coefficient times distance from the mean it was learned on,
    which is Shapley's value with the other columns drawn apart (Lundberg and Lee 2017, corollary
    1); a sigmoid calibration stretches it.
    """
    coefficients = scorer.coefficients
    if coefficients is None:
        return None
    columns, owner = np.unique(scorer.encoder.feature_columns, return_inverse=True)
    place = np.array([scorer.encoder.used_columns.index(name) for name in columns])[owner]
    parts = (matrix - np.asarray(scorer.means)) * coefficients
    shares = np.zeros((len(matrix), len(scorer.encoder.used_columns)))
    np.add.at(shares.T, place, parts.T)
    return shares


def sampled_shares(
    log_odds: Callable[[Floats], Floats],
    matrix: Floats,
    background: Floats,
    blocks: list[Ints],
    *,
    rng: np.random.Generator,
    n_orders: int,
    progress: bool,
) -> Floats:
    """Return what each block of columns adds to `log_odds` of each row, shape (n, k).

    Columns change one after another from those of a background row to the row's own, in orders
    drawn at random, each followed by its reverse (Castro, Gomez and Tejada 2009; antithetic as in
    Mitchell et al. 2022). The shares of a row add up to its log odds less the mean of the
    background rows used.
    """
    shares = np.zeros((len(matrix), len(blocks)))
    drawn = [rng.permutation(len(blocks)) for _ in range(n_orders)]
    orders = [order for one in drawn for order in (one, one[::-1])]
    start = rng.integers(0, len(background), len(matrix))
    for number, order in enumerate(steps(orders, "reasons", progress)):
        changed = background[(start + number // 2) % len(background)]
        before = log_odds(changed)
        for block in order:
            changed[:, blocks[block]] = matrix[:, blocks[block]]
            after = log_odds(changed)
            shares[:, block] += after - before
            before = after
    return shares / max(len(orders), 1)


def reasons_frame(
    keys: pd.DataFrame, customers: pd.DataFrame, columns: list[str], shares: Floats,
    chance: Floats, n_reasons: int,
) -> pd.DataFrame:  # fmt: skip
    """List of each row the columns that raise its chance most, the largest first."""
    shown = min(n_reasons, len(columns))
    best = np.argsort(-shares, axis=1, kind="stable")[:, :shown]
    row = np.repeat(np.arange(len(keys)), shown)
    place = best.ravel()
    added = shares[row, place]
    kept = added > 0
    row, place, added = row[kept], place[kept], added[kept]
    odds = special.logit(np.clip(chance[row], _EDGE, 1 - _EDGE))
    table = keys.take(row).reset_index(drop=True)
    first = np.searchsorted(row, row)
    level = np.empty(row.size, dtype=object)
    for number, column in enumerate(columns):
        mine = place == number
        cells = customers[column].take(row[mine])
        level[mine] = [_text(cell) for cell in cells]
    return table.assign(
        rank=np.arange(row.size) - first + 1,
        variable=np.asarray(columns, dtype=object)[place],
        level=level,
        contribution=added,
        chance_added=chance[row] - special.expit(odds - added),
    )


def _text(cell: Any) -> str:
    """Write a cell as a person would."""
    if pd.isna(cell):
        return "(missing)"
    return f"{cell:.4g}" if isinstance(cell, (float, np.floating)) else str(cell)
