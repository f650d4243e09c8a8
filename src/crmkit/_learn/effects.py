"""Learn what a treatment changes: effect learners, cross-fitted; shared by response and churn."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from crmkit._checks import random_generator
from crmkit._estimator import json_part
from crmkit._learn.means import MeanModel, fit_mean
from crmkit._progress import steps

if TYPE_CHECKING:
    from crmkit._typing import Floats, Ints


__all__ = [
    "CrossFittedEffects",
    "EffectEnsemble",
    "EffectMethod",
    "FoldModels",
    "deal_folds",
    "doubly_robust",
    "fit_arm_means",
    "fit_effects",
    "fit_fold_effects",
]

EffectMethod = Literal["auto", "dr", "t", "s", "x"]


@dataclass(frozen=True, slots=True)
class CrossFittedEffects:
    """What models that have not seen a row say about it; k treatments against one control.

    ``effect`` (n, k), ``mean`` (n, k + 1) the expected outcome under control and treatments,
    ``score`` (n, k) the doubly robust score, whose mean is the average effect.
    """

    effect: Floats
    mean: Floats
    score: Floats


@json_part
@dataclass(frozen=True, slots=True)
class FoldModels:
    """What is fitted with one part left out: the outcome's means, and on that part the effects.

    ``means`` are one model per arm or, for "s", one with the arm as a feature, whose products with
    all features enter too if it is ``crossed``. ``effects`` are, per treatment, one model of the
    scores or two of the effects imputed for the treated and for the control group.
    """

    means: list[MeanModel]
    crossed: bool
    effects: list[list[MeanModel]]

    def mean(self, matrix: Floats, k: int) -> Floats:
        """Return the mean outcome under control and k treatments, shape (n, k + 1)."""
        if len(self.means) > 1:
            return np.column_stack([model.mean(matrix) for model in self.means])
        arms = [np.full(len(matrix), a, dtype=np.int64) for a in range(k + 1)]
        rows = [_with_arm(matrix, arm, k, crossed=self.crossed) for arm in arms]
        return np.column_stack([self.means[0].mean(one) for one in rows])

    def effect(self, matrix: Floats, propensity: Floats) -> Floats:
        """Return the effects of the treatments, shape (n, k)."""
        columns = []
        for a, models in enumerate(self.effects, start=1):
            found = [model.mean(matrix) for model in models]
            if len(found) == 1:
                columns.append(found[0])
                continue
            on_treated, on_control = found
            weight = propensity[:, a] / (propensity[:, a] + propensity[:, 0])
            columns.append(weight * on_control + (1 - weight) * on_treated)
        return np.column_stack(columns)


@json_part
@dataclass(frozen=True, slots=True)
class EffectEnsemble:
    """One effect model per fold; their predictions are averaged."""

    method: str
    n_treatments: int
    folds: list[FoldModels]

    def predict(self, matrix: Floats, propensity: Floats) -> tuple[Floats, Floats]:
        """Return effects (n, k) and means under all arms (n, k + 1)."""
        mean = self.mean(matrix)
        if self.method in ("t", "s"):
            return mean[:, 1:] - mean[:, :1], mean
        return self.effect(matrix, propensity), mean

    def mean(self, matrix: Floats) -> Floats:
        """Return means under all arms (n, k + 1)."""
        mean = np.zeros((len(matrix), self.n_treatments + 1))
        for fold in self.folds:
            mean += fold.mean(matrix, self.n_treatments) / len(self.folds)
        return mean

    def effect(self, matrix: Floats, propensity: Floats) -> Floats:
        """Return effects (n, k)."""
        if self.method in ("t", "s"):
            mean = self.mean(matrix)
            return np.asarray(mean[:, 1:] - mean[:, :1])
        effect = np.zeros((len(matrix), self.n_treatments))
        for fold in self.folds:
            effect += fold.effect(matrix, propensity) / len(self.folds)
        return effect


def fit_effects(
    matrix: Floats,
    outcome: Floats,
    arm: Ints,
    propensity: Floats,
    *,
    method: str,
    estimator: Any = None,
    effect_estimator: Any = None,
    n_folds: int = 5,
    random_state: int | None = None,
    progress: bool = False,
) -> tuple[EffectEnsemble, CrossFittedEffects]:
    """Fit effects of treatments 1 .. k against control, arm 0, on features (n, p).

    `propensity` (n, k + 1) are the chances of each arm. ``t`` fits the mean of each arm, ``s``
    one mean with the arm as a feature, ``x`` regresses imputed effects (Künzel et al. 2019,
    eq. 8-9) and ``dr`` regresses doubly robust scores (Kennedy 2023, algorithm 1). `estimator`
    learns means, `effect_estimator` effects; by default a logistic or ridge regression. Rows
    must come in an order of their own (that of the ids); folds are dealt out within arm and
    outcome.

    Means are fitted without a fold and give the scores of that fold, on which "dr" fits its
    effects: the two never share a row. The effect of a row is the average over the models of the
    other folds, so every row costs one fit of each kind; their scores hang on means that saw the
    row, whose errors have no first-order effect on them. Imputed effects have no such shield: "x"
    imputes without the fold, too, each arm by the mean of the other.
    """
    binary = bool(((outcome == 0) | (outcome == 1)).all())
    k = propensity.shape[1] - 1
    folds = deal_folds(arm, outcome, n_folds, random_state)
    fitted: list[FoldModels] = []
    mean = np.empty((outcome.size, k + 1))
    for fold in steps(range(n_folds), "cross-fitting", progress):
        train = folds != fold
        models = fit_arm_means(
            method,
            matrix[train],
            outcome[train],
            arm[train],
            k,
            {"estimator": estimator, "binary": binary, "random_state": random_state},
        )
        fitted.append(models)
        mean[~train] = models.mean(matrix[~train], k)
    score = doubly_robust(outcome, arm, mean, propensity)
    if method in ("t", "s"):
        effect = mean[:, 1:] - mean[:, :1]
    else:
        learner = {"estimator": effect_estimator, "binary": False, "random_state": random_state}
        effect = np.zeros((outcome.size, k))
        for fold in steps(range(n_folds), "cross-fitting", progress):
            own = folds == fold
            learned = own if method == "dr" else ~own
            guess = mean[own] if method == "dr" else fitted[fold].mean(matrix[~own], k)
            rows = (matrix[learned], outcome[learned], arm[learned], guess, score[learned])
            models = replace(fitted[fold], effects=fit_fold_effects(method, *rows, learner))
            fitted[fold] = models
            found = models.effect(matrix[~learned], propensity[~learned])
            effect[~learned] += found / (n_folds - 1) if method == "dr" else found
    return EffectEnsemble(method, k, fitted), CrossFittedEffects(effect, mean, score)


def doubly_robust(outcome: Floats, arm: Ints, mean: Floats, propensity: Floats) -> Floats:
    """Return the scores mu_a - mu_0 + 1[a](y - mu_a) / e_a - 1[0](y - mu_0) / e_0, (n, k).

    Robins, Rotnitzky and Zhao (1994), J. Am. Stat. Assoc. 89, 846: right on average if either
    the means or the chances are.
    """
    at = np.arange(outcome.size)
    own = mean.copy()
    own[at, arm] += (outcome - mean[at, arm]) / propensity[at, arm]
    return np.asarray(own[:, 1:] - own[:, :1])


def deal_folds(arm: Ints, outcome: Floats, n_folds: int, seed: int | None) -> Ints:
    """Return a fold per row, dealt out within arm and within outcomes of 0 and others, (n,)."""
    drawn = random_generator(seed, fixed=0).permutation(outcome.size)
    place = np.empty(outcome.size, dtype=np.int64)
    place[np.lexsort((drawn, outcome != 0, arm))] = np.arange(outcome.size)
    return np.asarray(place % n_folds, dtype=np.int64)


def fit_arm_means(
    method: str, matrix: Floats, outcome: Floats, arm: Ints, k: int, learner: dict[str, Any]
) -> FoldModels:
    """Fit the mean outcome: one model with the arm as feature, or one model per arm."""
    if method == "s":
        crossed = learner["estimator"] is None
        rows = _with_arm(matrix, arm, k, crossed=crossed)
        return FoldModels([fit_mean(rows, outcome, **learner)], crossed, [])
    arms = [arm == a for a in range(k + 1)]
    return FoldModels([fit_mean(matrix[a], outcome[a], **learner) for a in arms], False, [])


def _with_arm(matrix: Floats, arm: Ints, k: int, *, crossed: bool) -> Floats:
    """Append one column per treatment and, for linear learners, its products with all features.

    Without the products a linear model has the same effect, on its own scale, for everyone.
    """
    parts = [matrix]
    for a in range(1, k + 1):
        mark = (arm == a).astype(np.float64)[:, None]
        parts.append(mark)
        if crossed:
            parts.append(matrix * mark)
    return np.concatenate(parts, axis=1)


def fit_fold_effects(
    method: str,
    matrix: Floats,
    outcome: Floats,
    arm: Ints,
    mean: Floats,
    score: Floats,
    learner: dict[str, Any],
) -> list[list[MeanModel]]:
    """Fit the effect of each treatment: on scores, or on imputed effects of either arm."""
    if method == "dr":
        return [[fit_mean(matrix, score[:, a], **learner)] for a in range(score.shape[1])]
    found = []
    for a in range(1, mean.shape[1]):
        treated, control = arm == a, arm == 0
        on_treated = outcome[treated] - mean[treated, 0]
        on_control = mean[control, a] - outcome[control]
        found.append(
            [
                fit_mean(matrix[treated], on_treated, **learner),
                fit_mean(matrix[control], on_control, **learner),
            ]
        )
    return found
