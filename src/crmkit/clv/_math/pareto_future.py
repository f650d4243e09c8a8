"""What a customer who may leave at any time does next: in general, and under Pareto/NBD.

Given that the customer is alive at T, lambda ~ Gamma(r + x, alpha + T) and, independently,
mu ~ Gamma(s, beta + T).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import special

from crmkit.clv._math.ahead import Ahead, points_in_time
from crmkit.clv._math.rows import ALL, Index, alike_rows, distinct_rows
from crmkit.clv._math.smooth import smooth
from crmkit.clv._math.special import (
    LOG_NOTHING,
    alive_times,
    gauss_legendre,
    log_beta,
    log_rising,
    reach,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from crmkit._typing import Floats, Ints

__all__ = ["ContinuousFuture", "ParetoFuture", "drawn_histories", "of_kinds"]

_NODES = 64


@dataclass(frozen=True, slots=True)
class ContinuousFuture(ABC):
    """Posterior of n customers of m kinds who may leave at any time: arrays of shape (m,).

    ``p_alive`` has shape (n,). Purchases come at rate Gamma(n, A); the dropout has two parameters,
    and what more its law needs. ``kind`` tells of which kind each customer is.
    """

    p_alive: Floats
    shape: Floats
    rate: Floats
    dropout_shape: Floats
    dropout_rate: Floats
    kind: Index = ALL

    @abstractmethod
    def _log_alive(self, u: Floats) -> Floats:
        """Return ``ln P(alive at T + u | alive at T)``, (m, times)."""

    @abstractmethod
    def _log_leaving(self, u: Floats) -> Floats:
        """Return the log of the density of leaving at T + u, (m, times)."""

    @abstractmethod
    def _scale(self) -> Floats:
        """Return the time in which the chance of leaving changes first, (m,)."""

    @abstractmethod
    def _lifetimes(self, who: Ints, rng: np.random.Generator) -> Floats:
        """Draw how long the customers `who`, alive at T, stay."""

    def survival(self, days: float) -> Floats:
        """Return P(alive at T + days)."""
        kept: Floats = np.exp(self._log_alive(np.full((self.shape.size, 1), days))[:, 0])
        return self.p_alive * kept[self.kind]

    def at_least(self, days: float, counts: Floats) -> Floats:
        """Return P(at least `counts` purchases in (T, T + days]), shape (n, m).

        The integral, over the time of the last of them, of its density while alive:
        ``A^n u^(m - 1) (A + u)^-(n + m) / B(n, m) P(alive at u)``.
        """
        result = np.ones((self.p_alive.size, counts.size))
        for column, m in enumerate(counts):
            if m > 0.0:
                log = -log_beta(self.shape, m) - np.log(self.rate)
                log = log + self._log_integral(days, m - 1.0, self.shape + m, self._log_alive)
                result[:, column] = self.p_alive * np.exp(log)[self.kind]
        return result

    def exactly(self, days: float, counts: Floats) -> Floats:
        """Return P(`counts` purchases in (T, T + days]), shape (n, m).

        Alive at the end with that many, or dropped out at some time u with that many before.
        """
        n = self.shape
        result = np.empty((self.p_alive.size, counts.size))
        log_share, log_rest = -np.log1p(self.rate / days), -np.log1p(days / self.rate)
        there = self._log_alive(np.full((n.size, 1), days))[:, 0]
        for column, m in enumerate(counts):
            ways = log_rising(n, m)[0] - special.gammaln(m + 1.0)
            alive = np.exp(ways + n * log_rest + m * log_share + there)
            dead = np.exp(ways + self._log_integral(days, m, n + m, self._log_leaving))
            result[:, column] = self.p_alive * (alive + dead)[self.kind]
        return result + np.where(counts == 0.0, 1.0 - self.p_alive[:, None], 0.0)

    def draw(self, days: float, rng: np.random.Generator, who: Ints) -> Ahead:
        """Draw the purchases in (T, T + days] of the customers `who`."""
        shape, rate = (v[self.kind][who] for v in (self.shape, self.rate))
        there = rng.random(who.size) < self.p_alive[who]
        lifetime = np.where(there, self._lifetimes(who, rng), 0.0)
        seen = np.minimum(lifetime, days)
        count = rng.poisson(rng.gamma(shape) / rate * seen)
        return Ahead(*points_in_time(count, seen, rng), lifetime > days)

    def _log_integral(
        self, days: float, i: float, j: Floats, log_dropout: Callable[[Floats], Floats]
    ) -> Floats:
        """Return ``ln Int_0^t (u/A)^i (1 + u/A)^-j e^log_dropout(u) du``, shape (m,).

        In ``w = ln(1 + u / least)``, least the shorter scale, a grid finds where the integrand
        matters, Gauss-Legendre nodes sum it there.
        """
        j, A = j[:, None], self.rate[:, None]
        least = np.minimum(A, self._scale()[:, None])

        def log(w: Floats) -> Floats:
            u = least * np.expm1(w)
            value = w + np.log(least) - j * np.log1p(u / A) + log_dropout(u)
            return value + (i * np.log(np.maximum(u / A, 1e-300)) if i > 0.0 else 0.0)

        end = np.log1p(days / least)
        grid = np.linspace(0.0, 1.0, 200)
        coarse = log(end * grid)
        matters = coarse > coarse.max(axis=1, keepdims=True) - LOG_NOTHING
        low = grid[np.maximum(matters.argmax(axis=1) - 1, 0)][:, None]
        high = grid[np.minimum(200 - matters[:, ::-1].argmax(axis=1), 199)][:, None]
        nodes, weights = gauss_legendre(_NODES)
        fine = log(end * (low + (high - low) * nodes))
        top = fine.max(axis=1)
        total = np.exp(fine - top[:, None]) @ weights
        return top + np.log(total * (end * (high - low))[:, 0])


@dataclass(frozen=True, slots=True)
class ParetoFuture(ContinuousFuture):
    """The rest of life is Pareto: dropout at rate Gamma(s, B)."""

    def _log_alive(self, u: Floats) -> Floats:
        return -self.dropout_shape[:, None] * np.log1p(u / self.dropout_rate[:, None])

    def _log_leaving(self, u: Floats) -> Floats:
        s, B = self.dropout_shape[:, None], self.dropout_rate[:, None]
        return np.log(s) - np.log(B) - (s + 1.0) * np.log1p(u / B)

    def _scale(self) -> Floats:
        return self.dropout_rate

    def _lifetimes(self, who: Ints, rng: np.random.Generator) -> Floats:
        s, B = (v[self.kind][who] for v in (self.dropout_shape, self.dropout_rate))
        leaving = np.maximum(rng.gamma(s) / B, 1e-300)
        return rng.exponential(size=who.size) / leaving

    def expected(self, days: float, rate: float = 0.0) -> Floats:
        """Return expected purchases in (T, T + days], discounted continuously at `rate` per day.

        ``P(alive) n / A Int_0^t e^(-delta u) (B / (B + u))^s du`` with ``v = ln(1 + u / B)``: an
        elementary integral without discounting, finite also at s = 1.
        """
        s, B = self.dropout_shape, self.dropout_rate
        with np.errstate(over="ignore", divide="ignore"):
            end = np.log1p(days / B)
        if rate > 0.0:
            time = _discounted(s, B, days, rate)
        elif np.isinf(days):
            time = np.where(s > 1.0, B / np.where(s > 1.0, s - 1.0, 1.0), np.inf)
        else:
            growth = (1.0 - s) * end
            near = np.abs(growth) < 1e-8
            safe = np.where(near, 1.0, growth)
            time = B * end * np.where(near, 1.0 + growth / 2.0, np.expm1(safe) / safe)
        return alive_times(self.p_alive, (self.shape / self.rate * time)[self.kind])


def _discounted(s: Floats, B: Floats, days: float, delta: float) -> Floats:
    """``B Int_0^V exp(-delta B (e^v - 1) + (1 - s) v) dv``, cut off where nothing is left.

    V = ln(1 + days / B); the value is smooth in ln B.
    """

    def integrated(rows: Ints, log_rate: Floats) -> Floats:
        power, rate = 1.0 - s[rows], np.exp(log_rate)
        z = delta * rate

        def drop(v: Floats) -> Floats:
            return z * np.expm1(v) - power * v

        def slope(v: Floats) -> Floats:
            return z * np.exp(v) - power

        far = np.log1p(840.0 / z)  # z (e^v - 1) exceeds 40 + v there
        with np.errstate(over="ignore"):
            end = np.minimum(np.log1p(days / rate), reach(drop, slope, far))
        total = np.zeros_like(end)
        for node, weight in zip(*gauss_legendre(_NODES), strict=True):
            v = end * node
            total += weight * np.exp(power * v - z * np.expm1(v))
        return (rate * end * total)[None, :]

    return smooth(integrated, distinct_rows([s])[1], np.log(B))[0]


def of_kinds(
    theta: Sequence[Any], alpha: Any, beta: Any, x: Floats, T: Floats
) -> tuple[Index, Any, Any, Floats, Floats]:
    """Return of which kind each customer is, and what one of each kind has.

    Customers are of one kind who agree in `x`, `T` and the parameters that differ by customer.
    """
    first, kind = alike_rows([x, T, *(value for value in theta if np.ndim(value))])
    alpha, beta = (value[first] if np.ndim(value) else value for value in (alpha, beta))
    return kind, alpha, beta, x[first], T[first]


def drawn_histories(
    rate: Floats, lifetime: Floats, length: Floats, rng: np.random.Generator
) -> dict[str, NDArray[Any]]:
    """Draw the purchases of customers who buy at a rate as long as they live."""
    observed = np.minimum(lifetime, length)
    frequency = rng.poisson(np.minimum(rate * observed, 1e15))
    share = rng.beta(np.maximum(frequency, 1), 1.0)
    recency = np.where(frequency > 0, observed * share, 0.0)
    count = frequency.astype(np.int64)
    return {"frequency": count, "recency": recency, "T": length, "alive": lifetime > length}
