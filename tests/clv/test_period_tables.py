"""Opportunities and renewals, counted by hand."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmkit import clv
from crmkit.errors import InputError

START = pd.Timestamp("2023-01-01")

rows = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 11)), min_size=1, max_size=30)


def log_of(rows, amount=1.0):
    customer, month = zip(*rows, strict=True)
    dates = [START + pd.DateOffset(months=m, days=(7 * m) % 20) for m in month]
    return pd.DataFrame({"customer_id": list(customer), "date": dates, "amount": amount})


def months_of(rows):
    return {c: sorted({m for d, m in rows if d == c}) for c in sorted({c for c, _ in rows})}


def test_years_may_begin_in_any_month():
    log = pd.DataFrame(
        {"customer_id": [1, 1], "date": pd.to_datetime(["2022-05-01", "2024-03-31"])}
    )
    table = clv.opportunity_table(log, period="year-april", as_of="2024-03-31")
    assert table["cohort"].tolist() == [pd.Timestamp("2022-04-01")]
    assert table[["frequency", "periods"]].to_numpy().tolist() == [[1, 1]]


@given(rows)
def test_opportunities_are_later_months(rows):
    table = clv.opportunity_table(log_of(rows), period="month", as_of="2023-12-31")
    for row, months in zip(table.itertuples(), months_of(rows).values(), strict=True):
        later = [m - months[0] for m in months[1:]]
        assert row.periods == 11 - months[0]
        assert row.frequency == len(later)
        assert row.recency == (later[-1] if later else 0)


@given(rows, st.integers(0, 2))
def test_contracts_end_with_the_first_long_gap(rows, grace):
    table = clv.contract_table(
        log_of(rows), period="month", as_of="2023-12-31", grace_periods=grace
    )
    for row, months in zip(table.itertuples(), months_of(rows).values(), strict=True):
        paid = months[0]
        for month in months[1:]:
            if month - paid > grace + 1:
                break
            paid = month
        left = paid + grace < 11
        assert row.churned == left
        assert row.periods == paid - months[0] + left


def test_an_open_month_is_no_opportunity():
    log = log_of([(1, 0), (1, 3), (2, 3)])
    table = clv.opportunity_table(log, period="month", as_of="2023-04-29")
    assert table["customer_id"].tolist() == [1]
    assert table.loc[0, ["frequency", "recency", "periods"]].tolist() == [0, 0, 2]
    closed = clv.contract_table(log, period="month", as_of="2023-04-29")
    assert closed["churned"].tolist() == [True]
    with pytest.raises(InputError, match="ends before the first year"):
        clv.opportunity_table(log, period="year", as_of="2023-11-30")
    with pytest.raises(InputError, match="every row is a refund"):
        clv.contract_table(log_of([(1, 0)], amount=-1.0))


def test_survival_of_a_cohort_is_the_share_that_renewed():
    # 1000 members lose 131, 126, 90 and 60 in four years, as in Fader and Hardie's High End.
    left = np.repeat([1, 2, 3, 4, 5], [131, 126, 90, 60, 593])
    paid = [(i, m) for i, n in enumerate(left) for m in range(n)]
    dates = [pd.Timestamp(2015 + m, 6, 1) for _, m in paid]
    log = pd.DataFrame({"customer_id": [i for i, _ in paid], "date": dates})
    table = clv.contract_table(log, period="year", as_of="2019-12-31")
    assert table["churned"].sum() == 407
    survivors = [int((table["periods"] >= t + table["churned"]).sum()) for t in (1, 2, 3, 4)]
    assert survivors == [869, 743, 653, 593]
