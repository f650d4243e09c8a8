"""Cases of crmkit.churn."""

CASES: list = []
