"""Online Retail (UCI, Chen 2015): states, gaps and what a prediction is worth.

503 of 4,339 customers had another state when cancellations counted as purchases. The 90 % quantile
of gaps, with the last one open, is 287 days by lifelines' Kaplan-Meier estimator and 110 days among
the gaps that closed. The number of orders ranks those who leave after 10 September 2011 by .722,
counted pair by pair from the table; the figures of the model are those of 2026.
"""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import mannwhitneyu

import crmkit
from crmkit import churn


@pytest.fixture(scope="module")
def log(reference_data):
    raw = pd.read_parquet(reference_data / "online_retail.parquet")
    raw = raw.assign(paid=(raw["Quantity"] * raw["UnitPrice"]).round(2))
    return crmkit.as_transactions(
        raw.assign(InvoiceNo=raw["InvoiceNo"].astype(str)),
        customer_id="CustomerID",
        date="InvoiceDate",
        amount="paid",
        order_id="InvoiceNo",
        missing_customers="drop",
    )


def test_states_are_those_of_purchases(log):
    states = churn.lifecycle_table(log)
    mistaken = churn.lifecycle_table(log.assign(amount=log["amount"].abs()))
    both = states.merge(mistaken, on="customer_id")
    assert len(states) == len(both) == 4_339
    assert (both["state_x"] != both["state_y"]).sum() == 503


def test_the_open_gap_counts(log):
    gaps = churn.gap_table(log)
    assert gaps.loc[gaps["p_open"] <= 0.1, "gap_days"].iloc[0] == 287
    closed = np.repeat(gaps["gap_days"], gaps["closed"])
    assert np.quantile(closed, 0.9) == 110


def test_a_model_ranks_better_than_the_number_of_orders_and_foretells_no_better(log):
    table = churn.backtest_table(log, as_of="2011-09-10", horizon_days=90, n_train=1)
    model, rival = (table.set_index("model").loc[name] for name in ("model", "orders"))
    later = churn.churn_table(log, as_of="2011-09-10", horizon_days=90)
    left, stayed = (later.loc[later["churned"] == n, "orders"] for n in (1, 0))
    pairs = mannwhitneyu(stayed, left).statistic / (len(left) * len(stayed))
    assert rival["auc"] == pytest.approx(pairs, abs=1e-9) == pytest.approx(0.722, abs=5e-4)
    assert rival["brier"] == pytest.approx(0.209, abs=5e-4)
    assert (model["auc"], model["brier"]) == pytest.approx((0.735, 0.213), abs=3e-3)
    assert 0 < model["auc_gain_low"] < 0.01 < model["auc_gain_high"] < 0.03
    assert rival["verdict"] == "is the rival"
    assert model["verdict"] == "better as a ranking, worse as a probability"
