"""Likelihood of the Pareto/NBD model with covariates that vary over time.

Bachmann, Meierer and Naef (2021), Marketing Science 40(4), 783-809: purchases at rate
lambda exp(g'z(t)), dropout at rate mu exp(h'z(t)), lambda ~ Gamma(r, alpha), mu ~ Gamma(s, beta).
Measured in alpha and beta, purchases and dropout cumulate

    A(t) = Int_0^t exp(g'z(u) - ln alpha) du,    C(t) = Int_0^t exp(h'z(u) - ln beta) du,

so that ln alpha is the effect of a covariate that is always -1. A customer with purchases at
t_1, ..., t_x who was observed until T has the likelihood

    Gamma(r + x) / Gamma(r) * prod_j A'(t_j) * {alive at T + Int_{t_x}^T dropped out at y dy},

the sum of one term for being alive and one for each piece of [t_x, T]; see `varying_pieces`. Its
gradient is the mean score of the terms, its Hessian their mean second derivative less the outer
product of the gradient.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from crmkit.clv._math.mixture import shares_of
from crmkit.clv._math.special import log_rising
from crmkit.clv._math.varying_paths import Paths, blocks
from crmkit.clv._math.varying_pieces import Start, alive_term, dropout_terms, log_dropout

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from crmkit._typing import Floats, Ints

__all__ = ["Effects", "Histories", "effects_of", "likelihood", "moments_of", "state_at_end"]


@dataclass(frozen=True, slots=True)
class Histories:
    """Distinct histories (n,): path, first and last purchase, end, repeat purchases, weight."""

    path: Ints
    first: Floats
    last: Floats
    end: Floats
    frequency: Floats
    weight: Floats

    def rows(self, index: Ints) -> Histories:
        """Return some of the histories."""
        return Histories(
            self.path[index],
            self.first[index],
            self.last[index],
            self.end[index],
            self.frequency[index],
            self.weight[index],
        )


@dataclass(frozen=True, slots=True)
class Effects:
    """Which covariates act on one process, and where its coefficients stand.

    ``design`` (v, 1 + q): -1 and the covariates, one row per distinct vector; ``place`` (1 + q,):
    positions of the logarithm of alpha (or beta) and of the effects among the coefficients.
    """

    design: Floats
    place: Ints

    def speed(self, coefficients: Floats) -> Floats:
        """Return how fast the process cumulates under each vector of covariates, (v,)."""
        speed: Floats = np.exp(self.design @ coefficients[self.place])
        return speed


def effects_of(values: Floats, columns: Sequence[Sequence[int]]) -> tuple[Effects, Effects]:
    """Return the effects on purchases and dropout, whose covariates are `columns` of `values`.

    The coefficients are ln r, ln alpha, ln s, ln beta, then the effects on purchases and dropout.
    """
    found, place = [], 4
    for log, chosen in zip((1, 3), columns, strict=True):
        design = np.column_stack([-np.ones(len(values)), values[:, list(chosen)]])
        where = np.array([log, *range(place, place + len(chosen))], dtype=np.int64)
        found.append(Effects(design, where))
        place += len(chosen)
    return found[0], found[1]


def moments_of(histories: Histories, paths: Paths) -> tuple[Floats, Floats]:
    """Return each covariate's mean and deviation over the time customers were observed."""
    # Differences from an observed value are exactly zero for a covariate that never varies.
    longest = [int(np.argmax(histories.end - histories.first))]
    known = paths.at(histories.path[longest], histories.first[longest])
    values = paths.values - known
    days, first, second = 0.0, np.zeros(values.shape[1]), np.zeros(values.shape[1])
    for index in blocks(paths.count(histories.path, histories.first, histories.end)):
        h = histories.rows(index)
        length, code = paths.cut(h.path, h.first, h.end)
        time, z = (h.weight[:, None] * length).ravel(), values[code.ravel()]
        days, first, second = days + time.sum(), first + time @ z, second + time @ z**2
    mean = first / days
    return known[0] + mean, np.sqrt(np.maximum(second / days - mean**2, 0.0))


def likelihood(
    histories: Histories,
    paths: Paths,
    effects: tuple[Effects, Effects],
    purchases: Floats,
    coefficients: Floats,
) -> tuple[float, Floats, Floats]:
    """Return the log-likelihood with its gradient (p,) and Hessian (p, p).

    `purchases` (1 + q,) is the weighted sum of the design of purchases over all repeat purchases.
    """
    p = coefficients.size
    value, gradient, hessian = 0.0, np.zeros(p), np.zeros((p, p))
    for _, block in _blocks(histories, paths, effects, coefficients):
        found = _add(block, effects, coefficients)
        value, gradient, hessian = value + found[0], gradient + found[1], hessian + found[2]
    place = effects[0].place
    value += float(purchases @ coefficients[place])
    gradient[place] += purchases
    x, row = np.unique(histories.frequency, return_inverse=True)
    r, weight = np.exp(coefficients[0]), np.bincount(row.ravel(), weights=histories.weight)
    rising, slope, curve = log_rising(r, x)
    value += float(weight @ rising)
    gradient[0] += r * float(weight @ slope)
    hessian[0, 0] += r * float(weight @ (slope + r * curve))
    return value, gradient, hessian


@dataclass(frozen=True, slots=True)
class _Process:
    """What one process cumulates along the m pieces of n histories after t_x.

    ``total`` (n, m + 1): at the start of each piece and at the end; ``slope`` (n, m + 1, 1 + q):
    its derivatives. ``speed``, ``growth`` (n, m) and ``design`` (n, m, 1 + q) of the pieces;
    ``early_growth`` (n, m0) and ``early_design`` (n, m0, 1 + q) of those before t_x.
    """

    total: Floats
    slope: Floats
    speed: Floats
    growth: Floats
    design: Floats
    early_growth: Floats
    early_design: Floats


@dataclass(frozen=True, slots=True)
class _Block:
    """Some histories with their pieces: lengths after t_x (n, m) and both processes."""

    histories: Histories
    length: Floats
    buying: _Process
    leaving: _Process

    def start(self) -> Start:
        """Return both processes' totals at the start of each piece, and their speeds there."""
        buying, leaving = self.buying, self.leaving
        return (
            buying.total[:, :-1].ravel(),
            buying.speed.ravel(),
            leaving.total[:, :-1].ravel(),
            leaving.speed.ravel(),
        )


def _blocks(
    histories: Histories, paths: Paths, effects: tuple[Effects, Effects], coefficients: Floats
) -> Iterator[tuple[Ints, _Block]]:
    """Give the histories in blocks, each with its place among them."""
    speeds = [effect.speed(coefficients) for effect in effects]
    size = paths.count(histories.path, histories.last, histories.end) + 1
    beside = paths.count(histories.path, histories.first, histories.last)
    for index in blocks(size, beside):
        h = histories.rows(index)
        early, early_code = paths.cut(h.path, h.first, h.last)
        late, code = paths.cut(h.path, h.last, h.end)
        # Pieces of no length leave no room for a dropout.
        late = np.maximum(late, 1e-300)
        processes = []
        for effect, speed in zip(effects, speeds, strict=True):
            early_growth, growth = early * speed[early_code], late * speed[code]
            early_design, design = effect.design[early_code], effect.design[code]
            total = np.column_stack([early_growth.sum(axis=1), growth]).cumsum(axis=1)
            first = (early_growth[:, None] @ early_design)[:, 0]
            slope = np.concatenate([first[:, None], growth[:, :, None] * design], axis=1)
            processes.append(
                _Process(
                    total,
                    slope.cumsum(axis=1),
                    speed[code],
                    growth,
                    design,
                    early_growth,
                    early_design,
                )
            )
        yield index, _Block(h, late, *processes)


# A term depends on six numbers: ln r, A, ln a, ln s, C and ln c; these are where the derivatives
# in A and C stand. R and S are the places of ln r and ln s among the coefficients.
A, C = 1, 4
R, S = 0, 2


def _add(
    block: _Block, effects: tuple[Effects, Effects], coefficients: Floats
) -> tuple[float, Floats, Floats]:
    """Return the part of some histories that depends on times, with its derivatives."""
    r, s, p = np.exp(coefficients[0]), np.exp(coefficients[2]), coefficients.size
    x, weight, (n, m) = block.histories.frequency, block.histories.weight, block.length.shape
    log, first, second = np.empty((n, m + 1)), np.empty((6, n, m + 1)), np.empty((6, 6, n, m + 1))
    gone = dropout_terms(r, np.repeat(x, m), s, block.start(), block.length.ravel())
    alive = alive_term(r, x, s, block.buying.total[:, m], block.leaving.total[:, m])
    for terms, dropped, living in zip((log, first, second), gone, alive, strict=True):
        terms[..., :m] = dropped.reshape(*terms.shape[:-1], m)
        terms[..., m] = living
    shares, value = shares_of(log)
    weights = (weight[:, None] * shares).ravel()

    chain = _chain(block, effects)
    score = np.zeros((n * (m + 1), p))
    for number, link in enumerate(chain):
        score[:, link.place] += first[number].reshape(-1, 1) * link.slope
    mean = (shares[:, None] @ score.reshape(n, m + 1, p))[:, 0]
    hessian = _quadratic(chain, second, weights, p) - (weight[:, None] * mean).T @ mean
    for number, effect, process in ((A, effects[0], block.buying), (C, effects[1], block.leaving)):
        pull = weights.reshape(n, m + 1) * first[number]
        hessian[np.ix_(effect.place, effect.place)] += _bend(pull, process)
    return float(weight @ value), weight @ mean, hessian


@dataclass(frozen=True, slots=True)
class _Link:
    """How one of the six numbers of t terms moves with the coefficients at ``place`` (q,).

    ``slope`` (t, q) holds its first derivatives.
    """

    slope: Floats
    place: Ints


def _chain(block: _Block, effects: tuple[Effects, Effects]) -> list[_Link]:
    """Return the links of the six numbers, in their order."""
    n, m = block.length.shape
    links = []
    processes = ((R, effects[0], block.buying), (S, effects[1], block.leaving))
    for shape, effect, process in processes:
        q = effect.place.size
        design = np.zeros((n, m + 1, q))  # the speed at T says nothing of who is still alive
        design[:, :m] = process.design
        links.append(_Link(np.ones((n * (m + 1), 1)), np.array([shape])))
        links.append(_Link(process.slope.reshape(-1, q), effect.place))
        links.append(_Link(design.reshape(-1, q), effect.place))
    return links


def _quadratic(chain: list[_Link], second: Floats, weights: Floats, p: int) -> Floats:
    """Return the weighted sum over terms of slope' second slope, in the p coefficients."""
    total = np.zeros((p, p))
    for i, outer in enumerate(chain):
        for j, inner in enumerate(chain[i:], start=i):
            bent = outer.slope.T @ ((weights * second[i, j].ravel())[:, None] * inner.slope)
            total[np.ix_(outer.place, inner.place)] += bent
            if j > i:
                total[np.ix_(inner.place, outer.place)] += bent.T
    return total


def _bend(pull: Floats, process: _Process) -> Floats:
    """Return the sum of each term's `pull` (n, m + 1) times the second derivatives of its total.

    What cumulates in a piece enters all later terms.
    """
    later = pull[:, ::-1].cumsum(axis=1)[:, ::-1]
    q = process.design.shape[-1]
    bend = np.zeros((q, q))
    for growth, design, weight in (
        (process.early_growth, process.early_design, later[:, :1]),
        (process.growth, process.design, later[:, 1:]),
    ):
        flat = design.reshape(-1, q)
        bend += (flat * (growth * weight).reshape(-1, 1)).T @ flat
    return bend


def state_at_end(
    histories: Histories, paths: Paths, effects: tuple[Effects, Effects], coefficients: Floats
) -> tuple[Floats, Floats, Floats]:
    """Return P(alive at T | history) and what purchases and dropout have cumulated by T, (n,)."""
    r, s = np.exp(coefficients[0]), float(np.exp(coefficients[2]))
    p_alive, bought, left = (np.empty(histories.path.size) for _ in range(3))
    for index, block in _blocks(histories, paths, effects, coefficients):
        n, m = block.length.shape
        bought[index], left[index] = block.buying.total[:, m], block.leaving.total[:, m]
        shape = r + block.histories.frequency
        log = np.empty((n, m + 1))
        gone = log_dropout(np.repeat(shape, m), s, block.start(), block.length.ravel())
        log[:, :m] = gone.reshape(n, m)
        log[:, m] = -shape * np.log1p(bought[index]) - s * np.log1p(left[index])
        p_alive[index] = shares_of(log)[0][:, m]
    return p_alive, bought, left
