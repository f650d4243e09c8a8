"""Models of groups, each on its own, or with what the other groups say as its prior."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._arrays import normal_quantile
from crmkit._checks import check_optional, listed
from crmkit.clv._math.pooling import Groups
from crmkit.clv._math.prior import from_scale
from crmkit.clv._model.priors import prior_of
from crmkit.clv._model.rows import standardised
from crmkit.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from crmkit._typing import Floats
    from crmkit.clv._math.prior import Prior, Scale
    from crmkit.clv._model.base import LikelihoodModel

__all__ = ["fit_each", "fit_pooled"]

_FEWEST = 4
# Deviations between groups are thought to be a quarter of what is thought possible of a base.
_ALIKE = 0.25
_ROUNDS, _SETTLED = 8, 0.02


def fit_each(
    model: LikelihoodModel,
    groups: Sequence[pd.DataFrame],
    labels: pd.DataFrame,
    weights: str | None,
    *,
    priors: Sequence[Any] | None = None,
    **parameters: Any,
) -> list[Any]:
    """Return a copy of the model fitted to each group, with a prior of its own if given."""
    from sklearn.base import clone

    # With the same seed the draws of the groups would move together.
    seed = check_optional(model.random_state, "random_state")
    seeds = None if seed is None else np.random.SeedSequence(seed).generate_state(len(groups))
    fitted = []
    for number, table in enumerate(groups):
        one = clone(model).set_params(**parameters)
        if seeds is not None:
            one.set_params(random_state=int(seeds[number]))
        if priors is not None:
            one.set_params(prior=priors[number])
        try:
            fitted.append(one.fit(table, weights=weights))
        except InputError as error:
            row = labels.iloc[[number]].to_dict("records")[0]
            name = ", ".join(f"{column}={value!r}" for column, value in row.items())
            raise type(error)(f"In the group {name}: {error}") from error
    return fitted


def fit_pooled(
    model: LikelihoodModel,
    groups: Sequence[pd.DataFrame],
    labels: pd.DataFrame,
    weights: str | None,
) -> tuple[list[Any], pd.DataFrame]:
    """Return a model for each group, and how their quantities are distributed.

    Where the likelihood is taken for normal changes with the priors that it leads to, so that the
    groups are fitted until these settle.
    """
    _check(model, len(groups))
    given = model, groups, labels, weights
    weak = "weak" if model.prior is None else model.prior
    models = fit_each(*given, priors=[weak] * len(groups), n_draws=0)
    _same_terms(models, labels)
    most = max(models, key=lambda one: len(one._law.names))
    if len({one._law.names for one in models}) > 1:
        # Only in some groups was anything returned; the others have those parameters too.
        tables = [_joined(one.prior_, most.prior_) for one in models]
        models = fit_each(*given, priors=tables, n_draws=0)
    start = [_prior(one) for one in models]
    common = [np.mean([getattr(one, of) for one in start], axis=0) for of in ("mean", "deviation")]
    scales = {quantity.name: quantity.scale for quantity in most._law.quantities}
    scales = {term: scales.get(term, "plain") for term in models[0].prior_["term"]}
    centre = [_centred(one, table, weights) for one, table in zip(models, groups, strict=True)]
    tables, before = [], common[0]
    for _ in range(_ROUNDS):
        found = _groups(models, centre, *common)
        mean, deviation = found.said_of_each(found.between())
        tables = [_table(scales, *one) for one in zip(mean, deviation, strict=True)]
        if (np.abs(mean - before) < _SETTLED * deviation).all():
            break
        models, before = fit_each(*given, priors=tables[:-1], n_draws=0), mean
    return fit_each(*given, priors=tables[:-1]), tables[-1]


def _check(model: LikelihoodModel, n_groups: int) -> None:
    """Refuse what cannot be pooled."""
    if n_groups < _FEWEST:
        raise InputError(
            f"`pooling` needs {_FEWEST} or more groups to learn from how much they differ; `by` "
            f"makes {n_groups}. Take one model for all, or pooling=False."
        )
    if model.tie:
        raise InputError(
            "`pooling` holds no terms equal: give a `model` without `tie`, or take pooling=False."
        )


def _same_terms(models: Sequence[Any], labels: pd.DataFrame) -> None:
    """Refuse groups in which a covariate of text has other values than elsewhere."""
    effects = [set(model._terms()) - set(model._law.names) for model in models]
    for number, found in enumerate(effects):
        strange = sorted(found ^ effects[0])
        if strange:
            raise InputError(
                "`pooling` compares the same effects in every group, but of "
                f"{labels.iloc[0].to_dict()} and {labels.iloc[number].to_dict()} only one has "
                f"{listed(strange)}: join rare values of the covariate, or take pooling=False."
            )


def _joined(prior: pd.DataFrame, other: pd.DataFrame) -> pd.DataFrame:
    """Return a prior with what another has besides."""
    return pd.concat([prior, other[~other["term"].isin(prior["term"])]], ignore_index=True)


def _centred(model: Any, table: pd.DataFrame, weights: str | None) -> Floats:
    """Return what turns coefficients into those of covariates less their means in the group."""
    rows = model._usable(model._rows(table, weights)[1])
    spread, n_names = np.ones(len(model._terms())), len(model._law.names)
    back = standardised(rows, spread, n_names, center=True)[1]
    return np.asarray(np.linalg.inv(back), dtype=np.float64)


def _prior(model: Any) -> Prior:
    """Return the prior that a model was fitted with, which is of centred coefficients."""
    law, n_terms = model._law, len(model._terms())
    about = model.prior_, law.quantities, law.names
    shift, spread = np.zeros(n_terms), np.ones(n_terms)
    return prior_of(*about, shift=shift, spread=spread, offsets=law.offsets())


def _groups(
    models: Sequence[Any], centre: Sequence[Floats], mean: Floats, deviation: Floats
) -> Groups:
    """Return what the data alone, without the priors, say about the quantities of each group."""
    information, slope = [], []
    for model, centred in zip(models, centre, strict=True):
        prior, at = _prior(model), centred @ model.coefficients_
        slopes = prior.slopes(at) @ centred
        spread = slopes @ model.coefficient_covariance_ @ slopes.T
        # In units of the prior: what is not above 1 the data do not tell.
        units = np.outer(prior.deviation, prior.deviation)
        values, axes = np.linalg.eigh(np.linalg.inv(spread / units))
        known = (axes * np.maximum(values - 1.0, 0.0)) @ axes.T / units
        off = prior.quantities(at) - prior.mean
        information.append(known)
        slope.append(known @ prior.quantities(at) + off / prior.deviation**2)
    return Groups(np.array(information), np.array(slope), mean, deviation, _ALIKE * deviation)


def _table(scales: Mapping[str, Scale], mean: Floats, deviation: Floats) -> pd.DataFrame:
    """Return normals of the quantities as a prior, with what is typical."""
    width = normal_quantile(0.95) * deviation
    ends = [
        sorted(float(from_scale(end, scale)) for end in (m - w, m + w))
        for scale, m, w in zip(scales.values(), mean, width, strict=True)
    ]
    low, high = np.array(ends).T
    told = zip(scales.values(), mean, strict=True)
    typical = [float(from_scale(m, scale)) for scale, m in told]
    return pd.DataFrame({"term": list(scales), "typical": typical, "low": low, "high": high})
