"""Whether a log covers the days of an outcome."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from crmkit._frames import parse_day
from crmkit._periods import day_text
from crmkit.errors import InputError

if TYPE_CHECKING:
    from crmkit._frames import Log

__all__ = ["check_observed"]

# An empty stretch this many times as long as any before it is the end of the log.
_TIMES = 5
_AT_LEAST = 7
# Fewer days with a row do not tell what is usual.
_KNOWN = 20


def check_observed(log: Log, days: list[int], ahead: int, observed_until: Any) -> None:
    """Refuse an outcome `ahead` days after the last of `days` that the log does not cover."""
    end = days[-1] + ahead
    last = int(log.day.max())
    if observed_until is not None:
        known = parse_day(observed_until, "observed_until")
        if known < end:
            raise InputError(_sentence(days[-1], end, known, "`observed_until` is", ahead))
        return
    # Rows after the last outcome day were left out; if there are any, the log goes on.
    goes_on = bool(log.rows_after_as_of)
    busy = np.unique(np.append(log.day, end + 1) if goes_on else log.day)
    quiet = np.diff(busy)
    before = quiet[busy[1:] <= days[-1]]
    ahead_of = np.where(busy[1:] > days[-1], quiet, 0)
    usual = int(before.max()) if before.size >= _KNOWN else end
    if ahead_of.size and ahead_of.max() > max(_TIMES * usual, _AT_LEAST):
        at = int(np.argmax(ahead_of))
        raise InputError(
            _sentence(days[-1], end, int(busy[at]), "`transactions` seems to end on", ahead)
            + f" It has no row in the {quiet[at] - 1} days after that, though at most "
            f"{usual - 1} days were without one before: later rows look stray. If the days were "
            "really that quiet, say so with `observed_until`."
        )
    if not goes_on and last < end:
        raise InputError(_sentence(days[-1], end, last, "`transactions` ends on", ahead))


def _sentence(as_of: int, end: int, last: int, what: str, ahead: int) -> str:
    """Say that an outcome is seen in part only."""
    return (
        f"`as_of` {day_text(as_of)} with an outcome until {day_text(end)} is observed in part "
        f"only: {what} {day_text(last)}. Choose an `as_of` up to {day_text(last - ahead)}, leave "
        "out `horizon_days` to score, or say with `observed_until` how far a complete log goes."
    )
