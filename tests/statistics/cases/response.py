"""The cases of crmkit.response."""

from cases import response_rates, response_reasons, response_results, response_scores

CASES = [
    case
    for part in (response_rates, response_results, response_scores, response_reasons)
    for case in part.CASES
]
