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

from crmkit._learn.gains import calibration_table, gains_table
from crmkit._learn.pictures import plot_calibration, plot_gains
from crmkit.response._model import ResponseModel, UpliftModel
from crmkit.response._plot import (
    plot_campaign,
    plot_drivers,
    plot_profit,
    plot_qini,
    plot_tree,
)
from crmkit.response._report import (
    balance_table,
    buyer_profile,
    campaign_result,
    minimum_detectable_effect,
    odds_ratios,
    policy_value,
    profit_table,
    qini_summary,
    qini_table,
    response_drivers,
    response_rates,
    response_tree,
    rule_scores,
    sample_ratio_test,
    sample_size,
    select_targets,
    selection_summary,
    uplift_table,
    uplift_tree,
    woe_table,
)

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
