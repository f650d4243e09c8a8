"""Likelihood of the beta-geometric purchase models.

Purchases arrive with Erlang-k gaps whose stages have rate lambda ~ Gamma(r, alpha); after each
repeat purchase (modified models: after the first purchase too) the customer drops out with
probability p ~ Beta(a, b). k = 1 is BG/NBD (Fader, Hardie and Lee 2005, eq. 6) or MBG/NBD
(Batislam, Denizel and Filiztekin 2007, eq. 4); k > 1 is (M)BG/CNBD-k (Reutterer, Platzer and
Schroeder 2021). The likelihood of a customer is a sum of positive terms: alive in one of the k
stages, or dropped out with the last purchase.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from crmkit.clv._math.special import log_rising

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crmkit._typing import Floats

__all__ = ["Alive", "alive_stages", "counts_density", "p_alive", "stage_weights", "times_density"]

_BLOCK = 4096


@dataclass(frozen=True, slots=True)
class Alive:
    """ln of the density of being alive, over ``Gamma(r + k x) / Gamma(r)``, and derivatives."""

    value: Floats
    r: Floats
    alpha: Floats
    rr: Floats
    r_alpha: Floats
    alpha_alpha: Floats
    stages: Floats | None  # probabilities of the stages, shape (k, n)


def counts_density(theta: Sequence[Any], n: Floats, m: Floats) -> Any:
    """Terms that depend on counts only: n = k x stages and m = x (+ 1) survived chances.

    ``ln Gamma(r + n) / Gamma(r) + ln B(a, b + m) / B(a, b)``.
    """
    r, _, a, b = theta
    gamma = log_rising(r, n)
    upper, lower = log_rising(b, m), log_rising(a + b, m)
    gradient = {0: gamma[1], 2: -lower[1], 3: upper[1] - lower[1]}
    hessian = {(0, 0): gamma[2], (2, 2): -lower[2], (2, 3): -lower[2], (3, 3): upper[2] - lower[2]}
    return gamma[0] + upper[0] - lower[0], gradient, hessian


def _poisson(r: Any, alpha: Any, n: Floats, t: Floats) -> tuple[Floats, ...]:
    """``r ln alpha - (r + n) ln(alpha + t)`` and its derivatives, stable for large alpha."""
    inverse = 1.0 / (alpha + t)
    share = t * inverse / alpha
    growth = -np.log1p(t / alpha)
    return (
        (r + n) * growth - n * np.log(alpha),
        growth,
        r * share - n * inverse,
        share,
        n * inverse**2 - r * share * (1.0 / alpha + inverse),
    )


def alive_stages(r: Any, alpha: Any, n: Floats, gap: Floats, T: Floats, *, k: int) -> Alive:
    """Density of no purchase in the `gap` before T: stage 0, ..., or k - 1 is running.

    ``sum_j Gamma(r + n + j) / Gamma(r + n) gap^j / j! alpha^r (alpha + T)^-(r + n + j)``.
    """
    value, r1, a1, ra, aa = _poisson(r, alpha, n, T)
    if k == 1:
        return Alive(value, r1, a1, np.zeros_like(value), ra, aa, None)
    log_gap = np.log(np.maximum(gap, 1e-300)) - np.log(alpha + T)
    inverse = 1.0 / (alpha + T)
    logs, slopes, curves = [np.zeros_like(value)], [np.zeros_like(value)], [np.zeros_like(value)]
    for j in range(1, k):
        rate = r + n + (j - 1)
        logs.append(logs[-1] + np.log(rate) + log_gap - np.log(j))
        slopes.append(slopes[-1] + 1.0 / rate)
        curves.append(curves[-1] - 1.0 / rate**2)
    log = np.stack(logs)
    top = log.max(axis=0)
    stages = np.exp(log - top)
    scale = stages.sum(axis=0)
    stages /= scale
    index = np.arange(k)[:, None]
    slope, curve = np.stack(slopes), np.stack(curves)
    # Mixture of the stages: mean score, and mean curvature plus covariance of the scores.
    mean_r, mean_j = (stages * slope).sum(axis=0), (stages * index).sum(axis=0)
    dr, dj = slope - mean_r, index - mean_j
    return Alive(
        value + top + np.log(scale),
        r1 + mean_r,
        a1 - mean_j * inverse,
        (stages * (curve + dr * dr)).sum(axis=0),
        ra - (stages * dr * dj).sum(axis=0) * inverse,
        aa + (mean_j + (stages * dj * dj).sum(axis=0)) * inverse**2,
        stages,
    )


def times_density(
    theta: Sequence[Any],
    n: Floats,
    m: Floats,
    t_x: Floats,
    T: Floats,
    *,
    k: int,
) -> Any:
    """Terms that depend on times: ln(alive + dead), dead / alive = a / (b + m - 1) at the last.

    A customer who had no chance to drop out (m = 0) is alive.
    """
    r, alpha, a, b = theta
    alive = alive_stages(r, alpha, n, T - t_x, T, k=k)
    dead = _poisson(r, alpha, n, t_x)
    chance = np.maximum(m, 1.0) - 1.0 + b
    log_odds = np.where(m > 0.0, np.log(a / chance) + dead[0] - alive.value, -np.inf)
    smaller = np.exp(-np.abs(log_odds))
    share = np.where(log_odds > 0.0, 1.0, smaller) / (1.0 + smaller)
    both = smaller / np.square(1.0 + smaller)
    d_r, d_alpha = dead[1] - alive.r, dead[2] - alive.alpha
    d_a, d_b = 1.0 / a, -1.0 / chance
    both_r, both_alpha = both * d_r, both * d_alpha
    gradient = {
        0: alive.r + share * d_r,
        1: alive.alpha + share * d_alpha,
        2: share * d_a,
        3: share * d_b,
    }
    hessian = {
        (0, 0): alive.rr * (1.0 - share) + both_r * d_r,
        (0, 1): alive.r_alpha + share * (dead[3] - alive.r_alpha) + both_r * d_alpha,
        (0, 2): both_r * d_a,
        (0, 3): both_r * d_b,
        (1, 1): alive.alpha_alpha + share * (dead[4] - alive.alpha_alpha) + both_alpha * d_alpha,
        (1, 2): both_alpha * d_a,
        (1, 3): both_alpha * d_b,
        (2, 2): (both - share) * d_a**2,
        (2, 3): both * d_a * d_b,
        (3, 3): (both + share) * d_b**2,
    }
    value = alive.value + np.maximum(log_odds, 0.0) + np.log1p(smaller)
    return value, gradient, hessian


def p_alive(
    theta: Sequence[Any],
    n: Floats,
    m: Floats,
    t_x: Floats,
    T: Floats,
    *,
    k: int,
) -> Floats:
    """P(alive at T | history), shape (n,): one against the odds of having dropped out."""
    result = np.empty_like(T)
    for start in range(0, T.size, _BLOCK):
        rows = slice(start, start + _BLOCK)
        r, alpha, a, b = (value[rows] if np.ndim(value) else value for value in theta)
        gap, before = T[rows] - t_x[rows], np.maximum(m[rows], 1.0) - 1.0
        with np.errstate(over="ignore"):
            odds = np.exp((r + n[rows]) * np.log1p(gap / (alpha + t_x[rows]))) * (a / (b + before))
        if k > 1:
            odds /= stage_weights(r + n[rows], gap / (alpha + T[rows]), k).sum(axis=0)
        # A customer who had no chance to drop out is alive.
        result[rows] = np.where(m[rows] > 0.0, 1.0 / (1.0 + odds), 1.0)
    return result


def stage_weights(shape: Floats, share: Floats, k: int) -> Floats:
    """Weights of the stages of a gap without a purchase, relative to the first, shape (k, n).

    ``Gamma(n + j) / Gamma(n) share^j / j!`` with ``share = gap / (alpha + T)``.
    """
    weights = np.ones((k, shape.size))
    for j in range(1, k):
        weights[j] = weights[j - 1] * (shape + (j - 1)) * share / j
    return weights
