"""Response: who reacts, because of what, whom to select, and what it earned.

>>> from crmkit import datasets, response
>>> campaign = datasets.make_campaign(4000, random_state=1)
>>> known = ["age", "recency_days", "frequency", "monetary", "channel", "newsletter"]
>>> model = response.ResponseModel(random_state=0).fit(campaign, columns=known)
>>> gains = response.gains_table(campaign, model.scores_)
>>> selection = response.select_targets(
...     campaign, model.scores_, consent="email_consent", value=40, contact_cost=1, budget=500,
...     random_state=0,
... )
>>> bool(selection.loc[selection["decision"] == "contact", "cost"].sum() <= 500)
True
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmkit._lazy import attach

if TYPE_CHECKING:
    from crmkit._learn.gains import calibration_table, gains_table
    from crmkit._learn.pictures import plot_calibration, plot_gains
    from crmkit.response._model.response import ResponseModel
    from crmkit.response._model.uplift import UpliftModel
    from crmkit.response._plot.campaign import plot_campaign
    from crmkit.response._plot.drivers import plot_drivers
    from crmkit.response._plot.profit import plot_profit
    from crmkit.response._plot.qini import plot_qini
    from crmkit.response._plot.tree import plot_tree
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
    "ResponseModel",
    "UpliftModel",
    "balance_table",
    "buyer_profile",
    "calibration_table",
    "campaign_result",
    "gains_table",
    "minimum_detectable_effect",
    "odds_ratios",
    "plot_calibration",
    "plot_campaign",
    "plot_drivers",
    "plot_gains",
    "plot_profit",
    "plot_qini",
    "plot_tree",
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

__getattr__, __dir__ = attach(__name__)
