"""What the usual rules for the number of clusters would say, beside the one that decides."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from crmkit.segmentation._math import nearest_centre
from crmkit.segmentation._model.clusters import fit_mixture

if TYPE_CHECKING:
    from crmkit._typing import Floats
    from crmkit.segmentation._model.divide import Division


__all__ = ["other_rules"]

_REFERENCES = 5


def other_rules(matrix: Floats, division: Division) -> dict[str, float]:
    """Return BIC, gap, prediction strength and silhouette of a number of clusters.

    BIC is that of the best mixture of normals from the division, the others are of k-means. The
    reference for gap (Tibshirani, Walther and Hastie 2001) and prediction strength (Tibshirani and
    Walther 2005) is one normal group of the same covariance.
    """
    from sklearn.metrics import silhouette_score

    k, codes = division.k, division.codes[: len(matrix)]
    rng = np.random.default_rng(0)
    covariance = np.atleast_2d(np.cov(matrix, rowvar=False)) + 1e-9 * np.eye(matrix.shape[1])
    lower = np.linalg.cholesky(covariance)
    one = [rng.normal(size=matrix.shape) @ lower.T for _ in range(_REFERENCES)]
    fitted = _kmeans(matrix, k)
    expected = np.mean([np.log(_kmeans(reference, k).inertia_ + 1e-12) for reference in one])
    held = np.unique(fitted.labels_).size
    alone = held < 2 or held >= len(matrix)
    _, parts = np.unique(codes, return_inverse=True)
    return {
        "bic": float(min(fit_mixture(matrix, parts, s).bic(matrix) for s in ("tied", "full"))),
        "gap": float(expected - np.log(fitted.inertia_ + 1e-12)),
        "prediction_strength": prediction_strength(matrix, k),
        "reference_strength": prediction_strength(one[0], k),
        "silhouette": 0.0 if alone else float(silhouette_score(matrix, fitted.labels_)),
    }


def prediction_strength(matrix: Floats, k: int) -> float:
    """Return the share of pairs of the weakest cluster that the other half keeps together.

    The mean of both halves' (Tibshirani and Walther 2005, eq. 2.1).
    """
    halves = [matrix[::2], matrix[1::2]]
    strengths = []
    for own, other in (halves, halves[::-1]):
        if len(own) < k or len(other) < k:
            return 0.0
        codes = _kmeans(own, k).labels_
        told = nearest_centre(own, _kmeans(other, k).cluster_centers_)[0]
        table = np.bincount(codes * k + told, minlength=k * k).reshape(k, k).astype(np.float64)
        size = table.sum(axis=1)
        together = np.sum(table * (table - 1), axis=1) / np.maximum(size * (size - 1), 1.0)
        strengths.append(together[size > 1].min(initial=1.0))
    return float(np.mean(strengths))


def _kmeans(matrix: Floats, k: int) -> Any:
    """Fit k-means."""
    import warnings

    from sklearn.cluster import KMeans
    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return KMeans(min(k, len(matrix)), n_init=2, random_state=0).fit(matrix)
