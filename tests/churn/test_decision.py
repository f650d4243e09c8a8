"""Decisions about money, on small cases by hand and on published data."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmkit import churn
from crmkit.errors import InputError

money = st.floats(0, 500)
rows = st.lists(st.tuples(st.floats(0, 1), money, st.integers(0, 1)), min_size=1, max_size=40)


@given(rows, st.floats(0, 1), st.floats(0, 50))
def test_no_rule_is_expected_to_earn_more(values, save_rate, cost):
    chance, value, left = np.array(values).T
    customers = pd.DataFrame({"customer_id": range(len(values)), "p_churn": chance, "value": value})
    decisions = churn.contact_decision(customers, save_rate=save_rate, contact_cost=cost)
    table = churn.contact_profit(
        decisions.assign(left=left), thresholds=(0.1, 0.5, 0.9), outcome="left"
    ).set_index("rule")
    slack = 1e-9 * (1 + table["cost"].max() + value.sum())
    expected = table["expected_profit"]
    assert expected["per customer"] >= expected.max() - slack
    assert (
        expected["best threshold"] >= expected[["p >= 0.1", "p >= 0.9", "everyone"]].max() - slack
    )
    assert expected["best threshold"] >= 0
    assert table["realised_profit"]["hindsight"] >= table["realised_profit"].max() - slack
    assert table.loc["nobody", ["contacted", "cost", "expected_profit"]].tolist() == [0, 0, 0]
    assert decisions["contact"].sum() == table.loc["per customer", "contacted"]


def test_rates_and_costs_may_differ_by_customer():
    customers = pd.DataFrame(
        {"customer_id": [1, 2], "p": [0.5, 0.5], "worth": [100, 100], "s": [0.1, 0.5], "c": [4, 30]}
    )
    decision = churn.contact_decision(
        customers, save_rate="s", contact_cost="c", value="worth", p="p"
    )
    assert decision["expected_gain"].tolist() == [1.0, -5.0]
    assert decision["contact"].tolist() == [True, False]
    with pytest.raises(InputError, match="above 1"):
        churn.contact_decision(customers, save_rate="c", contact_cost=1, value="worth", p="p")
    with pytest.raises(InputError, match="save_rate"):
        churn.contact_decision(customers, save_rate=30, contact_cost=1, value="worth", p="p")
