"""Segments of customers who behave alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
import pandas as pd

from crmkit._checks import check_choice, check_flag, check_number, random_generator
from crmkit._estimator import Model
from crmkit._frames import read_customers
from crmkit._learn import FeatureEncoder
from crmkit._learn.columns import column_table
from crmkit.errors import InputError
from crmkit.segmentation._model.clusters import (
    assign,
    bootstrap_jaccard,
    content_sample,
    fit_clusters,
    silhouette,
)
from crmkit.segmentation._model.names import cluster_names

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crmkit._typing import Floats, Ints


__all__ = ["BehaviourSegments"]

ClusterMethod = Literal["kmeans", "gaussian_mixture"]


class BehaviourSegments(Model):
    """Find groups of customers who are alike in behaviour, interests or preferences.

    Skewed numbers are written as logarithms, numbers standardised, texts written as one column
    per level, missing values marked. The number of segments is the largest that other samples of
    the same customers would show again.

    Parameters
    ----------
    columns : list of str, optional
        The columns to group by. The default is all but the id, dates and constants.
    method : {"kmeans", "gaussian_mixture"}, default "kmeans"
        Clusters around centres, or overlapping clusters of any ellipsoid shape.
    n_segments : int or "auto", default "auto"
        ``auto`` takes the largest number, from 2 to `max_segments`, for which every cluster has a
        bootstrap Jaccard overlap of at least `min_stability` and a share of at least `min_share`.
        If none does, it takes the number whose weakest cluster is most stable; a better
        silhouette then decides between equals.
    max_segments : int, default 8
        Largest number that ``auto`` tries.
    min_share : float, default 0.02
        Smallest share of customers that ``auto`` accepts for a segment.
    min_stability : float, default 0.75
        Smallest Jaccard overlap that ``auto`` accepts. Below 0.6 a cluster hardly exists, above
        0.85 it is very stable [1]_.
    n_draws : int, default 20
        Bootstrap draws per number of segments.
    sample_size : int, default 20000
        Clusters are fitted to at most so many customers; all are then assigned.
    random_state : int, optional
        Seed of starts and bootstrap samples.
    progress : bool, default False
        Show a progress bar.

    Attributes
    ----------
    columns_ : pandas.DataFrame
        What was done to each column: ``column``, ``kind``, ``used``, ``transformation``, ``low``
        and ``high`` (later numbers are held within), ``missing_share``, ``levels`` (those with a
        column of their own), ``pooled`` (how many rare levels were taken together).
    segments_ : pandas.DataFrame
        ``segment``, ``customers``, ``share`` and ``jaccard`` of the fitted customers.
    stability_ : pandas.DataFrame
        ``segment`` and ``jaccard``, as :func:`segment_quality` reads it.
    selection_ : pandas.DataFrame
        One row per number tried: ``n_segments``, ``jaccard`` of the weakest cluster,
        ``smallest_share``, ``silhouette``, ``accepted`` and ``chosen``.

    Notes
    -----
    Stable is not right: six in ten bases of 400 customers of one kind are divided into accepted
    segments, and one number that means nothing makes more than three of three clear groups in half.

    References
    ----------
    .. [1] Hennig, C. (2007). Cluster-wise assessment of cluster stability. *Computational
       Statistics & Data Analysis*, 52(1), 258-271.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> rng = np.random.default_rng(0)
    >>> customers = pd.DataFrame(
    ...     {
    ...         "customer_id": range(300),
    ...         "visits": np.repeat([8.0, 20.0], [100, 200]) + rng.normal(size=300),
    ...         "basket": np.repeat([90.0, 80.0], [100, 200]) + rng.normal(size=300),
    ...     }
    ... )
    >>> model = BehaviourSegments(random_state=0).fit(customers)
    >>> model.segments_[["segment", "customers"]]
                       segment  customers
    0  low basket, high visits        200
    1  high basket, low visits        100
    """

    _encoder_: FeatureEncoder
    columns_: pd.DataFrame
    clusters_: dict[str, Floats]
    segments_: pd.DataFrame
    stability_: pd.DataFrame
    selection_: pd.DataFrame

    def __init__(
        self,
        *,
        columns: Sequence[str] | None = None,
        method: ClusterMethod = "kmeans",
        n_segments: int | Literal["auto"] = "auto",
        max_segments: int = 8,
        min_share: float = 0.02,
        min_stability: float = 0.75,
        n_draws: int = 20,
        sample_size: int = 20_000,
        random_state: int | None = None,
        progress: bool = False,
    ) -> None:
        self.columns = columns
        self.method = method
        self.n_segments = n_segments
        self.max_segments = max_segments
        self.min_share = min_share
        self.min_stability = min_stability
        self.n_draws = n_draws
        self.sample_size = sample_size
        self.random_state = random_state
        self.progress = progress

    def fit(self, customers: Any) -> Self:
        """Find the segments.

        Parameters
        ----------
        customers : DataFrame
            One row per customer with the columns to group by.

        Returns
        -------
        BehaviourSegments
            The fitted model.

        Raises
        ------
        MissingColumnsError
            If a column is absent.
        InputError
            If no column can be used, or there are fewer different customers than segments.
        """
        check_choice(self.method, "method", ClusterMethod)
        tried, n_draws = self._tried(), check_number(self.n_draws, "n_draws", rule="resamples")
        sample_size = check_number(self.sample_size, "sample_size")
        least_stable = check_number(self.min_stability, "min_stability")
        least_share = check_number(self.min_share, "min_share")
        rng = random_generator(self.random_state)
        frame = read_customers(customers)
        encoder = FeatureEncoder(columns=self.columns).fit(frame)
        matrix = encoder.transform(frame)
        sample = content_sample(matrix, sample_size)
        distinct = len(np.unique(sample, axis=0))
        tried = [k for k in tried if k <= distinct]
        if not tried:
            raise InputError(
                f"`customers` has {distinct} different rows in the columns used, fewer than "
                "`n_segments`. Ask for fewer segments or use more columns."
            )
        results = self._try(sample, tried, rng.integers(0, 2**31, n_draws + 1))
        accepted = {
            k: bool((result["jaccard"] >= least_stable).all())
            and result["smallest_share"] >= least_share
            for k, result in results.items()
        }
        chosen = _choose(results, accepted)
        clusters, jaccard = results[chosen]["clusters"], results[chosen]["jaccard"]
        codes = assign(matrix, clusters)[0]
        count = np.bincount(codes, minlength=chosen)
        names = cluster_names(clusters["means"], count / count.sum(), encoder)
        self._encoder_ = encoder
        self.columns_ = column_table(frame, encoder.looked_at(frame), encoder.terms)
        self.clusters_ = clusters
        self.segments_ = pd.DataFrame(
            {"segment": names, "customers": count, "share": count / len(codes), "jaccard": jaccard}
        )
        self.stability_ = self.segments_[["segment", "jaccard"]].copy()
        self.selection_ = pd.DataFrame(
            [
                {
                    "n_segments": k,
                    "jaccard": float(result["jaccard"].min()),
                    "smallest_share": result["smallest_share"],
                    "silhouette": result["silhouette"],
                    "accepted": accepted[k],
                    "chosen": k == chosen,
                }
                for k, result in results.items()
            ]
        )
        return self

    def predict(self, customers: Any) -> pd.DataFrame:
        """Give customers the segment they are most like.

        Parameters
        ----------
        customers : DataFrame
            Customers, old or new, with the columns the model was fitted on.

        Returns
        -------
        pandas.DataFrame
            One row per customer, in the order of `customers`:

            * ``customer_id`` - as given.
            * ``segment`` (str) - name of the segment.
            * ``distance`` (float) - distance to the segment's centre, in standard deviations;
              only with ``method="kmeans"``.
            * ``p_segment`` (float) - probability of the segment; only with
              ``method="gaussian_mixture"``.

        Raises
        ------
        MissingColumnsError
            If a column is absent.
        InputError
            If a value cannot be used.
        """
        self._check_fitted()
        frame = read_customers(customers)
        matrix = self._encoder_.transform(frame)
        codes, how_near = assign(matrix, self.clusters_)
        names = self.segments_["segment"].to_numpy(dtype=object)
        measure = "p_segment" if "weights" in self.clusters_ else "distance"
        return pd.DataFrame(
            {
                "customer_id": frame["customer_id"],
                "segment": pd.Series(names[codes]).astype(str),
                measure: how_near,
            }
        )

    def _tried(self) -> list[int]:
        """Return the numbers of segments to try."""
        most = check_number(self.max_segments, "max_segments")
        if isinstance(self.n_segments, str):
            check_choice(self.n_segments, "n_segments", ("auto",))
            return list(range(2, most + 1))
        return [check_number(self.n_segments, "n_segments")]

    def _try(self, sample: Floats, tried: list[int], seeds: Ints) -> dict[int, dict[str, Any]]:
        """Fit each number of segments and measure it."""
        bar = (
            _progress_bar(len(tried) * (len(seeds) - 1))
            if check_flag(self.progress, "progress")
            else None
        )
        results = {}
        for k in tried:
            clusters = fit_clusters(sample, k, self.method, int(seeds[0]))
            codes = assign(sample, clusters)[0]
            share = np.bincount(codes, minlength=k) / len(codes)
            results[k] = {
                "clusters": clusters,
                "jaccard": bootstrap_jaccard(sample, clusters, self.method, seeds[1:], bar),
                "smallest_share": float(share.min()),
                "silhouette": silhouette(sample, codes),
            }
        if bar is not None:
            bar.close()
        return results


def _choose(results: dict[int, dict[str, Any]], accepted: dict[int, bool]) -> int:
    """Return the number of segments to keep."""
    if any(accepted.values()):
        return max(k for k in accepted if accepted[k])
    return max(
        results, key=lambda k: (round(results[k]["jaccard"].min(), 2), results[k]["silhouette"])
    )


def _progress_bar(steps: int) -> Any:
    """Return a bar; imported here because in a notebook even the import has something to say."""
    from tqdm.auto import tqdm

    return tqdm(total=steps, desc="segments")
