"""Fit any scikit-learn classifier and score customers it has not seen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from crmkit._checks import check_number, check_optional, quoted, random_generator
from crmkit._progress import steps
from crmkit.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from crmkit._typing import Floats, Ints


__all__ = [
    "check_estimator",
    "classifier_from_state",
    "classifier_state",
    "cross_fitted_scores",
    "customer_folds",
    "default_classifier",
    "fit_classifier",
    "positive_score",
    "seeded",
]

# Parts that days are dealt into: fits grow with folds, not with days, and cost about as much as
# folds alone, as each learns from fewer rows.
_PARTS = 2


def default_classifier(random_state: int | None = None) -> Any:
    """Return an L2 logistic regression: calibrated by itself, stable, quick on a million rows."""
    from sklearn.linear_model import LogisticRegression

    # Newton's steps settle in a handful of passes, to the last digits, even where indicator
    # columns add up to one another; limited-memory solvers crawl there.
    return LogisticRegression(
        C=1.0, solver="newton-cholesky", tol=1e-6, max_iter=200, random_state=random_state
    )


def check_estimator(estimator: Any, name: str, *, kind: str = "estimator") -> None:
    """Refuse what scikit-learn could not clone and fit; None stands for the default."""
    usable = hasattr(estimator, "fit") and hasattr(estimator, "get_params")
    if estimator is not None and (isinstance(estimator, type) or not usable):
        raise InputError(f"`{name}` must be a scikit-learn {kind}; got {quoted(estimator)}.")


def seeded(estimator: Any, random_state: int | None, *, kind: str = "estimator") -> Any:
    """Return a fresh copy of a scikit-learn estimator, every `random_state` of None in it set."""
    from sklearn.base import clone

    check_estimator(estimator, "estimator", kind=kind)
    fresh = clone(estimator)
    if random_state is not None:
        unset = {
            key: random_state
            for key, value in fresh.get_params(deep=True).items()
            if key.split("__")[-1] == "random_state" and value is None
        }
        fresh.set_params(**unset)
    return fresh


def fit_classifier(
    estimator: Any,
    matrix: Floats,
    outcome: Floats,
    *,
    weight: Floats | None = None,
    random_state: int | None = None,
) -> Any:
    """Fit a clone of `estimator` (None: the default) on features (n, p) and outcomes (n,) 0 or 1.

    Where the estimator has a `random_state` of None, it is given this one; a `weight`, shape
    (n,), only if there is one.
    """
    random_state = check_optional(random_state, "random_state")
    if estimator is None:
        estimator = default_classifier(random_state)
    fresh = seeded(estimator, random_state, kind="classifier")
    if weight is None:
        fresh.fit(matrix, outcome.astype(np.int64))
    else:
        from sklearn.utils.validation import has_fit_parameter

        if not has_fit_parameter(fresh, "sample_weight"):
            raise InputError(f"`estimator` takes no weights; got {quoted(estimator)}.")
        fresh.fit(matrix, outcome.astype(np.int64), sample_weight=weight)
    if not hasattr(fresh, "predict_proba") and not hasattr(fresh, "decision_function"):
        raise InputError(
            f"`estimator` must be a classifier with `predict_proba` or `decision_function`; "
            f"got {quoted(estimator)}."
        )
    return fresh


def positive_score(fitted: Any, matrix: Floats) -> Floats:
    """Return the probability of outcome 1, shape (n,); of a bare margin, its logistic value."""
    if hasattr(fitted, "predict_proba"):
        return np.asarray(fitted.predict_proba(matrix), dtype=np.float64)[:, 1]
    from scipy import special

    return np.asarray(special.expit(fitted.decision_function(matrix)), dtype=np.float64)


def customer_folds(groups: ArrayLike, outcome: ArrayLike, n_folds: int, seed: int | None) -> Ints:
    """Return a fold 0 .. k - 1 per row, all rows of a customer in one fold, shape (n,).

    `groups` are codes whose order is the customers' order, so the order of rows has no say.
    Customers with and without an outcome are dealt out apart, so that every fold has both; k is
    lowered where there are fewer than `n_folds` of either.
    """
    distinct, codes = np.unique(np.asarray(groups), return_inverse=True)
    ever = np.bincount(codes, weights=np.asarray(outcome, np.float64), minlength=distinct.size) > 0
    rarer = int(min(ever.sum(), distinct.size - ever.sum()))
    if rarer == 0:
        # Snapshots: every customer may have had the outcome once; deal by customer alone.
        rarer, ever = distinct.size, np.zeros(distinct.size, dtype=bool)
    k = min(n_folds, rarer)
    if k < 2:
        raise InputError(
            "Scores for unseen customers need at least two customers with the outcome and two "
            "without; give more customers or a longer horizon."
        )
    drawn = random_generator(seed, fixed=0).permutation(distinct.size)
    place = np.empty(distinct.size, dtype=np.int64)
    place[np.lexsort((drawn, ever))] = np.arange(distinct.size)
    return np.asarray((place % k)[codes], dtype=np.int64)


def cross_fitted_scores(
    estimator: Any,
    matrix: Floats,
    outcome: Floats,
    *,
    groups: ArrayLike | None = None,
    times: ArrayLike | None = None,
    n_folds: int = 5,
    random_state: int | None = None,
    progress: bool = False,
) -> Floats:
    """Score every row, shape (n,), by a model that has seen no row of the same group or time.

    `groups` (default: each row its own) are customer codes in the customers' order; see
    ``customer_folds``. With `times`, codes of the snapshots' days, rows of the same day are left
    out too where there are several: each second day is scored by models of the days between. With
    `random_state` None the folds are fixed.
    """
    n_folds = check_number(n_folds, "n_folds")
    if outcome.min() == outcome.max():
        raise InputError(
            f"The outcome is {outcome[0]:g} in every row, so there is nothing to learn; give "
            "customers with the outcome and customers without it."
        )
    groups = np.arange(len(outcome)) if groups is None else groups
    folds = customer_folds(groups, outcome, n_folds, random_state)
    times = np.zeros(len(outcome)) if times is None else times
    days = np.unique(times, return_inverse=True)[1] % _PARTS
    distinct = np.unique(days)
    cells = [(fold, day) for fold in range(int(folds.max()) + 1) for day in distinct]
    scores = np.empty(len(outcome))
    for fold, day in steps(cells, "cross-fitting", progress):
        held_out = (folds == fold) & (days == day)
        if not held_out.any():
            continue
        seen = folds != fold
        if distinct.size > 1:
            seen &= days != day
        train = outcome[seen]
        if not train.size or train.min() == train.max():
            raise InputError(
                "Cross-fitting met a part without both outcomes; give more customers or lower "
                "`n_folds`."
            )
        fitted = fit_classifier(estimator, matrix[seen], train, random_state=random_state)
        scores[held_out] = positive_score(fitted, matrix[held_out])
    return scores


def classifier_state(fitted: Any) -> dict[str, Any]:
    """Return a fitted logistic regression as numbers; other estimators cannot be saved as JSON."""
    from sklearn.linear_model import LogisticRegression

    if type(fitted) is not LogisticRegression:
        raise InputError(
            f"Only models with the default estimator can be saved as JSON; this one holds "
            f"{type(fitted).__name__}. Keep the training table and fit again, or use pickle or "
            "skops for files you trust."
        )
    return {
        "coef": np.asarray(fitted.coef_, dtype=np.float64).ravel().tolist(),
        "intercept": float(fitted.intercept_[0]),
        "random_state": fitted.random_state,
    }


def classifier_from_state(state: dict[str, Any]) -> Any:
    """Rebuild the logistic regression of ``classifier_state``."""
    fitted = default_classifier(state["random_state"])
    fitted.coef_ = np.asarray([state["coef"]], dtype=np.float64)
    fitted.intercept_ = np.array([state["intercept"]], dtype=np.float64)
    fitted.classes_ = np.array([0, 1])
    fitted.n_features_in_ = fitted.coef_.shape[1]
    return fitted
