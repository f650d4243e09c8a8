"""What the beta-geometric models say without derivatives: P(alive), and densities for draws."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from crmkit.clv._math.special import log_rise

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crmkit._typing import Floats

__all__ = ["counts_value", "p_alive", "stage_weights", "times_value"]

_BLOCK = 4096


def counts_value(theta: Sequence[Any], n: Floats, m: Floats) -> Floats:
    """`counts_density` without its derivatives; any shapes that meet."""
    r, _, a, b = theta
    return log_rise(r, n) + log_rise(b, m) - log_rise(a + b, m)


def times_value(
    theta: Sequence[Any], n: Floats, m: Floats, t_x: Floats, T: Floats, *, k: int
) -> Floats:
    """`times_density` without its derivatives, several times as fast; any shapes that meet."""
    r, alpha, a, b = theta
    power, scale = r + n, n * np.log(alpha)
    alive = -power * np.log1p(T / alpha) - scale
    if k > 1:
        alive += np.log(stage_weights(power, (T - t_x) / (alpha + T), k).sum(axis=0))
    dead = -power * np.log1p(t_x / alpha) - scale
    dead += np.where(m > 0.0, np.log(a / (np.maximum(m, 1.0) - 1.0 + b)), -np.inf)
    result: Floats = np.logaddexp(alive, dead)
    return result


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
    """Weights of the stages of a gap without a purchase, relative to the first, shape (k, ...).

    ``Gamma(n + j) / Gamma(n) share^j / j!`` with ``share = gap / (alpha + T)``.
    """
    weights = np.ones((k, *shape.shape))
    for j in range(1, k):
        weights[j] = weights[j - 1] * (shape + (j - 1)) * share / j
    return weights
