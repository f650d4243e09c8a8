"""Cases of crmkit.clv."""

from functools import cache

import numpy as np
import pandas as pd

from contract.cases._case import FunctionCase, ModelCase, PlotCase
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


def _people():
    ids = np.arange(50)
    return pd.DataFrame({"customer_id": ids, "channel": np.where(ids % 3, "web", "shop")})


CHANNEL_COSTS = pd.DataFrame({"channel": ["shop", "web"], "acquisition_cost": [9.0, 4.0]})


def _log_and_people():
    return {"transactions": _log(), "customers": _people()}


def _with_expectations():
    expected = pd.DataFrame({"customer_id": np.arange(45), "expected_purchases": 1.5})
    return {**_log_and_people(), "expected_purchases": expected}


def _with_costs():
    costs = pd.DataFrame({"customer_id": np.arange(45), "acquisition_cost": 40.0})
    return {**_log_and_people(), "acquisition_cost": costs}


def _customers():
    return {"customers": clv.purchase_table(_log())}


def _heavy():
    return {"customers": clv.purchase_table(_log(), heavy_tails=True)}


def _regulars():
    return {"customers": clv.purchase_table(_log(), regularity=True)}


def _donors():
    rng = np.random.default_rng(11)
    chance, periods = rng.beta(1.0, 1.0, 60), rng.integers(4, 8, 60)
    frequency = rng.binomial(periods, chance)
    recency = np.where(frequency > 0, rng.integers(frequency, periods + 1), 0)
    return {
        "customers": pd.DataFrame(
            {
                "customer_id": rng.permutation(60),
                "frequency": frequency,
                "recency": recency,
                "periods": periods,
            }
        )
    }


def _contracts():
    rng = np.random.default_rng(12)
    left = rng.geometric(rng.beta(1.0, 3.0, 80))
    return {
        "customers": pd.DataFrame(
            {
                "customer_id": rng.permutation(80),
                "periods": np.minimum(left, 6),
                "churned": left <= 6,
            }
        )
    }


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
                "item_cost": rng.uniform(0, 2, 20),
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


def _base():
    return clv.purchase_table(_log(n_customers=120))


@cache
def _models():
    customers = _base()
    return {"purchases": clv.BGNBD().fit(customers), "spend": clv.GammaGamma().fit(customers)}


def _tracked():
    return {"purchases": _models()["purchases"], "as_of": "2023-09-01", "horizon_days": 56}


@cache
def _by_channel():
    customers = clv.purchase_table(_log(), as_of="2023-09-01")
    customers = customers.merge(_people(), on="customer_id")
    return clv.ByGroup(model=clv.BGNBD(), by="channel").fit(customers)


def _season():
    # Without ids: true for everybody, whatever the type of their ids.
    months = pd.date_range("2022-12-15", periods=40, freq="30D")
    winter = (months.month % 12 < 3).astype(float)
    return pd.DataFrame({"date": months, "winter": winter, "price": np.cos(np.arange(40.0))})


TAPK = ("transactions", "items_per_transaction", "price", "acquisition_cost")
HISTORY = ("customer_id", "frequency", "recency", "T")
CONTRACT = ("margin", "retention_rate")
LOG = {"transactions": ("customer_id", "date", "amount")}
EXPECTED = ("customer_id", "expected_purchases")

TABLES = [
    FunctionCase(
        clv.tapk,
        _factors,
        needs={"customers": ("customer_id", *TAPK)},
        numbers={"customers": (*TAPK, "item_cost")},
    ),
    FunctionCase(
        clv.tapk_table,
        _with_expectations,
        {"acquisition_cost": CHANNEL_COSTS},
        needs={**LOG, "customers": ("customer_id", "channel"), "expected_purchases": EXPECTED},
        numbers={"transactions": ("amount", "quantity"), "expected_purchases": EXPECTED[1:]},
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
        _log_and_people,
        {"period": "quarter", "margin": 0.4, "annual_discount_rate": 0.1, "by": "channel"},
        needs={**LOG, "customers": ("customer_id", "channel")},
        numbers={"transactions": ("amount",)},
    ),
    FunctionCase(
        clv.history_counts,
        _transactions,
        needs={"transactions": ("customer_id", "date")},
        numbers={"transactions": ("amount",)},
    ),
    FunctionCase(
        clv.payback_table,
        _with_costs,
        {"period": "quarter", "margin": 0.4, "by": "channel"},
        needs={
            **LOG,
            "customers": ("customer_id", "channel"),
            "acquisition_cost": ("acquisition_cost",),
        },
        numbers={"transactions": ("amount",), "acquisition_cost": ("acquisition_cost",)},
        also_takes={"acquisition_cost": (7,)},
    ),
    FunctionCase(
        clv.opportunity_table,
        _transactions,
        {"period": "quarter"},
        needs={"transactions": ("customer_id", "date")},
    ),
    FunctionCase(
        clv.contract_table,
        _transactions,
        {"period": "quarter", "grace_periods": 1},
        needs={"transactions": ("customer_id", "date")},
    ),
    FunctionCase(
        clv.purchase_table,
        _transactions,
        {"as_of": "2024-09-01"},
        needs={"transactions": ("customer_id", "date")},
        numbers={"transactions": ("amount",)},
    ),
    FunctionCase(
        clv.log_audit,
        _transactions,
        {"as_of": "2024-09-01"},
        needs={"transactions": ("customer_id", "date")},
        counts_missing=True,
    ),
    FunctionCase(
        clv.holdout_table,
        _transactions,
        {"as_of": "2024-03-01", "horizon_days": 200},
        needs={"transactions": ("customer_id", "date")},
        numbers={"transactions": ("amount",)},
    ),
]


def _nested():
    customers = _customers()["customers"].assign(even=lambda t: t["customer_id"] % 2)
    return {
        "restricted": clv.BGNBD().fit(customers),
        "general": clv.BGNBD(purchase_covariates=["even"]).fit(customers),
    }


REPORTS = [
    FunctionCase(clv.likelihood_ratio_test, dict, _nested()),
    FunctionCase(
        clv.model_comparison,
        lambda: {"customers": clv.holdout_table(_log(120), as_of="2024-06-01")},
        {"models": {"BG/NBD": _models()["purchases"]}},
        needs={"customers": (*HISTORY, "holdout_frequency", "holdout_days")},
        numbers={"customers": ("frequency", "T", "holdout_frequency")},
    ),
    FunctionCase(
        clv.spend_frequency_correlation,
        lambda: {"customers": _base()},
        needs={"customers": ("customer_id", "frequency", "monetary_value")},
        numbers={"customers": ("frequency", "monetary_value")},
    ),
    FunctionCase(
        clv.lifetime_value,
        lambda: {"customers": _base()},
        {**_models(), "margin": 0.3, "interval": "delta"},
        needs={"customers": ("customer_id", "frequency", "recency", "T", "monetary_value")},
        numbers={"customers": ("frequency", "recency", "T")},
    ),
    FunctionCase(
        clv.customer_equity,
        lambda: {"customers": _base().assign(half=lambda t: t["customer_id"] % 2)},
        {**_models(), "by": "half"},
        needs={"customers": ("customer_id", "frequency", "monetary_value", "half")},
        numbers={"customers": ("frequency", "recency", "T")},
    ),
    FunctionCase(
        clv.tracking_table,
        _log_and_people,
        {**_tracked(), "purchases": _by_channel()},
        needs={"transactions": ("customer_id", "date"), "customers": ("customer_id", "channel")},
    ),
    FunctionCase(
        clv.frequency_recency_table,
        lambda: {"customers": _base()},
        {"purchases": _models()["purchases"], "max_frequency": 6, "n_recencies": 5},
        needs={"customers": ("customer_id", "frequency", "T")},
        numbers={"customers": ("frequency", "T")},
    ),
    FunctionCase(
        clv.frequency_table,
        lambda: {"customers": clv.holdout_table(_log(120), as_of="2024-06-01")},
        {"purchases": _models()["purchases"]},
        needs={"customers": HISTORY},
        numbers={"customers": ("frequency", "T", "holdout_frequency")},
    ),
    FunctionCase(
        clv.forecast_table,
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
        clv.plot_customer_equity,
        lambda: {
            "equity": clv.customer_equity(
                _base().assign(half=lambda t: t["customer_id"] % 2), by="half", **_models()
            )
        },
    ),
    PlotCase(
        clv.plot_cohort_value,
        lambda: {"cohorts": clv.cohort_value(_log(), period="quarter")},
    ),
    PlotCase(
        clv.plot_payback,
        lambda: {"payback": clv.payback_table(_log(), acquisition_cost=90.0, period="quarter")},
    ),
    PlotCase(
        clv.plot_model_comparison,
        lambda: {
            "comparison": clv.model_comparison(
                clv.holdout_table(_log(120), as_of="2024-06-01"),
                models={"BG/NBD": _models()["purchases"]},
            )
        },
    ),
    PlotCase(
        clv.plot_tracking,
        lambda: {"tracking": clv.tracking_table(_log(), **_tracked())},
    ),
    PlotCase(
        clv.plot_alive_path,
        lambda: {"path": _models()["purchases"].alive_path(_log(6), as_of="2024-12-31")},
    ),
    PlotCase(
        clv.plot_frequency_recency,
        lambda: {"grid": clv.frequency_recency_table(_base(), purchases=_models()["purchases"])},
    ),
    PlotCase(
        clv.plot_forecast,
        lambda: {"forecast": clv.forecast_table(*_judged().values())},
    ),
]

BOUGHT = ("customer_id", "frequency", "first_amount", "kept_purchases")
MONTHLY = {"period_days": 30}
CONTRACTS = ("customer_id", "periods", "churned")
PATH = {"methods": {"alive_path": {"every_days": 30}}, "log": lambda: _log(10)}

MODELS = [
    ModelCase(clv.BGNBD, _customers, needs=HISTORY, **PATH),
    ModelCase(clv.MBGNBD, _customers, needs=HISTORY, **PATH),
    # Of the forty, Pareto/NBD would make two limits at once, a long way up.
    ModelCase(
        clv.ParetoNBD,
        lambda: {"customers": clv.purchase_table(_log(80))},
        needs=HISTORY,
        **PATH,
    ),
    ModelCase(
        clv.GGomNBD,
        lambda: {"customers": clv.purchase_table(_log(40))},
        {"prior": "weak", "n_draws": 20},
        needs=HISTORY,
        tolerance=1e-4,
        **PATH,
    ),
    ModelCase(
        clv.ByGroup,
        lambda: {"customers": _base().assign(half=lambda t: t["frequency"] % 2)},
        {"model": clv.BGNBD(), "by": "half"},
        needs=(*HISTORY, "half"),
        tolerance=1e-4,
    ),
    ModelCase(clv.BGCNBD, _regulars, needs=(*HISTORY, "sum_log_gaps"), tolerance=1e-5, **PATH),
    ModelCase(clv.MBGCNBD, _regulars, {"k": 2}, needs=(*HISTORY, "sum_log_gaps"), **PATH),
    ModelCase(
        clv.BGBB,
        _donors,
        {"period_days": 365},
        needs=("customer_id", "frequency", "recency", "periods"),
    ),
    ModelCase(
        clv.TimeVaryingParetoNBD,
        lambda: {"transactions": _log(20)},
        {"purchase_covariates": ["winter", "price"], "dropout_covariates": ["price"], "l2": 5.0},
        {"covariates": _season()},
        predict_kwargs={"covariates": _season(), "annual_discount_rate": 0.1, "interval": "delta"},
        needs=("customer_id", "date"),
        methods={"on_log": {"covariates": _season()}},
    ),
    ModelCase(clv.ShiftedBetaGeometric, _contracts, MONTHLY, needs=CONTRACTS),
    ModelCase(clv.BetaDiscreteWeibull, _contracts, MONTHLY, needs=CONTRACTS),
    ModelCase(clv.GammaGamma, _customers, needs=(*BOUGHT, "monetary_value")),
    ModelCase(clv.LognormalSpend, _heavy, needs=(*BOUGHT, "log_amount_mean", "log_amount_std")),
]

CASES = [*TABLES, *REPORTS, *PLOTS, *MODELS]
