"""The chance of each arm: by design, by column, or learned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from crmkit._checks import Problems, number_array, require_columns
from crmkit._estimator import json_part
from crmkit._learn.balance import largest_imbalance
from crmkit.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from crmkit._typing import Floats, Ints


__all__ = ["Propensity", "learn_propensity"]

# Customers whose arm was all but certain have no counterpart; their weight is held here.
_LEAST = 0.01
# Arms of a random draw differ by more than this in a tenth of a standard deviation hardly ever.
_SUSPECT = 0.1
_SURE = 1e-4


@json_part
@dataclass(frozen=True, slots=True)
class Propensity:
    """Chances of the arms: constant shares, columns of the table, or a logistic model of them.

    ``coefficient`` (k + 1, p) and ``intercept`` (k + 1,) give the log odds, up to a constant.
    """

    shares: list[float]
    columns: list[str] | None = None
    coefficient: Floats | None = None
    intercept: Floats | None = None

    def chances(self, customers: pd.DataFrame, matrix: Floats) -> Floats:
        """Return the chance of control and of each treatment, shape (n, k + 1).

        A later table without the columns gets the shares: nobody has drawn its arms yet.
        """
        n = len(customers)
        if self.columns is not None and set(self.columns) <= set(customers.columns):
            return _from_columns(customers, self.columns)
        if self.coefficient is not None and self.intercept is not None:
            from scipy import special

            chance = special.softmax(matrix @ self.coefficient.T + self.intercept, axis=1)
            return _held(np.asarray(chance, dtype=np.float64))
        return np.tile(np.asarray(self.shares, dtype=np.float64), (n, 1))


def learn_propensity(
    propensity: str | Mapping[Any, str],
    people: pd.DataFrame,
    matrix: Floats,
    arm: Ints,
    treatments: list[Any],
    features: list[str],
) -> tuple[Propensity, Floats]:
    """Return the propensity and the chances of the training rows, (n, k + 1)."""
    counts = np.bincount(arm, minlength=len(treatments) + 1)
    shares = (counts / counts.sum()).tolist()
    if propensity == "randomised":
        difference, p, feature = largest_imbalance(matrix, arm)
        if difference > _SUSPECT and p < _SURE:
            raise InputError(
                f"`propensity` is 'randomised', but the arms differ: {features[feature]!r} by "
                f"{difference:.2f} standard deviations. Give the column with the chance to be "
                "treated, or propensity='estimated' if the features explain who was chosen."
            )
        found = Propensity(shares)
    elif propensity == "estimated":
        from sklearn.linear_model import LogisticRegression

        fitted = LogisticRegression(max_iter=1000, tol=1e-8).fit(matrix, arm)
        coefficient, intercept = np.asarray(fitted.coef_), np.asarray(fitted.intercept_)
        if len(treatments) == 1:
            # Two arms are fitted as one logit; as a softmax the control's is zero.
            coefficient = np.vstack([np.zeros_like(coefficient), coefficient])
            intercept = np.r_[0.0, intercept]
        found = Propensity(shares, None, coefficient, intercept)
    else:
        found = Propensity(shares, _columns(propensity, treatments))
        require_columns(people.columns, found.columns or [], "customers")
    return found, found.chances(people, matrix)


def _columns(propensity: str | Mapping[Any, str], treatments: list[Any]) -> list[str]:
    """Return the column of each treatment's chance."""
    if isinstance(propensity, str):
        if len(treatments) > 1:
            raise InputError(
                "`propensity` must name one column per treatment, as a dict: there are several "
                f"treatments {treatments[:10]}."
            )
        return [propensity]
    missing = [treatment for treatment in treatments if treatment not in propensity]
    if missing:
        raise InputError(f"`propensity` lacks the treatment(s) {missing[:10]}.")
    return [propensity[treatment] for treatment in treatments]


def _from_columns(customers: pd.DataFrame, columns: list[str]) -> Floats:
    """Read chances and check that they are some."""
    problems = Problems("customers")
    chance = np.column_stack(
        [number_array(customers[column], problems, column) for column in columns]
    )
    chance = np.column_stack([1 - chance.sum(axis=1), chance])
    problems.rows(
        np.asarray(((chance <= 0) | (chance >= 1)).any(axis=1)),
        f"column(s) {columns} are no chances between 0 and 1 that leave one for the control group",
        do="Leave out customers who could not have been in either arm.",
    )
    problems.raise_if_any()
    return _held(chance)


def _held(chance: Floats) -> Floats:
    """Hold chances off 0 and let them add up to 1."""
    held = np.maximum(chance, _LEAST)
    return np.asarray(held / held.sum(axis=1, keepdims=True))
