"""Cases of crmkit.churn."""

import numpy as np
import pandas as pd

from contract.cases._case import FunctionCase, ModelCase, PlotCase
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


def towns():
    ids = np.arange(100, 145)
    return pd.DataFrame({"customer_id": ids, "town": np.where(ids % 3, "north", "south")})


def town_gaps():
    return churn.gap_table(log(), by="town", customers=towns())


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
            "reason": rng.choice(["voluntary", "failed payment"], n),
        }
    )


def memberships():
    ids = np.arange(100, 220)
    return contracts(ids.size).assign(customer_id=ids)


def order_lines(n=1500):
    rng = np.random.default_rng(9)
    return pd.DataFrame(
        {
            "customer_id": rng.integers(100, 220, n),
            "date": pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 400, n), unit="D"),
            "amount": rng.integers(-40, 900, n) / 4,
            "order_id": rng.integers(0, 400, n),
            "product": rng.choice(["tea", "milk", "jam", "rice"], n),
            "saved": rng.integers(0, 9, n) / 2,
        }
    )


def households():
    ids = np.arange(100, 220)
    return pd.DataFrame(
        {"customer_id": ids, "region": np.where(ids % 2, "east", "west"), "age": ids % 50 + 18.0}
    )


def snapshots():
    days = ["2024-06-30", "2024-09-30"]
    return churn.churn_table(order_lines(), customers=households(), as_of=days, horizon_days=30)


def snapshot():
    return churn.churn_table(order_lines(), as_of="2024-09-30", horizon_days=30)


def scored():
    return churn.ChurnModel(random_state=0).fit(snapshot()).scores_


def tenures(n=80):
    rng = np.random.default_rng(9)
    return pd.DataFrame(
        {
            "customer_id": np.arange(100, 100 + n),
            "plan": rng.choice(["month", "year"], n),
            "tenure_days": rng.integers(0, 200, n),
            "churned": rng.random(n) < 0.5,
        }
    )


def valued():
    rng = np.random.default_rng(4)
    ids = np.arange(100, 160)
    return pd.DataFrame(
        {
            "customer_id": ids,
            "p_churn": rng.random(60),
            "value": rng.integers(0, 400, 60) / 4,
            "rate": 0.3,
        }
    )


def moved():
    ids = np.arange(100, 160)
    days = pd.to_timedelta(np.arange(60) % 30 + 120, unit="D")
    events = np.where(ids % 2, "moved", "complained")
    return pd.DataFrame(
        {"customer_id": ids, "date": pd.Timestamp("2024-01-01") + days, "event": events}
    )


def prospects(seed, n=150):
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "customer_id": np.arange(n) + 1000 * seed,
            "channel": rng.choice(["web", "shop"], n),
            "age": rng.integers(18, 80, n),
            "valuable": rng.integers(0, 2, n),
            "responded": rng.integers(0, 2, n),
        }
    )


def lost(n=400):
    rng = np.random.default_rng(6)
    age = rng.integers(18, 80, n)
    offered = rng.integers(0, 2, n)
    p = 0.2 + 0.3 * offered * (age > 50)
    return pd.DataFrame(
        {
            "customer_id": rng.permutation(n) + 500,
            "age": age,
            "channel": rng.choice(["web", "shop"], n),
            "offered": offered,
            "returned": (rng.random(n) < p).astype(int),
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
        lambda: {"transactions": log(), "customers": towns()},
        kwargs={"by": "town", "activity": "rolling", "period": "quarter"},
        needs={"transactions": ("customer_id", "date"), "customers": ("customer_id", "town")},
        numbers=AMOUNT,
    ),
    FunctionCase(
        churn.cohort_table,
        lambda: {"transactions": contracts()},
        kwargs={"as_of": "2024-12-31", "ages": "customer"},
        needs={"transactions": ("customer_id", "start_date", "end_date")},
        numbers={"transactions": ("monthly_revenue",)},
    ),
    FunctionCase(
        churn.retention_table, lambda: {"transactions": log()}, needs=NEEDS, numbers=AMOUNT
    ),
    FunctionCase(
        churn.retention_table,
        lambda: {"transactions": contracts(), "customers": towns()},
        kwargs={"as_of": "2024-12-31", "by": "town", "grace_days": 5, "span_periods": 3},
        needs={
            "transactions": ("customer_id", "start_date", "end_date"),
            "customers": ("customer_id", "town"),
        },
        numbers={"transactions": ("monthly_revenue",)},
    ),
    FunctionCase(
        churn.churn_table,
        lambda: {"transactions": order_lines(), "customers": households()},
        kwargs={
            "as_of": "2024-11-30",
            "horizon_days": 30,
            "lead_days": 7,
            "discount": "saved",
        },
        needs={"transactions": ("customer_id", "date", "saved"), "customers": ("customer_id",)},
        numbers={"transactions": ("amount", "saved")},
    ),
    FunctionCase(
        churn.churn_table,
        lambda: {"transactions": order_lines(), "contracts": contracts()},
        kwargs={"as_of": "2024-08-31", "horizon_days": 30, "lead_days": 7, "grace_days": 3},
        needs={
            "transactions": ("customer_id", "date"),
            "contracts": ("customer_id", "start_date", "end_date"),
        },
        numbers={"transactions": ("amount",), "contracts": ("monthly_revenue",)},
    ),
    FunctionCase(
        churn.gains_table,
        lambda: {"customers": snapshot(), "scores": scored()},
        needs={"customers": ("customer_id", "churned"), "scores": ("customer_id", "p_churn")},
        numbers={"scores": ("p_churn",)},
    ),
    FunctionCase(
        churn.calibration_table,
        lambda: {"customers": snapshot(), "scores": scored()},
        needs={"customers": ("customer_id", "churned"), "scores": ("customer_id", "p_churn")},
        numbers={"scores": ("p_churn",)},
    ),
    FunctionCase(
        churn.backtest_table,
        lambda: {"transactions": order_lines(), "customers": households()},
        kwargs={"as_of": ["2024-10-31", "2024-11-30"], "horizon_days": 30, "n_train": 2},
        needs={"transactions": ("customer_id", "date"), "customers": ("customer_id",)},
        numbers={"transactions": ("amount",)},
    ),
    FunctionCase(
        churn.signal_table,
        lambda: {"transactions": order_lines(), "customers": households()},
        kwargs={"as_of": "2024-11-30", "horizon_days": 30},
        needs={"transactions": ("customer_id", "date"), "customers": ("customer_id",)},
        numbers={"transactions": ("amount",)},
    ),
    FunctionCase(
        churn.backtest_table,
        lambda: {"transactions": order_lines(), "contracts": memberships()},
        kwargs={
            "as_of": "2024-08-31",
            "horizon_days": 30,
            "n_train": 1,
            "grace_days": 3,
            "heuristics": ["contract_days"],
        },
        needs={
            "transactions": ("customer_id", "date"),
            "contracts": ("customer_id", "start_date", "end_date"),
        },
        numbers={"transactions": ("amount",), "contracts": ("monthly_revenue",)},
    ),
    FunctionCase(
        churn.signal_table,
        lambda: {"transactions": order_lines(), "contracts": memberships()},
        kwargs={"as_of": "2024-08-31", "horizon_days": 60, "lead_days": [0, 28]},
        needs={
            "transactions": ("customer_id", "date"),
            "contracts": ("customer_id", "start_date", "end_date"),
        },
        numbers={"transactions": ("amount",), "contracts": ("monthly_revenue",)},
    ),
    FunctionCase(
        churn.save_gain,
        lambda: {"customers": valued()},
        kwargs={"save_rate": "rate", "contact_cost": 1.5},
        needs={"customers": ("customer_id", "p_churn", "value", "rate")},
        numbers={"customers": ("p_churn", "value", "rate")},
    ),
    FunctionCase(
        churn.save_gain,
        lambda: {"customers": valued().assign(treatment="card", more=lambda t: t["p_churn"] - 0.5)},
        kwargs={"uplift": "more", "value": 40, "contact_cost": "rate"},
        needs={"customers": ("customer_id", "more", "rate")},
        numbers={"customers": ("more", "rate")},
    ),
    FunctionCase(
        churn.key_moments,
        lambda: {"transactions": order_lines(), "events": moved()},
        kwargs={"before_days": 60, "after_days": 60, "random_state": 0},
        needs={"transactions": ("customer_id", "date"), "events": ("customer_id", "date")},
        numbers={"transactions": ("amount",)},
    ),
    FunctionCase(
        churn.key_moments,
        lambda: {"transactions": order_lines()},
        kwargs={"events": {"first jam": ["jam"]}, "before_days": 60, "random_state": 0},
        needs={"transactions": ("customer_id", "date", "product")},
        numbers={"transactions": ("amount",)},
    ),
    FunctionCase(
        churn.silence_table,
        lambda: {"transactions": order_lines()},
        needs={"transactions": ("customer_id", "date")},
        numbers={"transactions": ("amount",)},
    ),
    FunctionCase(
        churn.retention_profile,
        lambda: {"customers": snapshots()},
        needs={"customers": ("customer_id", "churned")},
    ),
    FunctionCase(
        churn.acquisition_table,
        lambda: {"transactions": order_lines(), "customers": households()},
        needs={"transactions": ("customer_id", "date"), "customers": ("customer_id",)},
        numbers={"transactions": ("amount",)},
    ),
    FunctionCase(
        churn.acquisition_profile,
        lambda: {
            "transactions": order_lines(),
            "customers": households().assign(paid=lambda t: t["age"] / 4),
        },
        kwargs={"by": ["region", "first_product", "age"], "acquisition_cost": "paid"},
        needs={"transactions": ("customer_id", "date"), "customers": ("customer_id", "region")},
        numbers={"transactions": ("amount",)},
    ),
    FunctionCase(
        churn.gap_table,
        lambda: {"transactions": log(), "customers": towns()},
        kwargs={"by": "town"},
        needs={"transactions": ("customer_id", "date"), "customers": ("customer_id", "town")},
    ),
    FunctionCase(
        churn.gap_table,
        lambda: {"transactions": log_with_channel()},
        kwargs={"by": "channel"},
        needs={"transactions": ("customer_id", "date", "channel")},
    ),
    FunctionCase(
        churn.lifecycle_thresholds,
        lambda: {"gaps": churn.gap_table(log())},
        needs={"gaps": ("gap_days", "at_risk", "p_open")},
        numbers={"gaps": ("gap_days", "at_risk", "p_open")},
    ),
    FunctionCase(
        churn.lifecycle_table,
        lambda: {"transactions": log(), "customers": towns()},
        kwargs={"own_rhythm": True, "thresholds": churn.lifecycle_thresholds(town_gaps())},
        needs={"transactions": ("customer_id", "date"), "customers": ("customer_id", "town")},
    ),
    FunctionCase(
        churn.lifecycle_transitions,
        lambda: {"transactions": log(), "customers": towns()},
        kwargs={"dates": ["2024-06-30", "2024-12-31"], "by": "town"},
        needs={"transactions": ("customer_id", "date"), "customers": ("customer_id", "town")},
    ),
    FunctionCase(
        churn.retention_curve,
        lambda: {"cohorts": churn.cohort_table(log_with_channel(), by="channel")},
        needs={"cohorts": ("cohort", "age", "customers", "active")},
        numbers={"cohorts": ("customers",)},
    ),
    PlotCase(churn.plot_gaps, lambda: {"gaps": churn.gap_table(log())}),
    PlotCase(
        churn.plot_retention_curve,
        lambda: {"curve": churn.retention_curve(churn.cohort_table(log()))},
    ),
    PlotCase(churn.plot_survival, lambda: {"survival": churn.survival_table(tenures(), by="plan")}),
    ModelCase(
        churn.HazardModel,
        lambda: {"customers": tenures().assign(age=lambda t: t["customer_id"] % 17)},
        parameters={"n_intervals": 4, "random_state": 0},
        predict_kwargs={"horizon_days": 30},
        needs=("customer_id", "tenure_days", "churned"),
    ),
    ModelCase(
        churn.CoxModel,
        lambda: {"customers": tenures().assign(age=lambda t: t["customer_id"] % 17)},
        predict_kwargs={"horizon_days": 30, "duration": "tenure_days"},
        needs=("customer_id", "tenure_days", "churned"),
    ),
    ModelCase(
        churn.CoxModel,
        lambda: {"customers": tenures().assign(age=lambda t: t["customer_id"] % 17)},
        parameters={"strata": "plan"},
        predict_kwargs={"horizon_days": 30},
        needs=("customer_id", "tenure_days", "churned", "plan"),
    ),
    ModelCase(
        churn.AFTModel,
        lambda: {
            "customers": tenures().assign(
                age=lambda t: t["customer_id"] % 17, tenure_days=lambda t: t["tenure_days"] + 1
            )
        },
        predict_kwargs={"horizon_days": 30},
        needs=("customer_id", "tenure_days", "churned"),
        extra="lifelines",
    ),
    FunctionCase(
        churn.survival_table,
        lambda: {"customers": tenures()},
        kwargs={"by": "plan"},
        needs={"customers": ("customer_id", "tenure_days", "churned", "plan")},
        numbers={"customers": ("tenure_days", "churned")},
    ),
    FunctionCase(
        churn.logrank_test,
        lambda: {"customers": tenures()},
        kwargs={"by": "plan"},
        needs={"customers": ("customer_id", "tenure_days", "churned", "plan")},
        numbers={"customers": ("tenure_days", "churned")},
    ),
    FunctionCase(
        churn.conditional_survival,
        lambda: {"customers": tenures(), "survival": churn.survival_table(tenures(), by="plan")},
        kwargs={"horizon_days": 30},
        needs={"customers": ("customer_id", "tenure_days", "plan"), "survival": ("p_survival",)},
        numbers={"customers": ("tenure_days",), "survival": ("p_survival", "std_error", "time")},
    ),
    FunctionCase(
        churn.survival_summary,
        lambda: {"survival": churn.survival_table(tenures(), by="plan")},
        needs={"survival": ("time", "p_survival", "std_error")},
        numbers={"survival": ("p_survival", "std_error", "time")},
    ),
    FunctionCase(
        churn.leaving_table,
        lambda: {"customers": tenures().assign(why=lambda t: t["customer_id"] % 3)},
        kwargs={"by": "plan", "reason": "why"},
        needs={"customers": ("customer_id", "tenure_days", "churned", "plan", "why")},
        numbers={"customers": ("tenure_days", "churned")},
    ),
    FunctionCase(
        churn.concordance_table,
        lambda: {
            "customers": tenures(),
            "scores": tenures()[["customer_id"]].assign(p_survival=lambda t: t.index % 7 / 7),
        },
        needs={
            "customers": ("customer_id", "tenure_days", "churned"),
            "scores": ("customer_id", "p_survival"),
        },
        numbers={"customers": ("tenure_days", "churned"), "scores": ("p_survival",)},
    ),
    ModelCase(
        churn.ProspectModel,
        lambda: {"customers": prospects(0), "contacts": prospects(1)},
        parameters={"random_state": 0},
        apart=("contacts",),
        predict_tables=lambda: {"prospects": prospects(2)},
        needs=("customer_id", "valuable"),
    ),
    ModelCase(
        churn.ProspectModel,
        lambda: {
            "customers": prospects(0),
            "contacts": prospects(1).assign(offered=lambda t: t["customer_id"] % 2),
        },
        parameters={"random_state": 0},
        fit_kwargs={"treated": "offered"},
        apart=("contacts",),
        predict_tables=lambda: {"prospects": prospects(2)},
        needs=("customer_id", "valuable"),
    ),
    ModelCase(
        churn.WinBackModel,
        lambda: {"customers": lost()},
        parameters={"random_state": 0},
        predict_tables=lambda: {"customers": lost().drop(columns=["offered", "returned"])},
        needs=("customer_id", "offered", "returned"),
    ),
    ModelCase(
        churn.ChurnModel,
        lambda: {"customers": snapshots()},
        parameters={"random_state": 0},
        predict_tables=lambda: {
            "customers": churn.churn_table(order_lines(), customers=households())
        },
        needs=("customer_id", "churned"),
    ),
    PlotCase(
        churn.plot_calibration,
        lambda: {"calibration": churn.calibration_table(snapshot(), scored())},
    ),
    PlotCase(
        churn.plot_moments,
        lambda: {"moments": churn.key_moments(order_lines(), moved(), random_state=0)},
    ),
    PlotCase(churn.plot_profile, lambda: {"profile": churn.retention_profile(snapshot())}),
    PlotCase(
        churn.plot_signals,
        lambda: {"signals": churn.signal_table(order_lines(), as_of="2024-11-30", horizon_days=30)},
    ),
    PlotCase(churn.plot_gains, lambda: {"gains": churn.gains_table(snapshot(), scored())}),
    PlotCase(churn.plot_cohorts, lambda: {"cohorts": churn.cohort_table(log())}),
    PlotCase(churn.plot_retention, lambda: {"retention": churn.retention_table(log())}),
]
