"""Lognormal spend whose median differs by customer: normal amounts with a normal mean, in logs.

The logarithms of a customer's amounts are N(m, w), and m is N(ln(median), b) across customers. k
amounts have the mean y and the mean square deviation d around it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crmkit._typing import Floats, Ints

__all__ = ["draw_lognormal", "expected_lognormal", "lognormal_density", "simulate_lognormal"]


def lognormal_density(theta: Sequence[Any], k: Floats, y: Floats, d: Floats) -> Any:
    """Return the density of the k amounts: of their deviations from y, and of y itself."""
    median, w, b = theta[:3]
    total, e = w + k * b, y - np.log(median)
    within = -0.5 * ((k - 1.0) * np.log(w) + k * d / w)
    between = -0.5 * (np.log(total) + k * e**2 / total)
    value = within + between - k * (0.5 * np.log(2.0 * np.pi) + y)
    pull = k * e / total
    by_total = 0.5 * (pull**2 / k - 1.0 / total)
    bend = 0.5 / total**2 - pull**2 / (k * total)
    gradient = {0: pull / median, 1: 0.5 * (k * d / w**2 - (k - 1.0) / w) + by_total}
    gradient[2] = k * by_total
    hessian = {
        (0, 0): -(k / total + pull) / median**2,
        (0, 1): -pull / (total * median),
        (0, 2): -k * pull / (total * median),
        (1, 1): 0.5 * (k - 1.0) / w**2 - k * d / w**3 + bend,
        (1, 2): k * bend,
        (2, 2): k**2 * bend,
    }
    return value, gradient, hessian


def expected_lognormal(theta: Sequence[Any], k: Floats, y: Floats) -> Floats:
    """Posterior mean of a customer's amount: ``exp(E[m] + Var[m] / 2 + w / 2)``."""
    median, w, b = theta[:3]
    known = k * b / (w + k * b)
    mean = (1.0 - known) * np.log(median) + known * y
    result: Floats = np.exp(mean + 0.5 * b * (1.0 - known) + 0.5 * w)
    return result


def draw_lognormal(
    theta: Sequence[Any], k: Floats, y: Floats, owner: Ints, rng: np.random.Generator
) -> Floats:
    """Draw the amount of a purchase of each `owner`, (e,), one of n customers with k and y."""
    median, w, b = (np.broadcast_to(value, k.shape) for value in theta[:3])
    known = k * b / (w + k * b)
    mean = (1.0 - known) * np.log(median) + known * y
    own = rng.normal(mean, np.sqrt(b * (1.0 - known)))
    result: Floats = np.exp(rng.normal(own[owner], np.sqrt(w[owner])))
    return result


def simulate_lognormal(
    theta: Sequence[Any], first: Floats, later: Floats, rng: np.random.Generator
) -> tuple[Floats, Floats, Floats, Floats, Floats]:
    """Draw the first amount, the sum of later ones, mean and deviation of the logs, true means."""
    median, w, b = theta[:3]
    m = rng.normal(np.broadcast_to(np.log(median), first.shape), np.sqrt(b))
    count = (first + later).astype(np.int64)
    who = np.repeat(np.arange(count.size), count)
    log = rng.normal(m[who], np.sqrt(w))
    opens = np.zeros(who.size, dtype=bool)
    opens[(np.cumsum(count) - count)[first > 0.0]] = True
    amount = np.exp(log)

    def total(values: Floats) -> Floats:
        found: Floats = np.bincount(who, values, count.size).astype(np.float64, copy=False)
        return found

    mean = total(log) / np.maximum(count, 1)
    spread = np.sqrt(total((log - mean[who]) ** 2) / np.maximum(count, 1))
    return total(amount * opens), total(amount * ~opens), mean, spread, np.exp(m + w / 2.0)
