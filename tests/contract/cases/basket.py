"""Cases of crmkit.basket."""

CASES: list = []
