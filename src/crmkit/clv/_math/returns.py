"""How many of a customer's purchases stay: a beta-binomial over customers.

A purchase of a customer stays with a probability that is Beta(a, b) across customers; k of n
stayed. ``a`` and ``b`` are the last two of the parameters.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from crmkit.clv._math.special import log_rising

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crmkit._typing import Bools, Floats, Ints

__all__ = ["draw_staying", "odds_of_staying", "p_stays", "simulate_kept", "stays_density"]


def stays_density(theta: Sequence[Any], k: Floats, n: Floats) -> Any:
    """Return ``ln B(a + k, b + n - k) - ln B(a, b)``, of the order in which they stayed or not."""
    *others, a, b = theta
    at = len(others)
    kept, back, all_of_them = log_rising(a, k), log_rising(b, n - k), log_rising(a + b, n)
    value = kept[0] + back[0] - all_of_them[0]
    gradient = {at: kept[1] - all_of_them[1], at + 1: back[1] - all_of_them[1]}
    hessian = {
        (at, at): kept[2] - all_of_them[2],
        (at, at + 1): -all_of_them[2],
        (at + 1, at + 1): back[2] - all_of_them[2],
    }
    return value, gradient, hessian


def p_stays(theta: Sequence[Any], k: Floats, n: Floats) -> Floats:
    """Posterior mean of the probability that a purchase stays."""
    a, b = theta[-2:]
    result: Floats = (a + k) / (a + b + n)
    return result


def odds_of_staying(theta: Sequence[Any], k: Floats, n: Floats) -> Floats:
    """Return the posterior odds that a purchase stays."""
    result: Floats = (theta[-2] + k) / (theta[-1] + n - k)
    return result


def draw_staying(
    theta: Sequence[Any], k: Floats, n: Floats, owner: Ints, rng: np.random.Generator
) -> Bools:
    """Draw whether a purchase of each `owner`, (e,), stays, of customers who kept k of n."""
    chance = rng.beta(theta[-2] + k, theta[-1] + n - k)
    result: Bools = rng.random(owner.size) < chance[owner]
    return result


def simulate_kept(
    theta: Sequence[Any], n: Floats, rng: np.random.Generator
) -> tuple[Floats, Floats, Floats]:
    """Draw whether the first of n purchases stays, how many of the others do, and each P(stays)."""
    chance = rng.beta(theta[-2], theta[-1], n.shape)
    first = (rng.random(n.size) < chance) & (n > 0.0)
    later = rng.binomial(np.maximum(n - 1.0, 0.0).astype(np.int64), chance)
    return first.astype(np.float64), later.astype(np.float64), chance
