"""The cases of crmkit.basket."""

from cases import basket_later, basket_rules

CASES = [*basket_rules.CASES, *basket_later.CASES]
