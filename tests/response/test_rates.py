import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from crmkit import response
from crmkit.errors import InputError
from crmkit.response._math import rates


def people(groups, outcomes):
    return pd.DataFrame({"customer_id": range(len(groups)), "g": groups, "y": outcomes})


def test_not_contacted_is_not_a_no():
    table = response.response_rates(
        people(["a"] * 4 + ["b"] * 2 + ["c"], [1, 0, None, None, 1, 1, None]), outcome="y", by="g"
    )
    assert table["customers"].tolist() == [4, 2, 1]
    assert table["contacted"].tolist() == [2, 2, 0]
    assert table["rate"].tolist()[:2] == [0.5, 1.0]
    assert np.isnan(table["rate"].iloc[2])
    assert table["conf_low"].iloc[2] == 0
    assert table["conf_high"].iloc[2] == 1


def test_interval_and_index():
    table = response.response_rates(
        people(["a"] * 21307, [1] * 267 + [0] * 21040), outcome="y", by="g"
    )
    row = table.iloc[0]
    # Wilson's interval of 267 in 21,307.
    assert row["conf_low"] == pytest.approx(0.0111229, abs=5e-8)
    assert row["conf_high"] == pytest.approx(0.0141150, abs=5e-8)
    assert row["index"] == pytest.approx(100)
    assert row["p_value"] == 1


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from([0, 1, None])), min_size=1))
def test_groups_partition_the_customers(rows):
    groups, outcomes = zip(*rows, strict=True)
    if all(y is None for y in outcomes):
        with pytest.raises(InputError, match="missing in every row"):
            response.response_rates(people(groups, outcomes), outcome="y", by="g")
        return
    table = response.response_rates(people(groups, list(outcomes)), outcome="y", by="g")
    assert table["customers"].sum() == len(rows)
    assert table["responders"].sum() == sum(y == 1 for y in outcomes)
    assert table["p_value"].dropna().between(0, 1).all()
    known = table.dropna(subset="rate")
    assert (known["conf_low"] <= known["rate"] + 1e-12).all()
    assert (known["conf_high"] >= known["rate"] - 1e-12).all()


def test_crossed_groups_with_missing_levels():
    table = response.response_rates(
        pd.DataFrame(
            {
                "customer_id": range(5),
                "a": ["x", "x", None, "y", None],
                "b": [1, 2, 1, 1, 1],
                "y": [1, 0, 1, 0, 1],
            }
        ),
        outcome="y",
        by=["a", "b"],
    )
    assert table["b"].tolist() == [1, 2, 1, 1]
    assert table["a"].isna().tolist() == [False, False, False, True]
    assert table["customers"].tolist() == [1, 1, 1, 2]


def test_large_groups_are_tested_by_chi_squared_and_small_ones_exactly():
    k, n = np.array([30.0, 50.0]), np.array([200.0, 800.0])
    expected = stats.chi2_contingency([[30, 170], [50, 750]], correction=False).pvalue
    assert rates.group_against_rest(k, n, 80, 1000) == pytest.approx([expected, expected])
    small = rates.group_against_rest(np.array([3.0]), np.array([4.0]), 5, 40)[0]
    one_sided = stats.fisher_exact([[3, 1], [2, 34]], alternative="greater").pvalue
    assert small == pytest.approx(2 * one_sided)


def test_groups_below_the_minimum_are_shown_but_not_tested():
    table = response.response_rates(
        people(["a"] * 30 + ["b"] * 3, [0, 1] * 15 + [1, 1, 0]),
        outcome="y",
        by="g",
        min_customers=5,
    )
    assert table["p_value"].isna().tolist() == [False, True]
    assert table["p_adjusted"].isna().tolist() == [False, True]


def test_nobody_responded():
    table = response.response_rates(people(["a", "b"], [0, 0]), outcome="y", by="g")
    assert table["index"].tolist() == [100, 100]
    assert table["p_value"].tolist() == [1, 1]


def test_other_outcomes_are_refused():
    with pytest.raises(InputError, match="must be 0 or 1"):
        response.response_rates(people(["a", "b"], [0, 2]), outcome="y", by="g")


def test_newcombe_reproduces_the_published_example():
    # Newcombe (1998), table II, contrast (a) 56/70 against 48/80, method 10.
    low, high = rates.newcombe_interval([56.0], [70.0], [48.0], [80.0])
    assert low[0] == pytest.approx(0.0524, abs=5e-5)
    assert high[0] == pytest.approx(0.3339, abs=5e-5)


def test_welch_equals_scipy():
    rng = np.random.default_rng(0)
    a, b = rng.normal(1, 2, 30), rng.normal(0, 1, 50)
    result = stats.ttest_ind(a, b, equal_var=False)
    interval = result.confidence_interval(0.9)
    found = rates.welch_interval(
        (a.mean(), a.var(ddof=1), a.size), (b.mean(), b.var(ddof=1), b.size), 0.9
    )
    assert found[2] == pytest.approx(interval.low)
    assert found[3] == pytest.approx(interval.high)
    assert found[4] == pytest.approx(result.pvalue)
    assert rates.welch_interval((1.0, 0.0, 5), (1.0, 0.0, 5))[4] == 1
    assert rates.welch_interval((2.0, 0.0, 5), (1.0, 0.0, 5))[2:] == (1, 1, 0)


def test_rate_difference_has_the_unpooled_error():
    difference, error = rates.rate_difference([30], [200], [50], [800])
    assert difference[0] == pytest.approx(0.15 - 0.0625)
    assert error[0] == pytest.approx(np.sqrt(0.15 * 0.85 / 200 + 0.0625 * 0.9375 / 800))


def test_columns_that_clash_with_the_result_are_refused():
    table = people(["a", "b"], [0, 1]).rename(columns={"g": "rate"})
    with pytest.raises(InputError, match="'rate'"):
        response.response_rates(table, outcome="y", by="rate")
    with pytest.raises(InputError, match="`by` is empty"):
        response.response_rates(table, outcome="y", by=[])
