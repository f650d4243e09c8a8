"""The Pareto/NBD model (Schmittlein, Morrison and Colombo 1987).

Purchases at rate lambda ~ Gamma(r, alpha), dropout at rate mu ~ Gamma(s, beta). The likelihood is
that of being alive at T plus the integral, over the time y of dropout between t_x and T, of

    alpha^r beta^s s (alpha + y)^-(r + x) (beta + y)^-(s + 1).

The published closed form is a difference of hypergeometric functions that cancels and overflows;
the integral is a sum of positive terms. In ``w = ln((m + y) / (m + t_x))``, m = min(alpha, beta),
its singularities lie at least pi away from the real axis and its log is concave, so that 12 or 20
Gauss-Legendre nodes on the part that matters give all digits, and 64 over many orders of time.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from crmkit.clv._math.law import Limits, Processes, PurchaseLaw
from crmkit.clv._math.likelihood import Part, compressed_part
from crmkit.clv._math.pareto_future import ParetoFuture, drawn_histories, of_kinds
from crmkit.clv._math.prior import Quantity, gamma_quantities
from crmkit.clv._math.special import gauss_legendre, log_rise, log_rising, reach

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from crmkit._typing import Bools, Floats
    from crmkit.clv._math.rows import Rows

__all__ = ["Pareto", "counts_density", "p_alive", "starting_points", "times_density"]

_BLOCK = 4096
# Pairs of parameters; a density's moments are 1, four scores, their products and four curvatures.
_PAIRS = tuple((j, k) for j in range(4) for k in range(j, 4))
_SUMS = 1 + 4 + len(_PAIRS) + 4
# Where the integrand has fallen by e^-32 the rest is below the last digit.
_FALL = 32.0


@dataclass(frozen=True, kw_only=True)
class Pareto(PurchaseLaw):
    """Purchases at a gamma-distributed rate until a dropout at another."""

    names: tuple[str, ...] = ("r", "alpha", "s", "beta")
    scaled: tuple[str, ...] = ("alpha", "beta")
    leaving: tuple[str, ...] = ("s", "beta")
    processes: Processes = (
        ("purchase", (("alpha", -1.0, "purchase"),)),
        ("dropout", (("beta", -1.0, "dropout"),)),
    )
    quantities: tuple[Quantity, ...] = (
        *gamma_quantities("gap_days", "gap_spread", "r", "alpha", days=(1.0, 3650.0)),
        *gamma_quantities("life_days", "life_spread", "s", "beta", days=(10.0, 20000.0)),
    )
    limits: Limits = (
        ("r+ alpha+", "everybody buys at the same rate (r and alpha grow without bound)"),
        ("s+ beta+", "everybody leaves at the same rate (s and beta grow without bound)"),
        ("s- beta-", "each customer leaves at once or never (s and beta go to 0)"),
        ("s- beta+ | s- | beta+", "nobody drops out"),
        ("s+ beta- | s+ | beta-", "everybody drops out at once"),
        ("r-", "hardly anybody buys again (r goes to 0)"),
    )

    def runaway(self, flat: set[str], logs: Mapping[str, float]) -> set[str]:
        """Return which parameters ran away.

        At small s a lifetime beyond t has probability (beta / t)^s, whatever t, as beta vanishes.
        """
        if "beta-" in flat and ("s-" in flat or logs["s"] < -3.0):
            return flat - {"s+"} | {"s-"}
        return super().runaway(flat, logs)

    def parts(self, rows: Rows) -> list[Part]:
        """Return what depends on counts alone, and the rest."""
        x, t_x, T = (rows.columns[name] for name in ("frequency", "recency", "T"))
        about = rows.weight, rows.designs
        counts = compressed_part(counts_density, (x,), *about, uses=(0,), value=counts_value)
        return [counts, Part(times_density, (x, t_x, T), *about, times_value)]

    def starts(self, rows: Rows) -> list[list[float]]:
        """Return log-parameters to start from, in units of the mean of T."""
        return starting_points(float(rows.weight @ rows.columns["frequency"] / rows.weight.sum()))

    def future(self, theta: list[Any], columns: dict[str, Floats]) -> ParetoFuture:
        """Return what is known of customers at T: P(alive), and given that the prior's form.

        ``lambda ~ Gamma(r + x, alpha + T)`` and, independently, ``mu ~ Gamma(s, beta + T)``. They
        depend on counts and lengths alone, so that customers who agree in them are of one kind.
        """
        r, alpha, s, beta = theta
        x, t_x, T = (columns[name] for name in ("frequency", "recency", "T"))
        alive = p_alive(theta, x, t_x, T)
        kind, alpha, beta, x, T = of_kinds(theta, alpha, beta, x, T)
        return ParetoFuture(
            p_alive=alive,
            shape=r + x,
            rate=alpha + T,
            dropout_shape=s + np.zeros_like(x),
            dropout_rate=beta + T,
            kind=kind,
        )

    def simulate(
        self, theta: list[Any], length: Floats, rng: np.random.Generator
    ) -> dict[str, NDArray[Any]]:
        """Draw frequency, recency (n,) and who is alive at T, exactly in continuous time."""
        r, alpha, s, beta = (np.broadcast_to(parameter, length.shape) for parameter in theta)
        rate, dropout = rng.gamma(r) / alpha, rng.gamma(s) / beta
        lifetime = rng.exponential(size=length.shape) / np.maximum(dropout, 1e-300)
        return drawn_histories(rate, lifetime, length, rng)


def starting_points(mean_frequency: float) -> list[list[float]]:
    """Return log-parameters to start from, the likeliest first, in units of the mean of `T`."""
    rate = max(mean_frequency, 1e-3)
    starts = [(0.5, 0.5 / rate, 0.6, 0.6)]
    for r, slow, s, beta in product((0.3, 2.0), (0.4, 2.0), (0.1, 0.6, 3.0), (0.03, 0.5, 5.0)):
        starts.append((r, slow * r / rate, s, beta))
    return [np.log(start).tolist() for start in starts]


def counts_density(theta: Sequence[Any], x: Floats) -> Any:
    """Return the term that depends on counts only: ``ln Gamma(r + x) / Gamma(r)``."""
    value, slope, curve = log_rising(theta[0], x)
    return value, {0: slope}, {(0, 0): curve}


def counts_value(theta: Sequence[Any], x: Floats) -> Floats:
    """`counts_density` without its derivatives; any shapes that meet."""
    return log_rise(theta[0], x)


def p_alive(theta: Sequence[Any], x: Floats, t_x: Floats, T: Floats) -> Floats:
    """P(alive at T | history), shape (n,): one against the odds of having dropped out."""
    result = np.empty_like(T)
    for start in range(0, T.size, _BLOCK):
        rows = slice(start, start + _BLOCK)
        block = [value[rows] if np.ndim(value) else value for value in theta]
        result[rows] = 1.0 / (1.0 + _dropout_odds(block, x[rows], t_x[rows], T[rows]))
    return result


@dataclass(frozen=True, slots=True)
class _Gap:
    """The time from t_x to T on the axis of w, cut off at `end`, arrays (n,).

    The integrand, relative to its start, is ``exp(-own w - other ln(1 + share (e^w - 1)))``: `own`
    is the power of the parameter that is the scale of w, `other` that of the other one. `nodes`
    are pairs of a number of nodes and the rows for which it is enough.
    """

    least: Floats
    own: Floats
    other: Floats
    share: Floats
    end: Floats
    nodes: tuple[tuple[int, Bools], ...]


def _gap(theta: Sequence[Any], x: Floats, t_x: Floats, T: Floats) -> _Gap:
    """Return the gap; shorter and flatter pieces need fewer nodes."""
    r, alpha, s, beta = theta
    least, first = np.minimum(alpha, beta) + t_x, alpha <= beta
    share = least / (np.maximum(alpha, beta) + t_x)
    own, other = np.where(first, r + x - 1.0, s), np.where(first, s + 1.0, r + x)

    def drop(w: Floats) -> Floats:
        return own * w + other * np.log1p(share * np.expm1(w))

    def slope(w: Floats) -> Floats:
        return own + other * share * np.exp(w) / (1.0 + share * np.expm1(w))

    end = reach(drop, slope, np.log1p((T - t_x) / least), fall=_FALL)
    few = (np.abs(drop(end)) < 6.0) & (end < 2.0)
    many = end >= 4.0
    return _Gap(least, own, other, share, end, ((12, few), (20, ~(few | many)), (64, many)))


def _dropout_odds(theta: Sequence[Any], x: Floats, t_x: Floats, T: Floats) -> Floats:
    """Odds of a dropout in (t_x, T) against none, shape (n,).

    ``s Int ((alpha + T) / (alpha + y))^(r + x) ((beta + T) / (beta + y))^s dy / (beta + y)``, with
    what does not depend on y taken out at t_x.
    """
    with np.errstate(over="ignore"):
        result: Floats = np.exp(_growth(theta, x, t_x, T)) * _dead(theta, x, t_x, T)
    return result


def _dead(theta: Sequence[Any], x: Floats, t_x: Floats, T: Floats) -> Floats:
    """Density of a dropout in (t_x, T) relative to that of being alive at t_x."""
    gap = _gap(theta, x, t_x, T)
    area = np.empty_like(gap.end)
    for n_nodes, rows in gap.nodes:
        own, other, share, end = (v[rows] for v in (gap.own, gap.other, gap.share, gap.end))
        total = np.zeros_like(end)
        for node, weight in zip(*gauss_legendre(n_nodes), strict=True):
            w = end * node
            total += weight * np.exp(-own * w - other * np.log1p(share * np.expm1(w)))
        area[rows] = total * end
    result: Floats = area * (theta[2] * gap.least / (theta[3] + t_x))
    return result


def _growth(theta: Sequence[Any], x: Floats, t_x: Floats, T: Floats) -> Floats:
    """By how much, in logs, the density of being alive falls from t_x to T."""
    r, alpha, s, beta = theta
    length = T - t_x
    result: Floats = (r + x) * np.log1p(length / (alpha + t_x))
    return result + s * np.log1p(length / (beta + t_x))


def _start(theta: Sequence[Any], x: Floats, t_x: Floats) -> Floats:
    """Log-density of being alive at t_x."""
    r, alpha, s, beta = theta
    result: Floats = -r * np.log1p(t_x / alpha) - s * np.log1p(t_x / beta) - x * np.log(alpha + t_x)
    return result


def times_value(theta: Sequence[Any], x: Floats, t_x: Floats, T: Floats) -> Floats:
    """`times_density` without its derivatives, several times as fast; any shapes that meet."""
    there = np.exp(-_growth(theta, x, t_x, T))
    result: Floats = _start(theta, x, t_x) + np.log(_dead(theta, x, t_x, T) + there)
    return result


def times_density(theta: Sequence[Any], x: Floats, t_x: Floats, T: Floats) -> Any:
    """Return the terms that depend on times, with their derivatives.

    A sum of positive terms, relative to the density at t_x: the gradient is the mean of the terms'
    scores, the Hessian their covariance and the mean of the terms' own curvatures.
    """
    r, alpha, s, beta = theta
    gap = _gap(theta, x, t_x, T)
    dead = np.zeros((_SUMS, x.size))
    for n_nodes, rows in gap.nodes:
        if rows.any():
            dead[:, rows] = _dropout_sums(theta, x, t_x, gap, n_nodes, rows)
    dead *= gap.end * s * gap.least / (beta + t_x)
    alive = np.exp(-_growth(theta, x, t_x, T)) * _moments(theta, x, T, dropped=False)
    total = dead[0] + alive[0]
    mean = (dead + alive) / total
    gradient = dict(enumerate(mean[1:5]))
    hessian = {
        (j, k): mean[5 + place] - mean[1 + j] * mean[1 + k] for place, (j, k) in enumerate(_PAIRS)
    }
    share_a, share_b, bent_a, bent_b = mean[-4:]
    hessian[0, 1] += share_a
    hessian[1, 1] -= bent_a + (r / alpha) * share_a
    hessian[2, 2] -= dead[0] / total / np.square(s)
    hessian[2, 3] += share_b
    hessian[3, 3] += bent_b - (s / beta) * share_b
    return _start(theta, x, t_x) + np.log(total), gradient, hessian


def _dropout_sums(
    theta: Sequence[Any],
    x: Floats,
    t_x: Floats,
    gap: _Gap,
    n_nodes: int,
    rows: Bools,
) -> Floats:
    """Return the moments of dropouts at the nodes, added up, for some rows: (19, m)."""
    theta = [value[rows] if np.ndim(value) else value for value in theta]
    own, other, share, end = (v[rows] for v in (gap.own, gap.other, gap.share, gap.end))
    x, t_x, least = x[rows], t_x[rows], gap.least[rows]
    total = np.zeros((_SUMS, x.size))
    for node, weight in zip(*gauss_legendre(n_nodes), strict=True):
        w = end * node
        passed = np.expm1(w)
        density = weight * np.exp(-own * w - other * np.log1p(share * passed))
        moments = _moments(theta, x, t_x + least * passed, dropped=True)
        moments *= density
        total += moments
    return total


def _moments(theta: Sequence[Any], x: Floats, y: Floats, *, dropped: bool) -> Floats:
    """Return 1, the scores at time y, their products and what the curvatures hold: (19, n).

    All terms but that of being alive contain the density s / (beta + y) of the time of dropout.
    """
    r, alpha, s, beta = theta
    inverse_a, inverse_b = 1.0 / (alpha + y), 1.0 / (beta + y)
    result = np.empty((_SUMS, y.size))
    result[0] = 1.0
    result[1] = -np.log1p(y / alpha)
    result[2] = inverse_a * (y * (r / alpha) - x)
    result[3] = -np.log1p(y / beta)
    result[4] = inverse_b * (y * (s / beta))
    share_b = y * inverse_b / beta
    result[-4] = y * inverse_a / alpha
    result[-3] = share_b
    result[-2] = inverse_a * result[2]
    result[-1] = -s * share_b * inverse_b
    if dropped:
        result[3] += 1.0 / s
        result[4] -= inverse_b
        result[-1] += np.square(inverse_b)
    for place, (j, k) in enumerate(_PAIRS):
        np.multiply(result[1 + j], result[1 + k], out=result[5 + place])
    return result
