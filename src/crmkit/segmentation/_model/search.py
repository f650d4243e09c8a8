"""How many groups there are: what is tried, measured and chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit._progress import steps
from crmkit.segmentation._model.clusters import (
    assign,
    bands,
    bootstrap_jaccard,
    fit_clusters,
)
from crmkit.segmentation._model.divide import divide
from crmkit.segmentation._model.other_rules import other_rules

if TYPE_CHECKING:
    from crmkit._typing import Floats, Ints


__all__ = ["Search"]

_LEVEL = 0.05
# Divisions are looked for among so many rows, other rules and stability judged by so many.
_LOOKED_AT, _JUDGED = 4000, 1000


class Search:
    """Divides a sample, (n, p), into each number of segments `tried`, and measures what it made.

    Valleys are looked for in `view`, (n, q), of the same rows.
    What comes out does not depend on `seeds`: they draw the bootstrap samples alone.
    """

    def __init__(
        self,
        sample: Floats,
        view: Floats,
        tried: list[int],
        *,
        method: str,
        least_share: float,
        least_stable: float,
        seeds: Ints,
        progress: bool,
    ) -> None:
        looked_at = sample[:_LOOKED_AT]
        least = max(least_share * len(looked_at), 2.0)
        self.sample, self.view, self.method, self.seeds = sample, view, method, seeds
        self.least_share, self.least_stable = least_share, least_stable
        self.divisions = divide(view[:_LOOKED_AT], max(tried), least, _LEVEL)
        self.rows: dict[int, dict[str, Any]] = {}
        for k in steps(tried, "segments", progress):
            division = self.divisions[k - 1]
            self.rows[k] = {
                "n_segments": k,
                "p_value": division.p_value,
                "valley": division.valley,
                "jaccard": np.nan,
                "smallest_share": float(np.bincount(division.codes).min() / len(looked_at)),
                **other_rules(sample[:_JUDGED], division),
            }

    def apart(self, k: int) -> bool:
        """Tell whether every division up to `k` parts runs through a valley."""
        return all(division.p_value <= _LEVEL for division in self.divisions[1:k])

    def choose(self, *, auto: bool) -> tuple[int, dict[str, Floats], Floats]:
        """Return the number of segments, their clusters and how stable each is, (3, k).

        The number asked for, or the largest that is accepted; 1 where none is.
        """
        for k in reversed(self.rows):
            if not auto or self.accepted(k):
                clusters, jaccard = self._fit(k)
                if not auto or self.accepted(k):
                    return k, clusters, jaccard
        return 1, {}, np.ones((3, 1))

    def _fit(self, k: int) -> tuple[dict[str, Floats], Floats]:
        """Fit `k` clusters, and measure how stable each is, (3, k)."""

        def again(rows: Ints) -> dict[str, Floats]:
            parts = divide(self.view[rows], k, self.least_share * len(rows), None)[-1].codes
            return fit_clusters(self.sample[rows], parts, self.method)

        clusters = fit_clusters(self.sample, self.divisions[k - 1].codes, self.method)
        share = np.bincount(assign(self.sample, clusters)[0], minlength=k) / len(self.sample)
        jaccard = bootstrap_jaccard(self.sample[:_JUDGED], clusters, again, self.seeds)
        self.rows[k] |= {"jaccard": float(jaccard[0].min()), "smallest_share": float(share.min())}
        return clusters, jaccard

    def bands(self, matrix: Floats, n_bands: int) -> tuple[dict[str, Floats], Floats]:
        """Return bands of all rows along the main gradient, and how stable each is."""
        few = self.sample[:_JUDGED]
        found = bands(matrix, self.sample, n_bands)
        return found, bootstrap_jaccard(
            few, found, lambda rows: bands(few[rows], few[rows], n_bands), self.seeds
        )

    def accepted(self, k: int) -> bool:
        """Tell whether `k` groups stand apart, are large enough and, where asked, come back."""
        row = self.rows[k]
        unstable = row["jaccard"] < self.least_stable
        return (
            k > 1 and self.apart(k) and row["smallest_share"] >= self.least_share and not unstable
        )

    def table(self, chosen: int) -> pd.DataFrame:
        """Return one row per number tried."""
        accepted = {k: self.accepted(k) for k in self.rows}
        rows = [
            row | {"accepted": accepted[k], "chosen": k == chosen} for k, row in self.rows.items()
        ]
        return pd.DataFrame(rows)

    def verdict(self, chosen: int) -> str:
        """Say how many groups there are, or why none."""
        apart = max(k for k in (1, *self.rows) if self.apart(k))
        if chosen > 1 and apart < chosen:
            return f"{chosen} segments, as asked; not all of them stand apart"
        if chosen > 1:
            p_value = max(division.p_value for division in self.divisions[1:chosen])
            return f"{chosen} groups, each apart from the others (p = {p_value:.2g} or less)"
        if apart > 1:
            stable = [k for k, row in self.rows.items() if row["jaccard"] < self.least_stable]
            why = "come back in other samples" if stable else "are large enough"
            return f"no groups, only a gradient: {apart} parts stand apart, but not all {why}"
        p_value = self.divisions[1].p_value if len(self.divisions) > 1 else 1.0
        return (
            "no groups, only a gradient: between any two parts of the customers lie about as many "
            f"as in either (p = {p_value:.2g})"
        )
