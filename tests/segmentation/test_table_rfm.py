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


@given(rows, st.sampled_from(["orders", "days", "rows"]))
def test_a_window_is_the_table_of_its_rows(drawn, unit):
    log = make_log(drawn)
    first = log["date"].min() + pd.Timedelta("3D")
    inside = log[log["date"] >= first]
    assume((inside["amount"] >= 0).any())
    table = rfm_table(log, since=first, frequency=unit)
    pd.testing.assert_frame_equal(table, rfm_table(inside, frequency=unit))
    assert table.attrs["rows_before_since"] == len(log) - len(inside)


@given(rows, st.sampled_from(["orders", "days", "rows"]))
def test_statistics_of_money_equal_brute_force(drawn, unit):
    log = make_log(drawn)
    tables = {
        word: rfm_table(log, frequency=unit, monetary=word).set_index("customer_id")["monetary"]
        for word in ("median", "max", "min", "total")
    }
    for customer, own in log.groupby("customer_id"):
        if not (own["amount"] >= 0).any():
            continue
        assert tables["total"][customer] == own["cents"].sum() / 100
        key = {"orders": own["order_id"], "days": own["date"], "rows": own.index}[unit]
        bought = own["amount"].ge(0).groupby(key).any()
        cents = own["cents"].groupby(key).sum()[bought]
        for word in ("median", "max", "min"):
            assert tables[word][customer] == pytest.approx(getattr(cents, word)() / 100)


def test_customers_who_never_bought_stand_in_the_table():
    log = make_log([(1, 0, 100, 0), (3, 5, 300, 0), (4, 6, -200, 1)])
    people = pd.DataFrame({"customer_id": [4, 3, 2, 9], "age": 40})
    table = rfm_table(log, customers=people)
    assert table["customer_id"].tolist() == [1, 2, 3, 4, 9]
    assert table["customer_id"].dtype == log["customer_id"].dtype
    assert table["frequency"].tolist() == [1, 0, 1, 0, 0]
    assert table["recency_days"].isna().tolist() == [False, True, False, True, True]
    assert table["first_date"].isna().tolist() == [False, True, False, True, True]
    assert table["total_amount"].tolist() == [1.0, 0.0, 3.0, 0.0, 0.0]
    account = table.attrs["account"]
    assert account["customers_unmatched"] == 3
    assert account["amount_without_purchase"] == -2.0
    later = rfm_table(log, customers=people, since="2024-12-28")
    assert later["customer_id"].tolist() == [2, 3, 4, 9]
    alike = rfm_table(log, customers=people[people["customer_id"] == 3])
    pd.testing.assert_frame_equal(alike, rfm_table(log))


def test_who_has_refunds_only_in_the_window_is_told_to_win_no_second_order():
    log = make_log([(1, 0, 100, 0), (1, 9, -100, 0), (2, 9, 500, 1), (3, 1, 200, 2)])
    table = rfm_table(log, since="2024-12-27")
    assert table["customer_id"].tolist() == [2]
    assert table.attrs["account"]["customers_without_purchase"] == 1
    with pytest.raises(InputError, match="every row lies earlier, later or is a refund"):
        rfm_table(log[log["customer_id"] != 2], since="2024-12-27")
    with pytest.raises(InputError, match="`since`"):
        rfm_table(log, since=3)
