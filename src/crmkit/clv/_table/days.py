"""The purchase days of a log under a policy for refunds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from crmkit._checks import check_choice, check_number
from crmkit._frames import parse_day
from crmkit._log import read_log
from crmkit._periods import day_text
from crmkit._typing import KeepDropOrRaise
from crmkit.errors import InputError

if TYPE_CHECKING:
    from crmkit._frames import Log
    from crmkit._log import Money, PurchaseDays, PurchaseLog

__all__ = ["TOLD", "check_refunds", "days_of", "holdout_days", "read_until"]

TOLD = "If a complete log goes on without a row, say till when with `observed_until`."


def read_until(transactions: Any, observed_until: Any) -> PurchaseLog:
    """Read a log that ends on a day, or where none is told on that of its last row."""
    if observed_until is None:
        return read_log(transactions)
    return read_log(transactions, as_of=day_text(parse_day(observed_until, "observed_until")))


def holdout_days(log: Log, *, as_of: Any, horizon_days: int | None) -> tuple[int, int]:
    """Last day of the calibration and of the hold-out period, in days since 1970-01-01."""
    split = parse_day(as_of, "as_of")
    most = log.as_of - split
    ahead = most if horizon_days is None else check_number(horizon_days, "horizon_days")
    if most <= 0:
        raise InputError(
            "`as_of` must lie before the last day that `transactions` covers "
            f"({day_text(log.as_of)}), or nothing is held out; got {day_text(split)}. {TOLD}"
        )
    if ahead > most:
        raise InputError(
            f"`transactions` ends on {day_text(log.as_of)}, before the hold-out period does "
            f"({day_text(split + ahead)}). Choose an earlier `as_of` or at most "
            f"horizon_days={most}. {TOLD}"
        )
    return split, split + ahead


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
