"""What a customer with regular purchases does next ((M)BG/CNBD-k, k > 1).

Gaps are Erlang-k, so that a customer who is alive at T is in one of k stages. With z the k-th
root of 1 - p, counting stages modulo k by the k-th roots of unity w gives sums of k elementary
functions of ``y = z w``, where others approximate: per stage j and given p,

    E[purchases] = 1/k sum_w y^(j - k + 1) (1 - G(y)) / (1 - y)
    P(alive)     = 1/k sum_w (y^j + ... + y^(j - k + 1)) G(y),   G(y) = (1 + (1 - y) t / A)^-n.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crmkit.clv._math.bg_counts import at_least, exactly, stage_survival
from crmkit.clv._math.rows import distinct_rows
from crmkit.clv._math.special import alive_times, beta_rule, gauss_legendre

__all__ = ["RegularFuture"]

FloatArray = NDArray[np.float64]
_CELLS = 1_000_000
# Below this 1 - p, or with so few stages to come, the roots cancel, and a few terms of the power
# series in 1 - p are exact.
_SMALL = 1e-4
_FEW = 0.03
_SERIES = 5


@dataclass(frozen=True, slots=True)
class RegularFuture:
    """Posterior of n customers: arrays (n,), and the probabilities of the stages (k, n)."""

    p_alive: FloatArray
    shape: FloatArray
    rate: FloatArray
    a: FloatArray
    b: FloatArray
    stages: FloatArray

    def survival(self, days: float) -> FloatArray:
        """Return P(alive at T + days)."""
        return self.p_alive * self._over_dropout(days, alive=True)

    def expected(self, days: float, rate: float = 0.0) -> FloatArray:
        """Return expected purchases in (T, T + days], discounted continuously at `rate` per day.

        Discounting by parts: ``e^(-delta t) E(t) + delta Int e^(-delta u) E(u) du``.
        """
        if np.isinf(days) and rate == 0.0:
            with np.errstate(divide="ignore"):
                mean = np.where(self.a > 1.0, (self.a + self.b - 1.0) / (self.a - 1.0), np.inf)
            return alive_times(self.p_alive, mean)
        if rate == 0.0:
            return self.p_alive * self._over_dropout(days, alive=False)
        end = min(days, 45.0 / rate)
        nodes, weights = gauss_legendre(16 if rate * end < 0.5 else 64)
        # Nodes crowd towards the start, where the purchases are.
        scale = float(np.median(self.rate))
        span = float(np.log1p(end / scale))
        u = scale * np.expm1(span * nodes)
        weights = weights * span * (u + scale) * rate * np.exp(-rate * u)
        total = np.exp(-rate * end) * self._over_dropout(end, alive=False)
        for moment, weight in zip(u, weights, strict=True):
            total += weight * self._over_dropout(float(moment), alive=False)
        return self.p_alive * total

    def at_least(self, days: float, counts: FloatArray) -> FloatArray:
        """Return P(at least `counts` purchases in (T, T + days]), shape (n, m)."""
        found = at_least(days, counts, **self._state())
        return np.where(counts > 0.0, self.p_alive[:, None] * found, 1.0)

    def exactly(self, days: float, counts: FloatArray) -> FloatArray:
        """Return P(`counts` purchases in (T, T + days]), shape (n, m)."""
        found = self.p_alive[:, None] * exactly(days, counts, **self._state())
        return found + np.where(counts == 0.0, 1.0 - self.p_alive[:, None], 0.0)

    def _state(self) -> dict[str, FloatArray]:
        """Return the posterior given alive by name."""
        names = ("stages", "shape", "rate", "a", "b")
        return {name: getattr(self, name) for name in names}

    def _over_dropout(self, days: float, *, alive: bool) -> FloatArray:
        """Return the mean over stages and p of the survival or the number of purchases."""
        first, inverse = distinct_rows([self.a, self.b, self.shape, self.rate])
        a, b, shape, rate = (v[first] for v in (self.a, self.b, self.shape, self.rate))
        k = len(self.stages)
        result = np.empty((k, first.size))
        block = max(1, _CELLS // 240)
        for start in range(0, first.size, block):
            rows = slice(start, start + block)
            p, q, weight = beta_rule(a[rows], b[rows])
            odds = (days / rate[rows])[:, None]
            for j in range(k):
                values = _given_dropout(p, q, shape[rows, None] + j, odds, (k, j, alive))
                result[j, rows] = np.einsum("ij,ij->i", weight, values)
        mean: FloatArray = (self.stages * result[:, inverse]).sum(axis=0)
        return mean


def _given_dropout(
    p: FloatArray, q: FloatArray, n: FloatArray, odds: FloatArray, case: tuple[int, int, bool]
) -> FloatArray:
    """Return the survival or the number of purchases given p, shape (rows, nodes)."""
    k, j, alive = case
    small = (q < _SMALL) | (n * odds < _FEW)
    log_z = np.log1p(-np.where(small, 0.5, p)) / k
    total = np.zeros_like(p)
    for step in range(k):
        turn = 2j * np.pi * step / k
        left = -np.expm1(log_z) if step == 0 else 1.0 - np.exp(log_z + turn)
        log_g = -n * np.log1p(odds * left)
        power = np.exp((j - k + 1) * (log_z + turn))
        if alive:
            lived = sum(np.exp(s * (log_z + turn)) for s in range(k))
            total += (power * lived * np.exp(log_g)).real
        else:
            total += (-power * np.expm1(log_g) / left).real
    chances = [
        stage_survival(n, odds, np.full(1, m * k - j, dtype=np.float64)) for m in range(_SERIES + 1)
    ]
    series = np.zeros_like(p)
    for m in range(_SERIES):
        term = chances[m] - chances[m + 1] if alive else chances[m + 1]
        series += np.where(small, q, 0.0) ** m * term
    return np.where(small, series, total / k)
