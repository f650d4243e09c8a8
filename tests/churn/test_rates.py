"""Growth accounting against a count by hand, and its identities."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from crmkit.churn import cohort_table, retention_table
from crmkit.errors import InputError

DAY_ONE = pd.Timestamp("2024-01-15")
FREQUENCY = {"day": "D", "week": "W-SUN", "month": "M", "quarter": "Q", "year": "Y"} | {
    "week-sunday": "W-SAT",
    "week-thursday": "W-WED",
    "quarter-february": "Q-JAN",
    "year-april": "Y-MAR",
}

logs = st.lists(
    st.tuples(st.integers(0, 6), st.integers(0, 160), st.integers(-400, 900)),
    min_size=1,
    max_size=40,
).filter(lambda rows: any(amount >= 0 for _, _, amount in rows))
spells = st.lists(
    st.tuples(st.integers(0, 5), st.integers(0, 160), st.integers(-1, 200), st.integers(1, 90)),
    min_size=1,
    max_size=25,
)


def log_of(rows):
    frame = pd.DataFrame(rows, columns=["customer_id", "day", "amount"])
    dates = DAY_ONE + pd.to_timedelta(frame["day"], unit="D")
    return pd.DataFrame(
        {"customer_id": frame["customer_id"], "date": dates, "amount": frame["amount"] / 4}
    )


def booked(log, when):
    """Rows by `when`; a refund counts when its customer last bought up to it, or not at all."""
    bought = log["amount"] >= 0
    rows = []
    for row in range(len(log)):
        mine = bought & (log["customer_id"] == log["customer_id"][row]) & (when <= when[row])
        if mine.any():
            rows.append((log["customer_id"][row], when[mine].max(), log["amount"][row]))
    return pd.DataFrame(rows, columns=["customer_id", "when", "amount"])


def identities(table):
    """Hold both accounts, customers and revenue, to their opening and closing balances."""
    before = table["active"].shift(fill_value=0)
    moved = table["new"] + table["reactivated"] - table["lost"]
    assert (table["active"] == before + moved).all()
    assert (table["retained"] == before - table["lost"]).all()
    assert (table["active"] == table["retained"] + table["new"] + table["reactivated"]).all()
    if "revenue" in table:
        gains = table["revenue_new"] + table["revenue_reactivated"] + table["revenue_expansion"]
        losses = table["revenue_contraction"] + table["revenue_lost"]
        np.testing.assert_allclose(
            table["revenue"], table["revenue"].shift(fill_value=0) + gains - losses, atol=1e-8
        )
    assert table.loc[~table["complete"], "retention_rate"].isna().all()
    assert table["retention_rate"].dropna().between(0, 1).all()


def test_changes_of_less_than_one_unit_of_money_count():
    contracts = pd.DataFrame(
        {
            "customer_id": [1, 1, 2, 2],
            "start_date": pd.to_datetime(["2024-01-01", "2024-02-01"] * 2),
            "end_date": pd.to_datetime(["2024-02-01", pd.NaT] * 2),
            "monthly_revenue": [10.0, 10.25, 20.0, 19.5],
        }
    )
    second = retention_table(contracts, as_of="2024-02-29").iloc[1]
    assert second[["revenue_expansion", "revenue_contraction"]].tolist() == [0.25, 0.5]


@given(logs, st.sampled_from(sorted(FREQUENCY)))
def test_activity_by_period_equals_a_count_by_hand(rows, period):
    log = log_of(rows)
    table = retention_table(log, period=period)
    identities(table)
    number = log["date"].dt.to_period(FREQUENCY[period])
    rows = booked(log, number)
    sets = {p: set(rows.loc[rows["when"] == p, "customer_id"]) for p in number.unique()}
    periods = pd.period_range(rows["when"].min(), number.max(), freq=number.dt.freq)
    seen, previous = set(), set()
    assert list(table["period"]) == list(periods.start_time)
    for p, row in zip(periods, table.itertuples(), strict=True):
        now = sets.get(p, set())
        assert row.active == len(now)
        assert row.new == len(now - seen)
        assert row.lost == len(previous - now)
        assert row.reactivated == len((now & seen) - previous)
        assert row.revenue == pytest.approx(rows.loc[rows["when"] == p, "amount"].sum(), abs=1e-9)
        assert row.complete == (p.end_time.normalize() <= log["date"].max())
        seen |= now
        previous = now


@given(logs, st.integers(1, 120), st.integers(0, 40))
def test_activity_in_a_window_equals_a_count_by_hand(rows, window, extra):
    log = log_of(rows)
    as_of = log["date"].max() + pd.Timedelta(days=extra)
    table = retention_table(log, window_days=window, as_of=as_of)
    identities(table)
    log = booked(log, log["date"])
    for row in table.itertuples():
        end = min(row.period + pd.offsets.MonthEnd(0), as_of)
        inside = (log["when"] <= end) & (log["when"] > end - pd.Timedelta(days=window))
        assert row.active == log.loc[inside, "customer_id"].nunique()
        assert row.revenue == pytest.approx(log.loc[inside, "amount"].sum(), abs=1e-9)


@given(spells, st.integers(0, 60))
def test_contracts_equal_a_count_by_hand(rows, extra):
    frame = pd.DataFrame(rows, columns=["customer_id", "start", "length", "fee"])
    start = DAY_ONE + pd.to_timedelta(frame["start"], unit="D")
    end = start + pd.to_timedelta(frame["length"].clip(lower=0), unit="D")
    contracts = pd.DataFrame(
        {
            "customer_id": frame["customer_id"],
            "start_date": start,
            "end_date": end.where(frame["length"] >= 0),
            "monthly_revenue": frame["fee"] / 2,
        }
    )
    as_of = start.max() + pd.Timedelta(days=extra)
    table = retention_table(contracts, as_of=as_of, ends="exclusive")
    identities(table)
    opening = pd.Series(dtype=float)
    for row in table.itertuples():
        day = min(row.period + pd.offsets.MonthEnd(0), as_of)
        runs = (contracts["start_date"] <= day) & ~(contracts["end_date"] <= day)
        fees = contracts[runs].groupby("customer_id")["monthly_revenue"].sum()
        assert row.active == len(fees)
        assert row.revenue == pytest.approx(fees.sum())
        if row.complete and len(opening):
            later = fees.reindex(opening.index).fillna(0.0)
            assert row.churn_rate == pytest.approx(1 - opening.index.isin(fees.index).mean())
            assert row.net_revenue_retention == pytest.approx(later.sum() / opening.sum())
            kept = np.minimum(later, opening).sum() / opening.sum()
            assert row.revenue_churn_rate == pytest.approx(1 - kept)
        opening = fees


@given(logs, st.integers(0, 160))
def test_rows_after_as_of_change_nothing(rows, cut):
    log = log_of(rows)
    as_of = log["date"].min() + pd.Timedelta(days=cut)
    past = log[log["date"] <= as_of]
    assume((past["amount"] >= 0).any())
    for options in ({}, {"window_days": 40}):
        whole = retention_table(log, as_of=as_of, **options)
        pd.testing.assert_frame_equal(whole, retention_table(past, as_of=as_of, **options))
    whole = cohort_table(log, as_of=as_of, activity="unbounded")
    pd.testing.assert_frame_equal(whole, cohort_table(past, as_of=as_of, activity="unbounded"))


def test_an_end_that_is_known_ahead_changes_nothing_yet():
    start = pd.to_datetime(["2024-01-01", "2024-01-10", "2024-02-01"])
    open_end = pd.DataFrame({"customer_id": [1, 2, 3], "start_date": start, "end_date": pd.NaT})
    ahead = open_end.assign(end_date=pd.to_datetime(["2025-01-01", None, "2024-05-01"]))
    pd.testing.assert_frame_equal(
        retention_table(ahead, as_of="2024-04-30"), retention_table(open_end, as_of="2024-04-30")
    )
    assert retention_table(ahead, as_of="2024-05-31")["lost"].iloc[-1] == 1


def test_rates_are_rescaled_to_a_common_length():
    rows = [(i, 0, 4) for i in range(10)] + [(i, 20, 4) for i in range(9)]
    log = log_of(rows)
    table = retention_table(log, as_of="2024-02-29", rate_days=365.25)
    february = table.iloc[1]
    assert february["retention_rate"] == pytest.approx(0.9 ** (365.25 / 29))
    assert february["churn_rate"] == pytest.approx(1 - 0.9 ** (365.25 / 29))
    assert february["revenue_churn_rate"] == pytest.approx(1 - 0.9 ** (365.25 / 29))
    assert february["conf_low"] < february["retention_rate"] < february["conf_high"]


def test_a_period_in_progress_has_counts_but_no_rates():
    log = log_of([(1, 0, 4), (2, 0, 4), (1, 20, 4)])
    table = retention_table(log)
    assert list(table["complete"]) == [True, False]
    assert list(table["active"]) == [2, 1]
    assert table["retention_rate"].isna().all()
    assert retention_table(log, as_of="2024-02-29")["retention_rate"].iloc[1] == 0.5


def test_weeks_begin_on_monday():
    log = pd.DataFrame(
        {"customer_id": [1, 1], "date": pd.to_datetime(["2024-12-29", "2024-12-30"])}
    )
    table = retention_table(log, period="week")
    assert list(table["period"]) == [pd.Timestamp("2024-12-23"), pd.Timestamp("2024-12-30")]
    assert "revenue" not in table


def test_periods_of_ones_own_may_have_any_length():
    weeks = np.cumsum([0, 4, 4, 5, 4, 4, 5])
    first = [pd.Timestamp("2024-01-28") + pd.Timedelta(weeks=int(week)) for week in weeks]
    log = log_of([(1, 13, 4), (2, 40, 4), (1, 41, 4), (2, 68, 4), (2, 69, 4), (2, 103, 4)])
    table = retention_table(log, period=first, as_of="2024-06-10")
    assert list(table["period"]) == first[:5]
    assert list(table["active"]) == [2, 2, 1, 0, 0]
    assert list(table["complete"]) == [True] * 4 + [False]
    yearly = retention_table(log, period=first, as_of="2024-06-10", rate_days=364)
    assert yearly["retention_rate"][2] == pytest.approx(0.5 ** (364 / 35))
    for days in (
        pd.Series(first),
        np.array(first, dtype="datetime64[ns]"),
        pd.DatetimeIndex(first),
    ):
        pd.testing.assert_frame_equal(retention_table(log, period=days, as_of="2024-06-10"), table)
    cohorts = cohort_table(log, period=first, as_of="2024-06-10")
    assert list(cohorts["active"].dropna()) == [2, 2, 1, 0]
    with pytest.raises(InputError, match="`period` begins on 2024-02-25, but the table on 2024-01"):
        retention_table(log, period=first[1:])
    with pytest.raises(InputError, match="last day 2024-03-24 begins a period whose end is not"):
        retention_table(log, period=first[:3])
    with pytest.raises(InputError, match="2024-01-28 follows 2024-02-25"):
        retention_table(log, period=[first[1], first[0]])
    with pytest.raises(InputError, match="first days of two periods at least"):
        retention_table(log, period=[])
    with pytest.raises(InputError, match="`period` must be a date"):
        retention_table(log, period=["month", "year"])


def test_bad_arguments_are_named():
    log = log_of([(1, 0, 4)])
    with pytest.raises(InputError, match="`period` must be one of"):
        retention_table(log, period="months")
    with pytest.raises(InputError, match="`window_days`"):
        retention_table(log, window_days=0)
    contracts = pd.DataFrame(
        {
            "customer_id": [1, 2],
            "start_date": pd.to_datetime(["2024-01-01", "2024-02-01"]),
            "end_date": [pd.NaT, pd.Timestamp("2024-01-01")],
        }
    )
    with pytest.raises(InputError, match="'end_date' lies before 'start_date' in 1 of 2 rows"):
        retention_table(contracts)
    with pytest.raises(InputError, match="a contract itself says when it runs"):
        retention_table(contracts, window_days=30)
    with pytest.raises(InputError, match="no contract that starts on or before `as_of`"):
        retention_table(contracts.assign(end_date=pd.NaT), as_of="2023-01-01")
