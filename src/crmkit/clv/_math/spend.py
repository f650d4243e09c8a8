"""The gamma-gamma model of spend (Fader and Hardie 2013).

A customer's purchases are Gamma(p, nu) with nu ~ Gamma(q, v); z is the mean of x of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import special

from crmkit.clv._math.special import log_beta, log_rising

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crmkit._typing import Floats, Ints

__all__ = ["counts_density", "draw_amounts", "expected_spend", "simulate_spend", "spend_density"]


def counts_density(theta: Sequence[Any], x: Floats) -> Any:
    """Terms that depend on the number of purchases only: ``-ln B(p x, q)`` (eq. 1a)."""
    p, q = theta[:2]
    s = p * x
    by_s, by_q = log_rising(s, q), log_rising(q, s)
    hessian = {
        (0, 0): x**2 * by_s[2],
        (0, 1): x * special.polygamma(1, s + q),
        (1, 1): by_q[2],
    }
    return -log_beta(s, q), {0: x * by_s[1], 1: by_q[1]}, hessian


def spend_density(theta: Sequence[Any], x: Floats, z: Floats) -> Any:
    """Return the rest, with u = x z: ``q ln v / (u + v) + p x ln u / (u + v) - ln z``."""
    p, q, v = theta[:3]
    u = x * z
    inverse = 1.0 / (u + v)
    low, high = -np.log1p(u / v), -x * np.log1p(v / u)
    share = u / v * inverse
    gradient = {0: high, 1: low, 2: q * share - p * x * inverse}
    hessian = {
        (0, 2): -x * inverse,
        (1, 2): share,
        (2, 2): p * x * inverse**2 - q * share * (1.0 / v + inverse),
    }
    return q * low + p * high - np.log(z), gradient, hessian


def expected_spend(theta: Sequence[Any], x: Floats, z: Floats) -> Floats:
    """Posterior mean of a customer's spend per purchase (eq. 5); infinite if p x + q <= 1."""
    p, q, v = theta[:3]
    mass = p * x + q - 1.0
    mean = p * (v + x * z) / np.where(mass > 0.0, mass, 1.0)
    return np.where(mass > 0.0, mean, np.inf)


def draw_amounts(
    theta: Sequence[Any], x: Floats, z: Floats, owner: Ints, rng: np.random.Generator
) -> Floats:
    """Draw the amount of a purchase of each `owner`, (e,), one of n customers with x and z."""
    p, q, v = theta[:3]
    scale = np.maximum(rng.gamma(p * x + q), 1e-300) / (v + x * z)
    shape = np.broadcast_to(p, x.shape)[owner]
    return np.asarray(rng.gamma(shape) / scale[owner], dtype=np.float64)


def simulate_spend(
    theta: Sequence[Any], counts: Sequence[Floats], rng: np.random.Generator
) -> tuple[list[Floats], Floats]:
    """Draw the sums of so many purchases of a customer, and each customer's true mean spend."""
    p, q, v = theta[:3]
    scale = rng.gamma(np.broadcast_to(q, counts[0].shape), 1.0) / v
    sums = [np.where(n > 0, rng.gamma(np.maximum(p * n, 1e-300)) / scale, 0.0) for n in counts]
    return sums, p / scale
