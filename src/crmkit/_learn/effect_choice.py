"""Let the data choose how effects are learned: a mixture by out-of-fold doubly robust loss."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from crmkit._estimator import json_part
from crmkit._learn.effects import (
    CrossFittedEffects,
    EffectEnsemble,
    FoldModels,
    deal_folds,
    doubly_robust,
    fit_arm_means,
    fit_fold_effects,
)
from crmkit._learn.means import MixedMean
from crmkit._learn.trees import TreeStyle
from crmkit._progress import steps

if TYPE_CHECKING:
    from crmkit._typing import Floats, Ints


__all__ = ["EffectMixture", "Tried", "choose_effects", "extra_loss"]

# Customers in the smallest arm from which on trees are tried.
_ENOUGH = 400
_BOOSTED = TreeStyle(80, depth=3, leaf=0.01, share=0.5, rate=0.08)
_FOREST = TreeStyle(40, depth=12, leaf=0.005, share=0.5, features=0.6)
_EFFECTS = {
    "boosted": TreeStyle(60, depth=2, leaf=0.05, share=0.5, rate=0.04),
    "forest": TreeStyle(80, depth=12, leaf=0.1, share=0.5, features=0.7),
}
# Rows whose effects are imputed at most.
_IMPUTED = 100_000
# The share of the loss that is the parts' own, not the mixture's: a part has to be good by itself.
_OWN = 0.25


class Tried(NamedTuple):
    """One way to learn effects: by which method and learner, its loss and weights, (k,) each."""

    method: str
    learner: str
    loss: Floats
    weight: Floats


@json_part
@dataclass(frozen=True, slots=True)
class EffectMixture:
    """Effects as a mixture: ``weights`` (c, k) of the ensembles, the rest is the ``average`` (k,).

    ``means`` gives the expected outcomes.
    """

    ensembles: list[EffectEnsemble]
    weights: Floats
    average: Floats
    means: EffectEnsemble

    def predict(self, matrix: Floats, propensity: Floats) -> tuple[Floats, Floats]:
        """Return effects (n, k) and means under all arms (n, k + 1)."""
        mean = self.means.mean(matrix)
        effect = np.tile(self.average * (1 - self.weights.sum(axis=0)), (len(matrix), 1))
        for ensemble, weight in zip(self.ensembles, self.weights, strict=True):
            # The differences of the very means need no second look at all their trees.
            own = ensemble is self.means
            found = mean[:, 1:] - mean[:, :1] if own else ensemble.effect(matrix, propensity)
            effect += weight * found
        return effect, mean


def choose_effects(
    matrix: Floats,
    outcome: Floats,
    arm: Ints,
    propensity: Floats,
    *,
    estimator: Any = None,
    effect_estimator: Any = None,
    n_folds: int = 5,
    random_state: int | None = None,
    progress: bool = False,
) -> tuple[EffectMixture, CrossFittedEffects, list[Tried]]:
    """Learn effects in every way there is and mix those that predict doubly robust scores best.

    Takes what ``fit_effects`` takes. Outcomes are learned by linear models, boosted trees and a
    forest, mixed per arm by their out-of-fold squared error. Effects are differences of means (t
    and s), imputed (x), or fitted to scores (dr), mixed by their out-of-fold squared distance from
    the scores. A row is left out of all fits of its fold, and its mixture has weights from the
    other folds. Scores hang on means of other folds, whose errors have no first-order effect on
    them.

    Lan, H. and Syrgkanis, V. (2024). Causal Q-aggregation for CATE model selection. AISTATS.
    """
    k = propensity.shape[1] - 1
    folds = deal_folds(arm, outcome, n_folds, random_state)
    binary = bool(((outcome == 0) | (outcome == 1)).all())
    trees = estimator is None and np.bincount(arm).min() >= _ENOUGH
    of_means = {"linear" if estimator is None else "given": estimator}
    of_effects = {"linear" if effect_estimator is None else "given": effect_estimator}
    if trees:
        of_means |= {"boosted": _BOOSTED, "forest": _FOREST}
        of_effects |= _EFFECTS if effect_estimator is None else {}
    fold_rows = [folds == fold for fold in range(n_folds)]

    def means_by(method: str, learner: Any) -> list[FoldModels]:
        options = {"estimator": learner, "binary": binary, "random_state": random_state}
        return [
            fit_arm_means(method, matrix[~own], outcome[~own], arm[~own], k, options)
            for own in steps(fold_rows, "cross-fitting", progress)
        ]

    def unseen(fitted: list[FoldModels]) -> Floats:
        found = np.empty((outcome.size, k + 1))
        for own, models in zip(fold_rows, fitted, strict=True):
            found[own] = models.mean(matrix[own], k)
        return found

    fitted = {name: means_by("t", learner) for name, learner in of_means.items()}
    alone = {name: unseen(models) for name, models in fitted.items()}
    mixed = _mixed_means(list(fitted.values()), np.stack(list(alone.values())), outcome, arm)
    mean, of_mixed = unseen(mixed), EffectEnsemble("t", k, mixed)
    score = doubly_robust(outcome, arm, mean, propensity)
    ensembles = [EffectEnsemble("t", k, models) for models in fitted.values()]
    names = [("t", name) for name in fitted]
    found = [each[:, 1:] - each[:, :1] for each in alone.values()]
    first = next(iter(of_means))
    if len(fitted) > 1:
        ensembles.append(of_mixed)
        names.append(("t", "mixed"))
        found.append(mean[:, 1:] - mean[:, :1])
    single = means_by("s", of_means[first])
    ensembles.append(EffectEnsemble("s", k, single))
    names.append(("s", first))
    found.append((both := unseen(single))[:, 1:] - both[:, :1])
    for method, name, learner in [
        ("x", *next(iter(of_effects.items()))),
        *(("dr", *item) for item in of_effects.items()),
    ]:
        options = {"estimator": learner, "binary": False, "random_state": random_state}
        effect, models = np.empty_like(score), []
        for own, base in zip(steps(fold_rows, "cross-fitting", progress), mixed, strict=True):
            seen = np.flatnonzero(~own)
            if method == "x":
                # Every fold's trees are asked anew for it, of more rows than its learner needs.
                seen = seen[:: -(-seen.size // _IMPUTED)]
            guess = base.mean(matrix[seen], k) if method == "x" else mean[seen]
            rows = (matrix[seen], outcome[seen], arm[seen], guess, score[seen])
            models.append(FoldModels([], False, fit_fold_effects(method, *rows, options)))
            effect[own] = models[-1].effect(matrix[own], propensity[own])
        ensembles.append(EffectEnsemble(method, k, models))
        names.append((method, name))
        found.append(effect)
    effect, weights = _mixed_effects(np.stack(found), score, folds)
    tried = [
        Tried(*name, extra_loss(one, score), weight)
        for name, one, weight in zip(names, found, weights, strict=True)
    ]
    used = np.flatnonzero(weights.max(axis=1) > 0)
    mixture = EffectMixture(
        [ensembles[c] for c in used],
        weights[used],
        score.mean(axis=0),
        of_mixed,
    )
    return mixture, CrossFittedEffects(effect, mean, score), tried


def extra_loss(effect: Floats, score: Floats) -> Floats:
    """Return the mean squared distance of effects (n, k) from scores, less the average's, (k,)."""
    from_average = np.mean((score - score.mean(axis=0)) ** 2, axis=0)
    return np.asarray(np.mean((score - effect) ** 2, axis=0) - from_average)


def _mixed_means(
    fitted: list[list[FoldModels]], unseen: Floats, outcome: Floats, arm: Ints
) -> list[FoldModels]:
    """Mix the learners (l) of each arm's mean by their errors out of fold, (l, n, k + 1)."""
    weights = []
    for a in range(unseen.shape[2]):
        own = arm == a
        each = unseen[:, own, a]
        weights.append(_weights(each @ each.T, each @ outcome[own], own=0.0))
    return [
        FoldModels(
            [
                MixedMean(
                    [one.means[a] for one, w in zip(models, part, strict=True) if w > 0],
                    part[part > 0].tolist(),
                )
                for a, part in enumerate(weights)
            ],
            False,
            [],
        )
        for models in zip(*fitted, strict=True)
    ]


def _mixed_effects(found: Floats, score: Floats, folds: Ints) -> tuple[Floats, Floats]:
    """Return effects out of fold (n, k), mixed by weights of other folds, and all rows' weights.

    `found` (c, n, k) are effects out of fold; what the weights (c, k) leave is the average's.
    """
    c, _, k = found.shape
    effect, weights = np.empty_like(score), np.zeros((c, k))
    of_fold = [folds == fold for fold in range(int(folds.max()) + 1)]
    for a in range(k):
        sums = np.array([[score[own, a].sum(), own.sum()] for own in of_fold])
        total = sums.sum(axis=0)
        others = (total - sums) / (total - sums)[:, 1:]
        average = others[folds, 0]
        each = np.vstack([found[:, :, a] - average, np.zeros(score.shape[0])])
        away = score[:, a] - average
        parts = [(each[:, own] @ each[:, own].T, each[:, own] @ away[own]) for own in of_fold]
        gram, cross = (np.sum([part[i] for part in parts], axis=0) for i in (0, 1))
        weights[:, a] = _weights(gram, cross, own=_OWN)[:-1]
        for own, part in zip(of_fold, parts, strict=True):
            others_weights = _weights(gram - part[0], cross - part[1], own=_OWN)
            effect[own, a] = average[own] + others_weights @ each[:, own]
    return effect, weights


def _weights(gram: Floats, cross: Floats, *, own: float) -> Floats:
    """Return the weights w >= 0 that add up to 1 and minimise the loss of a mixture, (c,).

    Of squared errors, from products among parts (c, c) and with the target (c,): 1 - `own` times
    the mixture's and `own` times what the weighted parts lose alone (Lecué and Rigollet 2014).
    """
    from scipy import optimize

    scale = max(float(np.trace(gram)), 1e-300)
    gram, cross = gram / scale, cross / scale
    target = cross - own / 2 * np.diag(gram)
    # A tiny ridge settles parts that are equal; a heavy row makes the weights add up to 1.
    lower = np.linalg.cholesky((1 - own) * gram + 1e-9 * np.eye(cross.size))
    rows = np.vstack([lower.T, np.full(cross.size, 1e3)])
    found, _ = optimize.nnls(rows, np.r_[np.linalg.solve(lower, target), 1e3])
    found[found < 1e-3] = 0.0
    return np.asarray(found / found.sum())
