"""Whether a base buys as steadily as a model of new customers says: season and drift.

Each test adds up, customer by customer, what was bought beyond what was expected in some periods,
and holds the sum against the spread of the customers' own sums: however much they differ, and
however long a run of purchases is, customers do not depend on one another.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

if TYPE_CHECKING:
    from collections.abc import Callable

    from crmkit._typing import Bools, Floats, Ints

__all__ = ["Base", "drift", "season"]

_YEAR = 365.25


@dataclass(frozen=True, slots=True)
class Base:
    """Repeat purchases of n customers in k periods.

    ``expected(j)`` returns what each of m kinds of customers is expected to buy in period j, (m,);
    ``kind`` (n,) tells of which kind each is; ``buyer`` and ``period`` (e,) are of each purchase.
    """

    expected: Callable[[int], Floats]
    kind: Ints
    buyer: Ints
    period: Ints
    n_periods: int

    def actual(self) -> Floats:
        """Return the purchases of each period, (k,)."""
        return np.bincount(self.period, minlength=self.n_periods).astype(np.float64)

    def foreseen(self) -> Floats:
        """Return the expected purchases of each period, (k,)."""
        count = np.bincount(self.kind)
        return np.array([count @ self.expected(j) for j in range(self.n_periods)])

    def beyond(self, weight: Floats, level: Floats) -> Floats:
        """Add up each customer's purchases less those expected, times `level` (k,): (n, q).

        Period j counts ``weight[j]``, shape (k, q).
        """
        total = np.array(
            [np.bincount(self.buyer, w[self.period], self.kind.size) for w in weight.T]
        ).T
        below = np.zeros((int(self.kind.max()) + 1, weight.shape[1]))
        for j in range(self.n_periods):
            below += np.outer(self.expected(j), level[j] * weight[j])
        return total - below[self.kind]


def drift(base: Base, holdout: Bools) -> tuple[float, float]:
    """Return how many more were bought than expected in held-out periods, and its p-value.

    As a share, over the same share of the periods before; a wrong level of the model is no drift.
    """
    actual, foreseen = base.actual(), base.foreseen()
    before, after = (float(foreseen[part].sum()) for part in (~holdout, holdout))
    bought = float(actual[~holdout].sum())
    if not (bought > 0.0 and before > 0.0 and after > 0.0):
        return float("nan"), float("nan")
    weight = np.where(holdout, 1.0, -after / before)[:, None]
    own = base.beyond(weight, np.ones(holdout.size))[:, 0]
    size = float(own.sum() / np.sqrt(own @ own)) if (own != 0.0).any() else 0.0
    share = actual[holdout].sum() / after / (bought / before) - 1.0
    return float(share), float(2.0 * special.ndtr(-abs(size)))


def season(base: Base, middle: Floats, holdout: Bools) -> tuple[float, float]:
    """Return how far a yearly season goes above and below the mean, as a share, and its p-value.

    Two waves a year on the logarithm of the purchases, beside a level, a trend, a bend and a step
    where the held-out periods begin, by a score test; `middle` (k,) is the day in the middle of
    each period.
    """
    actual, foreseen = base.actual(), base.foreseen()
    t = 2.0 * (middle - middle[0]) / (middle[-1] - middle[0]) - 1.0
    angle = 2.0 * np.pi * middle[:, None] * np.array([1.0, 2.0]) / _YEAR
    steps = [holdout.astype(np.float64)] if holdout.any() and not holdout.all() else []
    smooth = np.column_stack([np.ones_like(t), t, t**2, *steps])
    waves = np.hstack([np.cos(angle), np.sin(angle)])
    level = _fitted(smooth, actual, foreseen)
    both = np.hstack([smooth, waves])
    information = both.T @ (both * (foreseen * level)[:, None])
    q = smooth.shape[1]
    carried = np.linalg.solve(information[:q, :q], information[:q, q:])
    own = base.beyond(both, level)
    own = own[:, q:] - own[:, :q] @ carried
    score, spread = own.sum(axis=0), own.T @ own
    size = float(score @ np.linalg.pinv(spread) @ score)
    left = information[q:, q:] - information[q:, :q] @ carried
    wave = np.exp(waves @ np.linalg.solve(left, score))
    return float(np.ptp(wave) / 2.0), float(special.chdtrc(waves.shape[1], size))


def _fitted(smooth: Floats, actual: Floats, foreseen: Floats) -> Floats:
    """Return the level (k,), log-linear in `smooth`, that fits the purchases best (Poisson)."""
    beta = np.zeros(smooth.shape[1])
    beta[0] = np.log(actual.sum() / foreseen.sum())
    for _ in range(30):
        mean = foreseen * np.exp(smooth @ beta)
        step = np.linalg.solve(smooth.T @ (smooth * mean[:, None]), smooth.T @ (actual - mean))
        beta += np.clip(step, -1.0, 1.0)
        if np.abs(step).max() < 1e-9:
            break
    level: Floats = np.exp(smooth @ beta)
    return level
