"""The purchase days of a log under a policy for refunds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from crmkit._checks import check_choice, check_number
from crmkit._frames import parse_day
from crmkit._log import check_covered, read_log
from crmkit._periods import day_text
from crmkit._typing import KeepDropOrRaise
from crmkit.errors import InputError

if TYPE_CHECKING:
    from crmkit._frames import Log
    from crmkit._log import Money, PurchaseDays, PurchaseLog

__all__ = ["check_refunds", "days_of", "holdout_days", "read_until"]


def read_until(transactions: Any, observed_until: Any) -> PurchaseLog:
    """Read a log that ends on a day, or where none is told on that of its last row."""
    if observed_until is None:
        return read_log(transactions)
    return read_log(transactions, as_of=day_text(parse_day(observed_until, "observed_until")))


def holdout_days(
    log: Log, *, as_of: Any, horizon_days: int | None, observed_until: Any
) -> tuple[int, int]:
    """Last day of the calibration and of the hold-out period, in days since 1970-01-01."""
    split = parse_day(as_of, "as_of")
    ahead = None if horizon_days is None else check_number(horizon_days, "horizon_days")
    end = max(log.as_of, split + 1) if ahead is None else split + ahead
    check_covered(
        np.append(log.day, log.as_of),
        split,
        end,
        observed_until=observed_until,
        latest=lambda last: last - (ahead or 1),
    )
    return split, end


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


def days_of(log: PurchaseLog, refunds: str, *, money: Money = "amount") -> PurchaseDays:
    """Return purchase days and their money, or costs, less the refunds if these are kept."""
    return log.days(money=money, book=check_refunds(log, refunds) == "keep")
