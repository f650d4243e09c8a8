"""What a Pareto/NBD customer does next, given the history; and draws from the model.

Given that the customer is alive at T, lambda ~ Gamma(r + x, alpha + T) and, independently,
mu ~ Gamma(s, beta + T).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from crmkit.clv._math.special import gauss_legendre, reach

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["ParetoFuture", "simulate"]

FloatArray = NDArray[np.float64]
_NODES = 64


@dataclass(frozen=True, slots=True)
class ParetoFuture:
    """Posterior of n customers, arrays (n,): alive, purchases Gamma(n, A), dropout Gamma(s, B)."""

    p_alive: FloatArray
    shape: FloatArray
    rate: FloatArray
    dropout_shape: FloatArray
    dropout_rate: FloatArray

    def survival(self, days: float) -> FloatArray:
        """Return P(alive at T + days): ``P(alive) (B / (B + t))^s``."""
        kept = np.exp(-self.dropout_shape * np.log1p(days / self.dropout_rate))
        return self.p_alive * kept

    def expected(self, days: float, rate: float = 0.0) -> FloatArray:
        """Return expected purchases in (T, T + days], discounted continuously at `rate` per day.

        ``P(alive) n / A Int_0^t e^(-delta u) (B / (B + u))^s du`` with ``v = ln(1 + u / B)``: an
        elementary integral without discounting, finite also at s = 1.
        """
        s, B = self.dropout_shape, self.dropout_rate
        with np.errstate(over="ignore", divide="ignore"):
            end = np.log1p(days / B)
        if rate > 0.0:
            time = _discounted(s, B, end, rate)
        elif np.isinf(days):
            time = np.where(s > 1.0, B / np.where(s > 1.0, s - 1.0, 1.0), np.inf)
        else:
            growth = (1.0 - s) * end
            near = np.abs(growth) < 1e-8
            safe = np.where(near, 1.0, growth)
            time = B * end * np.where(near, 1.0 + growth / 2.0, np.expm1(safe) / safe)
        return self.p_alive * (self.shape / self.rate) * time


def _discounted(s: FloatArray, B: FloatArray, end: FloatArray, delta: float) -> FloatArray:
    """``B Int_0^V exp(-delta B (e^v - 1) + (1 - s) v) dv``, cut off where nothing is left."""
    z = delta * B

    def drop(v: FloatArray) -> FloatArray:
        return z * np.expm1(v) - (1.0 - s) * v

    def slope(v: FloatArray) -> FloatArray:
        return z * np.exp(v) - (1.0 - s)

    far = np.log1p(840.0 / z)  # z (e^v - 1) exceeds 40 + v there
    far = reach(drop, slope, far)
    end = np.minimum(end, far)
    nodes, weights = gauss_legendre(_NODES)
    v = end[:, None] * nodes
    log = (1.0 - s)[:, None] * v - z[:, None] * np.expm1(v)
    value: FloatArray = B * end * (np.exp(log) @ weights)
    return value


def simulate(
    theta: Sequence[Any], T: FloatArray, rng: np.random.Generator
) -> dict[str, NDArray[Any]]:
    """Draw frequency, recency (n,) and who is alive at T, exactly in continuous time."""
    r, alpha, s, beta = (np.broadcast_to(parameter, T.shape) for parameter in theta)
    rate, dropout = rng.gamma(r) / alpha, rng.gamma(s) / beta
    lifetime = rng.exponential(size=T.shape) / np.maximum(dropout, 1e-300)
    observed = np.minimum(lifetime, T)
    frequency = rng.poisson(np.minimum(rate * observed, 1e15))
    share = rng.beta(np.maximum(frequency, 1), 1.0)
    return {
        "frequency": frequency.astype(np.int64),
        "recency": np.where(frequency > 0, observed * share, 0.0),
        "T": T,
        "alive": lifetime > T,
    }
