"""Lifetime value: what a customer is worth over the relationship, today, in money.

From a napkin to a purchase model. :func:`tapk` multiplies transactions, items and price;
:func:`net_present_value` discounts dated cash flows.
:func:`purchase_table` reduces a log to what the purchase models learn from, and
:func:`holdout_table` splits it, so that a model can be judged by what it did not see.

Examples
--------
>>> import pandas as pd
>>> from crmkit import clv
>>> log = pd.DataFrame({
...     "customer_id": ["ann", "ann", "ann", "bob"],
...     "date": pd.to_datetime(["2024-01-01", "2024-01-21", "2024-02-20", "2024-01-11"]),
...     "amount": [20.0, 30.0, 40.0, 15.0],
... })
>>> clv.purchase_table(log, as_of="2024-03-01")
  customer_id  frequency  recency     T  monetary_value
0         ann          2     50.0  60.0            35.0
1         bob          0      0.0  50.0             0.0
"""

from __future__ import annotations

from crmkit.clv._model import (
    BGBB,
    BGCNBD,
    BGNBD,
    MBGCNBD,
    MBGNBD,
    BetaDiscreteWeibull,
    ByGroup,
    GammaGamma,
    ParetoNBD,
    ShiftedBetaGeometric,
)
from crmkit.clv._plot import (
    plot_calibration,
    plot_cohort_value,
    plot_customer_equity,
    plot_frequency_recency,
    plot_model_comparison,
    plot_payback,
    plot_tapk_sensitivity,
    plot_tracking,
)
from crmkit.clv._report import (
    calibration_table,
    customer_equity,
    frequency_recency_table,
    lifetime_value,
    model_comparison,
    spend_frequency_correlation,
    tapk_sensitivity,
    tracking_table,
)
from crmkit.clv._table import (
    cohort_value,
    contract_table,
    holdout_table,
    net_present_value,
    opportunity_table,
    payback_table,
    purchase_table,
    retention_value,
    tapk,
    tapk_table,
)

__all__ = [  # noqa: RUF022 - plain sorting, as in every room
    "BGBB",
    "BGCNBD",
    "BGNBD",
    "BetaDiscreteWeibull",
    "ByGroup",
    "GammaGamma",
    "MBGCNBD",
    "MBGNBD",
    "ParetoNBD",
    "ShiftedBetaGeometric",
    "calibration_table",
    "cohort_value",
    "contract_table",
    "customer_equity",
    "frequency_recency_table",
    "holdout_table",
    "lifetime_value",
    "model_comparison",
    "net_present_value",
    "opportunity_table",
    "payback_table",
    "plot_calibration",
    "plot_cohort_value",
    "plot_customer_equity",
    "plot_frequency_recency",
    "plot_model_comparison",
    "plot_payback",
    "plot_tapk_sensitivity",
    "plot_tracking",
    "purchase_table",
    "retention_value",
    "spend_frequency_correlation",
    "tapk",
    "tapk_sensitivity",
    "tapk_table",
    "tracking_table",
]
