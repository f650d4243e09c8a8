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
    rule: Floats, arm: Ints, outcome: Floats, chance: Floats | None, means: Floats | None
) -> tuple[float, Floats]:
    """Return the value of a rule and what each row adds to its error, (n,).

    `rule` (n, k) is the chance of each arm under it, `chance` (k,) that of the campaign. Without
    `means` Horvitz and Thompson's inverse-propensity estimate; with means (n, k) of the arms the
    doubly robust one, mean + (outcome - mean) / chance for the arm a row was in (Athey and Wager
    2021, eq. 5). Where `chance` is None it is the share of each arm, and what is estimated are
    means within arms: what a row adds is then told against its arm, which makes errors smaller, not
    larger (Hirano, Imbens and Ridder 2003).
    """
    at, k = np.arange(arm.size), rule.shape[1]
    size = np.bincount(arm, minlength=k)
    share = size / arm.size if chance is None else chance
    guess = np.zeros(rule.shape) if means is None else means
    predicted = (rule * guess).sum(axis=1)
    correction = rule[at, arm] * (outcome - guess[at, arm]) / share[arm]
    centre = np.full(arm.size, correction.mean())
    if chance is None:
        centre = (np.bincount(arm, weights=correction, minlength=k) / np.maximum(size, 1))[arm]
    influence = predicted - predicted.mean() + correction - centre
    return float(predicted.mean() + correction.mean()), influence
