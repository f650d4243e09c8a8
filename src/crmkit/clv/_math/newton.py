"""Maximum likelihood by Newton's method in an exact trust region."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from crmkit._typing import Floats

__all__ = ["Objective", "Optimum", "maximise"]

Objective = Callable[[Floats], tuple[float, Floats, Floats]]

# A gain in log-likelihood that no statement about the data can depend on.
_NO_GAIN = 1e-6
_MAX_RADIUS = 8.0


@dataclass(frozen=True, slots=True)
class Optimum:
    """Where the search ended: point (p,), value, gradient (p,), Hessian (p, p)."""

    point: Floats
    value: float
    gradient: Floats
    hessian: Floats
    evaluations: int
    converged: bool


def maximise(objective: Objective, start: Floats, *, max_evaluations: int = 200) -> Optimum:
    """Maximise a function that gives its value, gradient and Hessian.

    Each step maximises the quadratic model in a ball (More and Sorensen 1983). The search ends
    when a Newton step, or one that changes parameters by a factor of e, promises a gain below
    1e-6; that step is still taken, so that the quadratic convergence delivers the last digits.
    """
    point, radius = np.asarray(start, dtype=np.float64), 1.0
    value, gradient, hessian = objective(point)
    evaluations, converged = 1, False
    while evaluations < max_evaluations and not converged:
        curvature, axes = np.linalg.eigh(-hessian)
        slope = axes.T @ gradient
        step, inside = _step(curvature, slope, radius)
        promised = float(slope @ step - 0.5 * curvature @ step**2)
        converged = promised < _NO_GAIN and (inside or radius >= 1.0)
        trial = point + axes @ step
        found = objective(trial)
        evaluations += 1
        gain = found[0] - value
        ratio = gain / promised if np.isfinite(gain) and promised > 0.0 else -1.0
        length = float(np.linalg.norm(step))
        if ratio < 0.25:
            radius = 0.25 * length
        elif ratio > 0.75 and not inside:
            radius = min(2.0 * radius, _MAX_RADIUS)
        if ratio > 1e-4 or (converged and gain > -_NO_GAIN):
            point, (value, gradient, hessian) = trial, found
        if radius < 1e-9:
            break
    return Optimum(point, value, gradient, hessian, evaluations, converged)


def _step(curvature: Floats, slope: Floats, radius: float) -> tuple[Floats, bool]:
    """Maximise slope'z - z'diag(curvature)z / 2 over |z| <= radius; tell if the ball was idle."""
    floor = 1e-14 * max(float(np.abs(curvature).max()), 1e-300)
    if curvature[0] > -floor:
        step = slope / np.maximum(curvature, floor)
        if float(np.linalg.norm(step)) <= radius:
            return step, True
    # |slope / (curvature + shift)| falls in the shift: bisect its logarithm.
    base = max(0.0, -float(curvature[0]))
    low, high = floor, float(np.linalg.norm(slope)) / radius + floor
    while high > low * (1.0 + 1e-3):
        middle = (low * high) ** 0.5
        longer = np.linalg.norm(slope / (curvature + base + middle)) > radius
        low, high = (middle, high) if longer else (low, middle)
    step = slope / (curvature + base + high)
    short = radius**2 - float(step @ step)
    if base > 0.0 and short > 0.01 * radius**2:
        # The hard case: no slope along the direction of negative curvature.
        step[0] += np.copysign(short**0.5, slope[0])
    return step, False
