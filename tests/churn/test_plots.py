"""What the pictures show, by their artists and labels."""

import numpy as np
import pandas as pd
import pytest

from crmkit import churn
from crmkit.errors import InputError


@pytest.fixture
def log():
    rng = np.random.default_rng(2)
    day = pd.to_timedelta(rng.integers(0, 300, 500), unit="D")
    ids = rng.integers(0, 60, 500)
    return pd.DataFrame(
        {"customer_id": ids, "date": pd.Timestamp("2024-01-10") + day, "shop": ids % 9}
    )


def test_heat_map_leaves_unobservable_cells_empty(log):
    cohorts = churn.cohort_table(log)
    ax = churn.plot_cohorts(cohorts)
    mesh = ax.collections[0]
    assert np.ma.count(mesh.get_array()) == cohorts["active"].notna().sum()
    first = cohorts.iloc[0]
    assert ax.get_yticklabels()[0].get_text() == f"2024-01 ({first['customers']})"
    later = cohorts.loc[cohorts["age"] > 0, "retention_rate"]
    assert mesh.get_clim() == (later.min(), later.max())
    assert "100%" in {text.get_text() for text in ax.texts}
    with pytest.raises(InputError, match="several groups"):
        churn.plot_cohorts(churn.cohort_table(log, by="shop"))


def test_heat_map_of_one_unobservable_cohort_draws(log):
    alone = log[log["date"] < "2024-01-20"]
    assert churn.plot_cohorts(churn.cohort_table(alone)).get_xlabel()
    assert churn.plot_cohorts(churn.cohort_table(log), measure="active").get_ylabel()


def test_bars_stack_to_the_active_and_pale_is_in_progress(log):
    table = churn.retention_table(log)
    ax = churn.plot_retention(table)
    tops = {}
    for container in ax.containers:
        for place, bar in enumerate(container):
            tops[place] = max(tops.get(place, 0), bar.get_y() + bar.get_height())
    assert list(tops.values()) == table["active"].tolist()
    alphas = [bar.get_alpha() for bar in ax.containers[0]]
    assert alphas == [1.0 if done else 0.4 for done in table["complete"]]


def test_one_group_is_drawn_at_a_time(log):
    with pytest.raises(InputError, match="`retention` holds several groups"):
        churn.plot_retention(churn.retention_table(log, by="shop"))


def test_revenue_of_cohorts_is_drawn_as_shares():
    contracts = pd.DataFrame(
        {
            "customer_id": [1, 1, 2],
            "start_date": pd.to_datetime(["2024-01-01", "2024-02-01", "2024-02-10"]),
            "end_date": pd.to_datetime(["2024-02-01", None, None]),
            "monthly_revenue": [10, 15, 10],
        }
    )
    cohorts = churn.cohort_table(contracts, as_of="2024-04-30")
    ax = churn.plot_cohorts(cohorts, measure="net_revenue_retention")
    assert {text.get_text() for text in ax.texts} == {"100%", "150%"}


def test_curves_have_one_line_per_group(log):
    gaps = churn.gap_table(log.assign(shop=log["shop"] % 3), by="shop")
    ax = churn.plot_gaps(gaps)
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["0", "1", "2"]
    limits = churn.lifecycle_thresholds(churn.gap_table(log))
    assert len(churn.plot_gaps(churn.gap_table(log), thresholds=limits).texts) == 2
    with pytest.raises(InputError, match="9 groups"):
        churn.plot_gaps(churn.gap_table(log, by="shop"))
    with pytest.raises(InputError, match="must have one row"):
        churn.plot_gaps(gaps, thresholds=churn.lifecycle_thresholds(gaps))


def test_single_cohorts_stand_behind_the_pooled_curve(log):
    cohorts = churn.cohort_table(log)
    ax = churn.plot_retention_curve(churn.retention_curve(cohorts), cohorts=cohorts)
    assert len(ax.lines) >= cohorts["cohort"].nunique() + 1


def test_survival_marks_customers_last_seen():
    customers = pd.DataFrame(
        {"customer_id": range(4), "tenure_days": [3, 5, 6, 8], "churned": [1, 0, 1, 0]}
    )
    ax = churn.plot_survival(churn.survival_table(customers))
    curve, marks = ax.lines
    assert curve.get_ydata().tolist() == [1, 0.75, 0.75, 0.375, 0.375]
    assert marks.get_xdata().tolist() == [5, 8]
    assert ax.get_legend() is None
