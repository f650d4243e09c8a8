"""The beta-geometric purchase models: BG/NBD, MBG/NBD and their forms with regular purchases.

Purchases arrive with Erlang-k gaps whose stages have rate lambda ~ Gamma(r, alpha); after each
repeat purchase (modified models: after the first purchase too) the customer drops out with
probability p ~ Beta(a, b). k = 1 is BG/NBD (Fader, Hardie and Lee 2005, eq. 6) or MBG/NBD
(Batislam, Denizel and Filiztekin 2007, eq. 4); k > 1 is (M)BG/CNBD-k (Reutterer, Platzer and
Schroeder 2021). The likelihood of a customer with x repeat purchases, the last at t_x, is

    Gamma(r + k x) / Gamma(r)  B(a, b + m) / B(a, b)  alpha^r (alive + dead a / (b + m - 1)),

with m = x (+ 1) chances survived, n = k x stages completed and the positive terms
``alive = sum_j Gamma(r + n + j) / Gamma(r + n) (T - t_x)^j / j! (alpha + T)^-(r + n + j)``, j < k,
and ``dead = (alpha + t_x)^-(r + n)``.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from crmkit.clv._math.accounting import DAYS_PER_YEAR
from crmkit.clv._math.ahead import chance_of_leaving
from crmkit.clv._math.beta_geometric_alive import (
    counts_value,
    p_alive,
    stage_weights,
    times_value,
)
from crmkit.clv._math.beta_geometric_future import BetaGeometricFuture
from crmkit.clv._math.law import Limits, Processes, PurchaseLaw
from crmkit.clv._math.likelihood import Part, compressed_part
from crmkit.clv._math.prior import Quantity, beta_quantities, gamma_quantities
from crmkit.clv._math.rows import alike_rows, distinct_rows
from crmkit.clv._math.special import log_rising

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from crmkit._typing import Floats, Ints
    from crmkit.clv._math.rows import Rows

__all__ = ["BetaGeometric", "counts_density", "times_density"]


@dataclass(frozen=True, kw_only=True)
class BetaGeometric(PurchaseLaw):
    """The family: `k` stages of a gap, and 1 if one may leave right after the first purchase."""

    k: int = 1
    first_chance: int = 0
    longest: float = 1_000.0 * DAYS_PER_YEAR
    too_long: str = "It is measured in days: simulate shorter histories."
    names: tuple[str, ...] = ("r", "alpha", "a", "b")
    scaled: tuple[str, ...] = ("alpha",)
    leaving: tuple[str, ...] = ("a", "b")
    processes: Processes = (
        ("purchase", (("alpha", -1.0, "purchase"),)),
        ("dropout", (("a", 1.0, "dropout_a"), ("b", 1.0, "dropout_b"))),
    )
    quantities: tuple[Quantity, ...] = (
        *gamma_quantities("gap_days", "gap_spread", "r", "alpha", days=(1.0, 3650.0)),
        *beta_quantities("p_dropout", "dropout_spread", "a", "b"),
    )
    limits: Limits = (
        ("r+ alpha+", "everybody buys at the same rate (r and alpha grow without bound)"),
        ("a+ b+", "everybody has the same dropout probability (a and b grow without bound)"),
        ("a- b-", "each customer drops out at the first chance or never (a and b go to 0)"),
        ("a- b+ | a- | b+", "nobody drops out"),
        ("a+ b- | a+ | b-", "everybody drops out at the first chance"),
        ("r-", "hardly anybody buys again (r goes to 0)"),
    )

    def offsets(self) -> dict[str, float]:
        """Return what a gap of k stages adds."""
        return {"gap_days": float(np.log(self.k))}

    def parts(self, rows: Rows) -> list[Part]:
        """Return what depends on counts alone, and the rest."""
        x, t_x, T = (rows.columns[name] for name in ("frequency", "recency", "T"))
        n, m = self.k * x, x + self.first_chance
        about = rows.weight, rows.designs
        counts = compressed_part(counts_density, (n, m), *about, uses=(0, 2, 3), value=counts_value)
        times, value = partial(times_density, k=self.k), partial(times_value, k=self.k)
        return [counts, Part(times, (n, m, t_x, T), *about, value)]

    def starts(self, rows: Rows) -> list[list[float]]:
        """Return log-parameters to start from, in units of the mean of T."""
        mean = float(rows.weight @ rows.columns["frequency"] / rows.weight.sum())
        rate = max(mean, 1e-3) * self.k
        starts = [(0.5, 0.5 / rate, 1.0, 3.0)]
        for r, slow, mean, both in product((0.3, 2.0), (0.4, 2.0), (0.1, 0.5, 0.85), (0.1, 3.0)):
            starts.append((r, slow * r / rate, mean * both, (1.0 - mean) * both))
        return [np.log(start).tolist() for start in starts]

    def future(self, theta: list[Any], columns: dict[str, Floats]) -> BetaGeometricFuture:
        """Return what is known of customers at T: P(alive), and given that the prior's form.

        ``lambda ~ Gamma(r + k x, alpha + T)`` and ``p ~ Beta(a, b + m)``. They depend on counts
        and lengths alone, so that customers who agree in them are of one kind.
        """
        x, t_x, T = (columns[name] for name in ("frequency", "recency", "T"))
        alive = p_alive(theta, self.k * x, x + self.first_chance, t_x, T, k=self.k)
        stages = None
        if self.k > 1:
            share = (T - t_x) / (theta[1] + T)
            stages = stage_weights(theta[0] + self.k * x, share, self.k)
            stages /= stages.sum(axis=0)
        first, kind = alike_rows([x, T, *(value for value in theta if np.ndim(value))])
        r, alpha, a, b = (value[first] if np.ndim(value) else value for value in theta)
        x, T = x[first], T[first]
        return BetaGeometricFuture(
            p_alive=alive,
            shape=r + self.k * x,
            rate=alpha + T,
            a=a + np.zeros_like(x),
            b=b + x + self.first_chance,
            stages=stages,
            kind=kind,
            group=distinct_rows([x, *(value for value in (a, b) if np.ndim(value))])[1],
        )

    def simulate(
        self, theta: list[Any], length: Floats, rng: np.random.Generator
    ) -> dict[str, NDArray[Any]]:
        """Draw frequency, recency (n,), the sum of log gaps and who is alive at T.

        The stages in (0, T) are a Poisson number of uniform points, every k-th of them a purchase
        if the customer is still there. The time of the j-th of N points is T Beta(j, N - j + 1),
        so that no path has to be drawn and nothing is rounded to periods.
        """
        r, alpha, a, b = theta
        k, T, size = self.k, length, length.shape
        rate = rng.gamma(np.broadcast_to(r, size)) / alpha
        dropout = chance_of_leaving(np.broadcast_to(a, size), np.broadcast_to(b, size), rng)
        stages = rng.poisson(np.minimum(rate * T, 1e15))
        chances = dropout - self.first_chance
        frequency = np.minimum(stages // k, chances)
        alive = stages // k < chances
        last = k * frequency
        share = rng.beta(np.maximum(last, 1), np.maximum(stages - last, 0) + 1.0)
        recency = np.where(frequency > 0, T * share, 0.0)
        count = frequency.astype(np.int64)
        drawn: dict[str, NDArray[Any]] = {"frequency": count, "recency": recency, "T": T}
        if k > 1:
            drawn["sum_log_gaps"] = _log_gaps(count, recency, k, rng)
        return drawn | {"alive": alive}


@dataclass(frozen=True, slots=True)
class Alive:
    """ln of the density of being alive, over ``Gamma(r + k x) / Gamma(r)``, and derivatives."""

    value: Floats
    r: Floats
    alpha: Floats
    rr: Floats
    r_alpha: Floats
    alpha_alpha: Floats
    stages: Floats | None  # probabilities of the stages, shape (k, n)


def counts_density(theta: Sequence[Any], n: Floats, m: Floats) -> Any:
    """Terms that depend on counts only: n = k x stages and m = x (+ 1) survived chances.

    ``ln Gamma(r + n) / Gamma(r) + ln B(a, b + m) / B(a, b)``.
    """
    r, _, a, b = theta
    gamma = log_rising(r, n)
    upper, lower = log_rising(b, m), log_rising(a + b, m)
    gradient = {0: gamma[1], 2: -lower[1], 3: upper[1] - lower[1]}
    hessian = {(0, 0): gamma[2], (2, 2): -lower[2], (2, 3): -lower[2], (3, 3): upper[2] - lower[2]}
    return gamma[0] + upper[0] - lower[0], gradient, hessian


def _poisson(r: Any, alpha: Any, n: Floats, t: Floats) -> tuple[Floats, ...]:
    """``r ln alpha - (r + n) ln(alpha + t)`` and its derivatives, stable for large alpha."""
    inverse = 1.0 / (alpha + t)
    share = t * inverse / alpha
    growth = -np.log1p(t / alpha)
    return (
        (r + n) * growth - n * np.log(alpha),
        growth,
        r * share - n * inverse,
        share,
        n * inverse**2 - r * share * (1.0 / alpha + inverse),
    )


def alive_stages(r: Any, alpha: Any, n: Floats, gap: Floats, T: Floats, *, k: int) -> Alive:
    """Density of no purchase in the `gap` before T: stage 0, ..., or k - 1 is running.

    ``sum_j Gamma(r + n + j) / Gamma(r + n) gap^j / j! alpha^r (alpha + T)^-(r + n + j)``.
    """
    value, r1, a1, ra, aa = _poisson(r, alpha, n, T)
    if k == 1:
        return Alive(value, r1, a1, np.zeros_like(value), ra, aa, None)
    log_gap = np.log(np.maximum(gap, 1e-300)) - np.log(alpha + T)
    inverse = 1.0 / (alpha + T)
    logs, slopes, curves = [np.zeros_like(value)], [np.zeros_like(value)], [np.zeros_like(value)]
    for j in range(1, k):
        rate = r + n + (j - 1)
        logs.append(logs[-1] + np.log(rate) + log_gap - np.log(j))
        slopes.append(slopes[-1] + 1.0 / rate)
        curves.append(curves[-1] - 1.0 / rate**2)
    log = np.stack(logs)
    top = log.max(axis=0)
    stages = np.exp(log - top)
    scale = stages.sum(axis=0)
    stages /= scale
    index = np.arange(k)[:, None]
    slope, curve = np.stack(slopes), np.stack(curves)
    # Mixture of the stages: mean score, and mean curvature plus covariance of the scores.
    mean_r, mean_j = (stages * slope).sum(axis=0), (stages * index).sum(axis=0)
    dr, dj = slope - mean_r, index - mean_j
    return Alive(
        value + top + np.log(scale),
        r1 + mean_r,
        a1 - mean_j * inverse,
        (stages * (curve + dr * dr)).sum(axis=0),
        ra - (stages * dr * dj).sum(axis=0) * inverse,
        aa + (mean_j + (stages * dj * dj).sum(axis=0)) * inverse**2,
        stages,
    )


def times_density(
    theta: Sequence[Any],
    n: Floats,
    m: Floats,
    t_x: Floats,
    T: Floats,
    *,
    k: int,
) -> Any:
    """Terms that depend on times: ln(alive + dead), dead / alive = a / (b + m - 1) at the last.

    A customer who had no chance to drop out (m = 0) is alive.
    """
    r, alpha, a, b = theta
    alive = alive_stages(r, alpha, n, T - t_x, T, k=k)
    dead = _poisson(r, alpha, n, t_x)
    chance = np.maximum(m, 1.0) - 1.0 + b
    log_odds = np.where(m > 0.0, np.log(a / chance) + dead[0] - alive.value, -np.inf)
    smaller = np.exp(-np.abs(log_odds))
    share = np.where(log_odds > 0.0, 1.0, smaller) / (1.0 + smaller)
    both = smaller / np.square(1.0 + smaller)
    d_r, d_alpha = dead[1] - alive.r, dead[2] - alive.alpha
    d_a, d_b = 1.0 / a, -1.0 / chance
    both_r, both_alpha = both * d_r, both * d_alpha
    gradient = {
        0: alive.r + share * d_r,
        1: alive.alpha + share * d_alpha,
        2: share * d_a,
        3: share * d_b,
    }
    hessian = {
        (0, 0): alive.rr * (1.0 - share) + both_r * d_r,
        (0, 1): alive.r_alpha + share * (dead[3] - alive.r_alpha) + both_r * d_alpha,
        (0, 2): both_r * d_a,
        (0, 3): both_r * d_b,
        (1, 1): alive.alpha_alpha + share * (dead[4] - alive.alpha_alpha) + both_alpha * d_alpha,
        (1, 2): both_alpha * d_a,
        (1, 3): both_alpha * d_b,
        (2, 2): (both - share) * d_a**2,
        (2, 3): both * d_a * d_b,
        (3, 3): (both + share) * d_b**2,
    }
    value = alive.value + np.maximum(log_odds, 0.0) + np.log1p(smaller)
    return value, gradient, hessian


def _log_gaps(frequency: Ints, recency: Floats, k: int, rng: np.random.Generator) -> Floats:
    """Draw the sum of the log gaps: given their sum they are Dirichlet(k, ..., k) shares of it."""
    owner = np.repeat(np.arange(frequency.size), frequency)
    parts = rng.gamma(k, size=owner.size)
    total = np.bincount(owner, weights=parts, minlength=frequency.size)
    logs = np.bincount(owner, weights=np.log(parts), minlength=frequency.size)
    scale = np.log(np.where(frequency > 0, recency / np.where(total > 0, total, 1.0), 1.0))
    return np.asarray(logs + frequency * scale, dtype=np.float64)
