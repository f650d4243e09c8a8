"""Gamma-function differences that keep their digits, and quadrature rules for smooth mixtures."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike

    from crmkit._typing import Floats

__all__ = [
    "LOG_NOTHING",
    "alive_times",
    "beta_rule",
    "gauss_legendre",
    "log_beta",
    "log_rise",
    "log_rising",
    "reach",
]


# Above this argument three terms of Stirling's series are exact to the last digit.
_LARGE = 1e3
# Terms this far below the largest, in logs, add nothing to a sum.
LOG_NOTHING = 40.0


def log_rising(p: ArrayLike, n: ArrayLike) -> tuple[Floats, Floats, Floats]:
    """Return ``ln Gamma(p + n) - ln Gamma(p)`` and its first two derivatives in p.

    A difference of two gammaln loses all digits for large p, which is where a fit goes whose
    optimum lies on a boundary; Stirling's series is differenced by hand there.
    """
    p, n = np.asarray(p, dtype=np.float64), np.asarray(n, dtype=np.float64)
    large = p > _LARGE
    if large.all():
        return _stirling(p, n)
    q = np.where(large, 1.0, p)
    exact = (
        special.gammaln(q + n) - special.gammaln(q),
        special.digamma(q + n) - special.digamma(q),
        special.polygamma(1, q + n) - special.polygamma(1, q),
    )
    if not large.any():
        return exact
    series = _stirling(np.where(large, p, _LARGE), n)
    value, slope, curve = (np.where(large, s, e) for s, e in zip(series, exact, strict=True))
    return value, slope, curve


def log_rise(p: ArrayLike, n: ArrayLike) -> Floats:
    """Return the value of `log_rising` alone: the derivatives cost ten times as much."""
    p, n = np.asarray(p, dtype=np.float64), np.asarray(n, dtype=np.float64)
    large = p > _LARGE
    q = np.where(large, 1.0, p)
    exact: Floats = special.gammaln(q + n) - special.gammaln(q)
    if not large.any():
        return exact
    return np.where(large, _stirling(np.where(large, p, _LARGE), n)[0], exact)


def _stirling(p: Floats, n: Floats) -> tuple[Floats, Floats, Floats]:
    """`log_rising` for large p."""
    z = p + n
    growth = np.log1p(n / p)
    first = -n / (p * z)
    value = n * np.log(p) + (z - 0.5) * growth - n + first / 12.0
    value -= (z**-3 - p**-3) / 360.0
    slope = growth - first / 2.0 + n * (p + z) / (12.0 * p**2 * z**2)
    curve = first - n * (p + z) / (2.0 * p**2 * z**2) + (z**-3 - p**-3) / 6.0
    return value, slope, curve


def log_beta(a: ArrayLike, b: ArrayLike) -> Floats:
    """``ln B(a, b)`` without cancellation when one argument is large."""
    small, large = np.minimum(a, b), np.maximum(a, b)
    value: Floats = special.gammaln(small) - log_rise(large, small)
    return value


def alive_times(p_alive: Floats, mean: Floats) -> Floats:
    """Return P(alive) times a mean given alive, which may be infinite; 0 for who is surely gone."""
    return p_alive * np.where(p_alive > 0.0, mean, 0.0)


def beta_rule(a: ArrayLike, b: ArrayLike, n_nodes: int = 240) -> tuple[Floats, ...]:
    """Nodes p, 1 - p and weights for expectations over p ~ Beta(a, b); a, b of shape (n,).

    The trapezoidal rule on the logit axis, where the density is log-concave and analytic in a
    strip: its error falls exponentially, whatever a and b. Beyond the last nodes a smooth
    function of p is constant and the density geometric, so both tails are summed in closed form.
    Returns three arrays of shape (n, n_nodes); the weights of a row add up to one.
    """
    a = np.asarray(a, dtype=np.float64)[:, None]
    b = np.asarray(b, dtype=np.float64)[:, None]
    mode = np.log(a) - np.log(b)
    log_share, log_rest = -np.logaddexp(0.0, -mode), -np.logaddexp(0.0, mode)

    # How far ln p^a (1 - p)^b falls at a distance d from its mode; near it, without cancellation.
    def drop(d: Floats) -> Floats:
        near = np.clip(d, -1.0, 1.0)
        is_near = near == d
        down = np.log1p(np.exp(log_rest) * np.expm1(-near))
        up = np.log1p(np.exp(log_share) * np.expm1(near))
        down = np.where(is_near, down, np.logaddexp(log_share, log_rest - d))
        up = np.where(is_near, up, np.logaddexp(log_rest, log_share + d))
        return a * down + b * up

    def slope(d: Floats) -> Floats:
        return b * special.expit(mode + d) - a * special.expit(-mode - d)

    end = LOG_NOTHING + np.abs(mode)
    low, high = reach(drop, slope, -end), reach(drop, slope, end)
    step = (high - low) / (n_nodes - 1)
    d = low + step * np.arange(n_nodes)
    weight = np.exp(-drop(d))
    weight[:, :1] /= -np.expm1(-a * step)
    weight[:, -1:] /= -np.expm1(-b * step)
    weight /= weight.sum(axis=1, keepdims=True)
    return special.expit(mode + d), special.expit(-mode - d), weight


def reach(
    drop: Callable[[Floats], Floats],
    slope: Callable[[Floats], Floats],
    end: Floats,
    *,
    steps: int = 300,
    fall: float = LOG_NOTHING,
) -> Floats:
    """Return how far towards `end` a log-concave function is worth integrating.

    `drop` is how far its log lies below a reference; it may `fall` that far. Newton's method on
    a convex function comes down from outside, so that it may stop when it is near.
    """
    for _ in range(steps):
        excess = drop(end) - fall
        outside = excess > 1.0
        if not outside.any():
            break
        end = end - np.where(outside, excess / np.where(outside, slope(end), 1.0), 0.0)
    return end


@cache
def gauss_legendre(n_nodes: int) -> tuple[Floats, Floats]:
    """Nodes and weights of the Gauss-Legendre rule on (0, 1)."""
    nodes, weights = np.polynomial.legendre.leggauss(n_nodes)
    return (nodes + 1.0) / 2.0, weights / 2.0
