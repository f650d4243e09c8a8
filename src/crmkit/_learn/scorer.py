"""One calibrated scorer for every model that predicts a yes or no per customer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from crmkit._estimator import json_part
from crmkit._frames.people import id_hashes
from crmkit._learn.calibration import Calibrator
from crmkit._learn.classifier import (
    classifier_from_state,
    classifier_state,
    cross_fitted_scores,
    fit_classifier,
    positive_score,
)

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import ArrayLike, NDArray

    from crmkit._learn.encoder import FeatureEncoder
    from crmkit._typing import Floats


__all__ = ["Scorer", "row_fingerprints"]


@json_part
@dataclass(frozen=True)
class Scorer:
    """Encoder, fitted classifier and calibrator in a row; an attribute that JSON can carry.

    ``means`` (p,) are those of the matrix learned from.
    """

    encoder: FeatureEncoder
    classifier: Any
    calibrator: Calibrator
    means: tuple[float, ...] = ()

    @classmethod
    def fit(
        cls,
        encoder: FeatureEncoder,
        matrix: Floats,
        outcome: Floats,
        *,
        groups: ArrayLike,
        times: ArrayLike | None = None,
        estimator: Any = None,
        calibration: str = "sigmoid",
        n_folds: int = 5,
        random_state: int | None = None,
        progress: bool = False,
    ) -> tuple[Self, Floats]:
        """Fit on all rows of `matrix`, which `encoder` wrote, and calibrate on unseen ones.

        Returns the scorer and out-of-fold, calibrated probabilities of shape (n,). `groups` are
        customer codes in the customers' order: rows are taken in that order, so that sums, and
        with them every result, are the same to the last bit for any order of the rows. `times`
        are day codes where customers have several snapshots; see ``cross_fitted_scores``.
        """
        keys = (groups,) if times is None else (times, groups)
        order = np.lexsort(tuple(np.asarray(key) for key in keys))
        matrix, outcome, groups = matrix[order], outcome[order], np.asarray(groups)[order]
        unseen = cross_fitted_scores(
            estimator,
            matrix,
            outcome,
            groups=groups,
            times=None if times is None else np.asarray(times)[order],
            n_folds=n_folds,
            random_state=random_state,
            progress=progress,
        )
        calibrator = Calibrator(calibration).fit(unseen, outcome)
        fitted = fit_classifier(estimator, matrix, outcome, random_state=random_state)
        scores = np.empty(len(outcome))
        scores[order] = calibrator.transform(unseen)
        return cls(encoder, fitted, calibrator, tuple(matrix.mean(axis=0).tolist())), scores

    @property
    def coefficients(self) -> Floats | None:
        """Log odds per unit of each column of the matrix, (p,); None if it is no logistic model."""
        from sklearn.linear_model import LogisticRegression

        if not isinstance(self.classifier, LogisticRegression):
            return None
        stretch = self.calibrator.knots[0][1] if self.calibrator.method == "sigmoid" else 1.0
        return np.asarray(self.classifier.coef_, dtype=np.float64).ravel() * stretch

    def score(self, matrix: Floats) -> Floats:
        """Return calibrated probabilities, shape (n,), of rows that the encoder wrote."""
        return self.calibrator.transform(positive_score(self.classifier, matrix))

    def predict(self, customers: pd.DataFrame, *, name: str = "customers") -> Floats:
        """Return calibrated probabilities, shape (n,), in the order of a table's rows."""
        return self.score(self.encoder.transform(customers, name=name))

    def to_json_state(self) -> dict[str, Any]:
        """Return plain numbers and text; raise InputError for an estimator JSON cannot carry."""
        return {
            "encoder": self.encoder,
            "classifier": classifier_state(self.classifier),
            "calibrator": self.calibrator,
            "means": list(self.means),
        }

    @classmethod
    def from_json_state(cls, state: dict[str, Any]) -> Self:
        """Rebuild a scorer from `to_json_state`."""
        classifier = classifier_from_state(state["classifier"])
        return cls(state["encoder"], classifier, state["calibrator"], tuple(state["means"]))


def row_fingerprints(ids: pd.Series[Any] | None, matrix: Floats) -> NDArray[np.uint64]:
    """Return a 64-bit hash per row, shape (n,), of customer id and encoded features.

    A model keeps these to recognise the rows it learned from without keeping their ids. Without
    `ids` the hash is of the features alone: an order of rows that no order of input changes.
    """
    prints = np.zeros(len(matrix), dtype=np.uint64)
    if ids is not None:
        prints = id_hashes(ids)
    # Adding zero makes -0.0 and 0.0, which are equal, look equal; overflow is what hashing wants.
    columns = np.ascontiguousarray(matrix + 0.0).view(np.uint64)
    for column in columns.T:
        prints = (prints ^ column) * np.uint64(0x9E3779B97F4A7C15)
        prints ^= prints >> np.uint64(29)
    return prints
