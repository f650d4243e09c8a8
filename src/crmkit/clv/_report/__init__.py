"""Tables that judge models and turn them into money."""

from __future__ import annotations

from crmkit.clv._report.comparison import model_comparison
from crmkit.clv._report.dependence import spend_frequency_correlation
from crmkit.clv._report.forecast import forecast_table
from crmkit.clv._report.frequencies import frequency_table
from crmkit.clv._report.grid import frequency_recency_table
from crmkit.clv._report.likelihood_ratio import likelihood_ratio_test
from crmkit.clv._report.tracking import tracking_table
from crmkit.clv._report.value import customer_equity, lifetime_value

__all__ = [
    "customer_equity",
    "forecast_table",
    "frequency_recency_table",
    "frequency_table",
    "lifetime_value",
    "likelihood_ratio_test",
    "model_comparison",
    "spend_frequency_correlation",
    "tracking_table",
]
