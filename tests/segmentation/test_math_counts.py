"""Distinct values per group, by every route, against sets."""

import numpy as np
import pytest

from crmkit._log import distinct_per_group


@pytest.mark.parametrize(
    ("n", "n_groups", "n_values"),
    [
        (0, 3, 5),
        (500, 40, 800),  # values many, some shared by groups
        (500, 40, 7),  # values few: sorted, in 32 bits
        (500, 40, 2**40),  # values sparse: sorted, in 64 bits
        (500, 900, 1000),
    ],
)
def test_counts_equal_sets(n, n_groups, n_values):
    rng = np.random.default_rng(n_values % 97)
    groups = rng.integers(0, n_groups, n)
    values = rng.integers(0, n_values, n)
    pairs = set(zip(groups.tolist(), values.tolist(), strict=True))
    expected = np.bincount([group for group, _ in pairs] or [0], minlength=n_groups)
    expected -= 0 if pairs else np.eye(1, n_groups, dtype=int)[0]
    assert distinct_per_group(groups, values, n_groups, n_values).tolist() == expected.tolist()
