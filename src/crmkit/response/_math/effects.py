"""Differences between treated and control customers, group by group."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from crmkit._typing import Floats, Ints


__all__ = ["GroupEffects", "group_effects"]


@dataclass(frozen=True, slots=True)
class GroupEffects:
    """Per group and arm (control, treated): ``n``, ``mean`` and ``variance``, shape (m, 2).

    ``uplift`` and ``std_error`` have shape (m,); NaN where an arm is empty, and the error also
    where an arm has one customer.
    """

    n: Floats
    mean: Floats
    variance: Floats
    uplift: Floats
    std_error: Floats


def group_effects(group: Ints, arm: Ints, outcome: Floats, n_groups: int) -> GroupEffects:
    """Compare treated (`arm` 1) with control (0) within groups 0 .. n_groups - 1, (n,) each.

    The error is that of a difference of two independent means with variances of their own
    (Neyman 1923).
    """
    key, shape = 2 * group + arm, (n_groups, 2)
    length = 2 * n_groups
    n = np.bincount(key, minlength=length).reshape(shape).astype(np.float64)
    total = np.bincount(key, weights=outcome, minlength=length).reshape(shape)
    mean = np.divide(total, n, out=np.full(shape, np.nan), where=n > 0)
    # Deviations from the group's own mean, because squares of large amounts lose the digits.
    deviation = outcome - np.nan_to_num(mean).ravel()[key]
    square = np.bincount(key, weights=deviation**2, minlength=length).reshape(shape)
    variance = np.divide(square, n - 1, out=np.full(shape, np.nan), where=n > 1)
    uplift = mean[:, 1] - mean[:, 0]
    error = np.sqrt((variance / np.maximum(n, 1)).sum(axis=1))
    return GroupEffects(n, mean, variance, uplift, error)
