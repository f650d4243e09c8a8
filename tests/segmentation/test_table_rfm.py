"""The RFM table against brute force, and what must not change it."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from crmkit.errors import InputError
from crmkit.segmentation import rfm_table

rows = st.lists(
    st.tuples(st.integers(1, 5), st.integers(0, 20), st.integers(-500, 2000), st.integers(0, 6)),
    min_size=1,
    max_size=60,
).filter(lambda drawn: any(cents >= 0 for _, _, cents, _ in drawn))


def make_log(drawn):
    frame = pd.DataFrame(drawn, columns=["customer_id", "day", "cents", "order_id"])
    frame["date"] = pd.Timestamp("2024-12-25") + pd.to_timedelta(frame["day"], unit="D")
    frame["amount"] = frame["cents"] / 100
    return frame


def brute_force(log, as_of, unit):
    log = log[log["date"] <= pd.Timestamp(as_of)]
    out = {}
    for customer, own in log.groupby("customer_id"):
        bought = own[own["amount"] >= 0]
        if bought.empty:
            continue
        counts = {
            "rows": len(bought),
            "days": bought["date"].nunique(),
            "orders": bought["order_id"].nunique(),
        }
        out[customer] = (
            (pd.Timestamp(as_of) - bought["date"].max()).days,
            counts[unit],
            own["cents"].sum() / 100,
            bought["date"].min(),
        )
    return out


@given(rows, st.sampled_from(["orders", "days", "rows"]))
def test_equals_brute_force(drawn, unit):
    log = make_log(drawn)
    as_of = log["date"].min() + pd.Timedelta("10D")
    expected = brute_force(log, as_of, unit)
    assume(expected)
    table = rfm_table(log, as_of=as_of, frequency=unit)
    assert list(table["customer_id"]) == sorted(expected)
    for row in table.itertuples():
        recency, frequency, total, first = expected[row.customer_id]
        assert (row.recency_days, row.frequency, row.first_date) == (recency, frequency, first)
        assert row.total_amount == total
        assert row.monetary == total / frequency
    lost = log[(log["date"] <= as_of) & ~log["customer_id"].isin(list(expected))]
    account = table.attrs["account"]
    assert account["customers_without_purchase"] == lost["customer_id"].nunique()
    assert account.get("amount_without_purchase", 0.0) == pytest.approx(lost["amount"].sum())
    assert table.attrs["rows_after_as_of"] == (log["date"] > as_of).sum()


@given(rows)
def test_later_rows_change_nothing(drawn):
    log = make_log(drawn)
    as_of = log["date"].max()
    later = log.assign(date=as_of + pd.Timedelta("1D"), amount=1e9, customer_id=99)
    table = rfm_table(pd.concat([log, later], ignore_index=True), as_of=as_of)
    pd.testing.assert_frame_equal(table, rfm_table(log))


@given(rows, st.randoms(use_true_random=False))
def test_row_order_changes_not_a_digit(drawn, random):
    log = make_log(drawn)
    order = list(range(len(log)))
    random.shuffle(order)
    pd.testing.assert_frame_equal(rfm_table(log.iloc[order]), rfm_table(log), check_exact=True)


def test_equal_order_numbers_of_two_customers_are_two_orders():
    log = pd.DataFrame(
        {
            "customer_id": [1, 1, 2],
            "date": pd.to_datetime(["2025-01-01"] * 3),
            "amount": [1.0, 2.0, 3.0],
            "order_id": ["a", "a", "a"],
        }
    )
    assert rfm_table(log)["frequency"].tolist() == [1, 1]
    assert rfm_table(log, frequency="rows")["frequency"].tolist() == [2, 1]


def test_who_has_refunds_only_is_no_customer_and_is_accounted_for():
    log = pd.DataFrame(
        {
            "customer_id": [1, 1, 2],
            "date": pd.to_datetime(["2025-01-01", "2025-01-05", "2025-01-09"]),
            "amount": [-1.0, -2.5, 3.0],
        }
    )
    table = rfm_table(log)
    assert table["customer_id"].tolist() == [2]
    assert table.attrs["account"] == {
        "customers_without_purchase": 1,
        "amount_without_purchase": -3.5,
    }
    with pytest.raises(InputError, match="no purchase on or before 2025-01-05: every row is a"):
        rfm_table(log.head(2))
    with pytest.raises(InputError, match="every row lies later or is a refund"):
        rfm_table(log, as_of="2025-01-08")


def test_integer_like_orders_beyond_packing_range():
    huge = np.array([0, 2**62, 5, 2**62])
    log = pd.DataFrame(
        {
            "customer_id": [1, 1, 2, 2],
            "date": pd.to_datetime(["2025-01-01"] * 4),
            "amount": 1.0,
            "order_id": huge,
        }
    )
    assert rfm_table(log)["frequency"].tolist() == [2, 2]


def test_words_and_dates_that_are_refused():
    log = make_log([(1, 0, 100, 0)])
    with pytest.raises(InputError, match="`frequency` must be one of"):
        rfm_table(log, frequency="visits")
    with pytest.raises(InputError, match="as_of"):
        rfm_table(log, as_of="2020-01-01")
