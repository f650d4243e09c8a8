"""Accounting value against textbook figures and sums written out."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmkit import clv
from crmkit.clv._math import accounting
from crmkit.errors import InputError


def flows(dates, amounts, customer=1):
    return pd.DataFrame({"customer_id": customer, "date": pd.to_datetime(dates), "amount": amounts})


def test_net_present_value_equals_xnpv():
    # The example of Microsoft's documentation of XNPV: 2,086.647602 at 9%.
    table = flows(
        ["2008-01-01", "2008-03-01", "2008-10-30", "2009-02-15", "2009-04-01"],
        [-10_000.0, 2_750.0, 4_250.0, 3_250.0, 2_750.0],
    )
    value = clv.net_present_value(table, annual_discount_rate=0.09, as_of="2008-01-01")
    assert value.loc[0, "net_present_value"] == pytest.approx(2_086.647602, abs=1e-6)


@pytest.mark.parametrize(
    ("day_count", "years"),
    [
        ("actual/365", 366 / 365),
        ("actual/360", 366 / 360),
        ("actual/actual", 1.0),
        ("30/360", 1.0),
    ],
)
def test_day_counts_over_a_leap_year(day_count, years):
    day = np.array([np.datetime64("2025-01-01").astype(int)])
    start = int(np.datetime64("2024-01-01").astype(int))
    assert accounting.day_count_years(start, day, day_count)[0] == pytest.approx(years)


def test_thirty_360_ends_of_months():
    start = int(np.datetime64("2024-01-31").astype(int))
    days = np.array(["2024-03-31", "2024-02-29", "2023-12-31"], dtype="datetime64[D]").astype(int)
    years = accounting.day_count_years(start, days, "30/360")
    np.testing.assert_allclose(years * 360, [60, 29, -30])


def test_past_flows_are_compounded_forward():
    value = clv.net_present_value(
        flows(["2023-01-01"], [100.0]), annual_discount_rate=0.1, as_of="2024-01-01"
    )
    assert value.loc[0, "net_present_value"] == pytest.approx(110.0)


def test_impossible_rates_are_refused():
    table = flows(["2024-01-01"], [1.0])
    for rate in (-1.0, float("nan"), "0.1"):
        with pytest.raises(InputError, match="annual_discount_rate"):
            clv.net_present_value(table, annual_discount_rate=rate, as_of="2024-01-01")


@pytest.mark.parametrize(
    ("rate", "multiples"),
    [(0.10, [1.2, 1.75, 2.6667, 4.5]), (0.12, [1.1538, 1.6667, 2.5, 4.0909])],
)
def test_gupta_lehmann_multiples(rate, multiples):
    # r / (1 + i - r) at retention .6, .7, .8, .9.
    retention = np.array([0.6, 0.7, 0.8, 0.9])
    found = accounting.margin_multiple(retention, rate=rate)
    np.testing.assert_allclose(found, multiples, atol=5e-5)


@given(
    st.floats(0.0, 1.0),
    st.floats(-0.5, 2.0),
    st.floats(-0.5, 1.0),
    st.integers(0, 60),
    st.sampled_from(["after_renewal", "period_end", "now"]),
)
def test_margin_multiple_is_the_sum_written_out(retention, rate, growth, n, timing):
    total = 0.0
    for k in range(n):
        renewals, paid = {
            "after_renewal": (k + 1, k + 1),
            "period_end": (k, k + 1),
            "now": (k, k),
        }[timing]
        total += retention**renewals * (1 + growth) ** k / (1 + rate) ** paid
    found = accounting.margin_multiple(
        np.array([retention]), rate=rate, growth=growth, n_periods=n, first_payment=timing
    )
    np.testing.assert_allclose(found[0], total, rtol=1e-9, atol=1e-12)


def test_geometric_sum_keeps_its_digits_near_one():
    ratio = np.array([1.0, 1.0 + 1e-12, 1.0 - 1e-12, 0.0])
    np.testing.assert_allclose(accounting.geometric_sum(ratio, 10), [10, 10, 10, 1], rtol=1e-9)
    assert np.isinf(accounting.geometric_sum(np.array([1.0, 1.5]), None)).all()


def members(retention, **columns):
    return pd.DataFrame(
        {"customer_id": range(len(retention)), "margin": 100.0, "retention_rate": retention}
        | columns
    )


def test_retention_value_charges_acquisition():
    table = members([0.8, 0.9], acquisition_cost=[50.0, 500.0])
    value = clv.retention_value(table, annual_discount_rate=0.1)
    np.testing.assert_allclose(value["lifetime_value"], [800 / 3 - 50, -50])


def test_retention_value_by_month_and_year_agree():
    # Twelve monthly payments with the retention of a month are one year of payments.
    month = clv.retention_value(
        members([0.9]), annual_discount_rate=0.2, period_days=365 / 12, n_periods=12
    )
    rate = 1.2 ** (1 / 12)
    expected = sum(100 * 0.9**k / rate**k for k in range(1, 13))
    assert month.loc[0, "lifetime_value"] == pytest.approx(expected)


def test_retention_value_refuses_what_has_no_value():
    with pytest.raises(InputError, match="1 of 2 rows have an infinite value"):
        clv.retention_value(members([0.5, 1.0]), annual_discount_rate=0.0)
    with pytest.raises(InputError, match="above 1"):
        clv.retention_value(members([85.0]), annual_discount_rate=0.1)
    finite = clv.retention_value(members([1.0]), annual_discount_rate=0.0, n_periods=3)
    assert finite.loc[0, "lifetime_value"] == 300.0
