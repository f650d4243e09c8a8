"""Fitting clusters to a sample, and asking whether they come back in other samples."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from crmkit._arrays import mean_interval
from crmkit._learn import row_fingerprints
from crmkit._learn.terms import LevelTerm
from crmkit.segmentation._math import (
    best_jaccard,
    mixture_membership,
    nearest_centre,
    spread_ties,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from crmkit._learn.terms import NumberTerm
    from crmkit._typing import Floats, Ints


__all__ = [
    "assign",
    "bands",
    "bootstrap_jaccard",
    "content_sample",
    "fit_clusters",
    "fit_mixture",
    "searched",
]

_SHAPES = ("tied", "full", "diag")


def content_sample(matrix: Floats, size: int) -> Floats:
    """Return at most `size` rows, the same whatever the order of the rows.

    Rows are ordered by a hash of what they hold and taken evenly, so that repeated rows keep
    their share.
    """
    order = np.argsort(row_fingerprints(None, matrix), kind="stable")
    if len(order) > size:
        order = order[np.rint(np.linspace(0, len(order) - 1, size)).astype(np.int64)]
    return matrix[order]


def searched(sample: Floats, terms: Sequence[NumberTerm | LevelTerm]) -> Floats:
    """Return what of an encoded sample valleys may be looked for in, one row per row.

    Levels lie on the corners of a simplex and missing numbers on one spot, which makes no groups
    of them: the most frequent level of each column is left out, so that the others border on it,
    and missing numbers are filled with known ones.
    """
    columns: list[Floats] = []
    at = 0
    for term in terms:
        block = sample[:, at : at + len(term.names())]
        at += len(term.names())
        if isinstance(term, LevelTerm):
            columns.append(np.delete(block, block.mean(axis=0).argmax(), axis=1))
        elif term.missing:
            gap, values = block[:, 1] > 0, block[:, 0].copy()
            known = values[~gap] if (~gap).any() else np.zeros(1)
            values[gap] = np.random.default_rng(at).choice(known, int(gap.sum()))
            columns += [values[:, None], block[:, 1:]]
        else:
            columns.append(block)
    return spread_ties(np.concatenate(columns, axis=1))


def fit_clusters(matrix: Floats, codes: Ints, method: str) -> dict[str, Floats]:
    """Fit clusters from a partition of the first rows, and return what `assign` needs.

    The largest cluster comes first. A mixture has the shape of covariances with the best BIC.
    """
    first, k = matrix[: len(codes)], int(codes.max()) + 1
    if method == "kmeans":
        from sklearn.cluster import KMeans
        from sklearn.exceptions import ConvergenceWarning

        start = np.array([first[codes == part].mean(axis=0) for part in range(k)])
        with warnings.catch_warnings():
            # Fewer distinct rows than clusters show in the stability instead.
            warnings.simplefilter("ignore", ConvergenceWarning)
            fitted = KMeans(k, init=start, n_init=1).fit(matrix)
        found = {"means": fitted.cluster_centers_}
    else:
        fitted = min((fit_mixture(first, codes, s) for s in _SHAPES), key=lambda m: m.bic(first))
        if len(first) < len(matrix):
            fitted = fit_mixture(matrix, fitted.predict(matrix), fitted.covariance_type)
        factors = fitted.precisions_cholesky_
        if fitted.covariance_type == "tied":
            factors = np.repeat(factors[None], k, axis=0)
        elif fitted.covariance_type == "diag":
            factors = np.array([np.diag(row) for row in factors])
        found = {"means": fitted.means_, "weights": fitted.weights_, "precisions": factors}
    size = np.bincount(assign(matrix, found)[0], minlength=k)
    order = np.lexsort((found["means"][:, 0], -size))
    return {name: np.asarray(values)[order] for name, values in found.items()}


def fit_mixture(matrix: Floats, codes: Ints, shape: str) -> Any:
    """Fit a mixture of normals, one per part of a partition of all rows, that starts from it."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.mixture import GaussianMixture

    k, p = int(codes.max()) + 1, matrix.shape[1]
    share = np.maximum(np.bincount(codes, minlength=k), 1) / len(codes)
    means, covariances = np.zeros((k, p)), np.zeros((k, p, p))
    for part in range(k):
        own = matrix[codes == part] if (codes == part).any() else matrix
        means[part] = own.mean(axis=0)
        covariances[part] = (own - means[part]).T @ (own - means[part]) / len(own)
    covariances += 1e-3 * np.eye(p)
    if shape == "tied":
        precisions = np.linalg.inv(np.tensordot(share, covariances, axes=1) / share.sum())
    elif shape == "full":
        precisions = np.linalg.inv(covariances)
    else:
        precisions = 1 / np.diagonal(covariances, axis1=1, axis2=2)
    mixture = GaussianMixture(
        k,
        covariance_type=shape,
        reg_covar=1e-3,
        max_iter=200,
        weights_init=share / share.sum(),
        means_init=means,
        precisions_init=precisions,
        random_state=0,
    )
    with warnings.catch_warnings():
        # A slow last step changes no segment.
        warnings.simplefilter("ignore", ConvergenceWarning)
        return mixture.fit(matrix)


def bands(matrix: Floats, sample: Floats, n_bands: int) -> dict[str, Floats]:
    """Return bands of equal numbers of rows along the direction in which a sample varies most."""
    centred = sample - sample.mean(axis=0)
    _, vectors = np.linalg.eigh(centred.T @ centred)
    along = vectors[:, -1] * (np.sign(vectors[:, -1].sum()) or 1.0)
    projected = matrix @ along
    cuts = np.unique(np.quantile(projected, np.arange(1, n_bands) / n_bands))
    cuts = cuts[(cuts > projected.min()) & (cuts <= projected.max())]
    codes = np.searchsorted(cuts, projected, side="right")
    means = np.array([matrix[codes == band].mean(axis=0) for band in range(len(cuts) + 1)])
    return {"means": means, "along": along, "cuts": cuts}


def assign(matrix: Floats, clusters: dict[str, Floats]) -> tuple[Ints, Floats]:
    """Return each row's cluster, and its distance to the centre or its probability."""
    if "cuts" in clusters:
        codes = np.searchsorted(clusters["cuts"], matrix @ clusters["along"], side="right")
        away = np.sqrt(np.sum((matrix - clusters["means"][codes]) ** 2, axis=1))
        return codes.astype(np.int64), away
    if "weights" in clusters:
        return mixture_membership(
            matrix, clusters["weights"], clusters["means"], clusters["precisions"]
        )
    return nearest_centre(matrix, clusters["means"])


def bootstrap_jaccard(
    matrix: Floats,
    clusters: dict[str, Floats],
    again: Callable[[Ints], dict[str, Floats]],
    seeds: Ints,
) -> Floats:
    """Return each cluster's mean best Jaccard overlap with those of bootstrap samples, and limits.

    Clusters made `again` of drawn rows are compared on all rows (Hennig 2007). Shape (3, k); the
    limits are Student's for the mean of as many samples at 95 %.
    """
    k, n = len(clusters["means"]), len(matrix)
    codes = assign(matrix, clusters)[0]
    total, square = np.zeros(k), np.zeros(k)
    for seed in seeds:
        rows = np.random.default_rng(seed).integers(0, n, n)
        overlap = best_jaccard(codes, assign(matrix, again(rows))[0], k)
        total, square = total + overlap, square + overlap**2
    mean, _, low, high = mean_interval(total, square, np.full(k, len(seeds)))
    return np.stack([mean, np.maximum(low, 0.0), np.minimum(high, 1.0)])
