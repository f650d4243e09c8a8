"""Chances from features, drawn towards weights that were found elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import special

if TYPE_CHECKING:
    from crmkit._typing import Bools, Floats

STEPS = 50


def chances(features: Floats, weights: Floats) -> Floats:
    """Return the chance by features, shape (n, k); of k + 1 weights the constant is first."""
    chance: Floats = special.expit(weights[0] + features @ weights[1:])
    return chance


def fit_chances(features: Floats, outcome: Bools, prior: Floats) -> Floats:
    """Return weights, shape (k + 1,), by logistic regression, the constant first.

    The most probable weights where each is drawn about its prior with variance 1: some hundred
    rows outweigh the prior, none leave it. Newton's steps, halved while they do not help.
    """
    x = np.column_stack([np.ones(len(features)), features])

    def loss(w: Floats) -> float:
        z = x @ w
        return float(np.logaddexp(0, z).sum() - z[outcome].sum() + ((w - prior) ** 2).sum() / 2)

    weights, now = prior, loss(prior)
    for _ in range(STEPS):
        p = special.expit(x @ weights)
        slope = x.T @ (p - outcome) + weights - prior
        step = np.linalg.solve((x * (p * (1 - p))[:, None]).T @ x + np.eye(x.shape[1]), slope)
        size = 1.0
        while (value := loss(weights - size * step)) > now and size > 1e-6:
            size /= 2
        if now - value <= 1e-9 * max(now, 1.0):
            break
        weights, now = weights - size * step, value
    return weights
