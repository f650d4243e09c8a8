"""Fitting clusters to a sample, and asking whether they come back in other samples."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from crmkit._learn import row_fingerprints
from crmkit.segmentation._math import best_jaccard, mixture_membership, nearest_centre

if TYPE_CHECKING:
    from crmkit._typing import Floats, Ints


__all__ = ["assign", "bootstrap_jaccard", "content_sample", "fit_clusters", "silhouette"]

_RESTARTS = 4
_SILHOUETTE_ROWS = 2000


def content_sample(matrix: Floats, size: int) -> Floats:
    """Return at most `size` rows, the same whatever the order of the rows.

    Rows are ordered by a hash of what they hold and taken evenly, so that repeated rows keep
    their share.
    """
    order = np.argsort(row_fingerprints(None, matrix), kind="stable")
    if len(order) > size:
        order = order[np.rint(np.linspace(0, len(order) - 1, size)).astype(np.int64)]
    return matrix[order]


def fit_clusters(
    matrix: Floats, k: int, method: str, seed: int, *, restarts: int = _RESTARTS
) -> dict[str, Floats]:
    """Fit k clusters and return what `assign` needs, the largest cluster first."""
    from sklearn.cluster import KMeans
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.mixture import GaussianMixture

    with warnings.catch_warnings():
        # Fewer distinct rows than clusters, or a slow last step, show in the stability instead.
        warnings.simplefilter("ignore", ConvergenceWarning)
        if method == "kmeans":
            fitted = KMeans(k, n_init=restarts, random_state=seed).fit(matrix)
            found = {"means": fitted.cluster_centers_}
        else:
            fitted = GaussianMixture(k, reg_covar=1e-3, n_init=restarts, random_state=seed)
            fitted.fit(matrix)
            found = {
                "means": fitted.means_,
                "weights": fitted.weights_,
                "precisions": fitted.precisions_cholesky_,
            }
    size = np.bincount(assign(matrix, found)[0], minlength=k)
    order = np.lexsort((found["means"][:, 0], -size))
    return {name: np.asarray(values)[order] for name, values in found.items()}


def assign(matrix: Floats, clusters: dict[str, Floats]) -> tuple[Ints, Floats]:
    """Return each row's cluster, and its distance to the centre or its probability."""
    if "weights" in clusters:
        return mixture_membership(
            matrix, clusters["weights"], clusters["means"], clusters["precisions"]
        )
    return nearest_centre(matrix, clusters["means"])


def bootstrap_jaccard(
    matrix: Floats, clusters: dict[str, Floats], method: str, seeds: Ints, bar: Any
) -> Floats:
    """Return each cluster's mean best Jaccard overlap with clusters of bootstrap samples, (k,).

    Clusters of a bootstrap sample are compared on all rows (Hennig 2007).
    """
    k = len(clusters["means"])
    codes = assign(matrix, clusters)[0]
    total = np.zeros(k)
    for seed in seeds:
        rows = np.random.default_rng(seed).integers(0, len(matrix), len(matrix))
        again = fit_clusters(matrix[rows], k, method, int(seed), restarts=1)
        total += best_jaccard(codes, assign(matrix, again)[0], k)
        if bar is not None:
            bar.update()
    return total / len(seeds)


def silhouette(matrix: Floats, codes: Ints) -> float:
    """Return the mean silhouette width of a part of the rows; 0 where it holds one cluster."""
    from sklearn.metrics import silhouette_score

    rows = slice(None, _SILHOUETTE_ROWS)
    held = np.unique(codes[rows]).size
    if held < 2 or held >= codes[rows].size:
        return 0.0
    return float(silhouette_score(matrix[rows], codes[rows]))
