"""Tables that judge, explain and decide."""

from __future__ import annotations

from crmkit.response._report.drivers import response_drivers, woe_table
from crmkit.response._report.gains import gains_table
from crmkit.response._report.odds import odds_ratios
from crmkit.response._report.rates import response_rates
from crmkit.response._report.selection import select_targets
from crmkit.response._report.selection_summary import selection_summary

__all__ = [
    "gains_table",
    "odds_ratios",
    "response_drivers",
    "response_rates",
    "select_targets",
    "selection_summary",
    "woe_table",
]
