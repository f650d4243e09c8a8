"""What a beta-geometric customer does next, given the history (BG/NBD, MBG/NBD, k = 1).

Given that the customer is alive at T, lambda ~ Gamma(r + x, alpha + T) and, independently,
p ~ Beta(a, b + m): the posterior has the form of the prior. Every prediction is an expectation
of an elementary function over p, taken by quadrature; the hypergeometric closed forms cancel or
overflow near a = 1 and a + b = 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from crmkit.clv._math.ahead import Ahead, buying_stages, chance_of_leaving
from crmkit.clv._math.bg_counts import at_least, exactly
from crmkit.clv._math.dropout import Quadrature, over_dropout
from crmkit.clv._math.rows import ALL, Index
from crmkit.clv._math.special import LOG_NOTHING, alive_times, gauss_legendre

if TYPE_CHECKING:
    from crmkit._typing import Floats, Ints
    from crmkit.clv._math.dropout import Given

__all__ = ["BetaGeometricFuture"]


@dataclass(frozen=True, slots=True)
class BetaGeometricFuture:
    """Posterior of n customers of m kinds: alive (n,), Gamma(n, A) and Beta(a, b) of shape (m,).

    ``kind`` tells of which kind each customer is, ``group`` which kinds differ in A alone.
    """

    p_alive: Floats
    shape: Floats
    rate: Floats
    a: Floats
    b: Floats
    kind: Index = ALL
    group: Ints | None = None

    def survival(self, days: float) -> Floats:
        """Return P(alive at T + days): ``P(alive) E[(1 + p t / A)^-n]``."""

        def kept(state: Quadrature) -> Floats:
            return state.mean(np.exp(-state.shape * np.log1p(state.p * (days / state.rate))))

        return self.p_alive * self._over_dropout(kept)

    def expected(self, days: float, rate: float = 0.0) -> Floats:
        """Return expected purchases in (T, T + days], discounted continuously at `rate` per day."""
        if days == 0.0:
            return np.zeros_like(self.p_alive)
        if rate == 0.0 and np.isinf(days):
            with np.errstate(divide="ignore"):
                mean = np.where(self.a > 1.0, (self.a + self.b - 1.0) / (self.a - 1.0), np.inf)
            return alive_times(self.p_alive, mean[self.kind])
        if rate == 0.0:
            return self.p_alive * self._over_dropout(_count(days))
        short = rate * days < 1.0 and float(np.max(self.shape * days / self.rate)) < 8.0
        n_nodes = 20 if short else 48
        given = _discounted(days, rate, n_nodes)
        return self.p_alive * self._over_dropout(given, cost=n_nodes)

    def at_least(self, days: float, counts: Floats) -> Floats:
        """Return P(at least `counts` purchases in (T, T + days]), shape (n, m)."""
        found = self.p_alive[:, None] * at_least(days, counts, **self._state())[self.kind]
        return np.where(counts > 0.0, found, 1.0)

    def exactly(self, days: float, counts: Floats) -> Floats:
        """Return P(`counts` purchases in (T, T + days]), shape (n, m)."""
        found = self.p_alive[:, None] * exactly(days, counts, **self._state())[self.kind]
        return found + np.where(counts == 0.0, 1.0 - self.p_alive[:, None], 0.0)

    def draw(self, days: float, rng: np.random.Generator, who: Ints) -> Ahead:
        """Draw the purchases in (T, T + days] of the customers `who`."""
        shape, rate, a, b = (v[self.kind][who] for v in (self.shape, self.rate, self.a, self.b))
        alive = rng.random(who.size) < self.p_alive[who]
        pace, chances = rng.gamma(shape) / rate, chance_of_leaving(a, b, rng)
        return buying_stages(alive, pace, chances, np.zeros_like(who), days, rng, k=1)

    def _state(self) -> dict[str, Floats]:
        """Return the posterior given alive by name; every gap has one stage."""
        names = ("shape", "rate", "a", "b")
        state = {name: getattr(self, name) for name in names}
        return state | {"stages": np.ones((1, self.shape.size))}

    def _over_dropout(self, given: Given, cost: int = 1) -> Floats:
        """Return an expectation over p ~ Beta(a, b), shape (n,)."""
        found = over_dropout(given, self, cost=cost)
        result: Floats = found[0][self.kind]
        return result


def _count(days: float) -> Given:
    """Count purchases given p: ``(1 - (1 + p t / A)^-n) / p``."""

    def given(state: Quadrature) -> Floats:
        log_kept = -state.shape * np.log1p(state.p * (days / state.rate))
        return state.mean(-np.expm1(log_kept) / state.p)

    return given


def _discounted(days: float, delta: float, n_nodes: int) -> Given:
    """Discounted purchases given p, with ``v = ln(1 + p u / A)`` as the time scale.

    ``(n / p) Int_0^V exp(-z (e^v - 1) - n v) dv``, z = delta A / p: positive and decreasing, so
    the integral stops where the integrand has fallen by e^-40.
    """
    nodes, weights = gauss_legendre(n_nodes)

    def given(state: Quadrature) -> Floats:
        p, shape, rate = state.p, state.shape, state.rate
        z = delta * rate / p
        end = np.minimum(LOG_NOTHING / shape, np.log1p(LOG_NOTHING / z))
        end = np.minimum(end, np.log1p(p * (days / rate)))
        v = end[..., None] * nodes
        log = -z[..., None] * np.expm1(v) - shape[..., None] * v
        return state.mean((np.exp(log) @ weights) * end * shape / p)

    return given
