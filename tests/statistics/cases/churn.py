"""The cases of crmkit.churn."""

from cases import churn_leaks, churn_models, churn_profiles, churn_scores, churn_staying

CASES = [
    case
    for part in (churn_staying, churn_profiles, churn_scores, churn_models, churn_leaks)
    for case in part.CASES
]
