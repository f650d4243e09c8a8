"""Tables that judge, explain and decide."""

from __future__ import annotations

from crmkit.response._report.balance import balance_table, sample_ratio_test
from crmkit.response._report.buyers import buyer_profile
from crmkit.response._report.campaign import campaign_result
from crmkit.response._report.drivers import response_drivers
from crmkit.response._report.odds import odds_ratios
from crmkit.response._report.policy import policy_value
from crmkit.response._report.power import minimum_detectable_effect, sample_size
from crmkit.response._report.profit import profit_table
from crmkit.response._report.qini import qini_summary, qini_table
from crmkit.response._report.rates import response_rates
from crmkit.response._report.rules import rule_scores
from crmkit.response._report.selection import select_targets
from crmkit.response._report.selection_summary import selection_summary
from crmkit.response._report.tree import response_tree
from crmkit.response._report.uplift import uplift_table
from crmkit.response._report.uplift_tree import uplift_tree
from crmkit.response._report.woe import woe_table

__all__ = [
    "balance_table",
    "buyer_profile",
    "campaign_result",
    "minimum_detectable_effect",
    "odds_ratios",
    "policy_value",
    "profit_table",
    "qini_summary",
    "qini_table",
    "response_drivers",
    "response_rates",
    "response_tree",
    "rule_scores",
    "sample_ratio_test",
    "sample_size",
    "select_targets",
    "selection_summary",
    "uplift_table",
    "uplift_tree",
    "woe_table",
]
