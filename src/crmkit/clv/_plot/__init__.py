"""Pictures of lifetime value; each draws a table that another function made."""

from __future__ import annotations

from crmkit.clv._plot.customers import plot_alive_path, plot_frequency_recency
from crmkit.clv._plot.judgement import plot_forecast, plot_tracking
from crmkit.clv._plot.models import plot_model_comparison
from crmkit.clv._plot.money import (
    plot_cohort_value,
    plot_customer_equity,
    plot_payback,
)

__all__ = [
    "plot_alive_path",
    "plot_cohort_value",
    "plot_customer_equity",
    "plot_forecast",
    "plot_frequency_recency",
    "plot_model_comparison",
    "plot_payback",
    "plot_tracking",
]
