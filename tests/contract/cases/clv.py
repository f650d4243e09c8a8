"""Cases of crmkit.clv."""

import numpy as np
import pandas as pd

from contract.cases._case import FunctionCase, PlotCase
from crmkit import clv


def _log(n_customers=40, seed=7):
    rng = np.random.default_rng(seed)
    customer = np.repeat(np.arange(n_customers), rng.integers(1, 9, n_customers))
    days = rng.integers(0, 700, customer.size)
    return pd.DataFrame(
        {
            "customer_id": customer,
            "date": pd.Timestamp("2023-01-01") + pd.to_timedelta(days, unit="D"),
            "amount": np.round(rng.gamma(3.0, 12.0, customer.size), 2),
            "quantity": rng.integers(1, 5, customer.size),
            "order_id": rng.permutation(customer.size),
        }
    )


def _transactions():
    return {"transactions": _log()}


def _cash_flows():
    return {"cash_flows": _log().drop(columns=["quantity", "order_id"])}


def _factors():
    rng = np.random.default_rng(3)
    return {
        "customers": pd.DataFrame(
            {
                "customer_id": rng.permutation(20),
                "transactions": rng.integers(1, 30, 20),
                "items_per_transaction": rng.uniform(1, 4, 20),
                "price": rng.uniform(2, 20, 20),
                "acquisition_cost": rng.uniform(0, 50, 20),
            }
        )
    }


def _members():
    rng = np.random.default_rng(5)
    return {
        "customers": pd.DataFrame(
            {
                "customer_id": rng.permutation(20),
                "margin": rng.uniform(5, 90, 20),
                "retention_rate": rng.uniform(0.3, 0.95, 20),
            }
        )
    }


def _judged():
    customers = clv.holdout_table(_log(), as_of="2024-03-01")
    rate = (customers["frequency"] + 0.5) / (customers["T"] + 100.0)
    predictions = pd.DataFrame(
        {
            "customer_id": customers["customer_id"],
            "expected_purchases": rate * customers["holdout_days"],
        }
    )
    return {"customers": customers, "predictions": predictions}


TAPK = ("transactions", "items_per_transaction", "price", "acquisition_cost")
CONTRACT = ("margin", "retention_rate")
LOG = {"transactions": ("customer_id", "date", "amount")}

TABLES = [
    FunctionCase(
        clv.tapk, _factors, needs={"customers": ("customer_id", *TAPK)}, numbers={"customers": TAPK}
    ),
    FunctionCase(
        clv.tapk_table,
        _transactions,
        {"acquisition_cost": 12.0},
        needs=LOG,
        numbers={"transactions": ("amount", "quantity")},
    ),
    FunctionCase(
        clv.net_present_value,
        _cash_flows,
        {"annual_discount_rate": 0.1, "as_of": "2023-06-01"},
        needs={"cash_flows": ("customer_id", "date", "amount")},
        numbers={"cash_flows": ("amount",)},
    ),
    FunctionCase(
        clv.retention_value,
        _members,
        {"annual_discount_rate": 0.1},
        needs={"customers": ("customer_id", *CONTRACT)},
        numbers={"customers": CONTRACT},
    ),
    FunctionCase(
        clv.cohort_value,
        _transactions,
        {"period": "quarter", "margin": 0.4, "annual_discount_rate": 0.1},
        needs=LOG,
        numbers={"transactions": ("amount",)},
    ),
    FunctionCase(
        clv.payback_table,
        _transactions,
        {"period": "quarter", "margin": 0.4, "acquisition_cost": 40.0},
        needs=LOG,
        numbers={"transactions": ("amount",)},
    ),
    FunctionCase(
        clv.purchase_table,
        _transactions,
        {"as_of": "2024-09-01"},
        needs={"transactions": ("customer_id", "date")},
        numbers={"transactions": ("amount",)},
    ),
    FunctionCase(
        clv.holdout_table,
        _transactions,
        {"as_of": "2024-03-01", "horizon_days": 200},
        needs={"transactions": ("customer_id", "date")},
        numbers={"transactions": ("amount",)},
    ),
]

REPORTS = [
    FunctionCase(
        clv.tapk_sensitivity,
        _factors,
        needs={"customers": ("customer_id", *TAPK)},
        numbers={"customers": TAPK},
    ),
    FunctionCase(
        clv.calibration_table,
        _judged,
        needs={
            "customers": ("customer_id", "frequency", "holdout_frequency"),
            "predictions": ("customer_id", "expected_purchases"),
        },
        numbers={
            "customers": ("frequency", "holdout_frequency"),
            "predictions": ("expected_purchases",),
        },
    ),
]

PLOTS = [
    PlotCase(
        clv.plot_calibration,
        lambda: {"calibration": clv.calibration_table(*_judged().values())},
    ),
]

MODELS = []

CASES = [*TABLES, *REPORTS, *PLOTS, *MODELS]
