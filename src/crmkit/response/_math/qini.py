"""Qini: what is gained by treating the best-scored customers first, with its uncertainty."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from crmkit._arrays import starts

if TYPE_CHECKING:
    from crmkit._typing import Floats, Ints


__all__ = [
    "DEFINITIONS",
    "ScoredArms",
    "bootstrap",
    "coarsen",
    "coefficients",
    "gain_curve",
    "scored_arms",
]

# The order in which coefficients are reported; unnormalised first.
DEFINITIONS = [
    "area_per_customer",
    "area_per_treated",
    "share_of_total",
    "share_of_best",
    "share_of_best_no_harm",
    "uplift_share_of_best",
    "auuc_share_of_total",
]


@dataclass(frozen=True, slots=True)
class ScoredArms:
    """Sums per distinct score, best first, for control and treated customers.

    ``n``, ``total`` and ``square`` (of the outcome) have shape (..., m, 2), ``score`` (m,).
    Leading axes are bootstrap draws.
    """

    score: Floats
    n: Floats
    total: Floats
    square: Floats


def scored_arms(score: Floats, arm: Ints, outcome: Floats) -> ScoredArms:
    """Reduce scored customers (n,) of arms 0 and 1 to one row per distinct score, best first."""
    distinct, codes = np.unique(-score, return_inverse=True)
    m = distinct.size
    key = 2 * codes.ravel() + arm
    sums = [
        np.bincount(key, weights=weight, minlength=2 * m).reshape(m, 2).astype(np.float64)
        for weight in (None, outcome, outcome**2)
    ]
    return ScoredArms(-distinct, *sums)


def coarsen(arms: ScoredArms, n_bins: int) -> ScoredArms:
    """Pool neighbouring scores to at most `n_bins` of about equal numbers; none is divided."""
    size = arms.n.sum(axis=1)
    before = np.cumsum(size) - size
    part = np.floor(before * n_bins / size.sum() * (1 + 1e-12)).astype(np.int64)
    begin = np.flatnonzero(starts(part))
    n, total, square = (
        np.add.reduceat(sums, begin, axis=0) for sums in (arms.n, arms.total, arms.square)
    )
    return ScoredArms(arms.score[begin], n, total, square)


def gain_curve(arms: ScoredArms) -> tuple[Floats, Floats, Floats]:
    """Return share treated, gain per customer and Radcliffe's Q, (..., m + 1) each, from share 0.

    The gain at share s is s x (mean of treated - mean of control) among the best s: what
    treating them adds to the outcome per customer of all. Q (Radcliffe 2007, sec. 5) is
    total of treated - total of control x (treated / control). An arm that is still empty counts
    as having a mean of 0.
    """
    n, total = np.cumsum(arms.n, axis=-2), np.cumsum(arms.total, axis=-2)
    safe = np.maximum(n, 1.0)
    control, treated = total[..., 0] / safe[..., 0], total[..., 1] / safe[..., 1]
    size = n.sum(axis=-1)
    share = size / size[..., -1:]
    q = total[..., 1] - control * n[..., 1]
    return _from_zero(share), _from_zero(share * (treated - control)), _from_zero(q)


def coefficients(arms: ScoredArms, *, binary: bool) -> Floats:
    """Return the coefficients in the order of DEFINITIONS, shape (..., 7).

    Areas are above the straight line of a random order, over the share treated:

    0. gain per customer; 1. Q per treated customer; 2. Q / abs(Q of all);
    3. Q, relative to the best order possible, which may put those harmed last; 4. the same where
    nobody is harmed; 5. the gain, relative to the best order; 6. the whole area under the gain /
    abs(gain of all). 3 to 5 need an outcome of 0 and 1 and are NaN otherwise.
    """
    share, gain, q = gain_curve(arms)
    n = arms.n.sum(axis=-2)
    all_gain, all_q = gain[..., -1], q[..., -1]
    over = _area(share, gain) - all_gain / 2
    over_q = _area(share, q) - all_q / 2
    found = [over, over_q / np.maximum(n[..., 1], 1.0)]
    found.append(_ratio(over_q, np.abs(all_q)))
    if binary:
        best_q, best_gain = _best_areas(arms, n)
        total = arms.total.sum(axis=-2)
        found.append(_ratio(over_q, best_q - all_q / 2))
        # Nobody harmed: the curve rises at slope one to the gain of all and stays there.
        gained = total[..., 1] - n[..., 1] * _ratio(total[..., 0], n[..., 0])
        reach = gained / n.sum(axis=-1)
        no_harm = gained * (1 - reach / 2)
        found.append(_ratio(over_q, no_harm - all_q / 2))
        found.append(_ratio(over, best_gain - all_gain / 2))
    else:
        found += [np.full(over.shape, np.nan)] * 3
    found.append(_ratio(_area(share, gain), np.abs(all_gain)))
    return np.stack(found, axis=-1)


def bootstrap(
    arms: ScoredArms, *, n_draws: int, binary: bool, rng: np.random.Generator
) -> ScoredArms:
    """Draw the sums of `n_draws` resampled tables, shapes (n_draws, m, 2).

    Drawing n rows with replacement is one multinomial draw over the cells (score x arm x
    outcome), so that the cost does not depend on n. An amount of money is drawn as the normal
    sum of a cell's customers.
    """
    size = float(arms.n.sum())
    m = arms.score.size
    if binary:
        cells = np.stack([arms.n - arms.total, arms.total], axis=-1)
        counts = rng.multinomial(int(size), cells.ravel() / size, size=n_draws)
        drawn: Floats = counts.reshape(n_draws, m, 2, 2).astype(np.float64)
        total = drawn[..., 1]
        return ScoredArms(arms.score, drawn.sum(axis=-1), total, total)
    counts = rng.multinomial(int(size), arms.n.ravel() / size, size=n_draws)
    n: Floats = counts.reshape(n_draws, m, 2).astype(np.float64)
    safe = np.maximum(arms.n, 1.0)
    mean = arms.total / safe
    spread = np.sqrt(np.maximum(arms.square / safe - mean**2, 0.0))
    total = n * mean + np.sqrt(n) * spread * rng.standard_normal(n.shape)
    return ScoredArms(arms.score, n, total, np.zeros_like(total))


def _best_areas(arms: ScoredArms, n: Floats) -> tuple[Floats, Floats]:
    """Return the areas of Q and of the gain under the best orders, over the share treated.

    For Q: treated responders, then those who tell nothing, then control responders. For the
    gain: treated responders and control others first; where control responders outnumber
    treated others the responders among each half come first, else the treated.
    """
    total = arms.total.sum(axis=-2)
    y0, y1 = total[..., 0], total[..., 1]
    o0, o1 = n[..., 0] - y0, n[..., 1] - y1
    zero = np.zeros_like(y0)
    q_parts = [(zero, y1, y1), (o0, o1, zero), (y0, zero, zero)]
    q_order = _ordered(q_parts, control_total=[zero, zero, y0])
    first = np.where(y0 > o1, 1.0, 0.0)
    by_outcome = _ordered(
        [(zero, y1, y1), (o0, zero, zero), (y0, zero, zero), (zero, o1, zero)],
        control_total=[zero, zero, y0, zero],
    )
    by_arm = _ordered(
        [(zero, y1, y1), (o0, zero, zero), (zero, o1, zero), (y0, zero, zero)],
        control_total=[zero, zero, zero, y0],
    )
    q_share, _, q = gain_curve(q_order)
    areas = []
    for order in (by_outcome, by_arm):
        share, gain, _ = gain_curve(order)
        areas.append(_area(share, gain))
    return _area(q_share, q), first * areas[0] + (1 - first) * areas[1]


def _ordered(parts: list[tuple[Floats, Floats, Floats]], control_total: list[Floats]) -> ScoredArms:
    """Return sums of groups in a given order: (control n, treated n, treated total) each."""
    n = np.stack([np.stack(part[:2], axis=-1) for part in parts], axis=-2)
    total = np.stack(
        [
            np.stack([control, part[2]], axis=-1)
            for part, control in zip(parts, control_total, strict=True)
        ],
        axis=-2,
    )
    return ScoredArms(np.zeros(len(parts)), n, total, total)


def _area(x: Floats, y: Floats) -> Floats:
    """Return the area under y over x by trapezoids, along the last axis."""
    return np.asarray(np.sum((y[..., 1:] + y[..., :-1]) * np.diff(x, axis=-1), axis=-1) / 2)


def _ratio(a: Floats, b: Floats) -> Floats:
    """Return a / b, and 0 where there is nothing to relate to."""
    return np.divide(a, b, out=np.zeros(np.shape(a)), where=np.abs(b) > 1e-300)


def _from_zero(values: Floats) -> Floats:
    """Put a 0 before the last axis."""
    return np.concatenate([np.zeros((*values.shape[:-1], 1)), values], axis=-1)
