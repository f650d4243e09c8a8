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
from crmkit.clv._math.pareto import counts_density
from crmkit.clv._math.pareto_future import ContinuousFuture, drawn_histories, of_kinds
from crmkit.clv._math.prior import Quantity, gamma_quantities
from crmkit.clv._math.special import LOG_NOTHING, alive_times, gauss_legendre

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from crmkit._typing import Bools, Floats, Ints
    from crmkit.clv._math.rows import Rows

__all__ = ["GammaGompertz", "p_alive", "times_density"]

_BLOCK = 256
_NODES = 32


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
    small = np.minimum(z, 30.0)
    near = np.log1p(np.expm1(small) / beta)
    far = z - np.log(beta) + np.log1p((beta - 1.0) * np.exp(-np.maximum(z, 30.0)))
    return np.where(z < 30.0, near, far)


def _places(
    log: Callable[[Floats], Floats], start: Floats, end: Floats, scale: Floats, bend: Floats
) -> tuple[Floats, Floats]:
    """Return nodes and weights, (n, 2 x 32), of an integral of e^log over (start, end).

    On the axis of ``w = ln(scale + y)`` the part that matters is found by ever finer grids; two
    Gauss-Legendre rules meet where a hump of f may `bend` it, since its singularities lie above
    and below that point, or in the middle.
    """
    least = (scale + start)[:, None]
    low, high = np.zeros_like(least), np.log1p((end - start)[:, None] / least)
    grid, step = np.linspace(0.0, 1.0, 17), 1.0 / 16.0
    for _ in range(3):
        value = log(start[:, None] + least * np.expm1(low + (high - low) * grid))
        matters = value > value.max(axis=1, keepdims=True) - LOG_NOTHING
        first = np.maximum(matters.argmax(axis=1) - 1, 0)[:, None] * step
        last = 1.0 - np.maximum(matters[:, ::-1].argmax(axis=1) - 1, 0)[:, None] * step
        low, high = low + (high - low) * first, low + (high - low) * last
    middle = np.log1p(np.maximum(bend - start, 0.0)[:, None] / least)
    middle = np.where((middle > low) & (middle < high), middle, (low + high) / 2.0)
    nodes, weights = gauss_legendre(_NODES)
    w = np.hstack([low + (middle - low) * nodes, middle + (high - middle) * nodes])
    width = np.hstack([(middle - low) * weights, (high - middle) * weights])
    passed = np.expm1(w)
    return start[:, None] + least * passed, width * least * (passed + 1.0)


def _shape_of(b: Any, s: Any, beta: Any) -> tuple[Floats, Floats]:
    """Return the scale of the start of a life, and where the density of its end may bend."""
    with np.errstate(divide="ignore", invalid="ignore"):
        bend = np.log(np.maximum(beta - 1.0, 0.0) / np.maximum(s, 1.0)) / b
    return np.minimum(beta, 1.0) / b, np.where(bend > 0.0, bend, -1.0)


def _columns(theta: Sequence[Any], size: int) -> list[Floats]:
    """Return parameters of shape (n, 1)."""
    return [np.broadcast_to(value, size)[:, None] for value in theta]


def _log_terms(theta: Sequence[Any], x: Floats, y: Floats, *, dropped: Any) -> Floats:
    """Return the log of being alive at y, or of dropping out then, but for what counts give."""
    r, alpha, b, s, beta = theta
    log = -r * np.log1p(y / alpha) - x * np.log(alpha + y)
    grown = _grown(b * y, beta)
    left = np.log(s) + np.log(b) - np.log(beta) + b * y - grown
    result: Floats = log - s * grown + np.where(dropped, left, 0.0)
    return result


def _fates(
    theta: Sequence[Any], x: Floats, t_x: Floats, T: Floats
) -> tuple[list[Floats], Floats, Floats, Bools]:
    """Return parameters (n, 1), times and logs (n, 65) of all fates, and which are dropouts.

    The first is being alive at T, the others are dropouts with their weights in the integral.
    """
    theta = _columns(theta, x.size)
    _, alpha, b, s, beta = (value[:, 0] for value in theta)
    x = x[:, None]
    scale, bend = _shape_of(b, s, beta)

    def log(y: Floats) -> Floats:
        return _log_terms(theta, x, y, dropped=True)

    y, width = _places(log, t_x, T, np.minimum(alpha, scale), bend)
    y = np.hstack([T[:, None], y])
    dropped = np.arange(y.shape[1]) > 0
    with np.errstate(divide="ignore"):
        log_width = np.log(np.hstack([np.ones((x.size, 1)), width]))
    return theta, y, _log_terms(theta, x, y, dropped=dropped) + log_width, dropped


def p_alive(theta: Sequence[Any], x: Floats, t_x: Floats, T: Floats) -> Floats:
    """P(alive at T | history), shape (n,): the share of being alive in L."""
    result = np.empty_like(T)
    for start in range(0, T.size, _BLOCK):
        rows = slice(start, start + _BLOCK)
        block = [value[rows] if np.ndim(value) else value for value in theta]
        result[rows] = shares_of(_fates(block, x[rows], t_x[rows], T[rows])[2])[0][:, 0]
    return result


def times_density(theta: Sequence[Any], x: Floats, t_x: Floats, T: Floats) -> Any:
    """Return the terms that depend on times, with derivatives; in blocks that fit the cache."""
    blocks = []
    for start in range(0, T.size, _BLOCK):
        rows = slice(start, start + _BLOCK)
        block = [value[rows] if np.ndim(value) else value for value in theta]
        blocks.append(_mixed(block, x[rows], t_x[rows], T[rows]))
    values, gradients, hessians = zip(*blocks, strict=True)
    gradient = {j: np.concatenate([g[j] for g in gradients]) for j in gradients[0]}
    hessian = {pair: np.concatenate([h[pair] for h in hessians]) for pair in hessians[0]}
    return np.concatenate(values), gradient, hessian


def _mixed(theta: Sequence[Any], x: Floats, t_x: Floats, T: Floats) -> Any:
    """Return a mixture of fates, from their own derivatives."""
    (r, alpha, b, s, beta), y, log, dropped = _fates(theta, x, t_x, T)
    x, gone = x[:, None], 1.0 * dropped
    inverse, share = 1.0 / (alpha + y), y / (alpha * (alpha + y))
    z = b * y
    # q = e^z / D and p = 1 / D with D = beta - 1 + e^z; (D - beta) / D = w.
    q = 1.0 / (beta * np.exp(-z) - np.expm1(-z))
    p, w = np.exp(-z) * q, -np.expm1(-z) * q
    grown, power = _grown(z, beta), s + gone
    scores = [
        -np.log1p(y / alpha),
        r * share - x * inverse,
        gone * (1.0 / b + y) - power * y * q,
        gone / s - grown,
        power * w / beta - gone / beta,
    ]
    curvatures = {
        (0, 1): share,
        (1, 1): x * inverse**2 - r * share * (1.0 / alpha + inverse),
        (2, 2): -gone / b**2 - power * y**2 * (beta - 1.0) * p * q,
        (2, 3): -y * q,
        (2, 4): power * y * q * p,
        (3, 3): -gone / s**2,
        (3, 4): w / beta,
        (4, 4): gone / beta**2 - power * (w / beta) * (1.0 / beta + p),
    }
    return mixture(log, scores, curvatures)


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
        scale, bend = _shape_of(b, s, beta)
        time = np.empty_like(b)
        for start in range(0, b.size, _BLOCK):
            rows = slice(start, start + _BLOCK)
            part = s[rows, None], beta[rows, None], b[rows, None]

            def log(u: Floats, part: tuple[Floats, ...] = part) -> Floats:
                return -part[0] * _grown(part[2] * u, part[1]) - rate * u

            zero = np.zeros_like(end[rows])
            u, width = _places(log, zero, end[rows], scale[rows], bend[rows])
            time[rows] = (np.exp(log(u)) * width).sum(axis=1)
        return alive_times(self.p_alive, (self.shape / self.rate * time)[self.kind])

    def _lifetimes(self, who: Ints, rng: np.random.Generator) -> Floats:
        s, beta, b = (v[self.kind][who] for v in (self.dropout_shape, self.dropout_rate, self.pace))
        return _grown(rng.exponential(size=who.size) / s, 1.0 / beta) / b
