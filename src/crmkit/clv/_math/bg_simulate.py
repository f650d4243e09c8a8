"""Exact draws from the beta-geometric models, all customers at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from crmkit.clv._math.ahead import chance_of_leaving

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from crmkit._typing import Floats, Ints

__all__ = ["log_gaps", "simulate"]


def simulate(
    theta: Sequence[Any],
    T: Floats,
    rng: np.random.Generator,
    *,
    k: int,
    first_chance: int,
) -> dict[str, NDArray[Any]]:
    """Draw frequency, recency (n,), the sum of log gaps and who is alive at T.

    The stages in (0, T) are a Poisson number of uniform points, every k-th of them a purchase if
    the customer is still there. The time of the j-th of N points is T Beta(j, N - j + 1), so
    that no path has to be drawn and nothing is rounded to periods.
    """
    r, alpha, a, b = theta
    size = T.shape
    rate = rng.gamma(np.broadcast_to(r, size)) / alpha
    dropout = chance_of_leaving(np.broadcast_to(a, size), np.broadcast_to(b, size), rng)
    stages = rng.poisson(np.minimum(rate * T, 1e15))
    chances = dropout - first_chance
    frequency = np.minimum(stages // k, chances)
    alive = stages // k < chances
    last = k * frequency
    share = rng.beta(np.maximum(last, 1), np.maximum(stages - last, 0) + 1.0)
    recency = np.where(frequency > 0, T * share, 0.0)
    drawn: dict[str, NDArray[Any]] = {
        "frequency": frequency.astype(np.int64),
        "recency": recency,
        "T": T,
    }
    if k > 1:
        drawn["sum_log_gaps"] = log_gaps(frequency.astype(np.int64), recency, k, rng)
    return drawn | {"alive": alive}


def log_gaps(frequency: Ints, recency: Floats, k: int, rng: np.random.Generator) -> Floats:
    """Draw the sum of the log gaps: given their sum they are Dirichlet(k, ..., k) shares of it."""
    owner = np.repeat(np.arange(frequency.size), frequency)
    parts = rng.gamma(k, size=owner.size)
    total = np.bincount(owner, weights=parts, minlength=frequency.size)
    logs = np.bincount(owner, weights=np.log(parts), minlength=frequency.size)
    scale = np.log(np.where(frequency > 0, recency / np.where(total > 0, total, 1.0), 1.0))
    return np.asarray(logs + frequency * scale, dtype=np.float64)
