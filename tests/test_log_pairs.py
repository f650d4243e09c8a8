"""Distinct pairs and values per group, by every route, against sets and against pandas."""

import numpy as np
import pandas as pd
import pytest

from crmkit._log import distinct_pairs, distinct_per_group, pairs


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


@pytest.mark.parametrize("at_least", [0, 10**9])
@pytest.mark.parametrize("n_numbers", [1, 30])  # few enough for a table of totals, or not
def test_flags_and_sorting_find_the_same_pairs(monkeypatch, at_least, n_numbers):
    monkeypatch.setattr(pairs, "_FLAGS_AT_LEAST", at_least)
    rng = np.random.default_rng(0)
    customer, number = rng.integers(0, 300, 90), rng.integers(0, n_numbers, 90)
    weights = rng.integers(1, 9, 90).astype(float)
    frame = pd.DataFrame({"customer": customer, "number": number, "weight": weights})
    expected = frame.groupby(["customer", "number"], as_index=False)["weight"].sum()
    found = distinct_pairs(customer, number, shape=(300, n_numbers), weights=weights)
    for column, array in zip(expected, found, strict=True):
        np.testing.assert_array_equal(expected[column], array)
    assert distinct_pairs(customer, number, shape=(300, n_numbers))[2] is None
