"""A likelihood at many coefficients at once: what draws from a posterior are weighed by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from crmkit.clv._math.posterior import Drawn, draw

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crmkit._typing import Floats
    from crmkit.clv._math.likelihood import Fit, Part
    from crmkit.clv._math.prior import Prior

__all__ = ["Posterior", "at_many"]

# Rows times coefficients of a block that fits the cache.
_CELLS = 8192
_LARGEST_LOG = 60.0


def at_many(
    parts: Sequence[Part],
    coefficients: Floats,
    where: Sequence[Sequence[int]],
    *,
    slopes: bool = True,
) -> tuple[Floats, Floats]:
    """Return the log-likelihood (d,) and its gradient (d, p) at coefficients (d, p).

    Without `slopes` the gradient is 0. `where` tells which coefficients make each parameter, as in
    :func:`positions`. Too far out, or where a density breaks down, the value is that of impossible
    data.
    """
    value, gradient = np.zeros(len(coefficients)), np.zeros_like(coefficients)
    near = np.abs(coefficients[:, : len(where)]).max(axis=1) <= _LARGEST_LOG
    inside = np.flatnonzero(near)
    for part in parts:
        n_rows = part.weight.size
        step = max(1, _CELLS // n_rows)
        for start in range(0, inside.size, step):
            some = inside[start : start + step]
            for begin in range(0, n_rows, _CELLS):
                rows = slice(begin, begin + _CELLS)
                found = _block(part, rows, coefficients[some], where, slopes)
                value[some] += found[0]
                gradient[some] += found[1]
    value[~near | ~np.isfinite(value)] = -np.inf
    return value, np.where(np.isfinite(gradient), gradient, 0.0)


def _block(
    part: Part, rows: slice, points: Floats, where: Sequence[Sequence[int]], wanted: bool
) -> tuple[Floats, Floats]:
    """Return the sums over some rows at some points: the value (d,) and the gradient (d, p)."""
    weight, d = part.weight[rows], len(points)
    designs = [None if design is None else design[rows] for design in part.designs]
    shape = (d, weight.size)
    theta = []
    for j, design in enumerate(designs):
        log = points[:, j, None]
        if design is not None:
            log = log + points[:, where[j][1:]] @ design.T
        theta.append(np.exp(log))
    columns = [column[rows] for column in part.columns]
    gradient = np.zeros_like(points)
    with np.errstate(all="ignore"):
        if part.value is not None and not wanted:
            return part.value(theta, *columns) @ weight, gradient
        theta = [np.broadcast_to(value, shape).ravel() for value in theta]
        columns = [np.broadcast_to(column, shape).ravel() for column in columns]
        found, slopes, _ = part.density(theta, *columns)
        for j, slope in slopes.items():
            each = weight * (theta[j] * slope).reshape(shape)
            gradient[:, j] += each.sum(axis=1)
            design = designs[j]
            if design is not None:
                gradient[:, where[j][1:]] += each @ design
        return found.reshape(shape) @ weight, gradient


@dataclass(frozen=True, slots=True)
class Posterior:
    """A posterior of free coefficients: likelihood, ties (p, f), ridge penalty and prior."""

    parts: Sequence[Part]
    where: Sequence[Sequence[int]]
    tie: Floats
    penalty: Floats
    prior: Prior

    def drawn(self, found: Fit, n_draws: int, rng: np.random.Generator) -> Drawn:
        """Draw free coefficients, (d, f), from around the peak that was found."""
        untie = self.tie / np.square(self.tie).sum(axis=0)
        mode, covariance = found.coefficients @ untie, untie.T @ found.covariance @ untie
        return draw(self._density, mode, covariance, n_draws=n_draws, rng=rng)

    def _density(self, free: Floats, slopes: bool = True) -> tuple[Floats, Floats]:
        """Return the log-density of free coefficients (d, f) and, if wanted, its gradient."""
        coefficients = free @ self.tie.T
        value, gradient = at_many(self.parts, coefficients, self.where, slopes=slopes)
        with np.errstate(all="ignore"):
            value = value + self.prior.value(coefficients)
            value -= 0.5 * np.square(coefficients) @ self.penalty
            gradient += self.prior.gradient(coefficients) - self.penalty * coefficients
            return np.where(np.isfinite(value), value, -np.inf), gradient @ self.tie
