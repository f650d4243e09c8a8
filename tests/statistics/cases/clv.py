"""The cases of crmkit.clv."""

from cases import clv_ahead, clv_groups, clv_judged, clv_models, clv_posterior, clv_spend, clv_value

CASES = [
    case
    for part in (clv_models, clv_spend, clv_value, clv_groups, clv_judged, clv_posterior, clv_ahead)
    for case in part.CASES
]
