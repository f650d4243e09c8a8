"""Cases of crmkit.segmentation."""

import numpy as np
import pandas as pd

from contract.cases._case import FunctionCase, ModelCase, PlotCase
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
            "spent": np.round(rng.lognormal(2, 1, 60), 2),
            "region": np.array(["north", "south"])[rng.integers(0, 2, 60)],
        }
    )


def traded():
    kinds = np.array(["bread", "milk", "tea", "wine"])
    return log().assign(kind=lambda t: kinds[(t["order_id"] + t["customer_id"]) % 4])


def chances():
    ids = np.repeat(np.arange(100, 150), 2)
    return pd.DataFrame(
        {"customer_id": ids, "item": ["wine", "tea"] * 50, "score": 0.01 * (ids - 99)}
    )


def own_map():
    return pd.DataFrame(
        {
            "segment": ["best", "active", "lost"],
            "recency_score_from": [5, 4, 1],
            "recency_score_to": [5, 4, 2],
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


def calls():
    ids = np.arange(105, 160)
    return pd.DataFrame({"customer_id": ids, "calls": ids % 4})


def pools_of_calls():
    phone = {"pool": ["phone"], "cost": [90.0], "driver": ["calls"]}
    return pd.concat([pools(), pd.DataFrame(phone)], ignore_index=True)


def segments(shift=0):
    rng = np.random.default_rng(7 + shift)
    n = 80
    return pd.DataFrame(
        {
            "customer_id": np.arange(100, 100 + n) + 10 * shift,
            "segment": np.array(["gold", "silver", "bronze"])[rng.integers(0, 3, n)],
            "amount": np.round(rng.lognormal(3, 1, n), 2),
        }
    )


def profit():
    return segmentation.customer_profit(log(), cost_pools=pools(), margin=0.3)


def pyramid():
    return segmentation.segment_overview(valued(), segmentation.value_tiers(valued()))


def behaviour():
    rng = np.random.default_rng(8)
    n = 240
    kind = rng.integers(0, 3, n)
    return pd.DataFrame(
        {
            "customer_id": np.arange(1000, 1000 + n),
            "visits": np.array([2.0, 9.0, 30.0])[kind] + rng.normal(size=n),
            "basket": np.array([80.0, 20.0, 25.0])[kind] + 3 * rng.normal(size=n),
            "channel": np.array(["web", "shop"])[((kind == 1) ^ (rng.random(n) < 0.1)).astype(int)],
            "profit": np.round(rng.normal(5, 10, n) + 10 * kind, 2),
            "consent": rng.random(n) < 0.7,
        }
    )


def brought(shift=0):
    table = behaviour()
    rng = np.random.default_rng(9 + shift)
    return pd.DataFrame(
        {
            "customer_id": table["customer_id"],
            "recency_days": rng.integers(0, 90, len(table)),
            "frequency": rng.integers(1, 9, len(table)),
            "total_amount": np.round(rng.lognormal(3, 1, len(table)), 2),
            "profit": table["profit"],
            "lifetime_value": np.round(rng.lognormal(2, 1, len(table)), 2),
        }
    )


def cells():
    return segmentation.segment_overview(rfm(), scores(), by=["recency_score", "frequency_score"])


def kinds():
    table = behaviour()
    names = np.where(table["visits"] > 15, "many", np.where(table["visits"] > 5, "some", "few"))
    return pd.DataFrame({"customer_id": table["customer_id"], "segment": names})


def described():
    table = log()
    rng = np.random.default_rng(11)
    table["date"] += pd.to_timedelta(rng.integers(0, 24, len(table)), unit="h")
    table["channel"] = np.array(["web", "shop"])[rng.integers(0, 2, len(table))]
    table["category"] = np.array(["tea", "cake", "soup"])[table["customer_id"] % 3]
    table["off"] = np.round(rng.random(len(table)).clip(0.7) - 0.7, 2)
    return table


def kept_base():
    options = {"columns": ["category", "channel"], "discount": None}
    return segmentation.preference_table(described(), detail=True, **options)


def touched():
    rng = np.random.default_rng(12)
    n = 400
    sent = pd.Timestamp("2025-01-01") + pd.to_timedelta(rng.integers(0, 200, n), unit="D")
    return pd.DataFrame(
        {
            "customer_id": rng.integers(90, 150, n),
            "date": sent,
            "channel": np.array(["email", "post"])[rng.integers(0, 2, n)],
            "opened": np.where(rng.random(n) < 0.5, rng.integers(0, 2, n), np.nan),
            "responded": rng.integers(0, 2, n),
        }
    )


def asked():
    ids = np.arange(80, 140)
    return pd.DataFrame({"customer_id": ids, "email_consent": ids % 3 > 0})


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
        segmentation.rfm_table,
        lambda: {"transactions": log(), "customers": valued()[["customer_id"]]},
        kwargs={"since": "2025-01-20", "monetary": "median"},
        needs={"transactions": ("customer_id", "date", "amount"), "customers": ("customer_id",)},
        numbers={"transactions": ("amount",)},
    ),
    FunctionCase(
        segmentation.preference_table,
        lambda: {"transactions": described()},
        kwargs={"columns": ["category", "channel"], "discount": "off", "max_levels": 2},
        needs={"transactions": ("customer_id", "date", "category")},
        numbers={"transactions": ("off",)},
    ),
    FunctionCase(
        segmentation.preference_table,
        lambda: {"transactions": described()},
        kwargs={"columns": ["channel"], "base": kept_base(), "detail": True},
        needs={"transactions": ("customer_id", "date", "channel")},
    ),
    FunctionCase(
        segmentation.readiness_table,
        lambda: {"contacts": touched(), "transactions": log(), "customers": asked()},
        kwargs={"as_of": "2025-07-20"},
        needs={
            "contacts": ("customer_id", "date"),
            "transactions": ("customer_id", "date"),
            "customers": ("customer_id",),
        },
        numbers={"transactions": ("amount",)},
    ),
    FunctionCase(
        segmentation.rfm_scores,
        lambda: {"rfm": rfm()},
        kwargs={"cut_points": cut_points()},
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
        kwargs={"segment_map": own_map()},
        needs={"scores": ("customer_id", *SCORES)},
        numbers={"scores": SCORES},
    ),
    FunctionCase(segmentation.segment_maps, dict),
    FunctionCase(
        segmentation.segment_overview,
        lambda: {"customers": brought(), "segments": kinds(), "before": brought(1)},
        needs={
            "customers": ("customer_id",),
            "segments": ("customer_id", "segment"),
            "before": ("customer_id", "total_amount"),
        },
        numbers={
            "customers": ("total_amount", "profit", "lifetime_value", "frequency"),
            "before": ("total_amount",),
        },
    ),
    FunctionCase(
        segmentation.segment_overview,
        lambda: {"customers": rfm(), "segments": scores()},
        kwargs={"by": ["recency_score", "frequency_score"]},
        needs={"segments": ("customer_id", *SCORES[:2])},
    ),
    FunctionCase(
        segmentation.value_matrix,
        lambda: {"customers": rfm()},
        kwargs={"preset": "marcus", "cut": ("median", "pooled_mean")},
        needs={"customers": ("customer_id", "frequency", "monetary")},
        numbers={"customers": ("frequency", "monetary")},
    ),
    FunctionCase(
        segmentation.value_matrix,
        lambda: {"customers": valued()},
        kwargs={"current": "profit", "potential": "wallet", "cut": (10.0, "mean")},
        needs={"customers": ("customer_id", "profit", "wallet")},
        numbers={"customers": ("profit", "wallet")},
    ),
    FunctionCase(
        segmentation.customer_profit,
        lambda: {"transactions": log(), "activity": calls(), "customers": valued()},
        kwargs={"cost_pools": pools_of_calls(), "margin": 0.3, "since": "2025-01-02"},
        needs={
            "transactions": ("customer_id", "date", "amount"),
            "activity": ("customer_id",),
            "customers": ("customer_id",),
        },
        numbers={"transactions": ("amount",), "activity": ("calls",)},
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
            segmentation.value_tiers,
        )
    ),
    FunctionCase(
        segmentation.loss_makers,
        lambda: {"profit": profit()},
        needs={"profit": ("customer_id", "revenue", "direct_cost", "profit")},
        numbers={"profit": ("revenue", "direct_cost", "profit", "delivery_cost")},
    ),
    # The first rule that fits wins, so the order of a map's rows has a meaning: the audit shows it.
    FunctionCase(segmentation.segment_map_audit, dict),
    FunctionCase(
        segmentation.segment_map_audit, dict, {"segment_map": own_map(), "scores": scores()}
    ),
    FunctionCase(
        segmentation.segment_map_audit,
        lambda: {"segment_map": own_map(), "scores": scores()},
        kwargs={"detail": True},
        needs={"segment_map": ("segment",), "scores": ("customer_id", *SCORES)},
        numbers={"scores": SCORES},
    ),
    FunctionCase(
        segmentation.segment_migration,
        lambda: {"before": segments(), "after": segments(1)},
        kwargs={"value": "amount"},
        needs={
            "before": ("customer_id", "segment", "amount"),
            "after": ("customer_id", "segment", "amount"),
        },
        numbers={"before": ("amount",), "after": ("amount",)},
    ),
    *(
        FunctionCase(
            segmentation.potential_table,
            lambda: {"transactions": traded(), "customers": valued()},
            kwargs={"method": method, "by": ["spent", "region"], "wallet": "wallet", "margin": 0.2},
            needs={
                "transactions": ("customer_id", "date", "amount"),
                "customers": ("customer_id", "wallet", "region"),
            },
            numbers={"transactions": ("amount",), "customers": ("wallet",)},
        )
        for method in ("reach", "wallet")
    ),
    FunctionCase(
        segmentation.potential_table,
        lambda: {"transactions": traded(), "chances": chances()},
        kwargs={"method": "white_space", "category": "kind", "as_of": "2025-07-01"},
        needs={
            "transactions": ("customer_id", "date", "amount", "kind"),
            "chances": ("customer_id", "item", "score"),
        },
        numbers={"transactions": ("amount",), "chances": ("score",)},
    ),
    FunctionCase(
        segmentation.potential_backtest,
        lambda: {
            "transactions": traded(),
            "customers": valued(),
            "potentials": valued().rename(columns={"wallet": "potential"}),
        },
        kwargs={"by": "region", "horizon_days": 60},
        needs={
            "transactions": ("customer_id", "date", "amount"),
            "customers": ("customer_id", "region"),
            "potentials": ("customer_id", "potential"),
        },
        numbers={"transactions": ("amount",), "potentials": ("potential",)},
    ),
    FunctionCase(
        segmentation.segment_profile,
        lambda: {"customers": behaviour(), "segments": kinds()},
        needs={"customers": ("customer_id",), "segments": ("customer_id", "segment")},
    ),
    FunctionCase(
        segmentation.segment_quality,
        lambda: {"customers": behaviour(), "segments": kinds()},
        kwargs={
            "columns": ["visits", "basket", "channel"],
            "value": "profit",
            "later_value": "basket",
            "reachable": "consent",
            "gain_per_contact": 0.5,
            "action_cost": 20.0,
            "previous": kinds().tail(200),
            "stability": pd.DataFrame({"segment": ["few", "some", "many"], "jaccard": 0.8}),
        },
        needs={
            "customers": ("customer_id", "visits", "basket", "profit", "consent"),
            "segments": ("customer_id", "segment"),
        },
        numbers={"customers": ("profit",)},
    ),
    *(
        ModelCase(
            segmentation.BehaviourSegments,
            lambda: {"customers": behaviour()},
            parameters={
                "columns": ["visits", "basket", "channel"],
                "method": method,
                "n_segments": n_segments,
                "max_segments": 3,
                "n_resamples": 3,
                "random_state": 0,
            },
            needs=("customer_id", "visits", "channel"),
        )
        for method, n_segments in (("kmeans", "auto"), ("gaussian_mixture", 3))
    ),
    PlotCase(
        segmentation.plot_segment_profile,
        lambda: {"profile": segmentation.segment_profile(behaviour(), kinds())},
    ),
    PlotCase(
        segmentation.plot_segment_migration,
        lambda: {"migration": segmentation.segment_migration(segments(), segments(1))},
    ),
    PlotCase(segmentation.plot_whale_curve, lambda: {"curve": segmentation.whale_curve(valued())}),
    PlotCase(segmentation.plot_segment_overview, lambda: {"overview": pyramid()}),
    PlotCase(segmentation.plot_rfm_heatmap, lambda: {"cells": cells()}),
    PlotCase(
        segmentation.plot_value_matrix,
        lambda: {"matrix": segmentation.value_matrix(rfm(), preset="marcus")},
    ),
]
