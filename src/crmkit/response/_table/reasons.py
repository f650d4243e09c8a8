"""Why a customer is contacted or not: one list for the rules and for the table that names them."""

from __future__ import annotations

from enum import IntEnum

__all__ = ["Reason"]


class Reason(IntEnum):
    """The reasons in the order of the rules: the first that applies is the customer's."""

    SELECTED = 0
    OPTED_OUT = 1
    NO_CONSENT = 2
    CONSENT_EXPIRED = 3
    SUPPRESSED = 4
    CONTACT_CAP = 5
    NO_SCORE = 6
    NOT_WORTH_THE_CONTACT = 7
    BEYOND_BUDGET = 8
    BEYOND_CAPACITY = 9
    HOLD_OUT = 10

    @property
    def text(self) -> str:
        """Return the words of the column ``reason``."""
        if self is Reason.HOLD_OUT:
            return "random hold-out"
        return self.name.lower().replace("_", " ")
