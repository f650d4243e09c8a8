"""Contracts as they are billed: day by day in plain Python, and what must be told apart."""

import datetime as dt
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest

from crmkit import churn
from crmkit.churn._math.contracts import last_days_served, without_contract
from crmkit.errors import InputError

DAY = dt.timedelta(days=1)
ONE = dt.date(2024, 1, 1)


def book(*rows, columns=("customer_id", "start_date", "end_date", "monthly_revenue")):
    frame = pd.DataFrame(rows, columns=list(columns))
    for column in ("start_date", "end_date"):
        frame[column] = pd.to_datetime(frame[column])
    return frame


def column(table, name):
    return table[name].tolist()


# Ends -------------------------------------------------------------------------------------------


def month_by_month(customers=("a", "b")):
    """Customers who renew every month from January to April 2024."""
    months = pd.period_range("2024-01", periods=4, freq="M")
    rows = [(who, m.start_time, m.end_time.normalize(), 10.0) for who in customers for m in months]
    return book(*rows)


def test_ends_on_the_last_day_served_are_refused_unless_told():
    last_days = month_by_month()
    with pytest.raises(InputError, match=r"`ends`: 8 of 8 ends in 'end_date' look like the last"):
        churn.retention_table(last_days, as_of="2024-04-30")
    told = churn.retention_table(last_days, as_of="2024-04-30", ends="inclusive")
    assert column(told, "active") == [2, 2, 2, 2]
    assert column(told, "revenue") == [20.0] * 4
    next_days = last_days.assign(end_date=last_days["end_date"] + pd.Timedelta(days=1))
    pd.testing.assert_frame_equal(
        told, churn.retention_table(next_days, as_of="2024-04-30"), check_exact=True
    )


@pytest.mark.parametrize("length", [7, 28, 30, 365])
def test_so_are_renewals_of_any_length(length):
    start = pd.Timestamp("2021-05-05") + pd.to_timedelta(np.arange(5) * length, unit="D")
    rows = [("a", day, day + pd.Timedelta(days=length - 1), 1.0) for day in start]
    with pytest.raises(InputError, match="of 5 ends in 'end_date' look like the last"):
        churn.retention_table(book(*rows))


@pytest.mark.parametrize("seed", range(40))
def test_stretches_after_a_contract_equal_a_count_day_by_day(seed):
    rng = np.random.default_rng(seed)
    n, m = rng.integers(0, 8), rng.integers(1, 7)
    customer, start = rng.integers(0, 4, n), rng.integers(0, 15, n)
    who, begin = rng.integers(0, 4, m), rng.integers(0, 18, m)
    until, end = start + rng.integers(1, 6, n), begin + rng.integers(1, 8, m)

    def is_after(row):
        own = customer == who[row]
        return any(
            (own & (until <= day)).any() and not (own & (start <= day) & (day < until)).any()
            for day in range(begin[row], end[row])
        )

    found = without_contract(customer, start, until, who, begin, end)
    assert found.tolist() == [is_after(row) for row in range(m)]


def test_contracts_of_a_day_run_for_no_whole_month():
    day = np.arange(20_000, 20_040)
    assert last_days_served(np.arange(40), day, day) == (0, 0, 40)


@pytest.mark.parametrize("months", [1, 3, 12])
def test_so_are_contracts_that_nobody_renewed(months):
    start = [pd.Timestamp("2023-01-31"), pd.Timestamp("2023-02-01"), pd.Timestamp("2023-03-15")]
    rows = [
        (number, day, day + pd.DateOffset(months=months) - pd.Timedelta(days=1), 1.0)
        for number, day in enumerate(start)
    ]
    with pytest.raises(InputError, match="3 of 3 ends"):
        churn.retention_table(book(*rows))
    whole = book(*rows).assign(end_date=lambda t: t["end_date"] + pd.Timedelta(days=1))
    assert churn.retention_table(whole)["active"].max() == (1 if months == 1 else 3)


def test_days_on_which_customers_happen_to_cancel_are_no_convention():
    rng = np.random.default_rng(0)
    start = pd.Timestamp("2023-01-01") + pd.to_timedelta(rng.integers(0, 300, 400), unit="D")
    end = start + pd.to_timedelta(rng.integers(1, 300, 400), unit="D")
    rows = list(zip(range(400), start, end, [1.0] * 400, strict=True))
    assert churn.retention_table(book(*rows))["active"].max() > 100


def test_a_period_that_nobody_has_fully_seen_is_not_complete():
    running = book((1, "2024-01-01", "2025-01-01", 10), (2, "2024-02-10", "2025-02-10", 10))
    table = churn.retention_table(running)
    assert column(table, "period") == [pd.Timestamp("2024-01-01"), pd.Timestamp("2024-02-01")]
    assert column(table, "complete") == [True, False]
    assert churn.retention_table(running, as_of="2024-02-29")["complete"].all()


def test_a_table_is_one_of_transactions_or_of_contracts():
    contracts = book((1, "2024-01-01", None, 10), (2, "2024-01-20", "2024-02-10", 10))
    log = contracts.rename(columns={"end_date": "date"}).fillna(
        {"date": pd.Timestamp("2024-02-01")}
    )
    # A column of the caller's own is not touched.
    plain = churn.retention_table(log.drop(columns="start_date"))
    pd.testing.assert_frame_equal(churn.retention_table(log), plain)
    with pytest.raises(InputError, match="'date' of transactions and 'start_date' and 'end_date'"):
        churn.retention_table(contracts.assign(date=pd.Timestamp("2024-02-01")))


# Trials, pauses, late renewals ------------------------------------------------------------------


def test_a_trial_is_no_customer_and_its_conversion_no_expansion():
    rows = (
        ("stays", "2023-12-01", None, 50),
        ("tries", "2024-01-10", "2024-02-10", 0),
        ("tries", "2024-02-10", None, 10),
        ("leaves", "2024-01-10", "2024-02-10", 0),
    )
    table = churn.retention_table(book(*rows), as_of="2024-02-29")
    assert column(table, "active") == [1, 1, 2]
    assert column(table, "trials") == [0, 2, 0]
    assert column(table, "converted") == [0, 0, 1]
    assert column(table, "lost") == [0, 0, 0]
    assert column(table, "revenue_new") == [50, 0, 10]
    assert column(table, "revenue_converted") == [0, 0, 10]
    assert column(table, "revenue_expansion") == [0, 0, 0]
    assert column(table, "net_revenue_retention")[1:] == [1, 1]


def test_without_money_a_trial_is_told():
    columns = ("customer_id", "start_date", "end_date", "billing")
    rows = (("a", "2024-01-10", "2024-02-10", "trial"), ("a", "2024-02-10", None, None))
    table = churn.retention_table(book(*rows, columns=columns), as_of="2024-02-29")
    assert column(table, "active") == [0, 1]
    assert column(table, "converted") == [0, 1]


def test_rows_that_repeat_another_are_counted_and_kept():
    seats = book(
        (1, "2024-01-01", None, 10), (1, "2024-01-01", None, 10), (2, "2024-01-05", None, 5)
    )
    table = churn.retention_table(seats, as_of="2024-01-31")
    assert column(table, "revenue") == [25]
    assert table.attrs["account"]["repeated_contracts"] == 1


def test_a_pause_is_no_loss():
    columns = ("customer_id", "start_date", "end_date", "monthly_revenue", "billing")
    rows = (
        (1, "2024-01-01", "2024-03-01", 10.5, "paid"),
        (1, "2024-03-01", "2024-05-01", 0, "paused"),
        (1, "2024-05-01", None, 12, "paid"),
    )
    table = churn.retention_table(book(*rows, columns=columns), as_of="2024-05-31")
    assert column(table, "active") == [1] * 5
    assert column(table, "paused") == [0, 0, 1, 1, 0]
    assert column(table, "lost") == column(table, "reactivated") == [0] * 5
    assert column(table, "revenue_paused") == [0, 0, 10.5, 0, 0]
    assert column(table, "revenue_resumed") == [0, 0, 0, 0, 12]
    assert not table[["revenue_contraction", "revenue_expansion"]].any(axis=None)
    untold = book(*rows, columns=columns).drop(columns="billing")
    with pytest.raises(InputError, match=r"is 0 after a contract .* in 1 of 3 rows .*at row 1"):
        churn.retention_table(untold, as_of="2024-05-31")
    loose = book(*rows, columns=columns).iloc[1:]
    with pytest.raises(InputError, match="no contract of the customer ends where the pause begins"):
        churn.retention_table(loose, as_of="2024-05-31")


def test_something_free_beside_a_contract_changes_nothing():
    alone = book((1, "2024-01-01", None, 10.0))
    both = book((1, "2024-01-01", None, 10.0), (1, "2024-02-05", "2024-02-20", 0.0))
    options = {"as_of": "2024-03-31", "ends": "exclusive"}
    pd.testing.assert_frame_equal(
        churn.retention_table(alone, **options), churn.retention_table(both, **options)
    )


def test_a_renewal_some_days_late_is_on_time_within_grace():
    rows = ((1, "2024-01-15", "2024-01-30", 10), (1, "2024-02-02", None, 10))
    late = churn.retention_table(book(*rows), as_of="2024-03-31")
    assert column(late, "active") == [0, 1, 1]
    assert column(late, "new") == [0, 1, 0]
    short = churn.retention_table(book(rows[0], (2, "2024-01-01", None, 1)), as_of="2024-03-31")
    assert short.attrs["account"]["customers_between_period_ends"] == 1
    # The month before: there, lost and back.
    rows = ((1, "2023-12-15", "2024-01-30", 10), (1, "2024-02-02", None, 10))
    late = churn.retention_table(book(*rows), as_of="2024-03-31")
    assert column(late, "lost") == [0, 1, 0, 0]
    assert column(late, "reactivated") == [0, 0, 1, 0]
    for grace, lost in ((2, 1), (3, 0), (10, 0)):
        table = churn.retention_table(book(*rows), as_of="2024-03-31", grace_days=grace)
        assert table["lost"].sum() == table["reactivated"].sum() == lost
        assert table.attrs["account"]["late_renewals"] == 1 - lost
    assert column(table, "complete") == [True, True, True, False]


def test_while_a_renewal_may_come_nobody_is_lost():
    ended = book((1, "2024-01-01", "2024-03-29", 10), (2, "2024-01-01", None, 10))
    for as_of, active, complete in (("2024-03-31", 2, False), ("2024-04-05", 1, True)):
        table = churn.retention_table(ended, as_of=as_of, grace_days=5).iloc[2]
        assert (table["active"], table["complete"]) == (active, complete)


# Money ------------------------------------------------------------------------------------------


def test_annual_contracts_stand_beside_monthly_ones():
    columns = ("customer_id", "start_date", "end_date", "amount", "billing_months")
    rows = (
        (1, "2024-01-01", None, 1200, 12),
        (2, "2024-01-01", "2024-02-01", 30, 1),
        (2, "2024-02-01", None, 90, 3),
    )
    table = churn.retention_table(book(*rows, columns=columns), as_of="2024-02-29")
    assert column(table, "revenue") == [130, 130]
    assert not table[["revenue_expansion", "revenue_contraction"]].any(axis=None)


def test_movements_add_up_to_the_cent():
    rng = np.random.default_rng(3)
    n = 20_000
    start = rng.integers(0, 700, n)
    frame = pd.DataFrame(
        {
            "customer_id": rng.integers(0, 5_000, n),
            "start_date": pd.Timestamp("2023-01-01") + pd.to_timedelta(start, unit="D"),
            "end_date": pd.Timestamp("2023-01-01")
            + pd.to_timedelta(start + rng.integers(1, 300, n), unit="D"),
            "monthly_revenue": rng.integers(1, 99_999, n) / 100,
        }
    )
    options = {"as_of": "2024-12-31", "ends": "exclusive"}
    table = churn.retention_table(frame, **options)
    cents = (table.filter(like="revenue").iloc[:, :9] * 100).map(lambda x: Fraction(round(x, 6)))
    up = cents[["revenue_new", "revenue_reactivated", "revenue_expansion", "revenue_resumed"]]
    down = cents[["revenue_contraction", "revenue_lost", "revenue_paused"]]
    assert all(cents["revenue"].map(lambda x: x.denominator == 1))
    before = cents["revenue"].shift(fill_value=Fraction(0))
    assert (cents["revenue"] == before + up.sum(axis=1) - down.sum(axis=1)).all()
    shuffled = churn.retention_table(frame.sample(frac=1, random_state=0), **options)
    pd.testing.assert_frame_equal(table, shuffled, check_exact=True)


def test_losses_are_parted_by_reason():
    columns = ("customer_id", "start_date", "end_date", "monthly_revenue", "reason")
    rows = (
        (1, "2024-01-01", "2024-02-10", 10, "voluntary"),
        (2, "2024-01-01", "2024-02-11", 20, "Failed payment"),
        (3, "2024-01-01", "2024-02-15", 30, None),
        (4, "2024-01-01", "2024-02-12", 40, "upgrade"),
        (4, "2024-02-12", None, 50, None),
    )
    table = churn.retention_table(book(*rows, columns=columns), as_of="2024-02-29")
    last = table.iloc[-1]
    assert last["lost"] == 3
    assert last.filter(like="lost_").to_dict() == {
        "lost_failed_payment": 1,
        "lost_unknown": 1,
        "lost_upgrade": 0,
        "lost_voluntary": 1,
        "revenue_lost_failed_payment": 20,
        "revenue_lost_unknown": 30,
        "revenue_lost_upgrade": 0,
        "revenue_lost_voluntary": 10,
    }


# Groups -----------------------------------------------------------------------------------------


def test_groups_are_tables_of_their_own():
    rng = np.random.default_rng(5)
    contracts, _ = random_book(rng, n_customers=30)
    plans = pd.DataFrame({"customer_id": range(30), "plan": rng.choice(["s", "m", None], 30)})
    options = {"as_of": "2025-03-31", "ends": "exclusive", "span_periods": 3}
    parted = churn.retention_table(contracts, by="plan", customers=plans, **options)
    whole = churn.retention_table(contracts, **options)
    counts = ["active", "new", "lost", "revenue", "revenue_expansion"]
    sums = parted.groupby("period", dropna=False)[counts].sum().reset_index()
    pd.testing.assert_frame_equal(sums, whole[["period", *counts]], check_dtype=False)
    for plan, part in parted.groupby("plan", dropna=False):
        ids = plans.loc[plans["plan"].isna() if pd.isna(plan) else plans["plan"] == plan]
        mine = contracts[contracts["customer_id"].isin(ids["customer_id"])]
        alone = churn.retention_table(mine, **options).set_index("period")
        same = part.set_index("period").loc[alone.index]
        pd.testing.assert_frame_equal(same[counts], alone[counts])
    own = contracts.merge(plans)
    pd.testing.assert_frame_equal(churn.retention_table(own, by="plan", **options), parted)


def test_a_plan_that_changes_splits_nobody():
    rows = ((1, "2024-01-01", "2024-02-01", "s"), (1, "2024-02-01", None, "m"))
    contracts = book(*rows, columns=("customer_id", "start_date", "end_date", "plan"))
    with pytest.raises(InputError, match="'plan' takes several values for 1 of 1 customers"):
        churn.retention_table(contracts, by="plan")


# Cohorts ----------------------------------------------------------------------------------------


def test_a_cohort_keeps_what_its_customers_keep():
    rows = (
        (1, "2024-01-15", "2024-03-15", 10),
        (2, "2024-01-31", "2024-02-29", 20),
        (2, "2024-02-29", None, 35),
        (3, "2024-01-20", None, 0),
    )
    table = churn.cohort_table(book(*rows), as_of="2024-03-31")
    assert column(table, "customers") == [2, 2, 2]
    assert column(table, "active") == [2, 2, 1]
    assert column(table, "first_revenue") == [30, 30, 30]
    assert column(table, "revenue") == [30, 45, 35]
    assert column(table, "net_revenue_retention") == [1, 1.5, 35 / 30]
    assert column(table, "gross_revenue_retention") == [1, 1, 20 / 30]
    assert table.attrs["account"]["customers_only_on_trial"] == 1
    # From the first day on, two months of the first customer end on 14 March.
    own = churn.cohort_table(book(*rows), as_of="2024-03-30", ages="customer")
    assert column(own, "active") == [2, 2]
    assert column(own, "revenue") == [30, 45]
    curve = churn.retention_curve(table)
    assert column(curve, "net_revenue_retention") == [1, 1.5, 35 / 30]
    people = churn.cohort_customers(book(*rows), cohort="2024-01-05", age=2, as_of="2024-03-31")
    assert column(people, "active") == [False, True]
    assert column(people, "last_date") == [pd.Timestamp("2024-03-14"), pd.Timestamp("2024-03-31")]


@pytest.mark.parametrize("seed", range(60))
def test_cohorts_of_random_books_equal_a_count_day_by_day(seed):
    rng = np.random.default_rng(seed)
    contracts, rows = random_book(rng)
    grace, ages = int(rng.integers(0, 7)), ["calendar", "customer"][seed % 2]
    as_of = max(row[1] for row in rows) + int(rng.integers(0, 120)) * DAY
    options = {"as_of": as_of, "ends": "exclusive", "grace_days": grace, "ages": ages}
    first = {}
    for customer, start, *_ in (row for row in rows if row[4] != "trial"):
        first[customer] = min(start, first.get(customer, start))
    states = {}

    def state(day):
        if day not in states:
            states[day] = day_by_day(rows, day, as_of, grace)[0]
        return states[day]

    def last_day(customer, age):
        since = pd.Timestamp(first[customer])
        if ages == "calendar":
            return (since.to_period("M") + age).end_time.date()
        return (since + pd.DateOffset(months=age + 1)).date() - DAY

    opening = {customer: state(day).get(customer, Fraction(0)) for customer, day in first.items()}
    table = churn.cohort_table(contracts, **options)
    assert table["customers"][table["age"] == 0].sum() == len(first)
    for row in table.to_dict("records"):
        mine = [c for c, day in first.items() if day.replace(day=1) == row["cohort"].date()]
        assert row["customers"] == len(mine)
        assert row["first_revenue"] == float(sum(opening[c] for c in mine))
        seen = all(last_day(c, row["age"]) + grace * DAY <= as_of for c in mine)
        assert np.isnan(row["active"]) == (not seen)
        if seen:
            pays = {c: state(last_day(c, row["age"])).get(c) for c in mine}
            assert row["active"] == sum(fee is not None for fee in pays.values())
            assert row["revenue"] == float(sum(fee or 0 for fee in pays.values()))
            whole = sum(opening[c] for c in mine)
            least = sum(min(pays[c] or 0, opening[c]) for c in mine)
            if whole:
                assert row["gross_revenue_retention"] == pytest.approx(float(least / whole))


# Outcomes ---------------------------------------------------------------------------------------


def events_of(rng, n_customers=6, n_events=60):
    days = pd.to_timedelta(rng.integers(0, 900, n_events), unit="D")
    who = rng.integers(0, n_customers + 2, n_events)
    return pd.DataFrame({"customer_id": who, "date": pd.Timestamp(ONE) + days})


@pytest.mark.parametrize("seed", range(60))
def test_outcomes_of_random_books_equal_a_count_day_by_day(seed):
    rng = np.random.default_rng(seed)
    contracts, rows = random_book(rng)
    events = events_of(rng)
    grace, lead = int(rng.integers(0, 7)), int(rng.choice([0, 10]))
    days = [ONE + int(rng.integers(60, 250)) * DAY for _ in range(2)]
    days.sort()
    expected = {}
    for day in days:
        begins, ends = day + lead * DAY, day + (lead + 30) * DAY
        known = set(day_by_day(rows, day, day, grace)[0])
        here = set(day_by_day(rows, begins, begins, grace)[0])
        there = set(day_by_day(rows, ends, ends + grace * DAY, grace)[0])
        expected |= {(who, day): int(who not in there) for who in known & here}
    options = {"as_of": days, "horizon_days": 30, "lead_days": lead, "grace_days": grace}
    options |= {"contracts": contracts, "ends": "exclusive", "observed_until": "2030-01-01"}
    if not set(events["customer_id"]) & set(contracts["customer_id"]) or not expected:
        return
    table = churn.churn_table(events, **options)
    found = table[["customer_id", "as_of", "churned"]].itertuples(index=False)
    assert {(who, day.date()): left for who, day, left in found} == expected
    for row in table.itertuples():
        past = events[(events["customer_id"] == row.customer_id) & (events["date"] <= row.as_of)]
        assert row.orders == past["date"].nunique()
        assert np.isnan(row.recency_days) == past.empty
        first = min(r[1] for r in rows if r[0] == row.customer_id and r[4] != "trial")
        assert row.contract_days == (row.as_of.date() - first).days


def test_what_comes_after_the_day_is_no_feature():
    rng = np.random.default_rng(4)
    contracts, _ = random_book(rng, n_customers=40)
    events = events_of(rng, 40, 600)
    day = pd.Timestamp("2024-09-30")
    known = contracts[contracts["start_date"] <= day]
    known = known.assign(end_date=known["end_date"].where(known["end_date"] <= day))
    options = {"as_of": day, "ends": "exclusive", "grace_days": 3}
    whole = churn.churn_table(events, contracts=contracts, **options)
    past = churn.churn_table(events[events["date"] <= day], contracts=known, **options)
    pd.testing.assert_frame_equal(whole, past)


def club(n=600):
    """Members of whom the busy stay longer, and what they do."""
    rng = np.random.default_rng(6)
    busy = rng.random(n) < 0.5
    start = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 100, n), unit="D")
    stays = rng.exponential(np.where(busy, 900, 200)).astype(int) + 1
    end = pd.Series(start + pd.to_timedelta(stays, unit="D"))
    contracts = pd.DataFrame(
        {"customer_id": range(n), "start_date": start, "end_date": end.where(end <= "2024-12-31")}
    )
    who = rng.choice(n, 9000, p=np.where(busy, 3, 1) / np.where(busy, 3, 1).sum())
    when = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 366, 9000), unit="D")
    return pd.DataFrame({"customer_id": who, "date": when}), contracts


def test_a_model_learns_who_cancels_from_what_they_do():
    log, contracts = club()
    options = {"as_of": "2024-09-01", "horizon_days": 90, "lead_days": 7}
    table = churn.churn_table(log, contracts=contracts, **options)
    assert 0.05 < table["churned"].mean() < 0.4
    model = churn.ChurnModel(random_state=0).fit(table)
    assert model.performance_["auc"].iloc[0] > 0.6
    assert table.attrs["account"]["left_during_lead"] > 0


def test_a_backtest_knows_contracts_as_of_its_day():
    log, contracts = club()
    day = pd.Timestamp("2024-10-01")
    options = {"horizon_days": 50, "lead_days": 7, "ends": "exclusive", "grace_days": 3}
    report = churn.backtest_table(log, contracts=contracts, as_of=day, n_train=2, **options)
    assert "contract_days" in set(report["model"])
    known = contracts[contracts["start_date"] <= day]
    known = known.assign(end_date=known["end_date"].where(known["end_date"] <= day))
    past = churn.churn_table(
        log[log["date"] <= day],
        contracts=known,
        as_of=[day - pd.Timedelta(days=60 * k) for k in (1, 2)],
        observed_until=day,
        **options,
    )
    later = churn.churn_table(log, contracts=contracts, as_of=day, **options)
    scores = churn.ChurnModel(random_state=0).fit(past).predict(later)
    row = report.set_index("model").loc["model"]
    assert row["customers"] == len(later)
    assert row["churn_rate"] == later["churned"].mean()
    assert row["p_mean"] == pytest.approx(scores["p_churn"].mean(), abs=1e-9)
    squares = (scores["p_churn"] - later["churned"]) ** 2
    assert row["brier"] == pytest.approx(squares.mean(), abs=1e-9)


def test_signals_of_contracts_are_of_those_who_could_still_be_reached():
    log, contracts = club()
    end, leads = pd.Timestamp("2024-10-01"), [0, 30]
    table = churn.signal_table(
        log, contracts=contracts, as_of=end, horizon_days=60, lead_days=leads, ends="exclusive"
    )
    early = end - pd.Timedelta(days=30)
    begun, over = contracts["start_date"], contracts["end_date"]
    runs = [set(contracts.loc[(begun <= d) & ~(over <= d), "customer_id"]) for d in (early, end)]
    tenure = table[table["variable"] == "contract_days"]
    assert tenure["customers"].tolist() == [len(runs[0] & runs[1])] * 2
    orders = table.set_index(["variable", "lead_days"]).loc[("orders", 0)]
    assert orders["direction"] == "lower"


def test_an_outcome_must_be_seen_to_its_end():
    contracts = book((1, "2024-01-01", "2024-06-01", 1), (2, "2024-05-01", None, 1))
    log = pd.DataFrame(
        {"customer_id": [1, 2], "date": pd.to_datetime(["2024-03-01", "2024-05-20"])}
    )
    options = {"contracts": contracts, "as_of": "2024-05-10", "grace_days": 5}
    assert churn.churn_table(log, horizon_days=5, **options)["churned"].tolist() == [0, 0]
    with pytest.raises(InputError, match="until 2024-05-21 is observed in part only"):
        churn.churn_table(log, horizon_days=6, **options)
    seen = churn.churn_table(log, horizon_days=30, observed_until="2024-06-30", **options)
    assert seen["churned"].tolist() == [1, 0]
    with pytest.raises(InputError, match="`ends` and `grace_days` are for `contracts`"):
        churn.churn_table(log, grace_days=5)


# Day by day -------------------------------------------------------------------------------------


def random_book(rng, n_customers=6):
    """Chains of contracts with late renewals, trials, pauses, changes, and contracts beside."""
    rows = []
    for customer in range(n_customers):
        for _ in range(rng.integers(1, 3)):
            day = ONE + int(rng.integers(0, 200)) * DAY
            if rng.random() < 0.3:
                end = day + int(rng.integers(5, 40)) * DAY
                rows.append((customer, day, end, 0.0, "trial", None))
                day = end + int(rng.integers(0, 3)) * DAY
            for _ in range(rng.integers(0, 5)):
                end = day + int(rng.integers(10, 90)) * DAY
                fee = int(rng.integers(1, 9_999)) / 100
                why = rng.choice(["voluntary", "failed payment", None])
                rows.append((customer, day, end, fee, "paid", why))
                if rng.random() < 0.2:
                    day, end = end, end + int(rng.integers(5, 60)) * DAY
                    rows.append((customer, day, end, 0.0, "paused", why))
                day = end + int(rng.choice([0, 0, 0, 2, 5, 30])) * DAY
            if rng.random() < 0.5:
                rows.append((customer, day, None, 20.0, "paid", None))
    if not rows:
        rows.append((0, ONE, None, 1.0, "paid", None))
    columns = ("customer_id", "start_date", "end_date", "monthly_revenue", "billing", "reason")
    return book(*rows, columns=columns), rows


def day_by_day(rows, day, as_of, grace):
    """Who is a customer on a day, what each pays, and who pauses."""
    rows = [row for row in rows if row[1] <= as_of]
    pays, pauses = {}, {}
    for customer, start, written, fee, billing, _ in rows:
        if billing == "trial":
            continue
        end = written
        mine = [row[1] for row in rows if row[0] == customer and row[4] != "trial"]
        if end is not None:
            renewed = [other for other in mine if end <= other <= end + grace * DAY]
            if renewed:
                end = min(renewed)
            elif as_of < end + grace * DAY:
                end = max(end, as_of + DAY)
        if start <= day and (end is None or day < end):
            pays[customer] = pays.get(customer, 0) + Fraction(round(fee * 100), 100)
            pauses[customer] = pauses.get(customer, True) and billing == "paused"
    return pays, {customer for customer, paused in pauses.items() if paused}


@pytest.mark.parametrize("seed", range(200))
def test_random_books_equal_a_count_day_by_day(seed):
    rng = np.random.default_rng(seed)
    contracts, rows = random_book(rng)
    grace, span = int(rng.integers(0, 7)), int(rng.choice([1, 1, 3, 12]))
    as_of = max(row[1] for row in rows) + int(rng.integers(0, 120)) * DAY
    table = churn.retention_table(
        contracts, as_of=as_of, ends="exclusive", grace_days=grace, span_periods=span
    )
    ends = [min((p + pd.offsets.MonthEnd(0)).date(), as_of) for p in table["period"]]
    states = [day_by_day(rows, day, as_of, grace) for day in ends]
    ever = set()
    for number, row in enumerate(table.to_dict("records")):
        now, paused = states[number]
        then, was_paused = states[number - span] if number >= span else ({}, set())
        meanwhile = states[max(number - span + 1, 0) : number + 1]
        ever = set().union(*(pays for pays, _ in states[: max(number - span + 1, 0)]))
        came, lost = set(now) - set(then), set(then) - set(now)
        new = came - ever
        stayed = set(now) & set(then)
        assert meanwhile[-1][0] is now
        last = (row["period"] + pd.offsets.MonthEnd(0)).date()
        assert row["complete"] == (last + grace * DAY <= as_of)
        assert (row["active"], row["retained"], row["lost"]) == (len(now), len(stayed), len(lost))
        assert (row["new"], row["reactivated"]) == (len(new), len(came - new))
        assert row["paused"] == len(paused)
        day = ends[number]
        trials = [r for r in rows if r[4] == "trial"]
        trying = {r[0] for r in trials if r[1] <= day < r[2]}
        paid = {who: min(r[1] for r in rows if r[0] == who and r[4] != "trial") for who in new}
        tried = {r[0] for r in trials if r[0] in new and r[1] < paid[r[0]]}
        assert (row["trials"], row["converted"]) == (len(trying - set(now)), len(tried))
        moves = {who: now[who] - then[who] for who in stayed}
        stops, resumes = stayed & (paused - was_paused), stayed & (was_paused - paused)
        rest = [moves[who] for who in stayed - stops - resumes]
        expected = {
            "revenue": sum(now.values()),
            "revenue_new": sum(now[who] for who in new),
            "revenue_reactivated": sum(now[who] for who in came - new),
            "revenue_expansion": sum(move for move in rest if move > 0),
            "revenue_contraction": -sum(move for move in rest if move < 0),
            "revenue_lost": sum(then[who] for who in lost),
            "revenue_paused": -sum(moves[who] for who in stops),
            "revenue_resumed": sum(moves[who] for who in resumes),
        }
        assert {name: row[name] for name in expected} == {
            name: float(amount) for name, amount in expected.items()
        }
        if row["complete"] and sum(then.values()) > 0:
            opening = sum(then.values())
            net = sum(now.get(who, 0) for who in then) / opening
            gross = sum(min(now.get(who, 0), then[who]) for who in then) / opening
            assert row["net_revenue_retention"] == pytest.approx(float(net), abs=1e-12)
            assert row["gross_revenue_retention"] == pytest.approx(float(gross), abs=1e-12)
            assert row["churn_rate"] == pytest.approx(len(lost) / len(then), abs=1e-12)
        assert sum(row[name] for name in row if name.startswith("lost_")) == len(lost)
