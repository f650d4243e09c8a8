"""Counting the members of a cohort who are active at each age."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from crmkit._arrays import starts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from crmkit._typing import Ints


__all__ = ["active_runs", "cohort_activity"]


def active_runs(
    customer: Ints, age: Ints, *, window: int | None = 1
) -> tuple[NDArray[np.intp], Ints, Ints]:
    """Return, as row of the pair, start and stop, from which to which age a customer counts.

    Pairs are distinct and sorted, shape (m,). With a `window` of w an active age a counts from a
    until a + w, or until the customer's next active age if that is earlier, so that nobody counts
    twice. Without a window the last active age counts for all ages up to itself ("ever later").
    """
    m = customer.size
    if window == 1:
        return np.arange(m), age, age + 1
    final = np.append(starts(customer)[1:], True)[:m]
    if window is None:
        row = np.flatnonzero(final)
        return row, np.zeros(row.size, dtype=np.int64), age[row] + 1
    following = np.r_[age[1:], 0][:m]
    stop = np.where(final, age + window, np.minimum(age + window, following))
    return np.arange(m), age, stop


def cohort_activity(cohort: Ints, start: Ints, stop: Ints, *, shape: tuple[int, int]) -> Ints:
    """Count runs [start, stop) per cohort and age; the result has that `shape`."""
    n_cohorts, n_ages = shape
    width = n_ages + 1
    begins = cohort * width + np.minimum(start, n_ages)
    steps = np.bincount(begins, minlength=n_cohorts * width).reshape(n_cohorts, width)
    if ((stop - start) == 1).all():
        # One period each: what begins at an age is what is active at it.
        return steps[:, :n_ages].astype(np.int64)
    ends = cohort * width + np.minimum(stop, n_ages)
    steps = steps - np.bincount(ends, minlength=n_cohorts * width).reshape(n_cohorts, width)
    return np.cumsum(steps, axis=1)[:, :n_ages].astype(np.int64)
