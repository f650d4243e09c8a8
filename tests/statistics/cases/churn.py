"""The cases of crmkit.churn."""

from cases import (
    churn_leaks,
    churn_models,
    churn_profiles,
    churn_scores,
    churn_staying,
    churn_survival,
)

PARTS = (
    churn_staying, churn_survival, churn_profiles, churn_scores, churn_models, churn_leaks,
)  # fmt: skip
CASES = [case for part in PARTS for case in part.CASES]
