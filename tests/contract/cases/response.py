"""Cases of crmkit.response."""

CASES: list = []
