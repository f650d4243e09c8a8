"""What customers with covariates that vary do next, and draws from the model.

Given that a customer is alive at T, lambda ~ Gamma(r + x, alpha (1 + A)) and, independently,
mu ~ Gamma(s, beta (1 + C)), with A and C as in `varying_likelihood`; the covariates to come say
how fast both processes go on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from crmkit.clv._math.special import gauss_legendre
from crmkit.clv._math.varying_likelihood import state_at_end
from crmkit.clv._math.varying_paths import blocks

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from crmkit._typing import Floats, Ints
    from crmkit.clv._math.varying_likelihood import Effects, Histories
    from crmkit.clv._math.varying_paths import Paths

__all__ = ["VaryingFuture", "simulate"]


_NODES = 48
# What is discounted by e^-60 counts for nothing.
_WORTHLESS = 60.0


@dataclass(frozen=True, slots=True)
class VaryingFuture:
    """The time after T of n histories at some coefficients."""

    histories: Histories
    paths: Paths
    effects: tuple[Effects, Effects]
    coefficients: Floats

    def p_alive(self) -> Floats:
        """Return P(alive at T | history), shape (n,)."""
        return state_at_end(self.histories, self.paths, self.effects, self.coefficients)[0]

    def expected(self, days: float | Floats, rate: float = 0.0) -> tuple[Floats, Floats, Floats]:
        """Return P(alive at T), P(alive at T + days) and expected purchases in (T, T + days].

        Purchases are discounted continuously at `rate` per day. In each piece to come they are

            P(alive) (r + x) a / (1 + A) ((1 + C) / Q)^s Int_0^L e^(-delta u) (B / (B + u))^s du

        with a and c the speeds, Q = 1 + what dropout has cumulated at its start, and B = Q / c.
        """
        h, s = self.histories, float(np.exp(self.coefficients[2]))
        p_alive, A, C = state_at_end(h, self.paths, self.effects, self.coefficients)
        buying, leaving = (effect.speed(self.coefficients) for effect in self.effects)
        later, purchases = np.empty_like(p_alive), np.empty_like(p_alive)
        until = h.end + days
        for index in blocks(self.paths.count(h.path, h.end, until)):
            length, code = self.paths.cut(h.path[index], h.end[index], until[index])
            growth = np.column_stack([1.0 + C[index], length * leaving[code]]).cumsum(axis=1)
            kept = np.exp(-s * np.log(growth / growth[:, :1]))
            passed = np.cumsum(length, axis=1) - length
            time = _time(s, growth[:, :-1] / leaving[code], length, rate)
            total = np.exp(-rate * passed) * kept[:, :-1] * buying[code] * time
            purchases[index] = total.sum(axis=1)
            later[index] = p_alive[index] * kept[:, -1]
        shape = np.exp(self.coefficients[0]) + h.frequency
        return p_alive, later, p_alive * (shape / (1.0 + A)) * purchases


def _time(s: float, B: Floats, length: Floats, rate: float) -> Floats:
    """Return ``Int_0^L e^(-delta u) (B / (B + u))^s du``, in ``v = ln(1 + u / B)``; (n, m)."""
    if rate == 0.0:
        end = np.log1p(length / B)
        growth = (1.0 - s) * end
        near = np.abs(growth) < 1e-8
        safe = np.where(near, 1.0, growth)
        value: Floats = B * end * np.where(near, 1.0 + growth / 2.0, np.expm1(safe) / safe)
        return value
    end = np.log1p(np.minimum(length, _WORTHLESS / rate) / B)
    value = np.zeros_like(B)
    for node, weight in zip(*gauss_legendre(_NODES), strict=True):
        v = node * end
        value += weight * np.exp((1.0 - s) * v - rate * B * np.expm1(v))
    return B * end * value


def simulate(
    paths: Paths,
    path: Ints,
    span: tuple[Floats, Floats],
    effects: tuple[Effects, Effects],
    coefficients: Floats,
    rng: np.random.Generator,
) -> tuple[Ints, Floats, NDArray[Any]]:
    """Draw repeat purchases of n customers between the days of `span`, in continuous time.

    Returns, for each purchase, whose it is and when, both (purchases,), and who is alive at the
    end, (n,). Both processes are drawn on the clock on which their speed is constant.
    """
    buying, leaving = (effect.speed(coefficients) for effect in effects)
    rate, dropout = (rng.gamma(np.exp(coefficients[at]), size=path.size) for at in (0, 2))
    limit = rng.exponential(size=path.size) / np.maximum(dropout, 1e-300)
    alive = np.empty(path.size, dtype=bool)
    who, when = [], []
    for index in blocks(paths.count(path, *span)):
        low = span[0][index]
        length, code = paths.cut(path[index], low, span[1][index])
        days = np.column_stack([np.zeros(index.size), length.cumsum(axis=1)])
        bought, worn = (
            np.column_stack([np.zeros(index.size), (length * speed[code]).cumsum(axis=1)])
            for speed in (buying, leaving)
        )
        alive[index] = worn[:, -1] < limit[index]
        row = np.arange(index.size)
        active = _clock(worn, bought, row, np.minimum(worn[:, -1], limit[index]))
        count = rng.poisson(np.minimum(rate[index] * active, 1e15))
        row = np.repeat(row, count)
        who.append(index[row])
        when.append(low[row] + _clock(bought, days, row, active[row] * rng.random(row.size)))
    return np.concatenate(who), np.concatenate(when), alive


def _clock(reading: Floats, other: Floats, row: Ints, at: Floats) -> Floats:
    """Return what `other` shows when `reading` shows `at`; both (n, m + 1), piecewise linear."""
    piece = np.minimum((reading[row, 1:] < at[:, None]).sum(axis=1), reading.shape[1] - 2)
    low, high = reading[row, piece], reading[row, piece + 1]
    share = np.where(high > low, (at - low) / np.where(high > low, high - low, 1.0), 0.0)
    value: Floats = other[row, piece] + share * (other[row, piece + 1] - other[row, piece])
    return value
