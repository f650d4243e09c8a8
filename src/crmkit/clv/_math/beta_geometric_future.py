"""What a beta-geometric customer does next, given the history.

Given that the customer is alive at T, lambda ~ Gamma(n, A), n = r + k x, A = alpha + T, and,
independently, p ~ Beta(a, b + m): the posterior has the form of the prior. Every prediction is an
expectation of an elementary function over p, taken by quadrature; the hypergeometric closed forms
cancel or overflow near a = 1 and a + b = 1. Without regularity (k = 1)

    E[purchases] = P(alive) E[(1 - (1 + p t / A)^-n) / p],   P(alive later) = E[(1 + p t / A)^-n].

With Erlang-k gaps who is alive at T is in one of k stages. With z the k-th root of 1 - p, counting
stages modulo k by the k-th roots of unity w gives sums of k elementary functions of ``y = z w``,
where others approximate: per stage j and given p,

    E[purchases] = 1/k sum_w y^(j - k + 1) (1 - G(y)) / (1 - y)
    P(alive)     = 1/k sum_w (y^j + ... + y^(j - k + 1)) G(y),   G(y) = (1 + (1 - y) t / A)^-n.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import gammaln

from crmkit.clv._math.ahead import Ahead, buying_stages, chance_of_leaving
from crmkit.clv._math.bg_counts import at_least, exactly, stage_survival
from crmkit.clv._math.dropout import Given, Quadrature, over_dropout
from crmkit.clv._math.rows import ALL, Index
from crmkit.clv._math.special import LOG_NOTHING, alive_times, gauss_legendre, log_rising

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from crmkit._typing import Bools, Floats, Ints

__all__ = ["BetaGeometricFuture"]

# Below this 1 - p the roots cancel, and a few terms of the power series in 1 - p are exact.
_SMALL = 1e-4
_SERIES = 5
# They are exact for every p where so few stages are to come that the next term is nothing; the
# roots cancel there too.
_LOG_NOTHING = -34.0
_NOTHING = 1e-18
# Nodes that give all digits where the log falls less than so far on a piece shorter than that.
_RULES = ((8, 2.0, 1.0), (12, 8.0, 1.5), (20, 20.0, 2.0), (48, np.inf, np.inf))


@dataclass(frozen=True, slots=True)
class BetaGeometricFuture:
    """Posterior of n customers of m kinds: alive (n,), Gamma(n, A) and Beta(a, b) of shape (m,).

    ``stages`` are the probabilities of the stages (k, n), None without regularity. ``kind`` tells
    of which kind each customer is, ``group`` which kinds differ in A alone.
    """

    p_alive: Floats
    shape: Floats
    rate: Floats
    a: Floats
    b: Floats
    stages: Floats | None = None
    kind: Index = ALL
    group: Ints | None = None

    def survival(self, days: float) -> Floats:
        """Return P(alive at T + days)."""
        if self.stages is None:
            return self._over_dropout(_survives(days))
        k = len(self.stages)
        return self._over_dropout(lambda nodes: next(_by_stage(nodes, [days], k, alive=True)), k)

    def expected(self, days: float, rate: float = 0.0) -> Floats:
        """Return expected purchases in (T, T + days], discounted continuously at `rate` per day."""
        if days == 0.0:
            return np.zeros_like(self.p_alive)
        if rate == 0.0 and np.isinf(days):
            with np.errstate(divide="ignore"):
                mean = np.where(self.a > 1.0, (self.a + self.b - 1.0) / (self.a - 1.0), np.inf)
            return alive_times(self.p_alive, mean[self.kind])
        if self.stages is not None:
            k = len(self.stages)
            if rate > 0.0:
                return self._over_dropout(_discounted_stages(days, rate, k), k)
            return self._over_dropout(lambda at: next(_by_stage(at, [days], k, alive=False)), k)
        if rate == 0.0:
            return self._over_dropout(_count(days))
        return self._over_dropout(_discounted(days, rate), 20)

    def at_least(self, days: float, counts: Floats) -> Floats:
        """Return P(at least `counts` purchases in (T, T + days]), shape (n, m)."""
        found = self.p_alive[:, None] * at_least(days, counts, **self._state())[self._row()]
        return np.where(counts > 0.0, found, 1.0)

    def exactly(self, days: float, counts: Floats) -> Floats:
        """Return P(`counts` purchases in (T, T + days]), shape (n, m)."""
        found = self.p_alive[:, None] * exactly(days, counts, **self._state())[self._row()]
        return found + np.where(counts == 0.0, 1.0 - self.p_alive[:, None], 0.0)

    def draw(self, days: float, rng: np.random.Generator, who: Ints) -> Ahead:
        """Draw the purchases in (T, T + days] of the customers `who`."""
        shape, rate, a, b = (v[self.kind][who] for v in (self.shape, self.rate, self.a, self.b))
        alive = rng.random(who.size) < self.p_alive[who]
        stage, k = np.zeros_like(who), 1
        if self.stages is not None:
            k = len(self.stages)
            stage = (rng.random(who.size) > np.cumsum(self.stages, axis=0)[:-1, who]).sum(axis=0)
        # Each stage that has begun is one event more of what tells the rate.
        pace, chances = rng.gamma(shape + stage) / rate, chance_of_leaving(a, b, rng)
        return buying_stages(alive, pace, chances, stage, days, rng, k=k)

    def _row(self) -> Index:
        """Return where the state of each customer stands: stages differ within a kind."""
        return self.kind if self.stages is None else ALL

    def _state(self) -> dict[str, Floats]:
        """Return the posterior given alive by name, of kinds or, with stages, of customers."""
        names = ("shape", "rate", "a", "b")
        if self.stages is None:
            state = {name: getattr(self, name) for name in names}
            return state | {"stages": np.ones((1, self.shape.size))}
        state = {name: getattr(self, name)[self.kind] for name in names}
        return state | {"stages": self.stages}

    def _over_dropout(self, given: Given, cost: int = 1) -> Floats:
        """Return P(alive) times the mean over stages and p ~ Beta(a, b), shape (n,)."""
        found = over_dropout(given, self, cost=cost)
        if self.stages is None:
            return self.p_alive * found[0][self.kind]
        total = np.zeros_like(self.p_alive)
        for share, by_kind in zip(self.stages, found, strict=True):
            total += share * by_kind[self.kind]
        total *= self.p_alive
        return total


def _survives(days: float) -> Given:
    """Return P(alive later) given p: ``(1 + p t / A)^-n``."""

    def given(state: Quadrature) -> Floats:
        return state.mean(np.exp(-state.shape * np.log1p(state.p * (days / state.rate))))

    return given


def _count(days: float) -> Given:
    """Count purchases given p: ``(1 - (1 + p t / A)^-n) / p``."""

    def given(state: Quadrature) -> Floats:
        log_kept = -state.shape * np.log1p(state.p * (days / state.rate))
        return state.mean(-np.expm1(log_kept) / state.p)

    return given


def _discounted(days: float, delta: float) -> Given:
    """Discounted purchases given p, with ``v = ln(1 + p u / A)`` as the time scale.

    ``(n / p) Int_0^V exp(-z (e^v - 1) - n v) dv``, z = delta A / p: positive and decreasing, so
    the integral stops where the integrand has fallen by e^-40; the less it falls, the fewer nodes
    are enough.
    """

    def given(state: Quadrature) -> Floats:
        p, shape, rate = state.p, state.shape, state.rate
        z = delta * rate / p
        end = np.minimum(LOG_NOTHING / shape, np.log1p(LOG_NOTHING / z))
        end = np.minimum(end, np.log1p(p * (days / rate)))
        fall, longest = float(np.max(z * np.expm1(end) + shape * end)), float(end.max())
        n_nodes = next(n for n, most, length in _RULES if fall < most and longest < length)
        nodes, weights = gauss_legendre(n_nodes)
        v = end[..., None] * nodes
        log = -z[..., None] * np.expm1(v) - shape[..., None] * v
        return state.mean((np.exp(log) @ weights) * end * shape / p)

    return given


def _discounted_stages(days: float, delta: float, k: int) -> Given:
    """Discount by parts: ``e^(-delta t) E(t) + delta Int_0^t e^(-delta u) E(u) du``."""
    end = min(days, 45.0 / delta)
    nodes, weights = gauss_legendre(64 if delta * end < 0.5 else 128)

    def given(state: Quadrature) -> Floats:
        # Moments crowd towards the start, where the purchases are.
        span = np.log1p(end / state.rate)
        moments = [state.rate * np.expm1(span * node) for node in nodes]
        counts = _by_stage(state, [np.full_like(span, end), *moments], k, alive=False)
        total = np.exp(-delta * end) * next(counts)
        for u, weight, count in zip(moments, weights, counts, strict=True):
            total += (weight * span * (u + state.rate) * delta * np.exp(-delta * u))[:, 0] * count
        return total

    return given


def _by_stage(
    state: Quadrature, times: Sequence[float | Floats], k: int, *, alive: bool
) -> Iterator[Floats]:
    """Yield the survival or the number of purchases at each time for each stage j, shape (k, n).

    A time is a number or has shape (n, 1). Nodes with a small 1 - p, and all nodes where few
    stages are to come, are taken by the power series, the others by the roots of unity.
    """
    small = state.q < _SMALL
    large = _Large.of(state, small, k)
    moments = [(state.weight * small * state.q**m).sum(axis=1) for m in range(_SERIES)]
    all_moments = [(state.weight * state.q**m).sum(axis=1) for m in range(_SERIES)]
    beyond = np.maximum(log_rising(state.shape + 1.0, 4.0 * k)[0] - gammaln(4 * k + 2), 0.0)
    for time in times:
        odds = time / state.rate
        few = (4 * k * np.log(odds / (1.0 + odds)) + beyond < _LOG_NOTHING)[:, 0]
        result = np.zeros((k, odds.size))
        if not few.all():
            result = np.where(few, 0.0, _by_roots(state, large, odds, k, alive=alive))
        of_series = [
            np.where(few, every, some) for every, some in zip(all_moments, moments, strict=True)
        ]
        yield result + _by_series(state.shape, of_series, odds, k, alive=alive)


@dataclass(frozen=True, slots=True)
class _Large:
    """The nodes of a quadrature whose 1 - p is not small: weights per stage j, and the roots."""

    weights: list[Floats]
    roots: list[tuple[complex, float, NDArray[Any]]]

    @classmethod
    def of(cls, state: Quadrature, small: Bools, k: int) -> _Large:
        """Leave out the nodes where 1 - p is `small`."""
        kept = np.where(small, 0.0, state.weight)
        log_z = np.log1p(-np.where(small, 0.5, state.p)) / k
        weights = [kept * np.exp((j - k + 1) * log_z) for j in range(k)]
        return cls(weights, [_root(step, k, log_z) for step in range(k // 2 + 1)])


def _by_roots(state: Quadrature, large: _Large, odds: Floats, k: int, *, alive: bool) -> Floats:
    """Sum over the roots of unity: the formulas above, shape (k, n)."""
    total = np.zeros((k, odds.size))
    stages = _survivals if alive else _purchases
    for turn, twice, left in large.roots:
        for j, value in enumerate(stages(state, odds * left, left, k)):
            summed = turn ** (j - k + 1) * (large.weights[j] * value).sum(axis=1)
            total[j] += twice / k * summed.real
    return total


def _survivals(
    state: Quadrature, grown: NDArray[Any], left: NDArray[Any], k: int
) -> Iterator[NDArray[Any]]:
    """Yield p G(y) / (1 - y) for one stage after the other: each divides G by 1 + grown."""
    lived = np.exp(-state.shape * np.log1p(grown)) / left
    shrink = 1.0 / (1.0 + grown)
    for _ in range(k):
        yield lived * state.p
        lived *= shrink


def _purchases(
    state: Quadrature, grown: NDArray[Any], left: NDArray[Any], k: int
) -> Iterator[NDArray[Any]]:
    """Yield (1 - G(y)) / (1 - y) for one stage after the other: each divides G by 1 + grown."""
    log_kept = -state.shape * np.log1p(grown)
    lived, shrink = np.exp(log_kept) / left, 1.0 / (1.0 + grown)
    value = -np.expm1(log_kept) / left
    for _ in range(k):
        yield value
        lived *= shrink
        value = value + lived * grown


def _by_series(
    shape: Floats, moments: list[Floats], odds: Floats, k: int, *, alive: bool
) -> Floats:
    """Sum the power series in 1 - p, whose `moments` are given, shape (k, n)."""
    total = np.zeros((k, odds.size))
    for j in range(k):
        for m, moment in enumerate(moments):
            if (moment > _NOTHING).any():
                total[j] += moment * _chance(shape + j, odds, m * k - j, k, alive=alive)
    return total


def _root(step: int, k: int, log_z: Floats) -> tuple[complex, float, NDArray[Any]]:
    """Return a k-th root of unity w, how many roots it stands for, and ``1 - z w``."""
    if step == 0:
        return 1.0, 1.0, -np.expm1(log_z)
    if 2 * step == k:
        return -1.0, 1.0, 1.0 + np.exp(log_z)
    turn = complex(np.exp(2j * np.pi * step / k))
    return turn, 2.0, 1.0 - turn * np.exp(log_z)


def _chance(shape: Floats, odds: Floats, stages: int, k: int, *, alive: bool) -> Floats:
    """P(the next purchase is made, or the one before but not the next), shape (n,)."""
    ends = np.array([float(stages), float(stages + k)])
    chance = stage_survival(shape, odds, ends)
    return chance[:, 0] - chance[:, 1] if alive else chance[:, 1]
