"""The value of a rule of contact, row by row."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from crmkit._typing import Floats, Ints


__all__ = ["policy_scores", "treated_share"]


def treated_share(score: Floats, share: float) -> Floats:
    """Return each row's chance to be treated if the best `share` are, (n,).

    Rows of equal score on the edge are treated with one chance, so that all chances add up.
    """
    n = score.size
    room = share * n
    ordered = np.sort(score)[::-1]
    edge = ordered[min(max(int(np.ceil(room)) - 1, 0), n - 1)]
    above, on = score > edge, score == edge
    left = max(room - float(above.sum()), 0.0)
    return np.where(above, 1.0, np.where(on, left / on.sum(), 0.0))


def policy_scores(
    rule: Floats, arm: Ints, outcome: Floats, chance: float, means: Floats | None
) -> Floats:
    """Return scores whose mean is the value of a rule, (n,).

    `rule` (n,) is the chance to be treated under it. Without `means` Horvitz and Thompson's
    inverse-propensity scores; with means (n, 2) of control and treated the doubly robust ones,
    mean + (outcome - mean) / chance for the arm a row was in (Athey and Wager 2021, eq. 5).
    """
    treated = arm == 1
    if means is None:
        one = np.where(treated, outcome / chance, 0.0)
        other = np.where(treated, 0.0, outcome / (1 - chance))
    else:
        one = means[:, 1] + np.where(treated, (outcome - means[:, 1]) / chance, 0.0)
        other = means[:, 0] + np.where(treated, 0.0, (outcome - means[:, 0]) / (1 - chance))
    return np.asarray(rule * one + (1 - rule) * other)
