"""Cases of crmkit.churn."""

import numpy as np
import pandas as pd

from contract.cases._case import FunctionCase, PlotCase
from crmkit import churn


def log(n=300):
    rng = np.random.default_rng(7)
    return pd.DataFrame(
        {
            "customer_id": rng.integers(100, 140, n),
            "date": pd.Timestamp("2024-01-10") + pd.to_timedelta(rng.integers(0, 400, n), unit="D"),
            "amount": rng.integers(1, 900, n) / 4,
        }
    )


def log_with_channel():
    return log().assign(channel=lambda t: np.where(t["customer_id"] % 3 == 0, "web", "shop"))


def contracts(n=60):
    rng = np.random.default_rng(8)
    start = pd.Timestamp("2024-01-10") + pd.to_timedelta(rng.integers(0, 300, n), unit="D")
    end = start + pd.to_timedelta(rng.integers(1, 300, n), unit="D")
    return pd.DataFrame(
        {
            "customer_id": rng.integers(100, 140, n),
            "start_date": start,
            "end_date": pd.Series(end).where(rng.random(n) < 0.7),
            "monthly_revenue": rng.integers(10, 90, n) / 2,
        }
    )


NEEDS = {"transactions": ("customer_id", "date")}
AMOUNT = {"transactions": ("amount",)}

CASES: list = [
    FunctionCase(
        churn.cohort_customers,
        lambda: {"transactions": log()},
        kwargs={"cohort": "2024-01-01", "age": 2},
        needs=NEEDS,
        numbers=AMOUNT,
    ),
    FunctionCase(churn.cohort_table, lambda: {"transactions": log()}, needs=NEEDS, numbers=AMOUNT),
    FunctionCase(
        churn.cohort_table,
        lambda: {"transactions": log_with_channel()},
        kwargs={"by": "channel", "kind": "rolling", "period": "quarter"},
        needs={"transactions": ("customer_id", "date", "channel")},
        numbers=AMOUNT,
    ),
    FunctionCase(
        churn.retention_table, lambda: {"transactions": log()}, needs=NEEDS, numbers=AMOUNT
    ),
    FunctionCase(
        churn.retention_table,
        lambda: {"transactions": contracts()},
        kwargs={"as_of": "2024-12-31"},
        needs={"transactions": ("customer_id", "end_date")},
        numbers={"transactions": ("monthly_revenue",)},
    ),
    PlotCase(churn.plot_cohorts, lambda: {"cohorts": churn.cohort_table(log())}),
    PlotCase(churn.plot_retention, lambda: {"retention": churn.retention_table(log())}),
]
