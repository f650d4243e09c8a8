"""Cohort cells against sets counted by hand."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmkit.churn import cohort_customers, cohort_table, retention_curve
from crmkit.errors import InputError, MissingColumnsError

DAY_ONE = pd.Timestamp("2023-11-20")
FREQUENCY = {"day": "D", "week": "W-SUN", "month": "M", "quarter": "Q", "year": "Y"}

logs = st.lists(
    st.tuples(st.integers(0, 7), st.integers(0, 150), st.integers(-400, 900)),
    min_size=1,
    max_size=40,
).filter(lambda rows: any(amount >= 0 for _, _, amount in rows))


def log_of(rows):
    frame = pd.DataFrame(rows, columns=["customer_id", "day", "amount"])
    dates = DAY_ONE + pd.to_timedelta(frame["day"], unit="D")
    return pd.DataFrame(
        {"customer_id": frame["customer_id"], "date": dates, "amount": frame["amount"] / 4}
    )


def by_hand(log, period, kind, window, as_of):
    """Return {(cohort, age): (size, active or None, amount or None)} from sets of customers."""
    number = log["date"].dt.to_period(FREQUENCY[period])
    bought = log["amount"] >= 0
    first = number[bought].groupby(log["customer_id"]).min()
    last = as_of.to_period(number.dt.freq)
    complete = last if last.end_time.normalize() <= as_of else last - 1
    cells = {}
    for cohort in sorted(first.unique()):
        members = set(first.index[first == cohort])
        theirs = log["customer_id"].isin(members)
        age = 0
        while age == 0 or number[bought].min() + age <= complete:
            at = cohort + age
            if kind == "exact":
                then = number == at
            elif kind == "unbounded":
                then = number >= at
            else:
                then = (number <= at) & (number > at - window)
            active = len(members & set(log.loc[then & bought, "customer_id"]))
            amount = log.loc[theirs & (number == at), "amount"].sum()
            seen = at <= complete
            cells[cohort.start_time, age] = (
                len(members),
                active if seen else None,
                amount if seen else None,
            )
            age += 1
    return cells


@given(
    logs,
    st.sampled_from(["week", "month", "quarter", "year"]),
    st.sampled_from(["exact", "unbounded", "rolling"]),
    st.integers(1, 4),
    st.integers(0, 40),
)
def test_cells_equal_a_count_by_hand(rows, period, kind, window, extra):
    log = log_of(rows)
    as_of = log["date"].max() + pd.Timedelta(days=extra)
    table = cohort_table(log, period=period, activity=kind, window_periods=window, as_of=as_of)
    expected = by_hand(log, period, kind, window, as_of)
    found = {
        (row.cohort, row.age): (
            row.customers,
            None if np.isnan(row.active) else row.active,
            None if np.isnan(row.amount) else pytest.approx(row.amount, abs=1e-9),
        )
        for row in table.itertuples()
    }
    assert expected == found
    known = table.dropna()
    assert (known["retention_rate"] == known["active"] / known["customers"]).all()
    assert (known["conf_low"] <= known["retention_rate"]).all()
    assert (known["retention_rate"] <= known["conf_high"]).all()
    assert table["retention_rate"].isna().equals(table["active"].isna())


UNIT = {
    "day": {"days": 1},
    "week": {"weeks": 1},
    "month": {"months": 1},
    "quarter": {"months": 3},
    "year": {"years": 1},
}


@given(logs, st.sampled_from(["week", "month", "quarter"]), st.integers(0, 40))
def test_ages_from_each_customers_first_day_equal_a_count_by_hand(rows, period, extra):
    log = log_of(rows)
    as_of = log["date"].max() + pd.Timedelta(days=extra)
    options = {"period": period, "ages": "customer", "as_of": as_of}
    table = cohort_table(log, **options)
    history = {}
    for customer, date, amount in log.itertuples(index=False):
        history.setdefault(customer, []).append((date, amount))
    first = {
        customer: min(date for date, amount in mine if amount >= 0)
        for customer, mine in history.items()
        if any(amount >= 0 for _, amount in mine)
    }
    cohort = {c: day.to_period(FREQUENCY[period]).start_time for c, day in first.items()}
    for row in table.itertuples():
        members = [c for c in first if cohort[c] == row.cohort]
        assert row.customers == len(members)
        length = [
            pd.DateOffset(**{u: age * n for u, n in UNIT[period].items()})
            for age in (row.age, row.age + 1)
        ]
        spans = {c: (first[c] + length[0], first[c] + length[1]) for c in members}
        seen = all(end <= as_of + pd.Timedelta(days=1) for _, end in spans.values())
        assert np.isnan(row.active) == (not seen)
        if seen:
            inside = {
                c: [amount for date, amount in history[c] if start <= date < end]
                for c, (start, end) in spans.items()
            }
            buyers = {c for c, amounts in inside.items() if any(one >= 0 for one in amounts)}
            assert row.active == len(buyers)
            assert row.amount == pytest.approx(sum(map(sum, inside.values())), abs=1e-9)
            people = cohort_customers(log, cohort=row.cohort, age=row.age, **options)
            assert set(people.loc[people["active"], "customer_id"]) == buyers


@given(logs)
def test_kinds_are_ordered_and_unbounded_never_rises(rows):
    log = log_of(rows)
    exact = cohort_table(log, period="week")
    rolling = cohort_table(log, period="week", activity="rolling", window_periods=2)
    ever = cohort_table(log, period="week", activity="unbounded")
    known = exact["active"].notna()
    assert (exact["active"] <= rolling["active"])[known].all()
    assert (exact["active"] <= ever["active"])[known].all()
    falls = ever.groupby("cohort")["active"].diff().dropna()
    assert (falls <= 0).all()


@given(logs, st.sampled_from(["exact", "unbounded", "rolling"]))
def test_cohort_customers_are_those_counted(rows, kind):
    log = log_of(rows)
    table = cohort_table(log, activity=kind).dropna()
    for row in table.itertuples():
        people = cohort_customers(log, cohort=row.cohort, age=row.age, activity=kind)
        assert len(people) == row.customers
        assert people["active"].sum() == row.active
        spent = log.groupby("customer_id")["amount"].sum()
        np.testing.assert_allclose(people["amount"], spent[people["customer_id"]], atol=1e-9)


def test_groups_add_up_to_the_whole():
    rng = np.random.default_rng(3)
    log = log_of(
        np.column_stack(
            [rng.integers(0, 50, 400), rng.integers(0, 300, 400), rng.integers(1, 9, 400)]
        )
    )
    people = pd.DataFrame(
        {
            "customer_id": np.arange(60),
            "channel": np.where(np.arange(60) % 2, "web", "shop"),
            "region": [None if i % 5 == 0 else i % 3 for i in range(60)],
        }
    )
    whole = cohort_table(log)
    split = cohort_table(
        log, by=["channel", "region"], customers=people.sample(frac=1, random_state=1)
    )
    assert list(split.columns[:3]) == ["channel", "region", "cohort"]
    assert split["region"].isna().any()
    summed = split.groupby(["cohort", "age"])[["customers", "active", "amount"]].sum(min_count=1)
    expected = whole.set_index(["cohort", "age"])[["customers", "active", "amount"]]
    pd.testing.assert_frame_equal(summed, expected, check_dtype=False)
    inside = cohort_table(log.merge(people), by=["channel", "region"])
    pd.testing.assert_frame_equal(inside, split, check_dtype=False)


def test_max_age_cuts_the_table_only():
    log = log_of([(1, 0, 4), (1, 40, 8), (2, 5, 4), (1, 90, 16)])
    whole = cohort_table(log, as_of="2024-02-29")
    short = cohort_table(log, as_of="2024-02-29", max_age=1)
    pd.testing.assert_frame_equal(short, whole[whole["age"] <= 1].reset_index(drop=True))


def test_customers_without_a_value_are_the_last_group_and_strangers_are_counted():
    log = log_of([(1, 0, 4), (2, 3, 4), (3, 3, 4)])
    people = pd.DataFrame({"customer_id": [3.0, 2.0, 1.0, 9.0], "town": ["b", None, "a", "z"]})
    table = cohort_table(log, by="town", customers=people)
    first = table.drop_duplicates("town")
    assert first["town"].tolist()[:2] == ["a", "b"]
    assert first["town"].isna().tolist() == [False, False, True]
    assert table.attrs["account"]["customers_unmatched"] == 1
    with pytest.raises(InputError, match="do not write customer_id alike"):
        cohort_table(log, by="town", customers=people.astype({"customer_id": str}))


def test_bad_arguments_are_named():
    log = log_of([(1, 0, 4), (1, 40, 4), (2, 3, 4)])
    with pytest.raises(InputError, match="`activity` must be one of"):
        cohort_table(log, activity="ever")
    with pytest.raises(InputError, match="takes several values for 1 of 2 customers"):
        cohort_table(log.assign(shop=[1, 2, 3]), by="shop")
    with pytest.raises(InputError, match="lacks 1 of the 2 customers"):
        cohort_table(log, by="x", customers=pd.DataFrame({"customer_id": [1], "x": [1]}))
    with pytest.raises(MissingColumnsError, match="`transactions` lacks"):
        cohort_table(log, by="shop")
    with pytest.raises(InputError, match="a column of its own"):
        cohort_table(log, by="age")
    with pytest.raises(InputError, match="cannot split customers"):
        cohort_table(log, by="product")
    with pytest.raises(InputError, match="`by` must be a column name or a list"):
        cohort_table(log, by=5)
    with pytest.raises(InputError, match="twice"):
        cohort_table(log, by=["shop", "shop"])
    with pytest.raises(InputError, match="`cohort`: no customer came"):
        cohort_customers(log, cohort="2020-01-01", age=0)
    with pytest.raises(InputError, match="cannot be observed at 1 months"):
        cohort_customers(log, cohort="2023-11-30", age=1)


def test_a_table_too_large_is_refused():
    day = DAY_ONE + pd.to_timedelta(np.arange(5000), unit="D")
    log = pd.DataFrame({"customer_id": np.arange(5000), "date": day})
    with pytest.raises(InputError, match="5,000 cohorts by 5,000 ages"):
        cohort_table(log, period="day")
    assert len(cohort_table(log, period="day", max_age=1)) == 10000


def test_the_pooled_curve_uses_observable_cells_only():
    rng = np.random.default_rng(5)
    rows = np.column_stack(
        [rng.integers(0, 90, 900), rng.integers(0, 400, 900), rng.integers(1, 9, 900)]
    )
    log = log_of(rows).assign(shop=lambda t: t["customer_id"] % 2)
    cohorts = cohort_table(log, by="shop")
    curve = retention_curve(cohorts)
    assert list(curve.columns[:2]) == ["shop", "age"]
    for row in curve.itertuples():
        cells = cohorts[(cohorts["shop"] == row.shop) & (cohorts["age"] == row.age)].dropna()
        assert row.cohorts == len(cells)
        assert row.customers == cells["customers"].sum()
        assert row.retention_rate == cells["active"].sum() / cells["customers"].sum()
        assert row.amount_per_customer == pytest.approx(
            cells["amount"].sum() / cells["customers"].sum()
        )
    # Filling what cannot be observed with 0 would pull the curve down.
    last = curve["age"].max()
    filled = cohorts[cohorts["age"] == last]["active"].fillna(0).sum()
    assert filled / cohorts[cohorts["age"] == last]["customers"].sum() < (
        curve.loc[curve["age"] == last, "active"].sum()
        / curve.loc[curve["age"] == last, "customers"].sum()
    )
    with pytest.raises(InputError, match="no cell that can be observed"):
        retention_curve(cohorts.assign(active=np.nan))
