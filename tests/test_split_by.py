"""A table that another function split stays split as it was, whatever is put beside its columns."""

import io

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from crmkit import churn, clv, datasets, errors, response


@pytest.fixture(scope="module")
def log():
    return datasets.make_transactions(120, random_state=4)["transactions"]


@pytest.fixture(scope="module")
def people(log):
    ids = np.sort(log["customer_id"].unique())
    return pd.DataFrame({"customer_id": ids, "land": np.where(ids % 3, "NL", "BE")})


def beside(table):
    """The table with a column of somebody's own in front, and the rest the other way round."""
    mixed = table.copy()
    mixed.insert(0, "note", np.arange(len(mixed)))
    return mixed[["note", *table.columns[::-1]]]


def same(made, wanted):
    pd.testing.assert_frame_equal(made[wanted.columns], wanted)


@pytest.mark.parametrize("split", [True, False])
def test_thresholds_are_by_what_the_gaps_were_split_by(log, people, split):
    options = {"by": "land", "customers": people} if split else {}
    gaps = churn.gap_table(log, **options)
    thresholds = churn.lifecycle_thresholds(gaps)
    assert len(thresholds) == 1 + split
    same(churn.lifecycle_thresholds(beside(gaps)), thresholds)
    # A file keeps no note, but the order of its columns.
    again = pd.read_csv(io.StringIO(gaps.to_csv(index=False)))
    pd.testing.assert_frame_equal(churn.lifecycle_thresholds(again), thresholds)


def test_tables_that_hold_no_whole_curves_are_refused(log, people):
    gaps = churn.gap_table(log, by="land", customers=people)
    with_index = pd.read_csv(io.StringIO(gaps.to_csv()))
    nameless = pd.DataFrame(gaps.drop(columns="land").to_dict("list"))
    for broken in (with_index, nameless, gaps[gaps["gap_days"] > 0]):
        with pytest.raises(errors.InputError, match=r"'gap_days' within a group|lacks rows of a"):
            churn.lifecycle_thresholds(broken)
    tenures = people.assign(tenure_days=people["customer_id"] % 50, churned=1)
    curves = churn.survival_table(tenures, by="land").assign(land="NL")
    with pytest.raises(errors.InputError, match="'time' within a group"):
        churn.conditional_survival(tenures, curves, horizon_days=10)


def test_chances_to_stay_follow_the_groups_of_the_curves(people):
    tenures = people.assign(tenure_days=people["customer_id"] % 50, churned=people.index % 2)
    curves = churn.survival_table(tenures, by="land")
    wanted = churn.conditional_survival(tenures, curves, horizon_days=10)
    same(churn.conditional_survival(tenures, beside(curves), horizon_days=10), wanted)


def test_cohorts_are_pooled_by_what_they_were_split_by(log, people):
    cohorts = churn.cohort_table(log, by="land", customers=people, max_age=4)
    curve = churn.retention_curve(cohorts)
    assert set(curve["land"]) == {"NL", "BE"}
    same(churn.retention_curve(beside(cohorts)), curve)


def drawn(function, table):
    ax = function(table, ax=Figure().add_subplot())
    legend = ax.get_legend()
    texts = [text.get_text() for text in (legend.get_texts() if legend else [])]
    ticks = [text.get_text() for text in (*ax.get_xticklabels(), *ax.get_yticklabels())]
    return len(ax.lines), texts, ticks


@pytest.mark.parametrize("what", ["gaps", "survival", "curve", "equity", "payback", "campaign"])
def test_plots_name_the_groups_and_nothing_else(log, people, what):
    options = {"by": "land", "customers": people}
    if what == "gaps":
        function, table = churn.plot_gaps, churn.gap_table(log, **options)
    elif what == "survival":
        tenures = people.assign(tenure_days=people["customer_id"] % 50, churned=1)
        function, table = churn.plot_survival, churn.survival_table(tenures, by="land")
    elif what == "curve":
        function = churn.plot_retention_curve
        table = churn.retention_curve(churn.cohort_table(log, **options, max_age=4))
    elif what == "equity":
        bought = clv.purchase_table(log).merge(people, on="customer_id")
        models = {"purchases": clv.BGNBD().fit(bought), "spend": clv.GammaGamma().fit(bought)}
        function, table = clv.plot_customer_equity, clv.customer_equity(bought, by="land", **models)
    elif what == "payback":
        table = clv.payback_table(log, acquisition_cost=5.0, margin=0.3, **options)
        function = clv.plot_payback
    else:
        shop = datasets.make_campaign(400, random_state=0, arms=("mail", "call"))
        shop["land"] = np.where(shop["customer_id"] % 2, "NL", "BE")
        table = response.campaign_result(shop, outcome="responded", treated="arm", by="land")
        function = response.plot_campaign
    wanted = drawn(function, table)
    assert any("NL" in text for text in [*wanted[1], *wanted[2]])
    assert drawn(function, beside(table)) == wanted
