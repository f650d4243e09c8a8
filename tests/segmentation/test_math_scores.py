"""Scores: ties, units and order."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from crmkit._money import decimal_sums
from crmkit.segmentation._math import (
    bins_from_cuts,
    nested_bins,
    quantile_cuts,
    snap_cut,
    tie_safe_cuts,
)

few_values = arrays(np.float64, st.integers(1, 60), elements=st.integers(-5, 12).map(float))


@given(few_values, st.integers(2, 9))
def test_cut_points_give_the_bins_of_the_definition(values, n_bins):
    below = np.array([(values < value).sum() for value in values])
    expected = np.floor(n_bins * below / values.size)
    assert (bins_from_cuts(values, tie_safe_cuts(values, n_bins)) == expected).all()


@given(few_values, st.integers(2, 9), st.sampled_from([0.001, 0.5, 3.0, 1e6]))
def test_bins_do_not_depend_on_order_or_unit(values, n_bins, unit):
    bins = bins_from_cuts(values, tie_safe_cuts(values, n_bins))
    order = np.random.default_rng(0).permutation(values.size)
    again = bins_from_cuts(values[order], tie_safe_cuts(values[order], n_bins))
    assert (again == bins[order]).all()
    scaled = values * unit
    assert (bins_from_cuts(scaled, tie_safe_cuts(scaled, n_bins)) == bins).all()


@given(few_values, st.integers(2, 5), st.data())
def test_nested_bins_are_bins_within_groups(values, n_bins, data):
    outer = data.draw(arrays(np.int64, values.size, elements=st.integers(0, 3)))
    bins = nested_bins(values, outer, n_bins)
    for group in np.unique(outer):
        rows = outer == group
        alone = bins_from_cuts(values[rows], tie_safe_cuts(values[rows], n_bins))
        assert (bins[rows] == alone).all()


def test_quantile_cuts_are_type_seven_plus_one():
    # R: quantile(c(1, 2, 4, 8), c(1/3, 2/3)) is 2, 4; interpolation on n - 1 intervals.
    np.testing.assert_allclose(quantile_cuts(np.array([1.0, 2.0, 4.0, 8.0]), 3), [3.0, 5.0])


def test_a_value_on_the_mean_up_to_rounding_is_on_the_mean():
    values = np.array([0.1, 0.1, 0.1])
    assert snap_cut(float(values.sum() / 3), values) == 0.1
    assert snap_cut(5.0, np.array([1.0, 9.0])) == 5.0


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(-(10**7), 10**7)), min_size=1, max_size=80),
    st.sampled_from([2, 3, 4]),
)
def test_sums_are_exact_in_decimals_and_free_of_order(rows, decimals):
    codes = np.array([code for code, _ in rows])
    units = np.array([unit for _, unit in rows])
    exact = np.array([units[codes == code].sum() for code in range(4)])
    expected = np.array([float(f"{unit}e-{decimals}") for unit in exact])
    values = np.array([float(f"{unit}e-{decimals}") for unit in units])
    order = np.random.default_rng(1).permutation(len(rows))
    sums = decimal_sums(codes, values, 4)
    np.testing.assert_allclose(sums, expected, rtol=1e-15)
    assert (decimal_sums(codes[order], values[order], 4) == sums).all()
    # Equal money is equal, however it came in.
    for one in range(4):
        for other in range(4):
            assert (sums[one] == sums[other]) == (exact[one] == exact[other])


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(-(10**7), 10**7)), min_size=1, max_size=80),
    st.sampled_from([1e9, 1e12, 1e15]),
)
def test_one_very_large_amount_takes_no_cent_from_the_others(rows, large):
    codes = np.array([4, *(code for code, _ in rows)])
    units = np.array([0, *(unit for _, unit in rows)])
    values = np.array([large, *(float(f"{unit}e-2") for unit in units[1:])])
    exact = np.array([units[codes == code].sum() for code in range(4)])
    sums = decimal_sums(codes, values, 5)
    np.testing.assert_allclose(sums, [*(float(f"{unit}e-2") for unit in exact), large], rtol=3e-16)
    order = np.random.default_rng(1).permutation(len(codes))
    assert (decimal_sums(codes[order], values[order], 5) == sums).all()
    for one in range(4):
        for other in range(4):
            assert (sums[one] == sums[other]) == (exact[one] == exact[other])


@pytest.mark.parametrize(("price", "large"), [(1.99, 1e7), (0.49, 1e9), (0.49, 1e15)])
def test_many_rows_of_one_customer_beside_a_large_amount(price, large):
    n = 2_000_000
    codes = np.r_[np.zeros(n, dtype=np.int64), 1]
    sums = decimal_sums(codes, np.r_[np.full(n, price), large], 2)
    assert sums.tolist() == [round(n * price, 2), large]


def test_sums_of_nothing_and_of_zeros():
    empty = np.array([], dtype=np.int64)
    assert decimal_sums(empty, empty.astype(float), 2).tolist() == [0.0, 0.0]
    assert decimal_sums(np.array([0, 1]), np.zeros(2), 2).tolist() == [0.0, 0.0]


def test_sums_of_very_large_and_very_small_values():
    codes = np.array([0, 0, 1])
    for size in (1e-9, 1e15, 1e200):
        values = np.array([1.0, 2.0, 4.0]) * size
        np.testing.assert_allclose(decimal_sums(codes, values, 2), [3 * size, 4 * size])
