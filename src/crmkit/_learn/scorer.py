"""One calibrated scorer for every model that predicts a yes or no per customer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from crmkit._estimator import json_part
from crmkit._learn.calibration import Calibrator
from crmkit._learn.classifier import (
    classifier_from_state,
    classifier_state,
    cross_fitted_scores,
    fit_classifier,
    positive_score,
)
from crmkit._learn.encoder import FeatureEncoder

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy as np
    import pandas as pd
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

__all__ = ["CustomerScorer", "fit_scorer"]


@json_part
@dataclass(frozen=True)
class CustomerScorer:
    """Encoder, fitted classifier and calibrator in a row; an attribute that JSON can carry."""

    encoder: FeatureEncoder
    classifier: Any
    calibrator: Calibrator

    def predict(self, customers: pd.DataFrame, *, name: str = "customers") -> Floats:
        """Return calibrated probabilities, shape (n,), in the order of the rows."""
        matrix = self.encoder.transform(customers, name=name)
        return self.calibrator.transform(positive_score(self.classifier, matrix))

    def to_json_state(self) -> dict[str, Any]:
        """Return plain numbers and text; raise InputError for an estimator JSON cannot carry."""
        return {
            "encoder": self.encoder.state(),
            "classifier": classifier_state(self.classifier),
            "calibrator": self.calibrator.state(),
        }

    @classmethod
    def from_json_state(cls, state: dict[str, Any]) -> Self:
        """Rebuild a scorer from `to_json_state`."""
        return cls(
            FeatureEncoder.from_state(state["encoder"]),
            classifier_from_state(state["classifier"]),
            Calibrator.from_state(state["calibrator"]),
        )


def fit_scorer(
    estimator: Any,
    customers: pd.DataFrame,
    outcome: Floats,
    *,
    groups: ArrayLike,
    columns: Sequence[str] | None = None,
    exclude: Iterable[str] = (),
    calibration: str = "sigmoid",
    n_folds: int = 5,
    random_state: int | None = None,
    progress: bool = False,
) -> tuple[CustomerScorer, Floats]:
    """Fit on every row, calibrate on out-of-fold scores; return both scorer and those, (n,).

    Rows should come sorted by customer: sums then run in one order, and the result is the same
    to the last bit however the caller's rows were ordered. The returned out-of-fold scores are
    calibrated too.
    """
    encoder = FeatureEncoder(columns=columns, exclude=exclude).fit(customers)
    matrix = encoder.transform(customers)
    unseen = cross_fitted_scores(
        estimator,
        matrix,
        outcome,
        groups=groups,
        n_folds=n_folds,
        random_state=random_state,
        progress=progress,
    )
    calibrator = Calibrator(calibration).fit(unseen, outcome)
    fitted = fit_classifier(estimator, matrix, outcome, random_state=random_state)
    return CustomerScorer(encoder, fitted, calibrator), calibrator.transform(unseen)
