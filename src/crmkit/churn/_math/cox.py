"""Cox regression: the partial likelihood with Efron's ties, late entries and weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from crmkit._arrays import ranges, starts
from crmkit.churn._math.tenures import Tenures

if TYPE_CHECKING:
    from crmkit._typing import Floats, Ints


__all__ = ["CoxFit", "Layers", "fit_cox", "proportionality"]

_MOST_STEPS = 60
_SETTLED = 1e-8


@dataclass(frozen=True, slots=True)
class CoxFit:
    """Coefficients and covariance, shapes (p,) and (p, p), and the baseline at average traits.

    ``converged`` is False where the likelihood has no maximum that could be found.
    """

    estimate: Floats
    covariance: Floats
    log_likelihood: float
    base_time: Floats
    base_hazard: Floats
    converged: bool


@dataclass(frozen=True, slots=True)
class Layers:
    """Strata laid one after another on one scale of whole numbers, on which they never meet.

    Who is at risk in a stratum then is as if they had entered late; ``time`` holds the distinct
    times of all strata, ascending, shape (m,).
    """

    time: Floats

    @classmethod
    def of(cls, tenures: Tenures) -> Layers:
        """Return the layers for the times of some tenures."""
        entry = tenures.time[:0] if tenures.entry is None else tenures.entry
        return cls(np.unique(np.r_[tenures.time, entry]))

    def lay(self, tenures: Tenures, stratum: Ints) -> Tenures:
        """Return tenures, each in its stratum, shape (n,) from 0 on."""
        begin: Floats = stratum.astype(np.float64) * (self.time.size + 1)
        entry = begin
        if tenures.entry is not None:
            late = np.searchsorted(self.time, tenures.entry) + 1
            entry = begin + np.where(tenures.entry > 0, late, 0)
        time = begin + np.searchsorted(self.time, tenures.time) + 1
        return Tenures(time, tenures.left, entry, tenures.weight)

    def told(self, laid: Floats) -> tuple[Ints, Floats]:
        """Return the stratum and the time of points on the scale."""
        stratum, place = np.divmod(laid.astype(np.int64), self.time.size + 1)
        return stratum, self.time[place - 1]


@dataclass(frozen=True, slots=True)
class _Sums:
    """The likelihood at some coefficients, and what its derivatives are made of.

    One row per tied leaver, in turn: ``mean``, shape (e, p), the traits expected of the next to
    leave, ``below`` the sum of risks, ``part`` the share of the tied who are gone (Efron).
    """

    value: float
    mean: Floats
    below: Floats
    part: Floats
    risk: Floats


class _Partial:
    """The partial likelihood of tenures and traits, shape (n, p), for one set of data."""

    def __init__(self, tenures: Tenures, matrix: Floats) -> None:
        weight = np.ones(tenures.time.size) if tenures.weight is None else tenures.weight
        order = np.argsort(tenures.time, kind="stable")
        entry = np.zeros(order.size) if tenures.entry is None else tenures.entry[order]
        self.x, self.weight = matrix[order], weight[order]
        self.centre = np.average(matrix, axis=0, weights=weight)
        self.x = self.x - self.centre
        self.leaver = np.flatnonzero(tenures.left[order])
        ending = tenures.time[order]
        first = np.flatnonzero(starts(ending[self.leaver]))
        self.time, self.first = ending[self.leaver][first], first
        self.end = np.searchsorted(self.time, ending, side="right")
        self.begin = np.where(entry > 0, np.searchsorted(self.time, entry, side="right"), 0)
        rows = np.diff(np.r_[first, self.leaver.size])
        self.leaving = np.add.reduceat(self.weight[self.leaver], first)
        # As many steps as customers leave at a time; rows, where weights count no customers.
        steps = self.leaving.astype(np.int64) if tenures.counts else rows
        self.step, gone = ranges(0, steps)
        self.part = gone / steps[self.step]
        self.each = (self.leaving / steps)[self.step]

    def at_risk(self, values: Floats) -> Floats:
        """Return sums of values, shape (n, ...), over those at risk at each event time."""
        total = _by_time(values, self.end, self.time.size + 1)[::-1].cumsum(axis=0)[::-1][1:]
        if self.begin.any():
            late = _by_time(values, self.begin, self.time.size + 1)
            total = total - late[::-1].cumsum(axis=0)[::-1][1:]
        return np.asarray(total)

    def sums(self, estimate: Floats) -> _Sums:
        """Return the log likelihood and its parts."""
        score = self.x @ estimate
        top = float(score.max())
        risk = self.weight * np.exp(score - top)
        tied = risk[self.leaver]
        own = np.add.reduceat(tied, self.first)
        own_x = np.add.reduceat(tied[:, None] * self.x[self.leaver], self.first)
        below = self.at_risk(risk)[self.step] - self.part * own[self.step]
        below = np.maximum(below, np.finfo(float).tiny)
        mean = self.at_risk(risk[:, None] * self.x)[self.step]
        mean = (mean - self.part[:, None] * own_x[self.step]) / below[:, None]
        value = float(self.weight[self.leaver] @ score[self.leaver])
        value -= float(self.each @ (np.log(below) + top))
        return _Sums(value, mean, below, self.part, risk)

    def gradient(self, sums: _Sums) -> Floats:
        """Return what the leavers are beyond what was expected, shape (p,)."""
        return self.weight[self.leaver] @ self.x[self.leaver] - self.each @ sums.mean

    def per_time(self, values: Floats) -> Floats:
        """Return sums over the leavers of each event time of values, shape (e, ...)."""
        return _by_time(values, self.step, self.time.size)

    def exposed(self, sums: _Sums, values: Floats) -> Floats:
        """Return, per row, the sum of `values` over the leavers it was at risk with.

        `values`, shape (e, ...), are one per tied leaver; who leaves counts less from one to the
        next.
        """
        grown = np.concatenate([0 * values[:1], self.per_time(values).cumsum(axis=0)])
        total = grown[self.end] - grown[self.begin]
        gone = self.per_time((values.T * sums.part).T)
        total[self.leaver] -= gone[self.end[self.leaver] - 1]
        return np.asarray(total)

    def information(self, sums: _Sums, times: Floats | None = None) -> Floats:
        """Return minus the second derivatives, each event time weighted by `times`, (p, p)."""
        one = self.each if times is None else self.each * times[self.step]
        exposure = sums.risk * self.exposed(sums, one / sums.below)
        spread = (self.x * exposure[:, None]).T @ self.x
        return np.asarray(spread - (sums.mean * one[:, None]).T @ sums.mean)

    def residuals(self, sums: _Sums) -> Floats:
        """Return how each row moves the gradient, shape (n, p) (Lin and Wei 1989)."""
        one = (self.each / sums.below)[:, None]
        expected = self.x * self.exposed(sums, one) - self.exposed(sums, one * sums.mean)
        moved = -sums.risk[:, None] * expected
        steps = np.bincount(self.step, minlength=self.time.size)[:, None]
        of_time = self.end[self.leaver] - 1
        apart = self.x[self.leaver] - (self.per_time(sums.mean) / steps)[of_time]
        moved[self.leaver] += self.weight[self.leaver, None] * apart
        return np.asarray(moved)


def _by_time(values: Floats, place: Ints, size: int) -> Floats:
    """Return sums of values, shape (n, ...), by place."""
    if values.ndim == 1:
        return np.asarray(np.bincount(place, values, minlength=size), dtype=np.float64)
    columns = [np.bincount(place, column, minlength=size) for column in values.T]
    return np.column_stack(columns)


def fit_cox(tenures: Tenures, matrix: Floats, *, penalizer: float = 0.0) -> CoxFit:
    """Maximise the partial likelihood (Cox 1972; ties by Efron 1977) by Newton's method.

    Those at risk at a time entered before it. A `penalizer` takes half of it, times the number of
    customers, times the squares of the coefficients of standardised traits from the likelihood.
    The covariance is the inverse information or, where weights count no customers, that of Lin
    and Wei (1989). The baseline is Breslow's (1974).
    """
    partial = _Partial(tenures, matrix)
    spread = np.sqrt(partial.weight @ partial.x**2 / max(tenures.size - 1, 1.0))
    spread = np.where(spread > 0, spread, 1.0)
    partial.x = partial.x / spread
    ridge = penalizer * tenures.size
    typical = float(partial.weight.mean())
    estimate, converged = np.zeros(matrix.shape[1]), False
    sums = partial.sums(estimate)
    for _ in range(_MOST_STEPS):
        information = partial.information(sums) + ridge * np.eye(estimate.size)
        if not _regular(information / typical):
            break
        gradient = partial.gradient(sums) - ridge * estimate
        step = np.linalg.solve(information, gradient)
        near = bool(gradient @ step < _SETTLED * typical)
        here, factor = sums.value - ridge / 2 * float(estimate @ estimate), 1.0
        while True:
            trial = estimate + factor * step
            sums = partial.sums(trial)
            there = sums.value - ridge / 2 * float(trial @ trial)
            if there >= here - 1e-9 * abs(here) or factor < 1e-6:
                break
            factor /= 2
        estimate = trial
        if near:
            converged = True
            break
    information = partial.information(sums) + ridge * np.eye(estimate.size)
    if not _regular(information / typical):
        converged, information = False, np.eye(estimate.size)
    covariance = np.linalg.inv(information)
    if not tenures.counts:
        moved = partial.residuals(sums) @ covariance
        covariance = moved.T @ moved
    top = float((partial.x @ estimate).max())
    jumps = partial.leaving / partial.at_risk(sums.risk) * np.exp(-top)
    time = np.unique(tenures.time)
    total = np.r_[0.0, np.cumsum(jumps)][np.searchsorted(partial.time, time, side="right")]
    return CoxFit(
        estimate / spread,
        covariance / np.outer(spread, spread),
        sums.value,
        time,
        total,
        converged,
    )


def _regular(information: Floats) -> bool:
    """Tell whether an information matrix of standardised traits can be inverted.

    Errors beyond a hundred are those of a trait that tells leavers apart for certain.
    """
    size = np.sqrt(np.maximum(np.diag(information), 0.0))
    if not np.isfinite(information).all() or not (size > 1e-2).all():
        return False
    return bool(np.linalg.cond(information / np.outer(size, size)) < 1e11)


def proportionality(
    tenures: Tenures, matrix: Floats, estimate: Floats, transform: Floats
) -> tuple[Floats, float]:
    """Test whether coefficients change with time: statistics per coefficient and of all.

    The score test of a coefficient times `transform`, shape (m,), one value per event time
    (Grambsch and Therneau 1994), with the variance that each event time has of its own. The
    statistics are chi-squared with 1 and p degrees of freedom.
    """
    partial = _Partial(tenures, matrix)
    sums = partial.sums(estimate)
    weights = partial.weight[partial.leaver, None] * partial.x[partial.leaver]
    excess = np.add.reduceat(weights, partial.first)
    excess = excess - partial.per_time(partial.each[:, None] * sums.mean)
    centred = transform - np.average(transform, weights=partial.leaving)
    score = centred @ excess
    plain, once, twice = (partial.information(sums, centred**power) for power in range(3))
    # Traits that add up to one another, which a penalty allows, have no test.
    covariance = twice - once @ np.linalg.pinv(plain, hermitian=True) @ once
    variance = np.diag(covariance)
    known = variance > 1e-10 * np.diag(twice)
    single = np.divide(score**2, variance, out=np.full(score.size, np.nan), where=known)
    return single, float(score @ np.linalg.pinv(covariance, hermitian=True) @ score)
