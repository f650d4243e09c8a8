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

from crmkit.clv._math.special import gauss_legendre, log_rising, reach

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["counts_density", "p_alive", "times_density"]

FloatArray = NDArray[np.float64]
_NODES = 20
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


def _shares(log: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return each term's share of the sum, and the log of the sum."""
    top = log.max(axis=1)
    shares = np.exp(log - top[:, None])
    total = shares.sum(axis=1)
    shares /= total[:, None]
    return shares, top + np.log(total)


def p_alive(theta: Sequence[Any], x: FloatArray, t_x: FloatArray, T: FloatArray) -> FloatArray:
    """P(alive at T | history), shape (n,): the share of the living in the likelihood."""
    shares: FloatArray = _shares(_terms(theta, x, t_x, T)[1])[0]
    return shares[:, -1]


def times_density(theta: Sequence[Any], x: FloatArray, t_x: FloatArray, T: FloatArray) -> Any:
    """Return the terms that depend on times, with the derivatives of a mixture.

    The gradient is the mean score of the terms; the Hessian is their mean curvature plus the
    covariance of their scores.
    """
    y, log = _terms(theta, x, t_x, T)
    shares, value = _shares(log)
    r, alpha, s, beta = (_column(parameter) for parameter in theta)
    inverse_a, inverse_b = 1.0 / (alpha + y), 1.0 / (beta + y)
    share_a, share_b = y * inverse_a / alpha, y * inverse_b / beta
    scores = [
        -np.log1p(y / alpha),
        r * share_a - x[:, None] * inverse_a,
        -np.log1p(y / beta),
        s * share_b,
    ]
    scores[2][:, :-1] += 1.0 / s
    scores[3][:, :-1] -= inverse_b[:, :-1]
    dead = 1.0 - shares[:, -1]

    def mean(*factors: FloatArray) -> FloatArray:
        result: FloatArray = np.einsum(
            ",".join(["ij"] * (1 + len(factors))) + "->i", shares, *factors
        )
        return result

    gradient = {j: mean(score) for j, score in enumerate(scores)}
    weighted = [shares * score for score in scores]
    hessian = {
        (j, k): np.einsum("ij,ij->i", weighted[j], scores[k]) - gradient[j] * gradient[k]
        for j in range(4)
        for k in range(j, 4)
    }
    hessian[0, 1] += mean(share_a)
    hessian[2, 3] += mean(share_b)
    hessian[1, 1] += mean(inverse_a * (x[:, None] * inverse_a - r * share_a)) - mean(share_a) * (
        r / alpha
    ).reshape(-1)
    hessian[2, 2] -= dead / np.square(s).reshape(-1)
    hessian[3, 3] -= mean(share_b * inverse_b) * s.reshape(-1)
    hessian[3, 3] -= mean(share_b) * (s / beta).reshape(-1)
    hessian[3, 3] += np.einsum("ij,ij->i", shares[:, :-1], np.square(inverse_b[:, :-1]))
    return value, gradient, hessian
