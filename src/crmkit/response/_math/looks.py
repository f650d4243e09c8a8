"""Looks at a campaign before its end: how far a difference must be from 0 at each of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import special

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crmkit._typing import Floats

__all__ = ["any_time_level", "any_time_p_value", "bounds", "looked_p_value", "needed_inflation"]

# Points at which the distribution of those who have not crossed a bound yet is kept.
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(80)


def bounds(shares: Sequence[float], alpha: float) -> list[float]:
    """Return the two-sided bounds of z at looks with these shares of the planned information.

    They spend alpha(t) = 4 (1 - Phi(z_(alpha / 4) / sqrt(t))) until share t: Lan and DeMets (1983),
    Biometrika 70, 659, the function like O'Brien and Fleming's. The distribution after each look is
    integrated as by Armitage, McPherson and Rowe (1969).
    """
    z = -special.ndtri(alpha / 4)
    spent = [4 * special.ndtr(-z / np.sqrt(share)) for share in shares]
    found: list[float] = []
    at, mass, before, last = np.zeros(1), np.ones(1), 0.0, 0.0
    for share, until in zip(shares, spent, strict=True):
        scale = np.sqrt(share - before)
        found.append(_bound(at, mass, np.sqrt(share), scale, until - last))
        at, mass = _carried(at, mass, found[-1] * np.sqrt(share), scale)
        before, last = share, until
    return found


def _bound(at: Floats, mass: Floats, root: float, scale: float, chance: float) -> float:
    """Return the bound of z that is crossed with a chance, from where the sum stood before."""

    def above(bound: float) -> float:
        outside = special.ndtr((at - bound * root) / scale)
        outside += special.ndtr((-bound * root - at) / scale)
        return float(outside @ mass) - chance

    from scipy import optimize

    return float(optimize.brentq(above, 0.0, 40.0, xtol=1e-8))


def looked_p_value(z: float, shares: Sequence[float]) -> float:
    """Return the least level at which |z| crosses the bound of the last look."""
    from scipy import optimize

    least, most = 1e-15, 1 - 1e-9

    def short(log_alpha: float) -> float:
        return bounds(shares, float(np.exp(log_alpha)))[-1] - abs(z)

    if short(np.log(most)) >= 0:
        return 1.0
    if short(np.log(least)) <= 0:
        return least
    return float(np.exp(optimize.brentq(short, np.log(least), np.log(most), xtol=1e-8)))


def _mixture(share: float, alpha: float) -> float:
    """Return information x variance of the mixture that is narrowest at the planned end."""
    return share * (-2 * np.log(alpha) + np.log(-2 * np.log(alpha) + 1))


def any_time_level(share: float, alpha: float) -> float:
    """Return the level of one look whose interval holds at all looks together, at any time.

    Robbins' normal mixture as an asymptotic confidence sequence: Waudby-Smith, Arbour, Sinha,
    Kennedy and Ramdas (2024), Annals of Statistics 52, 2613, eq. 9 and 10.
    """
    r = _mixture(share, alpha)
    z = np.sqrt((1 + 1 / r) * np.log((r + 1) / alpha**2))
    return float(1 - 2 * special.ndtr(-z))


def any_time_p_value(z: float, share: float, alpha: float) -> float:
    """Return the level at which the interval at any time ends at 0, with the same mixture."""
    r = _mixture(share, alpha)
    return float(min(np.sqrt(r + 1) * np.exp(-(z**2) / 2 * r / (r + 1)), 1.0))


def needed_inflation(looks: Sequence[float] | float, alpha: float, power: float) -> float:
    """Return by how much looks raise the information that is needed for a power.

    In a list the drift is that with which one of the bounds is crossed on the side of the effect;
    looks at any time count with the interval at the planned end, which is on the safe side.
    """
    from scipy import optimize

    single = float(special.ndtri(power) - special.ndtri(alpha / 2))
    if not isinstance(looks, (list, tuple)):
        least = -special.ndtri((1 - any_time_level(1.0, alpha)) / 2)
        return float(((least + special.ndtri(power)) / single) ** 2)
    limits = bounds(looks, alpha)

    def short(drift: float) -> float:
        at, mass, before, crossed = np.zeros(1), np.ones(1), 0.0, 0.0
        for share, limit in zip(looks, limits, strict=True):
            scale, edge = np.sqrt(share - before), limit * np.sqrt(share)
            moved = at + drift * (share - before)
            crossed += float(special.ndtr((moved - edge) / scale) @ mass)
            at, mass, before = *_carried(moved, mass, edge, scale), share
        return crossed - power

    return float((optimize.brentq(short, 0.1, 3 * single + 3) / single) ** 2)


def _carried(at: Floats, mass: Floats, edge: float, scale: float) -> tuple[Floats, Floats]:
    """Return points within the bounds, and the chance of each, after a step from where it was."""
    away = (edge * _NODES[:, None] - at) / scale
    density = np.exp(-(away**2) / 2) / (scale * np.sqrt(2 * np.pi))
    return edge * _NODES, edge * _WEIGHTS * (density @ mass)
