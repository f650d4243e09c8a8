"""Value per cohort and payback, against sums written out."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmkit import clv
from crmkit.clv._math.accounting import mean_cumulative
from crmkit.errors import InputError

rows = st.lists(
    st.tuples(st.integers(0, 5), st.integers(0, 200), st.integers(0, 50)), min_size=1, max_size=40
)


def log_of(rows):
    customer, day, amount = zip(*rows, strict=True)
    return pd.DataFrame(
        {
            "customer_id": list(customer),
            "date": pd.Timestamp("2023-11-20") + pd.to_timedelta(list(day), unit="D"),
            "amount": np.array(amount, dtype=float),
        }
    )


@given(rows, st.sampled_from(["week", "month", "quarter", "year"]))
def test_cohorts_conserve_money_and_customers(rows, period):
    log = log_of(rows)
    channel = pd.DataFrame({"customer_id": range(6), "channel": list("aabbcc")})
    for options in ({}, {"customers": channel, "by": "channel"}):
        table = clv.cohort_value(log, period=period, annual_discount_rate=0, **options)
        np.testing.assert_allclose(table["amount"].sum(), log["amount"].sum(), atol=1e-9)
        start = table[table["age"] == 0]
        assert start["customers"].sum() == log["customer_id"].nunique()
        keys = ["cohort", *(["channel"] if options else [])]
        ages = table.groupby(keys)["age"]
        assert (ages.max() + 1 == ages.count()).all()
        last = table.groupby(keys).last()["cumulative_value"]
        np.testing.assert_allclose(last.sum(), log["amount"].sum(), atol=1e-9)


def test_cohort_value_marks_the_open_period():
    log = log_of([(1, 0, 5), (1, 60, 7)])
    table = clv.cohort_value(log, as_of="2024-01-30")
    assert table["complete"].tolist() == [True, True, False]
    assert clv.cohort_value(log, as_of="2024-01-31")["complete"].all()
    assert table["amount"].tolist() == [5.0, 0.0, 7.0]


def test_cohort_value_discounts_to_the_first_purchase():
    log = log_of([(1, 0, 100), (1, 365, 110)])
    table = clv.cohort_value(log, period="year", annual_discount_rate=0.1, margin=0.5)
    np.testing.assert_allclose(table["cumulative_value"], [50, 100])


@given(rows, st.integers(200, 260))
def test_mean_cumulative_by_hand(rows, end):
    customer, day, amount = map(np.array, zip(*rows, strict=True))
    first = {c: day[customer == c].min() for c in customer}
    ids = sorted(first)
    unit_group = np.array([c % 2 for c in ids])
    follow = np.array([end - first[c] for c in ids])
    age = np.array([d - first[c] for c, d in zip(customer, day, strict=True)])
    left = np.r_[np.zeros(age.size, int), np.ones(follow.size, int)]
    group, at, value = mean_cumulative(
        np.r_[customer % 2, unit_group], np.r_[age, follow], np.r_[amount, 0.0 * follow], left
    )
    for g, a, v in zip(group, at, value, strict=True):
        total = 0.0
        for event in np.flatnonzero((customer % 2 == g) & (age <= a)):
            total += amount[event] / ((unit_group == g) & (follow >= age[event])).sum()
        assert v == pytest.approx(total)


def test_payback_is_found_on_the_day():
    log = log_of([(1, 0, 10), (1, 40, 10), (2, 0, 4), (2, 10, 6), (3, 0, 1)])
    customers = pd.DataFrame({"customer_id": [1, 2, 3], "channel": ["web", "web", "shop"]})
    costs = pd.DataFrame({"channel": ["web", "shop"], "acquisition_cost": [9.0, 2.0]})
    table = clv.payback_table(
        log,
        acquisition_cost=costs,
        customers=customers,
        by="channel",
        period=None,
        annual_discount_rate=0,
    )
    assert table["channel"].tolist() == ["shop", "web"]
    assert table["paid_back"].tolist() == [False, True]
    assert table["payback_days"].tolist()[1] == 10.0
    assert np.isnan(table["payback_days"][0])
    assert table["customers_paid_back"].tolist() == [0, 2]
    assert table["net_value"].tolist() == [-1.0, 12.0]
    assert table["value_per_customer"].tolist() == [1.0, 15.0]


def test_late_comers_do_not_drag_the_mean_down():
    # Customer 2 came on the last day: nothing is known of her later value.
    terms = {"acquisition_cost": 25, "period": None, "annual_discount_rate": 0}
    alone = clv.payback_table(log_of([(1, 0, 10), (1, 5, 20)]), **terms)
    both = clv.payback_table(log_of([(1, 0, 10), (1, 5, 20), (2, 5, 10)]), **terms)
    assert both["value_per_customer"].tolist() == alone["value_per_customer"].tolist()
    assert both["payback_days"].tolist() == [5.0]


def test_groups_need_a_customer_table():
    log = log_of([(1, 0, 10)])
    with pytest.raises(InputError, match="`customers` is needed"):
        clv.cohort_value(log, by="channel")
    with pytest.raises(InputError, match="no customer_id of `transactions`"):
        clv.cohort_value(log, by="x", customers=pd.DataFrame({"customer_id": [2], "x": ["a"]}))
    for taken in ("cohort", "age", "cumulative_value"):
        people = pd.DataFrame({"customer_id": [1], taken: ["a"]})
        with pytest.raises(InputError, match="which the result needs"):
            clv.cohort_value(log, by=taken, customers=people)
    people = pd.DataFrame({"customer_id": [1], "net_value": ["a"]})
    with pytest.raises(InputError, match="which the result needs"):
        clv.payback_table(log, by="net_value", customers=people, acquisition_cost=1)


def test_customers_without_a_channel_are_the_last_group_and_strangers_are_counted():
    log = log_of([(1, 0, 10), (2, 0, 20), (3, 0, 40)])
    people = pd.DataFrame({"customer_id": [3, 2, 1, 7], "channel": ["web", None, "app", "web"]})
    value = clv.cohort_value(log, by="channel", customers=people)
    assert value["channel"].fillna("none").tolist() == ["app", "web", "none"]
    assert value["amount"].tolist() == [10, 40, 20]
    assert value.attrs["account"]["customers_unmatched"] == 1
    costs = pd.DataFrame({"channel": ["app", "web", None, "tv"], "acquisition_cost": [1, 2, 3, 4]})
    paid = clv.payback_table(
        log, by="channel", customers=people, acquisition_cost=costs, period=None
    )
    assert paid["acquisition_cost"].tolist() == [1, 2, 3]
    assert paid.attrs["account"]["acquisition_cost_unmatched"] == 1
    with pytest.raises(InputError, match=r"lacks 1 of the 3 values of channel .*nan"):
        clv.payback_table(log, customers=people, acquisition_cost=costs.dropna())


@pytest.mark.parametrize("refunds", ["keep", "drop"])
def test_what_is_earned_is_what_costs_leave(refunds):
    log = log_of([(1, 0, 100), (1, 40, 50), (1, 45, -20), (2, 3, 10)])
    log["cost"] = [60.0, 55.0, -5.0, 4.0]
    options = {"refunds": refunds, "annual_discount_rate": 0, "period": "year"}
    whole = 40 - 5 + 6 - (15 if refunds == "keep" else 0)
    told = clv.cohort_value(log, **options)
    assert told["cumulative_value"].iloc[-1] == whole
    assert told["amount"].sum() == 160 - (20 if refunds == "keep" else 0)
    paid = clv.payback_table(log, acquisition_cost=10.0, **options)
    assert paid["net_value"].sum() == whole - 20
    # What is given goes first, and a log without costs is earned in full.
    given = clv.cohort_value(log, margin=0.5, **options)
    assert given["cumulative_value"].iloc[-1] == 0.5 * told["amount"].sum()
    plain = clv.cohort_value(log.drop(columns="cost"), **options)
    assert plain["cumulative_value"].iloc[-1] == told["amount"].sum()
