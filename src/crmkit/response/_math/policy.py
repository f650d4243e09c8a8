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
    rule: Floats, arm: Ints, outcome: Floats, chance: float | None, means: Floats | None
) -> tuple[float, Floats]:
    """Return the value of a rule and what each row adds to its error, (n,).

    `rule` (n,) is the chance to be treated under it. Without `means` Horvitz and Thompson's
    inverse-propensity estimate; with means (n, 2) of control and treated the doubly robust one,
    mean + (outcome - mean) / chance for the arm a row was in (Athey and Wager 2021, eq. 5). Where
    `chance` is None it is the share treated, and both are means within arms: what a row adds is
    then told against its arm, which makes errors smaller, not larger (Hirano, Imbens and Ridder
    2003).
    """
    treated = arm == 1
    share = float(treated.mean()) if chance is None else chance
    guess = np.zeros((arm.size, 2)) if means is None else means
    predicted = rule * guess[:, 1] + (1 - rule) * guess[:, 0]
    correction = np.where(
        treated,
        rule * (outcome - guess[:, 1]) / share,
        (1 - rule) * (outcome - guess[:, 0]) / (1 - share),
    )
    centre = np.full(arm.size, correction.mean())
    if chance is None:
        centre = np.where(treated, correction[treated].mean(), correction[~treated].mean())
    influence = predicted - predicted.mean() + correction - centre
    return float(predicted.mean() + correction.mean()), influence
