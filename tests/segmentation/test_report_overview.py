"""Overviews of segments against brute force."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from crmkit.errors import InputError, MissingColumnsError
from crmkit.segmentation import rfm_scores, rfm_segments, rfm_table, segment_overview

people = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", "c"]),
        st.integers(1, 9),
        st.integers(-5000, 90000),
        st.integers(-40000, 40000),
        st.integers(0, 50000),
    ),
    min_size=1,
    max_size=40,
)


def tables(drawn):
    frame = pd.DataFrame(drawn, columns=["segment", "frequency", "cents", "earned", "was"])
    frame.insert(0, "customer_id", range(len(frame)))
    frame["total_amount"] = frame["cents"] / 100
    frame["profit"] = frame["earned"] / 100
    before = frame[["customer_id"]].assign(total_amount=frame["was"] / 100)
    return frame.drop(columns=["segment"]), frame[["customer_id", "segment"]], before


@given(people)
def test_equals_brute_force(drawn):
    customers, segments, before = tables(drawn)
    overview = segment_overview(customers, segments, before=before)
    whole = customers.merge(segments).merge(before.rename(columns={"total_amount": "old"}))
    assert (np.diff(overview["mean_profit"]) <= 1e-9).all()
    for row in overview.itertuples():
        own = whole[whole["segment"] == row.segment]
        n = len(own)
        assert (row.customers, row.orders) == (n, own["frequency"].sum())
        assert row.share_of_customers == pytest.approx(n / len(whole))
        assert row.total_amount == own["cents"].sum() / 100
        assert row.mean_profit == pytest.approx(own["profit"].mean())
        assert row.loss_makers == (own["profit"] < 0).sum()
        assert row.total_loss == -own["earned"][own["earned"] < 0].sum() / 100
        assert row.amount_before == own["was"].sum() / 100
        if n > 1:
            t = stats.t.ppf(0.975, n - 1)
            half = t * own["profit"].std(ddof=1) / np.sqrt(n)
            assert row.mean_profit_low == pytest.approx(own["profit"].mean() - half, abs=1e-6)
            assert row.mean_profit_high == pytest.approx(own["profit"].mean() + half, abs=1e-6)
        else:
            assert np.isnan(row.mean_profit_low)
            assert np.isnan(row.growth_low)
        if row.amount_before > 0:
            ratio = own["total_amount"].sum() / own["old"].sum()
            assert row.growth == pytest.approx(ratio - 1)
            if n > 1 and ratio > 0:
                off = own["total_amount"] - ratio * own["old"]
                error = np.sqrt((off**2).sum() * n / (n - 1)) / own["total_amount"].sum()
                assert row.growth_high == pytest.approx(ratio * np.exp(t * error) - 1)
                assert row.growth_low == pytest.approx(ratio * np.exp(-t * error) - 1)
        else:
            assert np.isnan(row.growth)
    assert overview["customers"].sum() == len(whole)
    total = whole["cents"].sum() / 100
    assert overview["share_of_amount"].notna().all() == (total > 0)


def test_segments_of_any_kind_and_none():
    customers = pd.DataFrame(
        {"customer_id": [1, 2, 3], "revenue": [9.0, 3.0, 6.0], "region": ["n", None, "n"]}
    )
    whole = segment_overview(customers)
    assert whole["segment"].tolist() == ["all"]
    assert whole["total_amount"].tolist() == [18.0]
    assert whole.attrs["columns"] == {"amount": "revenue"}
    regions = segment_overview(customers, by="region")
    assert regions["customers"].tolist() == [2, 1]
    assert regions["region"].isna().tolist() == [False, True]
    named = segment_overview(customers.rename(columns={"revenue": "spent"}), profit="spent")
    assert named["profit"].tolist() == [18.0]
    some = customers[["customer_id"]].head(2).assign(segment=["x", "y"])
    overview = segment_overview(customers, some)
    assert overview["total_amount"].tolist() == [9.0, 3.0]
    assert overview.attrs["account"]["customers_without_segments"] == 1


def test_strategies_come_along_where_they_are_one_per_segment():
    log = pd.DataFrame(
        {
            "customer_id": [1, 1, 2, 3],
            "date": pd.to_datetime(["2025-01-01", "2025-03-01", "2025-02-01", "2025-03-05"]),
            "amount": [10.0, 20.0, 30.0, 5.0],
        }
    )
    rfm = rfm_table(log)
    segments = rfm_segments(rfm_scores(rfm))
    overview = segment_overview(rfm, segments)
    expected = segments.drop_duplicates("segment").set_index("segment")["strategy"]
    assert overview["strategy"].tolist() == expected[overview["segment"]].tolist()
    mixed = segments.assign(segment="one", strategy=["a", "b", "c"])
    assert "strategy" not in segment_overview(rfm, mixed)


def test_growth_counts_who_is_new_and_accounts_for_who_is_gone():
    now = pd.DataFrame({"customer_id": [1, 2], "total_amount": [30.0, 10.0]})
    before = pd.DataFrame({"customer_id": [1, 9], "total_amount": [20.0, 50.0]})
    overview = segment_overview(now, before=before)
    assert overview["amount_before"].tolist() == [20.0]
    assert overview["growth"].tolist() == [1.0]
    account = overview.attrs["account"]
    assert (account["customers_unmatched"], account["before_unmatched"]) == (1, 1)


def test_what_is_refused():
    customers = pd.DataFrame({"customer_id": [1, 2], "profit": [1.0, 2.0]})
    with pytest.raises(MissingColumnsError, match="total_amount"):
        segment_overview(customers, before=customers)
    with pytest.raises(MissingColumnsError, match="'region'"):
        segment_overview(customers, by="region")
    with pytest.raises(MissingColumnsError, match="worth"):
        segment_overview(customers, value="worth")
    with pytest.raises(InputError, match=r"'customers'.*for a column of its own"):
        segment_overview(customers.assign(customers=1), by="customers")
