"""Cases of crmkit.segmentation."""

import numpy as np
import pandas as pd

from contract.cases._case import FunctionCase, PlotCase
from crmkit import segmentation


def log():
    rng = np.random.default_rng(4)
    n = 300
    amount = np.round(rng.lognormal(3, 1, n), 2)
    return pd.DataFrame(
        {
            "customer_id": rng.integers(100, 150, n),
            "date": pd.Timestamp("2025-01-01") + pd.to_timedelta(rng.integers(0, 200, n), unit="D"),
            "amount": np.where(rng.random(n) < 0.05, -amount, amount),
            "order_id": rng.integers(0, 200, n),
        }
    )


def rfm():
    return segmentation.rfm_table(log())


def scores():
    return segmentation.rfm_scores(rfm())


def cut_points():
    return segmentation.rfm_cut_points(rfm())


def valued():
    rng = np.random.default_rng(5)
    return pd.DataFrame(
        {
            "customer_id": np.arange(100, 160),
            "profit": np.round(rng.normal(20, 30, 60), 2),
            "wallet": np.round(rng.lognormal(3, 1, 60), 2),
        }
    )


def pools():
    return pd.DataFrame(
        {
            "pool": ["delivery", "returns", "desk"],
            "cost": [500.0, 80.0, 120.0],
            "driver": ["orders", "returns", "lines"],
        }
    )


def profit():
    return segmentation.customer_profit(log(), cost_pools=pools(), margin=0.3)


def pyramid():
    return segmentation.value_pyramid(valued())


RFM = ("recency_days", "frequency", "monetary")
SCORES = ("recency_score", "frequency_score", "monetary_score")

CASES = [
    FunctionCase(
        segmentation.rfm_table,
        lambda: {"transactions": log()},
        kwargs={"as_of": "2025-07-01"},
        needs={"transactions": ("customer_id", "date", "amount")},
        numbers={"transactions": ("amount",)},
    ),
    FunctionCase(
        segmentation.rfm_scores,
        lambda: {"rfm": rfm()},
        needs={"rfm": ("customer_id", *RFM)},
        numbers={"rfm": RFM},
    ),
    FunctionCase(
        segmentation.rfm_cut_points,
        lambda: {"rfm": rfm()},
        needs={"rfm": ("customer_id", *RFM)},
        numbers={"rfm": RFM},
    ),
    FunctionCase(
        segmentation.rfm_segments,
        lambda: {"scores": scores()},
        needs={"scores": ("customer_id", *SCORES)},
        numbers={"scores": SCORES},
    ),
    FunctionCase(segmentation.segment_maps, dict),
    FunctionCase(
        segmentation.rfm_cells,
        lambda: {"scores": scores(), "rfm": rfm()},
        needs={"scores": ("customer_id", *SCORES), "rfm": ("customer_id", "total_amount")},
        numbers={"scores": SCORES, "rfm": ("total_amount",)},
    ),
    FunctionCase(
        segmentation.frequency_value_matrix,
        lambda: {"rfm": rfm()},
        needs={"rfm": ("customer_id", "frequency", "monetary")},
        numbers={"rfm": ("frequency", "monetary")},
    ),
    FunctionCase(
        segmentation.value_matrix,
        lambda: {"customers": valued()},
        kwargs={"current": "profit", "potential": "wallet", "current_cut": 0.0},
        needs={"customers": ("customer_id", "profit", "wallet")},
        numbers={"customers": ("profit", "wallet")},
    ),
    FunctionCase(
        segmentation.customer_profit,
        lambda: {"transactions": log()},
        kwargs={"cost_pools": pools(), "margin": 0.3},
        needs={"transactions": ("customer_id", "date", "amount")},
        numbers={"transactions": ("amount",)},
    ),
    FunctionCase(
        segmentation.cost_rates,
        lambda: {"transactions": log()},
        kwargs={"cost_pools": pools()},
        needs={"transactions": ("customer_id", "date", "amount")},
        numbers={"transactions": ("amount",)},
    ),
    *(
        FunctionCase(
            function,
            lambda: {"profit": valued()},
            needs={"profit": ("customer_id", "profit")},
            numbers={"profit": ("profit",)},
        )
        for function in (
            segmentation.whale_curve,
            segmentation.whale_summary,
            segmentation.value_pyramid,
            segmentation.value_tiers,
        )
    ),
    FunctionCase(
        segmentation.loss_makers,
        lambda: {"profit": profit()},
        needs={"profit": ("customer_id", "revenue", "direct_cost", "profit")},
        numbers={"profit": ("revenue", "direct_cost", "profit", "delivery_cost")},
    ),
    PlotCase(segmentation.plot_whale_curve, lambda: {"curve": segmentation.whale_curve(valued())}),
    PlotCase(segmentation.plot_value_pyramid, lambda: {"pyramid": pyramid()}),
    PlotCase(
        segmentation.plot_rfm_heatmap,
        lambda: {"cells": segmentation.rfm_cells(scores(), rfm())},
    ),
    PlotCase(
        segmentation.plot_value_matrix,
        lambda: {"matrix": segmentation.frequency_value_matrix(rfm())},
    ),
]
