"""Rows of one customer are no independent witnesses: how many independent ones they are worth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from crmkit._arrays import wilson_interval

if TYPE_CHECKING:
    from crmkit._typing import Floats, Ints

__all__ = ["Clusters"]


@dataclass(frozen=True, slots=True)
class Clusters:
    """Rows by customer and by group, for variances that add up each customer before squaring.

    ``customer`` and ``group`` (n,) are codes from 0; ``pair`` (n,) numbers the customers within a
    group, of whom ``owner`` and ``place`` (p,) are customer and group.
    """

    customer: Ints
    group: Ints
    pair: Ints
    owner: Ints
    place: Ints

    @classmethod
    def of(cls, customer: Ints, group: Ints) -> Clusters:
        """Return the rows with the pairs of customer and group that occur among them."""
        n_groups = int(group.max()) + 1
        pairs, pair = np.unique(customer * n_groups + group, return_inverse=True)
        return cls(customer, group, pair, pairs // n_groups, pairs % n_groups)

    def effective_sizes(self, outcome: Floats, confidence_level: float) -> Floats:
        """Return per group the number of independent rows that tell as much of its rate, (m,).

        The design effect divides the number of rows, and few customers widen Student's t. Equal to
        the number of rows where no customer has two. Korn, E. L. and Graubard, B. I. (1998),
        Survey Methodology 24, 193-201, equation 1, never above the number of rows.
        """
        n = np.bincount(self.group).astype(np.float64)
        clusters = np.bincount(self.place, minlength=n.size).astype(np.float64)
        rate = np.bincount(self.group, weights=outcome) / np.maximum(n, 1)
        gap = np.bincount(self.pair, weights=outcome - rate[self.group])
        square = np.bincount(self.place, weights=gap**2, minlength=n.size)
        alone = n * rate * (1 - rate)
        few = np.divide(
            clusters * (n - 1), n * (clusters - 1), out=np.ones_like(n), where=clusters > 1
        )
        effect = np.divide(square * few, alone, out=n / np.maximum(clusters, 1), where=alone > 0)
        tail = (1 - confidence_level) / 2
        wider = special.stdtrit(np.maximum(clusters - 1, 1), tail)
        wider = special.stdtrit(np.maximum(n - 1, 1), tail) / wider
        worth = np.minimum(n / np.maximum(effect, 1e-300) * wider**2, n)
        return np.where(clusters > 1, worth, clusters)

    def rate_limits(self, outcome: Floats, confidence_level: float) -> tuple[Floats, Floats]:
        """Return Wilson's limits of each group's rate, (m,), for its effective size."""
        n = np.bincount(self.group).astype(np.float64)
        rate = np.bincount(self.group, weights=outcome) / np.maximum(n, 1)
        worth = self.effective_sizes(outcome, confidence_level)
        return wilson_interval(rate * worth, worth, confidence_level)

    def inflation(self, outcome: Floats) -> Floats:
        """Return by how much clustering widens the variance of each group's rate less all others'.

        Shape (m,), at least 1, under the hypothesis of one rate for all; 1 where no customer has
        two rows, and where a group is everybody.
        """
        n = np.bincount(self.group).astype(np.float64)
        gap = outcome - outcome.mean()
        rest = np.maximum(outcome.size - n, 1)
        of_customer = _sums(self.customer, gap)
        of_pair = _sums(self.pair, gap)
        both = 1 / np.maximum(n, 1) + 1 / rest
        clustered = (
            both**2 * _sums(self.place, of_pair**2, n.size)
            - 2 * both / rest * _sums(self.place, of_pair * of_customer[self.owner], n.size)
            + np.sum(of_customer**2) / rest**2
        )
        own = np.bincount(self.group, weights=gap**2)
        alone = own / np.maximum(n, 1) ** 2 + (np.sum(gap**2) - own) / rest**2
        ratio = np.divide(clustered, alone, out=np.ones_like(n), where=alone > 0)
        return np.maximum(ratio, 1.0)


def _sums(codes: Ints, values: Floats, n_codes: int = 0) -> Floats:
    """Add up the values of each code."""
    return np.bincount(codes, values, n_codes).astype(np.float64)
