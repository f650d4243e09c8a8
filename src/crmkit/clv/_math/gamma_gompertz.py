"""The gamma-Gompertz model of lifetimes with NBD purchases (Bemmaor and Glady 2012): GGom/NBD.

Purchases at rate lambda ~ Gamma(r, alpha). A customer's own risk of leaving grows with age, as
``eta b e^(b t)`` with eta ~ Gamma(s, beta), so that (eq. 5 and 6)

    S(t) = (beta / (beta - 1 + e^(b t)))^s,
    f(t) = s b e^(b t) beta^s / (beta - 1 + e^(b t))^(s + 1).

The likelihood (eq. 9) is that of being alive at T plus the integral, over the time y of dropout
between t_x and T, of ``Gamma(r + x) / Gamma(r) alpha^r (alpha + y)^-(r + x) f(y)``: positive terms,
where the published hypergeometric functions cancel. As b and beta vanish together f becomes that
of Pareto/NBD, whose beta is ``beta / b``. Who is alive at T has a rest of life of the same form,
with ``beta' = 1 + (beta - 1) e^(-b T)``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from crmkit.clv._math.law import Limits, Processes, PurchaseLaw
from crmkit.clv._math.likelihood import Part, compressed_part
from crmkit.clv._math.mixture import mixture, shares_of
from crmkit.clv._math.panels import panels
from crmkit.clv._math.pareto import counts_density
from crmkit.clv._math.pareto_future import ContinuousFuture, drawn_histories, of_kinds
from crmkit.clv._math.prior import Quantity, gamma_quantities
from crmkit.clv._math.special import LOG_NOTHING, alive_times

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from crmkit._typing import Floats, Ints
    from crmkit.clv._math.rows import Rows

__all__ = ["GammaGompertz", "p_alive", "times_density"]

_BLOCK = 1024
# From here on e^z - 1 is e^z to the last digit, whatever beta may be.
_FAR = 300.0


@dataclass(frozen=True, kw_only=True)
class GammaGompertz(PurchaseLaw):
    """Purchases at a gamma-distributed rate until a dropout whose risk grows with age."""

    names: tuple[str, ...] = ("r", "alpha", "b", "s", "beta")
    scaled: tuple[str, ...] = ("alpha",)
    paced: tuple[str, ...] = ("b",)
    processes: Processes = (
        ("purchase", (("alpha", -1.0, "purchase"),)),
        ("dropout", (("beta", -1.0, "dropout"),)),
    )
    quantities: tuple[Quantity, ...] = (
        *gamma_quantities("gap_days", "gap_spread", "r", "alpha", days=(1.0, 3650.0)),
        Quantity("life_days", "positive", 10.0, 20000.0, {"beta": 1.0, "s": -1.0, "b": -1.0}),
        Quantity("life_spread", "variation", 0.2, 5.0, {"s": 1.0}),
        Quantity("ageing_days", "positive", 30.0, 20000.0, {"b": -1.0}),
    )
    limits: Limits = (
        ("r+ alpha+", "everybody buys at the same rate (r and alpha grow without bound)"),
        ("b- beta- s-", "nobody drops out"),
        ("b- beta-", "the risk of leaving does not grow with age: Pareto/NBD (b and beta go to 0)"),
        ("b- beta- s+ | b- s+", "everybody leaves at the same rate (Pareto/NBD at its limit)"),
        ("s+ beta+", "all customers' risk is the same (s and beta grow without bound)"),
        ("s- beta+ | s- | beta+ | b-", "nobody drops out"),
        ("s+ beta- | s+ | beta- | b+", "everybody drops out at once"),
        ("r-", "hardly anybody buys again (r goes to 0)"),
    )

    def parts(self, rows: Rows) -> list[Part]:
        """Return what depends on counts alone, and the rest."""
        x, t_x, T = (rows.columns[name] for name in ("frequency", "recency", "T"))
        counts = compressed_part(counts_density, (x,), rows.weight, rows.designs, uses=(0,))
        return [counts, Part(times_density, (x, t_x, T), rows.weight, rows.designs)]

    def starts(self, rows: Rows) -> list[list[float]]:
        """Return log-parameters to start from, in units of the mean of T.

        `beta` is such that so many customers are alive after the mean of T.
        """
        mean = float(rows.weight @ rows.columns["frequency"] / rows.weight.sum())
        rate = max(mean, 1e-3)
        found = []
        for r, b, s, alive in product((0.5, 2.0), (0.3, 2.0, 6.0), (0.6, 3.0), (0.5, 0.9)):
            beta = np.expm1(b) / np.expm1(-np.log(alive) / s)
            found.append(np.log([r, r / rate, b, s, beta]).tolist())
        return found

    def future(self, theta: list[Any], columns: dict[str, Floats]) -> GammaGompertzFuture:
        """Return what is known of customers at T: P(alive), and given that the prior's form."""
        r, alpha, b, s, beta = theta
        x, t_x, T = (columns[name] for name in ("frequency", "recency", "T"))
        alive = p_alive(theta, x, t_x, T)
        kind, alpha, beta, x, T = of_kinds(theta, alpha, beta, x, T)
        return GammaGompertzFuture(
            p_alive=alive,
            shape=r + x,
            rate=alpha + T,
            dropout_shape=s + np.zeros_like(x),
            dropout_rate=beta * np.exp(-b * T) - np.expm1(-b * T),
            kind=kind,
            pace=b + np.zeros_like(x),
        )

    def simulate(
        self, theta: list[Any], length: Floats, rng: np.random.Generator
    ) -> dict[str, NDArray[Any]]:
        """Draw frequency, recency (n,) and who is alive at T, exactly in continuous time."""
        r, alpha, b, s, beta = (np.broadcast_to(value, length.shape) for value in theta)
        rate = rng.gamma(r) / alpha
        lifetime = _grown(rng.exponential(size=length.shape) / s, 1.0 / beta) / b
        return drawn_histories(rate, lifetime, length, rng)


def _grown(z: Floats, beta: Any) -> Floats:
    """``ln(1 + (e^z - 1) / beta)``; -s times it is ln S at b t = z. Its inverse has 1 / beta."""
    near = np.minimum(z, _FAR)
    result: Floats = np.log1p(np.expm1(near) / beta) + (z - near)
    return result


def _shape_of(b: Any, s: Any, beta: Any) -> tuple[Floats, Floats]:
    """Return the scale of the start of a life, and where the density of its end may bend."""
    with np.errstate(divide="ignore", invalid="ignore"):
        bend = np.log(np.maximum(beta - 1.0, 0.0) / np.maximum(s, 1.0)) / b
    return np.minimum(beta, 1.0) / b, np.where(bend > 0.0, bend, -1.0)


@dataclass(frozen=True, slots=True)
class _Fates:
    """All fates of some customers: being alive at T, and dropouts at nodes of the integral."""

    rows: Ints
    theta: list[Floats]  # (n, 1)
    x: Floats  # (n, 1)
    y: Floats  # times (n, c), of which the first is T
    log: Floats  # of the terms (n, c), with the weights of their nodes

    @property
    def gone(self) -> Floats:
        """Return which fates are dropouts, as numbers (c,)."""
        return (np.arange(self.y.shape[1]) > 0).astype(np.float64)


def _log_terms(theta: Sequence[Any], x: Floats, y: Floats, gone: Any = 1.0) -> Floats:
    """Return the log of being alive at y, or of dropping out then, but for what counts give."""
    r, alpha, b, s, beta = theta
    z = b * y
    log = -(r + x) * np.log1p(y / alpha) - x * np.log(alpha)
    result: Floats = log - (s + gone) * _grown(z, beta) + gone * (z + np.log(s * b / beta))
    return result


def _fates(theta: Sequence[Any], x: Floats, t_x: Floats, T: Floats) -> Iterator[_Fates]:
    """Yield all customers with their fates, in blocks that fit the cache."""
    for first in range(0, T.size, _BLOCK):
        block = slice(first, first + _BLOCK)
        columns = [np.broadcast_to(value, T.size)[block, None] for value in (*theta, x)]
        scale, bend = _shape_of(*(column[:, 0] for column in columns[2:5]))

        def log(y: Floats, rows: Ints, columns: list[Floats] = columns) -> Floats:
            *theta, x = (column[rows] for column in columns)
            return _log_terms(theta, x, y)

        least = np.minimum(columns[1][:, 0], scale)
        for rows, y, log_width in panels(
            log, t_x[block], T[block], pace=columns[2][:, 0], scale=least, bend=bend
        ):
            *some, count = (column[rows] for column in columns)
            there = T[block][rows, None]
            terms = [_log_terms(some, count, there, 0.0), _log_terms(some, count, y) + log_width]
            yield _Fates(first + rows, some, count, np.hstack([there, y]), np.hstack(terms))


def p_alive(theta: Sequence[Any], x: Floats, t_x: Floats, T: Floats) -> Floats:
    """P(alive at T | history), shape (n,): the share of being alive in L."""
    result = np.empty_like(T)
    for fates in _fates(theta, x, t_x, T):
        result[fates.rows] = shares_of(fates.log)[0][:, 0]
    return result


def times_density(theta: Sequence[Any], x: Floats, t_x: Floats, T: Floats) -> Any:
    """Return the terms that depend on times, with derivatives."""
    value = np.empty_like(T)
    gradient = {j: np.empty_like(T) for j in range(5)}
    hessian = {(j, k): np.empty_like(T) for j in range(5) for k in range(j, 5)}
    for fates in _fates(theta, x, t_x, T):
        value[fates.rows], slopes, curves = _mixed(fates)
        for whole, part in ((gradient, slopes), (hessian, curves)):
            for place, found in part.items():
                whole[place][fates.rows] = found
    return value, gradient, hessian


def _mixed(fates: _Fates) -> Any:
    """Return a mixture of fates, from their own derivatives."""
    (r, alpha, b, s, beta), x, y, gone = fates.theta, fates.x, fates.y, fates.gone
    inverse = 1.0 / (alpha + y)
    share = y * inverse / alpha
    # q = e^z / D and p = 1 / D with D = beta - 1 + e^z; (D - beta) / D = w.
    z = b * y
    risen = np.expm1(np.minimum(z, _FAR))
    p = 1.0 / (beta + risen)
    w = risen * p
    q = p + w
    power, inner = s + gone, w / beta
    yq, gained = y * q, power * y * q * p
    grown = _grown(z, beta)
    scores = [
        -np.log1p(y / alpha),
        r * share - x * inverse,
        gone * (1.0 / b + y) - power * yq,
        gone / s - grown,
        power * inner - gone / beta,
    ]
    curvatures = {
        (0, 1): share,
        (1, 1): x * inverse**2 - r * share * (1.0 / alpha + inverse),
        (2, 2): -gone / b**2 - (beta - 1.0) * y * gained,
        (2, 3): -yq,
        (2, 4): gained,
        (3, 3): -gone / s**2,
        (3, 4): inner,
        (4, 4): gone / beta**2 - power * inner * (1.0 / beta + p),
    }
    return mixture(fates.log, scores, curvatures)


@dataclass(frozen=True, slots=True)
class GammaGompertzFuture(ContinuousFuture):
    """The rest of life is gamma-Gompertz with b, s and beta' in ``pace`` and of the dropout."""

    pace: Floats = field(kw_only=True)

    def _log_alive(self, u: Floats) -> Floats:
        s, beta, b = (v[:, None] for v in (self.dropout_shape, self.dropout_rate, self.pace))
        result: Floats = -s * _grown(b * u, beta)
        return result

    def _log_leaving(self, u: Floats) -> Floats:
        s, beta, b = (v[:, None] for v in (self.dropout_shape, self.dropout_rate, self.pace))
        grown = _grown(b * u, beta)
        result: Floats = np.log(s) + np.log(b) - np.log(beta) + b * u - (s + 1.0) * grown
        return result

    def _scale(self) -> Floats:
        return _shape_of(self.pace, self.dropout_shape, self.dropout_rate)[0]

    def expected(self, days: float, rate: float = 0.0) -> Floats:
        """Return expected purchases in (T, T + days], discounted continuously at `rate` per day.

        ``P(alive) n / A Int_0^t e^(-delta u) S'(u) du``, whose tail falls faster than e^(-s b u).
        """
        s, beta, b = self.dropout_shape, self.dropout_rate, self.pace
        end = np.minimum(days, _grown(LOG_NOTHING / s, 1.0 / beta) / b)
        if rate > 0.0:
            end = np.minimum(end, LOG_NOTHING / rate)
        time = np.empty_like(b)
        for first in range(0, b.size, _BLOCK):
            block = slice(first, first + _BLOCK)

            def log(u: Floats, rows: Ints, block: slice = block) -> Floats:
                power, risk, pace = (v[block][rows, None] for v in (s, beta, b))
                return -power * _grown(pace * u, risk) - rate * u

            zero, pace = np.zeros_like(b[block]), b[block]
            scale, bend = _shape_of(pace, s[block], beta[block])
            for rows, u, log_width in panels(
                log, zero, end[block], pace=pace, scale=scale, bend=bend
            ):
                time[first + rows] = np.exp(log(u, rows) + log_width).sum(axis=1)
        return alive_times(self.p_alive, (self.shape / self.rate * time)[self.kind])

    def _lifetimes(self, who: Ints, rng: np.random.Generator) -> Floats:
        s, beta, b = (v[self.kind][who] for v in (self.dropout_shape, self.dropout_rate, self.pace))
        return _grown(rng.exponential(size=who.size) / s, 1.0 / beta) / b
