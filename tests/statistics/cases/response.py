"""The cases of crmkit.response."""

from cases import (
    response_experiments,
    response_leaks,
    response_rates,
    response_reasons,
    response_results,
    response_scores,
)

PARTS = (
    response_rates,
    response_results,
    response_experiments,
    response_scores,
    response_reasons,
    response_leaks,
)
CASES = [case for part in PARTS for case in part.CASES]
