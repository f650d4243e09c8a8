"""One base for models that tell what a treatment changes, customer by customer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import pandas as pd

from crmkit._arguments import check_column, check_mapping, columns_named
from crmkit._arrays import normal_quantile
from crmkit._checks import check_choice, check_number
from crmkit._estimator import Model
from crmkit._frames import read_customers, sorted_codes
from crmkit._learn.classifier import check_estimator
from crmkit._learn.columns import judged_columns, late_columns
from crmkit._learn.effect_choice import EffectMixture, Tried, choose_effects, extra_loss
from crmkit._learn.effect_drivers import drivers_table
from crmkit._learn.effect_line import EffectCurve, EffectLine, effect_curve, effect_line
from crmkit._learn.effects import EffectEnsemble, EffectMethod, fit_effects
from crmkit._learn.encoder import FeatureEncoder
from crmkit._learn.outcomes import read_arms, read_outcome
from crmkit._learn.propensity import Propensity, learn_propensity
from crmkit._learn.seen import SeenRows, in_sample
from crmkit.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from crmkit._typing import Floats, Ints


__all__ = ["EffectModel"]


class EffectModel(Model):
    """Base of models that learn effects from customers of whom some were left alone.

    A subclass says whether its outcome is a yes or no, and gives its names for outcome and arm.
    """

    _not_saved: ClassVar[tuple[str, ...]] = ("scores_", "_seen_")
    _binary: ClassVar[bool] = False

    columns_: pd.DataFrame
    ensemble_: EffectEnsemble | EffectMixture
    effects_: pd.DataFrame
    drivers_: pd.DataFrame
    methods_: pd.DataFrame
    scores_: pd.DataFrame
    account_: dict[str, int]
    _encoder_: FeatureEncoder
    _propensity_: Propensity
    _lines_: list[EffectLine]
    _curves_: list[EffectCurve]
    _treatments_: list[Any]

    def __init__(
        self,
        *,
        method: EffectMethod = "auto",
        estimator: Any = None,
        effect_estimator: Any = None,
        propensity: str | Mapping[Any, str] = "randomised",
        n_folds: int = 5,
        random_state: int | None = None,
    ) -> None:
        self.method = method
        self.estimator = estimator
        self.effect_estimator = effect_estimator
        self.propensity = propensity
        self.n_folds = n_folds
        self.random_state = random_state

    def _fit(
        self,
        customers: Any,
        *,
        outcome: str,
        treated: str,
        control: Any,
        columns: Sequence[str] | None,
        progress: bool,
    ) -> Self:
        """Learn from customers of whom some, but not all, were treated."""
        check_choice(self.method, "method", EffectMethod)
        check_estimator(self.estimator, "estimator")
        check_estimator(self.effect_estimator, "effect_estimator")
        n_folds = check_number(self.n_folds, "n_folds")
        given = read_customers(customers, needs=columns_named(outcome=outcome, treated=treated))
        values = read_outcome(given, outcome, binary=self._binary)
        arms = read_arms(given, treated, control)
        known = np.flatnonzero(np.isfinite(values) & (arms.code >= 0))
        # In the order of the ids, so that sums are the same for any order of the rows.
        order = known[np.argsort(sorted_codes(given["customer_id"])[0][known], kind="stable")]
        people = given.iloc[order].reset_index(drop=True)
        result, arm = values[order], arms.code[order]
        counts = np.bincount(arm, minlength=len(arms.treatments) + 1)
        _check_arms(counts, treated, 2 * n_folds)
        exclude = [outcome, treated, *_named(self.propensity)]
        encoder = FeatureEncoder(columns=columns, exclude=exclude).fit(people)
        looked, late = encoder.looked_at(people), []
        if columns is None:
            drawn = arm if self.propensity == "randomised" else None
            late = late_columns(people, looked, _as_yes(result), drawn)
        if late:
            encoder = FeatureEncoder(exclude=[*exclude, *late]).fit(people)
        matrix = encoder.transform(people)
        propensity, chance = learn_propensity(
            self.propensity, people, matrix, arm, arms.treatments, encoder.feature_names
        )
        options: dict[str, Any] = {
            "estimator": self.estimator,
            "effect_estimator": self.effect_estimator,
            "n_folds": n_folds,
            "random_state": self.random_state,
            "progress": progress,
        }
        data = (matrix, result, arm, chance)
        if self.method == "auto":
            self.ensemble_, fitted, tried = choose_effects(*data, **options)
        else:
            self.ensemble_, fitted = fit_effects(*data, method=self.method, **options)
            loss = extra_loss(fitted.effect, fitted.score)
            name = "linear" if self.estimator is None else "given"
            tried = [Tried(self.method, name, loss, np.ones(loss.size))]
        columns_of = list(zip(fitted.effect.T, fitted.score.T, strict=True))
        self._lines_ = [effect_line(effect, score) for effect, score in columns_of]
        self._curves_ = [effect_curve(effect, score) for effect, score in columns_of]
        self._encoder_, self._propensity_ = encoder, propensity
        self.columns_ = judged_columns(
            people,
            looked,
            encoder.terms,
            _as_yes(result),
            outcome,
            certain_is_suspect=True,
            warn=columns is None,
            late=late,
        )
        self._treatments_ = list(arms.treatments)
        told = np.isfinite(values)
        self.account_ = {
            "rows": values.size,
            "without_outcome": values.size - int(told.sum()),
            "in_no_arm": int((told & (arms.code < 0)).sum()),
        }
        self.effects_ = _effects_table(self._treatments_, self._lines_, counts)
        self.methods_ = _methods_table(self._treatments_, tried)
        self.drivers_ = drivers_table(
            people,
            encoder,
            matrix,
            fitted.score,
            lambda rows, features: self.ensemble_.predict(features, chance[rows])[0],
            self._treatments_,
        )
        self._seen_ = SeenRows.of(people, matrix)
        rows = np.argsort(order)
        self.scores_ = self._scores(
            people["customer_id"].iloc[rows].reset_index(drop=True),
            fitted.effect[rows],
            fitted.mean[rows, 0],
            np.zeros(rows.size, dtype=bool),
            0.95,
        )
        return self

    def _predict(self, customers: Any, confidence_level: float) -> pd.DataFrame:
        """Estimate what each treatment changes, and mark whose very rows were learned from."""
        self._check_fitted()
        level = check_number(confidence_level, "confidence_level")
        people = read_customers(customers)
        matrix = self._encoder_.transform(people)
        chance = self._propensity_.chances(people, matrix)
        effect, mean = self.ensemble_.predict(matrix, chance)
        seen = in_sample(vars(self).get("_seen_"), people, matrix)
        return self._scores(people["customer_id"], effect, mean[:, 0], seen, level)

    def _scores(
        self, ids: pd.Series[Any], effect: Floats, control: Floats, seen: Any, level: float
    ) -> pd.DataFrame:
        """Return one row per customer and treatment."""
        z = normal_quantile(level)
        k = len(self._treatments_)
        uplift = np.column_stack([x.at(effect[:, a])[0] for a, x in enumerate(self._lines_)])
        found = [curve.at(effect[:, a]) for a, curve in enumerate(self._curves_)]
        middle, error = (np.column_stack(part) for part in zip(*found, strict=True))
        if isinstance(self.ensemble_, EffectMixture):
            # Folds mix differently. Curve and line see the same estimates and err by about what
            # they differ by, of which the curve's own error knows nothing.
            error = np.hypot(error, (middle - uplift) / 2)
        # An interval that leaves out the very estimate beside it would be read as a mistake.
        low, high = np.minimum(middle - z * error, uplift), np.maximum(middle + z * error, uplift)
        rows = np.repeat(np.arange(len(ids)), k)
        names = pd.Series(self._treatments_).take(np.tile(np.arange(k), len(ids)))
        return pd.DataFrame(
            {
                "customer_id": ids.iloc[rows].reset_index(drop=True),
                "treatment": names.to_numpy(),
                "expected_control": control[rows],
                "uplift": uplift.ravel(),
                "std_error": error.ravel(),
                "conf_low": low.ravel(),
                "conf_high": high.ravel(),
                "in_sample": seen[rows],
            }
        )


def _check_arms(counts: Ints, treated: str, least: int) -> None:
    """Refuse arms too small for cross-fitting."""
    if counts.min() < least:
        raise InputError(
            f"`customers`: column {treated!r} has an arm of {counts.min()} customers; "
            f"cross-fitting needs at least {least} in each. Leave the arm out, lower `n_folds` or "
            "wait for more."
        )


def _as_yes(outcome: Floats) -> Floats:
    """Return an outcome as a yes or no: whether there was any or, of all, more than usual."""
    limit = 0.0 if (outcome == 0).any() else float(np.median(outcome))
    return (outcome > limit).astype(np.float64)


def _named(propensity: str | Mapping[Any, str]) -> list[str]:
    """Return the columns that hold chances, which are no features."""
    if isinstance(propensity, str):
        return [check_column(propensity, "propensity")]
    chances = check_mapping(propensity, "propensity", "treatments to columns")
    return [check_column(column, "propensity") for column in chances.values()]


def _effects_table(treatments: list[Any], lines: list[EffectLine], counts: Ints) -> pd.DataFrame:
    """Return average effects, and how much of the estimates' spread is confirmed."""
    z = normal_quantile(0.95)
    average = np.array([line.average for line in lines])
    error = np.sqrt([line.variances[0] for line in lines])
    return pd.DataFrame(
        {
            "treatment": treatments,
            "customers_treated": counts[1:],
            "customers_control": counts[0],
            "average_uplift": average,
            "std_error": error,
            "conf_low": average - z * error,
            "conf_high": average + z * error,
            "slope": [line.raw_slope for line in lines],
            "slope_std_error": np.sqrt([line.variances[1] for line in lines]),
        }
    )


def _methods_table(treatments: list[Any], tried: list[Tried]) -> pd.DataFrame:
    """Return what was tried for each treatment, what it loses and its part in the estimates."""
    rest = 1 - np.sum([one.weight for one in tried], axis=0)
    every = [*tried, Tried("average", "none", np.zeros(rest.size), np.maximum(rest, 0.0))]
    rows = [
        (treatment, one.method, one.learner, one.loss[a], one.weight[a])
        for a, treatment in enumerate(treatments)
        for one in every
    ]
    names = ["treatment", "method", "learner", "extra_loss", "weight"]
    return pd.DataFrame(rows, columns=names)
