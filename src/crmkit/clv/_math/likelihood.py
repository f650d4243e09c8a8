"""The fitting engine: any likelihood whose parameters are positive and may depend on covariates.

A model hands in *parts*: densities over weighted distinct rows, with first and second derivatives
in the model's own parameters. The engine works in log-parameters, where
``ln theta_ij = c_j + z_i' g_j`` is linear in the coefficients, so that gradient and Hessian of
every model, with covariates and ties, follow from the same two lines of the chain rule.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from crmkit._typing import Floats
from crmkit.clv._math.newton import Objective, Optimum, maximise
from crmkit.clv._math.rows import distinct_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from crmkit._typing import Bools
    from crmkit.clv._math.prior import Prior

__all__ = [
    "Fit",
    "Part",
    "climb",
    "compressed_part",
    "fit",
    "natural_parameters",
    "positions",
]

# value (n,), gradient by parameter, Hessian by pair of parameters j <= k; absent means zero.
Pieces = tuple[Floats, dict[int, Floats], dict[tuple[int, int], Floats]]

# A block fits the cache, and is too short for BLAS to start threads.
_BLOCK = 8192
# A direction with less information than this (its standard error is a factor of e^30) is flat.
_FLAT = 1e-3
_LARGEST_LOG = 60.0
# How much of a flat direction makes a coefficient run away.
_MOVES = 0.3
# Peaks at which every parameter is known to a fifth are the only ones.
_STEEP = 25.0
_CLIMBS = 4


@dataclass(frozen=True, slots=True)
class Part:
    """A density over rows: its arguments, weights (n,) and one design (n, q_j) per parameter.

    A design is None where the parameter has no covariates or does not enter this density. Where
    there is a quick way to the density alone, it is `value`, whose parameters may be (d, 1) or
    (d, n).
    """

    density: Callable[..., Pieces]
    columns: tuple[Floats, ...]
    weight: Floats
    designs: tuple[Floats | None, ...]
    value: Callable[..., Floats] | None = None


@dataclass(frozen=True, slots=True)
class Fit:
    """A maximum of the likelihood in coefficients: log-parameters first, then effects."""

    coefficients: Floats
    covariance: Floats
    log_likelihood: float
    gradient_norm: float
    converged: bool
    evaluations: int
    n_free: int
    flat: tuple[str, ...]


def compressed_part(
    density: Callable[..., Pieces],
    columns: Sequence[Floats],
    weight: Floats,
    designs: Sequence[Floats | None],
    *,
    uses: Sequence[int],
    value: Callable[..., Floats] | None = None,
) -> Part:
    """Return the part over the distinct rows of `columns` and the designs it `uses`."""
    kept = [design if j in uses else None for j, design in enumerate(designs)]
    varying = [column for design in kept if design is not None for column in design.T]
    first, code = distinct_rows([*columns, *varying])
    return Part(
        density,
        tuple(column[first] for column in columns),
        np.bincount(code, weights=weight).astype(np.float64),
        tuple(None if design is None else design[first] for design in kept),
        value,
    )


def positions(widths: Sequence[int]) -> list[list[int]]:
    """Return where in the coefficients each parameter's constant and its effects stand."""
    where, position = [], len(widths)
    for j, width in enumerate(widths):
        where.append([j, *range(position, position + width)])
        position += width
    return where


def natural_parameters(
    coefficients: Floats, designs: Sequence[Floats | None], where: Sequence[Sequence[int]]
) -> list[Any]:
    """Return each parameter: a number without covariates, else an array of shape (n,)."""
    return [
        np.exp(coefficients[j] + (0.0 if design is None else design @ coefficients[where[j][1:]]))
        for j, design in enumerate(designs)
    ]


def fit(
    parts: Sequence[Part],
    starts: Sequence[Sequence[float] | Floats],
    *,
    names: Sequence[str],
    widths: Sequence[int],
    effects: Sequence[str] = (),
    view: Floats | None = None,
    tie: Floats | None = None,
    penalty: Floats | None = None,
    prior: Prior | None = None,
    max_evaluations: int = 200,
) -> Fit:
    """Maximise the sum of the parts over the coefficients ``tie @ free``; see `climb`."""
    where = positions(widths)
    return climb(
        lambda coefficients: _evaluate(parts, coefficients, where),
        starts,
        names=names,
        effects=effects,
        total=float(parts[-1].weight.sum()),
        view=view,
        tie=tie,
        penalty=penalty,
        prior=prior,
        max_evaluations=max_evaluations,
    )


def climb(
    likelihood: Objective,
    starts: Sequence[Sequence[float] | Floats],
    *,
    names: Sequence[str],
    effects: Sequence[str],
    total: float,
    view: Floats | None = None,
    tie: Floats | None = None,
    penalty: Floats | None = None,
    prior: Prior | None = None,
    max_evaluations: int = 200,
) -> Fit:
    """Maximise a log-likelihood of `total` customers over the coefficients ``tie @ free``.

    `starts` are log-parameters; the best of all but the first are tried only where the first
    search does not end on a steep peak. The `effects` of covariates follow them.
    `penalty` (p,) subtracts ``penalty @ coefficients ** 2 / 2``, a `prior` adds its log. With
    `max_evaluations` of 1 the result describes the likelihood at the first of the `starts`. What
    ran away is told by the coefficients ``view @ coefficients``, if they are others.
    """
    n_effects = len(effects)
    n_coefficients = len(names) + n_effects
    tie = np.eye(n_coefficients) if tie is None else tie
    view = np.eye(n_coefficients) if view is None else view
    penalty = np.zeros(n_coefficients) if penalty is None else penalty

    def objective(free: Floats) -> tuple[float, Floats, Floats]:
        coefficients = tie @ free
        if np.abs(coefficients[: len(names)]).max() > _LARGEST_LOG:
            return -np.inf, free, np.eye(free.size)
        with np.errstate(all="ignore"):
            value, gradient, hessian = likelihood(coefficients)
        value -= 0.5 * float(penalty @ coefficients**2)
        gradient -= penalty * coefficients
        hessian -= np.diag(penalty)
        if prior is not None:
            value += float(prior.value(coefficients))
            gradient += prior.gradient(coefficients)
            hessian += prior.hessian(coefficients)
        if not (np.isfinite(gradient).all() and np.isfinite(hessian).all()):
            return -np.inf, free, np.eye(free.size)
        return value, tie.T @ gradient, tie.T @ hessian @ tie

    points = [np.append(start, np.zeros(n_coefficients - len(start))) for start in starts]
    points = [tie.T @ point / np.square(tie).sum(axis=0) for point in points]
    first = tie @ points[0]
    best = maximise(objective, points[0], max_evaluations=max_evaluations)
    if len(points) > 1 and not _peaked(best):
        # Where the data say little there may be a higher peak: climb from other places too.
        others = sorted(points[1:], key=lambda point: objective(point)[0], reverse=True)
        for point in others[:_CLIMBS]:
            found = maximise(objective, point, max_evaluations=max_evaluations)
            if found.value > best.value + 1e-5:
                best, first = found, tie @ point
    scale = {"tie": tie, "view": view, "penalty": penalty}
    fitted = _summary(best, first, names=names, effects=effects, total=total, **scale)
    if prior is None:
        return fitted
    alone = fitted.log_likelihood - float(prior.value(fitted.coefficients))
    return replace(fitted, log_likelihood=alone)


def _peaked(found: Optimum) -> bool:
    """Tell whether the search ended on a peak that falls steeply in every direction."""
    return found.converged and bool(np.linalg.eigvalsh(-found.hessian)[0] > _STEEP)


def _evaluate(
    parts: Sequence[Part], coefficients: Floats, where: Sequence[Sequence[int]]
) -> tuple[float, Floats, Floats]:
    """Return the log-likelihood with its gradient (p,) and Hessian (p, p) in coefficients."""
    p = coefficients.size
    value, gradient, hessian = 0.0, np.zeros(p), np.zeros((p, p))
    for part in parts:
        theta = natural_parameters(coefficients, part.designs, where)
        add = _add_plain if all(design is None for design in part.designs) else _add_designed
        for start in range(0, part.weight.size, _BLOCK):
            rows = slice(start, start + _BLOCK)
            now = [t[rows] if np.ndim(t) else t for t in theta]
            weight = part.weight[rows]
            pieces = part.density(now, *(column[rows] for column in part.columns))
            value += float(weight @ pieces[0])
            designs = [None if d is None else _with_one(d[rows]) for d in part.designs]
            add(gradient, hessian, weight, now, pieces, designs, where)
    lower = np.tril_indices(p, -1)
    hessian[lower] += hessian.T[lower]
    hessian.T[lower] = hessian[lower]
    return value, gradient, hessian


def _add_plain(gradient: Floats, hessian: Floats, *block: Any) -> None:
    """Add the upper triangle of a block without covariates: sums of natural derivatives."""
    weight, theta, pieces, _, _ = block
    for j, slope in pieces[1].items():
        total = theta[j] * float(weight @ slope)
        gradient[j] += total
        hessian[j, j] += total  # in logarithms the slope bends the diagonal
    for (j, k), curve in pieces[2].items():
        hessian[j, k] += theta[j] * theta[k] * float(weight @ curve)


def _add_designed(gradient: Floats, hessian: Floats, *block: Any) -> None:
    """Add a block with covariates: X' g, and X' H X in its upper triangle of parameters."""
    weight, theta, pieces, designs, where = block
    one = np.ones((weight.size, 1))
    designs = [one if design is None else design for design in designs]
    for j, slope in pieces[1].items():
        gradient[where[j]] += (weight * theta[j] * slope) @ designs[j]
    for j, k in pieces[2].keys() | {(j, j) for j in pieces[1]}:
        term = theta[j] * theta[k] * pieces[2].get((j, k), 0.0)
        if j == k:
            term = term + theta[j] * pieces[1][j]
        found = (designs[j] * (weight * term)[:, None]).T @ designs[k]
        if j == k:
            found = np.triu(found)
        hessian[np.ix_(where[j], where[k])] += found


def _with_one(design: Floats) -> Floats:
    """Return the design with a constant in front."""
    return np.column_stack([np.ones(len(design)), design])


def _summary(
    found: Optimum,
    first: Floats,
    *,
    tie: Floats,
    view: Floats,
    penalty: Floats,
    names: Sequence[str],
    effects: Sequence[str],
    total: float,
) -> Fit:
    """Return the optimum with its covariance and the directions in which it ran away."""
    coefficients = tie @ found.point
    information, axes = np.linalg.eigh(-found.hessian)
    flat = information < _FLAT
    # Along a flat direction the limit is reached: what is left to know has no share in it.
    inverse = np.where(flat, 0.0, 1.0 / np.where(flat, 1.0, information))
    spread = tie @ axes
    up = view @ (coefficients - first) > 0.0
    away = _ran_away(view @ spread[:, flat], up, names, effects) if flat.any() else ()
    return Fit(
        coefficients=coefficients,
        covariance=(spread * inverse) @ spread.T,
        log_likelihood=found.value + 0.5 * float(penalty @ coefficients**2),
        gradient_norm=float(np.linalg.norm(found.gradient)) / total,
        converged=found.converged,
        evaluations=found.evaluations,
        n_free=found.point.size,
        flat=away,
    )


def _ran_away(
    axes: Floats, up: Bools, names: Sequence[str], effects: Sequence[str]
) -> tuple[str, ...]:
    """Return what flat `axes` (p, k) move: parameters, each with its sign, or else effects."""
    share = np.linalg.norm(np.linalg.qr(axes)[0], axis=1)
    signed = [f"{name}{'+' if rises else '-'}" for name, rises in zip(names, up, strict=False)]
    for labels, part in ((signed, share[: len(names)]), (effects, share[len(names) :])):
        found = tuple(name for name, much in zip(labels, part, strict=True) if much > _MOVES)
        if found:
            return found
    return ([*signed, *effects][int(share.argmax())],)
