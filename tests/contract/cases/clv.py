"""Cases of crmkit.clv."""

CASES: list = []
