"""Contracts that are renewed or not: shifted beta-geometric and beta-discrete-Weibull.

A customer with probability theta ~ Beta(alpha, beta) is still there after t periods with
``(1 - theta)^(t^c)``; across customers ``S(t) = B(alpha, beta + t^c) / B(alpha, beta)``. c = 1 is
the shifted beta-geometric (Fader and Hardie 2007), c free the beta-discrete-Weibull (Fader,
Hardie, Liu, Davin and Steenburgh 2018).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import special

from crmkit._typing import Floats, Ints
from crmkit.clv._math.ahead import Ahead, renewing
from crmkit.clv._math.law import Limits, PeriodLaw, Processes
from crmkit.clv._math.likelihood import Part
from crmkit.clv._math.periods import renewals
from crmkit.clv._math.prior import Quantity, beta_quantities
from crmkit.clv._math.special import alive_times, gauss_legendre, log_rising

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from crmkit.clv._math.rows import Rows

__all__ = ["DiscreteWeibull", "ShiftedGeometric", "geometric_density", "weibull_density"]

Pieces = tuple[Floats, dict[int, Floats], dict[tuple[int, int], Floats]]
_EXACT_TERMS = 1000
_POWER_LAW = 160.0


def _log_survival(theta: Sequence[Any], t: Floats) -> Pieces:
    """``ln S(t)`` with derivatives in alpha, beta and c; without c where theta has two entries.

    A ratio of beta functions: gamma functions move by v = t^c or by alpha, whichever is smaller,
    so that nothing cancels.
    """
    alpha, beta = theta[:2]
    c = theta[2] if len(theta) > 2 else 1.0
    v = t**c
    upper, lower = log_rising(beta, v), log_rising(alpha + beta, v)
    start, end = log_rising(beta, alpha), log_rising(beta + v, alpha)
    few = alpha < v
    value, by_beta, bend = (np.where(few, start[i] - end[i], upper[i] - lower[i]) for i in range(3))
    gradient = {0: -lower[1], 1: by_beta}
    hessian = {(0, 0): -lower[2], (0, 1): -lower[2], (1, 1): bend}
    if len(theta) > 2:
        log_t = np.log(np.maximum(t, 1.0))
        first, second = v * log_t, v * log_t**2
        gradient[2] = -end[1] * first
        hessian[0, 2] = -special.polygamma(1, alpha + beta + v) * first
        hessian[1, 2] = -end[2] * first
        hessian[2, 2] = -end[2] * first**2 - end[1] * second
    return value, gradient, hessian


def geometric_density(theta: Sequence[Any], t: Floats, churned: Floats) -> Pieces:
    """Return ln L of the sBG: ``S(t)``, or for who left in period t ``S(t - 1) - S(t)``.

    The difference is ``alpha / (alpha + beta + t - 1) S(t - 1)``: nothing cancels.
    """
    alpha, beta = theta
    value, gradient, hessian = _log_survival(theta, t - churned)
    total = alpha + beta + t - 1.0
    value = value + churned * (np.log(alpha) - np.log(total))
    gradient[0] = gradient[0] + churned * (1.0 / alpha - 1.0 / total)
    gradient[1] = gradient[1] - churned / total
    hessian[0, 0] = hessian[0, 0] + churned * (1.0 / total**2 - 1.0 / alpha**2)
    hessian[0, 1] = hessian[0, 1] + churned / total**2
    hessian[1, 1] = hessian[1, 1] + churned / total**2
    return value, gradient, hessian


def weibull_density(theta: Sequence[Any], t: Floats, churned: Floats) -> Pieces:
    """Ln L of the BdW: ``ln S(t)``, or ``ln(S(t - 1) - S(t))`` for who left in period t."""
    after = _log_survival(theta, t)
    before = _log_survival(theta, t - churned)
    lost = churned > 0.0
    fall = np.where(lost, np.minimum(after[0] - before[0], -1e-300), -1.0)
    share = np.where(lost, -1.0 / np.expm1(fall), 0.0)  # S(t - 1) / (S(t - 1) - S(t))
    other = np.where(lost, 1.0 - share, 1.0)  # minus S(t) over the same, or S(t) itself
    value = np.where(lost, before[0] + np.log(-np.expm1(fall)), after[0])
    gradient = {j: share * before[1][j] + other * after[1][j] for j in range(3)}
    hessian = {}
    for j, k in after[2]:
        moments = [
            weight * (pieces[2][j, k] + pieces[1][j] * pieces[1][k])
            for weight, pieces in ((share, before), (other, after))
        ]
        hessian[j, k] = moments[0] + moments[1] - gradient[j] * gradient[k]
    return value, gradient, hessian


@dataclass(frozen=True, slots=True)
class ContractFuture:
    """Contracts after t renewals, arrays (n,): running or not, dropout parameters, exponent."""

    p_alive: Floats
    alpha: Floats
    beta: Floats
    c: Floats
    t: Floats
    period_days: float

    def _kept(self, j: Floats) -> Floats:
        """``S(t + j) / S(t)`` for periods j of shape (n, m) or (m,).

        A ratio of B(alpha, beta + v), v = t^c, at two v: the rise of v is large or alpha is, and
        the smaller of the two is what the gamma functions are moved by, so that nothing cancels.
        """
        alpha, beta, c, t = (v[:, None] for v in (self.alpha, self.beta, self.c, self.t))
        with np.errstate(divide="ignore"):
            log_v = [c * np.log(t), c * np.log(t + j)]
        # Beyond e^160 the gamma functions are powers of v.
        start, end = (np.exp(np.minimum(value, _POWER_LAW)) for value in log_v)
        rise = end - start
        by_rise = log_rising(beta + start, rise)[0] - log_rising(alpha + beta + start, rise)[0]
        by_alpha = log_rising(beta + start, alpha)[0] - log_rising(beta + end, alpha)[0]
        before, after = (np.maximum(value - _POWER_LAW, 0.0) for value in log_v)
        log = np.where(rise < alpha, by_rise, by_alpha) - alpha * (after - before)
        result: Floats = np.exp(log)
        return result

    def survival(self, days: float) -> Floats:
        """Return P(still a customer after the renewals in `days`)."""
        periods = np.floor(days / self.period_days + 1e-9)
        if np.isinf(periods):
            return np.zeros_like(self.p_alive)
        return self.p_alive * self._kept(np.array([periods]))[:, 0]

    def expected(self, days: float, rate: float = 0.0) -> Floats:
        """Return expected renewals in `days`, discounted continuously at `rate` per day."""
        periods, delta = days / self.period_days, rate * self.period_days
        if (self.c == 1.0).all():
            total = renewals(self.alpha, self.beta + self.t, periods, delta)
        else:
            total = self._sum(np.floor(periods + 1e-9), delta)
        return alive_times(self.p_alive, total)

    def at_least(self, days: float, counts: Floats) -> Floats:
        """Return P(at least `counts` renewals in `days`), shape (n, m)."""
        chances = np.floor(days / self.period_days + 1e-9)
        found = self.p_alive[:, None] * self._kept(np.minimum(counts, chances))
        return np.where(counts <= chances, np.where(counts > 0.0, found, 1.0), 0.0)

    def exactly(self, days: float, counts: Floats) -> Floats:
        """Return P(`counts` renewals in `days`), shape (n, m)."""
        found: Floats = self.at_least(days, counts) - self.at_least(days, counts + 1.0)
        return found

    def draw(self, days: float, rng: np.random.Generator, who: Ints) -> Ahead:
        """Draw the renewals in `days` of the customers `who`."""
        chances = int(np.floor(days / self.period_days + 1e-9))
        alpha, beta, c, t = (v[who] for v in (self.alpha, self.beta, self.c, self.t))
        there = rng.random(who.size) < self.p_alive[who]
        age = t**c
        # Staying so long tells of a rare dropout; (1 - theta)^v falls below a uniform at this v.
        dropout = np.minimum(rng.beta(alpha, beta + age), 1.0 - 1e-16)
        with np.errstate(divide="ignore", over="ignore"):
            bound = age + np.log(rng.random(who.size)) / np.log1p(-dropout)
            lived = np.ceil(bound ** (1.0 / c) - t) - 1.0
        lived = np.where(there, np.maximum(lived, 0.0), 0.0)
        owner, when = renewing(lived, chances, self.period_days)
        return Ahead(owner, when, there & (lived >= chances))

    def _sum(self, periods: float, delta: float) -> Floats:
        """Sum ``S(t + j) / S(t) e^(-delta j)``: term by term, then Euler and Maclaurin."""
        exact = int(min(periods, _EXACT_TERMS))
        if exact == 0:
            return np.zeros_like(self.p_alive)
        j = np.arange(1.0, exact + 1.0)
        total = self._kept(j) @ np.exp(-delta * j)
        if np.isinf(periods) and delta == 0.0:
            return total + self._endless(float(exact))
        last = min(periods, exact + 45.0 / delta) if delta > 0.0 else periods
        if last <= exact:
            return np.asarray(total, dtype=np.float64)
        nodes, weights = gauss_legendre(200)
        stretch = np.log(last / exact)
        j = exact * np.exp(stretch * nodes)
        total = total + self._kept(j) @ (np.exp(-delta * j) * j * weights * stretch)
        # The sum over exact < j <= last: integral, half the end terms, first derivative.
        ends = np.array([exact, last])
        at = self._kept(ends) * np.exp(-delta * ends)
        slope = np.array([exact + 0.5, last + 0.5])
        near = self._kept(slope) * np.exp(-delta * slope)
        slope -= 1.0
        near = near - self._kept(slope) * np.exp(-delta * slope)
        correction = (at[:, 1] - at[:, 0]) / 2.0 + (near[:, 1] - near[:, 0]) / 12.0
        return np.asarray(total + correction, dtype=np.float64)

    def _endless(self, exact: float) -> Floats:
        """Sum ``S(t + j) / S(t)`` over all j > exact: S falls like the power -alpha c of j.

        The integral on the axis of ln j, beyond its end in closed form; half the first term and
        the first derivative as Euler and Maclaurin.
        """
        fall = np.where(self.alpha * self.c > 1.0, self.alpha * self.c - 1.0, np.nan)
        stretch = np.minimum(45.0 / fall, 300.0)
        nodes, weights = gauss_legendre(200)
        j = exact * np.exp(stretch[:, None] * np.append(nodes, 1.0))
        flow = self._kept(j) * j
        total = stretch * (flow[:, :-1] @ weights) + flow[:, -1] / fall
        near = self._kept(np.array([exact - 0.5, exact, exact + 0.5]))
        total -= near[:, 1] / 2.0 + (near[:, 2] - near[:, 0]) / 12.0
        return np.where(np.isnan(total), np.inf, total)


@dataclass(frozen=True, kw_only=True)
class ShiftedGeometric(PeriodLaw):
    """Each renewal fails with a chance of the customer's own: the sBG, c = 1."""

    names: tuple[str, ...] = ("alpha", "beta")
    leaving: tuple[str, ...] = ("alpha", "beta")
    processes: Processes = (
        ("dropout", (("alpha", 1.0, "dropout_alpha"), ("beta", 1.0, "dropout_beta"))),
    )
    quantities: tuple[Quantity, ...] = beta_quantities(
        "p_dropout", "dropout_spread", "alpha", "beta"
    )
    limits: Limits = (
        ("beta+ c+", "everybody leaves at the same age (beta and c grow without bound)"),
        ("alpha+ beta+", "everybody leaves with the same probability"),
        ("alpha- beta-", "each customer leaves at once or never"),
        ("alpha- beta+ | alpha- | beta+", "nobody leaves"),
        ("alpha+ beta- | alpha+ | beta-", "everybody leaves at the first renewal"),
        ("c-", "whoever survives the first renewal stays (c goes to 0)"),
        ("c+", "nobody survives the second renewal (c grows without bound)"),
    )

    def parts(self, rows: Rows) -> list[Part]:
        """Return the likelihood of periods and of who left."""
        density = geometric_density if len(self.names) == 2 else weibull_density
        return [Part(density, tuple(rows.columns.values()), rows.weight, rows.designs)]

    def starts(self, rows: Rows) -> list[list[float]]:
        """Return log-parameters to start from."""
        del rows
        starts = [(1.0, 2.0, 1.0), (0.5, 5.0, 0.8), (5.0, 20.0, 1.2)]
        return [np.log(start[: len(self.names)]).tolist() for start in starts]

    def future(self, theta: list[Any], columns: dict[str, Floats]) -> ContractFuture:
        """Return what is known after so many renewals: a contract shows who has left."""
        t, churned = columns["periods"], columns["churned"]
        zero = np.zeros_like(t)
        c = theta[2] if len(theta) > 2 else 1.0
        state = 1.0 - churned, theta[0] + zero, theta[1] + zero, c + zero, t
        return ContractFuture(*state, self.period_days)

    def simulate(
        self, theta: list[Any], length: Floats, rng: np.random.Generator
    ) -> dict[str, NDArray[Any]]:
        """Draw the periods until who left, or `length` for who is still there, and who left."""
        alpha, beta = (np.broadcast_to(value, length.shape) for value in theta[:2])
        c = theta[2] if len(theta) > 2 else 1.0
        dropout = rng.beta(alpha, beta)
        # (1 - theta)^(t^c) falls below a uniform number at this t.
        with np.errstate(divide="ignore"):
            bound = np.log(rng.random(length.size)) / np.log1p(-np.minimum(dropout, 1.0 - 1e-16))
        left = np.ceil(np.maximum(bound, 1e-300) ** (1.0 / c))
        churned = left <= length
        return {"periods": np.where(churned, left, length).astype(np.int64), "churned": churned}


@dataclass(frozen=True, kw_only=True)
class DiscreteWeibull(ShiftedGeometric):
    """The same with a risk that grows or falls with age: the BdW, c free."""

    names: tuple[str, ...] = ("alpha", "beta", "c")
    quantities: tuple[Quantity, ...] = (
        *beta_quantities("p_dropout", "dropout_spread", "alpha", "beta"),
        Quantity("c", "positive", 0.3, 3.0, {"c": 1.0}),
    )

    def runaway(self, flat: set[str], logs: Mapping[str, float]) -> set[str]:
        """Return which parameters ran away: at a large c, a large beta only says when t^c is."""
        if "beta+" in flat and logs["c"] > 2.0:
            return flat - {"alpha+"} | {"c+"}
        return super().runaway(flat, logs)
