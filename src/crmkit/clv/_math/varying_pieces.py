"""One piece of time during which a customer's covariates stand still.

The likelihood of having dropped out within a piece of length L, up to factors of the customer, is

    s c Int_0^L (1 + A + a u)^-n (1 + C + c u)^-(s + 1) du,

with n = r + x, A and C what purchases and dropout have cumulated before (in units of alpha and
beta) and a, c their speeds; that of being alive after A and C is ``(1 + A)^-n (1 + C)^-s``. In
``w = ln(1 + u / m)``, m = min((1 + A) / a, (1 + C) / c), it is the integral of
`pareto`: positive, smooth and log-concave, so that Gauss-Legendre nodes give all
digits. A short piece needs few of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from crmkit._typing import Floats
from crmkit.clv._math.special import gauss_legendre, reach

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crmkit._typing import Ints

__all__ = ["alive_term", "dropout_terms", "log_dropout"]

# A, a, C, c at the start of each piece, all of shape (k,).
Start = tuple[Floats, Floats, Floats, Floats]

# (nodes, up to this fall of the log-integrand, up to this length in w): error below 1e-13.
_RULES = (
    (3, 0.04, 0.04),
    (5, 0.5, 0.4),
    (8, 3.0, 1.5),
    (13, 10.0, 4.0),
    (22, 40.0, 9.0),
    (60, np.inf, np.inf),
)
# Where the integrand has fallen by e^-32 the rest is below the last digit.
_FALL = 32.0


def _nodes(
    n: Floats, s: float, start: Start, length: Floats
) -> Iterator[tuple[Ints, Floats, Floats]]:
    """Give, rule by rule: which pieces (k,), nodes u (nodes, k) and log weights, du included."""
    A, a, C, c = start
    live, stay = (1.0 + A) / a, (1.0 + C) / c
    least = np.minimum(live, stay)
    end = np.log1p(length / least)
    fall = n * np.log1p(length / live) + (s + 1.0) * np.log1p(length / stay) + end
    rule = np.zeros(length.size, dtype=np.int64)
    for _, deepest, longest in _RULES[:-1]:
        rule += (fall > deepest) | (end > longest)
    for index, (size, _, _) in enumerate(_RULES):
        here = np.flatnonzero(rule == index)
        if not here.size:
            continue
        m, far = least[here], end[here]
        if size > _RULES[-3][0]:
            far = _cut_off(n[here], s + 1.0, m, live[here], stay[here], far)
        nodes, weights = gauss_legendre(size)
        w = nodes[:, None] * far
        yield here, m * np.expm1(w), w + (np.log(weights)[:, None] + np.log(m * far))


def _cut_off(
    n: Floats,
    sigma: float,
    m: Floats,
    live: Floats,
    stay: Floats,
    end: Floats,
) -> Floats:
    """Return how far in w the integrand is worth summing."""

    def drop(w: Floats) -> Floats:
        u = m * np.expm1(w)
        return n * np.log1p(u / live) + sigma * np.log1p(u / stay) - w

    def slope(w: Floats) -> Floats:
        u = m * np.expm1(w)
        return (m + u) * (n / (live + u) + sigma / (stay + u)) - 1.0

    return reach(drop, slope, end, fall=_FALL)


def log_dropout(n: Floats, s: float, start: Start, length: Floats) -> Floats:
    """Return the log of the term of each piece, shape (k,)."""
    A, a, C, c = start
    value = np.empty_like(n)
    for here, u, room in _nodes(n, s, start, length):
        log = room - n[here] * np.log1p(A[here] + a[here] * u)
        log -= (s + 1.0) * np.log1p(C[here] + c[here] * u)
        top = log.max(axis=0)
        value[here] = top + np.log(np.exp(log - top).sum(axis=0))
    return value + np.log(s) + np.log(c)


def dropout_terms(
    r: float, x: Floats, s: float, start: Start, length: Floats
) -> tuple[Floats, Floats, Floats]:
    """Return the log of the term of each piece (k,) and its derivatives, divided by the term.

    The first (6, k) and second (6, 6, k) ones in (ln r, A, ln a, ln s, C, ln c).
    """
    A, a, C, c = start
    n = r + x
    value, mean, square = np.empty_like(x), np.empty((6, x.size)), np.empty((6, 6, x.size))
    for here, u, room in _nodes(n, s, start, length):
        going, leaving = a[here] * u, c[here] * u
        grown, worn = A[here] + going, C[here] + leaving
        live, stay = 1.0 / (1.0 + grown), 1.0 / (1.0 + worn)
        basis = (np.log1p(grown), live, going * live, np.log1p(worn), stay, leaving * stay)
        log = room - n[here] * basis[0] - (s + 1.0) * basis[3]
        top = log.max(axis=0)
        share = np.exp(log - top)
        total = share.sum(axis=0)
        share /= total
        value[here] = top + np.log(total)
        for i, factor in enumerate(basis):
            weighted = share * factor
            mean[i, here] = weighted.sum(axis=0)
            for j in range(i, 6):
                square[i, j, here] = (weighted * basis[j]).sum(axis=0)
    first, second = _derivatives(r, n, s, s + 1.0, mean, square)
    # The factor s c, in logarithms, shifts each derivative along ln s and ln c by one.
    for i in (3, 5):
        second[:, i] += first
        second[i] += first
    first[[3, 5]] += 1.0
    second[np.ix_([3, 5], [3, 5])] += 1.0
    return value + np.log(s) + np.log(c), first, second


def alive_term(
    r: float, x: Floats, s: float, A: Floats, C: Floats
) -> tuple[Floats, Floats, Floats]:
    """Return the log and the derivatives, as `dropout_terms`, of being alive after A and C."""
    nothing = np.zeros_like(A)
    mean = np.array([np.log1p(A), 1.0 / (1.0 + A), nothing, np.log1p(C), 1.0 / (1.0 + C), nothing])
    first, second = _derivatives(r, r + x, s, s, mean, mean[:, None] * mean)
    return -(r + x) * mean[0] - s * mean[3], first, second


def _derivatives(
    r: float, n: Floats, s: float, sigma: float, mean: Floats, square: Floats
) -> tuple[Floats, Floats]:
    """Turn moments of (ln(1 + A), 1 / (1 + A), a u / (1 + A), the same of C) into derivatives.

    `mean` has shape (6, k); of `square` (6, 6, k) the upper triangle is read.
    """
    power = np.full_like(n, sigma)
    scale = (np.full_like(n, -r), -n, -n, np.full_like(n, -s), -power, -power)
    first, second = np.empty_like(mean), np.empty_like(square)
    for i in range(6):
        first[i] = scale[i] * mean[i]
        for j in range(i, 6):
            second[i, j] = scale[i] * scale[j] * square[i, j]
    for at, shape, count in ((0, r, n), (3, s, power)):
        for i, j in ((at + 1, at + 1), (at + 1, at + 2), (at + 2, at + 2)):
            second[i, j] += count * square[i, j]
        for j in range(3):
            second[at, at + j] -= shape * mean[at + j]
        second[at + 2, at + 2] -= count * mean[at + 2]
    for i in range(6):
        for j in range(i):
            second[i, j] = second[j, i]
    return first, second
