"""What a beta-geometric customer does next, given the history (BG/NBD, MBG/NBD, k = 1).

Given that the customer is alive at T, lambda ~ Gamma(r + x, alpha + T) and, independently,
p ~ Beta(a, b + m): the posterior has the form of the prior. Every prediction is an expectation
of an elementary function over p, taken by quadrature; the hypergeometric closed forms cancel or
overflow near a = 1 and a + b = 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crmkit.clv._math.bg_counts import at_least, exactly
from crmkit.clv._math.rows import distinct_rows
from crmkit.clv._math.special import LOG_NOTHING, beta_rule, gauss_legendre

__all__ = ["BetaGeometricFuture"]

FloatArray = NDArray[np.float64]
_CELLS = 2_000_000


@dataclass(frozen=True, slots=True)
class BetaGeometricFuture:
    """Posterior of n customers, all arrays of shape (n,): alive, Gamma(n, A) and Beta(a, b)."""

    p_alive: FloatArray
    shape: FloatArray
    rate: FloatArray
    a: FloatArray
    b: FloatArray

    def survival(self, days: float) -> FloatArray:
        """Return P(alive at T + days): ``P(alive) E[(1 + p t / A)^-n]``."""

        def kept(p: FloatArray, shape: FloatArray, rate: FloatArray) -> FloatArray:
            result: FloatArray = np.exp(-shape * np.log1p(p * (days / rate)))
            return result

        return self.p_alive * self._over_dropout(kept, 1)

    def expected(self, days: float, rate: float = 0.0) -> FloatArray:
        """Return expected purchases in (T, T + days], discounted continuously at `rate` per day."""
        if rate == 0.0 and np.isinf(days):
            with np.errstate(divide="ignore"):
                mean = np.where(self.a > 1.0, (self.a + self.b - 1.0) / (self.a - 1.0), np.inf)
            return self.p_alive * mean
        if rate == 0.0:
            return self.p_alive * self._over_dropout(_count(days), 1)
        short = rate * days < 1.0 and float(np.max(self.shape * days / self.rate)) < 8.0
        n_nodes = 20 if short else 48
        return self.p_alive * self._over_dropout(_discounted(days, rate, n_nodes), n_nodes)

    def at_least(self, days: float, counts: FloatArray) -> FloatArray:
        """Return P(at least `counts` purchases in (T, T + days]), shape (n, m)."""
        found = self.p_alive[:, None] * at_least(days, counts, **self._state())
        return np.where(counts > 0.0, found, 1.0)

    def exactly(self, days: float, counts: FloatArray) -> FloatArray:
        """Return P(`counts` purchases in (T, T + days]), shape (n, m)."""
        found = self.p_alive[:, None] * exactly(days, counts, **self._state())
        return found + np.where(counts == 0.0, 1.0 - self.p_alive[:, None], 0.0)

    def _state(self) -> dict[str, FloatArray]:
        """Return the posterior given alive by name; every gap has one stage."""
        names = ("shape", "rate", "a", "b")
        state = {name: getattr(self, name) for name in names}
        return state | {"stages": np.ones((1, self.shape.size))}

    def _over_dropout(self, function: Any, cost: int) -> FloatArray:
        """Return ``E[function(p, n, A)]`` over p ~ Beta(a, b), each distinct case once."""
        first, inverse = distinct_rows([self.a, self.b, self.shape, self.rate])
        a, b, shape, rate = (v[first] for v in (self.a, self.b, self.shape, self.rate))
        rule_of, rule = distinct_rows([a, b])
        nodes, weights = np.empty(0), np.empty(0)
        result = np.empty(first.size)
        block = max(1, _CELLS // (240 * cost))
        for start in range(0, first.size, block):
            rows = slice(start, start + block)
            used, position = np.unique(rule[rows], return_inverse=True)
            nodes, _, weights = beta_rule(a[rule_of[used]], b[rule_of[used]])
            values = function(nodes[position], shape[rows, None], rate[rows, None])
            result[rows] = np.einsum("ij,ij->i", weights[position], values)
        return result[inverse]


def _count(days: float) -> Any:
    """Count purchases given p: ``(1 - (1 + p t / A)^-n) / p``."""

    def function(p: FloatArray, shape: FloatArray, rate: FloatArray) -> FloatArray:
        result: FloatArray = -np.expm1(-shape * np.log1p(p * (days / rate))) / p
        return result

    return function


def _discounted(days: float, delta: float, n_nodes: int) -> Any:
    """Discounted purchases given p, with ``v = ln(1 + p u / A)`` as the time scale.

    ``(n / p) Int_0^V exp(-z (e^v - 1) - n v) dv``, z = delta A / p: positive and decreasing, so
    the integral stops where the integrand has fallen by e^-40.
    """
    nodes, weights = gauss_legendre(n_nodes)

    def function(p: FloatArray, shape: FloatArray, rate: FloatArray) -> FloatArray:
        z = delta * rate / p
        end = np.minimum(LOG_NOTHING / shape, np.log1p(LOG_NOTHING / z))
        end = np.minimum(end, np.log1p(p * (days / rate)))
        v = end[..., None] * nodes
        log = -z[..., None] * np.expm1(v) - shape[..., None] * v
        result: FloatArray = (np.exp(log) @ weights) * end * shape / p
        return result

    return function
