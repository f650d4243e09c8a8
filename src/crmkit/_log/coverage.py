"""Whether a log covers the days that something is to be judged by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from crmkit._frames import parse_day
from crmkit._periods import day_text
from crmkit.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

    from crmkit._typing import Ints

__all__ = ["at_most", "check_covered"]

# An empty stretch this many times as long as any before it is the end of the log.
_TIMES = 5
_AT_LEAST = 7
# Fewer days with a row do not tell what is usual.
_KNOWN = 20


def check_covered(
    days: Ints,
    as_of: int,
    end: int,
    *,
    goes_on: bool = False,
    observed_until: Any = None,
    tells: bool = True,
    tables: str = "`transactions`",
    latest: Callable[[int], int] | None = None,
    less: Callable[[int], str] | None = None,
) -> None:
    """Refuse a log of some `days` that tells in part only what comes after `as_of` until `end`.

    Parameters
    ----------
    days
        Days with a row, in any order; of several `tables`, of all of them.
    goes_on
        Whether there are rows after `end` that `days` does not hold.
    observed_until
        Last day covered, as given. Where `tells` is False it cannot be given, and a log is taken
        at its word, because nobody could gainsay.
    latest
        Gives the last day to judge from when a log covers a day. By default as many days before.
    less
        Says what else to do then, by default to take fewer ``horizon_days``.
    """
    latest = latest or (lambda last: last - (end - as_of))
    less = less or (lambda last: at_most("horizon_days", last - as_of))

    def refusal(what: str, last: int) -> str:
        others = [less(last)] if less(last) else []
        if tells:
            others.append("say with `observed_until` how far a complete log goes")
        if others:
            others[-1] = f"or {others[-1]}"
        do = ", ".join([f"Choose an `as_of` up to {day_text(latest(last))}", *others])
        return (
            f"What comes after `as_of` {day_text(as_of)} until {day_text(end)} is observed in part "
            f"only: {what} {day_text(last)}. {do}."
        )

    if observed_until is not None:
        known = parse_day(observed_until, "observed_until")
        if known < end:
            raise InputError(refusal("`observed_until` is", known))
        return
    last = int(days.max())
    goes_on |= last > end
    if tells:
        busy = _busy(days, end, goes_on=goes_on)
        quiet = np.diff(busy)
        before = quiet[busy[1:] <= as_of]
        ahead = np.where(busy[1:] > as_of, quiet, 0)
        usual = int(before.max()) if before.size >= _KNOWN else end
        if ahead.size and ahead.max() > max(_TIMES * usual, _AT_LEAST):
            at = int(np.argmax(ahead))
            raise InputError(
                refusal(f"{tables} seems to end on", int(busy[at]))
                + f" It has no row in the {quiet[at] - 1} days after that, though at most "
                f"{usual - 1} days were without one before: later rows look stray. If the days "
                "were really that quiet, say so with `observed_until`."
            )
    if not goes_on and last < end:
        raise InputError(refusal(f"{tables} ends on", last))


def at_most(name: str, n: int) -> str:
    """Say how far ahead a log can be judged, if at all."""
    return f"take at most {name}={n}" if n > 0 else ""


def _busy(days: Ints, end: int, *, goes_on: bool) -> Ints:
    """Return the distinct days up to `end`, ascending, and a last one after it if there is one."""
    first = min(int(days.min()), end)
    seen = np.zeros(end + 2 - first, dtype=bool)
    seen[np.minimum(days, end + 1) - first] = True
    seen[-1] |= goes_on
    return np.flatnonzero(seen) + first
