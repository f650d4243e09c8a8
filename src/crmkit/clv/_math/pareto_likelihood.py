"""Likelihood of the Pareto/NBD model (Schmittlein, Morrison and Colombo 1987).

Purchases at rate lambda ~ Gamma(r, alpha), dropout at rate mu ~ Gamma(s, beta). The likelihood is
that of being alive at T plus the integral, over the time y of dropout between t_x and T, of

    alpha^r beta^s s (alpha + y)^-(r + x) (beta + y)^-(s + 1).

The published closed form is a difference of hypergeometric functions that cancels and overflows;
the integral is a sum of positive terms. In ``w = ln((m + y) / (m + t_x))``, m = min(alpha, beta),
its singularities lie at least pi away from the real axis and its log is concave, so that 20
Gauss-Legendre nodes on the part that matters give all digits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from crmkit.clv._math.mixture import mixture
from crmkit.clv._math.special import gauss_legendre, log_rising, reach

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["counts_density", "p_alive", "times_density"]

FloatArray = NDArray[np.float64]
_NODES = 20
_BLOCK = 4096
# Where the integrand has fallen by e^-32 the rest is below the last digit.
_FALL = 32.0


def counts_density(theta: Sequence[Any], x: FloatArray) -> Any:
    """Return the term that depends on counts only: ``ln Gamma(r + x) / Gamma(r)``."""
    value, slope, curve = log_rising(theta[0], x)
    return value, {0: slope}, {(0, 0): curve}


def _terms(
    theta: Sequence[Any], x: FloatArray, t_x: FloatArray, T: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return times of dropout and logs of the terms, (n, 21); the last is being alive at T."""
    r, alpha, s, beta = theta
    least = np.minimum(alpha, beta)

    def drop(w: FloatArray) -> FloatArray:
        y = (least + t_x) * np.expm1(w)
        live = np.log1p(y / (alpha + t_x))
        return (r + x) * live + (s + 1.0) * np.log1p(y / (beta + t_x)) - w

    def slope(w: FloatArray) -> FloatArray:
        y = t_x + (least + t_x) * np.expm1(w)
        return (least + y) * ((r + x) / (alpha + y) + (s + 1.0) / (beta + y)) - 1.0

    end = reach(drop, slope, np.log1p((T - t_x) / (least + t_x)), fall=_FALL)
    nodes, weights = gauss_legendre(_NODES)
    w = end[:, None] * nodes
    y = np.empty((x.size, _NODES + 1))
    y[:, :-1] = t_x[:, None] + _column(least + t_x) * np.expm1(w)
    y[:, -1] = T
    r, alpha, s, beta = (_column(value) for value in theta)
    log = -r * np.log1p(y / alpha) - s * np.log1p(y / beta)
    log -= x[:, None] * np.log(alpha + y)
    # s dy / (beta + y) with dy = (m + y) dw; a gap of no length has no room for a dropout.
    room = np.log(np.maximum(end, 1e-300) * s.reshape(-1) * (least + t_x))
    log[:, :-1] += w + (room[:, None] + np.log(weights)) - np.log(beta + y[:, :-1])
    return y, log


def _column(value: Any) -> Any:
    """Return a parameter so that it broadcasts over (n, nodes)."""
    return np.reshape(value, (-1, 1))


def p_alive(theta: Sequence[Any], x: FloatArray, t_x: FloatArray, T: FloatArray) -> FloatArray:
    """P(alive at T | history), shape (n,): one against the odds of having dropped out."""
    result = np.empty_like(T)
    for start in range(0, T.size, _BLOCK):
        rows = slice(start, start + _BLOCK)
        block = [value[rows] if np.ndim(value) else value for value in theta]
        result[rows] = 1.0 / (1.0 + _dropout_odds(block, x[rows], t_x[rows], T[rows]))
    return result


def _dropout_odds(
    theta: Sequence[Any], x: FloatArray, t_x: FloatArray, T: FloatArray
) -> FloatArray:
    """Odds of a dropout in (t_x, T) against none, shape (n,).

    ``s Int ((alpha + T) / (alpha + y))^(r + x) ((beta + T) / (beta + y))^s dy / (beta + y)``, with
    what does not depend on y taken out at t_x. Shorter and flatter pieces need fewer nodes.
    """
    r, alpha, s, beta = theta
    least, most = np.minimum(alpha, beta) + t_x, np.maximum(alpha, beta) + t_x
    share, gap, first = least / most, T - t_x, alpha <= beta
    # The power of the parameter that is the scale of w, and of the other.
    own, other = np.where(first, r + x - 1.0, s), np.where(first, s + 1.0, r + x)

    def drop(w: FloatArray) -> FloatArray:
        return own * w + other * np.log1p(share * np.expm1(w))

    def slope(w: FloatArray) -> FloatArray:
        return own + other * share * np.exp(w) / (1.0 + share * np.expm1(w))

    end = reach(drop, slope, np.log1p(gap / least), fall=_FALL)
    fall = np.abs(drop(end))
    few = (fall < 6.0) & (end < 2.0)
    many = end >= 4.0
    area = np.empty_like(end)
    for n_nodes, rows in ((12, few), (20, ~(few | many)), (64, many)):
        steep, bent, ratio, length = own[rows], other[rows], share[rows], end[rows]
        total = np.zeros_like(length)
        for node, weight in zip(*gauss_legendre(n_nodes), strict=True):
            w = length * node
            total += weight * np.exp(-steep * w - bent * np.log1p(ratio * np.expm1(w)))
        area[rows] = total * length
    with np.errstate(over="ignore"):
        growth = np.exp((r + x) * np.log1p(gap / (alpha + t_x)) + s * np.log1p(gap / (beta + t_x)))
    result: FloatArray = growth * area * (s * least / (beta + t_x))
    return result


def times_density(theta: Sequence[Any], x: FloatArray, t_x: FloatArray, T: FloatArray) -> Any:
    """Return the terms that depend on times, with their derivatives."""
    y, log = _terms(theta, x, t_x, T)
    r, alpha, s, beta = (_column(parameter) for parameter in theta)
    inverse_a, inverse_b = 1.0 / (alpha + y), 1.0 / (beta + y)
    share_a, share_b = y * inverse_a / alpha, y * inverse_b / beta
    n = x[:, None]
    scores = [
        -np.log1p(y / alpha),
        r * share_a - n * inverse_a,
        -np.log1p(y / beta),
        s * share_b,
    ]
    curvatures = {
        (0, 1): share_a,
        (1, 1): inverse_a * (n * inverse_a - r * share_a) - (r / alpha) * share_a,
        (2, 2): np.zeros_like(y),
        (2, 3): share_b,
        (3, 3): -s * share_b * (inverse_b + 1.0 / beta),
    }
    # All terms but the last contain the density s / (beta + y) of the time of dropout.
    scores[2][:, :-1] += 1.0 / s
    scores[3][:, :-1] -= inverse_b[:, :-1]
    curvatures[2, 2][:, :-1] -= 1.0 / np.square(s)
    curvatures[3, 3][:, :-1] += np.square(inverse_b[:, :-1])
    return mixture(log, scores, curvatures)
