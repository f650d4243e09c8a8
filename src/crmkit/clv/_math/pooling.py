"""Groups whose quantities vary around common means: what the others say about each.

The likelihood of the q quantities x of a group is taken for the normal one
``exp(slope' x - x' information x / 2)``, which need not say anything about some of them. Between
groups quantities are normal (Efron and Morris 1975): the means have a normal prior, the deviations
a half-normal one. Quantities and means are integrated out exactly, deviations by draws of their
logarithms.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from crmkit.clv._math.newton import maximise
from crmkit.clv._math.posterior import draw

if TYPE_CHECKING:
    from crmkit._typing import Floats

__all__ = ["Groups"]

# Draws of the deviations, and numbers of a block of them that fits the cache.
_DRAWS, _CELLS = 400, 200_000
_NEAR = 1e-3


@dataclass(frozen=True, slots=True)
class _Given:
    """What is known at d deviations: of g groups, of their means, and of all together."""

    information: Floats  # of each group about the means, (d, g, q, q)
    slope: Floats  # (d, g, q)
    precision: Floats  # of the means, (d, q, q)
    pull: Floats  # (d, q)
    log_likelihood: Floats  # (d,)


@dataclass(frozen=True, slots=True)
class Groups:
    """The likelihoods of g groups, and priors of the common means and of the deviations."""

    information: Floats  # (g, q, q)
    slope: Floats  # (g, q)
    mean: Floats  # (q,)
    deviation: Floats  # (q,)
    most: Floats  # (q,): of the half-normal prior of the deviations between groups

    def between(self) -> Floats:
        """Draw the logarithms of the deviations between groups from their posterior, (d, q)."""
        start = np.log(0.5 * self.most)
        steps = _NEAR * np.concatenate([np.zeros((1, start.size)), np.eye(start.size)])

        def objective(at: Floats) -> tuple[float, Floats, Floats]:
            value, slopes = self._density(np.concatenate([at + steps, at - steps[1:]]))
            up, down = np.split(slopes[1:], 2)
            bend = (up - down) / (2.0 * _NEAR)
            return float(value[0]), slopes[0], 0.5 * (bend + bend.T)

        found = maximise(objective, start)
        values, axes = np.linalg.eigh(-found.hessian)
        spread = (axes / np.maximum(values, 0.1)) @ axes.T
        rng = np.random.default_rng(0)
        return draw(self._density, found.point, spread, n_draws=_DRAWS, rng=rng).draws

    def said_of_each(self, log_between: Floats) -> tuple[Floats, Floats]:
        """Return mean and deviation of each group's quantities by the other groups, (g, q).

        The last row, (g + 1, q) in all, is what all groups say of a new one.
        """
        block = max(1, _CELLS // self.information.size)
        means, variances = [], []
        for start in range(0, len(log_between), block):
            some = log_between[start : start + block]
            given = self._given(some)
            left = np.concatenate([given.information, 0.0 * given.information[:, :1]], axis=1)
            out = np.concatenate([given.slope, 0.0 * given.slope[:, :1]], axis=1)
            spread = np.linalg.inv(given.precision[:, None] - left)
            pull = given.pull[:, None] - out
            means.append((spread @ pull[..., None])[..., 0])
            open_ = np.diagonal(spread, axis1=-2, axis2=-1)
            variances.append(open_ + np.exp(2.0 * some)[:, None])
        mean, variance = np.concatenate(means), np.concatenate(variances)
        return mean.mean(axis=0), np.sqrt(variance.mean(axis=0) + mean.var(axis=0))

    def _given(self, log_between: Floats) -> _Given:
        """Return what is known where deviations between groups are these, (d, q)."""
        variance = np.exp(2.0 * log_between)[:, None, None, :]
        q = self.mean.size
        mixed = np.eye(q) + self.information * variance
        shape = (len(log_between), *self.slope.shape, q + 1)
        both = np.concatenate([self.information, self.slope[..., None]], axis=-1)
        found = np.linalg.solve(mixed, np.broadcast_to(both, shape))
        information, slope = found[..., :q], found[..., q]
        precision = information.sum(axis=1) + np.diag(self.deviation**-2.0)
        pull = slope.sum(axis=1) + self.mean * self.deviation**-2.0
        value = 0.5 * (self.slope * variance[:, 0] * slope).sum(axis=(1, 2))
        value -= 0.5 * np.linalg.slogdet(mixed)[1].sum(axis=1)
        value += 0.5 * (pull * np.linalg.solve(precision, pull[..., None])[..., 0]).sum(axis=1)
        value -= 0.5 * np.linalg.slogdet(precision)[1]
        return _Given(information, slope, precision, pull, value)

    def _density(self, log_between: Floats, _: bool = True) -> tuple[Floats, Floats]:
        """Return the log-density of logarithms of deviations (d, q), (d,), and its gradient."""
        block = max(1, _CELLS // self.information.size)
        pieces = [
            self._block(log_between[start : start + block])
            for start in range(0, len(log_between), block)
        ]
        value, gradient = (np.concatenate(part) for part in zip(*pieces, strict=True))
        return value, gradient

    def _block(self, log_between: Floats) -> tuple[Floats, Floats]:
        given, variance = self._given(log_between), np.exp(2.0 * log_between)
        spread = np.linalg.inv(given.precision)
        mean = (spread @ given.pull[..., None])[:, None]
        off = given.slope - (given.information @ mean)[..., 0]
        # How far each group lies from the means, less how far it would by chance.
        known = np.diagonal(given.information, axis1=-2, axis2=-1)
        shared = given.information @ spread[:, None] @ given.information
        more = np.square(off) + np.diagonal(shared, axis1=-2, axis2=-1) - known
        value = given.log_likelihood + log_between.sum(axis=1)
        value = value - 0.5 * (variance / self.most**2).sum(axis=1)
        return value, variance * (more.sum(axis=1) - self.most**-2.0) + 1.0
