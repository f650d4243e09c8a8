"""Draws from a posterior whose log-density and gradient are known at many points at once.

Draws from a t-distribution around the peak are weighted by importance; the largest weights are
smoothed by the tail they come from (Vehtari, Simpson, Gelman, Yao and Gabry 2024), whose shape k
tells whether the weights can be trusted. Where they cannot, every draw is moved on by Hamiltonian
dynamics (Neal 2011), which leaves the posterior as it is and forgets where it started.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import linalg

if TYPE_CHECKING:
    from collections.abc import Callable

    from crmkit._typing import Floats

    Density = Callable[[Floats, bool], tuple[Floats, Floats]]

__all__ = ["Drawn", "draw", "smoothed_weights"]

# Above this tail shape importance weights mislead at any practical number of draws.
_TRUSTED = 0.7
_FREEDOM = 5.0
# Proposals for each draw that is kept, rounds of them, and moves of draws, of which half to tune.
_PROPOSALS = 2
_ROUNDS = 3
_MOVES = 24
_LEAPS = 6
_ACCEPTED = 0.8


@dataclass(frozen=True, slots=True)
class Drawn:
    """Draws (d, p) of equal weight, the shape k of the weights' tail, and whether they moved."""

    draws: Floats
    tail_shape: float
    moved: bool


def draw(
    density: Density,
    mode: Floats,
    covariance: Floats,
    *,
    n_draws: int,
    rng: np.random.Generator,
) -> Drawn:
    """Draw `n_draws` points from a density whose log falls from `mode` with this covariance.

    `density` returns the log-density of points (d, p), (d,), and, where asked, its gradient (d, p).
    """
    center, spread = mode, covariance
    for _ in range(_ROUNDS):
        points, log_ratio = _proposed(density, center, _root(spread), n_draws * _PROPOSALS, rng)
        weights, shape = smoothed_weights(log_ratio)
        if shape <= _TRUSTED:
            break
        # The weighted draws know better than the peak where the posterior lies.
        center = weights @ points
        spread = np.einsum("i,ij,ik->jk", weights, points - center, points - center)
    # Systematic: each point as often as its weight says, give or take one.
    where = (rng.random() + np.arange(n_draws)) / n_draws
    chosen = np.searchsorted(np.cumsum(weights), where * (1.0 - 1e-12))
    draws = rng.permutation(points[np.minimum(chosen, len(points) - 1)])
    if shape <= _TRUSTED:
        return Drawn(draws, shape, moved=False)
    return Drawn(_moved(density, draws, _root(spread), rng), shape, moved=True)


def _proposed(
    density: Density,
    center: Floats,
    root: Floats,
    size: int,
    rng: np.random.Generator,
) -> tuple[Floats, Floats]:
    """Return points from a t-distribution, (s, p), and the log of their importance, (s,)."""
    normal = rng.standard_normal((size, center.size))
    steps = normal / np.sqrt(rng.chisquare(_FREEDOM, size) / _FREEDOM)[:, None]
    points = center + steps @ root.T
    power = 0.5 * (_FREEDOM + center.size)
    return points, density(points, False)[0] + power * np.log1p(
        np.square(steps).sum(axis=1) / _FREEDOM
    )


def smoothed_weights(log_ratio: Floats) -> tuple[Floats, float]:
    """Return weights (s,) that add up to one, the largest smoothed, and their tail's shape k.

    The tail, of 3 sqrt(s) or a fifth of the weights, becomes the quantiles of the generalised
    Pareto distribution that fits it, none above the largest as it was.
    """
    log = log_ratio - log_ratio.max()
    size = log.size
    n_tail = int(min(0.2 * size, 3.0 * np.sqrt(size)))
    order = np.argsort(log, kind="stable")
    tail = order[-n_tail:]
    cut = np.exp(log[order[-n_tail - 1]])
    excess = np.exp(log[tail]) - cut
    if n_tail < 5 or not excess[-1] > 0.0:
        shape = -np.inf if n_tail >= 5 else np.inf
    else:
        shape, scale = _pareto_fit(np.maximum(excess, 1e-300))
        ranks = (np.arange(n_tail) + 0.5) / n_tail
        grown = -np.log1p(-ranks) if shape == 0 else np.expm1(-shape * np.log1p(-ranks)) / shape
        log[tail] = np.minimum(np.log(cut + scale * grown), 0.0)
    weights = np.exp(log)
    return weights / weights.sum(), float(shape)


def _pareto_fit(excess: Floats) -> tuple[float, float]:
    """Return shape and scale of a generalised Pareto distribution for sorted values (n,).

    The average over a profile likelihood of Zhang and Stephens (2009), the shape drawn towards
    1/2 by ten values' worth.
    """
    n = excess.size
    grid = 30 + int(np.sqrt(n))
    rank = np.arange(1, grid + 1)
    quartile = excess[int(n / 4 + 0.5) - 1]
    b = 1.0 / excess[-1] + (1.0 - np.sqrt(grid / (rank - 0.5))) / (3.0 * quartile)
    with np.errstate(divide="ignore", invalid="ignore"):
        shape = np.log1p(-b[:, None] * excess).mean(axis=1)
        profile = n * (np.log(-b / shape) - shape - 1.0)
    profile = np.where(np.isfinite(profile), profile, -np.inf)
    weight = np.exp(profile - profile.max())
    b_mean = float(weight @ b / weight.sum())
    k = float(np.log1p(-b_mean * excess).mean())
    scale = -k / b_mean
    return (n * k + 5.0) / (n + 10.0), scale


def _root(covariance: Floats) -> Floats:
    """Return the symmetric R with R R' = covariance, also where that is not quite positive.

    It is a smooth function of the covariance; axes alone change their signs for a last digit.
    """
    values, axes = linalg.eigh(covariance)
    root = np.sqrt(np.maximum(values, 1e-12 * max(values[-1], 1e-300)))
    return np.asarray(axes * root @ axes.T)


def _moved(
    density: Density,
    draws: Floats,
    root: Floats,
    rng: np.random.Generator,
) -> Floats:
    """Move every draw on by Hamiltonian dynamics in coordinates in which they are round."""
    value, slope = density(draws, True)
    step = 0.5
    for move in range(_MOVES):
        momentum = rng.standard_normal(draws.shape)
        # One length of step for all: half as long to half again, so that no path closes.
        now = step * rng.uniform(0.5, 1.5)
        at, at_value, at_slope = draws, value, slope
        push = momentum + 0.5 * now * at_slope @ root
        for leap in range(_LEAPS):
            at = at + now * push @ root.T
            at_value, at_slope = density(at, True)
            push = push + (now if leap < _LEAPS - 1 else 0.5 * now) * at_slope @ root
        gain = at_value - value + 0.5 * (np.square(momentum) - np.square(push)).sum(axis=1)
        gain = np.where(np.isfinite(gain), gain, -np.inf)
        chance = np.exp(np.minimum(gain, 0.0))
        taken = rng.random(len(draws)) < chance
        draws = np.where(taken[:, None], at, draws)
        value = np.where(taken, at_value, value)
        slope = np.where(taken[:, None], at_slope, slope)
        if move < _MOVES // 2:
            step *= np.exp(chance.mean() - _ACCEPTED)
    return draws
