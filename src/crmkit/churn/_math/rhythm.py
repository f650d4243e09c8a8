"""The rhythm of purchases: how long customers pause, each in a way of their own.

Gaps of customer i are Gamma(k, rate_i) with one shape k for all; rates are Gamma(a, b) over
customers. Given n past gaps that add up to S, the chance of a gap longer than x has a closed form:
x / (x + b + S) is Beta(k, a + k n), because a ratio of gamma variables is beta (Johnson, Kotz and
Balakrishnan 1995, Continuous Univariate Distributions 2, chapter 25).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

if TYPE_CHECKING:
    from crmkit._typing import Floats, Ints


__all__ = ["Rhythm", "fit_rhythm", "gap_quantile", "own_pace", "p_longer", "usual_gap"]

_MOST_LOG = 12.0


@dataclass(frozen=True, slots=True)
class Rhythm:
    """Shape k of gaps within a customer and Gamma(a, b) of rates between customers."""

    k: float
    a: float
    b: float


def fit_rhythm(n: Floats, total: Floats, log_total: Floats) -> Rhythm:
    """Estimate the rhythm by maximum likelihood.

    `n` is the number of gaps of each customer, `total` their sum and `log_total` the sum of their
    logarithms, shapes (m,), all n >= 1. The shape comes from how each customer's gaps divide
    their sum (Dirichlet, free of the rates); a and b from the sums.
    """
    k = _shape(n, total, log_total)
    scale = float(np.median(total / n))
    pairs, weight = np.unique(np.stack([n, total / scale]), axis=1, return_counts=True)
    a, b = _rates(k * pairs[0], pairs[1], weight.astype(np.float64))
    return Rhythm(k, a, b * scale)


def p_longer(silence: Floats, n: Floats, total: Floats, rhythm: Rhythm) -> Floats:
    """Return the chance of a gap longer than `silence`, shape (m,)."""
    share = silence / (silence + rhythm.b + total)
    return np.asarray(special.betaincc(rhythm.k, rhythm.a + rhythm.k * n, share))


def usual_gap(level: float, n: Floats, total: Floats, rhythm: Rhythm) -> Floats:
    """Return the gap that is not exceeded with probability `level`, shape (m,)."""
    share = special.betaincinv(rhythm.k, rhythm.a + rhythm.k * n, level)
    # A share of exactly one would be an endless gap; the largest float below it is not.
    share = np.minimum(share, 1 - 1e-15)
    return np.asarray((rhythm.b + total) * share / (1 - share))


def own_pace(n: Floats, total: Floats, log_total: Floats, group: Ints) -> Floats:
    """Return how many times longer each customer pauses than the customer's group, shape (c,).

    The mean gap of the group, as if it had been seen in a / k gaps, is averaged with those of the
    customer: the posterior of a customer whose rate is Gamma(a, .) around the group's. Without
    gaps it is 1. `n`, `total` and `log_total` are as in ``fit_rhythm``, but n may be 0; the
    rhythm is that of gaps relative to the group's mean.
    """
    n_groups = int(group.max(initial=-1)) + 1
    gaps = np.bincount(group, n, minlength=n_groups)
    level = np.bincount(group, total, minlength=n_groups) / np.maximum(gaps, 1)
    some = n > 0
    if np.count_nonzero(some) < 2:
        return np.ones(n.size)
    level = level[group]
    scaled = total[some] / level[some]
    rhythm = fit_rhythm(n[some], scaled, log_total[some] - n[some] * np.log(level[some]))
    pace = np.ones(n.size)
    pace[some] = (rhythm.a + rhythm.k * scaled) / (rhythm.a + rhythm.k * n[some])
    return pace


def gap_quantile(time: Floats, survival: Floats, share: float) -> float:
    """Return the first time by which `share` of the gaps that close at all have closed.

    Some customers never return, so the curve, shape (m,), may level off far above 0; the share is
    taken of the drop from 1 to its end. Without any drop the answer is its last time.
    """
    closed = 1 - survival
    if closed[-1] <= 0:
        return float(time[-1])
    # A relative hair guards quantiles that fall on a step against rounding.
    reached = closed >= share * closed[-1] * (1 - 1e-12)
    return float(time[np.argmax(reached)])


def _shape(n: Floats, total: Floats, log_total: Floats) -> float:
    """Return k by maximum likelihood of the gaps' shares of their sum; 1 if nobody has two."""
    from scipy.optimize import minimize_scalar

    several = n >= 2
    if not several.any():
        return 1.0
    sizes, counts = np.unique(n[several], return_counts=True)
    logs = float(np.sum(log_total[several] - n[several] * np.log(total[several])))
    gaps = float(np.sum(sizes * counts))

    def loss(log_k: float) -> float:
        k = np.exp(log_k)
        constant = float(np.sum(counts * special.gammaln(k * sizes))) - gaps * special.gammaln(k)
        return -(constant + (k - 1) * logs)

    # Bounded, because gaps that never vary would send the shape to infinity.
    best = minimize_scalar(loss, bounds=(-4.0, 6.0), method="bounded", options={"xatol": 1e-9})
    return float(np.exp(best.x))


def _rates(kn: Floats, total: Floats, weight: Floats) -> tuple[float, float]:
    """Return a and b that make the observed sums of gaps likeliest."""
    from scipy.optimize import minimize

    customers = float(weight.sum())

    def loss(logs: Floats) -> tuple[float, Floats]:
        a, b = np.exp(logs)
        spread = np.log(b + total)
        value = special.betaln(a, kn) - a * np.log(b) + (a + kn) * spread
        by_a = special.psi(a) - special.psi(a + kn) - np.log(b) + spread
        by_b = -a / b + (a + kn) / (b + total)
        gradient = np.array([a * np.sum(weight * by_a), b * np.sum(weight * by_b)])
        return float(np.sum(weight * value)) / customers, gradient / customers

    bounds = [(-_MOST_LOG, _MOST_LOG)] * 2
    best = minimize(
        loss,
        np.zeros(2),
        jac=True,
        method="L-BFGS-B",
        bounds=bounds,
        options={"ftol": 1e-15, "gtol": 1e-9, "maxiter": 500},
    )
    a, b = np.exp(best.x)
    return float(a), float(b)
