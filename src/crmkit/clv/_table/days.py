"""The purchase days of a log under a policy for refunds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from crmkit._checks import check_choice
from crmkit._typing import KeepDropOrRaise
from crmkit.errors import InputError

if TYPE_CHECKING:
    from crmkit._log import PurchaseDays, PurchaseLog

__all__ = ["check_refunds", "days_of"]


def check_refunds(
    log: PurchaseLog, refunds: str, *, since: int | None = None, until: int | None = None
) -> str:
    """Check the policy, and under ``"raise"`` that there is nothing to refund on these days."""
    check_choice(refunds, "refunds", KeepDropOrRaise)
    day = log.refund_days
    low = -np.inf if since is None else since
    high = np.inf if until is None else until
    n_refunds = int(np.count_nonzero((day >= low) & (day <= high)))
    if refunds == "raise" and n_refunds:
        sign = "amount" if log.rows.has("amount") else "quantity"
        raise InputError(
            f"`transactions`: {n_refunds:,} of {log.n_rows:,} rows have a negative `{sign}` "
            '(refunds). Choose refunds="keep" to book them against the purchase before, or "drop" '
            "to ignore them."
        )
    return refunds


def days_of(log: PurchaseLog, refunds: str) -> PurchaseDays:
    """Return purchase days and their money, less the refunds if these are kept."""
    return log.days(money=True, book=check_refunds(log, refunds) == "keep")
